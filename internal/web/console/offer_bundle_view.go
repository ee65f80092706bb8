package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/web/ui"
)

// bundleView is the part of the form that an offer is composed in.
type bundleView struct {
	Href              string // where its steps are asked for
	Fresh             bool   // nothing in it was typed
	PartCount         int
	ChoiceCount       int
	Kept              int // rows that are not taken away
	Fixed             []partView
	Choices           []choiceView
	Find              string
	Found             []foundBenefit
	More              int // found, and not shown
	To                []ui.Option
	Currency          string
	Shared            bool   // shares are declared
	Focus, Told       string // after a step
	Error, SharesText string
	Full, ChoicesFull bool
	Errors            map[string]string
	Conflicts         []conflictGroup
	Split             splitView
	all               []catalogue.Benefit
}

// partView is a part as a row of the form.
type partView struct {
	Name                string // of its fields
	N                   int    // among those of its kind
	Index               int
	Row                 row
	Title, Provider     string
	ProviderID, Kind    string
	Href, Worth, Sum    string
	First, Last, Option bool
	Open                bool // something is wrong inside
	Where, Froms        []ui.Option
	Everys              []ui.Option
	Errors              map[string]string
	Currency            string
	Solo                bool // the only row there is
}

// choiceView is a choice as a card of the form.
type choiceView struct {
	Name        string
	N, Index    int
	Row         row
	Title, Sum  string
	First, Last bool
	Open        bool
	Everys      []ui.Option
	Options     []partView
	Errors      map[string]string
	Currency    string
}

// foundBenefit is a benefit that can be added.
type foundBenefit struct {
	ID                                    id.Benefit
	Name, Provider, ProviderID, Kind, Sub string
}

// foundAtOnce is how many benefits are offered to be added.
const foundAtOnce = 8

// bundleView makes what the form shows of its parts.
func (v *visit) bundleView(tx *db.Tx, f url.Values, errors map[string]string) (bundleView, error) {
	d := bundleView{Href: "/console/offers/bundle", Find: single(f, "parts.find"), Currency: single(f, "currency"), Errors: errors, Focus: single(f, "bundle.focus"), Told: single(f, "bundle.told"),
		Error: errors["parts.find"], SharesText: errors["shares"]}
	parts, choices := bundleRows(f)
	d.PartCount, d.ChoiceCount = len(parts), len(choices)
	d.Full, d.ChoicesFull = len(parts) >= maxParts, len(choices) >= maxChoiceRows
	var err error
	if d.all, err = v.c.Flows.Catalogue.AllBenefits(v.r.Context(), tx); err != nil {
		return d, err
	}
	known := map[id.Benefit]catalogue.Benefit{}
	for _, b := range d.all {
		known[b.ID] = b
	}
	if d.To = []ui.Option{{Value: "", Label: v.t("compose.fixed"), Selected: single(f, "parts.to") == ""}}; len(choices) == 0 {
		d.To = nil
	}
	for i, c := range choices {
		x := choiceView{Name: choiceName(i), N: i + 1, Index: i, Row: c, Title: v.lang.Pick(c["name.zh"], c["name.en"]), First: i == 0, Last: i == len(choices)-1, Everys: v.everys(c), Errors: errors, Currency: d.Currency, Open: c["open"] != "" || inside(errors, choiceName(i), "release.", "share", "key")}
		if x.Title == "" {
			x.Title = v.t("compose.choice", "n", strconv.Itoa(i+1))
		}
		if c["gone"] == "" {
			d.To = append(d.To, ui.Option{Value: c["id"], Label: x.Title, Selected: single(f, "parts.to") == c["id"]})
		}
		d.Shared = d.Shared || c["share"] != ""
		d.Choices = append(d.Choices, x)
	}
	for i, p := range parts {
		x := partView{Name: partName(i), Index: i, Row: p, Errors: errors, Currency: d.Currency, Everys: v.everys(p), Open: p["open"] != "" || inside(errors, partName(i), "release.", "validity.", "share")}
		v.fillPart(&x, known)
		d.Shared = d.Shared || p["share"] != ""
		if p["gone"] == "" {
			d.Kept++
		}
		if d.To != nil {
			for _, o := range d.To {
				o.Selected = o.Value == p["choice"]
				x.Where = append(x.Where, o)
			}
		}
		at := slices.IndexFunc(d.Choices, func(c choiceView) bool { return p["choice"] != "" && c.Row["id"] == p["choice"] })
		to := &d.Fixed
		if at >= 0 {
			x.Option, to = true, &d.Choices[at].Options
		}
		x.N, x.First = len(*to)+1, len(*to) == 0
		*to = append(*to, x)
	}
	for _, rows := range append([][]partView{d.Fixed}, optionsOf(d.Choices)...) {
		if n := len(rows); n > 0 {
			rows[n-1].Last = true
		}
	}
	if len(parts) == 1 && len(d.Fixed) == 1 {
		d.Fixed[0].Solo = true
	}
	d.found(v)
	return d, nil
}

