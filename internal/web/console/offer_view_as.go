package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/pricing"
	"hufu/internal/web/ui"
)

// viewAs is what an offer is to a given shopper at a given time.
type viewAs struct {
	ui.Page
	formError
	Action   string
	Typed    string // who is meant, as the form has it
	Who      string // of whom it is, masked
	Party    id.Party
	At       string
	Channels []ui.Option
	Contents []ui.Option // which content is looked at
	Devices  []ui.Option
	Choices  []viewChoice // what is picked when ordering

	Name      string
	Badge     string
	Number    string // of the version
	Tone      ui.Tone
	State     string
	Price     money.Amount
	List      money.Amount
	Why       []ui.Fact
	Answers   []answer // what decides whether they may buy
	Conflicts []conflictGroup
	Groups    []previewGroup
	Dates     []splitDates // of what is released more than once
	Nothing   bool         // no version is sold then
	MayName   bool         // may look as a named shopper
}

// viewChoice is a choice with its options, of which those picked are ticked.
type viewChoice struct {
	Field, Name string
	Pick        int64
	Options     []ui.Option
}

// answer is one thing that is asked of a shopper before a sale.
type answer struct {
	Good bool
	Text string
}

// viewOfferAs shows an offer as a shopper would find it at a time: the version sold then, or
// the working copy, with what they may buy of it and what it means for what they hold.
func viewOfferAs(_ *Console, v *visit) error { return v.viewAs(http.StatusOK, nil) }

// findViewAs finds who is meant, so that a contact stands in no address.
func findViewAs(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	q := url.Values{}
	for name, values := range v.form {
		if slices.Contains([]string{"at", "channel", "device", "of"}, name) || strings.HasPrefix(name, pickField) {
			q[name] = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "" })
		}
	}
	if typed := v.f("who"); typed != "" {
		if err := v.actor().Require(identity.OrderView); err != nil {
			return err
		}
		who := id.Party(typed)
		if _, known := id.Parse[id.Party](typed); known != nil {
			var found []identity.Party
			if err := v.view(func(tx *db.Tx) (err error) {
				found, err = c.Identity.FindShoppers(v.r.Context(), tx, typed, 2)
				return err
			}); err != nil {
				return err
			}
			if len(found) != 1 {
				return v.viewAs(http.StatusBadRequest, fault.New(fault.Invalid, "request.invalid").At("who", "console.view_as.who"))
			}
			who = found[0].ID
		}
		q.Set("who", string(who))
	}
	http.Redirect(v.w, v.r, "/console/offers/"+string(o.ID)+"/as?"+q.Encode(), http.StatusSeeOther)
	return nil
}

func (v *visit) viewAs(status int, refusal error) error {
	c := v.c
	o, err := v.offer()
	if err != nil {
		return err
	}
	typed := v.r.URL.Query()
	if v.r.Method == http.MethodPost {
		typed = v.form
	}
	get := func(name string) string { return single(typed, name) }
	d := &viewAs{Action: "/console/offers/" + string(o.ID) + "/as", Typed: get("who"), At: get("at"), MayName: v.who.May(identity.OrderView)}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	at, ok := v.readTime(d.At)
	if !ok || at.IsZero() {
		at, d.At = c.now(), v.typedTime(c.now())
	}
	channel := get("channel")
	for i, name := range catalogue.Channels {
		if channel == "" && i == 0 {
			channel = name
		}
		d.Channels = append(d.Channels, ui.Option{Value: name, Label: v.t("limit.channel." + name), Selected: channel == name})
	}
	device := get("device")
	for _, name := range []string{"mobile", "tablet", "desktop"} {
		d.Devices = append(d.Devices, ui.Option{Value: name, Label: v.t("rule.device." + name), Selected: device == name || device == "" && name == "mobile"})
	}
	draft := get("of") == draftVersion
	d.Contents = []ui.Option{{Value: "", Label: v.t("console.view_as.sold"), Selected: !draft}, {Value: draftVersion, Label: v.t("console.offer.draft"), Selected: draft}}
	buyer := flow.Buyer{}
	if refusal == nil && d.Typed != "" && d.MayName {
		if buyer.Party, err = id.Parse[id.Party](d.Typed); err != nil {
			return fault.New(fault.NotFound, "not_found")
		}
	}
	settled := o.Settled(at)
	version := &catalogue.Version{Offer: o.ID, Content: o.Draft}
	err = v.view(func(tx *db.Tx) error {
		if !draft {
			found, err := c.Flows.Catalogue.Versions(v.r.Context(), tx, []id.OfferVersion{settled.VersionID})
			if err != nil {
				return err
			}
			if version = found[settled.VersionID]; version == nil {
				d.Nothing = true
				return nil
			}
			d.Number = versionText(version.Number)
		}
		if buyer.Party != "" {
			people, err := c.Identity.Parties(v.r.Context(), tx, []id.Party{buyer.Party})
			if err != nil {
				return err
			}
			p, ok := people[buyer.Party]
			if !ok {
				return fault.New(fault.NotFound, "not_found")
			}
			buyer.OwnPhone, d.Who, d.Party = p.Phone, masked(p), p.ID
		}
		return v.answers(tx, d, settled, version, v.viewPicks(d, version.Content, typed), flow.Visit{Channel: channel, Device: cmp.Or(device, "mobile")}, buyer, at)
	})
	if err != nil {
		return err
	}
	if buyer.Party != "" {
		if err := v.do(func(tx *db.Tx) error {
			return v.audit(tx, "offer.view_as", string(o.ID), "customer", string(buyer.Party))
		}); err != nil {
			return err
		}
	}
	title := orSlug(v.pick(o.Draft.Title), o.Slug)
	v.page(&d.Page, "offers", v.t("console.view_as"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: title, Href: "/console/offers/" + string(o.ID)}, {Label: d.Title}}
	return v.render(status, "offer_view_as", d)
}

