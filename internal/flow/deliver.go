package flow

import (
	"context"

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
	"hufu/internal/vault"
)

// allocate decides, for the orders that were paid, which lines have their units, and picks
// the codes for them.
func (f *Flows) allocate(ctx context.Context, tx *db.Tx, b *confirming, due []payable) error {
	b.items, b.codes, b.over = map[id.Line][]delivery.Item{}, map[id.Right]vault.Given{}, map[id.Line]bool{}
	if err := f.promises(ctx, tx, b, due); err != nil {
		return err
	}
	var stocks []id.Stock
	var lines []id.Line
	codes := map[id.Stock]int64{} // that all due lines together may need
	for _, p := range due {
		for _, l := range p.order.Lines {
			lines = append(lines, l.ID)
			for s := range b.supplies[l.ID] {
				stocks = append(stocks, s)
			}
			needsOf(b.rights[l.ID], l.Quantity, codes)
		}
	}
	var err error
	if b.book, err = f.Inventory.Ask(ctx, tx, stocks, lines); err != nil {
		return err
	}
	reach, err := f.Codes.Reach(ctx, tx, codes, b.now)
	if err != nil {
		return err
	}
	if err := f.lockLimits(ctx, tx, b, due); err != nil {
		return err
	}
	if err := f.Inventory.Complete(ctx, tx, b.book); err != nil {
		return err
	}
	if err := f.setAside(ctx, tx, b.book, b.now); err != nil {
		return err
	}
	var wants []vault.Want
	for _, p := range due {
		for i := range p.order.Lines {
			l := &p.order.Lines[i]
			need := b.supplies[l.ID]
			if !b.admit(l) {
				b.book.Release(l.ID, inventory.Released)
				continue
			}
			// What the line holds is its own. When the hold has ended, or was broken, it takes
			// what is left.
			if b.book.Holds(l.ID, need, l.Quantity) {
				b.book.Consume(l.ID)
			} else {
				b.book.Release(l.ID, inventory.Released)
				if !b.book.Take(p.order.Channel, l.ID, need, l.Quantity) {
					continue
				}
			}
			b.items[l.ID] = delivery.Plan(b.rights[l.ID], l.Quantity)
			for _, it := range b.items[l.ID] {
				if it.Part.NeedsCode() {
					wants = append(wants, vault.Want{Right: it.Right, Stock: it.Part.Stock})
				}
			}
		}
	}
	if b.codes, err = reach.Give(ctx, tx, wants); err != nil {
		return err
	}
	short := map[id.Stock]int64{}
	for _, w := range wants {
		if _, ok := b.codes[w.Right]; !ok {
			short[w.Stock]++
		}
	}
	return vault.RetireShort(ctx, tx, short, b.now) // giveBack voids their units
}

// promises works out what one unit of each due line gives and takes.
func (f *Flows) promises(ctx context.Context, tx *db.Tx, b *confirming, due []payable) error {
	var ids []id.OfferVersion
	for _, p := range due {
		for _, l := range p.order.Lines {
			ids = append(ids, l.Version)
		}
	}
	var err error
	if b.versions, err = f.Catalogue.Versions(ctx, tx, distinct(ids)); err != nil {
		return err
	}
	b.rights, b.supplies = map[id.Line][]delivery.Part{}, map[id.Line]map[id.Stock]int64{}
	for _, p := range due {
		for _, l := range p.order.Lines {
			v := b.versions[l.Version]
			b.supplies[l.ID] = v.Content.Supplies(l.Picks, p.order.CreatedAt)
			if b.rights[l.ID], err = promised(v, l, p.order.CreatedAt, b.now); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle turns what was allocated for a paid order into rights, money and work.
func (b *confirming) settle(p payable) error {
	o, currency := p.order, p.capture.Amount.Currency
	var earned, owed int64
	for i := range o.Lines {
		l := &o.Lines[i]
		planned := b.items[l.ID]
		whole, units := delivery.Whole(planned, func(r id.Right) bool { _, ok := b.codes[r]; return ok })
		b.giveBack(l.ID, b.versions[l.Version].Content.Stock, planned, whole)
		l.Delivered = units
		counted := l.Counted
		b.limits.Count(l, units)
		earned += units * l.UnitPrice
		for n, it := range whole {
			b.grant(p, *l, it, n == 0 || whole[n-1].Unit != it.Unit)
		}
		if short := l.Quantity - units; short > 0 {
			owed += short * l.UnitPrice
			reason := exception.Shortage
			switch {
			case b.over[l.ID]:
				reason = exception.OverLimit
			case p.late:
				reason = exception.LateRefund
			}
			b.refund(p.capture, l.ID, short, money.Of(short*l.UnitPrice, currency), reason)
			b.cases = append(b.cases, exception.Case{Kind: reason, Subject: string(l.ID), Order: o.ID, Amount: money.Of(short*l.UnitPrice, currency)})
		}
		if l.Delivered > 0 || l.Counted != counted {
			b.lines = append(b.lines, *l)
		}
	}
	for leg, t := range []struct {
		credit id.Account
		amount int64
		kind   string
	}{{ledger.Sales(currency), earned, "sale"}, {ledger.RefundsDue(currency), owed, "shortage"}} {
		if t.amount > 0 {
			b.transfers = append(b.transfers, ledger.Transfer{Entry: string(p.capture.ID), Leg: int64(leg) + 1, Debit: p.from, Credit: t.credit,
				Amount: money.Of(t.amount, currency), Kind: t.kind, Order: o.ID, At: b.now})
		}
	}
	m, err := order.MoveTo(o, order.Settle(o.Lines), b.now)
	if err != nil {
		return err
	}
	b.moves = append(b.moves, m)
	told := JobOrderPaid
	if b.allOver(o) {
		told = JobOverLimit
	}
	b.jobs = append(b.jobs, job.Job{Kind: told, Subject: string(o.ID)})
	return nil
}

// grant plans a right; first is of the first of its unit.
func (b *confirming) grant(p payable, l order.Line, it delivery.Item, first bool) {
	code := b.codes[it.Right]
	record := Granted{Edition: b.number(l, it, first), Order: p.order.ID, Offer: l.Offer, Channel: p.order.Channel, Price: l.UnitPrice, Code: code.Code,
		Capture: p.capture.ID, Buyer: p.order.Party, Cur: p.order.Total.Currency}
	actor := string(p.order.Party)
	if actor == "" {
		actor = "guest"
	}
	part := it.Part
	if part.Promised && part.Stock != "" {
		b.book.Promise(l.ID, it.Right, part.Stock)
	}
	b.grants = append(b.grants, entitlement.Grant{Actor: actor, Data: record.Text(), Waits: part.Waits, Due: part.Due, Right: entitlement.Right{
		ID: it.Right, Order: p.order.ID, Line: l.ID, Part: part.N, Benefit: part.Benefit, Version: l.Version, Party: p.order.Party,
		Kind: part.Kind, Code: code.Code, StartsAt: part.StartsAt, EndsAt: delivery.Sooner(part.EndsAt, code.ExpiresAt),
		Unit: it.Unit, Nth: part.Nth, Share: part.Share, Clock: entitlement.Clock(part.Clock),
	}})
}

// JobOrderPaid is the work that follows a payment: the shopper is told.
const JobOrderPaid = "order.paid"
