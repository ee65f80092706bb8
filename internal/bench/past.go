package bench

import (
	"context"
	"fmt"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/vault"
)

// The past of a store: purchases that were made, paid, delivered and read before a
// measurement begins, for a figure of what a purchase costs in a shop that has sold a lot.
//
// Each is there as the flows leave it, but its rows are written in their last state, many
// purchases a transaction, in the order of their keys. The batch of the codes that were sold
// tells how far a filling has come: a next one goes on there.
const (
	pastSlug = "bench-past"
	soldName = "sold"
	freeName = "free"
	// pastSpan is for how long the shop has been selling, and pastEnds how long ago the last
	// purchase was: what is measured lies behind it.
	pastSpan = 365 * 24 * time.Hour
	pastEnds = time.Hour
	// freeShare is for how many codes sold one is free.
	freeShare = 10
	// pastChunk is how many purchases one transaction writes.
	pastChunk = 2000
)

var countOrders = db.SQL("bench.count_orders", `SELECT COUNT(*) FROM orders`)

// ordersHeld is how many orders a store holds.
func ordersHeld(ctx context.Context, d *db.DB) (n int64, err error) {
	err = d.View(ctx, func(tx *db.Tx) error {
		_, err := tx.One(ctx, countOrders, []any{&n})
		return err
	})
	return n, err
}

// fillPast makes sure that a store holds at least n orders, and free codes beside those they
// sold. What is there counts; what a former filling left undone is done first. It returns how
// many orders the store holds.
func fillPast(ctx context.Context, store, keyFile string, n int64, progress func(string)) (int64, error) {
	a, err := open(ctx, store, keyFile)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	for {
		held, err := ordersHeld(ctx, a.DB)
		if err != nil {
			return held, err
		}
		if held >= n {
			if n > 0 {
				progress(fmt.Sprintf("the store holds %d orders", held))
			}
			return held, nil
		}
		p, err := beginPast(ctx, a, n-held)
		if err != nil {
			return held, err
		}
		if err := p.fill(ctx, newPace(progress, "purchases of the past").at); err != nil {
			return held, err
		}
		if err := p.free(ctx, n/freeShare, progress); err != nil {
			return held, err
		}
		if err := settle(ctx, a.DB); err != nil {
			return held, err
		}
	}
}

// past is a filling under way.
type past struct {
	app     *app.App
	batch   *vault.Batch // of the codes that are sold
	version *catalogue.Version
}

// beginPast goes on with the filling that ended early, or begins one of n purchases.
func beginPast(ctx context.Context, a *app.App, n int64) (*past, error) {
	now := a.Clock.Now()
	// What is put on sale here was put on sale when the past began.
	system, then := a.Clock, clock.NewFake(now.Add(-pastSpan))
	a.Clock, a.Flows.Clock = then, then
	defer func() { a.Clock, a.Flows.Clock = system, system }()
	sale, stock, err := pastOffer(ctx, a)
	if err != nil {
		return nil, err
	}
	p := &past{app: a}
	if err := a.DB.View(ctx, func(tx *db.Tx) error {
		found, err := a.Flows.Catalogue.Versions(ctx, tx, []id.OfferVersion{sale.VersionID})
		if err != nil {
			return err
		}
		p.version = found[sale.VersionID]
		p.batch, err = unfinished(ctx, tx, stock, soldName)
		return err
	}); err != nil || p.batch != nil {
		return p, err
	}
	if err := a.DB.Do(ctx, func(tx *db.Tx) error {
		accepted := terms.In(pastLang, p.version.Content)
		return a.Flows.Orders.KeepTerms(ctx, tx, []order.Terms{{Hash: accepted.Hash, Lang: string(accepted.Lang), Body: accepted.Text, KeptAt: then.Now()}})
	}); err != nil {
		return nil, err
	}
	p.batch, err = a.Flows.BeginGenerate(ctx, flow.Generate{Stock: stock, Format: vault.DefaultFormat, Count: n, Issuer: "bench", Name: soldName, By: "system"})
	return p, err
}

// pastOffer is what was sold, and the stock of its codes.
func pastOffer(ctx context.Context, a *app.App) (catalogue.Offer, id.Stock, error) {
	var o catalogue.Offer
	var stock id.Stock
	look := func(tx *db.Tx) (err error) {
		if o, err = a.Flows.Catalogue.OfferBySlug(ctx, tx, pastSlug); err != nil {
			return err
		}
		found, err := a.Flows.Inventory.ByName(ctx, tx, []string{pastSlug})
		if s := found[pastSlug]; s != nil {
			stock = s.ID
		}
		return err
	}
	err := a.DB.View(ctx, look)
	if fault.CodeOf(err) == "catalogue.no_offer" {
		if _, _, err = sell(ctx, a, pastSlug); err == nil {
			err = a.DB.View(ctx, look)
		}
	}
	return o, stock, err
}

// unfinished finds the batch of a name that isn't full, nil when there is none.
func unfinished(ctx context.Context, tx *db.Tx, stock id.Stock, name string) (*vault.Batch, error) {
	found, err := vault.Batches(ctx, tx, stock, "", 1000)
	for _, b := range found {
		if b.Name == name && b.State == vault.Filling {
			return b, err
		}
	}
	return nil, err
}

// free makes sure that so many codes of the offer are free.
func (p *past) free(ctx context.Context, n int64, progress func(string)) error {
	var left *vault.Batch
	var stock *inventory.Stock
	if err := p.app.DB.View(ctx, func(tx *db.Tx) error {
		found, err := p.app.Flows.Inventory.Stocks(ctx, tx, []id.Stock{p.batch.Stock})
		if err != nil {
			return err
		}
		stock = found[p.batch.Stock]
		left, err = unfinished(ctx, tx, p.batch.Stock, freeName)
		return err
	}); err != nil {
		return err
	}
	tell := newPace(progress, "free codes")
	if left != nil {
		_, err := p.app.Flows.ResumeGenerate(ctx, left.ID, tell.at)
		return err
	}
	if n -= stock.Available; n <= 0 {
		return nil
	}
	_, err := p.app.Flows.GenerateCodes(ctx, flow.Generate{Stock: stock.ID, Format: vault.DefaultFormat, Count: n, Issuer: "bench", Name: freeName, By: "system"}, tell.at)
	return err
}

// settle lets PostgreSQL learn how large its tables have become before it is measured: left
// to itself it finds out, and does so, in the midst of a run.
func settle(ctx context.Context, d *db.DB) error {
	if d.Dialect() != db.Postgres {
		return nil
	}
	return d.Script(ctx, `ANALYZE;`)
}

// pace tells every few seconds how far a long piece of work is.
type pace struct {
	tell        func(string)
	what        string
	begun, last time.Time
	first       int64 // how much had been done when it began
}

func newPace(tell func(string), what string) *pace {
	return &pace{tell: tell, what: what, begun: time.Now(), last: time.Now(), first: -1}
}

func (p *pace) at(done, total int64) {
	now := time.Now()
	if p.first < 0 {
		p.first, p.begun = done, now
	}
	if now.Sub(p.last) < 5*time.Second && done < total {
		return
	}
	p.last = now
	rate := float64(done-p.first) / max(now.Sub(p.begun).Seconds(), 1e-3)
	text := fmt.Sprintf("%s: %d of %d, %.0f/s", p.what, done, total, rate)
	if rate > 0 && done < total {
		text += fmt.Sprintf(", %s left", time.Duration(float64(total-done)/rate*float64(time.Second)).Round(time.Second))
	}
	p.tell(text)
}
