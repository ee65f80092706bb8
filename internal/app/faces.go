package app

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"hufu/internal/api"
	"hufu/internal/httpx"
	"hufu/internal/live"
	"hufu/internal/web"
)

// liveBeat is how often changes made by other nodes are looked for.
const liveBeat = 500 * time.Millisecond

// shop wires the storefront.
func (a *App) shop() error {
	a.Live = live.New()
	a.Flows.Changed = a.Live.Publish
	var err error
	a.Web, err = web.New(web.Options{Flows: a.Flows, People: a.Identity, Live: a.Live, PublicURL: a.Config.PublicURL, NoticeURL: a.Config.PublicURL + api.Prefix + "/gateways", Log: a.Log})
	return err
}

// front puts before all faces what every request passes through.
func (a *App) front(next http.Handler) (http.Handler, error) {
	proxies, err := httpx.ParseProxies(a.Config.TrustProxy)
	if err != nil {
		return nil, err
	}
	return httpx.Handler(next, httpx.Options{
		Log: a.Log, Proxies: proxies, Lang: web.LangOf, Rate: httpx.NewRate(a.Config.RateLimit), HTTPS: strings.HasPrefix(a.Config.PublicURL, "https://"),
		Free: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, api.Prefix+"/gateways/") },
		Context: func(ctx context.Context, c httpx.Caller) context.Context {
			return api.WithCaller(ctx, api.Caller{Lang: c.Lang, Trace: c.Trace})
		},
		Fail: func(w http.ResponseWriter, r *http.Request, err error) {
			if !strings.HasPrefix(r.URL.Path, api.Prefix+"/") {
				a.Web.Fail(w, r, err)
				return
			}
			c := httpx.CallerOf(r.Context())
			p := api.NewProblem(c.Lang, err, c.Trace)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(p.Status)
			_ = json.NewEncoder(w).Encode(p) // the reader is gone: nobody is left to tell
		},
	}), nil
}

// watchOrders wakes waiting pages for what other nodes change, until ctx ends.
func (a *App) watchOrders(ctx context.Context) {
	a.Live.Run(ctx, liveBeat, a.Web.States, func(err error) { a.Log.Warn("waiting pages could not be kept up to date", "error", err) })
}
