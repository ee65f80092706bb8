package web_test

import (
	"html"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// A shopper whose refund failed is told that it did and that we are on it, and not that the
// money is on its way; then that it was sent again, and how it was paid in the end.
func TestARefundThatFailed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.sell("last", "", catalogue.Live, 1990, s.benefit("eta", "g", "", 1))
		b := s.browser("en")
		o := b.place("last", "1")
		notice := s.Gateway.PayTwice(s.intent(o))
		if err := s.Cancel(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		s.browser("en").place("last", "1") // holds what is left
		if got, err := s.Confirm(t.Context(), notice); err != nil || got.Verdict != payment.Late {
			t.Fatal(got, err)
		}
		see := func(when string, want []string, never ...string) {
			t.Helper()
			body := html.UnescapeString(b.get("/orders/" + string(o)).body)
			for _, w := range want {
				if !strings.Contains(body, w) {
					t.Errorf("%s the page doesn't say %q", when, w)
				}
			}
			for _, bad := range never {
				if strings.Contains(body, bad) {
					t.Errorf("%s the page says %q", when, bad)
				}
			}
		}
		send := func() {
			t.Helper()
			if n, err := s.SendRefunds(t.Context(), 5); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		last := func() payment.Refund {
			t.Helper()
			var all []payment.Refund
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
				all, err = s.Payments.RefundsOf(t.Context(), tx, []id.Order{o})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return all[len(all)-1]
		}
		see("under way,", []string{"is on its way back to you", "usually within minutes"}, "didn't go through")
		s.Gateway.RefuseRefunds(true)
		send()
		see("failed,", []string{"didn't go through", "we are on it", "nothing you need to do"}, "is on its way back to you", "usually within minutes")
		if _, err := s.RefundAgain(t.Context(), flow.RefundAgain{Refund: last().ID, Reason: "r", By: "pty_x"}); err != nil {
			t.Fatal(err)
		}
		see("sent again,", []string{"is on its way back to you", "sent again", "didn't go through"}, "we are on it")
		send()
		if _, err := s.RefundByHand(t.Context(), flow.RefundByHand{Refund: last().ID, Way: payment.ByBank, Reference: "B-1", Reason: "r", By: "pty_x"}); err != nil {
			t.Fatal(err)
		}
		if is := s.Look(t, o).State; is != order.Refunded {
			t.Errorf("the order is %s", is)
		}
		see("paid by hand,", []string{"from our bank account"}, "we are on it", "where it came from. Your bank", "Confirmed by the payment channel", "B-1")
	})
}
