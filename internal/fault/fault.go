// Package fault is the one form in which Hufu says that something can't be done.
//
// A fault has a kind, which decides how a caller reacts (and the HTTP status), and a
// code, which names the exact cause and is the key of its message in every language
// (package i18n, "fault." + code). Text for people is made at the edge, never here.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is how a caller should take a fault.
type Kind uint8

const (
	// Internal is our own failure; the caller can only report it.
	Internal Kind = iota
	// Invalid is input that can never be right.
	Invalid
	// Unauthenticated asks the caller to sign in.
	Unauthenticated
	// Forbidden is a caller who may not.
	Forbidden
	// NotFound is a thing that isn't there, or not for this caller.
	NotFound
	// Conflict is input that is right but not in the present state.
	Conflict
	// Gone is a thing whose time is over.
	Gone
	// TooLarge is input over a stated limit.
	TooLarge
	// TooMany asks the caller to slow down.
	TooMany
	// Unavailable is a passing failure: try again with the same idempotency key.
	Unavailable
	// None is the kind of no error at all; no fault has it.
	None
)

var kindNames = map[Kind]string{
	Internal: "internal", Invalid: "invalid", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "not_found", Conflict: "conflict", Gone: "gone", TooLarge: "too_large", TooMany: "too_many",
	Unavailable: "unavailable", None: "none",
}

func (k Kind) String() string { return kindNames[k] }

// Error is a fault. Its exported fields may be shown to the caller; the cause may not.
type Error struct {
	Kind   Kind
	Code   string            // dotted, e.g. "order.sold_out"; key of the message
	Params map[string]string // values the message speaks of
	Fields []Field           // what is wrong where, for input with many parts
	cause  error
}

// Field places a problem within the input.
type Field struct {
	Path   string // "lines[0].quantity", "row 17, column price"
	Code   string // key of the message
	Params map[string]string
}

// New makes a fault. Params are given as name, value, name, value.
func New(kind Kind, code string, params ...string) *Error {
	return &Error{Kind: kind, Code: code, Params: pairs(params)}
}

// Wrap makes a fault that remembers its cause for the log.
func Wrap(cause error, kind Kind, code string, params ...string) *Error {
	e := New(kind, code, params...)
	e.cause = cause
	return e
}

// At adds a problem at a place of the input and returns e.
func (e *Error) At(path, code string, params ...string) *Error {
	e.Fields = append(e.Fields, Field{Path: path, Code: code, Params: pairs(params)})
	return e
}

func pairs(kv []string) map[string]string {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]string, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// Error is for logs, never for people.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Code)
	for _, k := range slices.Sorted(maps.Keys(e.Params)) {
		fmt.Fprintf(&b, " %s=%q", k, e.Params[k])
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Path, f.Code)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is compare faults by code, so that sentinel faults can be declared once
// and returned with other params.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// From finds the fault in err. An error that holds none becomes an Internal fault with
// code "internal"; nil stays nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(err, Internal, "internal")
}

// KindOf is the kind of err, or None for nil.
func KindOf(err error) Kind {
	if err == nil {
		return None
	}
	return From(err).Kind
}

// CodeOf is the code of err, or "" for nil.
func CodeOf(err error) string {
	if err == nil {
		return ""
	}
	return From(err).Code
}
