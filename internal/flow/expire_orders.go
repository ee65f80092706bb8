package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// ExpireDue ends up to n orders whose time is over: the gateway is asked, then told to close,
// and only then the units go back (P2, P9, P18). It returns how many ended.
//
// An order that can't be ended, and a gateway that is slow or silent, keep no other from it:
// those that have no gateway to ask go first, several answers are waited for at once, and
// each order ends when its own is there. When GatewayGrace is over an order ends whether or
// not there was an answer.
func (f *Flows) ExpireDue(ctx context.Context, n int) (int, error) {
	due, err := f.claimDue(ctx, n)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var ready []id.Order
	byGateway := map[string][]*payment.Intent{}
	for _, o := range due {
		if o.intent == nil {
			ready = append(ready, o.order)
		} else {
			byGateway[o.intent.Gateway] = append(byGateway[o.intent.Gateway], o.intent)
		}
	}
	ended, err := f.expire(ctx, ready)
	failed := []error{err}
	over, problems := make(chan id.Order), make(chan error)
	go func() {
		var all sync.WaitGroup
		for _, intents := range byGateway {
			all.Go(func() { f.shutAll(ctx, intents, over, problems) })
		}
		all.Wait()
		close(over)
	}()
	for open := true; open; {
		var some []id.Order
		select {
		case err := <-problems:
			failed = append(failed, err)
			continue
		case o, ok := <-over:
			if open = ok; !ok {
				continue
			}
			some = append(some, o)
		}
		for more := true; more && len(some) < closeChunk; { // what has come meanwhile
			select {
			case o, ok := <-over:
				if more = ok; ok {
					some = append(some, o)
				}
			default:
				more = false
			}
		}
		k, err := f.expire(ctx, some)
		ended, failed = ended+k, append(failed, err)
	}
	return ended, errors.Join(failed...)
}

// closeChunk is how many orders end in one transaction.
const closeChunk = 100

// shutAll closes intents of one gateway, and hands over the orders that may end.
func (f *Flows) shutAll(ctx context.Context, intents []*payment.Intent, over chan<- id.Order, problems chan<- error) {
	g := f.Gateways[intents[0].Gateway]
	asked := f.askEach(ctx, len(intents), func(i int) bool {
		p := intents[i]
		said, err := f.shut(ctx, g, p)
		if err != nil {
			problems <- err
		}
		if err == nil && (said == shut || f.waitedEnough(p)) {
			over <- p.Order
		}
		return said != silent
	})
	if ctx.Err() != nil {
		return
	}
	for _, p := range intents[asked:] {
		if f.waitedEnough(p) {
			over <- p.Order
		}
	}
}

func (f *Flows) expire(ctx context.Context, orders []id.Order) (int, error) {
	ended := 0
	for len(orders) > 0 {
		n := min(len(orders), closeChunk)
		k, err := f.close(ctx, orders[:n], order.Expired, inventory.Expired, func(o *order.Order, now time.Time) bool { return !o.ExpiresAt.After(now) })
		if err != nil {
			return ended, err
		}
		ended, orders = ended+k, orders[n:]
	}
	return ended, nil
}

// overdue is an order whose time is over, with what a gateway is to be asked about it; nil
// when there is nothing to ask.
type overdue struct {
	order  id.Order
	intent *payment.Intent
}

// claimDue lists up to n orders that are over, the oldest first, and claims for askLease
// those that a gateway is to be asked about: nobody else asks meanwhile.
func (f *Flows) claimDue(ctx context.Context, n int) ([]overdue, error) {
	now := f.Clock.Now()
	var ids []id.Order
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		for limit := n; ; limit *= 4 {
			due, err := f.Orders.Due(ctx, tx, now, limit)
			if err != nil {
				return err
			}
			free, err := f.unclaimed(ctx, tx, due, now)
			if err != nil {
				return err
			}
			if len(free) < n && len(due) == limit { // the rest stands behind what is claimed
				continue
			}
			ids = nil
			for _, o := range free[:min(n, len(free))] {
				ids = append(ids, o.order)
			}
			return nil
		}
	}); err != nil || len(ids) == 0 {
		return nil, err
	}
	var due []overdue
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		if due, err = f.unclaimed(ctx, tx, ids, now); err != nil {
			return err
		}
		var ask []*payment.Intent
		for _, o := range due {
			if o.intent != nil {
				ask = append(ask, o.intent)
			}
		}
		return f.Payments.Polled(ctx, tx, ask, now)
	})
	return due, err
}

// unclaimed leaves out the orders that somebody asks about since their time was over.
func (f *Flows) unclaimed(ctx context.Context, tx *db.Tx, orders []id.Order, now time.Time) ([]overdue, error) {
	intents, err := f.Payments.IntentsOf(ctx, tx, orders)
	var out []overdue
	for _, o := range orders {
		p, _ := f.openIntent(intents[o])
		if p != nil && !p.PolledAt.Before(p.ExpiresAt) && now.Before(p.PolledAt.Add(askLease)) {
			continue
		}
		out = append(out, overdue{o, p})
	}
	return out, err
}
