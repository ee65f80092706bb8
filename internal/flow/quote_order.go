package flow

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/pricing"
)

// shownBefore finds the versions that shoppers were shown and that aren't sold any more.
func (f *Flows) shownBefore(ctx context.Context, tx *db.Tx, commands []Place, sale map[id.Offer]catalogue.Sale) (map[id.OfferVersion]*catalogue.Version, error) {
	var other []id.OfferVersion
	for _, c := range commands {
		for _, l := range c.Lines {
			if v := sale[l.Offer].Version; l.Expect != "" && v != nil && l.Expect != v.ID {
				other = append(other, l.Expect)
			}
		}
	}
	return f.Catalogue.Versions(ctx, tx, other)
}

// Quote prices one unit of a content for who buys it at a moment with some picks. The picks and
// the moment change what it is shown against, never the price.
func Quote(c catalogue.Content, picks order.Picks, at time.Time) pricing.Quote {
	worth, _ := c.Worth(picks, at)
	return pricing.For(pricing.Input{List: c.List, Worth: worth, Offer: c.Price, Floor: c.Floor})
}

// quoteOf is the price of a version alone.
func quoteOf(v *catalogue.Version) pricing.Quote {
	return pricing.For(pricing.Input{List: v.Content.List, Offer: v.Content.Price, Floor: v.Content.Floor})
}

// unchanged fails unless a line may be sold as it was shown: what it says of the price, and
// of the terms by naming a version, holds for what is sold. An amount is in the currency of
// the version it was shown with. Where the terms are named by their hash, what they say in
// other languages doesn't matter, and what one gets does.
//
// A version that the offer never had was not shown: nothing can be said of it.
func (l PlaceLine) unchanged(sold *catalogue.Version, unit money.Amount, was map[id.OfferVersion]*catalogue.Version, path string) error {
	seen := sold
	if l.Expect != "" && l.Expect != sold.ID {
		seen = was[l.Expect]
	}
	changed := fault.New(fault.Conflict, "order.price_changed", "price", unit.String()).At(path+".unit_price", "order.price_changed", "price", unit.String())
	switch {
	case seen == nil || seen.Offer != sold.Offer:
		return fault.New(fault.Conflict, "order.terms").At(path+".version", "order.terms")
	case seen != sold && l.ExpectPrice == 0:
		return changed
	case l.ExpectPrice != 0 && money.Of(l.ExpectPrice, quoteOf(seen).Unit.Currency) != unit:
		return changed
	case l.Acknowledged == "" && !sold.Content.SameTerms(seen.Content), !sold.Content.SameGoods(seen.Content):
		return fault.New(fault.Conflict, "order.terms").At(path+".version", "order.terms")
	}
	return nil
}

// quote makes the order of a command, or says why there is none.
func (w *placing) quote(known *sheets, sale map[id.Offer]catalogue.Sale, was map[id.OfferVersion]*catalogue.Version, now time.Time) error {
	o := &order.Order{
		ID: id.New[id.Order](), State: order.Pending, Party: w.Party, Phone: w.Phone, Email: w.Email, Lang: w.Lang, Channel: w.Channel,
		Scope: w.Request.Scope, Key: w.Request.Key, RequestHash: w.RequestHash, CreatedAt: now, ExpiresAt: now.Add(HoldFor),
		History: []order.Step{{State: order.Pending, At: now}},
	}
	for i, l := range w.Lines {
		path := "lines[" + strconv.Itoa(i) + "]"
		s, ok := sale[l.Offer]
		switch {
		case !ok || s.State == catalogue.Draft || s.State == catalogue.Archived || s.Version == nil:
			return fault.New(fault.NotFound, "order.no_offer").At(path+".offer", "order.no_offer")
		case s.State == catalogue.Scheduled:
			return fault.New(fault.Conflict, "order.not_yet").At(path+".offer", "order.not_yet")
		case s.State != catalogue.Live:
			return fault.New(fault.Conflict, "order.paused").At(path+".offer", "order.paused")
		case l.Quantity < 1 || l.Quantity > s.Version.Content.MaxPerOrder:
			return fault.New(fault.Invalid, "order.quantity", "limit", strconv.FormatInt(s.Version.Content.MaxPerOrder, 10)).At(path+".quantity", "order.quantity", "limit", strconv.FormatInt(s.Version.Content.MaxPerOrder, 10))
		}
		q := Quote(s.Version.Content, l.Picks, now)
		if err := l.unchanged(s.Version, q.Unit, was, path); err != nil {
			return err
		}
		if l.Acknowledged != "" {
			sheet, shown := known.find(s.Version, l.Acknowledged)
			if !shown {
				return fault.New(fault.Conflict, "order.terms").At(path+".terms", "order.terms")
			}
			w.accepted = append(w.accepted, sheet)
		}
		if err := l.pickable(s.Version, path, now); err != nil {
			return err
		}
		amount, err := q.Unit.Times(l.Quantity)
		if err != nil {
			return fault.New(fault.Invalid, "order.too_much")
		}
		if i == 0 {
			o.Total = money.Of(0, amount.Currency)
		}
		if o.Total, err = o.Total.Add(amount); err != nil {
			return fault.New(fault.Invalid, "order.currencies")
		}
		line := order.Line{
			ID: id.New[id.Line](), Order: o.ID, Offer: l.Offer, Version: s.Version.ID, Quantity: l.Quantity,
			UnitPrice: q.Unit.Minor, Amount: amount.Minor, Quote: q.Text(), Acknowledged: l.Acknowledged, Picks: l.Picks,
		}
		if err := w.limit(&line, s.Version, now); err != nil {
			return err
		}
		o.Lines = append(o.Lines, line)
		w.need = append(w.need, s.Version.Content.Supplies(l.Picks, now))
		w.wanted = append(w.wanted, Wanted{s.Version, l.Quantity, l.Picks})
	}
	w.order = o
	w.intent = &payment.Intent{
		ID: id.New[id.Intent](), Order: o.ID, Gateway: w.Gateway, Amount: o.Total, State: payment.Pending, CreatedAt: now, ExpiresAt: o.ExpiresAt,
	}
	return nil
}

// pickable refuses picks that aren't those the offer asks for, and what is released no more.
func (l PlaceLine) pickable(v *catalogue.Version, path string, now time.Time) error {
	if err := v.Content.CheckPicks(l.Picks, path+".picks"); err != nil {
		return err
	}
	if p, over := v.Content.Over(l.Picks, now); over {
		return fault.New(fault.Conflict, "order.release_over", p.Benefit.Name.Param("benefit")...)
	}
	return nil
}

// reserve holds the units of every line, or of none: it says which is short.
func reserve(book *inventory.Book, w *placing, sale map[id.Offer]catalogue.Sale, now time.Time) error {
	var total = map[id.Stock]int64{}
	for i, l := range w.order.Lines {
		for s, each := range w.need[i] {
			total[s] += each * l.Quantity
		}
		if !book.Has(w.Channel, total, 1) {
			return soldOut(sale[l.Offer], w.Lines[i], now, func(need map[id.Stock]int64) bool { return !book.Has(w.Channel, need, l.Quantity) })
		}
	}
	for i, l := range w.order.Lines {
		book.Reserve(w.Channel, l.ID, w.need[i], l.Quantity, w.order.ExpiresAt)
	}
	return nil
}
