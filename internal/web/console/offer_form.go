package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

// maxParts is how many parts a form takes; the catalogue allows as many.
const maxParts = 50

type offerForm struct {
	ui.Page
	formError
	Fresh      bool
	Action     string
	Back       string
	Revision   int64
	Draft      string // name under which the browser keeps what was typed
	Values     map[string]string
	Currencies []ui.Option
	Categories []ui.Option
	Stocks     []ui.Option
	Bundle     bundleView
	Limits     []limitField
	Rules      rulesView
	Conflict   []difference // what somebody else saved meanwhile
	Edited     bool
	Editing    editing
}

func newOffer(c *Console, v *visit) error {
	o := catalogue.Offer{Category: catalogue.Categories[0], Draft: catalogue.Content{Price: money.Of(0, money.CNY), MaxPerOrder: 5}}
	return v.offerForm(http.StatusOK, o, v.offerValues(o), nil, nil)
}

func editOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	return v.offerForm(http.StatusOK, o, v.offerValues(o), nil, nil)
}

// offerRefused shows the form of an offer whose working copy can't be published.
func (v *visit) offerRefused(o catalogue.Offer, err error) error {
	return v.offerForm(http.StatusBadRequest, o, v.offerValues(o), nil, err)
}

// offerValues are the fields of the form for an offer.
func (v *visit) offerValues(o catalogue.Offer) url.Values {
	c := o.Draft
	f := url.Values{}
	set := func(name, value string) { f.Set(name, value) }
	for name, t := range map[string]catalogue.Text{"title": c.Title, "summary": c.Summary, "description": c.Description, "badge": c.Badge} {
		setWords(f, name, t)
	}
	set("slug", o.Slug)
	set("category", o.Category)
	set("position", strconv.FormatInt(o.Position, 10))
	set("currency", string(c.Price.Currency))
	if c.Price.Minor > 0 {
		set("price", c.Price.Decimal())
	}
	if !c.List.IsZero() {
		set("list_price", c.List.Decimal())
	}
	set("max_per_order", strconv.FormatInt(c.MaxPerOrder, 10))
	set("stock", string(c.Stock))
	set("starts_at", v.typedTime(o.StartsAt))
	set("ends_at", v.typedTime(o.EndsAt))
	v.setBundle(f, c)
	setLimits(f, c.Limits)
	v.setRules(f, c.Rules)
	return f
}

// offerForm shows the form. theirs is set when somebody else saved meanwhile.
func (v *visit) offerForm(status int, o catalogue.Offer, values url.Values, theirs *catalogue.Offer, refusal error) error {
	d := &offerForm{Fresh: o.ID == "", Revision: o.Revision, Values: map[string]string{}, Back: "/console/offers"}
	if err := d.refused(v.lang, refusal, offerField); err != nil {
		return err
	}
	for name := range values {
		d.Values[name] = single(values, name)
	}
	title := v.t("console.offers.new")
	d.Action, d.Draft = "/console/offers/new", "offer-new"
	if !d.Fresh {
		d.Back = "/console/offers/" + string(o.ID)
		d.Action, d.Draft = d.Back+"/edit", "offer-"+string(o.ID)+"-"+strconv.FormatInt(o.Revision, 10)
		title = v.t("console.edit") + " · " + orSlug(v.pick(o.Draft.Title), o.Slug)
	}
	err := v.view(func(tx *db.Tx) error {
		stocks, err := v.c.Flows.Inventory.All(v.r.Context(), tx)
		if err != nil {
			return err
		}
		names := map[id.Stock]string{}
		d.Stocks = []ui.Option{{Value: "", Label: v.t("console.offer.no_stock"), Selected: d.Values["stock"] == ""}}
		for _, s := range stocks {
			names[s.ID] = s.Name
			if s.Kind == "counted" {
				d.Stocks = append(d.Stocks, ui.Option{Value: string(s.ID), Label: s.Name, Selected: d.Values["stock"] == string(s.ID)})
			}
		}
		if theirs != nil {
			mine, _ := v.readOffer(*theirs, values, nil)
			d.Conflict, d.Edited = v.differences(theirs.Draft, mine.Draft, names), true
			d.Revision = theirs.Revision
		}
		if d.Bundle, err = v.bundleView(tx, values, d.Errors); err != nil {
			return err
		}
		d.Bundle.Fresh = len(v.form) == 0
		return v.fillSplit(tx, &d.Bundle, values)
	})
	if err != nil {
		return err
	}
	d.Currencies = currencies(d.Values["currency"])
	d.Limits = v.limitFields(d.Values)
	if d.Rules, err = v.rulesView(values, d.Errors); err != nil {
		return err
	}
	for _, c := range catalogue.Categories {
		d.Categories = append(d.Categories, ui.Option{Value: c, Label: v.category(c), Selected: d.Values["category"] == c})
	}
	v.page(&d.Page, "offers", title)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: title}}
	if !d.Fresh {
		if d.Editing, err = v.editing(o.ID, d.Revision); err != nil {
			return err
		}
		d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: orSlug(v.pick(o.Draft.Title), o.Slug), Href: d.Back}, {Label: v.t("console.edit")}}
	}
	return v.render(status, "offer_form", d)
}

