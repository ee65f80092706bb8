package flow

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/delivery"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/job"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
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

// confirming is the working set of one batch.
type confirming struct {
	now      time.Time
	intents  map[id.Intent]*payment.Intent
	orders   map[id.Order]*order.Order
	versions map[id.OfferVersion][]delivery.Part
	supplies map[id.OfferVersion]map[id.Stock]int64
	book     *inventory.Book
	items    map[id.Line][]delivery.Item
	codes    map[id.Right]vault.Given

	captures  []payment.Capture
	refunds   []payment.Refund
	moves     []order.Move
	lines     []order.Line
	paid      []payment.IntentMove
	transfers []ledger.Transfer
	grants    []entitlement.Grant
	jobs      []job.Job
	cases     []exception.Case
	notices   []payment.Notice
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
		event := [2]string{c.Provider, c.Event}
		if was, ok := seen[event]; ok && was != payment.Unknown {
			answers[i].Result.Verdict = payment.Duplicate
			continue
		}
		intent := b.intents[c.Intent]
		var o *order.Order
		if intent != nil {
			o = b.orders[intent.Order]
		}
		txn := [2]string{c.Provider, c.Txn}
		v := payment.Judge(c.Message, intent, o != nil && !o.PaidAt.IsZero(), o != nil && o.State == order.Pending, booked[txn])
		answers[i].Result.Verdict = v
		if o != nil {
			answers[i].Result.Order = o.ID
		}
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
	intents, err := f.Payments.Intents(ctx, tx, distinct(wanted))
	if err != nil {
		return nil, nil, err
	}
	var ids []id.Order
	for _, p := range intents {
		ids = append(ids, p.Order)
	}
	if b.orders, err = f.Orders.Lock(ctx, tx, distinct(ids)); err != nil {
		return nil, nil, err
	}
	locked, err := f.Payments.LockOf(ctx, tx, distinct(ids))
	if err != nil {
		return nil, nil, err
	}
	b.intents = map[id.Intent]*payment.Intent{}
	for _, all := range locked {
		for _, p := range all {
			b.intents[p.ID] = p
		}
	}
	seen, booked := map[[2]string]payment.Verdict{}, map[[2]string]bool{}
	for provider := range events {
		known, err := f.Payments.Seen(ctx, tx, provider, distinct(events[provider]))
		if err != nil {
			return nil, nil, err
		}
		for event, outcome := range known {
			seen[[2]string{provider, event}] = payment.Verdict(outcome)
		}
		captured, err := f.Payments.CapturesByTxn(ctx, tx, provider, distinct(txns[provider]))
		if err != nil {
			return nil, nil, err
		}
		for txn := range captured {
			booked[[2]string{provider, txn}] = true
		}
	}
	return seen, booked, nil
}

// payable is a payment that its order is waiting for.
type payable struct {
	capture payment.Capture
	order   *order.Order
	late    bool
	from    id.Account // what is debited: where the money is
}

// pay books a payment. From here on the order counts as paid, also for the next message
// of the batch.
func (b *confirming) pay(c Confirm, intent *payment.Intent, o *order.Order) payable {
	p := payable{order: o, late: o.State != order.Pending, from: ledger.Gateway(c.Provider, c.Amount.Currency)}
	if c.Provider == payment.Balance {
		p.from = ledger.Prepaid(c.Payer, c.Amount.Currency)
	}
	p.capture = payment.Capture{ID: id.New[id.Capture](), Provider: c.Provider, Txn: c.Txn, Intent: intent.ID, Order: o.ID, Amount: c.Amount,
		Applied: true, OccurredAt: c.OccurredAt, BookedAt: b.now}
	b.captures = append(b.captures, p.capture)
	o.PaidAt = b.now
	b.paid = append(b.paid, payment.IntentMove{Intent: intent, From: intent.State, To: payment.Captured})
	intent.State = payment.Captured
	for _, other := range b.intents { // an order has one way to be paid; the others close
		if other.Order == o.ID && other.ID != intent.ID && other.State == payment.Pending {
			b.paid = append(b.paid, payment.IntentMove{Intent: other, From: payment.Pending, To: payment.Closed})
			other.State = payment.Closed
		}
	}
	return p
}

// suspend books money that has no place, and has a person see to it. A second payment
// goes back by itself.
func (b *confirming) suspend(c Confirm, intent *payment.Intent, v payment.Verdict) {
	captured := payment.Capture{ID: id.New[id.Capture](), Provider: c.Provider, Txn: c.Txn, Intent: intent.ID, Order: intent.Order, Amount: c.Amount,
		Reason: string(v), OccurredAt: c.OccurredAt, BookedAt: b.now}
	b.captures = append(b.captures, captured)
	b.transfers = append(b.transfers, ledger.Transfer{Entry: string(captured.ID), Leg: 1, Debit: ledger.Gateway(c.Provider, c.Amount.Currency),
		Credit: ledger.Suspense(c.Amount.Currency), Amount: c.Amount, Kind: "suspense", Order: intent.Order, At: b.now})
	kind := exception.Mismatch
	if v == payment.Second {
		kind = exception.SecondCapture
		b.refund(captured, "", 0, c.Amount, string(v))
	}
	b.cases = append(b.cases, exception.Case{Kind: kind, Subject: string(captured.ID), Order: intent.Order, Amount: c.Amount, Detail: c.Provider + " " + c.Txn})
}

func (b *confirming) refund(c payment.Capture, line id.Line, quantity int64, amount money.Amount, reason string) {
	b.refunds = append(b.refunds, payment.Refund{ID: id.New[id.Refund](), Order: c.Order, Line: line, Capture: c.ID, Provider: c.Provider, Quantity: quantity,
		Amount: amount, State: payment.RefundWaiting, Reason: reason, NextAt: b.now, CreatedBy: "system", CreatedAt: b.now})
}

func (f *Flows) saveConfirm(ctx context.Context, tx *db.Tx, b *confirming) error {
	if err := f.Inventory.Save(ctx, tx, b.book, b.now); err != nil {
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
	return f.Ledger.Post(ctx, tx, b.transfers)
}
