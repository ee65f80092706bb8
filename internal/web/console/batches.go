package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

var batchStates = []vault.BatchState{vault.Ready, vault.Filling, vault.Undone}

func batches(_ *Console, v *visit) error {
	return v.batches(vault.BatchesLike{Stock: id.Stock(v.q("stock")), State: vault.BatchState(v.q("state")), Text: v.q("q")})
}

// findBatches leads to the batches that what was typed names. Nothing else of it is put into
// an address, as it may be a code; one that is stored leads to itself.
func findBatches(_ *Console, v *visit) error {
	like := vault.BatchesLike{Stock: id.Stock(v.f("stock")), State: vault.BatchState(v.f("state")), Text: v.f("q")}
	codes, err := v.codesNamed(like.Text)
	if err != nil {
		return err
	}
	if len(codes) > 0 {
		return v.foundCodes(codes)
	}
	var named []*vault.Batch
	if err := v.view(func(tx *db.Tx) (err error) {
		named, err = vault.FindBatches(v.r.Context(), tx, vault.BatchesLike{Text: like.Text}, "", 1)
		return err
	}); err != nil {
		return err
	}
	if len(named) == 0 {
		return v.batches(like)
	}
	keep := url.Values{}
	for name, value := range map[string]string{"q": like.Text, "state": string(like.State), "stock": string(like.Stock)} {
		if value != "" {
			keep.Set(name, value)
		}
	}
	return v.leave(address("/console/batches", keep), "")
}

func (v *visit) batches(like vault.BatchesLike) error {
	stock, state, q := like.Stock, like.State, like.Text
	if !slices.Contains(batchStates, state) {
		state = ""
	}
	var all []*vault.Batch
	var stocks map[id.Stock]string
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = vault.FindBatches(v.r.Context(), tx, vault.BatchesLike{Stock: stock, State: state, Text: q}, id.Batch(v.q("before")), perPage+1); err != nil {
			return err
		}
		stocks, err = v.stockNames(tx)
		return err
	}); err != nil {
		return err
	}
	l := &listView{Lead: v.t("console.batches.lead"), Find: v.find("/console/batches", "console.batches.find", "state", "stock")}
	l.Find.Value, l.Find.Post = q, true
	v.page(&l.Page, "batches", v.t("ui.nav.batches"))
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("state", ""), Selected: state == ""}}
	for _, s := range batchStates {
		_, word := v.batchState(s)
		l.Tabs = append(l.Tabs, ui.Option{Label: word, Href: v.with("state", string(s)), Selected: state == s})
	}
	all, pager := onward(v, all, perPage, func(b *vault.Batch) string { return string(b.ID) })
	l.Table = v.batchTable(all, stocks)
	l.Table.Pager = pager
	if q != "" || state != "" {
		l.Table.Empty = v.nothingFound("/console/batches")
	}
	l.Actions = []ui.Action{{Label: v.t("console.codes.find"), Href: "/console/codes", Kind: "secondary", Icon: "search"}}
	if v.who.May(identity.CodeImport) {
		with := ""
		if stock != "" {
			with = "?stock=" + url.QueryEscape(string(stock))
		}
		l.Actions = append(l.Actions, ui.Action{Label: v.t("console.imports.new"), Href: "/console/imports/new" + with, Kind: "secondary", Icon: "upload"}, ui.Action{Label: v.t("console.generate"), Href: "/console/batches/generate" + with, Icon: "plus"})
	}
	if name := stocks[stock]; name != "" {
		l.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.batches"), Href: "/console/batches"}, {Label: name}}
	}
	return v.list(l)
}

