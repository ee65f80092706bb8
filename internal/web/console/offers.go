package console

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/web/ui"
)

var offerStates = []catalogue.State{catalogue.Live, catalogue.Scheduled, catalogue.Paused, catalogue.Draft, catalogue.Archived}

func offers(c *Console, v *visit) error {
	var all []catalogue.Offer
	if err := v.view(func(tx *db.Tx) (err error) {
		all, err = c.Flows.Catalogue.Offers(v.r.Context(), tx, true)
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
	l := &listView{Lead: v.t("console.offers.lead"), Find: findBox{"/console/offers", v.q("q"), v.t("console.offers.find")}}
	v.page(&l.Page, "offers", v.t("ui.nav.offers"))
	l.Tabs = append(l.Tabs, ui.Option{Label: v.t("console.all"), Href: v.with("state", ""), Selected: state == "", Count: strconv.Itoa(len(all) - count[catalogue.Archived])})
	for _, s := range offerStates {
		_, word := v.offerState(s)
		l.Tabs = append(l.Tabs, ui.Option{Label: word, Href: v.with("state", string(s)), Selected: state == s, Count: strconv.Itoa(count[s])})
	}
	if v.who.May(identity.CatalogueEdit) {
		l.Actions = []ui.Action{{Label: v.t("console.catalogue_file"), Href: "/console/catalogue-file", Kind: "secondary", Icon: "upload"}, {Label: v.t("console.offers.new"), Href: "/console/offers/new", Icon: "plus"}}
	}
	l.Table = ui.Table{Caption: v.t("ui.nav.offers"), Columns: []ui.Column{{Label: v.t("console.offer")}, {Label: v.t("console.category")}, {Label: v.t("console.state")},
		{Label: v.t("console.price"), End: true}, {Label: v.t("console.updated"), End: true}}}
	for _, o := range cut(v, shown, &l.Table.Pager) {
		tone, word := v.offerState(o.At(now))
		href := "/console/offers/" + string(o.ID)
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(o.ID), Label: v.pick(o.Draft.Title), Href: href, Edit: href + "/edit", Cells: []ui.Cell{
			ui.Link(orSlug(v.pick(o.Draft.Title), o.Slug), href, o.Slug+" · "+versionText(o.Version)), ui.Text(v.category(o.Category), ""), ui.State(tone, word), ui.Sum(o.Draft.Price), ui.At(o.UpdatedAt)}})
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

// difference is a field that two contents don't have alike.
type difference struct{ Label, Was, Is string }

// contentFacts is everything of a content in words, in a fixed order.
func (v *visit) contentFacts(c catalogue.Content, stocks map[id.Stock]string) []ui.Fact {
	facts := []ui.Fact{}
	add := func(key, value string) { facts = append(facts, ui.Fact{Label: v.t(key), Value: dash(value)}) }
	text := func(key string, t catalogue.Text) {
		facts = append(facts, ui.Fact{Label: v.t(key) + " · 中文", Value: dash(t.ZH)}, ui.Fact{Label: v.t(key) + " · English", Value: dash(t.EN)})
	}
	text("console.field.title", c.Title)
	text("console.field.summary", c.Summary)
	text("console.field.description", c.Description)
	text("console.field.badge", c.Badge)
	add("console.price", sumText(c.Price))
	add("console.field.list_price", sumText(c.List))
	add("console.field.max_per_order", strconv.FormatInt(c.MaxPerOrder, 10))
	add("console.field.stock", stocks[c.Stock])
	var parts []string
	for _, p := range c.Parts {
		parts = append(parts, v.pick(p.Benefit.Name)+" ("+p.Benefit.Slug+" "+versionText(p.Benefit.Version)+") × "+strconv.FormatInt(p.Quantity, 10))
	}
	add("console.field.parts", strings.Join(parts, " + "))
	return facts
}

// differences are the facts in which two contents differ.
func (v *visit) differences(was, is catalogue.Content, stocks map[id.Stock]string) []difference {
	a, b := v.contentFacts(was, stocks), v.contentFacts(is, stocks)
	var out []difference
	for i := range a {
		if a[i].Value != b[i].Value {
			out = append(out, difference{a[i].Label, a[i].Value, b[i].Value})
		}
	}
	return out
}

type offerView struct {
	ui.Page
	Offer       catalogue.Offer
	Name        string
	Tone        ui.Tone
	State       string
	Facts       []ui.Fact
	Versions    []*catalogue.Version
	Names       map[id.Party]string
	Changes     []difference // the working copy against the version on sale
	Stale       []string     // benefits of which there is a newer version
	Parts       []partRow
	Moves       []stateMove
	MayEdit     bool
	Unpublished bool

	ArchiveFields []ui.Fact
}

type partRow struct {
	Name, Slug, Provider, ProviderID, Kind string
	Quantity                               int64
	Href                                   string
}

// stateMove is a state that the offer may be put into.
type stateMove struct {
	To      catalogue.State
	Label   string
	Kind    string
	Confirm string
}

func offerPage(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	d := &offerView{Offer: o, MayEdit: v.who.May(identity.CatalogueEdit), ArchiveFields: []ui.Fact{{Label: "to", Value: string(catalogue.Archived)}}}
	var stocks map[id.Stock]string
	err = v.view(func(tx *db.Tx) error {
		if d.Versions, err = c.Flows.Catalogue.VersionsOf(v.r.Context(), tx, o.ID); err != nil {
			return err
		}
		var who []id.Party
		for _, x := range d.Versions {
			who = append(who, x.CreatedBy)
		}
		if d.Names, err = v.names(tx, who); err != nil {
			return err
		}
		if stocks, err = v.stockNames(tx); err != nil {
			return err
		}
		return v.staleParts(tx, d)
	})
	if err != nil {
		return err
	}
	d.Name = orSlug(v.pick(o.Draft.Title), o.Slug)
	v.page(&d.Page, "offers", d.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: d.Name}}
	d.Tone, d.State = v.offerState(o.At(c.now()))
	d.Facts = append([]ui.Fact{{Label: v.t("console.field.slug"), Value: o.Slug}, {Label: v.t("console.category"), Value: v.category(o.Category)}, {Label: v.t("console.field.position"), Value: strconv.FormatInt(o.Position, 10)},
		{Label: v.t("console.field.starts_at"), Value: v.when(o.StartsAt)}, {Label: v.t("console.field.ends_at"), Value: v.when(o.EndsAt)}}, v.contentFacts(o.Draft, stocks)...)
	if len(d.Versions) == 0 {
		d.Unpublished = true
	} else {
		d.Changes = v.differences(d.Versions[0].Content, o.Draft, stocks)
		d.Unpublished = len(d.Changes) > 0
	}
	for _, s := range []catalogue.State{catalogue.Live, catalogue.Scheduled, catalogue.Paused, catalogue.Draft, catalogue.Archived} {
		if !d.MayEdit || !o.State.MayBecome(s) || (s == catalogue.Live || s == catalogue.Scheduled) && o.VersionID == "" || s == catalogue.Scheduled && o.StartsAt.IsZero() {
			continue
		}
		m := stateMove{To: s, Label: v.t("console.offer.to." + string(s)), Kind: "secondary"}
		switch s {
		case catalogue.Live:
			m.Kind = "primary"
		case catalogue.Archived:
			m.Kind, m.Confirm = "danger-quiet", "archive"
		}
		d.Moves = append(d.Moves, m)
	}
	return v.render(http.StatusOK, "offer", d)
}

// staleParts lists the parts, and which of their benefits were saved anew since.
func (v *visit) staleParts(tx *db.Tx, d *offerView) error {
	ids := make([]id.Benefit, len(d.Offer.Draft.Parts))
	for i, p := range d.Offer.Draft.Parts {
		ids[i] = p.Benefit.ID
	}
	present, err := v.c.Flows.Catalogue.Benefits(v.r.Context(), tx, ids)
	if err != nil {
		return err
	}
	for _, p := range d.Offer.Draft.Parts {
		b := p.Benefit
		d.Parts = append(d.Parts, partRow{Name: v.pick(b.Name), Slug: b.Slug, Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Kind: v.known("console.kind."+b.Kind, b.Kind), Quantity: p.Quantity,
			Href: "/console/benefits/" + string(b.ID)})
		if now, ok := present[b.ID]; ok && !reflect.DeepEqual(now, b) {
			d.Stale = append(d.Stale, v.pick(now.Name))
		}
	}
	return nil
}

// offer loads the offer of the path.
func (v *visit) offer() (catalogue.Offer, error) {
	k, err := pathID[id.Offer](v, "id")
	if err != nil {
		return catalogue.Offer{}, err
	}
	var o catalogue.Offer
	err = v.view(func(tx *db.Tx) (err error) {
		o, err = v.c.Flows.Catalogue.Offer(v.r.Context(), tx, k)
		return err
	})
	return o, err
}

func (v *visit) stockNames(tx *db.Tx) (map[id.Stock]string, error) {
	all, err := v.c.Flows.Inventory.All(v.r.Context(), tx)
	out := make(map[id.Stock]string, len(all))
	for _, s := range all {
		out[s.ID] = s.Name
	}
	return out, err
}

func (v *visit) names(tx *db.Tx, ids []id.Party) (map[id.Party]string, error) {
	found, err := v.c.Identity.Parties(v.r.Context(), tx, ids)
	out := make(map[id.Party]string, len(found))
	for k, p := range found {
		out[k] = p.Label()
	}
	return out, err
}

type versionView struct {
	ui.Page
	Version *catalogue.Version
	Facts   []ui.Fact
	Changes []difference
	By      string
	Href    string
}

func offerVersion(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	n, ok := whole(v.r.PathValue("n"), 1, 1<<40)
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	d := &versionView{Href: "/console/offers/" + string(o.ID)}
	err = v.view(func(tx *db.Tx) error {
		all, err := c.Flows.Catalogue.VersionsOf(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		stocks, err := v.stockNames(tx)
		if err != nil {
			return err
		}
		for i, x := range all {
			if x.Number != n {
				continue
			}
			d.Version, d.Facts = x, v.contentFacts(x.Content, stocks)
			if i+1 < len(all) {
				d.Changes = v.differences(all[i+1].Content, x.Content, stocks)
			}
			names, err := v.names(tx, []id.Party{x.CreatedBy})
			d.By = v.people(names, string(x.CreatedBy))
			return err
		}
		return fault.New(fault.NotFound, "not_found")
	})
	if err != nil {
		return err
	}
	name := orSlug(v.pick(o.Draft.Title), o.Slug)
	v.page(&d.Page, "offers", name+" "+versionText(n))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: name, Href: d.Href}, {Label: versionText(n)}}
	return v.render(http.StatusOK, "version", d)
}

