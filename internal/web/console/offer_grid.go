package console

import (
	"net/http"
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

// gridView is many offers as a table that is typed into.
type gridView struct {
	ui.Page
	Find    findBox
	State   string
	Tabs    []ui.Option
	Rows    []gridRow
	Columns []gridColumn
	Pager   ui.Pager
	Empty   ui.Empty
	Query   string // of the page, for the form to come back to
	Done    note
}

// gridColumn is a field of an offer that a row has.
type gridColumn struct {
	Name, Label string
	Mode        string // inputmode
	Wide, End   bool
}

type gridRow struct {
	N        int
	ID       id.Offer
	Slug     string
	Revision int64
	Tone     ui.Tone
	State    string
	Cells    []gridCell
	Options  []ui.Option // of the category
	Said     string      // what came of it
	SaidTone ui.Tone
	Problem  string // what has no cell
}

type gridCell struct{ Name, Label, Value, Mode, Problem string }

// gridFields are the columns, in their order; the category has a cell of its own.
var gridFields = []struct {
	name, label, mode string
}{
	{"title.zh", "console.grid.title_zh", ""}, {"price", "console.price", "decimal"}, {"list_price", "console.field.list_price", "decimal"}, {"max_per_order", "console.field.max_per_order", "numeric"},
	{"position", "console.field.position", "numeric"}, {"badge.zh", "console.grid.badge_zh", ""}, {"title.en", "console.grid.title_en", ""}, {"badge.en", "console.grid.badge_en", ""},
}

func offerGrid(_ *Console, v *visit) error { return v.grid(http.StatusOK, nil) }

// typedRow is a row as it came, and what came of it.
type typedRow struct {
	id       id.Offer
	revision int64
	field    func(string) string
	problems *fault.Error // nil when it is good
	other    error        // a refusal that has no cell
	said     string       // of saved, published, same
}

// grid shows the offers that the query names; rows that were typed stand as they were
// typed unless they were saved.
func (v *visit) grid(status int, typed []*typedRow) error {
	var all []catalogue.Offer
	if err := v.view(func(tx *db.Tx) (err error) {
		all, err = v.c.Flows.Catalogue.Offers(v.r.Context(), tx, true)
		return err
	}); err != nil {
		return err
	}
	d := &gridView{Empty: v.nothingFound("/console/offers/grid"), Find: v.find("/console/offers/grid", "console.offers.find", "state"), State: v.q("state"), Query: v.r.URL.RawQuery}
	v.page(&d.Page, "offers", v.t("console.grid"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: d.Title}}
	now, q := v.c.now(), strings.ToLower(v.q("q"))
	var shown []catalogue.Offer
	for _, o := range all {
		s := o.At(now)
		if (d.State == "" && s != catalogue.Archived || d.State == string(s)) && offerHas(o, q) {
			shown = append(shown, o)
		}
	}
	d.Tabs = append(d.Tabs, ui.Option{Label: v.t("console.all"), Href: v.with("state", ""), Selected: d.State == ""})
	for _, s := range offerStates {
		_, word := v.offerState(s)
		d.Tabs = append(d.Tabs, ui.Option{Label: word, Href: v.with("state", string(s)), Selected: d.State == string(s)})
	}
	counts := map[string]int{}
	for i, o := range cut(v, shown, &d.Pager) {
		row := gridRow{N: i + 1, ID: o.ID, Slug: o.Slug, Revision: o.Revision}
		row.Tone, row.State = v.offerState(o.At(now))
		values := v.offerValues(o)
		at := slices.IndexFunc(typed, func(t *typedRow) bool { return t.id == o.ID })
		field := func(name string) string { return single(values, name) }
		problems := map[string]string{}
		if at >= 0 {
			t := typed[at]
			if t.said != "" {
				row.Said, row.SaidTone = v.t("console.grid."+t.said), ui.OK
				counts[t.said]++
			}
			if t.problems != nil || t.other != nil {
				field, row.Revision = t.field, t.revision
				counts["refused"]++
				row.Said, row.SaidTone = v.t("console.grid.refused"), ui.Stop
			}
			if t.other != nil {
				row.Problem = v.lang.Fault(fault.From(t.other))
				if fault.CodeOf(t.other) == "catalogue.edited" {
					row.Revision = o.Revision // what stands now was looked at
				}
			}
			if t.problems != nil {
				for _, f := range t.problems.Fields {
					problems[f.Path] = v.lang.Field(f)
				}
			}
		}
		prefix := "rows[" + strconv.Itoa(i) + "]."
		for _, f := range gridFields {
			row.Cells = append(row.Cells, gridCell{Name: prefix + f.name, Label: v.t(f.label), Value: field(f.name), Mode: f.mode, Problem: problems[f.name]})
		}
		for _, c := range catalogue.Categories {
			row.Options = append(row.Options, ui.Option{Value: c, Label: v.category(c), Selected: field("category") == c})
		}
		for path, text := range problems {
			if !slices.ContainsFunc(row.Cells, func(c gridCell) bool { return c.Name == prefix+path }) && row.Problem == "" {
				row.Problem = text
			}
		}
		d.Rows = append(d.Rows, row)
	}
	for _, f := range gridFields {
		d.Columns = append(d.Columns, gridColumn{Name: f.name, Label: v.t(f.label), Wide: f.mode == "", End: f.mode != ""})
	}
	if typed != nil {
		d.Done = note{Tone: ui.OK, Title: v.t("console.grid.done", "saved", strconv.Itoa(counts["saved"]+counts["published"]), "published", strconv.Itoa(counts["published"]), "refused", strconv.Itoa(counts["refused"]))}
		if counts["refused"] > 0 {
			d.Done.Tone, d.Done.Text = ui.Warn, v.t("console.grid.refused.text")
		}
	}
	d.Pager.AsOf = now
	return v.render(status, "offer_grid", d)
}

// saveGrid saves the rows that were changed, each by itself: what is refused of one keeps
// none of the others, and stands as it was typed.
func saveGrid(c *Console, v *visit) error {
	publish := v.f("op") == "publish"
	var typed []*typedRow
	refused := false
	for i := range perPage {
		prefix := "rows[" + strconv.Itoa(i) + "]."
		t := &typedRow{id: id.Offer(v.f(prefix + "id")), field: func(name string) string { return v.f(prefix + name) }}
		if t.id == "" {
			continue
		}
		t.revision, _ = whole(v.f(prefix+"revision"), 1, 1<<40)
		if err := v.saveGridRow(t, publish); err != nil {
			if !aboutInput(err) && fault.KindOf(err) != fault.NotFound {
				return err
			}
			if f := fault.From(err); len(f.Fields) > 0 {
				t.problems = f
			} else {
				t.other = err
			}
			t.said, refused = "", true
		}
		typed = append(typed, t)
	}
	if len(typed) == 0 {
		return fault.New(fault.Invalid, "request.invalid")
	}
	status := http.StatusOK
	if refused {
		status = httpx.StatusOf(fault.Invalid)
	}
	return v.grid(status, typed)
}

// saveGridRow saves one row. A row that says what is saved already is left alone, so a form
// that comes again changes nothing.
func (v *visit) saveGridRow(t *typedRow, publish bool) error {
	return v.do(func(tx *db.Tx) error {
		t.said = ""
		ctx, c := v.r.Context(), v.c
		was, err := c.Flows.Catalogue.Offer(ctx, tx, t.id)
		if err != nil {
			return err
		}
		is, f := v.readGridRow(was, t.field)
		if len(f.Fields) > 0 {
			return f
		}
		changed := len(catalogue.Diff(was.Draft, is.Draft)) > 0 || was.Category != is.Category || was.Position != is.Position
		switch {
		case !changed:
			return nil
		case t.revision != was.Revision:
			return fault.New(fault.Conflict, "catalogue.edited")
		}
		saved, err := c.Flows.Catalogue.Save(ctx, tx, is, c.now())
		if err != nil {
			return err
		}
		t.said = "saved"
		if publish {
			if _, _, err = c.Flows.Catalogue.Publish(ctx, tx, saved, v.by(), c.now()); err != nil {
				return err
			}
			t.said = "published"
		}
		return v.audit(tx, "offer.grid", string(was.ID), "before", was.Draft.Price.String(), "after", is.Draft.Price.String(), "result", t.said)
	})
}

// readGridRow puts what was typed into an offer; what is wrong is placed at its column.
func (v *visit) readGridRow(o catalogue.Offer, get func(string) string) (catalogue.Offer, *fault.Error) {
	f := fault.New(fault.Invalid, "catalogue.content")
	c := &o.Draft
	c.Title, c.Badge = catalogue.Text{ZH: get("title.zh"), EN: get("title.en")}, catalogue.Text{ZH: get("badge.zh"), EN: get("badge.en")}
	if c.Title.Empty() {
		f.At("title.zh", "catalogue.required")
	}
	if o.Category = get("category"); !slices.Contains(catalogue.Categories, o.Category) {
		f.At("category", "catalogue.category", "known", strings.Join(catalogue.Categories, ", "))
	}
	currency := c.Price.Currency
	var err error
	if c.Price, err = money.Parse(get("price"), currency); err != nil {
		f.At("price", "console.amount", "currency", string(currency))
	}
	if c.List = (money.Amount{}); get("list_price") != "" {
		if c.List, err = money.Parse(get("list_price"), currency); err != nil {
			f.At("list_price", "console.amount", "currency", string(currency))
		}
	}
	var good bool
	if c.MaxPerOrder, good = whole(get("max_per_order"), 1, 1000); !good {
		f.At("max_per_order", "console.number", "min", "1", "max", "1,000")
	}
	if o.Position, good = whole(get("position"), 0, 1_000_000); !good {
		f.At("position", "console.number", "min", "0", "max", "1,000,000")
	}
	return o, f
}
