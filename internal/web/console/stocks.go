package console

import (
	"net/http"
	"strconv"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

type stockCard struct {
	*inventory.Stock
	Href  string
	Parts []ui.Part
	Low   bool
	Out   bool
}

type stocksView struct {
	ui.Page
	formError
	Stocks  []stockCard
	Query   string
	Pager   ui.Pager
	MayEdit bool
	Empty   ui.Empty
	Values  map[string]string
}

func (v *visit) stockParts(s *inventory.Stock) []ui.Part {
	return []ui.Part{{Label: v.t("console.stock.available"), Value: s.Available}, {Label: v.t("console.stock.reserved"), Value: s.Reserved}, {Label: v.t("console.stock.delivered"), Value: s.Delivered},
		{Label: v.t("console.stock.voided"), Value: s.Voided}}
}

func stocks(c *Console, v *visit) error { return v.stocksPage(http.StatusOK, nil) }

func (v *visit) stocksPage(status int, refusal error) error {
	d := &stocksView{Query: v.q("q"), MayEdit: v.who.May(identity.StockEdit), Values: map[string]string{"name": v.f("name"), "low_mark": v.f("low_mark"), "kind": v.f("kind")}}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	var all []*inventory.Stock
	if err := v.view(func(tx *db.Tx) (err error) {
		all, err = v.c.Flows.Inventory.All(v.r.Context(), tx)
		return err
	}); err != nil {
		return err
	}
	var shown []*inventory.Stock
	only := v.q("only")
	for _, s := range all {
		if strings.Contains(strings.ToLower(s.Name), strings.ToLower(d.Query)) && (only != "low" || s.Available <= s.LowMark) {
			shown = append(shown, s)
		}
	}
	for _, s := range cut(v, shown, &d.Pager) {
		d.Stocks = append(d.Stocks, stockCard{Stock: s, Href: "/console/stocks/" + string(s.ID), Parts: v.stockParts(s), Low: s.Available <= s.LowMark && s.Available > 0, Out: s.Available == 0})
	}
	d.Empty = ui.Empty{Art: "box", Title: v.t("console.stocks.empty"), Text: v.t("console.stocks.empty.text")}
	if d.Query != "" || only != "" {
		d.Empty = v.nothingFound("/console/stocks")
	}
	v.page(&d.Page, "stocks", v.t("console.nav.stocks"))
	d.Pager.AsOf = v.c.now()
	return v.render(status, "stocks", d)
}

func createStock(c *Console, v *visit) error {
	low, ok := int64(0), true
	if text := v.f("low_mark"); text != "" {
		low, ok = whole(text, 0, 1<<40)
	}
	if !ok {
		return v.stocksPage(http.StatusBadRequest, fault.New(fault.Invalid, "console.form").At("low_mark", "console.number", "min", "0", "max", "–"))
	}
	var made id.Stock
	err := v.once(func(tx *db.Tx) error {
		s, err := c.Flows.Inventory.Create(v.r.Context(), tx, v.f("name"), v.f("kind"), low, c.now())
		if err != nil {
			return err
		}
		made = s.ID
		return v.audit(tx, "stock.create", string(s.ID), "name", s.Name, "kind", s.Kind)
	})
	if aboutInput(err) {
		return v.stocksPage(httpx.StatusOf(fault.KindOf(err)), err)
	}
	if err != nil {
		return err
	}
	if made == "" {
		return v.leave("/console/stocks", "created")
	}
	return v.leave("/console/stocks/"+string(made), "created")
}

type stockView struct {
	ui.Page
	formError
	Stock   *inventory.Stock
	Parts   []ui.Part
	Codes   bool
	Low     bool
	Batches ui.Table // of a stock of codes, and
	Record  ui.Table // of a counted one
	MayEdit bool
	MayMake bool
	Value   string
	scarceView
}

func stockPage(c *Console, v *visit) error { return v.stockPage(http.StatusOK, nil) }

func (v *visit) stockPage(status int, refusal error) error {
	k, err := pathID[id.Stock](v, "id")
	if err != nil {
		return err
	}
	d := &stockView{MayEdit: v.who.May(identity.StockEdit), MayMake: v.who.May(identity.CodeImport), Value: v.f("units")}
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	var batches []*vault.Batch
	err = v.view(func(tx *db.Tx) error {
		found, err := v.c.Flows.Inventory.Stocks(v.r.Context(), tx, []id.Stock{k})
		if err != nil {
			return err
		}
		if d.Stock = found[k]; d.Stock == nil {
			return fault.New(fault.NotFound, "not_found")
		}
		if d.scarceView, err = v.scarce(tx, d.Stock); err != nil {
			return err
		}
		if d.Stock.Kind == inventory.Counted {
			return v.receipts(tx, d)
		}
		batches, err = vault.Batches(v.r.Context(), tx, k, "", 20)
		return err
	})
	if err != nil {
		return err
	}
	d.Parts, d.Codes, d.Low = v.stockParts(d.Stock), d.Stock.Kind == inventory.Codes, d.Stock.Available <= d.Stock.LowMark
	d.Batches = v.batchTable(batches, nil)
	v.page(&d.Page, "stocks", d.Stock.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("console.nav.stocks"), Href: "/console/stocks"}, {Label: d.Stock.Name}}
	return v.render(status, "stock", d)
}

