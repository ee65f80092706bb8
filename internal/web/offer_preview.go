package web

import (
	"context"
	"slices"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/web/ui"
)

// OfferPage is the page on which an offer's page is shown.
const OfferPage = "shop/offer"

// OfferPreview is the page of an offer as a guest would see its working copy, were it on sale
// at a moment; nothing can be bought there. back is where it leads back to.
func OfferPreview(ctx context.Context, tx *db.Tx, f *flow.Flows, o catalogue.Offer, lang i18n.Lang, back string, now time.Time) (ui.Data, error) {
	version := &catalogue.Version{Offer: o.ID, Content: o.Draft}
	version.Content.Parts = slices.Clone(o.Draft.Parts)
	ids := make([]id.Benefit, len(o.Draft.Parts))
	for i, p := range o.Draft.Parts {
		ids[i] = p.Benefit.ID
	}
	present, err := f.Catalogue.Benefits(ctx, tx, ids) // as they would be frozen
	if err != nil {
		return nil, err
	}
	for i, p := range version.Content.Parts {
		if b, ok := present[p.Benefit.ID]; ok {
			version.Content.Parts[i].Benefit = b
		}
	}
	c := version.Content
	stocks, err := f.Inventory.StocksFor(ctx, tx, channel, c.Stocks())
	if err != nil {
		return nil, err
	}
	g := goods{Offer: o, State: catalogue.Live, Version: version, Stock: leftOf(c, stocks, now), Gone: goneOf(c, stocks, now)}
	v := &offerView{Card: g.card(lang), Slug: o.Slug, Preview: back, Separate: terms.Separate(lang, c.Providers()), Apart: apart(lang, c), Groups: termsOf(lang, c),
		Paragraphs: paragraphs(pick(lang, c.Description)), Why: why(lang, flow.Quote(c, nil, now).Text(), c.Price.Currency), EndsAt: o.EndsAt}
	if v.Card.Name == "" {
		v.Card.Name = o.Slug
	}
	v.Page = ui.Page{Title: v.Card.Name, Private: true}
	v.Quantities, v.Bundle = quantities(g, 1), bundleOf(lang, g, nil, now)
	if o.StartsAt.After(now) {
		v.StartsAt = o.StartsAt
	}
	found, touched, err := f.Conflicts(ctx, tx, "", []flow.Wanted{{Version: version, Quantity: 1}}, now)
	if err != nil {
		return nil, err
	}
	if touched {
		v.Conflict = conflictsView{Groups: findingsIn(lang, found, "shop.conflicts."), Note: lang.T("shop.conflicts.guest")}
	}
	if len(c.Limits) > 0 {
		all, err := f.Allowances(ctx, tx, version, "web", flow.Buyer{}, now)
		if err != nil {
			return nil, err
		}
		v.Groups = slices.Insert(v.Groups, 1, limitsIn(lang, version, all, false, now)...)
	}
	return v, nil
}
