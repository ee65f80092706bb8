package flow_test

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/money"
	"hufu/internal/order"
)

// single is an offer of one code, with so many codes in stock.
func single(t testing.TB, s *flowtest.Shop, codes int64) flowtest.Offer {
	t.Helper()
	stock := s.Stock(t, "codes")
	s.Codes(t, stock, codes)
	return s.Sell(t, 1990, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
}

func placed(t testing.TB, s *flowtest.Shop, wants ...flowtest.Want) flow.Placed {
	t.Helper()
	p, err := s.Place(t.Context(), flowtest.Order(wants...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestCancelSaysWhatIsTrue has an order cancelled that was paid unheard, that is cancelled
// already, and of which the gateway can say nothing.
func TestCancelSaysWhatIsTrue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := single(t, s, 10)
		paid, open, dark := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1}), placed(t, s, flowtest.Want{Offer: offer, Quantity: 1}), placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
		if _, ok := s.Gateway.Pay(paid.Intent, paid.Intent.Amount); !ok {
			t.Fatal("not paid")
		}
		cancel := func(p flow.Placed, want string) {
			t.Helper()
			if err := s.Cancel(t.Context(), p.Order.ID); fault.CodeOf(err) != want {
				t.Errorf("cancel: %v, want %q", err, want)
			}
		}
		cancel(paid, "order.paid")
		if o := s.Look(t, paid.Order.ID); o.State != order.Fulfilled {
			t.Errorf("the order is %s", o.State)
		}
		cancel(open, "")
		cancel(open, "order.closed")
		s.Gateway.Down(true)
		cancel(dark, "order.unknown")
		clean(t, s)
	})
}

// TestMoneyThatDoesNotMatchHoldsNothing has another amount paid than asked for: the money is
// in suspense, and the order ends when its time is over (P4, I10).
func TestMoneyThatDoesNotMatchHoldsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := single(t, s, 1)
		p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
		s.Gateway.Pay(p.Intent, money.Of(1, money.CNY))
		s.Time.Advance(flow.HoldFor)
		for range 2 {
			if _, err := s.ExpireDue(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
		}
		if o := s.Look(t, p.Order.ID); o.State != order.Expired {
			t.Errorf("the order is %s", o.State)
		}
		if u := s.Units(t, offer.Parts[0].Stock); u.Available != 1 || u.Reserved != 0 {
			t.Errorf("stock %+v", u)
		}
		clean(t, s)
	})
}