// receipts shows what a counted stock last received and voided, by whom and why.
func (v *visit) receipts(tx *db.Tx, d *stockView) error {
	all, err := v.c.Flows.Inventory.Receipts(v.r.Context(), tx, d.Stock.ID, 20)
	if err != nil {
		return err
	}
	var who []id.Party
	for _, r := range all {
		who = append(who, id.Party(r.Actor))
	}
	names, err := v.names(tx, who)
	d.Record = ui.Table{Caption: v.t("console.stock.receipts"), Columns: []ui.Column{{Label: v.t("console.units")}, {Label: v.t("console.by")}, {Label: v.t("console.reason")}, {Label: v.t("console.created"), End: true}},
		Empty: ui.Empty{Art: "box", Title: v.t("console.stock.receipts.empty")}}
	for _, r := range all {
		units := ui.FormatInt(r.Quantity)
		if r.Quantity > 0 {
			units = "+" + units
		}
		d.Record.Rows = append(d.Record.Rows, ui.Row{Cells: []ui.Cell{ui.Text(units, ""), ui.Text(v.people(names, r.Actor), ""), ui.Text(v.known("console.stock.reason."+r.Reason, r.Reason), ""), ui.At(r.At)}})
	}
	return err
}

// changeStock receives or voids counted units, or moves the mark below which an operator is
// told.
func changeStock(c *Console, v *visit) error {
	k, err := pathID[id.Stock](v, "id")
	if err != nil {
		return err
	}
	op := v.f("op")
	switch op {
	case "allot", "allot_close", "edition", "edition_close":
		err := v.once(func(tx *db.Tx) error { return v.changeScarce(tx, k) })
		if aboutInput(err) {
			return v.stockPage(httpx.StatusOf(fault.KindOf(err)), err)
		}
		if err != nil {
			return err
		}
		return v.leave("/console/stocks/"+string(k), "saved")
	}
	field, min := "units", int64(1)
	if op == "mark" {
		field, min = "low_mark", 0
	}
	n, ok := whole(v.f(field), min, 1_000_000_000)
	if !ok {
		return v.stockPage(http.StatusBadRequest, fault.New(fault.Invalid, "console.form").At(field, "console.number", "min", strconv.FormatInt(min, 10), "max", "1,000,000,000"))
	}
	reason := clip(v.f("reason"), 200)
	if op == "void" && reason == "" {
		return v.stockPage(http.StatusBadRequest, needed("reason"))
	}
	err = v.once(func(tx *db.Tx) error {
		if op == "mark" {
			if err := c.Flows.Inventory.SetLowMark(v.r.Context(), tx, k, n, c.now()); err != nil {
				return err
			}
			return v.audit(tx, "stock.mark", string(k), "low_mark", strconv.FormatInt(n, 10))
		}
		book, err := c.Flows.Inventory.Open(v.r.Context(), tx, []id.Stock{k}, nil)
		if err != nil {
			return err
		}
		s := book.Stock(k)
		if s == nil {
			return fault.New(fault.NotFound, "not_found")
		}
		if s.Kind != inventory.Counted {
			return fault.New(fault.Conflict, "console.codes_only")
		}
		book.Sign(string(v.by()), reason)
		action := "stock.receive"
		switch op {
		case "receive":
			book.Receive(k, n)
		case "void":
			if action = "stock.void"; !book.Void(k, n) {
				return fault.New(fault.Invalid, "console.form").At("units", "console.too_many_units", "n", ui.FormatInt(s.Available))
			}
		default:
			return fault.New(fault.Invalid, "http.form")
		}
		if err := c.Flows.Inventory.Save(v.r.Context(), tx, book, c.now()); err != nil {
			return err
		}
		return v.audit(tx, action, string(k), "units", strconv.FormatInt(n, 10), "reason", reason)
	})
	if fault.KindOf(err) == fault.Invalid {
		return v.stockPage(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	say := map[string]string{"receive": "received", "void": "voided"}[op]
	if say == "" {
		say = "saved"
	}
	return v.leave("/console/stocks/"+string(k), say)
}
