package api

import (
	"strings"
	"testing"

	"hufu/internal/tabular"
)

// What the API exports it takes again, and finds nothing to change.
func TestTheCatalogueGoesOutAndInAgain(t *testing.T) {
	r := one(t)
	owner := r.owner()
	r.do(request{method: "POST", path: "/staff/catalogue", token: owner.token, body: `{"format":"hufu-catalogue/1","stocks":[{"name":"seats","kind":"counted","units":7}]}`}).want(200, "")
	for format, kind := range map[string]string{"json": "application/json", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "application/zip"} {
		got := r.do(request{method: "GET", path: "/staff/catalogue?format=" + format, token: owner.token}).want(200, "")
		if got.header.Get("Content-Type") != kind {
			t.Errorf("%s comes as %s", format, got.header.Get("Content-Type"))
		}
		if format == "json" {
			if !strings.Contains(got.text, `"name": "seats"`) {
				t.Error(got.text)
			}
			continue
		}
		book, _, err := tabular.ReadBook([]byte(got.text), "", 1<<20)
		if err != nil || len(book.Sheets) < 5 {
			t.Errorf("%s: %v, %d sheets", format, err, len(book.Sheets))
		}
		again := r.do(request{method: "POST", path: "/staff/catalogue?dry_run=true", token: owner.token, body: got.text, kind: kind}).want(200, "")
		if strings.Contains(again.text, `"created"`) || strings.Contains(again.text, `"changed"`) || !strings.Contains(again.text, `"sheet":"stocks"`) {
			t.Errorf("%s again: %s", format, again.text)
		}
	}
	r.do(request{method: "GET", path: "/staff/catalogue?format=pdf", token: owner.token}).want(400, "request.invalid")
	r.do(request{method: "GET", path: "/staff/catalogue?offers=sofa", token: owner.token}).want(404, "catalogue.no_offer")
	wrong := r.do(request{method: "POST", path: "/staff/catalogue?dry_run=true&name=stocks.csv", token: owner.token, body: "name,kind\nseats,sofas\n", kind: "text/csv"}).want(200, "")
	if !strings.Contains(wrong.text, `"sheet":"stocks","line":2,"column":2`) {
		t.Error(wrong.text)
	}
}
