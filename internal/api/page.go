package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"hufu/internal/fault"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor for what follows; absent at the end"`
}

// Paging asks for a part of a list.
type Paging struct {
	Limit  int64  `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many"`
	Cursor string `query:"cursor" maxLength:"300" doc:"The next of the answer before"`
}

// after is where a page begins: what pageOf put into its cursor.
func (p Paging) after(c *Call) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	list, at, ok := strings.Cut(string(b), "\n")
	if err != nil || !ok || list != c.spec.Name {
		return "", fault.New(fault.Invalid, "request.invalid").At("cursor", "request.cursor")
	}
	return at, nil
}

// number is after for lists that are counted.
func (p Paging) number(c *Call) (int64, error) {
	at, err := p.after(c)
	if err != nil || at == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || n < 0 {
		return 0, fault.New(fault.Invalid, "request.invalid").At("cursor", "request.cursor")
	}
	return n, nil
}

// pageOf makes a page of what a list gave when it was asked for one more than the limit.
func pageOf[T, R any](c *Call, p Paging, found []T, at func(T) string, show func(T) R) *Page[R] {
	out := &Page[R]{Items: make([]R, 0, min(len(found), int(p.Limit)))}
	for i, f := range found {
		if int64(i) == p.Limit {
			out.Next = base64.RawURLEncoding.EncodeToString([]byte(c.spec.Name + "\n" + at(found[i-1])))
			break
		}
		out.Items = append(out.Items, show(f))
	}
	return out
}

func queryOf(r *http.Request) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	return url.ParseQuery(r.URL.RawQuery)
}