func (v *visit) batchTable(all []*vault.Batch, stocks map[id.Stock]string) ui.Table {
	t := ui.Table{Caption: v.t("ui.nav.batches"), Columns: []ui.Column{{Label: v.t("console.batch")}, {Label: v.t("console.state")}, {Label: v.t("console.stock.available"), End: true, Say: true}, {Label: v.t("console.stock.delivered"), End: true, Say: true},
		{Label: v.t("console.created"), End: true}}}
	for _, b := range all {
		tone, word := v.batchState(b.State)
		if b.State == vault.Filling && b.Size > 0 {
			word += " " + strconv.FormatInt(b.Counts.Stored*100/b.Size, 10) + "%"
		}
		href := "/console/batches/" + string(b.ID)
		sub := v.t("console.batch.source." + b.Source)
		if name := stocks[b.Stock]; name != "" {
			sub = name + " · " + sub
		}
		t.Rows = append(t.Rows, ui.Row{ID: string(b.ID), Label: b.Name, Href: href, Cells: []ui.Cell{ui.Link(b.Name, href, sub), ui.State(tone, word), ui.Text(ui.FormatInt(b.Counts.Available)+" / "+ui.FormatInt(b.Counts.Stored), ""), ui.Text(ui.FormatInt(b.Counts.Delivered), ""),
			ui.At(b.CreatedAt)}})
	}
	t.Empty = ui.Empty{Art: "box", Title: v.t("console.batches.empty"), Text: v.t("console.batches.empty.text"), Action: &ui.Action{Label: v.t("console.imports.new"), Href: "/console/imports/new", Icon: "upload"},
		Second: &ui.Action{Label: v.t("console.generate"), Href: "/console/batches/generate"}}
	return t
}

type batchView struct {
	ui.Page
	Batch    *vault.Batch
	StockRef string
	Tone     ui.Tone
	State    string
	Facts    []ui.Fact
	Parts    []ui.Part
	Codes    ui.Table
	Filling  bool
	MayMake  bool
	MayUndo  bool
}

