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
	"hufu/internal/order"
	"hufu/internal/payment"
)

// paidLate has an order paid late, with nothing left, and its refund refused.
func (r *rig) paidLate() (id.Order, payment.Refund) {
	r.T.Helper()
	ctx := r.T.Context()
	stock := r.shop.Stock(r.T, inventory.Counted)
	r.shop.Receive(r.T, stock, 1)
	offer := r.shop.Sell(r.T, 1990, "", flowtest.Part{Stock: stock, Quantity: 1})
	p, err := r.shop.Place(ctx, flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
	if err != nil {
		r.T.Fatal(err)
	}
	notice := r.shop.Gateway.PayTwice(p.Intent)
	if err := r.shop.Cancel(ctx, p.Order.ID); err != nil {
		r.T.Fatal(err)
	}
	r.shop.Buy(r.T, flowtest.Want{Offer: offer, Quantity: 1})
	if _, err := r.shop.Confirm(ctx, notice); err != nil {
		r.T.Fatal(err)
	}
	r.shop.Gateway.RefuseRefunds(true)
	if n, err := r.shop.SendRefunds(ctx, 5); n != 1 || err != nil {
		r.T.Fatal(n, err)
	}
	return p.Order.ID, r.refunds(p.Order.ID)[0]
}

func (r *rig) refunds(o id.Order) (out []payment.Refund) {
	r.do(func(tx *db.Tx) (err error) {
		out, err = r.shop.Payments.RefundsOf(r.T.Context(), tx, []id.Order{o})
		return err
	})
	return out
}

// cases are the pages of an order's open cases, by kind.
func (r *rig) cases(o id.Order) map[string]string {
	out := map[string]string{}
	r.do(func(tx *db.Tx) error {
		all, err := exception.Of(r.T.Context(), tx, o)
		for _, x := range all {
			if x.Open {
				out[x.Kind] = "/console/exceptions/" + string(x.ID)
			}
		}
		return err
	})
	return out
}

// A refund that failed is sent again from its case, or recorded as paid from its order, by
// one who may refund, freshly signed in and with what must be said; its cases can't be closed.
func TestAFailedRefundOnTheConsole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		owner := r.owner()
		owner.lang = "en"
		bought, first := r.paidLate()
		page := "/console/orders/" + string(bought)
		cases := r.cases(bought)
		operator := r.member("op@shop.example", identity.Operator)
		operator.lang = "en"
		for _, at := range []string{page, cases[exception.RefundFailed], cases[exception.LateRefund]} {
			operator.get(at)
			if body := operator.want(200, "The refund failed", "A colleague with the right to refund"); strings.Contains(body, at+"/again") {
				t.Errorf("%s: who may not refund is offered to", at)
			}
			owner.get(at)
			body := owner.want(200, "¥19.90 was to go back", at+"/again", at+"/paid")
			sound(t, at, body)
			if strings.Contains(body, `method="post" action="`+cases[exception.RefundFailed]+`"`) {
				t.Errorf("%s: the case is offered to be closed", at)
			}
		}
		for kind, at := range cases {
			owner.get(at)
			owner.post(at, "note", "done")
			owner.want(409, "so it can&#39;t be closed")
			if r.cases(bought)[kind] == "" {
				t.Errorf("%s is closed", kind)
			}
		}
		at := cases[exception.RefundFailed]
		r.shop.Time.Advance(identity.FreshFor + time.Minute)
		owner.get(at)
		owner.post(at+"/again", "refund", string(first.ID), "reason", " ")
		if body := owner.want(400, "reason-"+string(first.ID)+"-error"); strings.Contains(body, "confirm_code") {
			t.Error("a proof is asked for before the form is right")
		}
		owner.post(at+"/again", "refund", string(first.ID), "reason", "the channel is well again")
		owner.want(403, `name="confirm_code"`)
		owner.get(at)
		owner.post(at+"/again", "refund", string(first.ID), "reason", "the channel is well again", "confirm_code", owner.code())
		owner.want(303)
		owner.get(at)
		owner.post(at+"/again", "refund", string(first.ID), "reason", "pressed twice")
		owner.want(303)
		owner.get(at)
		owner.want(200, "Sent again (rfd_…")
		owner.get(cases[exception.LateRefund])
		owner.want(200, "on its way back")
		if all := r.refunds(bought); len(all) != 2 {
			t.Fatalf("%+v", all)
		}
		if n, err := r.shop.SendRefunds(t.Context(), 5); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		second := r.refunds(bought)[1]
		owner.get(page)
		owner.post(page+"/paid", "refund", string(second.ID), "reference", "B-1")
		owner.want(400, "way-"+string(second.ID)+"-error", "paid_reason-"+string(second.ID)+"-error", `value="B-1"`)
		r.shop.Gateway.Down(true)
		owner.post(page+"/again", "refund", string(second.ID), "reason", "r")
		owner.want(503, "nothing was sent")
		for range 2 {
			owner.get(page)
			owner.post(page+"/paid", "refund", string(second.ID), "way", "bank", "reference", "B-1", "paid_reason", "the channel can't")
			owner.want(303)
		}
		owner.get(page)
		owner.post(page+"/paid", "refund", string(second.ID), "way", "bank", "reference", "B-2", "paid_reason", "the channel can't")
		owner.want(409, "This refund is done")
		owner.get(page)
		body := owner.want(200, "paid back by hand", "Bank account · B-1", "Refund paid by hand", "sent again")
		sound(t, page, body)
		if strings.Contains(body, page+"/paid") || len(r.cases(bought)) != 0 {
			t.Errorf("open: %v", r.cases(bought))
		}
		if o := r.shop.Look(t, bought); o.State != order.Refunded {
			t.Errorf("the order is %s", o.State)
		}
	})
}
