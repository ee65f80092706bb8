// Package api is the JSON API under /api/v1: OpenAPI 3.1, problem details for every error,
// an idempotency key on every write that would otherwise happen twice. The table of
// operations (table.go) says of each who may call it and what happens when it is called
// twice; a file beside it holds one family of operations with its requests and responses.
//
// The OpenAPI document is made by huma from the same types and tags that requests are read
// by; requests themselves are served by this package, in one pass over each body.
package api

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/identity"
	"hufu/internal/live"
)

// Options are what the API works with.
type Options struct {
	Flows     *flow.Flows
	Identity  *identity.Service
	Live      *live.Hub // wakes who waits for an order; nil lets them ask again
	PublicURL string
	Log       *slog.Logger
	RateLimit float64 // requests a second that one address, and one session, may make; 0 is without limit
	Version   string  // of the program
}

// API serves the operations.
type API struct {
	Options
	huma     huma.API
	mux      *http.ServeMux
	bound    map[string]bool
	rates    *rates
	joins    *rates
	shelved  roomShelf
	document []byte
	verify   verifying
	refused  refusals
}

// Prefix is where the API lies.
const Prefix = "/api/v1"

// New makes an API.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if b, ok := debug.ReadBuildInfo(); ok && o.Version == "" {
		o.Version = b.Main.Version
	}
	return &API{Options: o, rates: newRates(o.RateLimit), joins: newRates(joinsPerSecond)}
}

// Routes adds the API to a mux. What lies under /api/ and isn't an operation is answered
// with a problem.
func (a *API) Routes(mux *http.ServeMux) {
	a.mux, a.bound = mux, map[string]bool{}
	a.huma = huma.NewAPI(config(), mute{})
	a.shop()
	a.room()
	a.orders()
	a.rights()
	a.member()
	a.session()
	a.staffCatalogue()
	a.staffCatalogueFile()
	a.staffRelations()
	a.staffVersions()
	a.staffRules()
	a.staffStock()
	a.staffCodes()
	a.staffImports()
	a.staffOrders()
	a.staffMoney()
	a.staffPeople()
	a.staffSystem()
	for _, s := range table {
		if !a.bound[s.Name] {
			panic("api: the operation " + s.Name + " of the table has no handler")
		}
	}
	a.notices(mux)
	a.finishDocument()
	mux.HandleFunc("GET "+Prefix+"/openapi.json", a.serveDocument)
	mux.HandleFunc("/api/", a.nothing)
}

// nothing answers what is no operation, or not with this method.
func (a *API) nothing(w http.ResponseWriter, r *http.Request) {
	if a.rates != nil {
		if err := a.rates.take(w.Header(), network(httpx.CallerOf(r.Context()).IP), a.Flows.Clock.Now()); err != nil {
			a.Fail(w, r, err)
			return
		}
	}
	if allowed := a.methodsOf(r.URL.Path); allowed != nil {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.Fail(w, r, errMethod)
		return
	}
	a.Fail(w, r, errNothing)
}

// methodsOf lists the methods that a path has, nil when it is none.
func (a *API) methodsOf(path string) []string {
	var out []string
	add := func(method, pattern string) {
		if matches(pattern, path) {
			out = append(out, method)
			if method == http.MethodGet {
				out = append(out, http.MethodHead)
			}
		}
	}
	for _, s := range table {
		add(s.Method, Prefix+s.Path)
	}
	add(http.MethodGet, Prefix+"/openapi.json")
	add(http.MethodPost, Prefix+"/gateways/{gateway}/notices")
	return out
}

func matches(pattern, path string) bool {
	ps, xs := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(ps) != len(xs) {
		return false
	}
	for i := range ps {
		if ps[i] != xs[i] && (!strings.HasPrefix(ps[i], "{") || xs[i] == "") {
			return false
		}
	}
	return true
}
