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
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/web/ui"
)

func benefits(c *Console, v *visit) error {
	var all []catalogue.Benefit
	var stocks map[id.Stock]string
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = c.Flows.Catalogue.AllBenefits(v.r.Context(), tx); err != nil {
			return err
		}
		stocks, err = v.stockNames(tx)
		return err
	}); err != nil {
		return err
	}
	q, kind := strings.ToLower(v.q("q")), v.q("kind")
	var shown []catalogue.Benefit
	for _, b := range all {
		has := func(s string) bool { return strings.Contains(strings.ToLower(s), q) }
		if (kind == "" || b.Kind == kind) && (has(b.Slug) || has(b.Name.ZH) || has(b.Name.EN) || has(b.Provider.Name.ZH) || has(b.Provider.Name.EN)) {
			shown = append(shown, b)
		}
	}
	l := &listView{Lead: v.t("console.benefits.lead"), Find: v.find("/console/benefits", "console.benefits.find", "kind")}
	v.page(&l.Page, "benefits", v.t("console.nav.benefits"))
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("kind", ""), Selected: kind == "", Count: strconv.Itoa(len(all))}}
	of := map[string]int{}
	for _, b := range all {
		of[b.Kind]++
	}
	for _, k := range catalogue.Kinds() {
		if of[k] > 0 || k == kind {
			l.Tabs = append(l.Tabs, ui.Option{Label: v.known("console.kind."+k, k), Href: v.with("kind", k), Selected: kind == k, Count: strconv.Itoa(of[k])})
		}
	}
	l.Actions = []ui.Action{{Label: v.t("console.relations"), Href: "/console/relations", Kind: "secondary"}}
	if v.who.May(identity.CatalogueEdit) {
		l.Actions = []ui.Action{l.Actions[0], {Label: v.t("console.benefits.new"), Href: "/console/benefits/new", Icon: "plus"}}
	}
	l.Table = ui.Table{Caption: v.t("console.nav.benefits"), Columns: []ui.Column{{Label: v.t("console.benefit")}, {Label: v.t("console.kind")}, {Label: v.t("console.provider")}, {Label: v.t("console.field.stock")}, {Label: v.t("console.version"), End: true}}}
	for _, b := range cut(v, shown, &l.Table.Pager) {
		href := "/console/benefits/" + string(b.ID)
		stock := v.t("console.unlimited")
		if b.Stock != "" {
			stock = stocks[b.Stock]
		}
		coded := ""
		if b.Coded {
			coded = v.t("console.field.coded")
		}
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(b.ID), Label: v.pick(b.Name), Href: href, Edit: href, Cells: []ui.Cell{
			ui.Link(v.pick(b.Name), href, b.Slug), ui.Text(v.known("console.kind."+b.Kind, b.Kind), ""), ui.Text(v.pick(b.Provider.Name), ""), ui.Text(stock, coded), ui.Text(versionText(b.Version), "")}})
	}
	l.Table.Empty = ui.Empty{Art: "ticket", Title: v.t("console.benefits.empty"), Text: v.t("console.benefits.empty.text"), Action: &ui.Action{Label: v.t("console.benefits.new"), Href: "/console/benefits/new", Icon: "plus"}}
	if q != "" || kind != "" {
		l.Table.Empty = v.nothingFound("/console/benefits")
	}
	return v.list(l)
}

type benefitForm struct {
	ui.Page
	formError
	Fresh      bool
	MayEdit    bool
	Action     string
	Version    int64
	Draft      string
	Kind       string
	Kinds      []ui.Option
	Values     map[string]string
	Stocks     []ui.Option
	Currencies []ui.Option
	Attributes []attributeField
	Disclosure []string
	NeedsCode  bool
	Arrives    string // how a right of the kind comes to be held
	Edited     bool
	UsedBy     []ui.Fact
}

type attributeField struct {
	Name, Label, Help, Value, Error string
	Type, Mode                      string
	Options                         []ui.Option // of a choice
	Required                        bool
}

var disclosures = []string{"account_type", "scope", "devices", "validity", "how_to_use", "refund"}

func newBenefit(_ *Console, v *visit) error {
	kind := v.q("kind")
	if !slices.Contains(catalogue.Kinds(), kind) {
		kind = catalogue.Kinds()[0]
	}
	b := catalogue.Benefit{Kind: kind}
	if k, _ := catalogue.KindOf(kind); k.NeedsCode {
		b.Coded = true
	}
	return v.benefitForm(http.StatusOK, b, benefitValues(b), false, nil)
}

func (v *visit) benefit() (catalogue.Benefit, error) {
	k, err := pathID[id.Benefit](v, "id")
	if err != nil {
		return catalogue.Benefit{}, err
	}
	var b catalogue.Benefit
	err = v.view(func(tx *db.Tx) error {
		found, err := v.c.Flows.Catalogue.Benefits(v.r.Context(), tx, []id.Benefit{k})
		if err != nil {
			return err
		}
		var ok bool
		if b, ok = found[k]; !ok {
			return fault.New(fault.NotFound, "not_found")
		}
		return nil
	})
	return b, err
}

