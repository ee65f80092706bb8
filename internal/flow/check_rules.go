package flow

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/rule"
)

// rules hold a batch against the issuing rules of what is wanted (发放规则). Only the facts
// that a rule of the batch reads are loaded, each kind with one query; offers without rules
// cost nothing.
type rules struct {
	*Flows
	counted   []*placing // in the order of the batch: those placed before may count for the next
	parties   []id.Party
	phones    []string
	stocks    []id.Stock
	customers map[id.Party]identity.Party
	counts    order.Counts
	noted     int // of counted, those that counts knows of
	available func(channel string) func(id.Stock) int64
	facts     *rule.Facts
}

// issued is what a placing is held against.
type issued struct {
	rules                           [][]*rule.Rule // of each line
	customer, orders, moment, stock bool           // whether one reads such facts
}

func (c *rules) add(w *placing) error {
	c.counted = append(c.counted, w)
	for i, wanted := range w.wanted {
		all, err := wanted.Version.Rules()
		if err != nil {
			return err
		}
		if len(all) == 0 {
			continue
		}
		if w.issued.rules == nil {
			w.issued.rules = make([][]*rule.Rule, len(w.wanted))
		}
		w.issued.rules[i] = all
		for _, r := range all {
			w.issued.reads(r)
		}
		if w.issued.stock {
			c.stocks = append(c.stocks, wanted.Version.Content.Stocks()...)
		}
	}
	if w.issued.customer && w.Party != "" {
		c.parties = append(c.parties, w.Party)
	}
	if w.issued.orders && w.Party != "" {
		w.guards = w.buyer().guards()
		c.phones = append(c.phones, w.phones()...)
	}
	return nil
}

func (s *issued) reads(r *rule.Rule) {
	for _, name := range r.Needs() {
		switch {
		case name == "customer.orders":
			s.orders, s.customer = true, true
		case strings.HasPrefix(name, "customer."), name == "region":
			s.customer = true
		case name == "stock.available":
			s.stock = true
		case slices.Contains(momentFacts, name):
			s.moment = true
		}
	}
}

var momentFacts = []string{"now", "today", "hour", "weekday", "month_day"}

// ask asks for the customers, before anything is locked: nothing that is decided here changes
// by another order but the number of orders.
func (c *rules) ask(ctx context.Context, tx *db.Tx) (err error) {
	c.customers, err = identity.AskCustomers(ctx, tx, distinct(c.parties))
	return err
}

// load counts orders once those that ask are locked against each other: whoever was first has
// committed by then, and is counted.
func (c *rules) load(ctx context.Context, tx *db.Tx) (err error) {
	if len(c.phones) > 0 || slices.ContainsFunc(c.counted, func(w *placing) bool { return w.guards != nil }) {
		if c.counts, err = c.Orders.AskCounts(ctx, tx, distinct(c.parties), distinct(c.phones)); err != nil {
			return err
		}
	}
	if len(c.stocks) > 0 {
		if c.available, err = c.Inventory.FreeFor(ctx, tx, distinct(c.stocks)); err != nil {
			return err
		}
	}
	if len(c.parties) == 0 {
		return nil
	}
	return tx.Flush(ctx)
}

// judge refuses an order that a rule doesn't let, with every rule of it that doesn't.
func (c *rules) judge(w *placing, now time.Time) error {
	all, err := c.find(w, now)
	if err != nil || len(all) == 0 {
		return err
	}
	f := refusedBy(all[0])
	for _, r := range all {
		one := refusedBy(r)
		f.Fields = append(f.Fields, fault.Field{Path: "lines[" + strconv.Itoa(r.Line) + "].offer", Code: one.Code, Params: one.Params})
	}
	return f
}

// find gives the rules that don't let an order.
func (c *rules) find(w *placing, now time.Time) ([]Refused, error) {
	var out []Refused
	for line, all := range w.issued.rules {
		for i, r := range all {
			if i == 0 {
				if err := c.learn(w, line, now); err != nil {
					return nil, err
				}
			}
			if truth, err := r.Eval(c.facts); err != nil {
				return nil, err
			} else if truth == rule.Yes {
				continue
			}
			why, err := r.Explain(c.facts)
			if err != nil {
				return nil, err
			}
			out = append(out, refused(line, w.wanted[line].Version, i, why, w.Party == ""))
		}
	}
	return out, nil
}

// learn sets what is known when a line of an order is judged. Of a guest nothing is: a phone
// number that was merely typed proves nothing.
func (c *rules) learn(w *placing, line int, now time.Time) error {
	if c.facts == nil {
		c.facts = catalogue.RuleWords().Facts()
	}
	f := c.facts
	f.Reset()
	known := facts{f: f}
	known.set("customer.signed_in", rule.Bool(w.Party != ""))
	known.text("channel", w.Channel)
	known.text("device", w.DeviceKind)
	if p, ok := c.customers[w.Party]; ok && w.Party != "" {
		known.customer(p, now)
		if w.issued.orders {
			c.note(w)
			known.set("customer.orders", rule.Int(c.counts.Of(w.Party, w.phones()...)))
		}
	}
	known.order(w.wanted)
	if w.issued.stock {
		known.stock(w.wanted[line].Version.Content, c.available(w.Channel), now)
	}
	if w.issued.moment && known.err == nil {
		known.err = f.SetMoment(now)
	}
	return known.err
}

// note counts the orders that the batch has placed before w.
func (c *rules) note(w *placing) {
	for c.noted < len(c.counted) && c.counted[c.noted] != w {
		if other := c.counted[c.noted]; other.held {
			c.counts.Add(other.Party, other.Phone)
		}
		c.noted++
	}
}

func (w *placing) buyer() Buyer { return Buyer{w.Party, w.Phone, w.OwnPhone, w.Device} }

func (w *placing) phones() []string {
	return slices.DeleteFunc(distinct([]string{w.Phone, w.OwnPhone}), func(s string) bool { return s == "" })
}
