package web_test

import (
	"html"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
)

// The evidence of an order is the text that was accepted, in the language it was read in,
// whatever is sold since; its hash is the one the order keeps.
func TestEvidenceIsWhatWasShown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")
		o := b.place("duo", "1")
		s.pay(o)
		s.republish("duo", func(c *catalogue.Content) {
			c.MaxPerOrder, c.Price = 2, money.Of(3000, money.CNY)
			c.Title = text("Another")
		})
		kept := s.terms(o)
		if terms.Hash(kept.Body) != kept.Hash || kept.Lang != "en" {
			t.Fatalf("%+v", kept)
		}
		for _, lang := range []i18n.Lang{i18n.EN, i18n.ZH} {
			b.lang = string(lang)
			r := b.get("/orders/" + string(o) + "/evidence")
			text := said(r)
			if strings.Count(r.body, kept.Hash) != 1 || !strings.Contains(r.body, html.EscapeString(kept.Body)) || !strings.Contains(text, lang.T("shop.evidence.whole")) {
				t.Errorf("%s: %s", lang, r.body)
			}
			if strings.Contains(text, "Another") || !strings.Contains(text, "Offer duo") || !strings.Contains(text, "refund of beta") || !strings.Contains(text, "v1") || !strings.Contains(text, "36.90") || strings.Contains(text, "30.00") {
				t.Errorf("%s: %s", lang, text)
			}
		}
		evil := b.place("hostile", "1")
		if r := b.get("/orders/" + string(evil) + "/evidence"); strings.Contains(r.body, "<img src=x") || strings.Contains(r.body, "<script>alert") {
			t.Error("an enemy's words are interpreted")
		}
	})
}

// terms are the kept text of an order's first line.
func (s *shop) terms(o id.Order) order.Terms {
	s.t.Helper()
	hash := s.Look(s.t, o).Lines[0].Acknowledged
	var found map[string]order.Terms
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) (err error) {
		found, err = s.Orders.Terms(s.t.Context(), tx, []string{hash})
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return found[hash]
}

// A text that isn't the accepted one any more, or isn't there, is told, and never passes for it.
func TestEvidenceTellsOfAnotherText(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	shown := func(o id.Order) string { return html.UnescapeString(said(b.get("/orders/" + string(o) + "/evidence"))) }
	hash := b.checkout("duo", "1").Get("terms")
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		return s.Orders.KeepTerms(t.Context(), tx, []order.Terms{{Hash: hash, Lang: "en", Body: "forged", KeptAt: s.Clock.Now()}})
	}); err != nil {
		t.Fatal(err)
	}
	o := b.place("duo", "1")
	if text := shown(o); !strings.Contains(text, "forged") || !strings.Contains(text, i18n.EN.T("shop.evidence.altered")) || strings.Contains(text, i18n.EN.T("shop.evidence.whole")) {
		t.Errorf("an altered text: %s", text)
	}
	if err := s.DB.Script(t.Context(), "DROP TRIGGER order_terms_no_delete; DELETE FROM order_terms;"); err != nil {
		t.Fatal(err)
	}
	if text := shown(o); !strings.Contains(text, i18n.EN.T("shop.evidence.missing")) || strings.Contains(text, i18n.EN.T("shop.evidence.whole")) {
		t.Errorf("a text that isn't there: %s", text)
	}
}
