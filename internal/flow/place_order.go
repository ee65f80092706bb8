package flow

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/waiting"
)

// HoldFor is how long an order holds its units while it waits for payment.
const HoldFor = 15 * time.Minute

// MaxLines is how many offers one order may have.
const MaxLines = 20

// Place is the command to place an order.
type Place struct {
	Request     order.KeyOf // who asks, and the idempotency key
	RequestHash []byte      // of everything the request says
	Party       id.Party    // "" for a guest
	Phone       string
	OwnPhone    string // the account's, where it has one
	Device      string // the secret that a browser or an application keeps; "" when there is none
	DeviceKind  string // "mobile", "tablet", "desktop"; "" when it isn't known
	Email       string
	Lang        string
	Channel     string
	Gateway     string // where it is to be paid
	Lines       []PlaceLine
	// Conflicts is the hash of the findings that the shopper acknowledged; see conflicts.judge.
	Conflicts string
}

// PlaceLine is an offer wanted.
type PlaceLine struct {
	Offer    id.Offer
	Quantity int64
	// Expect is the version the shopper was shown. When another is sold, it must have the
	// same terms and the price that ExpectPrice says. "" expects nothing.
	Expect id.OfferVersion
	// ExpectPrice is the unit price the shopper was shown, in minor units; another price, or
	// another currency, refuses the order with the new one. 0 expects nothing.
	ExpectPrice  int64
	Picks        order.Picks // of each choice that is made when ordering
	Ticket       string      // of the waiting room, where the offer has one
	Acknowledged string      // hash of the terms.Sheet the shopper accepted, in whatever language; another than what is sold has refuses the order
}

// Placed is the answer to Place.
type Placed struct {
	Order    *order.Order
	Intent   *payment.Intent
	Repeated bool // the same request had been carried out before
}

// Place places an order: price decided by us, units reserved, an intent to pay recorded.
// A sold-out offer is refused without asking the database.
func (f *Flows) Place(ctx context.Context, c Place) (Placed, error) {
	if err := c.Request.Check(); err != nil {
		return Placed{}, err
	}
	if len(c.Lines) == 0 || len(c.Lines) > MaxLines {
		return Placed{}, fault.New(fault.Invalid, "order.lines", "limit", strconv.Itoa(MaxLines))
	}
	for i, l := range c.Lines {
		for _, m := range c.Lines[:i] {
			if m.Offer == l.Offer {
				return Placed{}, fault.New(fault.Invalid, "order.offer_twice")
			}
		}
	}
	if err := f.soldOutAlready(c); err != nil {
		return Placed{}, err
	}
	return f.place.Do(ctx, c)
}

func (f *Flows) placeAll(ctx context.Context, tx *db.Tx, commands []Place) ([]db.Answer[Placed], error) {
	now := f.Clock.Now()
	answers := make([]db.Answer[Placed], len(commands))
	keys := make([]order.KeyOf, len(commands))
	var offers []id.Offer
	for i, c := range commands {
		keys[i] = c.Request
		for _, l := range c.Lines {
			offers = append(offers, l.Offer)
		}
	}
	before, err := f.Orders.ByKeys(ctx, tx, keys)
	if err != nil {
		return nil, err
	}
	declared, err := f.Catalogue.AskRelations(ctx, tx)
	if err != nil {
		return nil, err
	}
	sale, err := f.Catalogue.ForSale(ctx, tx, distinct(offers), now)
	if err != nil {
		return nil, err
	}
	relations, err := declared()
	if err != nil {
		return nil, err
	}
	all := checks{&rules{Flows: f}, &conflicts{Flows: f, relations: relations}, &rooms{Flows: f, sale: sale}}
	was, err := f.shownBefore(ctx, tx, commands, sale)
	if err != nil {
		return nil, err
	}

	work := make([]*placing, len(commands))
	first := map[order.KeyOf]int{}
	var stocks []id.Stock
	var names []string // of the tallies to be locked
	for i, c := range commands {
		w := &placing{Place: c, twin: -1}
		if old := before[c.Request]; old != nil {
			answers[i] = f.repeated(ctx, tx, old, c)
			continue
		}
		if twin, ok := first[c.Request]; ok {
			w.twin, work[i] = twin, w
			continue
		}
		if err := w.quote(&f.sheets, sale, was, now); err != nil {
			answers[i].Err = err
			continue
		}
		if err := all.add(w); err != nil {
			answers[i].Err = err
			continue
		}
		first[c.Request], work[i] = i, w
		names = append(append(names, tallies([]*order.Order{w.order})...), w.guards...)
		for _, need := range w.need {
			for s := range need {
				stocks = append(stocks, s)
			}
		}
	}

	if err := all.ask(ctx, tx); err != nil {
		return nil, err
	}
	book, limits, err := f.lockTaken(ctx, tx, stocks, names)
	if err != nil {
		return nil, err
	}
	if err := all.load(ctx, tx); err != nil {
		return nil, err
	}
	if err := f.setAside(ctx, tx, book, now); err != nil {
		return nil, err
	}
	var orders []*order.Order
	var intents []*payment.Intent
	var made []order.KeyOf
	var refused []int
	var acks []order.Acknowledgement
	var uses []waiting.Use
	for i, w := range work {
		if w == nil || w.twin >= 0 {
			continue
		}
		if err := w.within(limits, sale, now); err != nil {
			answers[i].Err, refused = err, append(refused, i)
			continue
		}
		if err := all.judge(w, now); err != nil {
			answers[i].Err, refused = err, append(refused, i)
			continue
		}
		if err := reserve(book, w, sale, now); err != nil {
			answers[i].Err, refused = err, append(refused, i)
			continue
		}
		w.held = true
		uses = append(uses, w.uses...)
		if w.ack != nil {
			acks = append(acks, *w.ack)
		}
		for j := range w.order.Lines {
			limits.Count(&w.order.Lines[j], w.order.Lines[j].Quantity)
		}
		orders, intents, made = append(orders, w.order), append(intents, w.intent), append(made, w.Request)
		answers[i].Result = Placed{Order: w.order, Intent: w.intent}
	}
	if err := f.placedMeanwhile(ctx, tx, commands, refused, answers); err != nil {
		return nil, err
	}
	for i, w := range work {
		if w != nil && w.twin >= 0 {
			answers[i] = twin(answers[w.twin], commands[w.twin], w.Place)
		}
	}
	tx.AfterCommit(func() { f.placed.keys.add(made...) }) // before Save has the gate told, which would refuse them
	if err := f.Inventory.Save(ctx, tx, book, now); err != nil {
		return nil, err
	}
	if err := f.Orders.SaveTallies(ctx, tx, limits); err != nil {
		return nil, err
	}
	if err := f.keepTerms(ctx, tx, work, now); err != nil {
		return nil, err
	}
	if err := f.Orders.Add(ctx, tx, orders); err != nil {
		return nil, err
	}
	if err := f.Rooms.Record(ctx, tx, uses, now); err != nil {
		return nil, err
	}
	if err := f.Orders.Acknowledge(ctx, tx, acks); err != nil {
		return nil, err
	}
	return answers, f.Payments.AddIntents(ctx, tx, intents)
}
