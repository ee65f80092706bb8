package console

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/rule"
	"hufu/internal/web/ui"
)

// The bounds of a preview.
const (
	previewPage    = 2000 // customers that are read at a time
	previewSamples = 5    // of those who qualify, and of those who don't
)

// rulePreview is who of the store's customers would qualify.
type rulePreview struct {
	Channels []ui.Option
	At       string // moment that it is asked for, "" for now
	Asked    bool
	Problem  string // why there is no answer
	Title    string // the answer in a sentence
	AsOf     string
	Bar      []ui.Part
	Reasons  []previewReason
	In, Out  []previewed
}

// previewed is a customer as staff may see one.
type previewed struct{ Who, About string }

// previewReason is a part of a rule, and how many it leaves out.
type previewReason struct {
	Rule, Text     string
	LeftOut, Alone int
}

// previewRules asks who would qualify, when the form asks it.
func (v *visit) previewRules(f url.Values, words *rule.Vocabulary, drafts []ruleDraft) (rulePreview, error) {
	d := rulePreview{At: single(f, "rules.at"), Asked: single(f, "rules.previewed") != ""}
	channel := single(f, "rules.channel")
	if !slices.Contains(catalogue.Channels, channel) {
		channel = catalogue.Channels[0]
	}
	for _, c := range catalogue.Channels {
		d.Channels = append(d.Channels, ui.Option{Value: c, Label: v.t("limit.channel." + c), Selected: channel == c})
	}
	if !d.Asked {
		return d, nil
	}
	moment, ok := v.readTime(d.At)
	if !ok {
		d.Problem = v.t("fault.console.time")
		return d, nil
	}
	if moment.IsZero() {
		moment = v.c.now()
	}
	a := audience{now: moment, channel: channel}
	for i := range drafts {
		if drafts[i].Gone {
			continue
		}
		text, err := drafts[i].source(words)
		r, bad := words.Compile(rule.Source{Text: text})
		if err != nil || bad != nil {
			d.Problem = v.t("console.rules.preview.unready")
			return d, nil
		}
		name := v.pick(drafts[i].Name)
		if name == "" {
			name = v.t("console.rules.nth", "n", ui.FormatInt(int64(i+1)))
		}
		a.rules = append(a.rules, &audienceRule{Rule: r, name: name, all: r.Tally(), alone: r.Tally()})
	}
	if err := v.aboutOffer(f, &a); err != nil {
		return d, err
	}
	if err := a.count(v.r.Context(), v.c.Flows.DB, v.c.Identity, v.c.Flows.Orders, words); err != nil {
		return d, err
	}
	v.sayAudience(&d, &a)
	return d, nil
}

// aboutOffer notes what rules may ask of one unit of the offer as the form has it.
func (v *visit) aboutOffer(f url.Values, a *audience) error {
	o, _ := v.readOffer(catalogue.Offer{}, maps.Clone(f), nil)
	if o.Draft.Price.Minor > 0 {
		a.amount = rule.Amount(o.Draft.Price)
	}
	if !a.reads("stock.available") {
		return nil
	}
	return v.view(func(tx *db.Tx) error {
		if err := v.fillParts(tx, &o); aboutInput(err) {
			return nil // parts that can't be sold yet have no stock
		} else if err != nil {
			return err
		}
		stocks, err := v.c.Flows.Inventory.Stocks(v.r.Context(), tx, o.Draft.Stocks())
		if err != nil {
			return err
		}
		if n, limited := o.Draft.Sellable(inventory.Free(stocks), a.now); limited {
			a.stock = rule.Int(n)
		}
		return nil
	})
}

// sayAudience puts what was counted in words.
func (v *visit) sayAudience(d *rulePreview, a *audience) {
	d.AsOf = v.t("console.rules.preview.as_of", "at", v.when(v.c.now()), "channel", v.t("limit.channel."+a.channel), "moment", v.when(a.now))
	if a.seen == 0 {
		d.Problem = v.t("console.rules.preview.nobody")
		return
	}
	percent := strconv.FormatFloat(float64(a.qualify)*100/float64(a.seen), 'f', 1, 64) + "%"
	d.Title = v.t("console.rules.preview.title", "all", ui.FormatInt(int64(a.seen)), "n", ui.FormatInt(int64(a.qualify)), "percent", percent)
	d.Bar = []ui.Part{{Label: v.t("console.rules.preview.qualify"), Value: int64(a.qualify)}, {Label: v.t("console.rules.preview.left"), Value: int64(a.seen - a.qualify - a.unknown)}}
	if a.unknown > 0 {
		d.Bar = append(d.Bar, ui.Part{Label: v.t("console.rules.preview.unknown"), Value: int64(a.unknown)})
	}
	for _, r := range a.rules {
		alone := r.alone.Reasons()
		for i, why := range r.all.Reasons() {
			if why.LeftOut > 0 {
				d.Reasons = append(d.Reasons, previewReason{Rule: r.name, Text: why.Clause.Say(v.lang), LeftOut: why.LeftOut, Alone: alone[i].Alone})
			}
		}
	}
	slices.SortStableFunc(d.Reasons, func(x, y previewReason) int { return y.LeftOut - x.LeftOut })
	for _, p := range a.in {
		d.In = append(d.In, previewed{masked(p), v.customerAbout(p, a.now)})
	}
	for _, p := range a.out {
		d.Out = append(d.Out, previewed{masked(p.Party), strings.Join(p.why.Staff(v.lang), v.t("console.rules.and"))})
	}
}

