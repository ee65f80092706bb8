package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// Poll asks the gateway what became of an order's payment and books what it says (P2,
// S25), however lately it was asked before.
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

// PollEvery is how often at most a gateway is asked about one order for whoever waits for it.
const PollEvery = 2 * time.Second

// PollWaiting is Poll for the many who may wait for one order: it asks nothing when this
// process asked about the order within PollEvery. It is what a page, or a program, asks for
// when the shopper comes back: the address they come back to proves nothing.
func (f *Flows) PollWaiting(ctx context.Context, o id.Order) error {
	if !f.asked.may(o, f.Clock.Now()) {
		return nil
	}
	return f.Poll(ctx, o)
}

// asked remembers which orders a gateway was asked about just now.
type asked struct {
	mu sync.Mutex
	at map[id.Order]time.Time
}

const mostAsked = 10_000

func (a *asked) may(o id.Order, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before, ok := a.at[o]; ok && now.Sub(before) < PollEvery-PollEvery/10 { // who asks every PollEvery is a little early now and then
		return false
	}
	if a.at == nil || len(a.at) > mostAsked {
		a.at = map[id.Order]time.Time{}
	}
	a.at[o] = now
	return true
}

// PollSilent asks about payments of which nothing was heard, on the schedule of
// payment.AskAfter. It returns how many were asked about; an answer that can't be booked, and
// a gateway that gives none, keep none of the others from it.
func (f *Flows) PollSilent(ctx context.Context, n int) (int, error) {
	now := f.Clock.Now()
	var intents []*payment.Intent
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		if intents, err = f.Payments.ToPoll(ctx, tx, now, n); err != nil {
			return err
		}
		return f.Payments.Polled(ctx, tx, intents, now)
	})
	if err != nil {
		return 0, err
	}
	byGateway := map[string][]*payment.Intent{}
	for _, p := range intents {
		byGateway[p.Gateway] = append(byGateway[p.Gateway], p)
	}
	var mu sync.Mutex
	var failed []error
	var all sync.WaitGroup
	for name, intents := range byGateway {
		g, ok := f.Gateways[name]
		if !ok {
			continue
		}
		all.Go(func() {
			f.askEach(ctx, len(intents), func(i int) bool {
				state, err := f.ask(ctx, g, intents[i])
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, err)
				return state != paygate.PaymentUnknown
			})
		})
	}
	all.Wait()
	return len(intents), errors.Join(failed...)
}
