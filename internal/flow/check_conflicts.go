package flow

import (
	"context"
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/order"
)

// Wanted is how many of a version somebody wants.
type Wanted struct {
	Version  *catalogue.Version
	Quantity int64
	Picks    order.Picks
}

// partsOf lists what a moment's buyer gets for sure. What is picked later is held against the
// relations when it is picked; see Choose.
func partsOf(all []Wanted, now time.Time) []catalogue.Part {
	var out []catalogue.Part
	for _, w := range all {
		for _, p := range w.Version.Content.Sure(w.Picks, now) {
			p.Quantity *= w.Quantity
			out = append(out, p)
		}
	}
	return out
}

// Conflicts finds what wanting versions means for what a party holds ("" holds nothing
// known), as a purchase would find it at a moment. It reports whether any relation speaks of
// them.
func (f *Flows) Conflicts(ctx context.Context, tx *db.Tx, party id.Party, wanted []Wanted, now time.Time) (found []catalogue.Finding, touched bool, err error) {
	all, touched, err := f.means(ctx, tx, party, now, partsOf(wanted, now))
	if err != nil {
		return nil, false, err
	}
	return all[0], touched, nil
}

// means finds what having each of some sets of parts means for what a party holds.
func (f *Flows) means(ctx context.Context, tx *db.Tx, party id.Party, now time.Time, sets ...[]catalogue.Part) (found [][]catalogue.Finding, touched bool, err error) {
	relations, err := f.Catalogue.Relations(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	c := conflicts{Flows: f, relations: relations}
	all := make([]*placing, len(sets))
	for i, parts := range sets {
		all[i] = &placing{Place: Place{Party: party}, parts: parts}
		c.touch(all[i])
		touched = touched || all[i].touched
	}
	if err := c.ask(ctx, tx); err != nil {
		return nil, false, err
	}
	if err := c.load(ctx, tx); err != nil {
		return nil, false, err
	}
	for _, w := range all {
		found = append(found, c.find(w, now))
	}
	return found, touched, nil
}

// conflicts holds a batch against the relations between benefits. What no relation speaks of
// costs nothing.
type conflicts struct {
	*Flows
	relations []catalogue.Relation
	parties   []id.Party // whose rights matter
	placed    []*placing // whose parts are touched, in the order of the batch
	had       map[id.Party][]entitlement.Had
	holdings  map[id.Party][]catalogue.Holding
}

func (c *conflicts) add(w *placing) error {
	if len(c.relations) > 0 {
		w.parts = partsOf(w.wanted, c.Clock.Now())
		c.touch(w)
	}
	return nil
}

func (c *conflicts) touch(w *placing) {
	touched := catalogue.Touched(c.relations, w.parts)
	if w.touched = len(touched) > 0; !w.touched || w.Party == "" {
		return
	}
	c.parties, c.placed = append(c.parties, w.Party), append(c.placed, w)
	if slices.ContainsFunc(touched, func(r catalogue.Relation) bool { return r.Severity != catalogue.Inform }) {
		w.guards = append(w.guards, Buyer{Party: w.Party}.guards()...)
	}
}

// ask asks for what the parties hold.
func (c *conflicts) ask(ctx context.Context, tx *db.Tx) error {
	if len(c.parties) == 0 {
		return nil
	}
	var err error
	c.had, err = c.Rights.HadBy(ctx, tx, distinct(c.parties))
	return err
}

// load asks for what the parties ordered and may still pay for, once those that order side by
// side are locked against each other, and puts each right beside the benefit that it was given of.
func (c *conflicts) load(ctx context.Context, tx *db.Tx) error {
	if len(c.parties) == 0 {
		return nil
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	var coded []id.Right
	var ids []id.OfferVersion
	for _, all := range c.had {
		for _, h := range all {
			if n := len(ids); n == 0 || ids[n-1] != h.Version {
				ids = append(ids, h.Version)
			}
			if h.Coded {
				coded = append(coded, h.ID)
			}
		}
	}
	shown, err := c.Rights.FirstShown(ctx, tx, coded)
	if err != nil {
		return err
	}
	waiting, err := c.Orders.AskUnpaid(ctx, tx, distinct(c.parties))
	if err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	for _, all := range waiting {
		for _, u := range all {
			ids = append(ids, u.Version)
		}
	}
	versions, err := c.Catalogue.Versions(ctx, tx, distinct(ids))
	if err != nil {
		return err
	}
	c.holdings = make(map[id.Party][]catalogue.Holding, len(c.had))
	for party, all := range c.had {
		held := make([]catalogue.Holding, 0, len(all))
		var v *catalogue.Version
		for i, h := range all {
			if i == 0 || h.Version != all[i-1].Version {
				v = versions[h.Version]
			}
			if v != nil && h.Part < int64(len(v.Content.Parts)) && !unpicked(h, v) {
				held = append(held, catalogue.Hold(h.ID, &v.Content.Parts[h.Part].Benefit, h.StartsAt, h.EndsAt, shown[h.ID], h.State.Spent()))
			}
		}
		c.holdings[party] = held
	}
	for party, all := range waiting {
		for _, u := range all {
			if v := versions[u.Version]; v != nil {
				c.expect(party, string(u.Line), partsOf([]Wanted{{Version: v, Quantity: u.Quantity, Picks: u.Picks}}, u.CreatedAt), u.CreatedAt)
			}
		}
	}
	return nil
}

// expect counts what somebody ordered and hasn't paid for as held.
func (c *conflicts) expect(party id.Party, of string, parts []catalogue.Part, at time.Time) {
	for i := range parts {
		for n := range parts[i].Quantity {
			right := id.Right(of + "/" + strconv.Itoa(i) + "/" + strconv.FormatInt(n, 10))
			c.holdings[party] = append(c.holdings[party], catalogue.Await(right, &parts[i].Benefit, at))
		}
	}
}

// note counts what the orders of the batch before w gave the same buyer to pay for.
func (c *conflicts) note(w *placing, now time.Time) {
	for len(c.placed) > 0 && c.placed[0] != w {
		if other := c.placed[0]; other.held {
			c.expect(other.Party, string(other.order.ID), other.parts, now)
		}
		c.placed = c.placed[1:]
	}
}

// unpicked reports whether a right is still to be picked: it is nothing yet.
func unpicked(h entitlement.Had, v *catalogue.Version) bool {
	return h.Waits == entitlement.WaitChoice || h.Waits == entitlement.WaitRelease && v.Content.Undecided(int(h.Part))
}

func (c *conflicts) find(w *placing, now time.Time) []catalogue.Finding {
	if !w.touched {
		return nil
	}
	return catalogue.Conflicts(c.holdings[w.Party], w.parts, c.relations, now)
}

// judge refuses a command that what its buyer holds forbids, or that has to be acknowledged
// and wasn't, or was as something else. What was is kept with the order.
func (c *conflicts) judge(w *placing, now time.Time) error {
	if w.touched && w.Party != "" {
		c.note(w, now)
	}
	found := c.find(w, now)
	ack, err := agreed(found, w.Conflicts, "order")
	if ack != nil {
		w.ack = &order.Acknowledgement{Order: w.order.ID, Hash: ack.Hash, Text: ack.Text, Lang: string(ack.Lang), At: now}
	}
	return err
}

func refusal(code string, all []catalogue.Finding) error {
	f := fault.New(fault.Conflict, code, explained(all)...)
	for _, one := range all {
		f.At("conflicts", "order.conflict_one", explained([]catalogue.Finding{one})...)
	}
	return f
}
