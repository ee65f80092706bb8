package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// seed puts offers on sale, each with codes of its own, and returns them.
func seed(ctx context.Context, store, keyFile string, offers, codes int) ([]id.Offer, error) {
	c := app.Config{Store: store, KeyFile: keyFile}
	if _, err := app.Migrate(ctx, c); err != nil {
		return nil, err
	}
	if _, err := os.Stat(keyFile); err != nil {
		if _, err := vault.CreateKeyFile(keyFile, time.Now()); err != nil {
			return nil, err
		}
	}
	a, err := app.Open(ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return nil, err
	}
	defer a.Close()
	run := time.Now().UnixNano()
	var out []id.Offer
	for i := range offers {
		o, err := offer(ctx, a, fmt.Sprintf("bench-%d-%d", run, i), codes/offers+100)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func offer(ctx context.Context, a *app.App, slug string, codes int) (id.Offer, error) {
	now := a.Clock.Now()
	var stock id.Stock
	var offer id.Offer
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		s, err := a.Flows.Inventory.Create(ctx, tx, slug, inventory.Codes, 0, now)
		if err != nil {
			return err
		}
		stock = s.ID
		text := func(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }
		b, err := a.Flows.Catalogue.PutBenefit(ctx, tx, catalogue.Benefit{Slug: slug, Kind: "membership", Provider: catalogue.Provider{Key: "bench", Name: text("Bench")},
			Name: text("VIP 30"), Attributes: map[string]string{"days": "30"}, ValidDays: 30, Stock: stock, Coded: true,
			Disclosure: catalogue.Disclosure{AccountType: text("a"), Scope: text("s"), Validity: text("v"), HowToUse: text("h"), Refund: text("r")}}, "system", now)
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
	if err != nil {
		return "", err
	}
	err = tempCodes(ctx, a, stock, codes)
	return offer, err
}

var tmpIns = db.Rows("tmp.codes", `INSERT INTO codes {{values id text, batch_id text, stock_id text, issuer text, blind bytes, key_id text, sealed bytes, last4 text, expires_at bigint, state text, right_id text, delivered_at bigint}}`)

func tempCodes(ctx context.Context, a *app.App, stock id.Stock, n int) error {
	for n > 0 {
		k := min(n, 5000)
		n -= k
		err := a.DB.Do(ctx, func(tx *db.Tx) error {
			if err := tx.WriteAll(ctx, tmpIns, k, func(i int, b *db.Binder) {
				c := id.New[id.Code]()
				s := a.Flows.Keys.Seal(c, vault.Record{Code: vault.Hidden(c)})
				x := a.Flows.Keys.Index("b", string(c))
				b.Text(string(c)).Text("bat").Text(string(stock)).Text("b").Bytes(x[:]).Text(string(s.Key)).Bytes(s.Body).Text("ABCD").Int(0).Text("available").Text("").Int(0)
			}); err != nil {
				return err
			}
			book, err := a.Flows.Inventory.Open(ctx, tx, []id.Stock{stock}, nil)
			if err != nil {
				return err
			}
			book.Receive(stock, int64(k))
			return a.Flows.Inventory.Save(ctx, tx, book, a.Clock.Now())
		})
		if err != nil {
			return err
		}
	}
	return nil
}
