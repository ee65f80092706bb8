package flow

import (
	"time"

	"hufu/internal/catalogue"
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

// confirming is the working set of one batch.
type confirming struct {
	now      time.Time
	intents  map[id.Intent]*payment.Intent
	orders   map[id.Order]*order.Order
	versions map[id.OfferVersion]*catalogue.Version
	rights   map[id.Line][]delivery.Part    // of one unit
	supplies map[id.Line]map[id.Stock]int64 // of one unit
	book     *inventory.Book
	limits   *order.Tallies
	payers   map[id.Line]order.Under // what a line counts under for who paid
	over     map[id.Line]bool        // lines that who paid may not have
	items    map[id.Line][]delivery.Item
	codes    map[id.Right]vault.Given
	chain    *ledger.Chain

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

// payable is a payment that its order is waiting for.
type payable struct {
	capture payment.Capture
	order   *order.Order
	late    bool
	payer   string     // the account at the channel that paid, "" where it isn't told
	from    id.Account // what is debited: where the money is
}

// pay books a payment. From here on the order counts as paid, also for the next message
// of the batch.
func (b *confirming) pay(c Confirm, intent *payment.Intent, o *order.Order) payable {
	p := payable{order: o, late: o.State != order.Pending, payer: c.PayerID, from: ledger.Gateway(c.Provider, c.Amount.Currency)}
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
