package console

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// page answers a request, or says why it can't be.
type page func(c *Console, v *visit) error

// route is one page or act.
type route struct {
	pattern string
	may     identity.Right // "" for whoever is signed in
	or      identity.Right // a right that also lets one in
	open    bool           // needs no session
	fresh   bool           // needs a recent proof of identity
	upload  bool           // takes a file, and reads its body itself
	slow    bool           // reads much
	body    int64          // how large its form may be, where that is more than others
	// check looks at a form before its sender must prove who they are: nil, or what is wrong
	// with it. refused shows that.
	check   func(*visit) error
	refused func(*visit, error) error
	page    page
}

const (
	maxForm  = 256 << 10
	pageTime = 20 * time.Second
	slowTime = 10 * time.Minute
	// uploadTime is how long a file may take to come in.
	uploadTime = 30 * time.Minute
)

// visit is one request on its way through the console.
type visit struct {
	c     *Console
	w     http.ResponseWriter
	r     *http.Request
	route *route
	lang  i18n.Lang
	form  url.Values        // of a POST, checked to be text
	token string            // of the session, "" without one
	who   *identity.Session // nil without a full session
}

// Routes adds the console to a mux.
func (c *Console) Routes(mux *http.ServeMux) {
	for i := range routes {
		mux.Handle(routes[i].pattern, httpx.Gzip(c.serve(&routes[i])))
	}
}

func (c *Console) serve(rt *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header())
		limit := pageTime
		if rt.upload {
			limit = uploadTime
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime)) // a recorder has none
		} else {
			r.Body = http.MaxBytesReader(w, r.Body, max(maxForm, rt.body))
		}
		if rt.slow {
			limit = slowTime
		}
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit + pageTime))
		r = r.WithContext(ctx)
		v := &visit{c: c, w: w, r: r, route: rt, lang: ui.LangOf(r)}
		if err := c.enter(v); err != nil {
			v.fail(err)
		}
	})
}

// enter asks what must be known before a page runs, and runs it.
func (c *Console) enter(v *visit) error {
	if err := c.csrf.Check(v.r); err != nil {
		return fault.Wrap(err, fault.Forbidden, "http.cross_site")
	}
	if err := v.readForm(); err != nil {
		return err
	}
	err := c.recognise(v)
	switch {
	case v.route.open:
	case fault.KindOf(err) == fault.Unauthenticated:
		return v.askSignIn(err)
	case err != nil:
		return err
	}
	if v.r.Method == http.MethodPost && !v.route.upload {
		if proven, err := v.prove(v.form.Get("csrf")); err != nil || !proven {
			return err
		}
	}
	if v.route.open {
		return v.route.page(c, v)
	}
	if v.route.may != "" && !v.who.May(v.route.may) && (v.route.or == "" || !v.who.May(v.route.or)) {
		return c.refuse(v, v.route.may)
	}
	if v.route.check != nil {
		if err := v.route.check(v); err != nil {
			return v.route.refused(v, err)
		}
	}
	if v.route.fresh && v.r.Method == http.MethodPost && v.who.Fresh(c.now()) != nil {
		if done, err := c.confirmIdentity(v); err != nil || !done {
			return err
		}
	}
	return v.route.page(c, v)
}

func nothing(*Console, *visit) error { return fault.New(fault.NotFound, "not_found") }

// prove reports whether a posted form was made for this browser's session, and fails when it
// wasn't. One of our own pages that was made for an earlier session is answered by offering
// again what was typed: that isn't proven, and no failure.
func (v *visit) prove(proof string) (bool, error) {
	secret := v.token
	if v.who == nil {
		secret = v.cookie(preCookie)
	}
	if identity.CheckCSRF(secret, proof) || (v.token != "" && identity.CheckCSRF(v.token, proof)) {
		return true, nil
	}
	if v.who != nil && v.r.Header.Get("Sec-Fetch-Site") == "same-origin" && !v.route.upload {
		return false, v.offerAgain(http.StatusForbidden)
	}
	return false, fault.New(fault.Forbidden, "http.cross_site")
}

// refuse puts on record that somebody lacks a right (S60), and says so.
func (c *Console) refuse(v *visit, right identity.Right) error {
	err := c.Flows.DB.Do(v.r.Context(), func(tx *db.Tx) error {
		return c.Identity.Denied(v.r.Context(), tx, v.actor(), right, v.r.Method+" "+v.r.URL.Path, c.now())
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Forbidden, "console.no_right", "right", v.lang.T("identity.right."+string(right)))
}

func headers(h http.Header) {
	ui.Headers(h)
	h.Set("Cache-Control", "no-store")
}

// Fail shows an error that a page of the console didn't come to see: a panic, a rate limit.
func (c *Console) Fail(w http.ResponseWriter, r *http.Request, err error) {
	headers(w.Header())
	(&visit{c: c, w: w, r: r, route: &route{}, lang: ui.LangOf(r)}).fail(err)
}

// fail shows an error as a page: what happened, what to do, and the trace number (S52).
func (v *visit) fail(err error) {
	trace := v.trace()
	f := fault.From(err)
	if errors.Is(err, context.DeadlineExceeded) {
		f = fault.Wrap(err, fault.Unavailable, "unavailable")
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		v.c.Log.ErrorContext(v.r.Context(), "a console page failed", "path", v.r.URL.Path, "trace", trace, "error", err)
	}
	if f.Kind == fault.Internal && f.Params["trace"] == "" {
		f = fault.Wrap(err, fault.Internal, "internal", "trace", trace)
	}
	e := &ui.ErrorPage{Heading: v.lang.T("ui.error." + f.Kind.String()), Text: v.lang.Fault(f)}
	v.page(&e.Page, "", e.Heading)
	e.Shell, e.TraceID = "console", trace
	home := &ui.Action{Label: v.lang.T("console.error.home"), Href: "/console"}
	if v.who == nil {
		e.Shell = "plain"
	}
	e.Action = home
	switch f.Kind {
	case fault.NotFound, fault.Gone:
		e.Art = "search"
	case fault.Forbidden, fault.Unauthenticated:
		e.Art = "lock"
	case fault.Unavailable, fault.TooMany:
		e.Art = "wifi"
	}
	if (f.Kind == fault.Internal || f.Kind == fault.Unavailable) && v.r.Method == http.MethodGet {
		e.Action, e.Second = &ui.Action{Label: v.lang.T("ui.retry"), Href: ui.LocalPath(v.r.URL.RequestURI()), Icon: "refresh"}, home
	}
	v.c.ui.Render(v.w, v.r, httpx.StatusOf(f.Kind), "shared/error", e)
}

func (v *visit) trace() string {
	if t := httpx.CallerOf(v.r.Context()).Trace; t != "" {
		return t
	}
	return v.r.Header.Get("X-Request-Id")
}

// readForm takes the fields of a post that isn't an upload, strictly: they are text.
func (v *visit) readForm() error {
	q, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil || !readable(q) {
		return fault.New(fault.Invalid, "http.form")
	}
	v.form = url.Values{}
	if v.r.Method != http.MethodPost || v.route.upload {
		return nil
	}
	kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		err = v.r.ParseMultipartForm(maxForm)
	} else {
		err = v.r.ParseForm()
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fault.Wrap(err, fault.TooLarge, "http.too_large")
	}
	if err != nil || !readable(v.r.PostForm) {
		return fault.New(fault.Invalid, "http.form")
	}
	v.form = v.r.PostForm
	return nil
}

func readable(v url.Values) bool {
	for name, all := range v {
		for _, text := range all {
			if !utf8.ValidString(name) || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return false
			}
		}
	}
	return true
}
