package flow_test

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/payment"
)

// A copy of a notice names its order and wakes who waits for it: it may be the rerun of a
// commit whose answer was lost, and then nobody on this node has been told.
func TestACopyWakesWhoWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 1)
		p, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 1}), Quantity: 1}))
		if err != nil {
			t.Fatal(err)
		}
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		told := 0
		s.Changed = func(o id.Order) {
			if o == p.Order.ID {
				told++
			}
		}
		for i, want := range []payment.Verdict{payment.Apply, payment.Duplicate} {
			c, err := s.Confirm(t.Context(), notice)
			if err != nil || c.Verdict != want || c.Order != p.Order.ID || told != i+1 {
				t.Errorf("%+v, %v, told %d times", c, err, told)
			}
		}
	})
}