// offerField is the field of the form for a path that the catalogue complains about.
func offerField(path string) string {
	switch path {
	case "title", "summary", "description", "badge":
		return path + ".zh"
	case "limits":
		return "limits[0].max"
	}
	if strings.HasPrefix(path, "rules") {
		return ruleField(path)
	}
	if strings.HasPrefix(path, "limits[") && strings.HasSuffix(path, "]") {
		return path + ".max"
	}
	if strings.HasPrefix(path, "parts") || strings.HasPrefix(path, "choices") || path == "shares" {
		return bundleField(path)
	}
	return path
}

// readOffer puts the fields of the form into an offer. Problems go into f, which may be nil.
func (v *visit) readOffer(o catalogue.Offer, values url.Values, f *fault.Error) (catalogue.Offer, bool) {
	before := 0
	if f != nil {
		before = len(f.Fields)
	}
	ok := true
	bad := func(field, code string, params ...string) {
		ok = false
		if f != nil {
			f.At(field, code, params...)
		}
	}
	get := func(name string) string { return single(values, name) }
	c := &o.Draft
	c.Title, c.Summary, c.Description, c.Badge = words(values, "title"), words(values, "summary"), words(values, "description"), words(values, "badge")
	if o.ID == "" {
		o.Slug = get("slug")
	}
	if o.Category = get("category"); !slices.Contains(catalogue.Categories, o.Category) {
		bad("category", "catalogue.category", "category", o.Category)
	}
	var good bool
	if o.Position, good = whole(get("position"), 0, 1_000_000); !good {
		bad("position", "console.number", "min", "0", "max", "1,000,000")
	}
	currency := money.Currency(get("currency"))
	price, err := money.Parse(get("price"), currency)
	if err != nil {
		bad("price", "console.amount", "currency", string(currency))
	}
	c.Price, c.List = price, money.Amount{}
	if text := get("list_price"); text != "" {
		if c.List, err = money.Parse(text, currency); err != nil {
			bad("list_price", "console.amount", "currency", string(currency))
		}
	}
	if c.MaxPerOrder, good = whole(get("max_per_order"), 1, 1000); !good {
		bad("max_per_order", "console.number", "min", "1", "max", "1,000")
	}
	c.Stock = id.Stock(get("stock"))
	if o.StartsAt, good = v.readTime(get("starts_at")); !good {
		bad("starts_at", "console.time")
	}
	if o.EndsAt, good = v.readTime(get("ends_at")); !good {
		bad("ends_at", "console.time")
	}
	c.Limits = readLimits(values, bad)
	c.Rules = v.readRules(values, bad)
	v.readBundle(values, c, bad)
	return o, ok && (f == nil || len(f.Fields) == before)
}

