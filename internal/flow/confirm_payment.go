package flow

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/job"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// Confirm is the command to take note of a gateway's message. Its signature has been
// verified; what it says has not been believed yet.
type Confirm struct {
	payment.Message
	OccurredAt time.Time
	Payer      id.Party // whose balance pays, for payment.Balance alone
	Header     string   // the raw message is kept
	Body       []byte
}

// Confirmed is what came of it.
type Confirmed struct {
	Verdict payment.Verdict
	Order   id.Order
}

// Confirm takes note of a gateway's message. Paid means delivered: codes and rights are
// issued, the money is booked and the work that follows is recorded in one transaction. An
// error means that nothing was recorded and the gateway should send the message again.
func (f *Flows) Confirm(ctx context.Context, c Confirm) (Confirmed, error) {
	return f.confirm.Do(ctx, c)
}

func (f *Flows) confirmAll(ctx context.Context, tx *db.Tx, commands []Confirm) ([]db.Answer[Confirmed], error) {
	b := &confirming{now: f.Clock.Now()}
	seen, booked, err := f.loadConfirm(ctx, tx, b, commands)
	if err != nil {
		return nil, err
	}
	prepaid, err := f.lockBalances(ctx, tx, commands)
	if err != nil {
		return nil, err
	}
	answers := make([]db.Answer[Confirmed], len(commands))
	var due []payable
	for i, c := range commands {
		intent := b.intents[c.Intent]
		var o *order.Order
		if intent != nil {
			o = b.orders[intent.Order]
		}
		if o != nil { // also of a copy: it may be the rerun of a commit whose answer was lost
			answers[i].Result.Order = o.ID
		}
		event := [2]string{c.Provider, c.Event}
		if was, ok := seen[event]; ok && was != payment.Unknown {
			answers[i].Result.Verdict = payment.Duplicate
			continue
		}
		txn := [2]string{c.Provider, c.Txn}
		v := payment.Judge(c.Message, intent, o != nil && !o.PaidAt.IsZero(), o != nil && o.State == order.Pending, booked[txn])
		answers[i].Result.Verdict = v
		if c.Provider == payment.Balance && v != payment.Duplicate {
			if answers[i].Err = prepaid.cover(c, o); answers[i].Err != nil {
				continue
			}
		}
		if was, ok := seen[event]; !ok {
			b.notices = append(b.notices, payment.Notice{ID: id.New[id.Notice](), Provider: c.Provider, Event: c.Event, Intent: c.Intent,
				Outcome: string(v), Header: c.Header, Body: c.Body, ReceivedAt: b.now})
		} else if was != v {
			if err := f.Payments.SetOutcome(ctx, tx, c.Provider, c.Event, string(v)); err != nil {
				return nil, err
			}
		}
		seen[event] = v
		switch v {
		case payment.Apply, payment.Late:
			booked[txn] = true
			due = append(due, b.pay(c, intent, o))
		case payment.Mismatch, payment.Second:
			booked[txn] = true
			b.suspend(c, intent, v)
		}
	}
	if err := f.allocate(ctx, tx, b, due); err != nil {
		return nil, err
	}
	for _, p := range due {
		if err := b.settle(p); err != nil {
			return nil, err
		}
	}
	if err := f.saveConfirm(ctx, tx, b); err != nil {
		return nil, err
	}
	var touched []id.Order
	for _, a := range answers {
		if a.Result.Order != "" {
			touched = append(touched, a.Result.Order)
		}
	}
	f.changed(tx, touched...)
	return answers, nil
}

// loadConfirm locks the orders that messages are about, then asks what of them is known:
// a copy of a message that another node is handling waits here for its end.
func (f *Flows) loadConfirm(ctx context.Context, tx *db.Tx, b *confirming, commands []Confirm) (map[[2]string]payment.Verdict, map[[2]string]bool, error) {
	var wanted []id.Intent
	events, txns := map[string][]string{}, map[string][]string{}
	for _, c := range commands {
		wanted = append(wanted, c.Intent)
		events[c.Provider] = append(events[c.Provider], c.Event)
		if c.Txn != "" {
			txns[c.Provider] = append(txns[c.Provider], c.Txn)
		}
	}
	var err error
	if b.orders, err = f.Orders.LockByIntents(ctx, tx, distinct(wanted)); err != nil {
		return nil, nil, err
	}
	if b.intents, err = f.Payments.LockBeside(ctx, tx, distinct(wanted)); err != nil {
		return nil, nil, err
	}
	if b.chain, err = f.Ledger.Continue(ctx, tx); err != nil {
		return nil, nil, err
	}
	known, captured := map[string]map[string]string{}, map[string]map[string]payment.Capture{}
	for provider := range events {
		if known[provider], err = f.Payments.Seen(ctx, tx, provider, distinct(events[provider])); err != nil {
			return nil, nil, err
		}
		if captured[provider], err = f.Payments.CapturesByTxn(ctx, tx, provider, distinct(txns[provider])); err != nil {
			return nil, nil, err
		}
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, nil, err
	}
	seen, booked := map[[2]string]payment.Verdict{}, map[[2]string]bool{}
	for provider := range events {
		for event, outcome := range known[provider] {
			seen[[2]string{provider, event}] = payment.Verdict(outcome)
		}
		for txn := range captured[provider] {
			booked[[2]string{provider, txn}] = true
		}
	}
	return seen, booked, nil
}

func (f *Flows) saveConfirm(ctx context.Context, tx *db.Tx, b *confirming) error {
	if err := f.Inventory.Save(ctx, tx, b.book, b.now); err != nil {
		return err
	}
	if err := f.Orders.SaveTallies(ctx, tx, b.limits); err != nil {
		return err
	}
	if err := f.Payments.AddNotices(ctx, tx, b.notices); err != nil {
		return err
	}
	if err := f.Payments.AddCaptures(ctx, tx, b.captures); err != nil {
		return err
	}
	if err := f.Payments.MoveIntents(ctx, tx, b.paid); err != nil {
		return err
	}
	if err := f.Payments.AddRefunds(ctx, tx, b.refunds); err != nil {
		return err
	}
	if err := f.Orders.Save(ctx, tx, b.moves, b.lines, b.now); err != nil {
		return err
	}
	if err := f.Codes.Deliver(ctx, tx, b.codes, b.now); err != nil {
		return err
	}
	if err := f.Rights.Grant(ctx, tx, b.grants, b.now); err != nil {
		return err
	}
	if err := job.Enqueue(ctx, tx, b.now, b.jobs...); err != nil {
		return err
	}
	if err := exception.Open(ctx, tx, b.now, b.cases...); err != nil {
		return err
	}
	return f.Ledger.PostOn(ctx, tx, b.chain, b.transfers)
}
