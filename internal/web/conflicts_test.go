package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/order"
)

// declare declares a relation of the line of a provider with itself.
func (s *shop) declare(provider string, kind catalogue.RelationKind, severity catalogue.Severity) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		_, err := s.Catalogue.PutRelation(s.t.Context(), tx, catalogue.Relation{Key: provider + "-" + string(kind), Kind: kind, Severity: severity, Name: text("Line " + provider),
			From: catalogue.Side{Provider: provider}}, "system", s.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

// What a purchase means for what the shopper holds stands on the offer's page and before the
// button; what has to be acknowledged has a box of its own, and is kept.
func TestConflictsAreToldBeforePaying(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b, guest := s.browser("en"), s.browser("en")
		b.signIn("13900139000")
		if r := b.get("/offers/duo"); strings.Contains(r.body, "aria-label=\"With what you already have\"") {
			t.Error("a check is shown with nothing declared")
		}
		s.pay(b.place("duo", "1"))
		s.declare("a", catalogue.Extends, catalogue.Inform)
		s.declare("b", catalogue.Extends, catalogue.Acknowledge)
		for _, page := range []string{"/offers/duo", "/checkout/duo"} {
			r := b.get(page)
			for _, want := range []string{"Benefit alpha (not used yet)", "days in all", "Please confirm before you buy", "With what you already have", "Checked against what the account"} {
				if !strings.Contains(r.body, want) {
					t.Errorf("%s doesn't say %q", page, want)
				}
			}
			if page == "/offers/duo" && r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be kept: %s", page, r.Header.Get("Cache-Control"))
			}
			if r := guest.get(page); !strings.Contains(r.body, "/sign-in?to=") || strings.Contains(r.body, "days in all") || strings.Contains(r.body, `id="conflicts"`) {
				t.Errorf("%s tells a guest otherwise", page)
			}
		}
		f := b.checkout("duo", "1")
		orders := s.count()
		r := b.post("/checkout/duo", f)
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `href="#conflicts"`) || s.count() != orders {
			t.Fatalf("without the box: %d", r.StatusCode)
		}
		hash := value(r.body, "conflicts")
		f = r.fields()
		f.Set("phone", "13900139000")
		f.Set("agree", "1")
		f.Set("accounts", "1")
		f.Set("conflicts", strings.Repeat("0", 64))
		if r = b.post("/checkout/duo", f); r.StatusCode != http.StatusConflict || !strings.Contains(r.body, "Something about your rights has changed") || strings.Contains(r.body, hash+`" id="conflicts" checked`) || s.count() != orders {
			t.Fatalf("with another's box: %d", r.StatusCode)
		}
		f = r.fields()
		f.Set("phone", "13900139000")
		f.Set("agree", "1")
		f.Set("accounts", "1")
		f.Set("conflicts", hash)
		if r = b.post("/checkout/duo", f); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("with the box: %d %s", r.StatusCode, r.body)
		}
		var kept order.Acknowledgement
		if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
			kept, _, err = s.Orders.Acknowledged(t.Context(), tx, b.lastOrder())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if kept.Hash != hash || !strings.Contains(kept.Text, "Benefit beta") || strings.Contains(kept.Text, "alpha") {
			t.Errorf("kept %+v", kept)
		}
		s.declare("a", catalogue.Excludes, catalogue.Block)
		for _, r := range []reply{b.get("/checkout/duo"), b.post("/checkout/duo", func() map[string][]string { g := guest.checkout("duo", "1"); g.Set("phone", "13900139000"); return g }())} {
			if !strings.Contains(r.body, "Can&#39;t be bought now") && !strings.Contains(r.body, "Can't be bought now") || !strings.Contains(r.body, "together with your Benefit alpha") {
				t.Errorf("blocked: %d %s", r.StatusCode, r.body)
			}
		}
	})
}

// value is the value of the box of a name.
func value(body, name string) string {
	for _, tag := range inputTag.FindAllString(body, -1) {
		if strings.Contains(tag, `name="`+name+`"`) {
			for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
				if m[1] == "value" {
					return m[2]
				}
			}
		}
	}
	return ""
}
