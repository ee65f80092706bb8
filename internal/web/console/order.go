package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/web"
	"hufu/internal/web/ui"
)

type orderView struct {
	ui.Page
	formError
	Order     *order.Order
	Name      string
	Tone      ui.Tone
	State     string
	Facts     []ui.Fact
	Lines     []orderLine
	Rights    []rightLine
	Payments  ui.Table
	Refunds   ui.Table
	Transfers ui.Table
	Cases     []caseLine
	Owed      []owedRefund
	Events    []ui.Event
	Latest    *ui.Event // of Events
	Notes     []ui.Event
	MayCancel bool
	MayAsk    bool
	MaySend   bool
	MayNote   bool
	MayUnmask bool
	Party     id.Party
	Contact   string // in full, right after it was asked for

	Acknowledged *order.Acknowledgement
}

type orderLine struct {
	Name, Href, Version string
	Line                order.Line
	Unit, Amount        string
	Quote               []ui.Fact
}

type rightLine struct {
	Right  *entitlement.Right
	Name   string
	Tone   ui.Tone
	State  string
	Last4  string
	Number string // in editions, "" for none
	Code   id.Code
	Intact bool
}

type caseLine struct {
	Case   exception.Case
	Word   string
	Detail string
	Href   string
}

func orderPage(_ *Console, v *visit) error { return v.orderPage(http.StatusOK, "", nil) }

func (v *visit) orderPage(status int, contact string, refusal error) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return fault.New(fault.NotFound, "order.not_found")
	}
	var s *dossier
	d := &orderView{Contact: contact}
	if err := d.refused(v.lang, refusal, v.owedField); err != nil {
		return err
	}
	err = v.view(func(tx *db.Tx) error {
		if s, err = v.dossier(tx, k); err != nil {
			return err
		}
		a, found, err := v.c.Flows.Orders.Acknowledged(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		if d.Acknowledged = nil; found {
			d.Acknowledged = &a
		}
		return v.orderLines(tx, s, d)
	})
	if err != nil {
		return err
	}
	o := s.order
	d.Order, d.Party = o, o.Party
	d.Tone, d.State = v.orderState(o.State)
	d.Name = short(o.ID)
	pending := o.State == order.Pending
	d.MayNote = v.who.May(identity.OrderView)
	d.MayCancel = pending && v.who.May(identity.ExceptionClose)
	for _, p := range s.intents {
		d.MayAsk = d.MayAsk || p.State == payment.Pending && p.Gateway != payment.Balance && v.who.May(identity.OrderView)
	}
	d.MaySend = !o.PaidAt.IsZero() && (o.Phone != "" || o.Email != "")
	d.MayUnmask = (o.Phone != "" || o.Email != "") && v.who.May(identity.CustomerUnmask)
	who := v.contact(o)
	if o.Party == "" {
		who += " · " + v.t("console.guest")
	}
	d.Facts = []ui.Fact{{Label: v.t("console.customer"), Value: who}, {Label: v.t("console.order.channel"), Value: v.known("console.channel."+o.Channel, o.Channel)}, {Label: v.t("console.order.created"), Value: v.when(o.CreatedAt)}, {Label: v.t("console.order.paid_at"), Value: v.when(o.PaidAt)},
		{Label: v.t("console.order.expires"), Value: v.when(o.ExpiresAt)}, {Label: v.t("console.amount"), Value: o.Total.String()}}
	v.orderMoney(s, d)
	d.Owed = v.owed("/console/orders/"+string(k), payment.Owed(s.refunds), d.Errors)
	for _, x := range s.cases {
		d.Cases = append(d.Cases, caseLine{x, v.known("console.case."+x.Kind, x.Kind), v.caseDetail(x), "/console/exceptions/" + string(x.ID)})
	}
	d.Events = v.timeLine(s)
	if len(d.Events) > 0 {
		d.Latest = &d.Events[0]
	}
	v.page(&d.Page, "orders", v.t("console.order")+" "+d.Name)
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.all_orders"), Href: "/console/orders"}, {Label: d.Name}}
	return v.render(status, "order", d)
}

