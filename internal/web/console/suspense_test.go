package console

import (
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/payment"
)

// A payment that doesn't match is told with what was asked for and what came; it goes back
// by one who may refund, with a reason, once, and its case can't be closed before.
func TestMoneyInSuspenseOnTheConsole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		owner := r.owner()
		owner.lang = "en"
		stock := r.shop.Stock(t, inventory.Counted)
		r.shop.Receive(t, stock, 5)
		p, err := r.shop.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: r.shop.Sell(t, 1990, "", flowtest.Part{Stock: stock, Quantity: 1}), Quantity: 1}))
		if err != nil {
			t.Fatal(err)
		}
		wrong := r.shop.Gateway.PayTwice(p.Intent)
		wrong.Amount.Minor++
		if _, err := r.shop.Confirm(t.Context(), wrong); err != nil {
			t.Fatal(err)
		}
		var cases []exception.Case
		look := func() {
			r.do(func(tx *db.Tx) (err error) { cases, err = exception.Of(t.Context(), tx, p.Order.ID); return err })
		}
		look()
		page := "/console/exceptions/" + string(cases[0].ID)
		owner.get("/console/exceptions")
		owner.want(200, "expected ¥19.90, received ¥19.91", `href="/console/orders/`+string(p.Order.ID))
		operator := r.member("op@shop.example", identity.Operator)
		operator.lang = "en"
		operator.get(page)
		if body := operator.want(200, "Expected", "¥19.90", "¥19.91", "A colleague with the right to refund"); strings.Contains(body, page+"/refund") || strings.Contains(body, `action="`+page+`"`) {
			t.Error("who may not refund is offered to, or to close the case")
		}
		owner.get(page)
		owner.want(200, "Send ¥19.91 back", page+"/refund")
		owner.post(page, "note", "n")
		owner.want(409, "Please refund it first")
		r.shop.Time.Advance(identity.FreshFor + time.Minute)
		owner.get(page)
		owner.post(page+"/refund", "reason", " ")
		if body := owner.want(400, "Send ¥19.91 back"); strings.Contains(body, "confirm_code") {
			t.Error("a proof is asked for before the form is right")
		}
		customer := "/console/customers/" + r.customer()
		owner.get(customer)
		owner.post(customer+"/credit", "amount", "a lot", "reference", "r", "note", "n")
		if body := owner.want(400, `value="a lot"`); strings.Contains(body, "confirm_code") {
			t.Error("a proof is asked for before the amount is right")
		}
		owner.post(customer+"/credit", "amount", "5", "reference", "r", "note", "n")
		owner.want(403, `name="confirm_code"`)
		owner.get(page)
		owner.post(page+"/refund", "reason", "a fen too much", "confirm_code", owner.code())
		owner.want(303)
		for range 2 {
			owner.get(page)
			owner.post(page+"/refund", "reason", "a fen too much")
			owner.want(303)
		}
		owner.get(page)
		owner.want(200, "on its way back")
		if n, err := r.shop.SendRefunds(t.Context(), 5); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		look()
		if cases[0].Open {
			t.Error("the case is open once the money has gone back")
		}
		r.do(func(tx *db.Tx) error {
			refunds, err := r.shop.Payments.RefundsOf(t.Context(), tx, []id.Order{p.Order.ID})
			if len(refunds) != 1 || refunds[0].State != payment.RefundDone || refunds[0].CreatedBy == "system" {
				t.Errorf("%+v", refunds)
			}
			return err
		})
		owner.get(page)
		sound(t, page, owner.want(200, "Closed", "Refunded (rfd_…"))
	})
}
