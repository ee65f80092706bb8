package console

import (
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
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

var severityTones = map[catalogue.Severity]ui.Tone{catalogue.Block: ui.Stop, catalogue.Acknowledge: ui.Warn, catalogue.Inform: ui.Info}

// relations lists what is declared of benefits.
func relations(c *Console, v *visit) error {
	var all []catalogue.Relation
	var benefits []catalogue.Benefit
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = c.Flows.Catalogue.Relations(v.r.Context(), tx); err != nil {
			return err
		}
		benefits, err = c.Flows.Catalogue.AllBenefits(v.r.Context(), tx)
		return err
	}); err != nil {
		return err
	}
	l := &listView{Lead: v.t("console.relations.lead")}
	v.page(&l.Page, "benefits", v.t("console.relations"))
	l.Crumbs = []ui.Crumb{{Label: v.t("console.nav.benefits"), Href: "/console/benefits"}, {Label: v.t("console.relations")}}
	add := &ui.Action{Label: v.t("console.relations.new"), Href: "/console/relations/new", Icon: "plus"}
	if v.who.May(identity.CatalogueEdit) {
		l.Actions = []ui.Action{*add}
	} else {
		add = nil
	}
	l.Table = ui.Table{Caption: v.t("console.relations"), Columns: []ui.Column{{Label: v.t("console.relation")}, {Label: v.t("console.relation.kind")}, {Label: v.t("console.relation.sides")}, {Label: v.t("console.relation.severity")}, {Label: v.t("console.relation.read")}}}
	for _, r := range cut(v, all, &l.Table.Pager) {
		href := "/console/relations/" + r.Key
		said := ""
		if texts := v.examples(r, benefits); len(texts) > 0 {
			said = texts[0]
		}
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: r.Key, Label: v.pick(r.Name), Href: href, Edit: href, Cells: []ui.Cell{
			ui.Link(v.pick(r.Name), href, r.Key), ui.Text(v.t("relation.kind."+string(r.Kind)), ""), broad(v.sides(r, benefits), ""),
			ui.State(severityTones[r.Severity], v.t("relation.severity."+string(r.Severity))), broad(said, "")}})
	}
	l.Table.Empty = ui.Empty{Art: "ticket", Title: v.t("console.relations.empty"), Text: v.t("console.relations.empty.text"), Action: add}
	return v.list(l)
}

// sides names both sides of a relation.
func (v *visit) sides(r catalogue.Relation, benefits []catalogue.Benefit) string {
	from := v.side(r.From, benefits)
	if r.To.Zero() {
		return from
	}
	return from + " → " + v.side(r.To, benefits)
}

func (v *visit) side(s catalogue.Side, benefits []catalogue.Benefit) string {
	words := []string{v.provider(s.Provider, benefits)}
	if s.Kind != "" {
		words = append(words, v.known("console.kind."+s.Kind, s.Kind))
	}
	if s.Tier != "" {
		words = append(words, s.Tier)
	}
	if s.Slug != "" {
		words = append(words, s.Slug)
	}
	return strings.Join(words, " · ")
}

func (v *visit) provider(key string, benefits []catalogue.Benefit) string {
	for _, b := range benefits {
		if b.Provider.Key == key {
			return v.pick(b.Provider.Name)
		}
	}
	return key
}