func batchPage(c *Console, v *visit) error {
	d, codes, err := v.batch()
	if err != nil {
		return err
	}
	b := d.Batch
	href := "/console/batches/" + string(b.ID)
	d.Codes = ui.Table{Caption: v.t("console.batch.codes"), Columns: []ui.Column{{Label: v.t("console.code")}, {Label: v.t("console.expires")}, {Label: v.t("console.state")}, {Label: v.t("console.code.delivered_at"), End: true, Say: true}}}
	if len(codes) > perPage {
		codes = codes[:perPage]
		d.Codes.Pager.Next = href + "?after=" + string(codes[perPage-1].ID)
	}
	if v.q("after") != "" {
		d.Codes.Pager.First = href
	}
	for _, s := range codes {
		tone, word := v.codeState(s.State)
		to := "/console/codes/" + string(s.ID)
		d.Codes.Rows = append(d.Codes.Rows, ui.Row{ID: string(s.ID), Href: to, Cells: []ui.Cell{ui.Link("•••• "+s.Last4, to, ""), ui.On(s.ExpiresAt), ui.State(tone, word), ui.At(s.DeliveredAt)}})
	}
	d.Codes.Empty = ui.Empty{Art: "ticket", Title: v.t("console.batch.no_codes")}
	v.page(&d.Page, "batches", b.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.batches"), Href: "/console/batches"}, {Label: b.Name}}
	return v.render(http.StatusOK, "batch", d)
}

func (v *visit) batch() (*batchView, []vault.Shown, error) {
	k, err := pathID[id.Batch](v, "id")
	if err != nil {
		return nil, nil, err
	}
	d := &batchView{}
	var codes []vault.Shown
	var stocks map[id.Stock]string
	var names map[id.Party]string
	err = v.view(func(tx *db.Tx) error {
		if d.Batch, err = vault.BatchByID(v.r.Context(), tx, k); err != nil {
			return err
		}
		after, err := id.Parse[id.Code](v.q("after"))
		if err != nil {
			after = ""
		}
		if codes, err = vault.CodesOf(v.r.Context(), tx, d.Batch, after, perPage+1); err != nil {
			return err
		}
		if stocks, err = v.stockNames(tx); err != nil {
			return err
		}
		names, err = v.names(tx, []id.Party{id.Party(d.Batch.CreatedBy)})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	b := d.Batch
	d.StockRef = stocks[b.Stock]
	d.Tone, d.State = v.batchState(b.State)
	d.Filling = b.State == vault.Filling && b.Source == vault.Generated
	d.MayMake = v.who.May(identity.CodeImport)
	d.MayUndo = d.MayMake && b.Source == vault.Generated && b.State != vault.Undone && b.Counts.Delivered == 0
	d.Parts = []ui.Part{{Label: v.t("console.stock.available"), Value: b.Counts.Available}, {Label: v.t("console.code.state.filling"), Value: b.Counts.Filling}, {Label: v.t("console.stock.delivered"), Value: b.Counts.Delivered},
		{Label: v.t("console.code.state.expired"), Value: b.Counts.Expired}, {Label: v.t("console.stock.voided"), Value: b.Counts.Voided}}
	expires := v.t("console.never")
	if b.Source == vault.Imported {
		expires = v.t("console.batch.own_end")
	}
	if !b.ExpiresAt.IsZero() {
		expires = v.when(b.ExpiresAt)
	}
	d.Facts = []ui.Fact{{Label: v.t("console.batch.source"), Value: v.t("console.batch.source." + b.Source)}, {Label: v.t("console.batch.issuer"), Value: b.Issuer}, {Label: v.t("console.batch.supplier"), Value: dash(b.Supplier)},
		{Label: v.t("console.batch.cost"), Value: sumText(b.Cost)}, {Label: v.t("console.expires"), Value: expires}, {Label: v.t("console.created"), Value: v.when(b.CreatedAt)}, {Label: v.t("console.by"), Value: v.people(names, b.CreatedBy)},
		{Label: "ID", Value: string(b.ID), Mono: true}}
	return d, codes, nil
}

// batchState is the part of a batch's page that keeps itself up to date while it is filled.
func batchState(_ *Console, v *visit) error {
	d, _, err := v.batch()
	if err != nil {
		return err
	}
	return v.live(!d.Filling, "/console/batches/"+string(d.Batch.ID), "console/batch", "batch-live", d)
}

type generateView struct {
	ui.Page
	formError
	Values  map[string]string
	Stocks  []ui.Option
	Example string
}

func generatePage(_ *Console, v *visit) error {
	return v.generateForm(http.StatusOK, map[string]string{"stock": v.q("stock"), "count": "1000", "issuer": "hufu", "group": "4", "bits": "80", "prefix": "HUFU"}, nil)
}

func (v *visit) codeStocks(chosen string) ([]ui.Option, error) {
	var out []ui.Option
	err := v.view(func(tx *db.Tx) error {
		all, err := v.c.Flows.Inventory.All(v.r.Context(), tx)
		for _, s := range all {
			if s.Kind == inventory.Codes {
				out = append(out, ui.Option{Value: string(s.ID), Label: s.Name + " · " + ui.FormatInt(s.Available), Selected: string(s.ID) == chosen})
			}
		}
		return err
	})
	return out, err
}

func (v *visit) generateForm(status int, values map[string]string, refusal error) error {
	d := &generateView{Values: values}
	var err error
	if err := d.refused(v.lang, refusal, nil); err != nil {
		return err
	}
	if d.Stocks, err = v.codeStocks(values["stock"]); err != nil {
		return err
	}
	v.page(&d.Page, "batches", v.t("console.generate"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.batches"), Href: "/console/batches"}, {Label: d.Title}}
	return v.render(status, "generate", d)
}

func generateCodes(c *Console, v *visit) error {
	values := map[string]string{}
	for _, name := range []string{"stock", "name", "issuer", "prefix", "group", "bits", "count", "cost", "expires"} {
		values[name] = v.f(name)
	}
	f := fault.New(fault.Invalid, "console.form")
	number := func(name string, min, max int64) int64 {
		n, ok := whole(values[name], min, max)
		if !ok {
			f.At(name, "console.number", "min", ui.FormatInt(min), "max", ui.FormatInt(max))
		}
		return n
	}
	for _, name := range []string{"stock", "name", "issuer"} {
		if values[name] == "" {
			f.At(name, "console.required")
		}
	}
	g := flow.Generate{Stock: id.Stock(values["stock"]), Name: values["name"], Issuer: values["issuer"], By: string(v.by()), Origin: v.origin().Address}
	g.Count = number("count", 1, flow.MaxGenerate)
	g.Format = vault.Format{Prefix: values["prefix"], Group: int(number("group", 0, 12)), SecretBits: int(number("bits", vault.MinSecretBits, vault.MaxSecretBits))}
	if values["cost"] != "" {
		var err error
		if g.Cost, err = money.Parse(values["cost"], money.CNY); err != nil || g.Cost.Minor < 0 {
			f.At("cost", "console.amount", "currency", "CNY")
		}
	}
	var ok bool
	if g.Expires, ok = v.readTime(values["expires"]); !ok || !g.Expires.IsZero() && !g.Expires.After(c.now()) {
		f.At("expires", "console.future")
	}
	if len(f.Fields) == 0 {
		if err := g.Format.Validate(); err != nil {
			f.At("prefix", fault.CodeOf(err), paramsOf(err)...)
		}
	}
	if len(f.Fields) > 0 {
		return v.generateForm(http.StatusBadRequest, values, f)
	}
	to := "/console/batches?stock=" + url.QueryEscape(values["stock"])
	if fresh, err := v.first(); err != nil || !fresh {
		if err != nil {
			return err
		}
		return v.leave(to, "started")
	}
	batch, err := c.inBackground("codes are generated", func(ctx context.Context) (*vault.Batch, error) { return c.Flows.GenerateCodes(ctx, g, nil) })
	if aboutInput(err) {
		return v.generateForm(httpx.StatusOf(fault.KindOf(err)), values, err)
	}
	if err != nil {
		return err
	}
	if batch != nil {
		to = "/console/batches/" + string(batch.ID)
	}
	return v.leave(to, "started")
}

func paramsOf(err error) []string {
	var out []string
	for k, value := range fault.From(err).Params {
		out = append(out, k, value)
	}
	return out
}

// patience is how long a page waits for long work before it goes on without it.
const patience = 700 * time.Millisecond

// inBackground does work that may outlive its request, and gives its result if it ends soon.
func (c *Console) inBackground(what string, do func(ctx context.Context) (*vault.Batch, error)) (*vault.Batch, error) {
	type result struct {
		batch *vault.Batch
		err   error
	}
	done := make(chan result, 1)
	c.work.Go(func() {
		b, err := do(c.ctx)
		if err != nil && c.ctx.Err() == nil && fault.KindOf(err) == fault.Internal {
			c.Log.Error("work behind a page failed", "work", what, "error", err)
		}
		done <- result{b, err}
	})
	select {
	case r := <-done:
		return r.batch, r.err
	case <-time.After(patience):
		return nil, nil
	}
}

// steerBatch resumes the making of a batch, or takes the batch back.
func steerBatch(c *Console, v *visit) error {
	k, err := pathID[id.Batch](v, "id")
	if err != nil {
		return err
	}
	href := "/console/batches/" + string(k)
	say := "started"
	switch v.f("op") {
	case "resume":
		_, err = c.inBackground("a batch is filled", func(ctx context.Context) (*vault.Batch, error) { return c.Flows.ResumeGenerate(ctx, k, nil) })
	case "undo":
		say = "undone"
		by, origin := string(v.by()), v.origin().Address
		_, err = c.inBackground("a batch is taken back", func(ctx context.Context) (*vault.Batch, error) { return nil, c.Flows.UndoBatch(ctx, k, by, origin) })
	default:
		return fault.New(fault.Invalid, "http.form")
	}
	if err != nil {
		return err
	}
	return v.leave(href, say)
}
