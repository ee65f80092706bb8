package flow

import (
	"context"
	"maps"
	"slices"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/order"
)

// A limit by person counts for the account that paid too: at the channel, where somebody with
// several accounts, phones and devices here is one; and what a guest paid for counts for whose
// the phone number is that they typed, who has the order. Both are known with the payment, so
// what goes over a limit then is paid back, and not refused.

// lockLimits locks the tallies that paid orders count under, with those of who paid. It tells,
// for each line, which of them are of its payer.
func (f *Flows) lockLimits(ctx context.Context, tx *db.Tx, b *confirming, due []payable) error {
	var orders []*order.Order
	var fresh []string
	b.payers = map[id.Line]order.Under{}
	for _, p := range due {
		orders = append(orders, p.order)
		for _, l := range p.order.Lines {
			if u := payerUnder(b.versions[l.Version], p, l.Under); len(u) > 0 {
				b.payers[l.ID] = u
				fresh = append(fresh, u.Names()...)
			}
		}
	}
	var err error
	if names := tallies(orders); len(fresh) > 0 {
		b.limits, err = f.Orders.OpenTallies(ctx, tx, append(names, fresh...))
	} else {
		b.limits, err = f.Orders.LockTallies(ctx, tx, names)
	}
	return err
}

// payerUnder is what units of a version count under, more than before, once they are paid for.
func payerUnder(v *catalogue.Version, p payable, before order.Under) order.Under {
	if v == nil {
		return nil
	}
	var limits []catalogue.Limit
	for _, l := range v.Content.Limits {
		if l.Of == catalogue.Person {
			limits = append(limits, l)
		}
	}
	if len(limits) == 0 {
		return nil
	}
	var who []string
	if p.payer != "" {
		who = append(who, "payer:"+hashed("payer", p.capture.Provider+"\x00"+p.payer))
	}
	if p.order.Party == "" {
		who = append(who, Buyer{OwnPhone: p.order.Phone}.names()...)
	}
	// The day and month are those of the order, as of everything else it counts under.
	u, _ := under(v.Offer, limits, p.order.Channel, who, p.order.CreatedAt)
	maps.DeleteFunc(u, func(name string, _ int64) bool { _, there := before[name]; return there })
	return u
}

// JobOverLimit is the work that follows a payment of which all goes back because of who paid:
// the shopper is told.
const JobOverLimit = "order.over_limit"

// allOver reports whether nothing of an order may be had because of who paid.
func (b *confirming) allOver(o *order.Order) bool {
	return !slices.ContainsFunc(o.Lines, func(l order.Line) bool { return !b.over[l.ID] })
}

// admit has a line count under its limits. It reports false when there is no room: a line that
// ended unpaid counts again, and others may have reached the limit since; or who paid has
// bought as much already.
func (b *confirming) admit(l *order.Line) bool {
	if _, _, full := b.limits.Full(l.Under, l.Quantity-l.Counted); full {
		return false
	}
	payer := b.payers[l.ID]
	if _, _, full := b.limits.Full(payer, l.Quantity); full {
		b.over[l.ID] = true
		return false
	}
	b.limits.Join(l, payer)
	b.limits.Count(l, l.Quantity)
	return true
}