// publishOffer freezes the working copy as the next version.
func publishOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	href := "/console/offers/" + string(o.ID)
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Catalogue.Offer(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		if rev, ok := whole(v.f("revision"), 1, 1<<40); !ok || rev != o.Revision {
			return fault.New(fault.Conflict, "catalogue.edited")
		}
		_, version, err := c.Flows.Catalogue.Publish(v.r.Context(), tx, o, v.by(), c.now())
		if err != nil {
			return err
		}
		return v.audit(tx, "offer.publish", string(o.ID), "version", strconv.FormatInt(version.Number, 10), "price", version.Content.Price.Decimal()+" "+string(version.Content.Price.Currency))
	})
	if kindOf(err) == fault.Invalid {
		return v.offerRefused(o, err)
	}
	if err != nil {
		return err
	}
	return v.leave(href, "published")
}

func moveOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	to := catalogue.State(v.f("to"))
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Catalogue.Offer(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		was := o.State
		if was == to {
			return nil // pressed twice
		}
		if _, err := c.Flows.Catalogue.SetState(v.r.Context(), tx, o, to, c.now()); err != nil {
			return err
		}
		return v.audit(tx, "offer.state", string(o.ID), "before", string(was), "after", string(to))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/offers/"+string(o.ID), "state")
}