// examples is what shoppers read because of a relation: each sentence once, with benefits that
// are there, or made up where none is.
func (v *visit) examples(r catalogue.Relation, benefits []catalogue.Benefit) []string {
	pick := func(has func(*catalogue.Benefit) bool, s catalogue.Side, example id.Benefit) catalogue.Benefit {
		if at := slices.IndexFunc(benefits, func(b catalogue.Benefit) bool { return has(&b) }); at >= 0 {
			return benefits[at]
		}
		name := v.side(s, benefits)
		b := catalogue.Benefit{Slug: s.Slug, Kind: s.Kind, Provider: catalogue.Provider{Key: s.Provider}, Name: catalogue.Text{ZH: name, EN: name}, Attributes: map[string]string{"tier": s.Tier}, ValidDays: 31}
		b.ID = example
		return b
	}
	from, to := pick(r.From.Has, r.From, "ben_from"), pick(r.Opposes, r.Other(), "ben_to")
	now := v.c.now()
	var out []string
	say := func(held []catalogue.Holding, wanted catalogue.Benefit) {
		for _, f := range catalogue.Conflicts(held, []catalogue.Part{{Benefit: wanted, Quantity: 1}}, []catalogue.Relation{r}, now) {
			if text := flow.ExplainFinding(v.lang, f); !slices.Contains(out, text) {
				out = append(out, text)
			}
		}
	}
	has := func(b catalogue.Benefit) []catalogue.Holding {
		b.Coded = false
		return []catalogue.Holding{catalogue.Hold("rgt_example", &b, now.AddDate(0, 0, -1), now.AddDate(0, 0, 30), time.Time{}, false)}
	}
	say(nil, from)
	say(has(to), from)
	say(has(from), to)
	return out
}

type relationForm struct {
	ui.Page
	formError
	Fresh      bool
	MayEdit    bool
	Edited     bool
	Action     string
	Key        string
	Version    int64
	Draft      string
	Values     map[string]string
	Kinds      []ui.Option
	Severities []ui.Option
	Sides      []sideFields
	Examples   []string
	Remove     []ui.Fact
}

// sideFields are the fields of one side, with how many benefits it has now.
type sideFields struct {
	Name, Label, Help string
	Optional          bool
	Providers         []ui.Option
	Kinds             []ui.Option
	Benefits          []ui.Option
	Matches           string
}

func newRelation(_ *Console, v *visit) error {
	r := catalogue.Relation{Kind: catalogue.Extends, Severity: catalogue.Inform}
	return v.relationForm(http.StatusOK, r, r, relationValues(r), false, nil)
}

func relationPage(_ *Console, v *visit) error {
	r, err := v.relation()
	if err != nil {
		return err
	}
	return v.relationForm(http.StatusOK, r, r, relationValues(r), false, nil)
}

// relation loads the relation of the path.
func (v *visit) relation() (catalogue.Relation, error) {
	var r catalogue.Relation
	err := v.view(func(tx *db.Tx) (err error) {
		r, err = v.c.Flows.Catalogue.Relation(v.r.Context(), tx, v.r.PathValue("key"))
		return err
	})
	return r, err
}

func relationValues(r catalogue.Relation) url.Values {
	f := url.Values{}
	f.Set("key", r.Key)
	f.Set("kind", string(r.Kind))
	f.Set("severity", string(r.Severity))
	setWords(f, "name", r.Name)
	for name, s := range map[string]catalogue.Side{"from": r.From, "to": r.To} {
		f.Set(name+".provider", s.Provider)
		f.Set(name+".kind", s.Kind)
		f.Set(name+".tier", s.Tier)
		f.Set(name+".slug", s.Slug)
	}
	if r.Ever {
		f.Set("ever", "1")
	}
	return f
}

// readRelation puts the fields of the form into a relation.
func (v *visit) readRelation(r catalogue.Relation) catalogue.Relation {
	side := func(name string) catalogue.Side {
		return catalogue.Side{Provider: v.f(name + ".provider"), Kind: v.f(name + ".kind"), Tier: v.f(name + ".tier"), Slug: v.f(name + ".slug")}
	}
	if r.Version == 0 {
		r.Key = v.f("key")
	}
	r.Kind, r.Severity, r.Name = catalogue.RelationKind(v.f("kind")), catalogue.Severity(v.f("severity")), words(v.form, "name")
	r.From, r.To, r.Ever = side("from"), side("to"), v.f("ever") != ""
	return r
}

