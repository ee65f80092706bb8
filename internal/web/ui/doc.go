// Package ui renders Hufu's pages: it compiles the templates, gives them their functions
// and shells, and holds the view models of the components. The style sheets and scripts are
// built from design/ at the root of the repository and served by package assets.
//
// # Making a page
//
// Put templates/FAMILY/NAME.html beside the others. The family decides the shell: "shop"
// (phone first), "console" (desk first), every other the plain one. The file defines
//
//	{{define "content"}} ... {{end}}   the body; required
//	{{define "dock"}} ... {{end}}      shop only: the action at the thumb, fixed at the bottom of a phone
//	{{define "head"}} ... {{end}}      more of <head>; seldom
//
// The view model embeds Page and is passed by pointer:
//
//	type productView struct {
//		ui.Page
//		Offer ui.Offer
//	}
//	rd.Render(w, r, http.StatusOK, "shop/product", &productView{Page: ui.Page{Title: name, Section: "home"}, Offer: o})
//
// In a template its fields are at the dot; Page's are too. Text for people is {{T "area.key"}}
// with parameters as name and value, never a literal. After a change of classes or scripts
// run make -C design build and commit internal/web/assets/dist.
//
// # Components
//
// Each partial in templates/components is called "ui/..." and says its properties in the
// comment above its definition; a test keeps that so. Simple ones take a dict:
//
//	{{template "ui/button" dict "Label" (T "ui.save") "Icon" "check"}}
//
// and those with more to say take a struct of this package: Ticket, Offer, Table, Empty,
// Stat, Todo, Event, Step. Properties have the same names in both.
//
//	controls  button action idem field textarea select check choices segments search chips tabs drop draft-note error-summary
//	blocks    banner badge mono cover price stock offer kv terms stat todo progress sharebar steps timeline empty error
//	          code code-row moment waiting live countdown skeleton
//	ticket    ticket
//	data      table pager crumbs page-head panel dialog confirm
//
// Some open an element that the page closes: page-head (</div></div>), panel
// (</div></aside>), dialog (</dialog>), live (</div>).
//
// Classes without a partial: card (card-body, card-head, card-foot, card-flat), stack
// (stack-8, stack-24, stack-32), row (row-between), offers, tickets, stats, grid-2, split
// and split-sticky (shop, two columns on a desk), con-split (console, list and panel),
// table-card and table-tools, section-head, hero, narrow, form-wrap, plain-card, as-of, link,
// mono-text, num (never broken), sr-only, only-js, no-js, desk-only, phone-only, no-print. Tailwind's utilities
// exist for the tokens of look.md only: text-12 to text-40, text-muted, bg-surface, p-4 (16 px),
// rounded-card, shadow-card, sm: md: lg:.
//
// # Behaviour by attribute
//
// No page needs script; these make it better (design/js):
//
//	data-copy, data-copy-from    copies a text                 data-dialog, data-close     opens, closes a <dialog>
//	data-live (ui/live)          server-sent events, polling   data-countdown              by the server's clock
//	data-draft, data-draft-note  keeps a form in this tab      data-code                   groups a typed card code
//	data-autosubmit              a choice that applies at once data-free                   a form that may be sent twice
//	data-upload                  progress of a file            data-href, data-edit        a row of a table
//
// Every form that changes something holds {{template "ui/idem"}}: its button is disabled
// while it is sent, and pressing again after a lost answer is the same request. A page that
// follows a form with data-draft="x" sets Page.DraftDone to "x". A fragment for data-live may set the
// headers Hufu-Done (stop asking) and Hufu-Location (go there).
//
// # Security
//
// Pages are served with the policy CSP: no inline script, no style attribute, no handler
// attribute. html/template escapes; template.HTML is for pictures this package draws and text that
// bluemonday has cleaned, nothing else.
package ui
