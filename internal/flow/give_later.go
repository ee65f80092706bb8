package flow

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/delivery"
	"hufu/internal/entitlement"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/vault"
)

// given is a right that becomes what it was promised to be: by being released, or by the pick
// of one of several options.
type given struct {
	right *entitlement.Right // locked
	step  string             // StepReleased or StepChosen
	actor string
	part  delivery.Part // what it becomes
	from  int64         // the part it stood at
	ack   *Agreement    // what its holder acknowledged of the pick, nil for nothing
}

// giving is the working set of rights that are given later than they were bought.
type giving struct {
	now   time.Time
	all   []given
	book  *inventory.Book
	codes map[id.Right]vault.Given
	takes []entitlement.Take

	bought map[id.Order]*order.Order // of the rights, where it matters which channel they were bought in
}

// open locks the stocks that the rights take from and picks their codes.
func (g *giving) open(ctx context.Context, tx *db.Tx, f *Flows) error {
	var stocks []id.Stock
	var rights []id.Right
	var wants []vault.Want
	most := map[id.Stock]int64{}
	for _, one := range g.all {
		rights = append(rights, one.right.ID)
		if one.part.Stock != "" {
			stocks = append(stocks, one.part.Stock)
		}
		if one.part.Coded {
			wants = append(wants, vault.Want{Right: one.right.ID, Stock: one.part.Stock})
			most[one.part.Stock]++
		}
	}
	var err error
	if g.book, err = f.Inventory.OpenFor(ctx, tx, stocks, rights); err != nil {
		return err
	}
	if g.book.Parted() {
		if g.bought, err = f.Orders.Get(ctx, tx, g.touched()); err != nil {
			return err
		}
	}
	if err := f.setAside(ctx, tx, g.book, g.now); err != nil {
		return err
	}
	reach, err := f.Codes.Reach(ctx, tx, most, g.now)
	if err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	g.codes, err = reach.Give(ctx, tx, wants)
	return err
}

// give has a right become what it is to be, with its unit and its code. It reports false, and
// changes nothing, when one of them isn't there.
func (g *giving) give(one given) bool {
	r, p := one.right, one.part
	code, ok := g.codes[r.ID]
	if p.Coded && !ok {
		return false
	}
	if p.Stock != "" && !g.book.Fulfil(r.ID, p.Stock) && !g.book.Take(g.channel(r), r.Line, map[id.Stock]int64{p.Stock: 1}, 1) {
		delete(g.codes, r.ID)
		return false
	}
	g.book.Swap(r.ID)
	r.Part, r.Benefit, r.Kind, r.Code = p.N, p.Benefit, p.Kind, code.Code
	r.StartsAt, r.EndsAt, r.Clock = p.StartsAt, delivery.Sooner(p.EndsAt, code.ExpiresAt), entitlement.Clock(p.Clock)
	g.takes = append(g.takes, entitlement.Take{Right: r, Kind: one.step, Actor: one.actor, Data: one.text(numbered(g.book, r.ID, g.now, p.Stock))})
	if p.Waits != "" {
		g.takes = append(g.takes, entitlement.Take{Right: r, Kind: entitlement.StepWaiting, Waits: p.Waits})
	}
	return true
}

// channel is the one that a right was bought in, "" where it doesn't matter.
func (g *giving) channel(r *entitlement.Right) string {
	if o := g.bought[r.Order]; o != nil {
		return o.Channel
	}
	return ""
}

// touched are the orders of all rights.
func (g *giving) touched() []id.Order {
	var out []id.Order
	for _, one := range g.all {
		out = append(out, one.right.Order)
	}
	return distinct(out)
}

// text is what the step records: of a pick, from which part to which.
func (one given) text(edition []Numbered) string {
	data := struct {
		Part *int64  `json:"part,omitempty"`
		From *int64  `json:"from,omitempty"`
		Code id.Code `json:"code,omitempty"`

		Edition      []Numbered `json:"edition,omitempty"`
		Acknowledged *Agreement `json:"acknowledged,omitempty"`
	}{Code: one.right.Code, Edition: edition, Acknowledged: one.ack}
	if one.step == entitlement.StepChosen {
		data.Part, data.From = &one.part.N, &one.from
	}
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return string(b)
}

// save writes what was given; codes picked for rights that got nothing stay free.
func (g *giving) save(ctx context.Context, tx *db.Tx, f *Flows) error {
	if g.book != nil {
		if err := f.Inventory.Save(ctx, tx, g.book, g.now); err != nil {
			return err
		}
		if err := f.Codes.Deliver(ctx, tx, g.codes, g.now); err != nil {
			return err
		}
	}
	if err := f.Rights.Take(ctx, tx, g.takes, g.now); err != nil {
		return err
	}
	f.changed(tx, g.orders()...)
	return nil
}

// orders are those whose rights have changed.
func (g *giving) orders() []id.Order {
	var out []id.Order
	for _, t := range g.takes {
		if !slices.Contains(out, t.Right.Order) {
			out = append(out, t.Right.Order)
		}
	}
	return out
}
