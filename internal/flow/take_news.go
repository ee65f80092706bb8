package flow

import (
	"context"
	"errors"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// News is the command to take note of a gateway's verified message about money that goes
// back: a refund that moved, or a dispute.
type News struct {
	Provider string
	Notice   paygate.Notice
	Header   string // the raw message is kept
	Body     []byte
}

// TakeNews takes note of a message about money that goes back; a copy has no effect. A
// refund of ours is asked about at once: what is booked is the gateway's answer. A refund
// that isn't ours, that we hold for failed or that a person paid, and a dispute are for a
// person to see to. An error means that nothing was recorded and the gateway should send the
// message again.
func (f *Flows) TakeNews(ctx context.Context, n News) (payment.Verdict, error) {
	var v payment.Verdict
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		now := f.Clock.Now()
		intent := id.Intent(n.Notice.MerchantNo)
		orders, err := f.Orders.LockByIntents(ctx, tx, []id.Intent{intent}) // copies wait here for one another
		if err != nil {
			return err
		}
		seen, err := f.Payments.Seen(ctx, tx, n.Provider, []string{n.Notice.EventID})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return err
		}
		if _, ok := seen[n.Notice.EventID]; ok {
			v = payment.Duplicate
			return nil
		}
		about := exception.Case{Kind: exception.Dispute, Subject: n.Provider + ":" + n.Notice.TxnID, Amount: n.Notice.Amount, Detail: n.Notice.EventID}
		for o := range orders {
			about.Order = o
		}
		v = payment.Disputed
		if n.Notice.Kind == paygate.NoticeRefund {
			about.Kind, about.Subject, about.Amount, about.Detail = exception.ForeignRefund, foreign(n.Provider, id.Refund(n.Notice.Refund.RefundNo)), n.Notice.Refund.Amount, n.Notice.TxnID+" "+string(n.Notice.Refund.State)
			if v, about.Order, err = f.refundTold(ctx, tx, n, about.Order); err != nil {
				return err
			}
		}
		if v != payment.Refunding {
			if err := exception.Open(ctx, tx, now, about); err != nil {
				return err
			}
		}
		return f.Payments.AddNotices(ctx, tx, []payment.Notice{{ID: id.New[id.Notice](), Provider: n.Provider, Event: n.Notice.EventID, Intent: intent,
			Outcome: string(v), Header: n.Header, Body: n.Body, ReceivedAt: now}})
	})
	return v, err
}

// refundTold finds whose a refund is that a gateway tells of, locks its order, and hurries
// one of ours on. The order is the one that the message names, unless the refund is ours.
func (f *Flows) refundTold(ctx context.Context, tx *db.Tx, n News, o id.Order) (payment.Verdict, id.Order, error) {
	number := id.Refund(n.Notice.Refund.RefundNo)
	found, err := f.Payments.RefundsByID(ctx, tx, []id.Refund{number})
	if err == nil && len(found) > 0 && found[0].Provider == n.Provider {
		var a attempt
		a, err = f.lockRefund(ctx, tx, number)
		found[0], o = a.refund, a.refund.Order
	}
	if err != nil {
		return "", o, err
	}
	failed := n.Notice.Refund.State == paygate.RefundFailed
	switch {
	case len(found) == 0 || found[0].Provider != n.Provider:
		if failed {
			return payment.Refunding, o, nil // no money moved, and none of ours was to
		}
		return payment.Foreign, o, nil
	case found[0].State == payment.RefundFailed && !failed, found[0].State == payment.RefundDone && failed, found[0].ByHand != "" && !failed:
		return payment.Foreign, o, nil
	}
	return payment.Refunding, o, f.Payments.HurryRefund(ctx, tx, n.Provider, number, f.Clock.Now())
}
