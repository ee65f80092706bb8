package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/web/ui"
)

// difference is something that two contents don't have alike, in words.
type difference struct {
	Label   string
	Was, Is string
	// Before and After are what Was and Is have in common at their ends; Gone and Come what
	// stands between. They are empty for what is better read whole.
	Before, Gone, Come, After string
}

// differences tells how is differs from was.
func (v *visit) differences(was, is catalogue.Content, stocks map[id.Stock]string) []difference {
	var out []difference
	for _, d := range catalogue.Diff(was, is) {
		x := difference{Label: v.placeWords(d.Path)}
		switch d.Kind {
		case catalogue.Altered:
			x.Was, x.Is = v.diffValue(d, d.Was, stocks), v.diffValue(d, d.Is, stocks)
			if d.Form == catalogue.AsWords {
				x.mark()
			}
		case catalogue.Added:
			x.Was, x.Is = "–", v.t("diff.kind.added")
		case catalogue.Removed:
			x.Was, x.Is = v.t("diff.there"), v.t("diff.kind.removed")
		case catalogue.Moved:
			x.Was, x.Is = "–", v.t("diff.kind.moved")
		}
		out = append(out, x)
	}
	return out
}

// placeWords names the way to what differs: "Parts · iQIYI month · Told before paying · Scope · Chinese".
func (v *visit) placeWords(path []catalogue.Place) string {
	words := make([]string, len(path))
	for i, p := range path {
		switch {
		case p.Field == "":
			if words[i] = v.pick(p.Item); i > 0 && path[i-1].Field == "limits" {
				words[i] = v.t("limit."+p.Item.ZH, "n", "…", "channel", "…")
			}
		case i > 0 && path[i-1].Field == "attributes":
			words[i] = v.known("console.attribute."+p.Field, p.Field)
		default:
			words[i] = v.known("diff."+p.Field, p.Field)
		}
	}
	return strings.Join(words, " · ")
}

// diffValue writes a value of a difference.
func (v *visit) diffValue(d catalogue.Difference, value string, stocks map[id.Stock]string) string {
	switch d.Form {
	case catalogue.AsMoment:
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return v.when(t)
		}
	case catalogue.AsFlag:
		return v.t(map[bool]string{true: "diff.yes", false: "diff.no"}[value != ""])
	case catalogue.AsStock:
		return dash(stocks[id.Stock(value)])
	case catalogue.AsWord, catalogue.AsWords:
		last := d.Path[len(d.Path)-1].Field
		for _, area := range []string{"console." + last + ".", "limit." + last + ".", "diff." + last + "."} {
			if value != "" && i18n.Has(area+value) {
				return v.t(area + value)
			}
		}
	}
	return dash(value)
}

// markFrom is from how many letters on a text's difference is shown within it.
const markFrom = 12

// mark finds what two texts have in common at their ends.
func (x *difference) mark() {
	if utf8.RuneCountInString(x.Was) < markFrom || utf8.RuneCountInString(x.Is) < markFrom {
		return
	}
	a, b := []rune(x.Was), []rune(x.Is)
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	if start+end < markFrom/2 {
		return
	}
	x.Before, x.Gone, x.Come, x.After = string(a[:start]), string(a[start:len(a)-end]), string(b[start:len(b)-end]), string(a[len(a)-end:])
}

type compareView struct {
	ui.Page
	Changes  []difference
	From, To []ui.Option
	Href     string
	Was, Is  string // which two
	Same     bool
}

// draftVersion is the working copy's name among the versions.
const draftVersion = "draft"

// compareOffer shows how a version differs from another, or the working copy from one.
func compareOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	d := &compareView{Href: "/console/offers/" + string(o.ID)}
	err = v.view(func(tx *db.Tx) error {
		all, err := c.Flows.Catalogue.VersionsOf(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return fault.New(fault.Conflict, "catalogue.unpublished")
		}
		stocks, err := v.stockNames(tx)
		if err != nil {
			return err
		}
		from, to := v.q("from"), v.q("to")
		if to == "" {
			to = draftVersion
		}
		if from == "" {
			from = strconv.FormatInt(o.Settled(c.now()).Version, 10)
		}
		contents := map[string]catalogue.Content{draftVersion: o.Draft}
		name := map[string]string{draftVersion: v.t("console.offer.draft")}
		options := func(chosen string) (out []ui.Option) {
			if out = []ui.Option{{Value: draftVersion, Label: name[draftVersion], Selected: chosen == draftVersion}}; true {
				for _, x := range all {
					n := strconv.FormatInt(x.Number, 10)
					out = append(out, ui.Option{Value: n, Label: name[n], Selected: chosen == n})
				}
			}
			return out
		}
		for _, x := range all {
			n := strconv.FormatInt(x.Number, 10)
			contents[n], name[n] = x.Content, versionText(x.Number)+" · "+v.when(x.CreatedAt)
		}
		was, known := contents[from]
		is, too := contents[to]
		if !known || !too {
			return fault.New(fault.NotFound, "not_found")
		}
		d.From, d.To, d.Was, d.Is = options(from), options(to), name[from], name[to]
		d.Changes = v.differences(was, is, stocks)
		d.Same = len(d.Changes) == 0
		return nil
	})
	if err != nil {
		return err
	}
	name := orSlug(v.pick(o.Draft.Title), o.Slug)
	v.page(&d.Page, "offers", v.t("diff.title_page"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: name, Href: d.Href}, {Label: d.Title}}
	return v.render(http.StatusOK, "compare", d)
}
