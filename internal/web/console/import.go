package console

import (
	"net/http"
	"strconv"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/tabular"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

// columns are what a column of a file may hold, in the order of vault.Mapping.
var columns = []string{"code", "serial", "account", "password", "expiry", "cost", "note"}

func columnOf(m *vault.Mapping, name string) *int {
	switch name {
	case "code":
		return &m.Code
	case "serial":
		return &m.Serial
	case "account":
		return &m.Account
	case "password":
		return &m.Password
	case "expiry":
		return &m.Expiry
	case "cost":
		return &m.Cost
	}
	return &m.Note
}

type importView struct {
	ui.Page
	formError
	Import    *vault.Import
	StockRef  string
	By        string
	Steps     []ui.Step
	Tone      ui.Tone
	State     string
	Facts     []ui.Fact
	Values    map[string]string
	Heading   []string
	Sample    [][]string
	Choices   []columnChoice
	Charsets  []ui.Option
	Delims    []ui.Option
	Headings  []ui.Option
	Sheets    []ui.Option
	Parts     []ui.Part
	Good      int64
	Problems  []problemRow
	Working   bool
	Editing   bool // the columns may be chosen
	Bad       int64
	Own       bool // it is this person's file
	Left      string
	Label     string
	Why       string
	Batch     *vault.Batch
	MayUndo   bool
	Earlier   []ui.Fact
	Refusable bool // whole-only, and there are problems
}

type columnChoice struct {
	Name    string
	Label   string
	Mark    string // "one of these" beside the columns of which one is needed
	Options []ui.Option
}

func importPage(_ *Console, v *visit) error { return v.importPage(http.StatusOK, nil, nil) }

func (v *visit) importPage(status int, values map[string]string, refusal error) error {
	d, err := v.anImport()
	if err != nil {
		return err
	}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	i := d.Import
	d.Editing = i.State == vault.ImportReceived || i.State == vault.ImportChecked
	if d.Editing {
		if err := v.importColumns(d, values); err != nil {
			return err
		}
	}
	v.page(&d.Page, "imports", i.FileName)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.imports"), Href: "/console/imports"}, {Label: i.FileName}}
	return v.render(status, "import", d)
}

// anImport loads the import of the path and says how it stands.
func (v *visit) anImport() (*importView, error) {
	k, err := pathID[id.Import](v, "id")
	if err != nil {
		return nil, err
	}
	d := &importView{}
	var stocks map[id.Stock]string
	var problems []vault.Problem
	var names map[id.Party]string
	var same []*vault.Import
	err = v.view(func(tx *db.Tx) error {
		if d.Import, err = vault.ImportByID(v.r.Context(), tx, k); err != nil {
			return err
		}
		if stocks, err = v.stockNames(tx); err != nil {
			return err
		}
		if problems, err = vault.ProblemsOf(v.r.Context(), tx, k); err != nil {
			return err
		}
		if names, err = v.names(tx, []id.Party{id.Party(d.Import.CreatedBy)}); err != nil {
			return err
		}
		if same, err = vault.ImportsOf(v.r.Context(), tx, d.Import.FileHash); err != nil {
			return err
		}
		if d.Import.Batch != "" {
			d.Batch, err = vault.BatchByID(v.r.Context(), tx, d.Import.Batch)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	i := d.Import
	d.StockRef, d.By = stocks[i.Stock], v.people(names, i.CreatedBy)
	d.Tone, d.State = v.importState(i.State)
	d.Working, d.Own = i.State.Working(), v.act().Brought(i)
	seen := i.Total
	if i.State == vault.ImportChecking {
		seen = i.Done // the size is known at the end of the check
	}
	d.Good = seen - i.Repeated - i.Known - i.Invalid
	if i.State != vault.ImportChecked && i.State != vault.ImportChecking {
		d.Good = i.Added
	}
	d.Bad = i.Repeated + i.Known + i.Invalid
	d.Parts = []ui.Part{{Label: v.t("console.import.new"), Value: max(d.Good, 0)}, {Label: v.t("console.import.repeated"), Value: i.Repeated}, {Label: v.t("console.import.known"), Value: i.Known}, {Label: v.t("console.import.invalid"), Value: i.Invalid}}
	d.Refusable = i.Options.WholeOnly && d.Bad > 0
	d.Label = v.known("console.import.doing."+string(i.State), d.State)
	if d.Left = v.t("console.import.rate", "rows", ui.FormatInt(i.Rate)); i.Rate <= 0 {
		d.Left = ""
	} else if left, ok := i.Left(); ok {
		d.Left += v.t("console.comma") + v.t("console.import.left", "time", ui.FormatDuration(v.lang, left))
	}
	if i.Why != nil {
		d.Why = v.lang.Fault(i.Why)
	}
	d.MayUndo = i.State == vault.ImportDone && d.Batch != nil && d.Batch.Counts.Delivered == 0
	for _, p := range problems {
		kv := make([]string, 0, 2*len(p.Params))
		for key, value := range p.Params {
			kv = append(kv, key, value)
		}
		row := problemRow{Row: p.Row, Text: v.lang.Field(p.Field()), Do: v.t(p.RemedyKey(), kv...), Value: p.Value}
		if p.Column != vault.NoColumn {
			row.Column = int64(p.Column) + 1
		}
		d.Problems = append(d.Problems, row)
	}
	for _, o := range same {
		if o.ID != i.ID {
			d.Earlier = append(d.Earlier, ui.Fact{Label: o.FileName + " · " + v.when(o.CreatedAt), Value: "/console/imports/" + string(o.ID)})
		}
	}
	d.Facts = []ui.Fact{{Label: v.t("console.field.stock"), Value: dash(d.StockRef)}, {Label: v.t("console.batch.issuer"), Value: i.Options.Issuer}, {Label: v.t("console.batch.supplier"), Value: dash(i.Options.Supplier)},
		{Label: v.t("console.import.size"), Value: fileSize(i.FileSize)}, {Label: v.t("console.by"), Value: d.By}, {Label: v.t("console.created"), Value: v.when(i.CreatedAt)},
		{Label: "SHA-256", Value: i.FileHash, Mono: true}, {Label: "ID", Value: string(i.ID), Mono: true}}
	at := map[vault.ImportState]int{vault.ImportReceived: 1, vault.ImportChecking: 2, vault.ImportChecked: 2, vault.ImportRunning: 3, vault.ImportReleasing: 3, vault.ImportUndoing: 4, vault.ImportRestoring: 4, vault.ImportDone: 5,
		vault.ImportUndone: 5, vault.ImportCancelled: 4, vault.ImportFailed: 3}
	step := at[i.State]
	if i.State == vault.ImportPaused {
		step = at[i.Next]
	}
	d.Steps = v.steps(step, i.State == vault.ImportFailed)
	return d, nil
}

// importColumns fills the part of the page in which the columns are chosen.
func (v *visit) importColumns(d *importView, values map[string]string) error {
	i := d.Import
	layout, sample, err := v.c.Flows.SampleImport(v.r.Context(), i.ID, 5)
	if err != nil {
		if d.Why == "" {
			d.Why = v.lang.Fault(fault.From(err))
		}
		layout = i.Layout
	}
	d.Sample = sample
	o := i.Options
	if values == nil {
		m := vault.GuessMapping(layout.Heading, layout.Columns)
		if o.Mapping != nil {
			m = *o.Mapping
		}
		values = map[string]string{"charset": string(layout.Charset), "delimiter": string(layout.Delimiter), "sheet": layout.Sheet, "name": o.Name, "issuer": o.Issuer, "supplier": o.Supplier, "heading": "without", "expires": v.typedTime(o.Expires)}
		if layout.Heading != nil {
			values["heading"] = "with"
		}
		if o.Heading == tabular.GuessHeading {
			if first, _, err := v.c.Flows.FirstRow(v.r.Context(), i); err == nil && !first.Sure {
				values["heading"] = ""
			} else if err == nil && o.Mapping == nil {
				m = first.Mapping
			}
		}
		if o.WholeOnly {
			values["whole"] = "1"
		}
		if o.Cost.Currency != "" {
			values["cost_each"] = o.Cost.Decimal()
		}
		for _, name := range columns {
			values["col."+name] = strconv.Itoa(*columnOf(&m, name))
		}
	}
	d.Values = values
	for n := range layout.Columns {
		name := v.t("console.import.column", "n", strconv.Itoa(n+1))
		if n < len(layout.Heading) {
			name = layout.Heading[n]
		}
		d.Heading = append(d.Heading, name)
	}
	for _, name := range columns {
		ch := columnChoice{Name: "col." + name, Label: v.t("console.import.col." + name), Options: []ui.Option{{Value: "-1", Label: v.t("console.import.no_column"), Selected: values["col."+name] == "-1"}}}
		if name == "code" || name == "serial" || name == "account" {
			ch.Mark = v.t("console.import.one_of")
		}
		for n, h := range d.Heading {
			ch.Options = append(ch.Options, ui.Option{Value: strconv.Itoa(n), Label: strconv.Itoa(n+1) + " · " + clip(h, 40), Selected: values["col."+name] == strconv.Itoa(n)})
		}
		d.Choices = append(d.Choices, ch)
	}
	if layout.Kind == tabular.XLSX {
		for _, s := range layout.Sheets {
			d.Sheets = append(d.Sheets, ui.Option{Value: s, Label: s, Selected: s == values["sheet"]})
		}
	} else {
		for _, x := range []tabular.Charset{tabular.UTF8, tabular.GB18030, tabular.UTF16LE, tabular.UTF16BE} {
			d.Charsets = append(d.Charsets, ui.Option{Value: string(x), Label: v.t("console.import.charset." + string(x)), Selected: string(x) == values["charset"]})
		}
		for _, x := range delimiters {
			d.Delims = append(d.Delims, ui.Option{Value: string(x.value), Label: v.t("console.import.delimiter." + x.name), Selected: string(x.value) == values["delimiter"]})
		}
	}
	if values["heading"] == "" {
		d.Headings = []ui.Option{{Value: "", Label: v.t("console.import.heading.ask"), Selected: true}}
	}
	d.Headings = append(d.Headings, ui.Option{Value: "with", Label: v.t("console.import.heading.with"), Selected: values["heading"] == "with"}, ui.Option{Value: "without", Label: v.t("console.import.heading.without"), Selected: values["heading"] == "without"})
	return nil
}

var delimiters = []struct {
	value tabular.Delimiter
	name  string
}{{tabular.Comma, "comma"}, {tabular.Tab, "tab"}, {tabular.Semicolon, "semicolon"}, {tabular.Bar, "bar"}, {tabular.FourDashes, "dashes"}, {tabular.Spaces, "spaces"}, {tabular.WholeLine, "line"}}

// checkImport takes the choice of columns and has a worker read the whole file.
func checkImport(c *Console, v *visit) error {
	k, err := pathID[id.Import](v, "id")
	if err != nil {
		return err
	}
	values := map[string]string{}
	for name := range v.form {
		values[name] = v.f(name)
	}
	values["delimiter"] = v.form.Get("delimiter") // a tab or a space is one
	f := fault.New(fault.Invalid, "console.form")
	o := vault.ImportOptions{Name: values["name"], Issuer: values["issuer"], Supplier: values["supplier"], WholeOnly: values["whole"] != "", Charset: tabular.Charset(values["charset"]), Delimiter: tabular.Delimiter(values["delimiter"]),
		Sheet: values["sheet"], Heading: tabular.WithoutHeading, Zone: "Asia/Shanghai"}
	switch values["heading"] {
	case "with":
		o.Heading = tabular.WithHeading
	case "without":
	default:
		f.At("heading", "console.required")
	}
	if o.Issuer == "" {
		f.At("issuer", "console.required")
	}
	m := vault.Mapping{}
	for _, name := range columns {
		n, err := strconv.Atoi(values["col."+name])
		if err != nil || n < -1 || n > 1000 {
			n = vault.NoColumn
		}
		*columnOf(&m, name) = n
	}
	o.Mapping = &m
	if text := values["cost_each"]; text != "" {
		if o.Cost, err = money.Parse(text, money.CNY); err != nil || o.Cost.Minor < 0 {
			f.At("cost_each", "console.amount", "currency", "CNY")
		}
	}
	var ok bool
	if o.Expires, ok = v.readTime(values["expires"]); !ok || !o.Expires.IsZero() && !o.Expires.After(c.now()) {
		f.At("expires", "console.future")
	}
	if len(f.Fields) > 0 {
		return v.importPage(http.StatusBadRequest, values, f)
	}
	_, err = c.Flows.CheckImport(v.r.Context(), k, o, v.act())
	if kind := fault.KindOf(err); err != nil && kind == fault.Invalid {
		return v.importPage(http.StatusBadRequest, values, err)
	}
	if err != nil && fault.CodeOf(err) != "vault.import_state" { // pressed twice: it is being checked
		return err
	}
	c.nudge()
	return v.leave("/console/imports/"+string(k)+"?done=import-"+string(k), "")
}