func benefitPage(_ *Console, v *visit) error {
	b, err := v.benefit()
	if err != nil {
		return err
	}
	return v.benefitForm(http.StatusOK, b, benefitValues(b), false, nil)
}

func disclosureText(d *catalogue.Disclosure, name string) *catalogue.Text {
	switch name {
	case "account_type":
		return &d.AccountType
	case "scope":
		return &d.Scope
	case "devices":
		return &d.Devices
	case "validity":
		return &d.Validity
	case "how_to_use":
		return &d.HowToUse
	}
	return &d.Refund
}

func benefitValues(b catalogue.Benefit) url.Values {
	f := url.Values{}
	f.Set("slug", b.Slug)
	f.Set("kind", b.Kind)
	f.Set("provider", b.Provider.Key)
	setWords(f, "provider", b.Provider.Name)
	setWords(f, "name", b.Name)
	for _, name := range disclosures {
		setWords(f, "disclosure."+name, *disclosureText(&b.Disclosure, name))
	}
	for name, value := range b.Attributes {
		f.Set("attributes."+name, value)
	}
	f.Set("valid_days", strconv.FormatInt(b.ValidDays, 10))
	f.Set("stock", string(b.Stock))
	if f.Set("worth.currency", string(money.CNY)); !b.Worth.IsZero() {
		f.Set("worth", b.Worth.Decimal())
		f.Set("worth.currency", string(b.Worth.Currency))
	}
	if b.Coded {
		f.Set("coded", "1")
	}
	return f
}

