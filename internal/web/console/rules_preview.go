package console

import (
	"cmp"
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
	"hufu/internal/insight/audience"
	"hufu/internal/inventory"
	"hufu/internal/rule"
	"hufu/internal/web/ui"
)

// previewSamples is how many of those who qualify are shown.
const previewSamples = 5

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
	Samples  []previewed
}

// previewed is a customer as staff may see one.
type previewed struct{ Who, About string }

// previewReason is a part of a rule, and how many it leaves out.
type previewReason struct {
	Rule, Text     string
	LeftOut, Alone int64
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
	q := question{now: moment, channel: channel, visit: words.Facts()}
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
		q.rules, q.names = append(q.rules, r), append(q.names, name)
	}
	return d, v.view(func(tx *db.Tx) error {
		if err := v.aboutOffer(tx, f, &q); err != nil {
			return err
		}
		a, err := audience.Preview(v.r.Context(), tx, q.rules, q.visit, q.now, previewSamples)
		if err != nil {
			return err
		}
		people, err := v.c.Identity.Parties(v.r.Context(), tx, a.Samples)
		if err != nil {
			return err
		}
		v.sayAudience(&d, &q, a, people)
		return nil
	})
}

// question is what is asked about the customers.
type question struct {
	rules   []*rule.Rule
	names   []string // of the rules
	visit   *rule.Facts
	now     time.Time
	channel string
}

// aboutOffer notes what is the same for everybody who buys one unit of the offer as the form
// has it. What its parts lack of a stock isn't known.
func (v *visit) aboutOffer(tx *db.Tx, f url.Values, q *question) error {
	o, _ := v.readOffer(catalogue.Offer{}, maps.Clone(f), nil)
	known := map[string]rule.Value{"channel": rule.Text(q.channel), "order.quantity": rule.Int(1)}
	if o.Draft.Price.Minor > 0 {
		known["order.amount"] = rule.Amount(o.Draft.Price)
	}
	if slices.ContainsFunc(q.rules, func(r *rule.Rule) bool { return r.Reads("stock.available") }) {
		if err := v.fillParts(tx, &o); err == nil {
			stocks, err := v.c.Flows.Inventory.StocksFor(v.r.Context(), tx, q.channel, o.Draft.Stocks())
			if err != nil {
				return err
			}
			if n, limited := o.Draft.Sellable(inventory.Free(stocks), q.now); limited {
				known["stock.available"] = rule.Int(n)
			}
		} else if !aboutInput(err) {
			return err
		}
	}
	for name, val := range known {
		if err := q.visit.Set(name, val); err != nil {
			return err
		}
	}
	return q.visit.SetMoment(q.now)
}

// sayAudience puts an answer in words.
func (v *visit) sayAudience(d *rulePreview, q *question, a audience.Answer, people map[id.Party]identity.Party) {
	switch {
	case a.AsOf.IsZero():
		d.Problem = v.t("console.rules.preview.gathering")
		return
	case a.All == 0:
		d.Problem = v.t("console.rules.preview.nobody")
		return
	}
	d.AsOf = v.t("console.rules.preview.as_of", "at", v.when(a.AsOf), "channel", v.t("limit.channel."+q.channel), "moment", v.when(q.now))
	percent := strconv.FormatFloat(float64(a.Qualify)*100/float64(a.All), 'f', 1, 64) + "%"
	d.Title = v.t("console.rules.preview.title", "all", ui.FormatInt(a.All), "n", ui.FormatInt(a.Qualify), "percent", percent)
	d.Bar = []ui.Part{{Label: v.t("console.rules.preview.qualify"), Value: a.Qualify}, {Label: v.t("console.rules.preview.left"), Value: a.All - a.Qualify}}
	for _, why := range a.Reasons {
		if why.LeftOut > 0 {
			d.Reasons = append(d.Reasons, previewReason{Rule: q.names[why.Rule], Text: why.Clause.Say(v.lang), LeftOut: why.LeftOut, Alone: why.Alone})
		}
	}
	slices.SortStableFunc(d.Reasons, func(x, y previewReason) int { return cmp.Compare(y.LeftOut, x.LeftOut) })
	for _, who := range a.Samples {
		if p, ok := people[who]; ok {
			d.Samples = append(d.Samples, previewed{masked(p), v.customerAbout(p, q.now)})
		}
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
