package flow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"hufu/internal/paygate"
	"hufu/internal/payment"
)

const (
	// askRound is how long one round of asking hands out questions.
	askRound = 15 * time.Second
	// askInVain is after how many questions without an answer in between a gateway is asked no
	// more in this round.
	askInVain = 8
	// askLease is how long a process may ask about an order whose time is over before another
	// may.
	askLease = 30 * time.Second
)

// answer is what a gateway has said of an intent.
type answer int

const (
	silent answer = iota // nothing
	unsure               // something that settles nothing
	shut                 // it can't be paid any more, or a payment was booked
)

// ask queries a gateway about an intent and books a payment it tells of.
func (f *Flows) ask(ctx context.Context, g paygate.Gateway, p *payment.Intent) (paygate.PaymentState, error) {
	patient, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	q := g.Query(patient, paygate.Ref{MerchantNo: string(p.ID)})
	if q.State != paygate.PaymentPaid {
		return q.State, nil
	}
	_, err := f.Confirm(ctx, Confirm{OccurredAt: q.PaidAt, Header: "answer to a query\n", Message: payment.Message{
		Provider: p.Gateway, Event: "query:" + q.TxnID, Intent: p.ID, Txn: q.TxnID, Paid: true, Amount: q.Amount, Account: q.Account == g.Account(), PayerID: q.PayerID,
	}})
	return q.State, err
}

// shut makes sure that a pending intent can't be paid any more. A payment it hears of is
// booked at once: whether it paid the order, or is in suspense because it doesn't match,
// shows under the order's lock.
func (f *Flows) shut(ctx context.Context, g paygate.Gateway, p *payment.Intent) (answer, error) {
	said := unsure
	switch state, err := f.ask(ctx, g, p); {
	case err != nil:
		return unsure, err
	case state == paygate.PaymentPaid, state == paygate.PaymentClosed:
		return shut, nil
	case state == paygate.PaymentUnknown:
		said = silent
	}
	patient, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	switch c := g.Close(patient, paygate.Ref{MerchantNo: string(p.ID)}); c.State {
	case paygate.CloseDone, paygate.CloseAbsent:
		return shut, nil
	case paygate.ClosePaid:
		if state, err := f.ask(ctx, g, p); err != nil || state != paygate.PaymentPaid {
			return unsure, err
		}
		return shut, nil
	}
	return said, nil
}

// askEach has a gateway asked about n things, several at once, for a round, as long as it
// answers. ask reports whether there was an answer; those from the number returned on were
// not asked about.
func (f *Flows) askEach(ctx context.Context, n int, ask func(i int) bool) int {
	var next, vain atomic.Int64
	over := time.Now().Add(askRound)
	var all sync.WaitGroup
	for range min(f.Asking, n) {
		all.Go(func() {
			for ctx.Err() == nil && vain.Load() < askInVain && time.Now().Before(over) {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if ask(i) {
					vain.Store(0)
				} else {
					vain.Add(1)
				}
			}
		})
	}
	all.Wait()
	return min(int(next.Load()), n)
}
