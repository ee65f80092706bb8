package console

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// held is money in suspense, what was asked for instead, and what has become of it.
type held struct {
	capture payment.Capture
	intent  *payment.Intent // nil when there is none
	refunds []payment.Refund
}

// held finds the money in suspense that cases are about, by the cases' subjects.
func (v *visit) held(tx *db.Tx, cases []exception.Case) (map[string]held, error) {
	var captures []id.Capture
	for _, x := range cases {
		if x.Kind == exception.Mismatch || x.Kind == exception.SecondCapture {
			captures = append(captures, id.Capture(x.Subject))
		}
	}
	out := map[string]held{}
	if len(captures) == 0 {
		return out, nil
	}
	ctx, payments := v.r.Context(), v.c.Flows.Payments
	found, err := payments.Captures(ctx, tx, captures)
	if err != nil {
		return nil, err
	}
	var intents []id.Intent
	var orders []id.Order
	for _, x := range found {
		intents, orders = append(intents, x.Intent), append(orders, x.Order)
	}
	asked, err := payments.Intents(ctx, tx, intents)
	if err != nil {
		return nil, err
	}
	refunds, err := payments.RefundsOf(ctx, tx, orders)
	for _, x := range found {
		out[string(x.ID)] = held{x, asked[x.Intent], refunds}
	}
	return out, err
}

// compare says in a line what was asked for and what came.
func (v *visit) compare(h held) string {
	if h.intent == nil {
		return v.gateway(h.capture.Provider) + " " + h.capture.Txn
	}
	return v.t("console.case.compare", "expected", h.intent.Amount.String(), "received", h.capture.Amount.String(), "why", v.differs(h))
}

func (v *visit) differs(h held) string {
	why := "account"
	switch {
	case h.capture.Reason == string(payment.Second):
		why = "second"
	case h.capture.Amount.Currency != h.intent.Amount.Currency:
		why = "currency"
	case h.capture.Amount != h.intent.Amount:
		why = "amount"
	}
	return v.t("console.case.differs." + why)
}

func (v *visit) compared(h held) []ui.Fact {
	out := []ui.Fact{{Label: v.t("console.case.received"), Value: h.capture.Amount.String()}}
	if h.intent != nil {
		out = []ui.Fact{{Label: v.t("console.case.expected"), Value: h.intent.Amount.String()}, out[0], {Label: v.t("console.case.differs"), Value: v.differs(h)}}
	}
	return append(out, ui.Fact{Label: v.t("console.case.came"), Value: v.gateway(h.capture.Provider)}, ui.Fact{Label: v.t("console.case.txn"), Value: h.capture.Txn, Mono: true})
}

// back is the way back for money in suspense.
type back struct {
	Amount, To string
	May        bool
	Tone       ui.Tone // of the refund there is
	State      string  // "" while there is none
	Reason     string
}

// back is nil when the case is closed, or the money has gone back.
func (v *visit) back(x exception.Case, h held) *back {
	r, returning := h.capture.Returning(h.refunds)
	if !x.Open || h.capture.Applied || returning && r.State == payment.RefundDone {
		return nil
	}
	b := &back{Amount: h.capture.Amount.String(), To: v.gateway(h.capture.Provider), May: v.who.May(identity.OrderRefund) && !returning, Reason: v.f("reason")}
	if returning {
		b.Tone, b.State = v.refundState(r.State)
	}
	return b
}

func refundReason(v *visit) error {
	if plainLines(v.f("reason")) == "" {
		return needed("reason")
	}
	return nil
}

func refundRefused(v *visit, err error) error { return v.exceptionPage(http.StatusBadRequest, err) }

// refundCase sends the money in suspense that a case is about back the way it came. Pressed
// again it changes nothing.
func refundCase(c *Console, v *visit) error {
	k, err := pathID[id.Case](v, "id")
	if err != nil {
		return err
	}
	var x exception.Case
	if err := v.view(func(tx *db.Tx) error {
		var found bool
		if x, found, err = exception.Find(v.r.Context(), tx, k); err == nil && (!found || x.Kind != exception.Mismatch && x.Kind != exception.SecondCapture) {
			err = fault.New(fault.NotFound, "not_found")
		}
		return err
	}); err != nil {
		return err
	}
	_, err = c.Flows.RefundCapture(v.r.Context(), flow.RefundCapture{Capture: id.Capture(x.Subject), Reason: clip(plainLines(v.f("reason")), 200), By: v.by(), Origin: v.origin().Address})
	switch {
	case fault.KindOf(err) == fault.Conflict:
		return v.exceptionPage(http.StatusConflict, err)
	case err != nil:
		return err
	}
	return v.leave("/console/exceptions/"+string(k), "refunding")
}