func (v *visit) orderLines(tx *db.Tx, s *dossier, d *orderView) error {
	var wanted []id.OfferVersion
	for _, l := range s.order.Lines {
		wanted = append(wanted, l.Version)
	}
	versions, err := v.c.Flows.Catalogue.Versions(v.r.Context(), tx, wanted)
	if err != nil {
		return err
	}
	for _, l := range s.order.Lines {
		row := orderLine{Line: l, Href: "/console/offers/" + string(l.Offer), Name: short(l.Offer)}
		if x := versions[l.Version]; x != nil {
			row.Name, row.Version = v.pick(x.Content.Title), versionText(x.Number)
			row.Href += "/versions/" + strconv.FormatInt(x.Number, 10)
		}
		currency := s.order.Total.Currency
		row.Unit, row.Amount = moneyOf(l.UnitPrice, currency), moneyOf(l.Amount, currency)
		for part := range strings.SplitSeq(l.Quote, ";") {
			name, value, _ := strings.Cut(part, "=")
			if minor, err := strconv.ParseInt(value, 10, 64); err == nil {
				row.Quote = append(row.Quote, ui.Fact{Label: v.known("console.quote."+name, name), Value: moneyOf(minor, currency)})
			}
		}
		d.Lines = append(d.Lines, row)
	}
	held := make([]id.Right, len(s.rights))
	for i, r := range s.rights {
		held[i] = r.ID
	}
	numbers, err := v.c.Flows.Inventory.NumbersOf(v.r.Context(), tx, held)
	if err != nil {
		return err
	}
	for _, r := range s.rights {
		row := rightLine{Number: web.NumberWords(v.lang, numbers[r.ID]), Right: r, Name: short(r.Benefit), Intact: entitlement.Check(*r, s.paths[r.ID]) == 0}
		if x := versions[r.Version]; x != nil && r.Part >= 0 && int(r.Part) < len(x.Content.Parts) {
			row.Name = v.pick(x.Content.Parts[r.Part].Benefit.Name)
		}
		row.Tone, row.State = v.rightState(r.State)
		if code, ok := s.codes[r.ID]; ok {
			row.Last4, row.Code = code.Last4, code.Code
		}
		d.Rights = append(d.Rights, row)
	}
	return nil
}

func (v *visit) orderMoney(s *dossier, d *orderView) {
	d.Payments = ui.Table{Caption: v.t("console.order.payments"), Columns: []ui.Column{{Label: v.t("console.payment")}, {Label: "ID"}, {Label: v.t("console.state")}, {Label: v.t("console.amount"), End: true}, {Label: v.t("console.time"), End: true}}}
	for _, p := range s.intents {
		d.Payments.Rows = append(d.Payments.Rows, ui.Row{Cells: []ui.Cell{broad(v.t("console.payment.try"), v.gateway(p.Gateway)), ui.Mono(short(p.ID)), ui.State(intentTones[p.State], v.t("console.intent.state."+string(p.State))), ui.Sum(p.Amount), ui.On(p.CreatedAt)}})
	}
	for _, x := range s.captures {
		tone, word := ui.OK, v.t("console.capture.applied")
		if !x.Applied {
			tone, word = ui.Warn, v.t("console.capture.suspense")
		}
		d.Payments.Rows = append(d.Payments.Rows, ui.Row{Cells: []ui.Cell{broad(v.t("console.capture"), x.Txn), ui.Mono(short(x.ID)), ui.State(tone, word), ui.Sum(x.Amount), ui.On(x.BookedAt)}})
	}
	d.Refunds = v.refundTable(s.refunds, false)
	d.Transfers = v.transferTable(s.entries, "", s.order.ID)
}

var intentTones = map[payment.IntentState]ui.Tone{payment.Pending: ui.Info, payment.Captured: ui.OK, payment.Closed: ui.Plain}

func (v *visit) gateway(name string) string { return v.known("console.gateway."+name, name) }

// since tells how long something has waited, in words.
func (v *visit) since(t time.Time) string { return ui.FormatDuration(v.lang, v.c.now().Sub(t)) }
