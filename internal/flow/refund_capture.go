package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/exception"
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
// closes when it is done. Asked for again, it gives the refund there is. It fails with
// refund.no_capture when there is no such money, with refund.applied when it paid its order,
// and with refund.reason without a reason.
func (f *Flows) RefundCapture(ctx context.Context, c RefundCapture) (payment.Refund, error) {
	if c.Reason == "" {
		return payment.Refund{}, fault.New(fault.Invalid, "refund.reason").At("reason", "refund.reason")
	}
	var out payment.Refund
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
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

// CloseCase ends a case by a person, who says what was found and done. One about money that
// is still in suspense is refused with exception.refund_first: it closes by itself when the
// money has gone back. It fails with exception.not_found and exception.closed.
func (f *Flows) CloseCase(ctx context.Context, tx *db.Tx, c id.Case, note string, by id.Party) (exception.Case, error) {
	is, found, err := exception.Find(ctx, tx, c)
	switch {
	case err != nil:
		return is, err
	case !found:
		return is, fault.New(fault.NotFound, "exception.not_found")
	case !is.Open:
		return is, fault.New(fault.Conflict, "exception.closed")
	}
	held, err := f.inSuspense(ctx, tx, is)
	if err != nil {
		return is, err
	}
	if held {
		return is, fault.New(fault.Conflict, "exception.refund_first", "amount", is.Amount.String())
	}
	now := f.Clock.Now()
	open, err := exception.Close(ctx, tx, c, note, string(by), now)
	if err == nil && !open {
		err = fault.New(fault.Conflict, "exception.closed")
	}
	is.Open, is.Note, is.ClosedBy, is.ClosedAt = false, note, string(by), now
	return is, err
}

// inSuspense reports whether a case is about money that has no place and hasn't gone back.
func (f *Flows) inSuspense(ctx context.Context, tx *db.Tx, c exception.Case) (bool, error) {
	if c.Kind != exception.Mismatch && c.Kind != exception.SecondCapture {
		return false, nil
	}
	found, err := f.Payments.Captures(ctx, tx, []id.Capture{id.Capture(c.Subject)})
	if err != nil || len(found) == 0 || found[0].Applied {
		return false, err
	}
	refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{found[0].Order})
	r, returning := found[0].Returning(refunds)
	return !returning || r.State != payment.RefundDone, err
}
