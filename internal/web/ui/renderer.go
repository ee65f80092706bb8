package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hufu/internal/clock"
	"hufu/internal/i18n"
	"hufu/internal/web/templates"
)

// Options are what the shells need to know of the installation.
type Options struct {
	Clock       clock.Clock    // nil is the machine's
	Zone        *time.Location // nil is China Standard Time
	Log         *slog.Logger   // nil is the default
	BrandZH     string         // name of the shop; "" is Hufu's own
	BrandEN     string
	Environment string     // what is said in the console's head when it isn't the live shop: "sandbox", "demo" (message ui.env.*)
	ShopNav     []NavItem  // nil is this package's ShopNav
	ConsoleNav  []NavGroup // nil is this package's ConsoleNav
	HelpHref    string     // where help is, the same on each page; "" is "/help"
	SearchHref  string     // the shop's search page; "" is "/search"
	SuggestHref string     // answers the console's Ctrl-K with <li><a> items; may be empty
	PrefsHref   string     // where Prefs is mounted; "" is "/-/prefs"
	SignOutHref string     // posts end the session; "" is "/sign-out"
}

// Renderer turns view models into pages.
type Renderer struct {
	opt   Options
	pages map[i18n.Lang]map[string]*page
}

type page struct {
	set     *template.Template
	shell   string
	hasDock bool
}

