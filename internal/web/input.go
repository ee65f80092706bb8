package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"hufu/internal/fault"
)

// input is the fields of a query or a form, read strictly: a field that comes twice, or
// isn't text, makes the request invalid, so that no two readers of it can differ.
type input struct {
	values url.Values
}

func badForm(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(err, fault.TooLarge, "http.too_large")
	}
	return fault.Wrap(err, fault.Invalid, "http.form")
}

// query reads the query of a request.
func query(r *http.Request) (input, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return input{}, badForm(err)
	}
	return checked(v)
}

// form reads the body of a posted form.
func form(r *http.Request) (input, error) {
	if err := r.ParseForm(); err != nil {
		return input{}, badForm(err)
	}
	return checked(r.PostForm)
}

func checked(v url.Values) (input, error) {
	for name, all := range v {
		for _, text := range all {
			if !utf8.ValidString(name) || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return input{}, fault.New(fault.Invalid, "http.form")
			}
		}
	}
	return input{v}, nil
}

// text is a field, "" when it is missing or came more than once.
func (in input) text(name string) string {
	if all := in.values[name]; len(all) == 1 {
		return strings.TrimSpace(all[0])
	}
	return ""
}

// twice reports whether one of the fields came more than once.
func (in input) twice(names ...string) bool {
	for _, n := range names {
		if len(in.values[n]) > 1 {
			return true
		}
	}
	return false
}

// number is a whole number written in digits alone, within min and max; ok is false for
// everything else, and for a missing field.
func (in input) number(name string, min, max int64) (n int64, ok bool) {
	t := in.text(name)
	if t == "" || len(t) > 12 || strings.Trim(t, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(t, 10, 64)
	return n, err == nil && n >= min && n <= max
}
