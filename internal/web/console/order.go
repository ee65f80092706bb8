package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/job"
	"hufu/internal/ledger"
	"hufu/internal/notify"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
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
	Events    []ui.Event
	Notes     []ui.Event
	MayCancel bool
	MayAsk    bool
	MaySend   bool
	MayNote   bool
	MayUnmask bool
	Party     id.Party
	Contact   string // in full, right after it was asked for
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
	Code   id.Code
	Intact bool
}

type caseLine struct {
	Case exception.Case
	Word string
	Href string
}

// dossier is everything on record about one order.
type dossier struct {
	order    *order.Order
	intents  []*payment.Intent
	captures []payment.Capture
	notices  []payment.Notice
	refunds  []payment.Refund
	rights   []*entitlement.Right
	paths    map[id.Right][]entitlement.Step
	codes    map[id.Right]vault.Delivered
	entries  []ledger.Transfer
	cases    []exception.Case
	messages []notify.Message
	audits   []audit.Row
	names    map[id.Party]string
}

func (v *visit) dossier(tx *db.Tx, k id.Order) (*dossier, error) {
	ctx, f := v.r.Context(), v.c.Flows
	d := &dossier{}
	var err error
	if d.order, err = f.Orders.One(ctx, tx, k); err != nil {
		return nil, err
	}
	one := []id.Order{k}
	intents, err := f.Payments.IntentsOf(ctx, tx, one)
	if err != nil {
		return nil, err
	}
	d.intents = intents[k]
	var intentIDs []id.Intent
	for _, p := range d.intents {
		intentIDs = append(intentIDs, p.ID)
	}
	if d.captures, err = f.Payments.CapturesOf(ctx, tx, one); err != nil {
		return nil, err
	}
	if d.notices, err = f.Payments.NoticesOf(ctx, tx, intentIDs); err != nil {
		return nil, err
	}
	if d.refunds, err = f.Payments.RefundsOf(ctx, tx, one); err != nil {
		return nil, err
	}
	rights, err := f.Rights.OfOrders(ctx, tx, one)
	if err != nil {
		return nil, err
	}
	d.rights = rights[k]
	var rightIDs, coded []id.Right
	for _, r := range d.rights {
		rightIDs = append(rightIDs, r.ID)
		if r.Code != "" {
			coded = append(coded, r.ID)
		}
	}
	if d.paths, err = f.Rights.Path(ctx, tx, rightIDs); err != nil {
		return nil, err
	}
	if d.codes, err = f.Codes.SealedOf(ctx, tx, coded); err != nil {
		return nil, err
	}
	var entries []string
	for _, c := range d.captures {
		entries = append(entries, string(c.ID))
	}
	for _, r := range d.refunds {
		entries = append(entries, string(r.ID))
	}
	if d.entries, err = f.Ledger.Entries(ctx, tx, entries); err != nil {
		return nil, err
	}
	if d.cases, err = exception.Of(ctx, tx, k); err != nil {
		return nil, err
	}
	if d.messages, err = notify.Of(ctx, tx, k); err != nil {
		return nil, err
	}
	if d.audits, err = audit.Of(ctx, tx, string(k)); err != nil {
		return nil, err
	}
	d.names, err = v.names(tx, actorsOf(d.audits))
	return d, err
}

func actorsOf(rows []audit.Row) []id.Party {
	var out []id.Party
	for _, r := range rows {
		if strings.HasPrefix(r.Actor, "pty_") && !slices.Contains(out, id.Party(r.Actor)) {
			out = append(out, id.Party(r.Actor))
		}
	}
	return out
}

func orderPage(_ *Console, v *visit) error { return v.orderPage(http.StatusOK, "", nil) }