// relationForm shows the form: is what it says, was what is stored.
func (v *visit) relationForm(status int, was, is catalogue.Relation, values url.Values, edited bool, refusal error) error {
	d := &relationForm{Fresh: was.Version == 0, Key: was.Key, Version: was.Version, Values: map[string]string{}, Edited: edited, MayEdit: v.who.May(identity.CatalogueEdit)}
	if err := d.refused(v.lang, refusal, relationField); err != nil {
		return err
	}
	for name := range values {
		d.Values[name] = single(values, name)
	}
	var benefits []catalogue.Benefit
	if err := v.view(func(tx *db.Tx) (err error) {
		benefits, err = v.c.Flows.Catalogue.AllBenefits(v.r.Context(), tx)
		return err
	}); err != nil {
		return err
	}
	for _, k := range catalogue.RelationKinds {
		d.Kinds = append(d.Kinds, ui.Option{Value: string(k), Label: v.t("relation.kind." + string(k)), Sub: v.t("console.relation.kind." + string(k)), Selected: k == is.Kind})
	}
	for _, s := range catalogue.Severities {
		d.Severities = append(d.Severities, ui.Option{Value: string(s), Label: v.t("relation.severity." + string(s)), Selected: s == is.Severity})
	}
	d.Sides = []sideFields{v.sideFields("from", is.From, benefits), v.sideFields("to", is.To, benefits)}
	if f := fault.New(fault.Invalid, "catalogue.content"); is.From.Provider != "" {
		if is.Validate("", f); len(f.Fields) == 0 {
			d.Examples = v.examples(is, benefits)
		}
	}
	title := v.t("console.relations.new")
	d.Action, d.Draft = "/console/relations/new", "relation-new"
	if !d.Fresh {
		title = v.pick(was.Name)
		d.Action, d.Draft = "/console/relations/"+was.Key, "relation-"+was.Key+"-"+strconv.FormatInt(was.Version, 10)
		d.Remove = []ui.Fact{{Label: "version", Value: strconv.FormatInt(was.Version, 10)}}
	}
	v.page(&d.Page, "benefits", title)
	d.Crumbs = []ui.Crumb{{Label: v.t("console.nav.benefits"), Href: "/console/benefits"}, {Label: v.t("console.relations"), Href: "/console/relations"}, {Label: title}}
	return v.render(status, "relation_form", d)
}

func (v *visit) sideFields(name string, s catalogue.Side, benefits []catalogue.Benefit) sideFields {
	d := sideFields{Name: name, Label: v.t("console.relation." + name), Help: v.t("console.relation." + name + ".help"), Optional: name == "to"}
	d.Providers = []ui.Option{{Label: v.t("console.choose"), Selected: s.Provider == ""}}
	if name == "to" {
		d.Providers[0].Label = v.t("console.relation.same")
	}
	d.Benefits = []ui.Option{{Label: v.t("console.relation.any"), Selected: s.Slug == ""}}
	keys := map[string]bool{}
	var names []string
	for _, b := range benefits {
		if k := b.Provider.Key; !keys[k] {
			keys[k] = true
			d.Providers = append(d.Providers, ui.Option{Value: k, Label: v.pick(b.Provider.Name), Selected: k == s.Provider})
		}
		d.Benefits = append(d.Benefits, ui.Option{Value: b.Slug, Label: v.pick(b.Name), Selected: b.Slug == s.Slug})
		if s.Has(&b) {
			names = append(names, v.pick(b.Name))
		}
	}
	if s.Provider != "" && !keys[s.Provider] {
		d.Providers = append(d.Providers, ui.Option{Value: s.Provider, Label: s.Provider, Selected: true})
	}
	d.Kinds = []ui.Option{{Label: v.t("console.relation.any"), Selected: s.Kind == ""}}
	for _, k := range catalogue.Kinds() {
		d.Kinds = append(d.Kinds, ui.Option{Value: k, Label: v.known("console.kind."+k, k), Selected: k == s.Kind})
	}
	if s.Provider != "" {
		const most = 5
		d.Matches = v.t("console.relation.matches", "n", strconv.Itoa(len(names)), "names", strings.Join(names[:min(len(names), most)], v.t("conflict.comma")))
		if len(names) > most {
			d.Matches += " …"
		}
	}
	return d
}

