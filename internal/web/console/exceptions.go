package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/job"
	"hufu/internal/web/ui"
)

// maxCases is how many open cases one page is made from.
const maxCases = 1000

var caseTones = map[string]ui.Tone{exception.Mismatch: ui.Stop, exception.SecondCapture: ui.Warn, exception.LateRefund: ui.Info, exception.Shortage: ui.Stop, exception.OverLimit: ui.Info, exception.UnknownIntent: ui.Stop, exception.RefundFailed: ui.Stop, exception.ForeignRefund: ui.Stop, exception.Dispute: ui.Stop, exception.DeadJob: ui.Stop, exception.Unreleased: ui.Stop}

func exceptions(_ *Console, v *visit) error {
	var all []exception.Case
	var counts map[string]int64
	if err := v.view(func(tx *db.Tx) (err error) {
		if all, err = exception.ListOpen(v.r.Context(), tx, maxCases); err != nil {
			return err
		}
		counts, err = exception.Counts(v.r.Context(), tx)
		return err
	}); err != nil {
		return err
	}
	kind := v.q("kind")
	var shown []exception.Case
	for _, x := range all {
		if kind == "" || x.Kind == kind {
			shown = append(shown, x)
		}
	}
	l := &listView{Lead: v.t("console.cases.lead")}
	v.page(&l.Page, "exceptions", v.t("ui.nav.exceptions"))
	var total int64
	var kinds []string
	for k, n := range counts {
		total += n
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("kind", ""), Selected: kind == "", Count: ui.FormatInt(total)}}
	for _, k := range kinds {
		l.Tabs = append(l.Tabs, ui.Option{Label: v.known("console.case."+k, k), Href: v.with("kind", k), Selected: kind == k, Count: ui.FormatInt(counts[k])})
	}
	l.Table = ui.Table{Caption: v.t("ui.nav.exceptions"), Columns: []ui.Column{{Label: v.t("console.case")}, {Label: v.t("console.order"), Fit: true}, {Label: v.t("console.case.next")}, {Label: v.t("console.state")}, v.sortable(ui.Column{Label: v.t("console.amount"), End: true}, "amount"), v.sortable(ui.Column{Label: v.t("console.case.age"), End: true}, "age")}}
	sorted(v, shown, map[string]func(a, b exception.Case) int{
		"amount": func(a, b exception.Case) int { return byMoney(a.Amount, b.Amount) },
		"age":    func(a, b exception.Case) int { return b.OpenedAt.Compare(a.OpenedAt) },
	})
	page := cut(v, shown, &l.Table.Pager)
	var money map[string]held
	if err := v.view(func(tx *db.Tx) (err error) { money, err = v.held(tx, page); return err }); err != nil {
		return err
	}
	for _, x := range page {
		href := "/console/exceptions/" + string(x.ID)
		sub := v.caseDetail(x)
		if h, ok := money[x.Subject]; ok && x.Kind == exception.Mismatch {
			sub = v.compare(h)
		}
		order := ui.Text("–", "")
		if x.Order != "" {
			order = ui.Cell{Text: short(x.Order), Href: "/console/orders/" + string(x.Order), Mono: true}
		}
		amount := ui.Text("–", "")
		if x.Amount.Currency != "" && x.Amount.Minor != 0 {
			amount = ui.Sum(x.Amount)
		}
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(x.ID), Href: href, Cells: []ui.Cell{ui.Link(v.known("console.case."+x.Kind, x.Kind), href, clip(sub, 90)), order, broad(v.known("console.case.next."+x.Kind, ""), ""),
			ui.State(caseTones[x.Kind], v.t("console.case.is_open")), amount, ui.Text(v.since(x.OpenedAt), "")}})
	}
	l.Table.Empty = ui.Empty{Art: "tally", Title: v.t("console.cases.empty"), Text: v.t("console.cases.empty.text")}
	return v.list(l)
}

type exceptionView struct {
	ui.Page
	formError
	Case     exception.Case
	Word     string
	Tone     ui.Tone
	Means    string
	Next     string
	Facts    []ui.Fact
	MayClose bool
	MayAsk   bool
	MayRetry bool
	Note     string
	Back     *back // the money in suspense that the case is about
	Owed     []owedRefund
	Waits    bool // the money it is about is on its way back
}

func exceptionPage(_ *Console, v *visit) error { return v.exceptionPage(http.StatusOK, nil) }

