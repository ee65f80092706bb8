package web_test

import (
	"strings"
	"testing"
	"time"

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

// allot gives a channel units of a stock alone.
func (s *shop) allot(stock id.Stock, channel string, n int64) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		return s.Inventory.Allot(s.t.Context(), tx, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: channel, Units: n, Reason: "r", Actor: "ops"}, s.Clock.Now())
	}); err != nil {
		s.t.Fatal(err)
	}
	s.Time.Advance(2 * time.Second) // past what the shelf remembers
}

// The pages show what the pages can sell: their allotment, or without one what isn't allotted.
func TestAPageShowsItsChannelsUnits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		stock := s.edition("figure", 5, 1000)
		b := s.browser("en")
		out := func(want bool) {
			t.Helper()
			for _, path := range []string{"/", "/offers/figure"} {
				if text := said(b.get(path)); strings.Contains(text, "Sold out") != want {
					t.Errorf("%s, sold out is to be %v: %s", path, want, text)
				}
			}
		}
		out(false)
		s.allot(stock, "api", 5)
		out(true)
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
			return s.Inventory.Allot(t.Context(), tx, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, From: "api", To: "web", Units: 2, Reason: "r", Actor: "ops"}, s.Clock.Now())
		}); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(2 * time.Second)
		out(false)
		s.pay(b.place("figure", "2"))
		s.Time.Advance(2 * time.Second)
		out(true)
	})
}
