package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/notify"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// StaffOrder is an order as the staff see it: its contact is masked.
type StaffOrder struct {
	Order
	Party   id.Party `json:"party,omitempty" doc:"Absent for a guest"`
	Phone   string   `json:"phone,omitempty" doc:"Masked"`
	Email   string   `json:"email,omitempty" doc:"Masked"`
	Lang    string   `json:"lang"`
	Channel string   `json:"channel"`
}

// StaffOrderDetail is an order with everything about its money.
type StaffOrderDetail struct {
	StaffOrder
	Quotes   []string  `json:"quotes" doc:"How each line's price came about"`
	Intents  []Intent  `json:"intents"`
	Captures []Capture `json:"captures"`
	Refunds  []Refund  `json:"refunds"`
	Cases    []Case    `json:"cases"`
}

// Intent is one attempt to have an order paid.
type Intent struct {
	ID        id.Intent           `json:"id"`
	Gateway   string              `json:"gateway"`
	State     payment.IntentState `json:"state" enum:"pending,captured,closed"`
	Amount    Money               `json:"amount"`
	CreatedAt time.Time           `json:"created_at"`
	ExpiresAt time.Time           `json:"expires_at"`
}

// Capture is money that has arrived.
type Capture struct {
	ID         id.Capture `json:"id"`
	Provider   string     `json:"provider"`
	Txn        string     `json:"transaction"`
	Amount     Money      `json:"amount"`
	Applied    bool       `json:"applied"`
	Reason     string     `json:"reason,omitempty" doc:"Why it is in suspense"`
	OccurredAt time.Time  `json:"occurred_at"`
	BookedAt   time.Time  `json:"booked_at"`
}

// Refund is money that goes back.
type Refund struct {
	ID        id.Refund           `json:"id"`
	Line      id.Line             `json:"line,omitempty"`
	Capture   id.Capture          `json:"capture"`
	Provider  string              `json:"provider"`
	Quantity  int64               `json:"quantity"`
	Amount    Money               `json:"amount"`
	State     payment.RefundState `json:"state" enum:"waiting,sent,done,failed"`
	Reason    string              `json:"reason"`
	Attempts  int64               `json:"attempts"`
	CreatedAt time.Time           `json:"created_at"`
	DoneAt    *time.Time          `json:"done_at,omitempty"`
	FailedAt  *time.Time          `json:"failed_at,omitempty"`
	Again     id.Refund           `json:"again_of,omitempty" doc:"The failed refund that it was sent in the stead of"`
	ByHand    payment.Way         `json:"by_hand,omitempty" enum:"bank,gateway" doc:"How a person paid it; without it its channel did"`
	Reference string              `json:"reference,omitempty" doc:"Of what a person paid"`
}

// Event is one thing that happened to an order.
type Event struct {
	At      time.Time         `json:"at"`
	Kind    string            `json:"kind" doc:"order, intent, notice, capture, refund, right, case, message, audit" example:"capture"`
	Subject string            `json:"subject" doc:"The id of what it is about"`
	What    string            `json:"what" doc:"The new state, or what was done"`
	Actor   string            `json:"actor,omitempty"`
	Amount  *Money            `json:"amount,omitempty"`
	Data    map[string]string `json:"data,omitempty"`
}

