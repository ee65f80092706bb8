package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// signIn makes the browser a member's, by the code sent to the phone.
func (b *browser) signIn(phone string) id.Party {
	b.t.Helper()
	f := b.get("/sign-in").fields()
	f.Set("phone", phone)
	f = b.post("/sign-in/code", f).fields()
	f.Set("code", b.sentCode())
	if r := b.post("/sign-in", f); r.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("signing in: %d", r.StatusCode)
	}
	return b.Look(b.t, b.place("duo", "1")).Party
}

// A member pays from the balance when it covers the order, and is told when it doesn't.
func TestBalance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")
		party := b.signIn("13900139000")
		if r := b.get("/checkout/duo"); strings.Contains(r.body, `value="balance"`) {
			t.Error("an empty balance is offered")
		}
		if err := s.Credit(t.Context(), party, money.Of(5000, money.CNY), true, "ref-1", "paid in", "ops", ""); err != nil {
			t.Fatal(err)
		}
		if r := b.get("/me"); !strings.Contains(r.body, "¥") {
			t.Error("the balance isn't shown")
		}
		f := b.checkout("duo", "1")
		if f.Get("pay") != payment.Balance {
			t.Errorf("the balance isn't offered first: %q", f.Get("pay"))
		}
		r := b.post("/checkout/duo", f)
		o := id.Order(strings.TrimPrefix(r.Header.Get("Location"), "/orders/"))
		if r.StatusCode != http.StatusSeeOther || s.Look(t, o).State != order.Fulfilled {
			t.Fatalf("paying from the balance: %d to %q", r.StatusCode, r.Header.Get("Location"))
		}
		if again := b.post("/checkout/duo", f); again.Header.Get("Location") != r.Header.Get("Location") {
			t.Errorf("the same form again: %d to %q", again.StatusCode, again.Header.Get("Location"))
		}
		f = b.checkout("duo", "1")
		f.Set("pay", payment.Balance) // what is left, 13.10, doesn't cover it
		if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest {
			t.Errorf("a balance that is too low: %d", r.StatusCode)
		}
		guest := s.browser("en")
		f = guest.checkout("duo", "1")
		f.Set("pay", payment.Balance)
		if r := guest.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest {
			t.Errorf("a guest's balance: %d", r.StatusCode)
		}
	})
}
