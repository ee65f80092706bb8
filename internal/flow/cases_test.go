package flow_test

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// TestPaymentCases has each message of a gateway come that the payment cases name, to an
// order that waits, that is paid and that is over, and sees its verdict, the order, what
// was captured, what goes back and what a person is told.
func TestPaymentCases(t *testing.T) {
	const pending, paid, cancelled = "pending", "paid", "cancelled"
	type told = string
	cases := []struct {
		name    string
		order   string
		message func(c *flow.Confirm)
		verdict payment.Verdict
		state   order.State
		applied int64 // minor units
		suspend int64
		back    int64
		told    told
	}{
		{name: "P1 duplicate", order: paid, message: func(c *flow.Confirm) { c.Event, c.Txn = "evt-first", "txn-first" }, verdict: payment.Duplicate, state: order.Fulfilled, applied: 1990},
		{name: "P1 another event of one transaction", order: paid, message: func(c *flow.Confirm) { c.Txn = "txn-first" }, verdict: payment.Duplicate, state: order.Fulfilled, applied: 1990},
		{name: "paid", order: pending, verdict: payment.Apply, state: order.Fulfilled, applied: 1990},
		{name: "P3 late", order: cancelled, verdict: payment.Late, state: order.Fulfilled, applied: 1990},
		{name: "P4 more", order: pending, message: func(c *flow.Confirm) { c.Amount.Minor++ }, verdict: payment.Mismatch, state: order.Pending, suspend: 1991, told: exception.Mismatch},
		{name: "P4 less", order: pending, message: func(c *flow.Confirm) { c.Amount.Minor-- }, verdict: payment.Mismatch, state: order.Pending, suspend: 1989, told: exception.Mismatch},
		{name: "P4 currency", order: pending, message: func(c *flow.Confirm) { c.Amount.Currency = money.USD }, verdict: payment.Mismatch, state: order.Pending, suspend: 1990, told: exception.Mismatch},
		{name: "P4 account", order: pending, message: func(c *flow.Confirm) { c.Message.Account = false }, verdict: payment.Mismatch, state: order.Pending, suspend: 1990, told: exception.Mismatch},
		{name: "P4 late and wrong", order: cancelled, message: func(c *flow.Confirm) { c.Amount.Minor++ }, verdict: payment.Mismatch, state: order.Cancelled, suspend: 1991, told: exception.Mismatch},
		{name: "P5 of another channel", order: pending, message: func(c *flow.Confirm) { c.Provider = "another" }, verdict: payment.Unknown, state: order.Pending},
		{name: "P7 unpaid", order: pending, message: func(c *flow.Confirm) { c.Paid = false }, verdict: payment.Ignored, state: order.Pending},
		{name: "P7 unpaid after paid", order: paid, message: func(c *flow.Confirm) { c.Paid = false }, verdict: payment.Ignored, state: order.Fulfilled, applied: 1990},
		{name: "P8 unknown", order: pending, message: func(c *flow.Confirm) { c.Intent = id.New[id.Intent]() }, verdict: payment.Unknown, state: order.Pending},
		{name: "P17 twice", order: paid, verdict: payment.Second, state: order.Fulfilled, applied: 1990, suspend: 1990, back: 1990, told: exception.SecondCapture},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := single(t, s, 100)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				ctx := t.Context()
				p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
				message := s.Gateway.PayTwice(p.Intent)
				if c.message != nil {
					c.message(&message)
				}
				switch c.order {
				case paid:
					first := s.Gateway.PayTwice(p.Intent)
					if message.Txn == "txn-first" {
						message.Txn = first.Txn
					}
					if message.Event == "evt-first" {
						message.Event = first.Event
					}
					if _, err := s.Confirm(ctx, first); err != nil {
						t.Fatal(err)
					}
				case cancelled:
					if err := s.Cancel(ctx, p.Order.ID); err != nil {
						t.Fatal(err)
					}
				}
				for again := range 3 {
					want := c.verdict
					if again > 0 && want != payment.Unknown { // the channel may find us later
						want = payment.Duplicate
					}
					if got, err := s.Confirm(ctx, message); err != nil || got.Verdict != want {
						t.Errorf("time %d: %q, %v; want %q", again, got.Verdict, err, want)
					}
				}
				if o := s.Look(t, p.Order.ID); o.State != c.state {
					t.Errorf("the order is %s, want %s", o.State, c.state)
				}
				held := 0
				if c.state == order.Fulfilled {
					held = 1
				}
				if got := len(s.Held(t, p.Order.ID)); got != held {
					t.Errorf("%d rights, want %d", got, held)
				}
				err := d.View(ctx, func(tx *db.Tx) error {
					captures, err := s.Payments.CapturesOf(ctx, tx, []id.Order{p.Order.ID})
					if err != nil {
						return err
					}
					var applied, suspend, back int64
					for _, x := range captures {
						if x.Applied {
							applied += x.Amount.Minor
						} else {
							suspend += x.Amount.Minor
						}
					}
					refunds, err := s.Payments.RefundsOf(ctx, tx, []id.Order{p.Order.ID})
					for _, r := range refunds {
						back += r.Amount.Minor
					}
					if applied != c.applied || suspend != c.suspend || back != c.back {
						t.Errorf("applied %d, in suspense %d, going back %d; want %d, %d, %d", applied, suspend, back, c.applied, c.suspend, c.back)
					}
					if err != nil {
						return err
					}
					cases, err := exception.Of(ctx, tx, p.Order.ID)
					switch {
					case c.told == "" && len(cases) > 0, c.told != "" && (len(cases) != 1 || cases[0].Kind != c.told || !cases[0].Open):
						t.Errorf("a person is told %+v, want %q", cases, c.told)
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
		clean(t, s)
	})
}