// Case is one entry of what needs a person.
type Case struct {
	ID       id.Case    `json:"id"`
	Kind     string     `json:"kind"`
	Subject  string     `json:"subject"`
	Order    id.Order   `json:"order,omitempty"`
	Detail   string     `json:"detail,omitempty"`
	Amount   *Money     `json:"amount,omitempty"`
	Open     bool       `json:"open"`
	Note     string     `json:"note,omitempty"`
	OpenedAt time.Time  `json:"opened_at"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
	ClosedBy string     `json:"closed_by,omitempty"`
}

// Contact is who placed an order, in full.
type Contact struct {
	Phone string `json:"phone,omitempty"`
	Email string `json:"email,omitempty"`
}

// Note is what was found and done.
type Note struct {
	Note string `json:"note" minLength:"1" maxLength:"500"`
}

type staffOrdersInput struct {
	Paging
	State string   `query:"state" enum:"pending,fulfilled,part,shortage,refunded,cancelled,expired"`
	Phone string   `query:"phone" maxLength:"30" doc:"The whole number"`
	Party id.Party `query:"party" maxLength:"40"`
}

type orderReasonInput struct {
	OrderRef
	Body Reason
}

type caseInput struct {
	Case id.Case `path:"case" maxLength:"40"`
	Body Note
}

type casesInput struct {
	Limit int64 `query:"limit" minimum:"1" maximum:"200" default:"100" doc:"How many"`
}

func (a *API) staffOrders() {
	operation(a, "staff-list-orders", a.listOrders)
	operation(a, "staff-get-order", a.staffOrder)
	operation(a, "order-time-line", a.timeLine)
	operation(a, "staff-poll-order", func(ctx context.Context, c *Call, in *OrderRef) (*Order, error) { return a.poll(ctx, c.Lang, in.ID) })
	operation(a, "staff-cancel-order", a.staffCancel)
	operation(a, "unmask-order", a.unmaskOrder)
	operation(a, "staff-right-path", func(ctx context.Context, _ *Call, in *RightRef) (*RightPath, error) {
		return a.path(ctx, in.Right, func(*db.Tx, *entitlement.Right) (bool, error) { return true, nil })
	})
	operation(a, "list-exceptions", a.listCases)
	once(a, "close-exception", a.closeCase)
}

func showStaffOrder(o *order.Order) StaffOrder {
	out := StaffOrder{Order: *showOrder(o), Party: o.Party, Lang: o.Lang, Channel: o.Channel}
	if o.Phone != "" {
		out.Phone = identity.MaskPhone(o.Phone)
	}
	if o.Email != "" {
		out.Email = identity.MaskEmail(o.Email)
	}
	return out
}

func (a *API) listOrders(ctx context.Context, c *Call, in *staffOrdersInput) (*Page[StaffOrder], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	phone := ""
	if in.Phone != "" {
		if phone, err = identity.ParsePhone(in.Phone); err != nil {
			return nil, err
		}
	}
	var found []*order.Order
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		switch n := int(in.Limit) + 1; {
		case phone != "":
			found, err = a.Flows.Orders.OfPhone(ctx, tx, phone, id.Order(before), n)
		case in.Party != "":
			found, err = a.Flows.Orders.OfParty(ctx, tx, in.Party, id.Order(before), n)
		default:
			found, err = a.Flows.Orders.Newest(ctx, tx, order.State(in.State), id.Order(before), n)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	page := pageOf(c, in.Paging, found, func(o *order.Order) string { return string(o.ID) }, showStaffOrder)
	if in.State != "" { // a phone or a party was asked for too
		page.Items = slices.DeleteFunc(page.Items, func(o StaffOrder) bool { return string(o.State) != in.State })
	}
	return page, nil
}

// dossier is everything that is known of an order.
type dossier struct {
	order    *order.Order
	intents  []*payment.Intent
	captures []payment.Capture
	refunds  []payment.Refund
	notices  []payment.Notice
	rights   []*entitlement.Right
	shown    []Right // the same
	steps    map[id.Right][]entitlement.Step
	cases    []exception.Case
	messages []notify.Message
	acts     []audit.Row
}

func (a *API) dossier(ctx context.Context, o id.Order) (*dossier, error) {
	var d *dossier
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		d = &dossier{}
		one := []id.Order{o}
		var err error
		if d.order, err = a.Flows.Orders.One(ctx, tx, o); err != nil {
			return err
		}
		intents, err := a.Flows.Payments.IntentsOf(ctx, tx, one)
		if err != nil {
			return err
		}
		d.intents = intents[o]
		ids := make([]id.Intent, len(d.intents))
		for i, p := range d.intents {
			ids[i] = p.ID
		}
		if d.notices, err = a.Flows.Payments.NoticesOf(ctx, tx, ids); err != nil {
			return err
		}
		if d.captures, err = a.Flows.Payments.CapturesOf(ctx, tx, one); err != nil {
			return err
		}
		if d.refunds, err = a.Flows.Payments.RefundsOf(ctx, tx, one); err != nil {
			return err
		}
		rights, err := a.Flows.Rights.OfOrders(ctx, tx, one)
		if err != nil {
			return err
		}
		d.rights = rights[o]
		if d.shown, err = a.showRights(ctx, tx, d.rights); err != nil {
			return err
		}
		held := make([]id.Right, len(d.rights))
		for i, r := range d.rights {
			held[i] = r.ID
		}
		if d.steps, err = a.Flows.Rights.Path(ctx, tx, held); err != nil {
			return err
		}
		if d.cases, err = exception.Of(ctx, tx, o); err != nil {
			return err
		}
		if d.messages, err = notify.Of(ctx, tx, o); err != nil {
			return err
		}
		d.acts, err = audit.Of(ctx, tx, string(o))
		return err
	})
	return d, err
}

func (a *API) staffOrder(ctx context.Context, _ *Call, in *OrderRef) (*StaffOrderDetail, error) {
	d, err := a.dossier(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &StaffOrderDetail{StaffOrder: showStaffOrder(d.order), Quotes: []string{}, Intents: []Intent{}, Captures: []Capture{}, Refunds: []Refund{}, Cases: []Case{}}
	for _, l := range d.order.Lines {
		out.Quotes = append(out.Quotes, l.Quote)
	}
	out.Rights = d.shown
	for _, p := range d.intents {
		out.Intents = append(out.Intents, Intent{p.ID, p.Gateway, p.State, moneyOf(p.Amount), p.CreatedAt, p.ExpiresAt})
	}
	for _, x := range d.captures {
		out.Captures = append(out.Captures, Capture{x.ID, x.Provider, x.Txn, moneyOf(x.Amount), x.Applied, x.Reason, x.OccurredAt, x.BookedAt})
	}
	for _, r := range d.refunds {
		out.Refunds = append(out.Refunds, showRefund(r))
	}
	for _, x := range d.cases {
		out.Cases = append(out.Cases, showCase(x))
	}
	return out, nil
}

// timeLine puts everything that happened to an order in the order in which it did.
func (a *API) timeLine(ctx context.Context, _ *Call, in *OrderRef) (*Page[Event], error) {
	d, err := a.dossier(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &Page[Event]{Items: d.events()}, nil
}

func (d *dossier) events() []Event {
	all := []Event{}
	add := func(at time.Time, kind, subject, what, actor string, amount *Money, data ...string) {
		e := Event{At: at, Kind: kind, Subject: subject, What: what, Actor: actor, Amount: amount}
		for i := 0; i+1 < len(data); i += 2 {
			if data[i+1] != "" {
				if e.Data == nil {
					e.Data = map[string]string{}
				}
				e.Data[data[i]] = data[i+1]
			}
		}
		all = append(all, e)
	}
	for i, s := range d.order.History {
		var amount *Money
		if i == 0 {
			m := moneyOf(d.order.Total)
			amount = &m
		}
		add(s.At, "order", string(d.order.ID), string(s.State), "", amount)
	}
	for _, p := range d.intents {
		add(p.CreatedAt, "intent", string(p.ID), "created", "", moneyIf(p.Amount), "gateway", p.Gateway)
	}
	for _, n := range d.notices {
		add(n.ReceivedAt, "notice", string(n.ID), n.Outcome, n.Provider, nil, "event", n.Event)
	}
	for _, x := range d.captures {
		what := "applied"
		if !x.Applied {
			what = "suspense"
		}
		add(x.BookedAt, "capture", string(x.ID), what, x.Provider, moneyIf(x.Amount), "transaction", x.Txn, "reason", x.Reason)
	}
	for _, r := range d.refunds {
		add(r.CreatedAt, "refund", string(r.ID), "wanted", r.CreatedBy, moneyIf(r.Amount), "reason", r.Reason, "line", string(r.Line), "again_of", string(r.Again))
		if !r.FailedAt.IsZero() {
			add(r.FailedAt, "refund", string(r.ID), "failed", r.Provider, moneyIf(r.Amount), "note", r.Note)
		}
		if !r.DoneAt.IsZero() {
			add(r.DoneAt, "refund", string(r.ID), "done", r.Provider, moneyIf(r.Amount), "by_hand", string(r.ByHand), "reference", r.Reference)
		}
	}
	for _, r := range d.rights {
		for _, s := range d.steps[r.ID] {
			add(s.At, "right", string(r.ID), s.Kind, s.Actor, nil, "data", s.Data)
		}
	}
	for _, x := range d.cases {
		add(x.OpenedAt, "case", string(x.ID), "opened", "", moneyIf(x.Amount), "kind", x.Kind)
		if !x.ClosedAt.IsZero() {
			add(x.ClosedAt, "case", string(x.ID), "closed", x.ClosedBy, nil, "note", x.Note)
		}
	}
	for _, m := range d.messages {
		add(m.At, "message", string(m.ID), m.Template, m.Channel, nil)
	}
	for _, r := range d.acts {
		add(r.At, "audit", string(r.ID), r.Action, r.Actor, nil, "result", r.Result)
	}
	slices.SortStableFunc(all, func(x, y Event) int { return x.At.Compare(y.At) })
	return all
}

func (a *API) staffCancel(ctx context.Context, c *Call, in *OrderRef) (*Order, error) {
	was, err := a.look(ctx, c.Lang, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := a.cancel(ctx, c.Lang, in.ID)
	if err != nil || was.State == order.Cancelled {
		return out, err
	}
	return out, a.Flows.DB.Do(ctx, func(tx *db.Tx) error { return a.record(ctx, tx, c, "order.cancel", string(in.ID), nil) })
}

// unmaskOrder shows a contact once its audit row is committed.
func (a *API) unmaskOrder(ctx context.Context, c *Call, in *orderReasonInput) (*Contact, error) {
	if strings.TrimSpace(in.Body.Reason) == "" {
		return nil, fault.New(fault.Invalid, "identity.reason")
	}
	var out *Contact
	err := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Orders.One(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { out = &Contact{o.Phone, o.Email} })
		return a.record(ctx, tx, c, "customer.unmask", string(in.ID), map[string]string{"reason": in.Body.Reason})
	})
	return out, err
}

func showRefund(r payment.Refund) Refund {
	return Refund{r.ID, r.Line, r.Capture, r.Provider, r.Quantity, moneyOf(r.Amount), r.State, r.Reason, r.Attempts, r.CreatedAt, timeIf(r.DoneAt), timeIf(r.FailedAt), r.Again, r.ByHand, r.Reference}
}

func showCase(x exception.Case) Case {
	return Case{x.ID, x.Kind, x.Subject, x.Order, x.Detail, moneyIf(x.Amount), x.Open, x.Note, x.OpenedAt, timeIf(x.ClosedAt), x.ClosedBy}
}

func (a *API) listCases(ctx context.Context, _ *Call, in *casesInput) (*Page[Case], error) {
	out := &Page[Case]{Items: []Case{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		out.Items = out.Items[:0]
		all, err := exception.ListOpen(ctx, tx, int(in.Limit))
		for _, x := range all {
			out.Items = append(out.Items, showCase(x))
		}
		return err
	})
	return out, err
}

func (a *API) closeCase(ctx context.Context, tx *db.Tx, c *Call, in *caseInput) (*Case, error) {
	is, err := a.Flows.CloseCase(ctx, tx, in.Case, in.Body.Note, c.session.Party.ID)
	if err != nil {
		return nil, err
	}
	out := showCase(is)
	return &out, a.record(ctx, tx, c, "exception.close", string(in.Case), map[string]string{"note": in.Body.Note, "kind": is.Kind})
}