// New compiles the embedded templates, and pages of further file systems that lie there as
// FOLDER/NAME.html. It fails on any template that doesn't parse.
func New(opt Options, more ...fs.FS) (*Renderer, error) {
	if opt.Clock == nil {
		opt.Clock = clock.System{}
	}
	if opt.Zone == nil {
		opt.Zone = time.FixedZone("UTC+8", 8*3600)
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	for at, or := range map[*string]string{
		&opt.BrandZH: "虎符", &opt.BrandEN: "Hufu", &opt.HelpHref: "/help", &opt.SearchHref: "/search",
		&opt.PrefsHref: "/-/prefs", &opt.SignOutHref: "/sign-out",
	} {
		if *at == "" {
			*at = or
		}
	}
	if opt.ShopNav == nil {
		opt.ShopNav = ShopNav
	}
	if opt.ConsoleNav == nil {
		opt.ConsoleNav = ConsoleNav
	}
	rd := &Renderer{opt: opt, pages: map[i18n.Lang]map[string]*page{}}
	for _, lang := range i18n.Langs {
		base, err := template.New("").Funcs(rd.funcs(lang)).ParseFS(templates.FS, "layout/*.html", "components/*.html")
		if err != nil {
			return nil, fmt.Errorf("ui: %w", err)
		}
		rd.pages[lang] = map[string]*page{}
		for _, fsys := range append([]fs.FS{templates.FS}, more...) {
			if err := rd.add(lang, base, fsys); err != nil {
				return nil, fmt.Errorf("ui: %w", err)
			}
		}
	}
	return rd, nil
}

func (rd *Renderer) add(lang i18n.Lang, base *template.Template, fsys fs.FS) error {
	names, err := fs.Glob(fsys, "*/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		folder, _, _ := strings.Cut(name, "/")
		if folder == "layout" || folder == "components" {
			continue
		}
		set, err := base.Clone()
		if err != nil {
			return err
		}
		if set, err = set.ParseFS(fsys, name); err != nil {
			return err
		}
		if set.Lookup("content") == nil {
			return fmt.Errorf("%s defines no content", name)
		}
		p := &page{set: set, shell: "plain"}
		if folder == "shop" || folder == "console" {
			p.shell = folder
		}
		if d := set.Lookup("dock"); d != nil && d.Tree != nil {
			p.hasDock = strings.TrimSpace(d.Tree.Root.String()) != ""
		}
		rd.pages[lang][strings.TrimSuffix(name, ".html")] = p
	}
	return nil
}

// Names lists the pages, for a test that renders each of them.
func (rd *Renderer) Names() []string {
	var names []string
	for name := range rd.pages[i18n.ZH] {
		names = append(names, name)
	}
	return names
}

// Render writes a whole page. Nothing is written before the page is complete, so a failing
// template gives an error page and never half a page.
func (rd *Renderer) Render(w http.ResponseWriter, r *http.Request, status int, name string, data Data) {
	b := data.Base()
	rd.fill(b, r)
	p, ok := rd.pages[b.Lang][name]
	if !ok {
		rd.broken(w, r, b, fmt.Errorf("ui: there is no page %q", name))
		return
	}
	b.HasDock = p.hasDock
	shell := p.shell
	if b.Shell != "" {
		shell = b.Shell
	}
	var buf bytes.Buffer
	if err := p.set.ExecuteTemplate(&buf, "shell/"+shell, data); err != nil {
		rd.broken(w, r, b, err)
		return
	}
	rd.send(w, status, b.Lang, b.Private, Prove(buf.Bytes(), b.Proof))
}

// idemField begins the hidden field of ui/idem. Text of a page can't hold it unescaped.
var idemField = []byte(`<input type="hidden" name="idempotency_key"`)

// Prove puts a CSRF proof into every form of a page that carries an idempotency key; "" puts
// none. It is done here and not in the components so that no form can be without it.
func Prove(page []byte, proof string) []byte {
	if proof == "" {
		return page
	}
	field := `<input type="hidden" name="csrf" value="` + template.HTMLEscapeString(proof) + `">`
	return bytes.ReplaceAll(page, idemField, append([]byte(field), idemField...))
}

// Fragment writes one block of a page without its shell: for htmx, for data-live elements
// and for server-sent events. The block is defined in the page's file or a component.
func (rd *Renderer) Fragment(w http.ResponseWriter, r *http.Request, status int, name, block string, data any) {
	out, err := rd.FragmentHTML(LangOf(r), name, block, data)
	if err != nil {
		rd.opt.Log.ErrorContext(r.Context(), "a fragment could not be rendered", "page", name, "block", block, "error", err)
		http.Error(w, LangOf(r).T("ui.error.broken"), http.StatusInternalServerError)
		return
	}
	rd.send(w, status, LangOf(r), true, out)
}

// FragmentHTML is the text of a block, for a server-sent event.
func (rd *Renderer) FragmentHTML(lang i18n.Lang, name, block string, data any) ([]byte, error) {
	p, ok := rd.pages[lang][name]
	if !ok {
		return nil, fmt.Errorf("ui: there is no page %q", name)
	}
	var buf bytes.Buffer
	if err := p.set.ExecuteTemplate(&buf, block, data); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (rd *Renderer) fill(b *Page, r *http.Request) {
	if b.Lang == "" {
		b.Lang = LangOf(r)
	}
	if b.Theme == "" {
		b.Theme = ThemeOf(r)
	}
	if b.Path == "" {
		b.Path = r.URL.RequestURI()
	}
}

func (rd *Renderer) send(w http.ResponseWriter, status int, lang i18n.Lang, private bool, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(lang))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Add("Vary", "Cookie, Accept-Language")
	if private {
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
	} else if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader is gone: nobody is left to tell
}

// broken answers when a template itself fails: the plainest page that still says what to do.
func (rd *Renderer) broken(w http.ResponseWriter, r *http.Request, b *Page, err error) {
	rd.opt.Log.ErrorContext(r.Context(), "a page could not be rendered", "path", r.URL.Path, "trace", b.TraceID, "error", err)
	text := template.HTMLEscapeString(b.Lang.T("ui.error.broken"))
	trace := template.HTMLEscapeString(b.TraceID)
	body := "<!doctype html><html lang=\"" + string(b.Lang) + "\"><meta charset=\"utf-8\"><title>Hufu</title><p>" + text + "</p><p>" + trace + "</p>"
	rd.send(w, http.StatusInternalServerError, b.Lang, true, []byte(body))
}
