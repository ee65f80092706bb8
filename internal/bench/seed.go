package bench

import (
	"context"
	"fmt"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// seed puts offers on sale, each with codes of its own, and returns them, and how many orders
// the store holds.
func seed(ctx context.Context, store, keyFile string, offers, codes int) ([]id.Offer, int64, error) {
	a, err := open(ctx, store, keyFile)
	if err != nil {
		return nil, 0, err
	}
	defer a.Close()
	held, err := ordersHeld(ctx, a.DB)
	if err != nil {
		return nil, 0, err
	}
	run := time.Now().UnixNano()
	var out []id.Offer
	for i := range offers {
		o, err := offer(ctx, a, fmt.Sprintf("bench-%d-%d", run, i), codes/offers+100)
		if err != nil {
			return nil, held, err
		}
		out = append(out, o)
	}
	return out, held, nil
}

// offer puts an offer with so many codes on sale.
func offer(ctx context.Context, a *app.App, slug string, codes int) (id.Offer, error) {
	offer, stock, err := sell(ctx, a, slug)
	if err != nil {
		return "", err
	}
	_, err = a.Flows.GenerateCodes(ctx, flow.Generate{Stock: stock, Format: vault.DefaultFormat, Count: int64(codes), Issuer: "bench", Name: slug, By: "system"}, nil)
	return offer, err
}

// sell puts an offer without codes on sale. Its stock goes by the same name.
func sell(ctx context.Context, a *app.App, slug string) (offer id.Offer, stock id.Stock, err error) {
	now := a.Clock.Now()
	err = a.DB.Do(ctx, func(tx *db.Tx) error {
		s, err := a.Flows.Inventory.Create(ctx, tx, slug, inventory.Codes, 0, now)
		if err != nil {
			return err
		}
		stock = s.ID
		text := func(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }
		b, err := a.Flows.Catalogue.PutBenefit(ctx, tx, catalogue.Benefit{Slug: slug, Kind: "membership", Provider: catalogue.Provider{Key: "bench", Name: text("Bench")},
			Name: text("VIP 30"), Attributes: map[string]string{"days": "30"}, ValidDays: 30, Stock: stock, Coded: true,
			Disclosure: catalogue.Disclosure{AccountType: text("a"), Scope: text("s"), Devices: text("d"), Validity: text("v"), HowToUse: text("h"), Refund: text("r")}}, "system", now)
		if err != nil {
			return err
		}
		o, err := a.Flows.Catalogue.Create(ctx, tx, catalogue.Offer{Slug: slug, Category: "video", Draft: catalogue.Content{Title: text("VIP"), Summary: text("s"),
			Price: money.Of(1990, money.CNY), List: money.Of(3000, money.CNY), MaxPerOrder: 10, Parts: []catalogue.Part{{Benefit: b, Quantity: 1}}}}, now)
		if err != nil {
			return err
		}
		if o, _, err = a.Flows.Catalogue.Publish(ctx, tx, o, "system", now); err != nil {
			return err
		}
		o, err = a.Flows.Catalogue.SetState(ctx, tx, o, catalogue.Live, now)
		offer = o.ID
		return err
	})
	return offer, stock, err
}
