package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/payment"
)

// RefundCapture is the command to send money that is in suspense back the way it came, all
// of it.
type RefundCapture struct {
	Capture id.Capture
	Reason  string   // why, in words; it is kept on the audit trail
	By      id.Party // who decided it
	Origin  string   // the address it was decided from
}

// RefundCapture has money in suspense sent back; SendRefunds sends it, and the case about it
// closes when it is done. Asked for again, it gives the refund there is; one that failed is
// sent again, as RefundAgain does. It fails with
// refund.no_capture when there is no such money, with refund.applied when it paid its order,
// and with refund.reason without a reason.
func (f *Flows) RefundCapture(ctx context.Context, c RefundCapture) (payment.Refund, error) {
	if c.Reason == "" {
		return payment.Refund{}, fault.New(fault.Invalid, "refund.reason").At("reason", "refund.reason")
	}
	var out payment.Refund
	var failed id.Refund
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		failed = ""
		now := f.Clock.Now()
		found, err := f.Payments.Captures(ctx, tx, []id.Capture{c.Capture})
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return fault.New(fault.NotFound, "refund.no_capture")
		case found[0].Applied:
			return fault.New(fault.Conflict, "refund.applied")
		}
		captured := found[0]
		one := []id.Order{captured.Order}
		if _, err := f.Orders.Lock(ctx, tx, one); err != nil { // two who ask at once wait here
			return err
		}
		refunds, err := f.Payments.RefundsOf(ctx, tx, one)
		if err != nil {
			return err
		}
		if at, ok := captured.Returning(refunds); ok {
			out = at
			return nil
		}
		for _, r := range payment.Owed(refunds) {
			if r.Capture == captured.ID {
				failed = r.ID
				return nil
			}
		}
		if err := payment.Check(captured, refunds, captured.Amount.Minor); err != nil {
			return err
		}
		out = payment.Refund{ID: id.New[id.Refund](), Order: captured.Order, Capture: captured.ID, Provider: captured.Provider, Amount: captured.Amount,
			State: payment.RefundWaiting, Reason: captured.Reason, NextAt: now, CreatedBy: string(c.By), CreatedAt: now}
		if err := f.Payments.AddRefunds(ctx, tx, []payment.Refund{out}); err != nil {
			return err
		}
		f.changed(tx, captured.Order)
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: string(c.By), Action: "capture.refund", Subject: string(captured.Order), Origin: c.Origin,
			Data: map[string]string{"capture": string(captured.ID), "refund": string(out.ID), "amount": captured.Amount.Decimal(), "currency": string(captured.Amount.Currency), "reason": c.Reason}})
	})
	if failed != "" && err == nil {
		return f.RefundAgain(ctx, RefundAgain{Refund: failed, Reason: c.Reason, By: c.By, Origin: c.Origin})
	}
	return out, err
}

// Unmatched is money that came for an order, doesn't match it, and hasn't gone back. It
// reports false when there is none.
func (f *Flows) Unmatched(ctx context.Context, tx *db.Tx, o id.Order) (payment.Capture, bool, error) {
	captures, err := f.Payments.CapturesOf(ctx, tx, []id.Order{o})
	if err != nil || len(captures) == 0 {
		return payment.Capture{}, false, err
	}
	refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{o})
	c, held := payment.Unmatched(captures, refunds)
	return c, held, err
}
