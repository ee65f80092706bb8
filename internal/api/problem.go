package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// Problem is an error as the API tells it (RFC 9457).
type Problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Code   string         `json:"code"`
	Trace  string         `json:"trace,omitempty"`
	Errors []ProblemField `json:"errors,omitempty"`
}

// ProblemField is what is wrong with one part of a request.
type ProblemField struct {
	Path   string `json:"path"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Code }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// StatusOf is the HTTP status of each kind of fault: the one mapping there is.
func StatusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// NewProblem tells a fault in a language.
func NewProblem(lang i18n.Lang, err error, trace string) *Problem {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		f = fault.Wrap(err, fault.Internal, "internal", "trace", trace)
	}
	p := &Problem{Type: "about:blank", Title: lang.T("kind." + f.Kind.String()), Status: StatusOf(f.Kind), Detail: lang.Fault(f), Code: f.Code, Trace: trace}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Path: field.Path, Code: field.Code, Detail: lang.Field(field)})
	}
	return p
}

// Caller is what is known of who sent a request.
type Caller struct {
	Lang  i18n.Lang
	Trace string
}

type callerKey struct{}

// WithCaller puts the caller into a request's context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf finds the caller in a request's context.
func CallerOf(ctx context.Context) Caller {
	c, ok := ctx.Value(callerKey{}).(Caller)
	if !ok {
		c.Lang = i18n.ZH
	}
	return c
}

func (a *API) problem(ctx context.Context, err error) error {
	c := CallerOf(ctx)
	p := NewProblem(c.Lang, err, c.Trace)
	if p.Status >= http.StatusInternalServerError {
		a.Log.Error("request failed", "trace", c.Trace, "error", err)
	}
	return p
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// huma speaks of malformed requests in its own words; they become problems as well.
func init() {
	huma.NewErrorWithContext = func(ctx huma.Context, status int, _ string, errs ...error) huma.StatusError {
		c := CallerOf(ctx.Context())
		code := "request.invalid"
		kind := fault.Invalid
		switch status {
		case http.StatusRequestEntityTooLarge:
			code, kind = "request.too_large", fault.TooLarge
		case http.StatusUnsupportedMediaType:
			code = "request.media_type"
		}
		p := NewProblem(c.Lang, fault.New(kind, code), c.Trace)
		for _, err := range errs {
			f := ProblemField{Code: "request.field", Detail: err.Error()}
			if d, ok := err.(*huma.ErrorDetail); ok {
				f.Path, f.Detail = d.Location, d.Message
			}
			p.Errors = append(p.Errors, f)
		}
		return p
	}
}
