package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// RefundByHand is the command to record that a person paid a refund that failed.
type RefundByHand struct {
	Refund    id.Refund
	Way       payment.Way
	Reference string // the bank's, or the gateway's, number of what was paid
	Reason    string
	By        id.Party
	Origin    string
}

// RefundByHand books a refund that failed as paid by a person: like one that its gateway
// made, out of the account that it was paid from. Recorded again with the same reference it
// gives the refund there is. It fails with refund.not_found, refund.reason, refund.way and
// refund.reference, with refund.done, refund.under_way and refund.replaced when there is
// nothing to pay, with refund.told when the gateway tells that it paid, or is about to, and
// with refund.exceeds.
func (f *Flows) RefundByHand(ctx context.Context, c RefundByHand) (payment.Refund, error) {
	reference, plain := naming.Name(c.Reference)
	if !plain || naming.HiddenText(c.Reason) {
		return payment.Refund{}, fault.New(fault.Invalid, "naming.hidden")
	}
	c.Reference = reference
	for _, field := range []struct {
		name    string
		missing bool
	}{{"way", !c.Way.Known()}, {"reference", c.Reference == ""}, {"reason", c.Reason == ""}} {
		if field.missing {
			return payment.Refund{}, fault.New(fault.Invalid, "refund."+field.name).At(field.name, "refund."+field.name)
		}
	}
	told, err := f.askRefund(ctx, c.Refund)
	if err != nil {
		return payment.Refund{}, err
	}
	var out payment.Refund
	err = f.DB.Do(ctx, func(tx *db.Tx) error {
		a, err := f.lockRefund(ctx, tx, c.Refund)
		if err != nil {
			return err
		}
		out = a.refund
		switch at := a.now(); {
		case at.ID != out.ID:
			return fault.New(fault.Conflict, "refund.replaced", "refund", string(at.ID))
		case at.State == payment.RefundDone && at.ByHand == c.Way && naming.Same(at.Reference, c.Reference):
			return nil
		case at.State == payment.RefundDone:
			return fault.New(fault.Conflict, "refund.done")
		case at.State != payment.RefundFailed:
			return fault.New(fault.Conflict, "refund.under_way")
		case told.State == paygate.RefundDone || told.State == paygate.RefundPending:
			return fault.New(fault.Conflict, "refund.told")
		}
		if err := f.untold(ctx, tx, out); err != nil {
			return err
		}
		if err := payment.Check(a.capture, a.refunds, out.Amount.Minor); err != nil {
			return err
		}
		now := f.Clock.Now()
		out.State, out.DoneAt, out.ByHand, out.Reference = payment.RefundDone, now, c.Way, c.Reference
		if err := f.Payments.ReviveRefund(ctx, tx, out); err != nil {
			return err
		}
		if err := f.bookRefund(ctx, tx, a.order, a.capture, out, now); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: string(c.By), Action: "refund.by_hand", Subject: string(out.Order), Origin: c.Origin,
			Data: map[string]string{"refund": string(out.ID), "way": string(c.Way), "reference": c.Reference, "amount": out.Amount.Decimal(), "currency": string(out.Amount.Currency), "reason": c.Reason}})
	})
	return out, err
}
