package flow

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// GatewayGrace is how long an expired order waits for a gateway that can't say whether it
// was paid. After that its units go back; a payment that turns up is late, and booked.
const GatewayGrace = 5 * time.Minute

// Cancel ends an order that its buyer doesn't want. It fails with order.paid when the
// payment was faster, with order.closed when the order had ended unpaid before, and with
// order.unknown when the gateway can't say.
func (f *Flows) Cancel(ctx context.Context, o id.Order) error {
	var intents map[id.Order][]*payment.Intent
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		if _, err := f.Orders.One(ctx, tx, o); err != nil {
			return err
		}
		var err error
		intents, err = f.Payments.IntentsOf(ctx, tx, []id.Order{o})
		return err
	})
	if err != nil {
		return err
	}
	if p, g := f.openIntent(intents[o]); g != nil {
		said, err := f.shut(ctx, g, p)
		if err != nil {
			return err
		}
		if said != shut && !f.waitedEnough(p) {
			return fault.New(fault.Unavailable, "order.unknown")
		}
	}
	n, err := f.close(ctx, []id.Order{o}, order.Cancelled, inventory.Released, func(*order.Order, time.Time) bool { return true })
	if err != nil || n > 0 {
		return err
	}
	return f.DB.View(ctx, func(tx *db.Tx) error {
		switch now, err := f.Orders.One(ctx, tx, o); {
		case err != nil:
			return err
		case now.PaidAt.IsZero():
			return fault.New(fault.Conflict, "order.closed")
		}
		return fault.New(fault.Conflict, "order.paid")
	})
}

// openIntent is the intent of an order that may still be paid at a gateway, and that
// gateway; nil when there is none. A channel that was taken away can't be asked: a late
// payment is booked.
func (f *Flows) openIntent(intents []*payment.Intent) (*payment.Intent, paygate.Gateway) {
	for _, p := range intents {
		if p.State == payment.Pending && p.Gateway != payment.Balance && f.Gateways[p.Gateway] != nil {
			return p, f.Gateways[p.Gateway]
		}
	}
	return nil, nil
}

// waitedEnough reports whether an order has waited long enough for a gateway's answer.
func (f *Flows) waitedEnough(p *payment.Intent) bool {
	return !f.Clock.Now().Before(p.ExpiresAt.Add(GatewayGrace))
}

// close ends pending orders that are still so once they are locked, and gives back what
// they hold. It returns how many it ended.
func (f *Flows) close(ctx context.Context, ids []id.Order, as order.State, held inventory.State, may func(*order.Order, time.Time) bool) (int, error) {
	ended := 0
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		ended = 0
		now := f.Clock.Now()
		orders, err := f.Orders.Lock(ctx, tx, ids)
		if err != nil {
			return err
		}
		intents, err := f.Payments.LockOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		var moves []order.Move
		var closed []payment.IntentMove
		var lines []id.Line
		var over []*order.Order
		var touched []id.Order
		for _, o := range orders {
			if o.State != order.Pending || !may(o, now) {
				continue
			}
			m, err := order.MoveTo(o, as, now)
			if err != nil {
				return err
			}
			moves, touched, over = append(moves, m), append(touched, o.ID), append(over, o)
			for _, l := range o.Lines {
				lines = append(lines, l.ID)
			}
			for _, p := range intents[o.ID] {
				if p.State == payment.Pending {
					closed = append(closed, payment.IntentMove{Intent: p, From: payment.Pending, To: payment.Closed})
				}
			}
		}
		if len(moves) == 0 {
			return nil
		}
		book, err := f.Inventory.Open(ctx, tx, nil, lines)
		if err != nil {
			return err
		}
		for _, l := range lines {
			book.Release(l, held)
		}
		limits, err := f.Orders.LockTallies(ctx, tx, tallies(over))
		if err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
		var uncounted []order.Line
		for _, o := range over {
			for i := range o.Lines {
				if l := &o.Lines[i]; l.Counted > 0 {
					limits.Count(l, 0)
					uncounted = append(uncounted, *l)
				}
			}
		}
		if err := f.Orders.SaveTallies(ctx, tx, limits); err != nil {
			return err
		}
		if err := f.Inventory.Save(ctx, tx, book, now); err != nil {
			return err
		}
		if err := f.Payments.MoveIntents(ctx, tx, closed); err != nil {
			return err
		}
		ended = len(moves)
		f.changed(tx, touched...)
		return f.Orders.Save(ctx, tx, moves, uncounted, now)
	})
	return ended, err
}
