package web_test

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/money"
)

// The evidence of an order is what its frozen version said, in the language of the order,
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
		kept := s.Look(t, o).Lines[0].Acknowledged
		for _, lang := range []string{"en", "zh-CN"} {
			b.lang = lang
			r := b.get("/orders/" + string(o) + "/evidence")
			text := said(r)
			if strings.Count(r.body, kept) != 2 || strings.Contains(text, "Another") || !strings.Contains(text, "Offer duo") || !strings.Contains(text, "refund of beta") || !strings.Contains(text, "v1") || !strings.Contains(text, "36.90") || strings.Contains(text, "30.00") {
				t.Errorf("%s: %s", lang, text)
			}
		}
		b.lang = "en"
		if !strings.Contains(said(b.get("/orders/"+string(o)+"/evidence")), "the two hashes are equal") {
			t.Error("the hashes aren't compared")
		}
		evil := b.place("hostile", "1")
		if r := b.get("/orders/" + string(evil) + "/evidence"); strings.Contains(r.body, "<img src=x") || strings.Contains(r.body, "<script>alert") {
			t.Error("an enemy's words are interpreted")
		}
	})
}
