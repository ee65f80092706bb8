package flow

import (
	"context"
	"errors"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/money"
	"hufu/internal/rule"
)

// Visit is where a buyer is: what rules may ask of it.
type Visit struct {
	Channel string
	Device  string // "mobile", "tablet", "desktop"; "" when it isn't known
}

// Refused is a rule that doesn't let a buyer.
type Refused struct {
	Line  int // of what was wanted
	Title catalogue.Text
	Rule  catalogue.Issuing
	// Why is told to the buyer: the author's words, or what isn't met; of a guest whom it can't
	// judge, that they have to sign in.
	Why catalogue.Text
	// SignIn is set when the rule might let who signs in.
	SignIn bool
	Detail rule.Explanation // for staff, who may read what is private
}

// Qualifies tells which rules don't let a buyer have what is wanted at a moment: none when an
// order would pass them. It may be out of date at once; only an order counts.
func (f *Flows) Qualifies(ctx context.Context, tx *db.Tx, wanted []Wanted, b Buyer, at Visit, now time.Time) ([]Refused, error) {
	c := rules{Flows: f}
	w := &placing{Place: Place{Party: b.Party, Phone: b.Phone, OwnPhone: b.OwnPhone, Device: b.Device, Channel: at.Channel, DeviceKind: at.Device}, wanted: wanted}
	if err := c.add(w); err != nil || w.issued.rules == nil {
		return nil, err
	}
	if err := c.ask(ctx, tx); err != nil {
		return nil, err
	}
	if err := c.load(ctx, tx); err != nil {
		return nil, err
	}
	return c.find(w, now)
}

// refused explains why the i-th rule of a version doesn't let.
func refused(line int, v *catalogue.Version, i int, why rule.Explanation, guest bool) Refused {
	signIn := false
	for _, name := range why.Unknown() {
		signIn = signIn || guest && (strings.HasPrefix(name, "customer.") || name == "region")
	}
	r := Refused{Line: line, Title: v.Content.Title, Rule: v.Content.Rules[i], SignIn: signIn, Detail: why,
		Why: catalogue.Text{ZH: strings.Join(why.Shopper(i18n.ZH), ""), EN: strings.Join(why.Shopper(i18n.EN), " ")}}
	if signIn { // the author's words are for whom it doesn't let
		r.Why = catalogue.Text{ZH: i18n.ZH.T("order.rule.sign_in", "rule", r.Rule.Name.ZH), EN: i18n.EN.T("order.rule.sign_in", "rule", r.Rule.Name.EN)}
	}
	return r
}

// refusedBy is the fault of being refused by a rule.
func refusedBy(r Refused) *fault.Error {
	code := "order.rule"
	if r.SignIn {
		code = "order.rule_sign_in"
	}
	params := append(r.Rule.Name.Param("rule"), r.Title.Param("title")...)
	return fault.New(fault.Conflict, code, append(params, r.Why.Param("why")...)...)
}

// facts sets facts until one can't be set.
type facts struct {
	f   *rule.Facts
	err error
}

func (k *facts) set(name string, v rule.Value) {
	if k.err == nil {
		k.err = k.f.Set(name, v)
	}
}

// text sets a text that is known when there is one.
func (k *facts) text(name, s string) {
	if s != "" {
		k.set(name, rule.Text(s))
	}
}

// customer sets what a shop knows of a member. Who has no level or tags is known to have none;
// a region that nobody gave isn't known.
func (k *facts) customer(p identity.Party, now time.Time) {
	k.set("customer.age_days", rule.Int(p.AgeDays(now)))
	k.set("customer.active_days_30", rule.Int(p.ActiveDays(now)))
	k.set("customer.level", rule.Text(p.Level))
	k.set("customer.tags", rule.Set(p.Tags.List()...))
	k.text("region", p.Region)
}

// order sets what follows from what is wanted.
func (k *facts) order(wanted []Wanted) {
	amount, units, err := total(wanted)
	k.set("order.quantity", rule.Int(units))
	if err == nil { // what can't be added up isn't known, and can't be ordered
		k.set("order.amount", rule.Amount(amount))
	}
}

// stock sets how many of an offer can be sold; an offer without a stock has no such number.
func (k *facts) stock(c catalogue.Content, free func(id.Stock) int64, now time.Time) {
	if n, limited := c.Sellable(free, now); limited {
		k.set("stock.available", rule.Int(n))
	}
}

// total is what wanted costs together, and how many units it is.
func total(wanted []Wanted) (money.Amount, int64, error) {
	var sum money.Amount
	var units int64
	var failed error
	for i, w := range wanted {
		amount, err := quoteOf(w.Version).Unit.Times(w.Quantity)
		if i == 0 {
			sum.Currency = amount.Currency
		}
		if err == nil {
			sum, err = sum.Add(amount)
		}
		failed = errors.Join(failed, err)
		units += w.Quantity
	}
	return sum, units, failed
}

// guards are the names under which orders of one buyer wait for each other when the number of
// orders decides.
func (b Buyer) guards() []string {
	var out []string
	if b.Party != "" {
		out = append(out, "orders/party:"+string(b.Party))
	}
	for _, phone := range distinct([]string{b.Phone, b.OwnPhone}) {
		if phone != "" {
			out = append(out, "orders/phone:"+hashed("phone", phone))
		}
	}
	return out
}
