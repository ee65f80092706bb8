package api

import (
	"context"
	"errors"
	"net/http"

	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
)

// Problem is an error as the API tells it (RFC 9457).
type Problem struct {
	Type   string         `json:"type" doc:"Always about:blank: code says what happened"`
	Title  string         `json:"title" doc:"The kind of problem, in the caller's language"`
	Status int            `json:"status"`
	Detail string         `json:"detail" doc:"What happened and what to do, in the caller's language"`
	Code   string         `json:"code" doc:"Names the exact cause, for programs; it doesn't change with the language" example:"order.sold_out"`
	Trace  string         `json:"trace,omitempty" doc:"Number to give to support"`
	Errors []ProblemField `json:"errors,omitempty"`
}

// ProblemField is what is wrong with one part of a request.
type ProblemField struct {
	Path   string `json:"path" example:"lines[0].quantity"`
	Code   string `json:"code" example:"request.minimum"`
	Detail string `json:"detail"`
}

// Faults that come before any operation.
var (
	errNothing = fault.New(fault.NotFound, "request.no_operation")
	errMethod  = fault.New(fault.Invalid, "request.method")
	errType    = fault.New(fault.Invalid, "request.media_type")
	errAccept  = fault.New(fault.Invalid, "request.accept")
)

// statusOf is the HTTP status of a fault: that of its kind, but for the three that HTTP has
// a status of its own for.
func statusOf(f *fault.Error) int {
	switch f.Code {
	case "request.method":
		return http.StatusMethodNotAllowed
	case "request.media_type":
		return http.StatusUnsupportedMediaType
	case "request.accept":
		return http.StatusNotAcceptable
	}
	return httpx.StatusOf(f.Kind)
}

// NewProblem tells a fault in a language. Of our own failures it tells no more than their
// trace number (S52).
func NewProblem(lang i18n.Lang, err error, trace string) *Problem {
	f := fault.From(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f = fault.New(fault.Unavailable, "unavailable")
	case f.Kind == fault.Internal:
		f = fault.New(fault.Internal, "internal", "trace", trace)
	}
	p := &Problem{Type: "about:blank", Title: lang.T("kind." + f.Kind.String()), Status: statusOf(f), Detail: lang.Fault(f), Code: f.Code, Trace: trace}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemField{Path: field.Path, Code: field.Code, Detail: lang.Field(field)})
	}
	return p
}

// Fail answers with an error as a problem. It is for whatever stands before the API as well.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	c := httpx.CallerOf(r.Context())
	p := NewProblem(c.Lang, err, c.Trace)
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		a.Log.Error("a request failed", "trace", c.Trace, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", string(c.Lang))
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		if s := fault.From(err).Params["seconds"]; s != "" {
			h.Set("Retry-After", s)
		}
	}
	body := buffers.Get()
	defer buffers.Put(body)
	if err := body.encode(p); err != nil {
		panic(err) // a problem is plain text and numbers
	}
	body.send(w, p.Status)
}

// encode writes a value as JSON. Text is left as it is: no browser takes an answer of ours
// for a page, as it is told not to guess.
func encode(v any) ([]byte, error) {
	b := buffers.Get()
	defer buffers.Put(b)
	if err := b.encode(v); err != nil {
		return nil, err
	}
	return append([]byte(nil), b.Bytes()...), nil
}
