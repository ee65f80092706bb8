package flow

import (
	"context"
	"errors"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// Poll asks the gateway what became of an order's payment and books what it says (P2,
// S25). It is what the page asks for when the shopper comes back: the address they come
// back to proves nothing.
func (f *Flows) Poll(ctx context.Context, o id.Order) error {
	var intents map[id.Order][]*payment.Intent
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		intents, err = f.Payments.IntentsOf(ctx, tx, []id.Order{o})
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range intents[o] {
		if g, ok := f.Gateways[p.Gateway]; ok && p.State == payment.Pending {
			if _, err := f.ask(ctx, g, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// PollSilent asks about payments of which nothing was heard: 30 s after they began, and
// every minute from then on. It returns how many were asked about; an answer that can't be
// booked keeps none of the others from it.
func (f *Flows) PollSilent(ctx context.Context, n int) (int, error) {
	now := f.Clock.Now()
	var intents []*payment.Intent
	var ids []id.Intent
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		ids = nil
		if intents, err = f.Payments.ToPoll(ctx, tx, now.Add(-time.Minute), now.Add(-30*time.Second), n); err != nil {
			return err
		}
		for _, p := range intents {
			ids = append(ids, p.ID)
		}
		return f.Payments.Polled(ctx, tx, ids, now)
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, p := range intents {
		if g, ok := f.Gateways[p.Gateway]; ok {
			_, err := f.ask(ctx, g, p)
			failed = append(failed, err)
		}
	}
	return len(intents), errors.Join(failed...)
}

// ask queries a gateway about an intent and books a payment it tells of.
func (f *Flows) ask(ctx context.Context, g paygate.Gateway, p *payment.Intent) (paygate.PaymentState, error) {
	q := g.Query(ctx, paygate.Ref{MerchantNo: string(p.ID)})
	if q.State != paygate.PaymentPaid {
		return q.State, nil
	}
	_, err := f.Confirm(ctx, Confirm{OccurredAt: q.PaidAt, Header: "answer to a query\n", Message: payment.Message{
		Provider: p.Gateway, Event: "query:" + q.TxnID, Intent: p.ID, Txn: q.TxnID, Paid: true, Amount: q.Amount, Account: q.Account == g.Account(),
	}})
	return q.State, err
}