func (v *visit) exceptionPage(status int, refusal error) error {
	k, err := pathID[id.Case](v, "id")
	if err != nil {
		return err
	}
	d := &exceptionView{Note: v.f("note")}
	if err := d.refused(v.lang, refusal, v.owedField); err != nil {
		return err
	}
	var names map[id.Party]string
	var about map[string]held
	var owes flow.Owes
	err = v.view(func(tx *db.Tx) error {
		var found bool
		if d.Case, found, err = exception.Find(v.r.Context(), tx, k); err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "not_found")
		}
		if about, err = v.held(tx, []exception.Case{d.Case}); err != nil {
			return err
		}
		if owes, err = v.c.Flows.Owes(v.r.Context(), tx, d.Case); err != nil {
			return err
		}
		names, err = v.names(tx, []id.Party{id.Party(d.Case.ClosedBy)})
		return err
	})
	if err != nil {
		return err
	}
	x := d.Case
	d.Word, d.Means, d.Next = v.known("console.case."+x.Kind, x.Kind), v.known("console.case.means."+x.Kind, ""), v.known("console.case.next."+x.Kind, "")
	d.Tone = caseTones[x.Kind]
	d.MayClose = x.Open && v.who.May(identity.ExceptionClose)
	d.MayAsk = d.MayClose && x.Order != ""
	d.MayRetry = d.MayClose && x.Kind == exception.DeadJob
	d.MayClose = d.MayClose && !owes.Open
	if x.Open {
		d.Owed = v.owed("/console/exceptions/"+string(k), owes.Failed, d.Errors)
		d.Waits = owes.Open && !owes.Suspense && len(owes.Failed) == 0
	}
	h, compared := about[x.Subject]
	if compared {
		d.Facts = v.compared(h)
		if d.Back = v.back(x, h); len(d.Owed) > 0 {
			d.Back = nil
		}
	}
	d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.case.subject"), Value: x.Subject, Mono: true})
	if !compared { // else it is said above in words
		d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.case.detail"), Value: dash(v.caseDetail(x))})
		if x.Amount.Currency != "" {
			d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.amount"), Value: x.Amount.String()})
		}
	}
	d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.case.opened"), Value: v.when(x.OpenedAt)})
	if x.Open {
		d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.case.age"), Value: v.since(x.OpenedAt)})
	} else {
		d.Facts = append(d.Facts, ui.Fact{Label: v.t("console.case.closed"), Value: v.when(x.ClosedAt) + " · " + v.people(names, x.ClosedBy)}, ui.Fact{Label: v.t("console.note"), Value: dash(v.closingNote(x.Note))})
	}
	v.page(&d.Page, "exceptions", d.Word)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.exceptions"), Href: "/console/exceptions"}, {Label: d.Word}}
	return v.render(status, "exception", d)
}

// caseDetail is what a case says beside its kind; why a refund failed is put in words.
func (v *visit) caseDetail(x exception.Case) string { return v.known("fault."+x.Detail, x.Detail) }

// closingNote is what a case was closed with; what the program itself notes is put in words.
func (v *visit) closingNote(note string) string {
	for _, word := range []string{"refunded", "again"} {
		if refund, ok := strings.CutPrefix(note, word+" "); ok {
			if k, err := id.Parse[id.Refund](refund); err == nil {
				return v.t("console.case."+word, "refund", short(k))
			}
		}
	}
	return note
}

func closeException(c *Console, v *visit) error {
	k, err := pathID[id.Case](v, "id")
	if err != nil {
		return err
	}
	note := clip(plainLines(v.f("note")), 1000)
	if note == "" {
		return v.exceptionPage(http.StatusBadRequest, needed("note"))
	}
	err = v.once(func(tx *db.Tx) error {
		x, err := c.Flows.CloseCase(v.r.Context(), tx, k, note, v.by())
		if err != nil {
			return err
		}
		return v.audit(tx, "exception.close", string(k), "kind", x.Kind, "note", note)
	})
	if code := fault.CodeOf(err); code == "exception.refund_first" || code == "exception.owed" || code == "exception.closed" {
		return v.exceptionPage(http.StatusConflict, err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/exceptions?done=case-"+string(k), "closed")
}

// retryJob has work that was given up tried again.
func retryJob(c *Console, v *visit) error {
	k, err := pathID[id.Case](v, "id")
	if err != nil {
		return err
	}
	err = v.once(func(tx *db.Tx) error {
		x, found, err := exception.Find(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		if !found || x.Kind != exception.DeadJob {
			return fault.New(fault.NotFound, "not_found")
		}
		revived, err := job.Revive(v.r.Context(), tx, id.Job(x.Subject), c.now())
		if err != nil {
			return err
		}
		return v.audit(tx, "job.revive", x.Subject, "revived", strconv.FormatBool(revived))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/exceptions/"+string(k), "revived")
}

// openCases is how many exceptions wait, for the navigation.
func (c *Console) openCases(v *visit) int {
	if v.who == nil || !v.who.May(identity.OrderView) {
		return 0
	}
	n := 0
	_ = v.view(func(tx *db.Tx) error { // without the number the page still serves
		counts, err := exception.Counts(v.r.Context(), tx)
		for _, k := range counts {
			n += int(k)
		}
		return err
	})
	return n
}
