package console

import (
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// payments lists money that came and money that goes back.
func payments(c *Console, v *visit) error {
	tab := v.q("tab")
	l := &listView{Lead: v.t("console.payments.lead")}
	v.page(&l.Page, "payments", v.t("ui.nav.payments"))
	for _, t := range []string{"", "suspense", "waiting", "sent", "failed", "done"} {
		key := t
		if t == "" {
			key = "received"
		}
		l.Tabs = append(l.Tabs, ui.Option{Label: v.t("console.payments.tab." + key), Href: address("/console/payments", map[string][]string{"tab": {t}}), Selected: tab == t})
	}
	var captures []payment.Capture
	var refunds []payment.Refund
	err := v.view(func(tx *db.Tx) (err error) {
		switch tab {
		case "waiting", "sent", "failed", "done":
			refunds, err = c.Flows.Payments.Refunds(v.r.Context(), tx, payment.RefundState(tab), id.Refund(v.q("before")), perPage+1)
		default:
			captures, err = c.Flows.Payments.Received(v.r.Context(), tx, tab == "suspense", id.Capture(v.q("before")), perPage+1)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch tab {
	case "waiting", "sent", "failed", "done":
		refunds, pager := onward(v, refunds, perPage, func(r payment.Refund) string { return string(r.ID) })
		l.Table = v.refundTable(refunds, true)
		l.Table.Pager = pager
		return v.list(l)
	}
	captures, pager := onward(v, captures, perPage, func(x payment.Capture) string { return string(x.ID) })
	l.Table = ui.Table{Caption: v.t("ui.nav.payments"), Columns: []ui.Column{{Label: v.t("console.capture")}, {Label: v.t("console.order")}, {Label: v.t("console.state")}, {Label: v.t("console.amount"), End: true}, {Label: v.t("console.time"), End: true}}}
	for _, x := range captures {
		tone, word := ui.OK, v.t("console.capture.applied")
		if !x.Applied {
			tone, word = ui.Warn, v.known("console.outcome."+x.Reason, x.Reason)
		}
		href := "/console/orders/" + string(x.Order)
		l.Table.Rows = append(l.Table.Rows, ui.Row{ID: string(x.ID), Href: href, Cells: []ui.Cell{ui.Link(v.gateway(x.Provider), href, x.Txn), ui.Mono(short(x.Order)), ui.State(tone, word), ui.Sum(x.Amount), ui.At(x.BookedAt)}})
	}
	l.Table.Pager = pager
	l.Table.Empty = ui.Empty{Art: "tally", Title: v.t("console.payments.empty"), Text: v.t("console.payments.empty.text")}
	return v.list(l)
}

// refundNote is what there is to say of how a refund stands: how a person paid it, or why it
// failed.
func (v *visit) refundNote(r payment.Refund) string {
	if r.ByHand != "" {
		return v.way(r.ByHand, r.Provider) + " · " + r.Reference
	}
	return v.known("fault."+r.Note, r.Note)
}

// refundTable shows refunds; withOrder leads to their orders.
func (v *visit) refundTable(all []payment.Refund, withOrder bool) ui.Table {
	t := ui.Table{Caption: v.t("console.order.refunds"), Columns: []ui.Column{{Label: v.t("console.refund")}, {Label: v.t("console.refund.reason")}, {Label: v.t("console.state")}, {Label: v.t("console.amount"), End: true}, {Label: v.t("console.time"), End: true}}}
	for _, r := range all {
		tone, word := v.refundState(r.State)
		first, href := broad(v.gateway(r.Provider), short(r.ID)), ""
		if withOrder {
			href = "/console/orders/" + string(r.Order)
			first = ui.Link(v.gateway(r.Provider), href, short(r.ID)+" · "+short(r.Order))
		}
		t.Rows = append(t.Rows, ui.Row{ID: string(r.ID), Href: href, Cells: []ui.Cell{first, ui.Text(v.known("console.refund.reason."+r.Reason, r.Reason), clip(v.refundNote(r), 80)), ui.State(tone, word), ui.Sum(r.Amount), ui.At(r.CreatedAt)}})
	}
	t.Empty = ui.Empty{Art: "tally", Title: v.t("console.refunds.empty"), Text: v.t("console.refunds.empty.text")}
	return t
}
