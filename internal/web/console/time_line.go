package console

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/ledger"
	"hufu/internal/notify"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

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
		asked := ui.Event{Tone: ui.Warn, Icon: "refund", At: r.CreatedAt, Title: v.t("console.event.refund", "amount", r.Amount.String()), Detail: v.known("console.refund.reason."+r.Reason, r.Reason)}
		if r.Again != "" {
			asked.Title = v.t("console.event.refund_again", "amount", r.Amount.String())
		}
		add(asked)
		if !r.FailedAt.IsZero() {
			add(ui.Event{Tone: ui.Stop, Icon: "refund", At: r.FailedAt, Title: v.t("console.event.refund_failed", "amount", r.Amount.String()), Detail: v.known("fault."+r.Note, r.Note)})
		}
		if !r.DoneAt.IsZero() {
			done := ui.Event{Tone: ui.OK, Icon: "refund", At: r.DoneAt, Title: v.t("console.event.refunded", "amount", r.Amount.String())}
			if r.ByHand != "" {
				done.Title, done.Detail = v.t("console.event.refund_paid", "amount", r.Amount.String()), v.way(r.ByHand, r.Provider)+" · "+r.Reference
			}
			add(done)
		}
	}
	for _, r := range s.rights {
		for _, step := range s.paths[r.ID] {
			add(v.stepEvent(step, s.names, short(r.ID)))
		}
	}
	for _, x := range s.cases {
		add(ui.Event{Tone: ui.Stop, Icon: "warn", At: x.OpenedAt, Title: v.t("console.event.case", "kind", v.known("console.case."+x.Kind, x.Kind)), Detail: v.caseDetail(x)})
		if !x.Open {
			add(ui.Event{Tone: ui.OK, Icon: "check", At: x.ClosedAt, Title: v.t("console.event.case_closed", "kind", v.known("console.case."+x.Kind, x.Kind)), Detail: v.closingNote(x.Note), By: v.people(s.names, x.ClosedBy)})
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

var stepTones = map[string]ui.Tone{entitlement.StepGranted: ui.OK, entitlement.StepWaiting: ui.Info, entitlement.StepDelivered: ui.OK, entitlement.StepRevealed: ui.Accent, entitlement.StepUsed: ui.Plain, entitlement.StepSuspended: ui.Warn, entitlement.StepRefunded: ui.Warn, entitlement.StepExpired: ui.Plain,
	entitlement.StepReleased: ui.OK, entitlement.StepChosen: ui.OK, entitlement.StepActivated: ui.Accent}

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

// auditResult is how an act on record that wasn't carried out ended, by its fault's code.
func (v *visit) auditResult(code string) string {
	return v.known("console.audit.result."+code, v.t("console.audit.result.refused"))
}

func (v *visit) auditEvent(r audit.Row, names map[id.Party]string) ui.Event {
	e := ui.Event{Tone: ui.Plain, Icon: "shield", At: r.At, Title: v.known("console.audit."+r.Action, r.Action), By: v.people(names, r.Actor)}
	if r.Result != "ok" {
		e.Tone, e.Detail = ui.Stop, v.auditResult(r.Result)
	}
	if note := r.Data["note"]; note != "" {
		e.Tone, e.Icon, e.Detail = ui.Info, "edit", note
	} else if reason := r.Data["reason"]; reason != "" {
		e.Detail = reason
	}
	return e
}