// saveOfferForm saves the working copy, and publishes it when that was the button.
func saveOfferForm(c *Console, v *visit) error {
	fresh := v.r.PathValue("id") == ""
	var o catalogue.Offer
	if !fresh {
		var err error
		if o, err = v.offer(); err != nil {
			return err
		}
	}
	if v.f("op") == "check" {
		return v.offerForm(http.StatusOK, o, v.form, nil, nil)
	}
	if done, err := v.stepBundle(v.form); err != nil {
		return err
	} else if done {
		return v.offerForm(http.StatusOK, o, v.form, nil, nil)
	}
	if v.stepRules(v.form) {
		return v.offerForm(http.StatusOK, o, v.form, nil, nil)
	}
	closeUp(v.form)
	closeBundle(v.form)
	if v.f("op") == "more_limits" {
		n, _ := whole(v.f("limits"), 1, maxLimitRows)
		v.form.Set("limits", strconv.FormatInt(min(n+1, maxLimitRows), 10))
		return v.offerForm(http.StatusOK, o, v.form, nil, nil)
	}
	was := o
	f := fault.New(fault.Invalid, "catalogue.content")
	edited, good := v.readOffer(o, v.form, f)
	if !good {
		return v.offerForm(http.StatusBadRequest, was, v.form, nil, f)
	}
	if rev, ok := whole(v.f("revision"), 0, 1<<40); !fresh && (!ok || rev != was.Revision) {
		return v.offerForm(http.StatusConflict, was, v.form, &was, fault.New(fault.Conflict, "catalogue.edited"))
	}
	publish := v.f("op") == "publish"
	err := v.once(func(tx *db.Tx) error {
		if err := v.fillParts(tx, &edited); err != nil {
			return err
		}
		var saved catalogue.Offer
		var err error
		if fresh {
			saved, err = c.Flows.Catalogue.Create(v.r.Context(), tx, edited, c.now())
		} else {
			saved, err = c.Flows.Catalogue.Save(v.r.Context(), tx, edited, c.now())
		}
		if err != nil {
			return err
		}
		o = saved
		if err := c.Flows.Catalogue.Leaves(v.r.Context(), tx, saved.ID, v.by()); err != nil {
			return err
		}
		if err := v.audit(tx, "offer.save", string(saved.ID), "price", saved.Draft.Price.Decimal()+" "+string(saved.Draft.Price.Currency), "before", was.Draft.Price.Decimal()+" "+string(was.Draft.Price.Currency)); err != nil {
			return err
		}
		if !publish {
			return nil
		}
		_, version, err := c.Flows.Catalogue.Publish(v.r.Context(), tx, saved, v.by(), c.now())
		if err != nil {
			return err
		}
		return v.audit(tx, "offer.publish", string(saved.ID), "version", strconv.FormatInt(version.Number, 10))
	})
	switch {
	case err == nil:
	case fault.CodeOf(err) == "catalogue.edited":
		theirs, bad := v.offer()
		if bad != nil {
			return bad
		}
		return v.offerForm(http.StatusConflict, was, v.form, &theirs, err)
	default:
		return v.offerForm(httpx.StatusOf(fault.KindOf(err)), was, v.form, nil, besideSlug(err, edited.Slug))
	}
	say, draft := "saved", "offer-new"
	if publish {
		say = "published"
	}
	if !fresh {
		draft = "offer-" + string(was.ID) + "-" + v.f("revision")
	}
	if o.ID == "" { // the same form again: the first answer is the list's newest
		return v.leave("/console/offers?done="+draft, say)
	}
	return v.leave("/console/offers/"+string(o.ID)+"?done="+draft, say)
}

// besideSlug puts the refusal of a name that is taken beside its field.
func besideSlug(err error, slug string) error {
	if fault.CodeOf(err) == "catalogue.slug_taken" {
		return fault.New(fault.Conflict, "catalogue.content").At("slug", "catalogue.slug_taken", "slug", slug)
	}
	return err
}

// fillParts puts whole benefits in the place of their ids.
func (v *visit) fillParts(tx *db.Tx, o *catalogue.Offer) error {
	ids := make([]id.Benefit, len(o.Draft.Parts))
	for i, p := range o.Draft.Parts {
		ids[i] = p.Benefit.ID
	}
	found, err := v.c.Flows.Catalogue.Benefits(v.r.Context(), tx, ids)
	if err != nil {
		return err
	}
	for i := range o.Draft.Parts {
		p := &o.Draft.Parts[i]
		b, ok := found[p.Benefit.ID]
		if !ok {
			return fault.New(fault.Invalid, "catalogue.content").At(partName(i), "catalogue.no_benefit", "name", clip(string(p.Benefit.ID), 40))
		}
		p.Benefit = b
	}
	return nil
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// currencies are those that prices are typed in.
func currencies(chosen string) (out []ui.Option) {
	for _, c := range []money.Currency{money.CNY, money.USD, money.EUR, money.GBP, money.HKD, money.JPY} {
		out = append(out, ui.Option{Value: string(c), Label: string(c), Selected: chosen == string(c)})
	}
	return out
}
