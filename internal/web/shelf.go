package web

import (
	"context"
	"sync"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/pricing"
	"hufu/internal/web/ui"
)

// shelf is what the shop has to show, remembered for a moment: a crowd before the window
// costs one look into the database a second.
type shelf struct {
	mu    sync.Mutex
	at    time.Time
	goods []goods
}

const shelfLife = time.Second

// channel is what the shop's pages sell in.
const channel = "web"

// goods is an offer as a shopper sees it.
type goods struct {
	Offer   catalogue.Offer
	State   catalogue.State
	Version *catalogue.Version
	Stock   ui.Stock
	Gone    []int // the parts that are options and sold out
}

// look gives everything that is on sale, or will be, in the shop's order.
func (s *Web) look(ctx context.Context) ([]goods, time.Time, error) {
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	now := s.now()
	if age := now.Sub(s.shelf.at); age >= 0 && age < shelfLife {
		return s.shelf.goods, s.shelf.at, nil
	}
	var found []goods
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		offers, err := s.Flows.Catalogue.Offers(ctx, tx, false)
		if err != nil {
			return err
		}
		found, err = s.stand(ctx, tx, offers, now)
		return err
	})
	if err != nil {
		return nil, now, err
	}
	s.shelf.goods, s.shelf.at = found, now
	return found, now, nil
}

// stand puts offers beside their published version and what is left of them; those that
// nobody may see are left out.
func (s *Web) stand(ctx context.Context, tx *db.Tx, offers []catalogue.Offer, now time.Time) ([]goods, error) {
	var wanted []id.OfferVersion
	for _, o := range offers {
		wanted = append(wanted, o.Settled(now).VersionID)
	}
	versions, err := s.Flows.Catalogue.Versions(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	var stocks []id.Stock
	for _, v := range versions {
		stocks = append(stocks, v.Content.Stocks()...)
	}
	left, err := s.Flows.Inventory.StocksFor(ctx, tx, channel, stocks)
	if err != nil {
		return nil, err
	}
	var out []goods
	for _, o := range offers {
		g := goods{Offer: o, State: o.At(now), Version: versions[o.Settled(now).VersionID]}
		if g.Version == nil || g.State == catalogue.Draft || g.State == catalogue.Archived {
			continue
		}
		g.Stock, g.Gone = leftOf(g.Version.Content, left, now), goneOf(g.Version.Content, left, now)
		out = append(out, g)
	}
	return out, nil
}

// leftOf is how many units of a content its stocks still make, with the options of its choices
// that there is most of.
func leftOf(c catalogue.Content, stocks map[id.Stock]*inventory.Stock, now time.Time) ui.Stock {
	out := ui.Stock{Unlimited: true}
	for st, each := range c.Supplies(c.Plentiful(inventory.Free(stocks)), now) {
		var n int64
		if s := stocks[st]; s != nil {
			n = s.Available / each
		}
		if out.Unlimited || n < out.Left {
			out = ui.Stock{Left: n}
		}
	}
	return out
}

// goneOf are the options of which not enough is left for one unit.
func goneOf(c catalogue.Content, stocks map[id.Stock]*inventory.Stock, now time.Time) []int {
	var out []int
	for i, p := range c.Parts {
		ch := c.ChoiceOf(i)
		if ch == nil || p.Benefit.Stock == "" {
			continue
		}
		if s := stocks[p.Benefit.Stock]; s == nil || s.Available < p.Quantity*int64(len(ch.Release.Times(now))) {
			out = append(out, i)
		}
	}
	return out
}

// quote is the price, decided where an order's price is.
func (g goods) quote() pricing.Quote {
	c := g.Version.Content
	return pricing.For(pricing.Input{List: c.List, Offer: c.Price, Floor: c.Floor})
}

func pick(lang i18n.Lang, t catalogue.Text) string { return lang.Pick(t.ZH, t.EN) }

// card is the offer as one of many.
func (g goods) card(lang i18n.Lang) ui.Offer {
	c := g.Version.Content
	o := ui.Offer{ID: string(g.Offer.ID), Href: "/offers/" + g.Offer.Slug, Name: pick(lang, c.Title), Sub: pick(lang, c.Summary),
		Price: g.quote().Unit, ListPrice: c.List, Stock: g.Stock, Ribbon: pick(lang, c.Badge)}
	if all := c.Providers(); len(all) > 0 {
		o.ProviderID, o.Provider = all[0].Key, pick(lang, all[0].Name)
	}
	switch g.State {
	case catalogue.Scheduled:
		o.Ribbon = lang.T("shop.ribbon.soon")
	case catalogue.Paused:
		o.Ribbon = lang.T("shop.ribbon.paused")
	}
	return o
}
