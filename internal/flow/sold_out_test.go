package flow_test

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow/flowtest"
	"hufu/internal/inventory"
)

// A sold-out answer does no database work, also to who wants more than the little that is
// left: a bundle, or a larger quantity. Who wants no more than that gets it.
func TestASoldOutAnswerAsksNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 4)
		one, bundle := s.Sell(t, 100, stock, flowtest.Part{Quantity: 1}), s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 2})
		place := func(o flowtest.Offer, n int64) string {
			_, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: o, Quantity: n}))
			return fault.CodeOf(err)
		}
		statements := func(o flowtest.Offer, n int64) int {
			t.Helper()
			if err := s.RefreshGate(t.Context()); err != nil {
				t.Fatal(err)
			}
			count := 0
			d.SetHooks(db.Hooks{Stmt: func(string) error { count++; return nil }})
			defer d.SetHooks(db.Hooks{})
			if got := place(o, n); got != "order.sold_out" {
				t.Errorf("%d units: %q", n, got)
			}
			return count
		}
		for _, o := range []flowtest.Offer{one, bundle} { // both have been seen
			if got := place(o, 1); got != "" {
				t.Fatal(got)
			}
		}
		for _, c := range []struct {
			offer flowtest.Offer
			n     int64
		}{{bundle, 1}, {bundle, 3}, {one, 2}, {one, 10}} { // one unit is left
			if n := statements(c.offer, c.n); n != 0 {
				t.Errorf("%d statements for an answer that is known", n)
			}
		}
		s.Receive(t, stock, 2)
		if got := place(bundle, 1); got != "" {
			t.Errorf("three units are left, and two are refused: %s", got)
		}
		if n := statements(one, 2); n != 0 {
			t.Errorf("%d statements for an answer that is known", n)
		}
		if got := place(one, 1); got != "" {
			t.Errorf("the last one is refused: %s", got)
		}
		if n := statements(one, 1); n != 0 {
			t.Errorf("%d statements for an answer that is known", n)
		}
	})
}
