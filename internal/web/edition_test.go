package web_test

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// edition sells a thing of which so many are there, numbered from 42.
func (s *shop) edition(slug string, units, size int64) id.Stock {
	s.t.Helper()
	b := s.benefit(slug, "g", "", 0)
	b.Coded, b.Stock = false, s.Stock(s.t, inventory.Counted)
	s.Receive(s.t, b.Stock, units)
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		_, err := s.Inventory.Begin(s.t.Context(), tx, inventory.Edition{Stock: b.Stock, Size: size, First: 42, Gapless: true, CreatedBy: "ops"}, s.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	s.sell(slug, "", catalogue.Live, 100, b)
	return b.Stock
}

// The number of an edition stands wherever its right does.
func TestANumberIsShown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.edition("figure", 5, 1000)
		b := s.browser("en")
		o := b.place("figure", "1")
		s.pay(o)
		right := s.Held(t, o)[0].ID
		for lang, want := range map[string]string{"en": "No. 0042 / 1000", "zh-CN": "第 0042 号 / 共 1000"} {
			b.lang = lang
			for _, path := range []string{"/rights/" + string(right), "/wallet", "/orders/" + string(o), "/orders/" + string(o) + "/evidence"} {
				if text := strings.ReplaceAll(said(b.get(path)), "\u00a0", " "); !strings.Contains(text, want) {
					t.Errorf("%s in %s: %s", path, lang, text)
				}
			}
		}
	})
}
