package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/payment"
)

// CloseCase ends a case by a person, who says what was found and done. While money that it is
// about has neither gone back nor found its place it is refused, with exception.refund_first
// of money in suspense and exception.owed of a refund that hasn't been made: it closes by
// itself when the money has gone back. It fails with exception.not_found and exception.closed.
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
	owes, err := f.Owes(ctx, tx, is)
	if err != nil {
		return is, err
	}
	if owes.Open {
		code := "exception.owed"
		if owes.Suspense {
			code = "exception.refund_first"
		}
		return is, fault.New(fault.Conflict, code, "amount", is.Amount.String())
	}
	now := f.Clock.Now()
	open, err := exception.Close(ctx, tx, c, note, string(by), now)
	if err == nil && !open {
		err = fault.New(fault.Conflict, "exception.closed")
	}
	is.Open, is.Note, is.ClosedBy, is.ClosedAt = false, note, string(by), now
	return is, err
}

// Owes is how it stands with the money that a case is about.
type Owes struct {
	Open     bool             // it has neither gone back nor found its place
	Suspense bool             // it is in suspense
	Failed   []payment.Refund // that were to send it back, to be sent again or paid by hand
}

// Owes tells how it stands with the money that a case is about. A case about no money of ours
// owes none.
func (f *Flows) Owes(ctx context.Context, tx *db.Tx, c exception.Case) (Owes, error) {
	var o Owes
	switch c.Kind {
	case exception.Mismatch, exception.SecondCapture:
		found, err := f.Payments.Captures(ctx, tx, []id.Capture{id.Capture(c.Subject)})
		if err != nil || len(found) == 0 || found[0].Applied {
			return o, err
		}
		refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{found[0].Order})
		r, returning := found[0].Returning(refunds)
		o.Suspense, o.Open = true, !returning || r.State != payment.RefundDone
		o.failed(refunds, func(r payment.Refund) bool { return r.Capture == found[0].ID })
		return o, err
	case exception.LateRefund, exception.Shortage, exception.OverLimit:
		at, err := f.Orders.Get(ctx, tx, []id.Order{c.Order})
		if err != nil || at[c.Order] == nil {
			return o, err
		}
		for _, l := range at[c.Order].Lines {
			o.Open = o.Open || string(l.ID) == c.Subject && l.Open() > 0
		}
		refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{c.Order})
		o.failed(refunds, func(r payment.Refund) bool { return string(r.Line) == c.Subject })
		return o, err
	case exception.RefundFailed:
		refunds, err := f.Payments.RefundsOf(ctx, tx, []id.Order{c.Order})
		for _, r := range refunds {
			if string(r.ID) == c.Subject {
				at := attempt{refund: r, refunds: refunds}.now()
				o.Open = at.State != payment.RefundDone
				o.failed(refunds, func(r payment.Refund) bool { return r.ID == at.ID })
			}
		}
		return o, err
	}
	return o, nil
}

// failed keeps those of an order's failed refunds that a case is about.
func (o *Owes) failed(refunds []payment.Refund, about func(payment.Refund) bool) {
	for _, r := range payment.Owed(refunds) {
		if about(r) {
			o.Failed = append(o.Failed, r)
		}
	}
}