func optionsOf(choices []choiceView) (out [][]partView) {
	for _, c := range choices {
		out = append(out, c.Options)
	}
	return out
}

// inside reports whether something is wrong in the fields of a row that are folded away.
func inside(errors map[string]string, name string, prefixes ...string) bool {
	for field := range errors {
		for _, p := range prefixes {
			if strings.HasPrefix(field, name+"."+p) {
				return true
			}
		}
	}
	return false
}

func (v *visit) fillPart(x *partView, known map[id.Benefit]catalogue.Benefit) {
	b, ok := known[id.Benefit(x.Row["benefit"])]
	if !ok {
		x.Title, x.ProviderID = v.t("compose.unknown"), "?"
		return
	}
	x.Title, x.Provider, x.ProviderID, x.Kind, x.Href = v.pick(b.Name), v.pick(b.Provider.Name), b.Provider.Key, v.known("console.kind."+b.Kind, b.Kind), "/console/benefits/"+string(b.ID)
	if !b.Worth.IsZero() {
		x.Worth = b.Worth.String()
	}
	own := v.t("compose.from.grant.none")
	if b.ValidDays > 0 {
		own = v.t("compose.from.grant", "days", decimal(b.ValidDays))
	}
	for _, from := range catalogue.ValidFroms {
		label := own
		if from != catalogue.FromGrant {
			label = v.t("compose.from." + string(from))
		}
		x.Froms = append(x.Froms, ui.Option{Value: string(from), Label: label, Selected: x.Row["validity.from"] == string(from)})
	}
}

func (v *visit) everys(r row) (out []ui.Option) {
	for _, e := range catalogue.Everys {
		key := string(e)
		if e == catalogue.AtOnce {
			key = "once"
		}
		out = append(out, ui.Option{Value: string(e), Label: v.t("compose.every." + key), Selected: r["release.every"] == string(e)})
	}
	return out
}

// found lists the benefits that match what is searched for; every word of it has to.
func (d *bundleView) found(v *visit) {
	words := strings.Fields(strings.ToLower(d.Find))
	for _, b := range d.all {
		kind := v.known("console.kind."+b.Kind, b.Kind)
		hay := strings.ToLower(strings.Join([]string{b.Slug, b.Name.ZH, b.Name.EN, b.Provider.Key, b.Provider.Name.ZH, b.Provider.Name.EN, kind}, "\n"))
		if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(hay, w) }) {
			continue
		}
		if len(d.Found) == foundAtOnce {
			d.More++
			continue
		}
		one := foundBenefit{ID: b.ID, Name: v.pick(b.Name), Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Kind: kind}
		if !b.Worth.IsZero() {
			one.Sub = b.Worth.String()
		}
		d.Found = append(d.Found, one)
	}
}

// changeBundle answers a step of the parts, or what they come to, for a form that stays where
// it is.
func changeBundle(_ *Console, v *visit) error {
	if _, err := v.stepBundle(v.form); err != nil {
		return err
	}
	var d bundleView
	err := v.view(func(tx *db.Tx) (err error) {
		if d, err = v.bundleView(tx, v.form, nil); err != nil {
			return err
		}
		return v.fillSplit(tx, &d, v.form)
	})
	if err != nil {
		return err
	}
	block := "bundle-list"
	switch v.f("op") {
	case "check":
		block = "bundle-split"
	case "parts.find":
		block = "bundle-found"
	}
	v.c.ui.Fragment(v.w, v.r, 200, "console/offer_form", block, d)
	return nil
}
