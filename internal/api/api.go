// Package api is the JSON API under /api/v1: OpenAPI 3.1, problem details for every error,
// an idempotency key on every write. A file holds one family of operations, with its
// requests and responses.
package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"hufu/internal/flow"
)

// Options are what the API works with.
type Options struct {
	Flows     *flow.Flows
	PublicURL string
	Log       *slog.Logger
}

// API serves the operations.
type API struct {
	Options
	huma huma.API
}

// New makes an API.
func New(o Options) *API { return &API{Options: o} }

// Prefix is where the API lies.
const Prefix = "/api/v1"

func (a *API) config() huma.Config {
	c := huma.DefaultConfig("Hufu", "1")
	c.Info.Description = "Selling, delivering and redeeming digital entitlements. Every write takes an Idempotency-Key; every error is a problem details document (RFC 9457) in the caller's language."
	c.CreateHooks = nil // no $schema member in answers
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = Prefix+"/openapi", "", Prefix+"/schemas"
	c.AllowAdditionalPropertiesByDefault = false
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	return c
}

var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	},
	Unmarshal: json.Unmarshal,
}

// Routes adds the API to a mux.
func (a *API) Routes(mux *http.ServeMux) {
	a.huma = humago.New(mux, a.config())
	a.orders()
	a.notices(mux)
}

// operation declares one operation; its handler's errors become problems in the caller's
// language.
func operation[I, O any](a *API, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	op.Path = Prefix + op.Path
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
}