func (v *visit) orderPage(status int, contact string, refusal error) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return fault.New(fault.NotFound, "order.not_found")
	}
	var s *dossier
	d := &orderView{Contact: contact}
	if refusal != nil {
		if d.formError, err = v.formErrors(refusal, nil); err != nil {
			return err
		}
	}
	err = v.view(func(tx *db.Tx) error {
		if s, err = v.dossier(tx, k); err != nil {
			return err
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
	d.Facts = []ui.Fact{{Label: v.t("console.customer"), Value: who}, {Label: v.t("console.order.channel"), Value: o.Channel}, {Label: v.t("console.order.created"), Value: v.when(o.CreatedAt)}, {Label: v.t("console.order.paid_at"), Value: v.when(o.PaidAt)},
		{Label: v.t("console.order.expires"), Value: v.when(o.ExpiresAt)}, {Label: v.t("console.amount"), Value: o.Total.String()}, {Label: "ID", Value: string(o.ID)}}
	v.orderMoney(s, d)
	for _, x := range s.cases {
		d.Cases = append(d.Cases, caseLine{x, v.known("console.case."+x.Kind, x.Kind), "/console/exceptions/" + string(x.ID)})
	}
	d.Events = v.timeLine(s)
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
			if name, value, ok := strings.Cut(part, "="); ok {
				row.Quote = append(row.Quote, ui.Fact{Label: v.known("console.quote."+name, name), Value: value})
			}
		}
		d.Lines = append(d.Lines, row)
	}
	for _, r := range s.rights {
		row := rightLine{Right: r, Name: short(r.Benefit), Intact: entitlement.Check(*r, s.paths[r.ID]) == 0}
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

// timeLine tells everything that happened to an order, the newest first.
func (v *visit) timeLine(s *dossier) []ui.Event {
	var out []ui.Event
	add := func(e ui.Event) { out = append(out, e) }
	for i, step := range s.order.History {
		tone, word := v.orderState(step.State)
		e := ui.Event{Tone: tone, Icon: "order", At: step.At, Title: word}
		if i == 0 {
			e.Title = v.t("console.event.placed", "total", s.order.Total.String())
		}
		add(e)
	}
	for _, p := range s.intents {
		add(ui.Event{Tone: ui.Info, Icon: "card", At: p.CreatedAt, Title: v.t("console.event.intent", "gateway", v.gateway(p.Gateway)), Detail: string(p.ID)})
	}
	for _, n := range s.notices {
		tone := ui.OK
		switch payment.Verdict(n.Outcome) {
		case payment.Mismatch, payment.Second:
			tone = ui.Stop
		case payment.Late, payment.Unknown:
			tone = ui.Warn
		case payment.Ignored, payment.Duplicate:
			tone = ui.Plain
		}
		raw := n.Header
		if utf8.Valid(n.Body) {
			raw += "\n" + string(n.Body)
		}
		title := v.t("console.event.notice", "gateway", v.gateway(n.Provider))
		if strings.HasPrefix(n.Event, "query:") {
			title = v.t("console.event.query", "gateway", v.gateway(n.Provider))
		}
		if n.Provider == payment.Balance {
			title = v.t("console.event.balance")
		}
		add(ui.Event{Tone: tone, Icon: "bell", At: n.ReceivedAt, Title: title, Detail: v.known("console.outcome."+n.Outcome, n.Outcome), Raw: strings.TrimSpace(raw)})
	}
	for _, x := range s.captures {
		e := ui.Event{Tone: ui.OK, Icon: "wallet", At: x.BookedAt, Title: v.t("console.event.capture", "amount", x.Amount.String()), Detail: x.Provider + " " + x.Txn}
		if !x.Applied {
			e.Tone, e.Title = ui.Warn, v.t("console.event.suspense", "amount", x.Amount.String())
		}
		add(e)
	}
	for _, r := range s.refunds {
		add(ui.Event{Tone: ui.Warn, Icon: "refund", At: r.CreatedAt, Title: v.t("console.event.refund", "amount", r.Amount.String()), Detail: v.known("console.refund.reason."+r.Reason, r.Reason)})
		if !r.DoneAt.IsZero() {
			add(ui.Event{Tone: ui.OK, Icon: "refund", At: r.DoneAt, Title: v.t("console.event.refunded", "amount", r.Amount.String()), Detail: r.Note})
		}
	}
	for _, r := range s.rights {
		for _, step := range s.paths[r.ID] {
			add(v.stepEvent(step, s.names, short(r.ID)))
		}
	}
	for _, x := range s.cases {
		add(ui.Event{Tone: ui.Stop, Icon: "warn", At: x.OpenedAt, Title: v.t("console.event.case", "kind", v.known("console.case."+x.Kind, x.Kind)), Detail: x.Detail})
		if !x.Open {
			add(ui.Event{Tone: ui.OK, Icon: "check", At: x.ClosedAt, Title: v.t("console.event.case_closed", "kind", v.known("console.case."+x.Kind, x.Kind)), Detail: x.Note, By: v.people(s.names, x.ClosedBy)})
		}
	}
	for _, m := range s.messages {
		add(ui.Event{Tone: ui.Info, Icon: "bell", At: m.At, Title: v.t("console.event.message", "to", maskTarget(m)), Detail: m.Subject})
	}
	for _, row := range s.audits {
		add(v.auditEvent(row, s.names))
	}
	slices.Reverse(out) // of two at one moment the later step stands first
	slices.SortStableFunc(out, func(a, b ui.Event) int { return cmp.Or(b.At.Compare(a.At)) })
	return out
}

func maskTarget(m notify.Message) string {
	if m.Channel == "sms" {
		return maskPhone(m.Target)
	}
	return identity.MaskEmail(m.Target)
}

var stepTones = map[string]ui.Tone{entitlement.StepGranted: ui.OK, entitlement.StepRevealed: ui.Accent, entitlement.StepUsed: ui.Plain, entitlement.StepSuspended: ui.Warn, entitlement.StepRefunded: ui.Warn, entitlement.StepExpired: ui.Plain}

func (v *visit) stepEvent(s entitlement.Step, names map[id.Party]string, of string) ui.Event {
	title := v.known("console.step."+s.Kind, s.Kind)
	if of != "" {
		title += " · " + of
	}
	e := ui.Event{Tone: stepTones[s.Kind], Icon: "ticket", At: s.At, Title: title, By: v.people(names, s.Actor)}
	if s.Data != "" && s.Data != "{}" {
		e.Raw = indent(s.Data)
	}
	return e
}

func indent(data string) string {
	var x any
	if json.Unmarshal([]byte(data), &x) != nil {
		return data
	}
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return data
	}
	return string(b)
}

func (v *visit) auditEvent(r audit.Row, names map[id.Party]string) ui.Event {
	e := ui.Event{Tone: ui.Plain, Icon: "shield", At: r.At, Title: v.known("console.audit."+r.Action, r.Action), By: v.people(names, r.Actor)}
	if r.Result != "ok" {
		e.Tone, e.Detail = ui.Stop, r.Result
	}
	if note := r.Data["note"]; note != "" {
		e.Tone, e.Icon, e.Detail = ui.Info, "edit", note
	} else if reason := r.Data["reason"]; reason != "" {
		e.Detail = reason
	}
	return e
}

// askGateway asks what became of the order's payment, and books what it says. It may be
// pressed as often as one likes.
func askGateway(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	if err := c.Flows.Poll(v.r.Context(), k); err != nil {
		return err
	}
	if err := v.do(func(tx *db.Tx) error { return v.audit(tx, "order.ask", string(k)) }); err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k), "asked")
}

func cancelOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	var was order.State
	if err := v.view(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err == nil {
			was = o.State
		}
		return err
	}); err != nil {
		return err
	}
	if was != order.Cancelled { // else it was pressed twice
		if err := c.Flows.Cancel(v.r.Context(), k); err != nil {
			if kind := kindOf(err); kind == fault.Conflict {
				return v.orderPage(http.StatusConflict, "", err)
			}
			return err
		}
		if err := v.do(func(tx *db.Tx) error { return v.audit(tx, "order.cancel", string(k)) }); err != nil {
			return err
		}
	}
	return v.leave("/console/orders/"+string(k), "cancelled")
}

// sendLink has the notice with the order's link written once more.
func sendLink(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		if o.PaidAt.IsZero() || o.Phone == "" && o.Email == "" {
			return fault.New(fault.Conflict, "console.no_notice")
		}
		if err := job.Enqueue(v.r.Context(), tx, c.now(), job.Job{Kind: flow.JobOrderPaid, Subject: string(k)}); err != nil {
			return err
		}
		return v.audit(tx, "order.resend", string(k))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k), "sent")
}

// noteOrder keeps a colleague's note on the order's audit trail, where nobody can change it.
func noteOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	note := clip(plainLines(v.f("note")), 1000)
	if note == "" {
		return v.orderPage(http.StatusBadRequest, "", needed("note"))
	}
	err = v.once(func(tx *db.Tx) error {
		if _, err := c.Flows.Orders.One(v.r.Context(), tx, k); err != nil {
			return err
		}
		return v.audit(tx, "order.note", string(k), "note", note)
	})
	if err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k)+"?done=note-"+string(k), "saved")
}

// unmaskOrder shows the buyer's contact in full: by right, with a reason, on record (S62).
func unmaskOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	reason := clip(v.f("reason"), 200)
	if reason == "" {
		return v.orderPage(http.StatusBadRequest, "", fault.New(fault.Invalid, "console.form").At("reason", "identity.reason"))
	}
	contact := ""
	err = v.do(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		contact = strings.TrimSpace(o.Phone + " " + o.Email)
		return v.audit(tx, "customer.unmask", string(k), "reason", reason)
	})
	if err != nil {
		return err
	}
	return v.orderPage(http.StatusOK, contact, nil)
}

// since tells how long something has waited, in words.
func (v *visit) since(t time.Time) string { return ui.FormatDuration(v.lang, v.c.now().Sub(t)) }
