package api

import (
	"context"
	"testing"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/payment"
)

// mismatch has a fen more than asked for come for an order.
func (r *rig) mismatch(o id.Order) payment.Capture {
	r.t.Helper()
	var intent *payment.Intent
	var out payment.Capture
	r.in(func(ctx context.Context, tx *db.Tx) error {
		intents, err := r.Payments.IntentsOf(ctx, tx, []id.Order{o})
		intent = intents[o][0]
		return err
	})
	wrong := r.Gateway.PayTwice(intent)
	wrong.Amount.Minor++
	if got, err := r.Flows.Confirm(r.t.Context(), wrong); err != nil || got.Verdict != payment.Mismatch {
		r.t.Fatal(got, err)
	}
	r.in(func(ctx context.Context, tx *db.Tx) error {
		all, err := r.Payments.CapturesOf(ctx, tx, []id.Order{o})
		for _, c := range all {
			if !c.Applied {
				out = c
			}
		}
		return err
	})
	return out
}

// While money that doesn't match is here its buyer is told of it and of no way to pay; the
// staff can't close its case and send it back, twice alike; then the order can be paid.
func TestMoneyThatDoesNotMatch(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(9)
		owner := r.owner()
		placed := r.do(request{method: "POST", path: "/orders", body: placeBody(offer.ID, 1)}).want(201, "")
		order := id.Order(placed.str("id"))
		get := func() answer {
			return r.do(request{method: "GET", path: "/orders/" + string(order), token: placed.str("token")}).want(200, "")
		}
		if a := get(); a.json["unmatched"] != nil || a.json["payment"] == nil {
			t.Errorf("before: %s", a.text)
		}
		capture := r.mismatch(order)
		if a := get(); a.at("unmatched.minor") != 1991.0 || a.json["payment"] != nil {
			t.Errorf("with money that doesn't match: %s", a.text)
		}
		var cases []exception.Case
		r.in(func(ctx context.Context, tx *db.Tx) (err error) {
			cases, err = exception.Of(ctx, tx, order)
			return err
		})
		r.do(request{method: "POST", path: "/staff/exceptions/" + string(cases[0].ID) + "/close", token: owner.token, body: map[string]any{"note": "n"}}).want(409, "exception.refund_first")
		refund := request{method: "POST", path: "/staff/captures/" + string(capture.ID) + "/refund", token: owner.token, body: map[string]any{"reason": "r"}}
		first := r.do(refund).want(200, "")
		if again := r.do(refund).want(200, ""); again.str("id") != first.str("id") || first.str("state") != "waiting" {
			t.Errorf("%s, then %s", first.text, again.text)
		}
		if n, err := r.Flows.SendRefunds(t.Context(), 5); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if again := r.do(refund).want(200, ""); again.str("state") != "done" {
			t.Errorf("once done: %s", again.text)
		}
		if a := get(); a.json["unmatched"] != nil || a.json["payment"] == nil {
			t.Errorf("after the refund: %s", a.text)
		}
		r.in(func(ctx context.Context, tx *db.Tx) (err error) {
			cases, err = exception.Of(ctx, tx, order)
			return err
		})
		if cases[0].Open {
			t.Error("the case is open")
		}
	})
}
