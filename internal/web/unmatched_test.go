package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// After a payment that doesn't match the shopper is told that it is here and not to pay
// again, and is offered no way to; once it has gone back the order can be paid.
func TestAPaymentThatDoesNotMatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")
		o := b.place("duo", "1")
		page := "/orders/" + string(o)
		if got := b.get(page); !strings.Contains(got.body, page+"/pay\"") {
			t.Fatalf("before: %s", got.body)
		}
		wrong := s.Gateway.PayTwice(s.intent(o))
		wrong.Amount.Minor++
		if got, err := s.Confirm(t.Context(), wrong); err != nil || got.Verdict != payment.Mismatch {
			t.Fatal(got, err)
		}
		told := func(when string, paths ...string) {
			t.Helper()
			for _, path := range paths {
				got := b.get(path)
				if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "We have received "+wrong.Amount.String()) || !strings.Contains(got.body, "Please don&#39;t pay again") {
					t.Errorf("%s %s doesn't tell of the payment: %d %s", when, path, got.StatusCode, got.body)
				}
				for _, bad := range []string{page + "/pay\"", "data-countdown", "Time left to pay", "No payment came", "nothing was charged"} {
					if strings.Contains(got.body, bad) {
						t.Errorf("%s %s says %q", when, path, bad)
					}
				}
			}
		}
		told("waiting,", page, page+"/paying", page+"/paying/state")
		if got := b.get(page + "/pay"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != page {
			t.Errorf("the way to pay: %d %s", got.StatusCode, got.Header.Get("Location"))
		}
		if got := b.post(page+"/cancel", url.Values{}); got.StatusCode != http.StatusSeeOther || s.Look(t, o).State != order.Cancelled {
			t.Errorf("cancelling: %d, %s", got.StatusCode, s.Look(t, o).State)
		}
		told("cancelled,", page, page+"/paying")

		again := b.place("duo", "1")
		page = "/orders/" + string(again)
		wrong = s.Gateway.PayTwice(s.intent(again))
		wrong.Amount.Minor--
		if _, err := s.Confirm(t.Context(), wrong); err != nil {
			t.Fatal(err)
		}
		var c payment.Capture
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			all, err := s.Payments.CapturesOf(t.Context(), tx, []id.Order{again})
			c = all[0]
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RefundCapture(t.Context(), flow.RefundCapture{Capture: c.ID, Reason: "r", By: "pty_x"}); err != nil {
			t.Fatal(err)
		}
		told("going back,", page)
		if n, err := s.SendRefunds(t.Context(), 5); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if got := b.get(page); strings.Contains(got.body, "which doesn&#39;t match") || !strings.Contains(got.body, page+"/pay\"") || !strings.Contains(got.body, "Refund of "+wrong.Amount.String()+" completed") {
			t.Errorf("once it has gone back: %s", got.body)
		}
	})
}
