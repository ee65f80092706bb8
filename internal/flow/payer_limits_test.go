package flow_test

import (
	"fmt"
	"sync"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// payFrom places an order of somebody and has an account at the channel pay it.
func payFrom(t *testing.T, s *flowtest.Shop, o flowtest.Offer, n int64, b flow.Buyer, account string) *order.Order {
	t.Helper()
	p, err := s.Place(t.Context(), by(o, n, b, "web"))
	if err != nil {
		t.Fatal(err)
	}
	c, ok := s.Gateway.PayFrom(p.Intent, account)
	if !ok {
		t.Fatal("the charge was closed")
	}
	for range 2 { // the notice comes twice
		if _, err := s.Confirm(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	return s.Look(t, p.Order.ID)
}

func person(n int) flow.Buyer {
	return flow.Buyer{Phone: fmt.Sprintf("1380000%04d", n), Device: fmt.Sprintf("device-%d", n)}
}

// Who has several accounts, phones and devices and pays from one account is one person (限购):
// what is over goes back, with its units, and the books agree.
func TestALimitCountsWhoPaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, "counted")
		s.Receive(t, stock, 10)
		o := s.Limit(t, s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1}), catalogue.Limit{Max: 2, Window: catalogue.Day, Of: catalogue.Person})
		if got := payFrom(t, s, o, 1, person(1), "wallet-a"); got.State != order.Fulfilled {
			t.Fatalf("the first is %s", got.State)
		}
		if got := payFrom(t, s, o, 1, person(2), "wallet-a"); got.State != order.Fulfilled {
			t.Fatalf("the second is %s", got.State)
		}
		third := payFrom(t, s, o, 1, person(3), "wallet-a")
		if third.State != order.Shortage || third.Lines[0].Delivered != 0 || third.Lines[0].Counted != 0 {
			t.Fatalf("the third is %s, %+v", third.State, third.Lines[0])
		}
		if got := payFrom(t, s, o, 2, person(4), "wallet-b"); got.State != order.Fulfilled {
			t.Errorf("another account's is %s", got.State)
		}
		if got := payFrom(t, s, o, 1, person(5), ""); got.State != order.Fulfilled {
			t.Errorf("who isn't told has %s", got.State)
		}
		if u := s.Units(t, stock); u.Available != 5 || u.Reserved != 0 || u.Delivered != 5 {
			t.Errorf("the stock has %+v", u)
		}
		if _, err := s.SendRefunds(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if got := s.Look(t, third.ID); got.State != order.Refunded {
			t.Errorf("what was over is %s", got.State)
		}
		var refunds []payment.Refund
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			var err error
			refunds, err = s.Payments.RefundsOf(t.Context(), tx, []id.Order{third.ID})
			return err
		}); err != nil || len(refunds) != 1 || refunds[0].Reason != exception.OverLimit {
			t.Errorf("refunds %+v, %v", refunds, err)
		}
		clean(t, s)
	})
}

// Many orders of many people, paid at once from one account: no more than the limit is
// delivered, on two nodes as on one.
func TestOneAccountPaysManyAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		nodes := []*flow.Flows{s.Flows, s.Process(t, d)}
		o := limited(t, s, catalogue.Limit{Max: 3, Window: catalogue.Ever, Of: catalogue.Person})
		var notices []flow.Confirm
		var placed []flow.Placed
		for i := range 20 {
			p, err := s.Place(t.Context(), by(o, 1, person(i), "web"))
			if err != nil {
				t.Fatal(err)
			}
			c, _ := s.Gateway.PayFrom(p.Intent, "wallet")
			notices, placed = append(notices, c), append(placed, p)
		}
		var all sync.WaitGroup
		for i, c := range notices {
			all.Go(func() {
				if _, err := nodes[i%2].Confirm(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var delivered int64
		for _, p := range placed {
			delivered += s.Look(t, p.Order.ID).Lines[0].Delivered
		}
		if delivered != 3 {
			t.Errorf("%d were delivered, 3 may be", delivered)
		}
		clean(t, s)
	})
}

// What a guest paid for counts for whose the phone number is, and not what they only ordered;
// what is over goes back.
func TestALimitCountsWhoHasTheNumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		o := limited(t, s, oneEach)
		ann := flow.Buyer{Party: "pty_ann", Phone: "13800000001", OwnPhone: "13800000001"}
		guest := flow.Buyer{Phone: ann.Phone, Device: "another"}
		waits, err := s.Place(t.Context(), by(o, 1, guest, "web"))
		if err != nil {
			t.Fatal(err)
		}
		if got := payFrom(t, s, o, 1, ann, "wallet-a"); got.State != order.Fulfilled {
			t.Fatalf("the owner's is %s", got.State)
		}
		c, _ := s.Gateway.PayFrom(waits.Intent, "wallet-b")
		if _, err := s.Confirm(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got := s.Look(t, waits.Order.ID); got.State != order.Shortage || got.Lines[0].Counted != 0 {
			t.Errorf("the guest's is %s, %d count", got.State, got.Lines[0].Counted)
		}
		clean(t, s)
	})
}