func (v *visit) benefitForm(status int, b catalogue.Benefit, values url.Values, edited bool, refusal error) error {
	d := &benefitForm{Fresh: b.ID == "", Version: b.Version, Kind: b.Kind, Values: map[string]string{}, Disclosure: disclosures, Edited: edited, MayEdit: v.who.May(identity.CatalogueEdit)}
	if err := d.refused(v.lang, refusal, benefitField); err != nil {
		return err
	}
	for name := range values {
		d.Values[name] = single(values, name)
	}
	d.Currencies = currencies(d.Values["worth.currency"])
	kind, _ := catalogue.KindOf(b.Kind)
	d.NeedsCode = kind.NeedsCode
	for _, a := range kind.Fields {
		name := "attributes." + a.Name
		d.Attributes = append(d.Attributes, v.attribute(a, d.Values[name], d.Errors[name]))
	}
	d.Arrives = v.t("console.kind.at_once")
	if kind.Waits != catalogue.WaitNothing {
		d.Arrives = v.t("console.kind.waits", "what", v.t("kind.waits."+string(kind.Waits)))
	}
	if kind.Asks != catalogue.AskNothing {
		d.Arrives += " " + v.t("kind.asks."+string(kind.Asks))
	}
	for _, k := range catalogue.Kinds() {
		d.Kinds = append(d.Kinds, ui.Option{Label: v.known("console.kind."+k, k), Href: "/console/benefits/new?kind=" + k, Selected: k == b.Kind})
	}
	title := v.t("console.benefits.new")
	d.Action, d.Draft = "/console/benefits/new", "benefit-new-"+b.Kind
	if !d.Fresh {
		d.Action, d.Draft = "/console/benefits/"+string(b.ID), "benefit-"+string(b.ID)+"-"+strconv.FormatInt(b.Version, 10)
		title = v.pick(b.Name)
	}
	err := v.view(func(tx *db.Tx) error {
		stocks, err := v.c.Flows.Inventory.All(v.r.Context(), tx)
		if err != nil {
			return err
		}
		d.Stocks = []ui.Option{{Value: "", Label: v.t("console.unlimited"), Selected: d.Values["stock"] == ""}}
		for _, s := range stocks {
			d.Stocks = append(d.Stocks, ui.Option{Value: string(s.ID), Label: s.Name + " · " + v.t("console.stock.kind."+s.Kind), Selected: d.Values["stock"] == string(s.ID)})
		}
		if d.Fresh {
			return nil
		}
		all, err := v.c.Flows.Catalogue.Offers(v.r.Context(), tx, false)
		for _, o := range all {
			for _, p := range o.Draft.Parts {
				if p.Benefit.ID == b.ID {
					d.UsedBy = append(d.UsedBy, ui.Fact{Label: orSlug(v.pick(o.Draft.Title), o.Slug), Value: "/console/offers/" + string(o.ID)})
				}
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	v.page(&d.Page, "benefits", title)
	d.Crumbs = []ui.Crumb{{Label: v.t("console.nav.benefits"), Href: "/console/benefits"}, {Label: title}}
	return v.render(status, "benefit_form", d)
}

// attribute is the field of a form for an attribute of a kind.
func (v *visit) attribute(a catalogue.Attribute, value, wrong string) attributeField {
	f := attributeField{Name: "attributes." + a.Name, Label: v.known("console.attribute."+a.Name, a.Name), Help: v.known("console.attribute."+a.Name+".help", ""), Value: value,
		Error: wrong, Required: a.Required}
	switch a.Form {
	case catalogue.FormWhole, catalogue.FormMinor:
		f.Mode = "numeric"
	case catalogue.FormDate:
		f.Type = "date"
	case catalogue.FormLink:
		f.Type, f.Mode = "url", "url"
	case catalogue.FormChoice:
		f.Options = append(f.Options, ui.Option{Label: v.t("console.choose"), Selected: value == ""})
		for _, c := range a.Choices {
			f.Options = append(f.Options, ui.Option{Value: c, Label: v.known("console.attribute."+a.Name+"."+c, c), Selected: c == value})
		}
	}
	return f
}

func benefitField(path string) string {
	switch path {
	case "name":
		return "name.zh"
	case "provider":
		return "provider.zh"
	}
	for _, d := range disclosures {
		if path == "disclosure."+d {
			return path + ".zh"
		}
	}
	return path
}

func saveBenefit(c *Console, v *visit) error {
	var b catalogue.Benefit
	var err error
	if v.r.PathValue("id") != "" {
		if b, err = v.benefit(); err != nil {
			return err
		}
	} else if b.Kind = v.f("kind"); !slices.Contains(catalogue.Kinds(), b.Kind) {
		return fault.New(fault.Invalid, "catalogue.kind", "kind", clip(b.Kind, 40))
	}
	was := b
	b.Slug, b.Name = v.f("slug"), words(v.form, "name")
	if was.ID != "" {
		b.Slug = was.Slug
	}
	b.Provider = catalogue.Provider{Key: v.f("provider"), Name: words(v.form, "provider")}
	for _, name := range disclosures {
		*disclosureText(&b.Disclosure, name) = words(v.form, "disclosure."+name)
	}
	kind, _ := catalogue.KindOf(b.Kind)
	b.Attributes = map[string]string{}
	for _, a := range kind.Fields {
		if text := v.f("attributes." + a.Name); text != "" {
			b.Attributes[a.Name] = text
		}
	}
	f := fault.New(fault.Invalid, "catalogue.content")
	var ok bool
	if b.ValidDays, ok = whole(v.f("valid_days"), 0, 36500); !ok {
		f.At("valid_days", "catalogue.days")
	}
	b.Worth = money.Amount{}
	if text, currency := v.f("worth"), money.Currency(v.f("worth.currency")); text != "" {
		var err error
		if b.Worth, err = money.Parse(text, currency); err != nil || b.Worth.Minor < 0 {
			f.At("worth", "console.amount", "currency", string(currency))
		}
	}
	b.Stock, b.Coded = id.Stock(v.f("stock")), v.f("coded") != ""
	if was.ID != "" && v.f("version") != strconv.FormatInt(was.Version, 10) {
		return v.benefitForm(http.StatusConflict, was, v.form, true, fault.New(fault.Conflict, "catalogue.edited"))
	}
	if b.Validate("", f); len(f.Fields) > 0 {
		return v.benefitForm(http.StatusBadRequest, was0(was, b), v.form, false, f)
	}
	err = v.once(func(tx *db.Tx) error {
		if b.Stock != "" {
			found, err := c.Flows.Inventory.Stocks(v.r.Context(), tx, []id.Stock{b.Stock})
			if err != nil {
				return err
			}
			s := found[b.Stock]
			switch {
			case s == nil:
				return fault.New(fault.Invalid, "catalogue.content").At("stock", "console.no_stock")
			case b.Coded != (s.Kind == inventory.Codes):
				return fault.New(fault.Invalid, "catalogue.content").At("stock", "console.stock_kind")
			}
		}
		saved, err := c.Flows.Catalogue.PutBenefit(v.r.Context(), tx, b, v.by(), c.now())
		if err != nil {
			return err
		}
		was.ID = saved.ID
		return v.audit(tx, "benefit.save", string(saved.ID), "version", strconv.FormatInt(saved.Version, 10))
	})
	switch {
	case err == nil:
	case fault.CodeOf(err) == "catalogue.edited":
		now, bad := v.benefit()
		if bad != nil {
			return bad
		}
		return v.benefitForm(http.StatusConflict, now, v.form, true, err)
	default:
		return v.benefitForm(httpx.StatusOf(fault.KindOf(err)), was0(was, b), v.form, false, besideSlug(err, b.Slug))
	}
	draft := "benefit-new-" + b.Kind
	if v.r.PathValue("id") != "" {
		draft = "benefit-" + string(was.ID) + "-" + v.f("version")
	}
	return v.leave("/console/benefits?done="+draft, "saved")
}

// was0 is what stood before, with the kind that a fresh one is to have.
func was0(was, b catalogue.Benefit) catalogue.Benefit {
	was.Kind = b.Kind
	return was
}
