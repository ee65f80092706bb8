package ui

import (
	"net/http"

	"hufu/internal/fault"
	"hufu/internal/httpx"
)

// CSP is the Content-Security-Policy of every page: only what the program itself serves,
// no inline script and no inline style.
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Headers sets what every page is served with.
func Headers(h http.Header) {
	h.Set("Content-Security-Policy", CSP)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
}

// ErrorPage is the view model of "shared/error".
type ErrorPage struct {
	Page
	Heading string
	Text    string
	Art     string // see Empty.Art; "" is a broken tally
	Action  *Action
	Second  *Action
}

// Error writes the error page for err in the given shell ("shop", "console", "plain"):
// what happened in words, what to do, and the trace number. It gives away no cause.
func (rd *Renderer) Error(w http.ResponseWriter, r *http.Request, shell, trace string, err error) {
	f := fault.From(err)
	lang := LangOf(r)
	v := &ErrorPage{Page: Page{Shell: shell, TraceID: trace, Private: true}}
	if f.Code == "internal" && f.Params["trace"] == "" {
		f = fault.Wrap(err, f.Kind, f.Code, "trace", trace)
	}
	v.Heading = lang.T("ui.error." + f.Kind.String())
	v.Title = v.Heading
	v.Text = lang.Fault(f)
	v.Action = &Action{Label: lang.T("ui.retry"), Href: LocalPath(r.URL.RequestURI())}
	v.Second = &Action{Label: lang.T("ui.back_home"), Href: "/"}
	if shell == "console" {
		v.Second.Href = "/console"
	}
	switch f.Kind {
	case fault.NotFound, fault.Gone:
		v.Art, v.Action, v.Second = "search", &Action{Label: v.Second.Label, Href: v.Second.Href}, nil
	case fault.Unauthenticated, fault.Forbidden:
		v.Art, v.Action, v.Second = "lock", &Action{Label: v.Second.Label, Href: v.Second.Href}, nil
	case fault.Unavailable, fault.TooMany:
		v.Art = "wifi"
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && v.Second != nil {
		v.Action, v.Second = v.Second, nil // a posted form can't be repeated by a link
	}
	rd.Render(w, r, httpx.StatusOf(f.Kind), "shared/error", v)
}
