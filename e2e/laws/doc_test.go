// Package laws has a test for each guard of the purchase that no other test would miss by
// itself: what one guard alone holds back, though others stand beside it. docs/GUARDS.md
// lists them; the harness that takes each out lies in the folder above.
package laws

import (
	"errors"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/insight/verify"
)

// single is an offer of one code, with so many codes in stock.
func single(t testing.TB, s *flowtest.Shop, codes int64) flowtest.Offer {
	t.Helper()
	stock := s.Stock(t, "codes")
	s.Codes(t, stock, codes)
	return s.Sell(t, 1990, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
}

func placed(t testing.TB, s *flowtest.Shop, o flowtest.Offer) flow.Placed {
	t.Helper()
	p, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: o, Quantity: 1}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines are the lines of an order.
func lines(p flow.Placed) []id.Line {
	var out []id.Line
	for _, l := range p.Order.Lines {
		out = append(out, l.ID)
	}
	return out
}

// holds fails the test unless every invariant holds.
func holds(t *testing.T, s *flowtest.Shop) {
	t.Helper()
	results, err := verify.Verify(t.Context(), s.DB, verify.Options{Now: s.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, row := range r.Rows {
			t.Errorf("%s: %s %s %s", r.ID, row.Rule, row.Subject, row.Detail)
		}
	}
}

// each runs fn on a shop on each kind of database.
func each(t *testing.T, fn func(t *testing.T, s *flowtest.Shop)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, flowtest.New(t, d)) })
}

// errUndo ends a transaction that was only a question.
var errUndo = errors.New("undo")