func relationField(path string) string {
	switch path {
	case "name":
		return "name.zh"
	case "to":
		return "to.provider"
	}
	return path
}

// saveRelation declares or changes a relation; another button shows what shoppers would read.
func saveRelation(c *Console, v *visit) error {
	var was catalogue.Relation
	var err error
	if v.r.PathValue("key") != "" {
		if was, err = v.relation(); err != nil {
			return err
		}
	}
	is := v.readRelation(was)
	if v.f("op") == "look" {
		return v.relationForm(http.StatusOK, was, is, v.form, false, nil)
	}
	if was.Version > 0 && v.f("version") != strconv.FormatInt(was.Version, 10) {
		return v.relationForm(http.StatusConflict, was, is, v.form, true, fault.New(fault.Conflict, "catalogue.edited"))
	}
	err = v.once(func(tx *db.Tx) error {
		r, err := c.Flows.Catalogue.PutRelation(v.r.Context(), tx, is, v.by(), c.now())
		if err != nil {
			return err
		}
		return v.audit(tx, "relation.save", r.Key, "version", strconv.FormatInt(r.Version, 10), "severity", string(r.Severity))
	})
	switch fault.CodeOf(err) {
	case "":
	case "catalogue.relation_taken":
		err = fault.New(fault.Conflict, "catalogue.content").At("key", "catalogue.relation_taken", "key", clip(is.Key, 40))
		return v.relationForm(http.StatusConflict, was, is, v.form, false, err)
	case "catalogue.edited":
		if was, err = v.relation(); err != nil {
			return err
		}
		return v.relationForm(http.StatusConflict, was, is, v.form, true, fault.New(fault.Conflict, "catalogue.edited"))
	default:
		return v.relationForm(httpx.StatusOf(fault.KindOf(err)), was, is, v.form, false, err)
	}
	draft := "relation-new"
	if was.Version > 0 {
		draft = "relation-" + was.Key + "-" + v.f("version")
	}
	return v.leave("/console/relations?done="+draft, "saved")
}

func removeRelation(c *Console, v *visit) error {
	r, err := v.relation()
	if err != nil {
		return err
	}
	version, _ := whole(v.f("version"), 1, 1<<40)
	err = v.once(func(tx *db.Tx) error {
		if err := c.Flows.Catalogue.RemoveRelation(v.r.Context(), tx, r.Key, version, v.by(), c.now()); err != nil {
			return err
		}
		return v.audit(tx, "relation.remove", r.Key, "version", strconv.FormatInt(version, 10))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/relations", "saved")
}

// conflictGroup is what relations mean for the parts of an offer, of one severity.
type conflictGroup struct {
	Tone  ui.Tone
	Title string
	Lines []string
}

// inner tells what the parts of a content mean for one another.
func (v *visit) inner(tx *db.Tx, c catalogue.Content) ([]conflictGroup, error) {
	relations, err := v.c.Flows.Catalogue.Relations(v.r.Context(), tx)
	if err != nil {
		return nil, err
	}
	var out []conflictGroup
	found := c.Inner(relations, v.c.now())
	for _, s := range catalogue.Severities {
		for _, inside := range []bool{true, false} { // what a buyer must hold besides stops no publishing
			g := conflictGroup{Tone: severityTones[s], Title: v.t("console.offer.conflicts")}
			switch {
			case inside && s == catalogue.Block:
				g.Title = v.t("console.offer.conflicts.block")
			case !inside:
				g.Tone, g.Title = ui.Info, v.t("console.offer.conflicts.buyer")
			}
			for _, f := range catalogue.Of(found, s) {
				if f.Case.Inside() == inside {
					g.Lines = append(g.Lines, flow.ExplainToStaff(v.lang, f))
				}
			}
			if len(g.Lines) > 0 {
				out = append(out, g)
			}
		}
	}
	return out, nil
}
