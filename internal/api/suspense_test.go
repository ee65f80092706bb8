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
		placed := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1)}).want(201, "")
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

// refused has an order paid once more, and the refund of that refused.
func (r *rig) refused(o id.Order) payment.Refund {
	r.t.Helper()
	var intent *payment.Intent
	var all []payment.Refund
	r.in(func(ctx context.Context, tx *db.Tx) error {
		intents, err := r.Payments.IntentsOf(ctx, tx, []id.Order{o})
		intent = intents[o][0]
		return err
	})
	if got, err := r.Flows.Confirm(r.t.Context(), r.Gateway.PayTwice(intent)); err != nil || got.Verdict != payment.Second {
		r.t.Fatal(got, err)
	}
	r.Gateway.RefuseRefunds(true)
	defer r.Gateway.RefuseRefunds(false)
	if _, err := r.Flows.SendRefunds(r.t.Context(), 10); err != nil {
		r.t.Fatal(err)
	}
	r.in(func(ctx context.Context, tx *db.Tx) (err error) {
		all, err = r.Payments.RefundsOf(ctx, tx, []id.Order{o})
		return err
	})
	return all[len(all)-1]
}

// A refund that failed is told to its buyer and the staff as that; the staff send it again or
// pay it, each once, and close no case about it before.
func TestARefundThatFailed(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(9)
		owner := r.owner()
		bought := r.buy(offer.ID, "")
		order := func() answer {
			return r.do(request{method: "GET", path: "/orders/" + string(bought.id), token: bought.token}).want(200, "")
		}
		if a := order(); a.json["refunds"] != nil {
			t.Errorf("before: %s", a.text)
		}
		first := r.refused(bought.id)
		if a := order(); a.at("refunds.0.state") != "failed" || a.at("refunds.0.amount.minor") != 1990.0 {
			t.Errorf("failed: %s", a.text)
		}
		var cases []exception.Case
		r.in(func(ctx context.Context, tx *db.Tx) (err error) {
			cases, err = exception.Of(ctx, tx, bought.id)
			return err
		})
		for _, x := range cases {
			a := r.do(request{method: "POST", path: "/staff/exceptions/" + string(x.ID) + "/close", token: owner.token, body: map[string]any{"note": "done"}})
			if code := a.str("code"); a.status != 409 || code != "exception.owed" && code != "exception.refund_first" {
				t.Errorf("closing %s: %d %s", x.Kind, a.status, a.text)
			}
		}
		path := "/staff/refunds/" + string(first.ID)
		again := request{method: "POST", path: path + "/again", token: owner.token, body: map[string]any{"reason": "r"}}
		second := r.do(again).want(200, "")
		if twice := r.do(again).want(200, ""); second.str("again_of") != string(first.ID) || second.str("state") != "waiting" || twice.str("id") != second.str("id") {
			t.Errorf("%s, then %s", second.text, twice.text)
		}
		if a := order(); a.at("refunds.0.state") != "under_way" || len(a.json["refunds"].([]any)) != 1 {
			t.Errorf("sent again: %s", a.text)
		}
		hand := request{method: "POST", path: path + "/paid", token: owner.token, body: map[string]any{"way": "bank", "reference": "B-1", "reason": "r"}}
		r.do(hand).want(409, "refund.replaced")
		r.Gateway.RefuseRefunds(true)
		if n, err := r.Flows.SendRefunds(t.Context(), 5); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		hand.path = "/staff/refunds/" + second.str("id") + "/paid"
		for range 2 {
			if a := r.do(hand).want(200, ""); a.str("state") != "done" || a.str("by_hand") != "bank" || a.str("reference") != "B-1" {
				t.Errorf("paid by hand: %s", a.text)
			}
		}
		if a := order(); a.at("refunds.0.state") != "done" || a.at("refunds.0.by_hand") != "bank" {
			t.Errorf("paid by hand: %s", a.text)
		}
		hand.body = map[string]any{"way": "bank", "reference": "B-2", "reason": "r"}
		r.do(hand).want(409, "refund.done")
		hand.body = map[string]any{"way": "cash", "reference": "B-2", "reason": "r"}
		if a := r.do(hand); a.status != 400 && a.status != 422 {
			t.Errorf("in cash: %d", a.status)
		}
		if got := r.do(request{method: "GET", path: "/staff/exceptions", token: owner.token}).want(200, "").items(); len(got) != 0 {
			t.Errorf("%d cases are open", len(got))
		}
	})
}
