package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// RefundAgain is the command to send a refund that failed once more.
type RefundAgain struct {
	Refund id.Refund
	Reason string   // why, in words; it is kept on the audit trail
	By     id.Party // who decided it
	Origin string   // the address it was decided from
}

// RefundAgain has a refund that failed made under a new number, which it gives; SendRefunds
// sends it. The gateway is asked about the failed one first: one that went through after all
// is booked, one still under way is followed, and without an answer nothing is sent. Asked
// for again, and of a refund that hasn't failed, it gives the refund there is. It fails with
// refund.not_found, refund.reason, refund.silent, refund.told and refund.exceeds.
func (f *Flows) RefundAgain(ctx context.Context, c RefundAgain) (payment.Refund, error) {
	if c.Reason == "" {
		return payment.Refund{}, fault.New(fault.Invalid, "refund.reason").At("reason", "refund.reason")
	}
	told, err := f.askRefund(ctx, c.Refund)
	if err != nil {
		return payment.Refund{}, err
	}
	if told.State == paygate.RefundUnknown {
		return payment.Refund{}, fault.New(fault.Unavailable, "refund.silent")
	}
	var out payment.Refund
	err = f.DB.Do(ctx, func(tx *db.Tx) error {
		a, err := f.lockRefund(ctx, tx, c.Refund)
		if err != nil {
			return err
		}
		if out = a.now(); out.ID != a.refund.ID || out.State != payment.RefundFailed {
			return nil
		}
		if err := payment.Check(a.capture, a.refunds, a.refund.Amount.Minor); err != nil {
			return err
		}
		now := f.Clock.Now()
		switch told.State {
		case paygate.RefundDone:
			out.State, out.DoneAt = payment.RefundDone, now
			if err = f.Payments.ReviveRefund(ctx, tx, out); err == nil {
				err = f.bookRefund(ctx, tx, a.order, a.capture, out, now)
			}
		case paygate.RefundPending: // its case stays open: it began long ago, and may fail again
			out.State, out.NextAt = payment.RefundSent, now
			err = f.Payments.ReviveRefund(ctx, tx, out)
		default:
			if err := f.untold(ctx, tx, a.refund); err != nil {
				return err
			}
			out = payment.Refund{ID: id.New[id.Refund](), Order: a.refund.Order, Line: a.refund.Line, Capture: a.refund.Capture, Provider: a.refund.Provider,
				Quantity: a.refund.Quantity, Amount: a.refund.Amount, State: payment.RefundWaiting, Reason: a.refund.Reason, NextAt: now, CreatedBy: string(c.By), CreatedAt: now, Again: a.refund.ID}
			if err = f.Payments.AddRefunds(ctx, tx, []payment.Refund{out}); err == nil {
				err = exception.Resolve(ctx, tx, now, exception.RefundFailed, string(a.refund.ID), "again "+string(out.ID))
			}
		}
		if err != nil {
			return err
		}
		f.changed(tx, out.Order)
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: string(c.By), Action: "refund.again", Subject: string(out.Order), Origin: c.Origin,
			Data: map[string]string{"refund": string(a.refund.ID), "again": string(out.ID), "state": string(out.State), "amount": out.Amount.Decimal(), "currency": string(out.Amount.Currency), "reason": c.Reason}})
	})
	return out, err
}

// attempt is a refund with what is to be known before money is sent in its stead.
type attempt struct {
	refund  payment.Refund
	order   *order.Order
	capture payment.Capture
	refunds []payment.Refund // all of the order
}

// now is the refund that stands in for the attempt, or the attempt itself.
func (a attempt) now() payment.Refund {
	at := a.refund
	for {
		next, replaced := at.Instead(a.refunds)
		if !replaced {
			return at
		}
		at = next
	}
}

// lockRefund loads a refund under the lock of its order: of two who send it again, or pay it,
// or hear of it, one waits here for the other.
func (f *Flows) lockRefund(ctx context.Context, tx *db.Tx, r id.Refund) (attempt, error) {
	found, err := f.Payments.RefundsByID(ctx, tx, []id.Refund{r})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "refund.not_found")
	}
	if err != nil {
		return attempt{}, err
	}
	one := []id.Order{found[0].Order}
	orders, err := f.Orders.Lock(ctx, tx, one)
	if err != nil {
		return attempt{}, err
	}
	a := attempt{order: orders[one[0]]}
	if a.refunds, err = f.Payments.RefundsOf(ctx, tx, one); err != nil {
		return a, err
	}
	for _, is := range a.refunds {
		if is.ID == r {
			a.refund = is
		}
	}
	captures, err := f.Payments.Captures(ctx, tx, []id.Capture{a.refund.Capture})
	if len(captures) > 0 {
		a.capture = captures[0]
	}
	return a, err
}

// askRefund asks the gateway what became of a refund that we hold for failed. What we don't
// hold for failed, and a balance, needs no asking.
func (f *Flows) askRefund(ctx context.Context, r id.Refund) (paygate.RefundResult, error) {
	var a payment.Refund
	var c payment.Capture
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		found, err := f.Payments.RefundsByID(ctx, tx, []id.Refund{r})
		if err == nil && len(found) == 0 {
			err = fault.New(fault.NotFound, "refund.not_found")
		}
		if err != nil {
			return err
		}
		a = found[0]
		captures, err := f.Payments.Captures(ctx, tx, []id.Capture{a.Capture})
		if len(captures) > 0 {
			c = captures[0]
		}
		return err
	})
	if err != nil || a.State != payment.RefundFailed || a.Provider == payment.Balance {
		return paygate.RefundResult{State: paygate.RefundFailed}, err
	}
	g, ok := f.Gateways[a.Provider]
	if !ok {
		return paygate.RefundResult{}, nil
	}
	patient, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	return g.QueryRefund(patient, paygate.RefundRef{RefundNo: string(a.ID), MerchantNo: string(c.Intent), TxnID: c.Txn}), nil
}

// untold fails with refund.told while a case says that the gateway told of this refund what
// we don't hold: that it went through.
func (f *Flows) untold(ctx context.Context, tx *db.Tx, r payment.Refund) error {
	cases, err := exception.Of(ctx, tx, r.Order)
	for _, x := range cases {
		if x.Open && x.Kind == exception.ForeignRefund && x.Subject == foreign(r.Provider, r.ID) {
			return fault.New(fault.Conflict, "refund.told")
		}
	}
	return err
}

// foreign is the subject of a case about a refund that a gateway tells of.
func foreign(provider string, r id.Refund) string { return provider + ":" + string(r) }
