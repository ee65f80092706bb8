package console

import (
	"mime/multipart"
	"net/http"
	"path/filepath"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/tabular"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

// importGroups are what a list of imports is narrowed to: by who has the next step, and by
// how they ended.
var importGroups = []struct {
	name   string
	states []vault.ImportState
}{
	{"waiting", []vault.ImportState{vault.ImportReceived, vault.ImportChecked, vault.ImportPaused}},
	{"working", []vault.ImportState{vault.ImportChecking, vault.ImportRunning, vault.ImportReleasing, vault.ImportUndoing, vault.ImportRestoring}},
	{"done", []vault.ImportState{vault.ImportDone}},
	{"failed", []vault.ImportState{vault.ImportFailed}},
	{"cancelled", []vault.ImportState{vault.ImportCancelled}},
	{"undone", []vault.ImportState{vault.ImportUndone}},
}

func imports(c *Console, v *visit) error {
	state, like := "", vault.ImportsLike{Text: v.q("q")}
	for _, g := range importGroups {
		if g.name == v.q("state") {
			state, like.States = g.name, g.states
		}
	}
	var all []*vault.Import
	var stocks map[id.Stock]string
	var names map[id.Party]string
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = vault.FindImports(v.r.Context(), tx, like, id.Import(v.q("before")), perPage+1); err != nil {
			return err
		}
		var who []id.Party
		for _, i := range all {
			who = append(who, id.Party(i.CreatedBy))
		}
		if names, err = v.names(tx, who); err != nil {
			return err
		}
		stocks, err = v.stockNames(tx)
		return err
	}); err != nil {
		return err
	}
	l := &listView{Lead: v.t("console.imports.lead"), Actions: []ui.Action{{Label: v.t("console.imports.template"), Href: "/console/imports/template.csv", Kind: "secondary", Icon: "download"}, {Label: v.t("console.imports.new"), Href: "/console/imports/new", Icon: "upload"}},
		Find: v.find("/console/imports", "console.imports.find", "state")}
	v.page(&l.Page, "imports", v.t("ui.nav.imports"))
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("state", ""), Selected: state == ""}}
	for _, g := range importGroups {
		_, word := v.importState(g.states[0])
		if len(g.states) > 1 {
			word = v.t("console.imports." + g.name)
		}
		l.Tabs = append(l.Tabs, ui.Option{Label: word, Href: v.with("state", g.name), Selected: state == g.name})
	}
	l.Table = ui.Table{Caption: v.t("ui.nav.imports"), Columns: []ui.Column{{Label: v.t("console.import.file")}, {Label: v.t("console.by")}, {Label: v.t("console.state")}, {Label: v.t("console.import.added"), End: true}, {Label: v.t("console.created"), End: true}}}
	all, l.Table.Pager = onward(v, all, perPage, func(i *vault.Import) string { return string(i.ID) })
	for _, i := range all {
		tone, word := v.importState(i.State)
		href := "/console/imports/" + string(i.ID)
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(i.ID), Label: i.FileName, Href: href, Cells: []ui.Cell{ui.Link(i.FileName, href, stocks[i.Stock]), ui.Text(v.people(names, i.CreatedBy), ""), ui.State(tone, word), ui.Text(ui.FormatInt(i.Added)+" / "+ui.FormatInt(i.Total), ""), ui.At(i.CreatedAt)}})
	}
	l.Table.Empty = ui.Empty{Art: "box", Title: v.t("console.imports.empty"), Text: v.t("console.imports.empty.text"), Action: &ui.Action{Label: v.t("console.imports.new"), Href: "/console/imports/new", Icon: "upload"}}
	if like.Text != "" || state != "" {
		l.Table.Empty = v.nothingFound("/console/imports")
	}
	return v.list(l)
}

// importTemplate is a file to be filled in.
func importTemplate(_ *Console, v *visit) error {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="hufu-codes.csv"`)
	out := tabular.NewWriter(v.w, true)
	if err := out.Row("卡号", "卡密", "有效期", "成本", "备注"); err != nil {
		return nil // the reader is gone
	}
	_ = out.Flush()
	return nil
}

type newImportView struct {
	ui.Page
	formError
	Values map[string]string
	Stocks []ui.Option
	Steps  []ui.Step
	Limit  int64
}

var importSteps = []string{"upload", "columns", "check", "run", "result"}

func (v *visit) steps(at int, failed bool) []ui.Step {
	out := make([]ui.Step, len(importSteps))
	for i, s := range importSteps {
		out[i] = ui.Step{Label: v.t("console.import.step." + s)}
		switch {
		case i < at:
			out[i].State = "done"
		case i == at && failed:
			out[i].State = "failed"
		case i == at:
			out[i].State = "current"
		}
	}
	return out
}

func newImport(_ *Console, v *visit) error {
	return v.newImport(http.StatusOK, map[string]string{"stock": v.q("stock")}, nil)
}

func (v *visit) newImport(status int, values map[string]string, refusal error) error {
	d := &newImportView{Values: values, Steps: v.steps(0, false), Limit: vault.MaxImportFile >> 20}
	var err error
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	if d.Stocks, err = v.codeStocks(values["stock"]); err != nil {
		return err
	}
	v.page(&d.Page, "imports", v.t("console.imports.new"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.imports"), Href: "/console/imports"}, {Label: d.Title}}
	return v.render(status, "import_new", d)
}

func receiveImport(c *Console, v *visit) error {
	var made *vault.Import
	values := map[string]string{}
	err := v.upload("file", func(part *multipart.Part) error {
		for _, name := range []string{"stock", "issuer", "supplier", "name"} {
			values[name] = v.f(name)
		}
		if values["issuer"] == "" {
			return needed("issuer")
		}
		var err error
		made, err = c.Flows.ReceiveImport(v.r.Context(), flow.NewImport{Stock: id.Stock(values["stock"]), File: part, FileName: filepath.Base(part.FileName()),
			Options: vault.ImportOptions{Issuer: values["issuer"], Supplier: values["supplier"], Name: values["name"]}, By: string(v.by()), Origin: v.origin().Address})
		return err
	})
	if err != nil {
		for name := range values {
			values[name] = v.f(name)
		}
		k := fault.KindOf(err)
		if f := fault.From(err); f.Code == "console.no_file" || k == fault.Invalid && f.Code != "http.form" || k == fault.TooLarge {
			for _, name := range []string{"stock", "issuer", "supplier", "name"} {
				values[name] = v.f(name)
			}
			if len(f.Fields) == 0 {
				f = fault.New(fault.Invalid, "console.form").At("file", f.Code, paramsOf(f)...)
			}
			return v.newImport(httpx.StatusOf(k), values, f)
		}
		return err
	}
	return v.leave("/console/imports/"+string(made.ID)+"?done=import", "")
}
