package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"hufu/internal/api"
	"hufu/internal/httpx"
	"hufu/internal/web"
)

// liveBeat is how often changes made by other nodes are looked for.
const liveBeat = 500 * time.Millisecond

// shop wires the storefront.
func (a *App) shop() error {
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
		Free: func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }, // it counts by itself, and tells what is left
		Fail: func(w http.ResponseWriter, r *http.Request, err error) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				a.API.Fail(w, r, err)
				return
			}
			a.Web.Fail(w, r, err)
		},
	}), nil
}

// watchOrders wakes waiting pages for what other nodes change, until ctx ends.
func (a *App) watchOrders(ctx context.Context) {
	a.Live.Run(ctx, liveBeat, a.Web.States, func(err error) { a.Log.Warn("waiting pages could not be kept up to date", "error", err) })
}