// pickField is the name of the fields in which the options of a choice travel, before its key.
const pickField = "pick."

// viewPicks reads what is picked of each choice that is made when ordering, and puts it into the
// form: the defaults where nothing was, or where it isn't a pick.
func (v *visit) viewPicks(d *viewAs, c catalogue.Content, typed url.Values) order.Picks {
	picks := order.Picks{}
	for _, ch := range c.Choices {
		if ch.Later {
			continue
		}
		var mine []int
		for _, text := range typed[pickField+ch.Key] {
			if n, err := strconv.Atoi(text); err == nil {
				mine = append(mine, n)
			}
		}
		slices.Sort(mine)
		alone := catalogue.Content{Parts: c.Parts, Choices: []catalogue.Choice{ch}}
		if err := alone.CheckPicks(order.Picks{ch.Key: mine}, pickField+ch.Key); err != nil {
			if len(typed[pickField+ch.Key]) > 0 {
				_ = d.refused(v.lang, err, nil) // it is about input
			}
			mine = c.Defaults(ch)
		}
		picks[ch.Key] = mine
		x := viewChoice{Field: pickField + ch.Key, Name: v.pick(ch.Name), Pick: ch.Pick}
		for _, n := range c.Options(ch.Key) {
			x.Options = append(x.Options, ui.Option{Value: strconv.Itoa(n), Label: v.pick(c.Parts[n].Benefit.Name), Selected: slices.Contains(mine, n)})
		}
		d.Choices = append(d.Choices, x)
	}
	return picks
}

// answers fills what the shopper would find.
func (v *visit) answers(tx *db.Tx, d *viewAs, o catalogue.Offer, version *catalogue.Version, picks order.Picks, visit flow.Visit, buyer flow.Buyer, at time.Time) error {
	c, content := v.c, version.Content
	wanted := []flow.Wanted{{Version: version, Quantity: 1, Picks: picks}}
	d.Name, d.Badge = v.pick(content.Title), v.pick(content.Badge)
	d.Tone, d.State = v.offerState(o.At(at))
	d.Answers = append(d.Answers, answer{o.At(at) == catalogue.Live, v.t("console.view_as.state", "state", d.State, "at", v.when(at))})
	quote := pricing.For(pricing.Input{List: content.List, Offer: content.Price, Floor: content.Floor})
	d.Price, d.List = quote.Unit, content.List
	for _, s := range quote.Steps {
		d.Why = append(d.Why, ui.Fact{Label: v.known("shop.why."+s.Name, s.Name), Value: money.Of(s.Minor, quote.Unit.Currency).String()})
	}
	allowed, err := c.Flows.Allowances(v.r.Context(), tx, version, visit.Channel, buyer, at)
	if err != nil {
		return err
	}
	for _, a := range allowed {
		text := v.limitWords([]catalogue.Limit{a.Limit})
		if a.Known {
			text += v.t("console.view_as.left", "n", strconv.FormatInt(a.Left, 10))
		}
		d.Answers = append(d.Answers, answer{a.Left > 0, text})
	}
	refused, err := c.Flows.Qualifies(v.r.Context(), tx, wanted, buyer, visit, at)
	if err != nil {
		return err
	}
	d.Answers = append(d.Answers, v.ruleAnswers(content.Rules, refused)...)
	found, _, err := c.Flows.Conflicts(v.r.Context(), tx, buyer.Party, wanted, at)
	if err != nil {
		return err
	}
	for _, s := range catalogue.Severities {
		g := conflictGroup{Tone: severityTones[s], Title: v.t("shop.conflicts.title")}
		for _, f := range catalogue.Of(found, s) {
			g.Lines = append(g.Lines, flow.ExplainFinding(v.lang, f))
		}
		if len(g.Lines) > 0 {
			d.Conflicts = append(d.Conflicts, g)
		}
	}
	for i, p := range content.Parts {
		ch := content.ChoiceOf(i)
		if ch != nil && !ch.Later && !slices.Contains(picks[ch.Key], i) {
			continue
		}
		b := p.Benefit
		g := previewGroup{Name: v.pick(b.Name), Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Terms: v.terms(b.Disclosure)}
		if p.Quantity > 1 {
			g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
		}
		if ch != nil && ch.Later {
			g.Name = v.t("console.view_as.later", "choice", v.pick(ch.Name), "option", g.Name)
		}
		d.Groups = append(d.Groups, g)
	}
	for _, g := range content.Gifts(picks, at) {
		if x, many := v.splitDates(content, g); many {
			d.Dates = append(d.Dates, x)
		}
	}
	return nil
}

// ruleAnswers tells of each rule whether it lets the shopper, in the words they would read.
func (v *visit) ruleAnswers(rules []catalogue.Issuing, refused []flow.Refused) []answer {
	out := make([]answer, 0, len(rules))
	for _, r := range rules {
		a := answer{true, v.t("console.view_as.rule", "rule", v.pick(r.Name))}
		for _, no := range refused {
			if no.Rule == r {
				a = answer{false, v.pick(no.Why)}
				break
			}
		}
		out = append(out, a)
	}
	return out
}
