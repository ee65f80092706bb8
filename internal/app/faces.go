package app

import (
	"context"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"hufu/internal/api"
	"hufu/internal/httpx"
	"hufu/internal/web"
	"hufu/internal/web/console"
)

// liveBeat is how often changes made by other nodes are looked for.
const liveBeat = 500 * time.Millisecond

// shop wires the storefront.
func (a *App) shop() error {
	a.Flows.Changed = a.Live.Publish
	var err error
	a.Web, err = web.New(web.Options{Flows: a.Flows, People: a.Identity, Live: a.Live, PublicURL: a.Config.PublicURL, NoticeURL: a.Config.PublicURL + api.Prefix + "/gateways", Log: a.Log})
	if err != nil {
		return err
	}
	// Beside a sandbox no message leaves the house: the console's page of notices is the inbox.
	try := a.Config.SandboxURL != ""
	o := console.Options{Flows: a.Flows, Identity: a.Identity, PublicURL: a.Config.PublicURL, ShowMessages: try, Version: version(), Log: a.Log}
	if try {
		o.Environment = "sandbox"
	}
	if a.Console, err = console.New(o); err != nil {
		return err
	}
	a.stop = append(a.stop, a.Console.Close)
	return nil
}

// version names the program's build: its release, or the revision it was built from.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	v := b.Main.Version
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)") {
			v = s.Value[:min(len(s.Value), 12)]
		}
	}
	return v
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
			if strings.HasPrefix(r.URL.Path, "/console") {
				a.Console.Fail(w, r, err)
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
