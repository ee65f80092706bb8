package flow

import (
	"context"
	"errors"
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

// ExpireDue ends orders whose time is over: the gateway is asked, then told to close, and
// only then the units go back (P2, P9, P18). It returns how many ended. An order that can't
// be ended keeps none of the others from it.
func (f *Flows) ExpireDue(ctx context.Context, n int) (int, error) {
	now := f.Clock.Now()
	var due []id.Order
	var intents map[id.Order][]*payment.Intent
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		if due, err = f.Orders.Due(ctx, tx, now, n); err != nil {
			return err
		}
		intents, err = f.Payments.IntentsOf(ctx, tx, due)
		return err
	})
	if err != nil {
		return 0, err
	}
	var over []id.Order
	var failed []error
	for _, o := range due {
		closed, err := f.closeAtGateways(ctx, intents[o])
		if err != nil {
			failed = append(failed, err)
		}
		if closed {
			over = append(over, o)
		}
	}
	if len(over) == 0 {
		return 0, errors.Join(failed...)
	}
	ended, err := f.close(ctx, over, order.Expired, inventory.Expired, func(o *order.Order, now time.Time) bool { return !o.ExpiresAt.After(now) })
	return ended, errors.Join(append(failed, err)...)
}

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
	closed, err := f.closeAtGateways(ctx, intents[o])
	if err != nil {
		return err
	}
	if !closed {
		return fault.New(fault.Unavailable, "order.unknown")
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

// closeAtGateways makes sure that pending intents can't be paid any more. A payment it
// hears of is booked at once: whether it paid the order, or is in suspense because it
// doesn't match, shows under the order's lock. It reports false while a gateway can't say.
func (f *Flows) closeAtGateways(ctx context.Context, intents []*payment.Intent) (bool, error) {
	for _, p := range intents {
		if p.State != payment.Pending || p.Gateway == payment.Balance {
			continue
		}
		g, ok := f.Gateways[p.Gateway]
		if !ok {
			continue // a channel that was taken away can't be asked; a late payment is booked
		}
		switch state, err := f.ask(ctx, g, p); {
		case err != nil:
			return false, err
		case state == paygate.PaymentPaid, state == paygate.PaymentClosed:
			continue
		}
		switch c := g.Close(ctx, paygate.Ref{MerchantNo: string(p.ID)}); c.State {
		case paygate.CloseDone:
		case paygate.ClosePaid:
			if state, err := f.ask(ctx, g, p); err != nil || state != paygate.PaymentPaid {
				return false, err
			}
		default: // unknown, or not known there yet
			if f.Clock.Now().Before(p.ExpiresAt.Add(GatewayGrace)) && c.State != paygate.CloseAbsent {
				return false, nil
			}
		}
	}
	return true, nil
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
		var touched []id.Order
		for _, o := range orders {
			if o.State != order.Pending || !may(o, now) {
				continue
			}
			m, err := order.MoveTo(o, as, now)
			if err != nil {
				return err
			}
			moves, touched = append(moves, m), append(touched, o.ID)
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
		if err := f.Inventory.Save(ctx, tx, book, now); err != nil {
			return err
		}
		if err := f.Payments.MoveIntents(ctx, tx, closed); err != nil {
			return err
		}
		ended = len(moves)
		f.changed(tx, touched...)
		return f.Orders.Save(ctx, tx, moves, nil, now)
	})
	return ended, err
}