type previewView struct {
	ui.Page
	Card   ui.Offer
	About  string
	Badge  string
	Groups []previewGroup
	Max    int64
	Back   string
}

type previewGroup struct {
	Name, Provider, ProviderID string
	Terms                      []ui.Term
}

// previewOffer shows the working copy as a shopper would see it.
func previewOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	d := &previewView{Max: o.Draft.MaxPerOrder, About: v.pick(o.Draft.Description), Badge: v.pick(o.Draft.Badge), Back: "/console/offers/" + string(o.ID)}
	d.Card = ui.Offer{ID: string(o.ID), Href: d.Back, Name: orSlug(v.pick(o.Draft.Title), o.Slug), Sub: v.pick(o.Draft.Summary), Price: o.Draft.Price, ListPrice: o.Draft.List, Ribbon: d.Badge, Stock: ui.Stock{Unlimited: true}}
	var present map[id.Benefit]catalogue.Benefit
	err = v.view(func(tx *db.Tx) error {
		ids := make([]id.Benefit, len(o.Draft.Parts))
		for i, p := range o.Draft.Parts {
			ids[i] = p.Benefit.ID
		}
		var stocks map[id.Stock]*inventory.Stock
		if present, err = c.Flows.Catalogue.Benefits(v.r.Context(), tx, ids); err != nil {
			return err
		}
		need := o.Draft.Supplies()
		var all []id.Stock
		for s := range need {
			all = append(all, s)
		}
		if stocks, err = c.Flows.Inventory.Stocks(v.r.Context(), tx, all); err != nil {
			return err
		}
		for s, each := range need {
			if st := stocks[s]; st != nil && each > 0 {
				if left := st.Available / each; d.Card.Stock.Unlimited || left < d.Card.Stock.Left {
					d.Card.Stock = ui.Stock{Left: left}
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, p := range o.Draft.Parts {
		b, ok := present[p.Benefit.ID]
		if !ok {
			b = p.Benefit
		}
		if i == 0 {
			d.Card.Provider, d.Card.ProviderID = v.pick(b.Provider.Name), b.Provider.Key
		}
		g := previewGroup{Name: v.pick(b.Name), Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Terms: v.terms(b.Disclosure)}
		if p.Quantity > 1 {
			g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
		}
		d.Groups = append(d.Groups, g)
	}
	v.page(&d.Page, "", d.Card.Name)
	d.Shell, d.User, d.Counts = "shop", nil, nil
	return v.render(http.StatusOK, "preview", d)
}

func (v *visit) terms(x catalogue.Disclosure) []ui.Term {
	return []ui.Term{{Icon: "user", Label: v.t("console.disclosure.account_type"), Text: v.pick(x.AccountType)}, {Icon: "pin", Label: v.t("console.disclosure.scope"), Text: v.pick(x.Scope)},
		{Icon: "calendar", Label: v.t("console.disclosure.validity"), Text: v.pick(x.Validity)}, {Icon: "key", Label: v.t("console.disclosure.how_to_use"), Text: v.pick(x.HowToUse)},
		{Icon: "refund", Label: v.t("console.disclosure.refund"), Text: v.pick(x.Refund)}}
}
