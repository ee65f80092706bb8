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
	"hufu/internal/web/ui"
)

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
	add("console.field.limits", v.limitWords(c.Limits))
	add("console.field.stock", stocks[c.Stock])
	if !c.Floor.IsZero() {
		add("compose.floor", sumText(c.Floor))
	}
	if c.Room.PerMinute > 0 {
		add("compose.room", v.t("compose.room.is", "n", decimal(c.Room.PerMinute), "minutes", decimal(c.Room.Minutes)))
	}
	var parts []string
	for _, p := range c.Parts {
		parts = append(parts, v.pick(p.Benefit.Name)+" ("+p.Benefit.Slug+" "+versionText(p.Benefit.Version)+") × "+strconv.FormatInt(p.Quantity, 10))
	}
	add("console.field.parts", strings.Join(parts, " + "))
	for _, ch := range c.Choices {
		add("compose.choice.name", v.choiceWords(v.lang, c, ch))
	}
	return facts
}

type offerView struct {
	ui.Page
	formError
	Offer       catalogue.Offer
	Name        string
	Tone        ui.Tone
	State       string
	Facts       []ui.Fact
	Versions    []*catalogue.Version
	Names       map[id.Party]string
	Changes     []difference // the working copy against what was frozen last
	Next        *scheduled   // nil for nothing
	Room        *roomCard    // nil for none
	At          string       // typed in the form that schedules
	CopySlug    string
	Stale       []string // benefits of which there is a newer version
	Conflicts   []conflictGroup
	Starved     []starved
	Parts       []partRow
	Moves       []stateMove
	MayEdit     bool
	Unpublished bool
	OnSale      bool // the version is what shoppers can buy now

	ArchiveFields []ui.Fact
}

type partRow struct {
	Name, Slug, Provider, ProviderID, Kind string
	Words                                  string // when it is given and how long it counts
	Choice                                 string // instead of all else: the choice that those after it are options of
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

func offerPage(_ *Console, v *visit) error { return v.offerPage(http.StatusOK, nil) }

// offerPage shows an offer, beside what was refused of an act on it.
func (v *visit) offerPage(status int, refusal error) error {
	c := v.c
	o, err := v.offer()
	if err != nil {
		return err
	}
	o = o.Settled(c.now())
	d := &offerView{Offer: o, At: v.f("at"), CopySlug: v.f("slug"), MayEdit: v.who.May(identity.CatalogueEdit), ArchiveFields: []ui.Fact{{Label: "to", Value: string(catalogue.Archived)}}}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	if d.CopySlug == "" {
		d.CopySlug = copySlug(o.Slug)
	}
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
		if d.Room, err = v.room(tx, o, d.Versions); err != nil {
			return err
		}
		if d.Starved, err = v.starved(tx, o, d.Versions); err != nil {
			return err
		}
		if d.Conflicts, err = v.inner(tx, o.Draft); err != nil {
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
	d.OnSale = o.At(c.now()) == catalogue.Live
	d.Facts = append([]ui.Fact{{Label: v.t("console.field.slug"), Value: o.Slug}, {Label: v.t("console.category"), Value: v.category(o.Category)}, {Label: v.t("console.field.position"), Value: strconv.FormatInt(o.Position, 10)},
		{Label: v.t("console.field.starts_at"), Value: v.when(o.StartsAt)}, {Label: v.t("console.field.ends_at"), Value: v.when(o.EndsAt)}}, v.contentFacts(o.Draft, stocks)...)
	if len(d.Versions) == 0 {
		d.Unpublished = true
	} else {
		d.Next = v.scheduledOf(o, d.Versions, stocks)
		if last := lastFrozen(o, d.Versions); last != nil {
			d.Changes = v.differences(last.Content, o.Draft, stocks)
		}
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
	return v.render(status, "offer", d)
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
	c := d.Offer.Draft
	row := func(p catalogue.Part) {
		b := p.Benefit
		words := strings.Join(without([]string{v.releaseWords(v.lang, p.Release), v.validityWords(v.lang, p.Validity, b.ValidDays)}, ""), " · ")
		d.Parts = append(d.Parts, partRow{Name: v.pick(b.Name), Slug: b.Slug, Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Kind: v.known("console.kind."+b.Kind, b.Kind), Quantity: p.Quantity,
			Words: words, Href: "/console/benefits/" + string(b.ID)})
		if now, ok := present[b.ID]; ok && !reflect.DeepEqual(now, b) {
			d.Stale = append(d.Stale, v.pick(now.Name))
		}
	}
	for _, p := range c.Parts {
		if p.Choice == "" {
			row(p)
		}
	}
	for _, ch := range c.Choices {
		d.Parts = append(d.Parts, partRow{Choice: v.choiceWords(v.lang, c, ch)})
		for _, i := range c.Options(ch.Key) {
			row(c.Parts[i])
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
	if fault.KindOf(err) == fault.Invalid {
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
