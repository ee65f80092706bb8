package console

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/web/ui"
)

type auditView struct {
	ui.Page
	Find    findBox
	Rows    []auditRow
	Pager   ui.Pager
	Empty   ui.Empty
	Checked bool
	Bad     int64
	Head    audit.Head
}

type auditRow struct {
	Seq     int64
	Row     audit.Row
	What    string
	Who     string
	Tone    ui.Tone
	Result  string
	Subject string
	Href    string
	Data    []ui.Fact
}

// hrefs are the pages of what acts are done to, by the kind of its identifier.
var hrefs = map[string]string{"ord": "/console/orders/", "ofr": "/console/offers/", "ben": "/console/benefits/", "stk": "/console/stocks/", "bat": "/console/batches/", "cod": "/console/codes/", "cas": "/console/exceptions/"}

func hrefOf(subject string) string {
	kind, _, _ := strings.Cut(subject, "_")
	if base, ok := hrefs[kind]; ok && len(subject) > 10 {
		return base + subject
	}
	return ""
}

func audits(_ *Console, v *visit) error { return v.audits(&auditView{}) }

func (v *visit) audits(d *auditView) error {
	q := v.q("q")
	before, _ := whole(v.q("before"), 1, 1<<50)
	var rows []audit.Row
	var names map[id.Party]string
	err := v.view(func(tx *db.Tx) (err error) {
		if q != "" {
			rows, err = v.searchAudit(tx, q, before)
		} else {
			rows, err = audit.List(v.r.Context(), tx, before, perPage+1)
		}
		if err != nil {
			return err
		}
		if d.Head, err = audit.End(v.r.Context(), tx); err != nil {
			return err
		}
		names, err = v.names(tx, actorsOf(rows))
		return err
	})
	if err != nil {
		return err
	}
	rows, d.Pager = onward(v, rows, perPage, func(r audit.Row) string { return strconv.FormatInt(r.Seq, 10) })
	for _, r := range rows {
		row := auditRow{Seq: r.Seq, Row: r, What: v.known("console.audit."+r.Action, r.Action), Who: v.people(names, r.Actor), Tone: ui.OK, Result: v.t("console.audit.ok"), Subject: short(r.Subject), Href: hrefOf(r.Subject)}
		if r.Result != "ok" {
			row.Tone, row.Result = ui.Stop, v.auditResult(r.Result)
			row.Data = append(row.Data, ui.Fact{Label: "result", Value: r.Result})
		}
		for _, k := range slices.Sorted(maps.Keys(r.Data)) {
			row.Data = append(row.Data, ui.Fact{Label: k, Value: r.Data[k]})
		}
		d.Rows = append(d.Rows, row)
	}
	d.Find = v.find("/console/audit", "console.audit.find")
	d.Empty = ui.Empty{Art: "lock", Title: v.t("console.audit.empty"), Text: v.t("console.audit.empty.text")}
	if q != "" {
		d.Empty = v.nothingFound("/console/audit")
	}
	v.page(&d.Page, "audit", v.t("ui.nav.audit"))
	return v.render(http.StatusOK, "audit", d)
}

// searchDepth is how far back a search by words reads; a search by subject is exact and
// reads its index.
const searchDepth = 5000

func (v *visit) searchAudit(tx *db.Tx, q string, before int64) ([]audit.Row, error) {
	if of, err := audit.Of(v.r.Context(), tx, q); err != nil || len(of) > 0 {
		slices.Reverse(of)
		return of[:min(len(of), perPage)], err
	}
	q = strings.ToLower(q)
	var out []audit.Row
	for read := 0; read < searchDepth && len(out) <= perPage; read += 500 {
		page, err := audit.List(v.r.Context(), tx, before, 500)
		if err != nil || len(page) == 0 {
			return out, err
		}
		for _, r := range page {
			if strings.Contains(strings.ToLower(r.Action+" "+r.Actor+" "+r.Subject+" "+r.Origin+" "+r.Result+" "+v.known("console.audit."+r.Action, "")), q) {
				out = append(out, r)
			}
		}
		before = page[len(page)-1].Seq
	}
	return out, nil
}

// verifyAudit walks the whole trail along its chain.
func verifyAudit(_ *Console, v *visit) error {
	d := &auditView{Checked: true}
	if err := v.view(func(tx *db.Tx) (err error) {
		d.Bad, err = audit.Verify(v.r.Context(), tx, nil)
		return err
	}); err != nil {
		return err
	}
	return v.audits(d)
}
