package console

import (
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

var offerStates = []catalogue.State{catalogue.Live, catalogue.Scheduled, catalogue.Paused, catalogue.Draft, catalogue.Archived}

func offers(c *Console, v *visit) error {
	var all []catalogue.Offer
	var supplies map[id.Offer]supply
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = c.Flows.Catalogue.Offers(v.r.Context(), tx, true); err != nil {
			return err
		}
		supplies, err = v.supplies(tx, all)
		return err
	}); err != nil {
		return err
	}
	now, state, q := c.now(), catalogue.State(v.q("state")), strings.ToLower(v.q("q"))
	count := map[catalogue.State]int{}
	var shown []catalogue.Offer
	for _, o := range all {
		s := o.At(now)
		count[s]++
		if (state == "" && s != catalogue.Archived || state == s) && offerHas(o, q) {
			shown = append(shown, o)
		}
	}
	l := &listView{Lead: v.t("console.offers.lead"), Find: v.find("/console/offers", "console.offers.find", "state", "sort")}
	v.page(&l.Page, "offers", v.t("ui.nav.offers"))
	l.Tabs = append(l.Tabs, ui.Option{Label: v.t("console.all"), Href: v.with("state", ""), Selected: state == "", Count: strconv.Itoa(len(all) - count[catalogue.Archived])})
	for _, s := range offerStates {
		_, word := v.offerState(s)
		l.Tabs = append(l.Tabs, ui.Option{Label: word, Href: v.with("state", string(s)), Selected: state == s, Count: strconv.Itoa(count[s])})
	}
	if v.who.May(identity.CatalogueEdit) {
		l.Actions = []ui.Action{{Label: v.t("console.grid"), Href: "/console/offers/grid", Kind: "secondary", Icon: "edit"}, {Label: v.t("console.catalogue_file"), Href: "/console/catalogue-file", Kind: "secondary", Icon: "upload"}, {Label: v.t("console.offers.new"), Href: "/console/offers/new", Icon: "plus"}}
	}
	l.Table = ui.Table{Caption: v.t("ui.nav.offers"), Columns: []ui.Column{v.sortable(ui.Column{Label: v.t("console.offer")}, "title"), v.sortable(ui.Column{Label: v.t("console.category")}, "category"), {Label: v.t("console.state")},
		v.sortable(ui.Column{Label: v.t("console.price"), End: true}, "price"), v.sortable(ui.Column{Label: v.t("console.stock.available"), End: true, Say: true}, "available"), {Label: v.t("console.stock.delivered"), End: true, Say: true}, v.sortable(ui.Column{Label: v.t("console.updated"), End: true}, "updated")}}
	sorted(v, shown, map[string]func(a, b catalogue.Offer) int{
		"title": func(a, b catalogue.Offer) int { return strings.Compare(v.pick(a.Draft.Title), v.pick(b.Draft.Title)) },
		"category": func(a, b catalogue.Offer) int {
			return slices.Index(catalogue.Categories, a.Category) - slices.Index(catalogue.Categories, b.Category)
		},
		"price":     func(a, b catalogue.Offer) int { return byMoney(a.Draft.Price, b.Draft.Price) },
		"available": func(a, b catalogue.Offer) int { return byAvailable(supplies[a.ID], supplies[b.ID]) },
		"updated":   func(a, b catalogue.Offer) int { return a.UpdatedAt.Compare(b.UpdatedAt) },
	})
	for _, o := range cut(v, shown, &l.Table.Pager) {
		tone, word := v.offerState(o.At(now))
		href := "/console/offers/" + string(o.ID)
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(o.ID), Label: v.pick(o.Draft.Title), Href: href, Edit: href + "/edit", Cells: []ui.Cell{
			ui.Link(orSlug(v.pick(o.Draft.Title), o.Slug), href, o.Slug+" · "+versionText(o.Version)), ui.Text(v.category(o.Category), ""), ui.State(tone, word), ui.Sum(o.Draft.Price), v.available(supplies[o.ID]), v.delivered(supplies[o.ID]), ui.At(o.UpdatedAt)}})
	}
	l.Table.Empty = ui.Empty{Art: "box", Title: v.t("console.offers.empty"), Text: v.t("console.offers.empty.text"), Action: &ui.Action{Label: v.t("console.offers.new"), Href: "/console/offers/new", Icon: "plus"},
		Second: &ui.Action{Label: v.t("console.catalogue_file"), Href: "/console/catalogue-file"}}
	if q != "" {
		l.Table.Empty = v.nothingFound("/console/offers")
	}
	return v.list(l)
}

func (v *visit) nothingFound(all string) ui.Empty {
	return ui.Empty{Art: "search", Title: v.t("console.nothing_found"), Text: v.t("console.nothing_found.text"), Action: &ui.Action{Label: v.t("console.show_all"), Href: all, Kind: "secondary"}}
}

func orSlug(title, slug string) string {
	if title == "" {
		return slug
	}
	return title
}

func versionText(n int64) string {
	if n == 0 {
		return "–"
	}
	return "v" + strconv.FormatInt(n, 10)
}

func offerHas(o catalogue.Offer, q string) bool {
	for _, text := range []string{o.Slug, o.Draft.Title.ZH, o.Draft.Title.EN, string(o.ID)} {
		if strings.Contains(strings.ToLower(text), q) {
			return true
		}
	}
	return false
}

func (v *visit) category(c string) string { return v.known("shop.category."+c, c) }
