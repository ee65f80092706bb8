package flow

import (
	"context"
	"errors"
	"time"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/ledger"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// refundLease is how long a worker may take over one refund before another may try it.
const refundLease = time.Minute

// SendRefunds makes refunds that are due and follows those under way. A refund goes out
// under its own number for ever, so a lost answer is asked for and never paid twice. It
// returns how many it worked on; one that can't be booked keeps none of the others from it.
func (f *Flows) SendRefunds(ctx context.Context, n int) (int, error) {
	var due []payment.Refund
	var captures map[id.Capture]payment.Capture
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		if due, err = f.Payments.ClaimRefunds(ctx, tx, f.Clock.Now(), n, refundLease); err != nil {
			return err
		}
		ids := make([]id.Capture, len(due))
		for i, r := range due {
			ids[i] = r.Capture
		}
		found, err := f.Payments.Captures(ctx, tx, ids)
		captures = make(map[id.Capture]payment.Capture, len(found))
		for _, c := range found {
			captures[c.ID] = c
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, r := range due {
		failed = append(failed, f.finishRefund(ctx, captures[r.Capture], r, f.sendRefund(ctx, r, captures[r.Capture])))
	}
	return len(due), errors.Join(failed...)
}

// sendRefund asks the gateway for one refund; a balance is its own gateway.
func (f *Flows) sendRefund(ctx context.Context, r payment.Refund, c payment.Capture) paygate.RefundResult {
	if r.Provider == payment.Balance {
		return paygate.RefundResult{State: paygate.RefundDone, DoneAt: f.Clock.Now()}
	}
	g, ok := f.Gateways[r.Provider]
	if !ok {
		return paygate.RefundResult{State: paygate.RefundUnknown, Why: fault.New(fault.Unavailable, "order.gateway", "gateway", r.Provider)}
	}
	return g.Refund(ctx, paygate.RefundRequest{RefundNo: string(r.ID), MerchantNo: string(c.Intent), TxnID: c.Txn, Amount: r.Amount, Captured: c.Amount, Reason: r.Reason})
}

func (f *Flows) finishRefund(ctx context.Context, c payment.Capture, r payment.Refund, result paygate.RefundResult) error {
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		now := f.Clock.Now()
		orders, err := f.Orders.Lock(ctx, tx, []id.Order{r.Order})
		if err != nil {
			return err
		}
		r := r
		switch result.State {
		case paygate.RefundDone:
			r.State, r.DoneAt, r.Note = payment.RefundDone, now, ""
		case paygate.RefundFailed, paygate.RefundRefused:
			r.State, r.FailedAt, r.Note = payment.RefundFailed, now, text(result.Why)
		default:
			r.NextAt, r.Note = now.Add(payment.RetryRefund(r.Attempts)), text(result.Why)
		}
		if ours, err := f.Payments.FinishRefund(ctx, tx, r); err != nil || !ours {
			return err
		}
		switch r.State {
		case payment.RefundFailed:
			return exception.Reopen(ctx, tx, now, exception.Case{Kind: exception.RefundFailed, Subject: string(r.ID), Order: r.Order, Amount: r.Amount, Detail: r.Note})
		case payment.RefundDone:
			return f.bookRefund(ctx, tx, orders[r.Order], c, r, now)
		}
		return nil
	})
}

// bookRefund posts money that has gone back and moves the order on.
func (f *Flows) bookRefund(ctx context.Context, tx *db.Tx, o *order.Order, c payment.Capture, r payment.Refund, now time.Time) error {
	from, to := ledger.RefundsDue(r.Amount.Currency), ledger.Gateway(r.Provider, r.Amount.Currency)
	if !c.Applied {
		from = ledger.Suspense(r.Amount.Currency)
	}
	switch {
	case r.ByHand == payment.ByBank:
		to = ledger.Bank(r.Amount.Currency)
	case r.Provider == payment.Balance:
		to = ledger.Prepaid(o.Party, r.Amount.Currency)
	}
	if err := f.Ledger.Post(ctx, tx, []ledger.Transfer{{Entry: string(r.ID), Leg: 1, Debit: from, Credit: to, Amount: r.Amount, Kind: "refund", Order: r.Order, At: now}}); err != nil {
		return err
	}
	for _, closing := range [][2]string{{exception.SecondCapture, string(c.ID)}, {exception.Mismatch, string(c.ID)}, {exception.Shortage, string(r.Line)}, {exception.LateRefund, string(r.Line)}, {exception.OverLimit, string(r.Line)}, {exception.RefundFailed, string(r.ID)}} {
		if err := exception.Resolve(ctx, tx, now, closing[0], closing[1], "refunded "+string(r.ID)); err != nil {
			return err
		}
	}
	if r.ByHand == "" { // what the gateway told, and we held otherwise, is as it told
		if err := exception.Resolve(ctx, tx, now, exception.ForeignRefund, foreign(r.Provider, r.ID), "refunded "+string(r.ID)); err != nil {
			return err
		}
	}
	f.changed(tx, r.Order)
	moves, lines, err := order.Refund(o, r.Line, r.Quantity, now)
	if err != nil {
		return err
	}
	return f.Orders.Save(ctx, tx, moves, lines, now)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
