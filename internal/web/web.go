package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/identity"
	"hufu/internal/live"
	"hufu/internal/web/assets"
	"hufu/internal/web/ui"
)

// Options are what the pages work with.
type Options struct {
	Flows     *flow.Flows
	People    *identity.Service // nil: the shop knows guests only
	Live      *live.Hub         // wakes the pages that wait for an order
	PublicURL string            // under which browsers reach us; https makes cookies secure
	NoticeURL string            // where gateways send notices, before "/NAME/notices"
	Log       *slog.Logger
}

// Web serves the pages.
type Web struct {
	Options
	ui     *ui.Renderer
	shelf  shelf
	joins  joins
	csrf   *http.CrossOriginProtection
	secure bool
}

// New compiles the pages. It fails on a template that can't be.
func New(o Options) (*Web, error) {
	rd, err := ui.New(ui.Options{Clock: o.Flows.Clock, Log: o.Log})
	if err != nil {
		return nil, err
	}
	w := &Web{Options: o, ui: rd, csrf: http.NewCrossOriginProtection(), secure: strings.HasPrefix(o.PublicURL, "https://")}
	if o.PublicURL == "" {
		return w, nil
	}
	if err := w.csrf.AddTrustedOrigin(o.PublicURL); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "http.public_url", "url", o.PublicURL)
	}
	return w, nil
}

const eventsPattern = "GET /orders/{id}/events"

// pages lists the pages by pattern.
func (s *Web) pages() map[string]page {
	return map[string]page{
		"GET /{$}":                       s.home,
		"GET /search":                    s.search,
		"GET /search/suggest":            s.suggest,
		"GET /offers/{slug}":             s.offer,
		"GET /checkout/{slug}":           s.checkout,
		"POST /offers/{slug}/queue":      s.joinQueue,
		"GET /offers/{slug}/queue":       s.queue,
		"GET /offers/{slug}/queue/state": s.queueState,
		"POST /checkout/{slug}":          s.placeOrder,
		"GET /orders":                    s.orders,
		"POST /orders/find":              s.findOrder,
		"GET /orders/{id}":               s.order,
		"GET /orders/{id}/evidence":      s.evidence,
		"POST /orders/{id}/cancel":       s.cancelOrder,
		"GET /orders/{id}/pay":           s.pay,
		"POST /orders/{id}/balance":      s.payBalance,
		"GET /orders/{id}/paying":        s.paying,
		"GET /orders/{id}/paying/state":  s.payingState,
		"GET /orders/{id}/reveal":        s.askReveal,
		"POST /orders/{id}/reveal":       s.reveal,
		"GET /wallet":                    s.wallet,
		"GET /rights/{id}":               s.right,
		"GET /rights/{id}/choose":        s.askChoice,
		"POST /rights/{id}/choose":       s.choose,
		"POST /rights/{id}/activate":     s.activate,
		"GET /me":                        s.me,
		"POST /me/forget":                s.forget,
		"GET /me/export":                 s.export,
		"GET /sign-in":                   s.signInPage,
		"POST /sign-in":                  s.signIn,
		"POST /sign-in/code":             s.sendCode,
		"POST /sign-out":                 s.signOut,
		"GET /help":                      s.help,
		"POST /-/prefs":                  s.prefs,
		"/":                              s.nothing,
	}
}

// Routes adds the storefront to a mux.
func (s *Web) Routes(mux *http.ServeMux) {
	for pattern, h := range s.pages() {
		mux.Handle(pattern, httpx.Gzip(s.serve(h)))
	}
	mux.HandleFunc(eventsPattern, s.events)
	mux.Handle(assets.Prefix, assets.Handler())
	mux.Handle(ui.CoverPrefix, httpx.Gzip(ui.CoverHandler()))
}

// page answers a request, or says why it can't be.
type page func(w http.ResponseWriter, r *http.Request) error

const (
	maxForm  = 64 << 10
	pageTime = 15 * time.Second
)

// serve gives a page its limits and its headers, refuses what another site's page sent in
// the shopper's name (S43), and shows its errors.
func (s *Web) serve(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ui.Headers(w.Header())
		ctx, cancel := context.WithTimeout(r.Context(), pageTime)
		defer cancel()
		r = r.WithContext(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * pageTime)) // a recorder has none
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := s.csrf.Check(r); err != nil {
			s.Fail(w, r, fault.Wrap(err, fault.Forbidden, "http.cross_site"))
			return
		}
		if err := p(w, r); err != nil {
			s.Fail(w, r, err)
		}
	})
}

// Fail shows an error as a page: what happened, what to do, and the trace number.
func (s *Web) Fail(w http.ResponseWriter, r *http.Request, err error) {
	trace := httpx.CallerOf(r.Context()).Trace
	f := fault.From(err)
	if errors.Is(err, context.DeadlineExceeded) {
		f = fault.Wrap(err, fault.Unavailable, "unavailable")
	}
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		s.Log.ErrorContext(r.Context(), "a page failed", "path", httpx.LogPath(r.URL.Path), "trace", trace, "error", err)
	}
	ui.Headers(w.Header())
	if f.Code != "order.not_found" {
		s.ui.Error(w, r, "shop", trace, f)
		return
	}
	lang := ui.LangOf(r)
	v := &ui.ErrorPage{Page: ui.Page{Shell: "shop", Section: "orders", Private: true, TraceID: trace, Title: lang.T("ui.error.not_found")}, Heading: lang.T("ui.error.not_found"),
		Text: lang.Fault(f), Art: "search", Action: &ui.Action{Label: lang.T("shop.orders.find"), Href: "/orders"}, Second: &ui.Action{Label: lang.T("ui.back_home"), Href: "/"}}
	s.ui.Render(w, r, http.StatusNotFound, "shared/error", v)
}

func (s *Web) nothing(http.ResponseWriter, *http.Request) error {
	return fault.New(fault.NotFound, "not_found")
}

func (s *Web) prefs(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	ui.Prefs(w, r)
	return nil
}

func (s *Web) now() time.Time { return s.Flows.Clock.Now() }

// say is the message of a key in the request's language.
func say(r *http.Request, key string, params ...string) string { return ui.LangOf(r).T(key, params...) }

// LangOf is the language of a page for a request, for whoever wraps the pages.
func LangOf(r *http.Request) i18n.Lang { return ui.LangOf(r) }
