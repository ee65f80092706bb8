package ui

import (
	"hufu/internal/i18n"
)

// Page is what every page tells its shell. A view model embeds it and is passed to
// Renderer.Render by pointer:
//
//	type homeView struct {
//		ui.Page
//		Offers []ui.Offer
//	}
//	rd.Render(w, r, 200, "shop/home", &homeView{Page: ui.Page{Title: ..., Section: "home"}})
//
// Render fills Lang, Theme, Path and Back when they are empty.
type Page struct {
	Lang        i18n.Lang
	Theme       string         // "light", "dark" or "auto"
	Title       string         // without the brand, which the shell adds
	Description string         // for search engines and shared links; may be empty
	Section     string         // the Section of the NavItem that is current
	Shell       string         // "shop", "console" or "plain"; "" takes the one of the page's folder
	User        *User          // nil when nobody is signed in
	Crumbs      []Crumb        // breadcrumbs; the last has no Href
	Flash       []Flash        // what has just happened
	Counts      map[string]int // numbers beside navigation items, by Section
	TraceID     string         // shown on error pages
	Path        string         // path and query of this request
	DraftDone   string         // name of the form draft that has arrived and may be dropped
	Private     bool           // no-store, no-referrer: pages that show codes or personal data
	HasDock     bool           // set by Render: the page has a bottom action bar

	Hidden map[string]bool // navigation items, by Section, that this reader may not open
	Proof  string          // CSRF proof, which Render puts into each form that carries an idempotency key
}

// Base makes every view model that embeds Page acceptable to Render.
func (p *Page) Base() *Page { return p }

// Data is a view model: a pointer to a struct that embeds Page.
type Data interface{ Base() *Page }

// User is who is signed in, as the shells show it.
type User struct {
	Name string // already masked where it must be
	Role string // in words, in the page's language; "" for shoppers
	Href string // page of the own account; "" for none
}

// Crumb is one step of the breadcrumbs.
type Crumb struct{ Label, Href string }

// Flash is the result of what has just been done. Toasts confirm in three words at most;
// anything longer, and every error, is a banner.
type Flash struct {
	Tone      Tone
	Text      string
	Title     string // banners only
	Toast     bool
	UndoLabel string // toasts only; posts to UndoHref
	UndoHref  string
}

// Tone is the meaning of a state. Each has its own mark besides its colour.
type Tone string

// The tones, in the order of urgency.
const (
	Plain  Tone = "plain"  // nothing to say: drafts, closed
	Info   Tone = "info"   // in progress
	OK     Tone = "ok"     // done
	Accent Tone = "accent" // the product's own: held, live
	Warn   Tone = "warn"   // needs attention
	Stop   Tone = "stop"   // failed, refused
)

// NavItem is one destination of a shell's navigation.
type NavItem struct {
	Section string // matches Page.Section; unique
	Key     string // message key of its name
	Href    string
	Icon    string
	Go      string // letter of the shortcut "g" + letter; "" for none
}

// NavGroup is a heading over destinations; Key is "" for the first, unnamed group.
type NavGroup struct {
	Key   string
	Items []NavItem
}