// customerAbout is what a shop knows of a customer, in a line.
func (v *visit) customerAbout(p identity.Party, now time.Time) string {
	about := []string{v.t("console.rules.sample.since", "n", strconv.FormatInt(p.AgeDays(now), 10)), v.t("console.rules.sample.active", "n", strconv.FormatInt(p.ActiveDays(now), 10))}
	for _, s := range append([]string{p.Level, p.Region}, p.Tags.List()...) {
		if s != "" {
			about = append(about, s)
		}
	}
	return strings.Join(about, v.t("console.comma"))
}

// audience counts rules over all customers.
type audience struct {
	rules                  []*audienceRule
	now                    time.Time
	channel                string
	amount, stock          rule.Value
	seen, qualify, unknown int
	in                     []identity.Party
	out                    []leftOut
}

type audienceRule struct {
	*rule.Rule
	name  string
	all   *rule.Tally
	alone *rule.Tally // of those whom all the other rules let in
}

type leftOut struct {
	identity.Party
	why rule.Explanation
}

func (a *audience) reads(fact string) bool {
	return slices.ContainsFunc(a.rules, func(r *audienceRule) bool { return r.Reads(fact) })
}

// count reads the customers, the newest first, some at a time.
func (a *audience) count(ctx context.Context, d *db.DB, people *identity.Service, orders *order.Service, words *rule.Vocabulary) error {
	f := words.Facts()
	for before := id.Party(""); ; {
		var all []identity.Party
		var counts order.Counts
		if err := d.View(ctx, func(tx *db.Tx) (err error) {
			if all, err = people.Shoppers(ctx, tx, before, previewPage); err != nil || !a.reads("customer.orders") {
				return err
			}
			parties, phones := make([]id.Party, len(all)), []string(nil)
			for i, p := range all {
				parties[i] = p.ID
				if p.Phone != "" {
					phones = append(phones, p.Phone)
				}
			}
			if counts, err = orders.AskCounts(ctx, tx, parties, phones); err != nil {
				return err
			}
			return tx.Flush(ctx)
		}); err != nil {
			return err
		}
		for _, p := range all {
			if !p.Active {
				continue
			}
			if err := a.learn(f, p, counts); err != nil {
				return err
			}
			if err := a.judge(f, p); err != nil {
				return err
			}
		}
		if len(all) < previewPage {
			return nil
		}
		before = all[len(all)-1].ID
	}
}

// learn sets what a purchase would find known of a customer who signed in.
func (a *audience) learn(f *rule.Facts, p identity.Party, counts order.Counts) error {
	f.Reset()
	var failed error
	set := func(name string, val rule.Value) {
		if err := f.Set(name, val); err != nil {
			failed = err
		}
	}
	set("customer.signed_in", rule.Bool(true))
	set("customer.age_days", rule.Int(p.AgeDays(a.now)))
	set("customer.active_days_30", rule.Int(p.ActiveDays(a.now)))
	set("customer.level", rule.Text(p.Level))
	set("customer.tags", rule.Set(p.Tags.List()...))
	set("customer.orders", rule.Int(counts.Of(p.ID, p.Phone)))
	if p.Region != "" {
		set("region", rule.Text(p.Region))
	}
	set("channel", rule.Text(a.channel))
	set("order.quantity", rule.Int(1))
	set("order.amount", a.amount)
	set("stock.available", a.stock)
	if failed != nil {
		return failed
	}
	return f.SetMoment(a.now)
}

// judge counts one case.
func (a *audience) judge(f *rule.Facts, p identity.Party) error {
	a.seen++
	truth, unmet, last := rule.Yes, 0, -1
	for i, r := range a.rules {
		t, err := r.all.Add(f)
		if err != nil {
			return err
		}
		if t == rule.Yes {
			continue
		}
		unmet, last = unmet+1, i
		if t == rule.No || truth == rule.Yes {
			truth = t
		}
	}
	switch truth {
	case rule.Yes:
		a.qualify++
		if len(a.in) < previewSamples {
			a.in = append(a.in, p)
		}
		return nil
	case rule.Unknown:
		a.unknown++
	}
	if unmet == 1 {
		if _, err := a.rules[last].alone.Add(f); err != nil {
			return err
		}
	}
	if len(a.out) < previewSamples {
		why, err := a.rules[last].Explain(f)
		if err != nil {
			return err
		}
		a.out = append(a.out, leftOut{p, why})
	}
	return nil
}
