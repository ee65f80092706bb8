package api

import (
	"context"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/pricing"
)

// OrderRequest asks for a purchase. What it costs is ours to say: the prices in it are only
// compared.
type OrderRequest struct {
	Lines     []OrderRequestLine `json:"lines" minItems:"1" maxItems:"20"`
	Phone     string             `json:"phone,omitempty" maxLength:"30" doc:"Where the buyer is told of the delivery"`
	Email     string             `json:"email,omitempty" maxLength:"254"`
	Device    string             `json:"device,omitempty" minLength:"16" maxLength:"200" doc:"A random secret that the application keeps for as long as it is installed; purchase limits know a device by its hash, and nothing else is kept of it"`
	Gateway   string             `json:"gateway" minLength:"1" maxLength:"20" doc:"Where it will be paid: see list-gateways"`
	Conflicts string             `json:"conflicts,omitempty" maxLength:"64" doc:"The conflicts_hash of a quote, once the buyer has acknowledged what it stands for; the text is kept with the order"`
}

// OrderRequestLine is an offer wanted.
type OrderRequestLine struct {
	Offer    id.Offer        `json:"offer" minLength:"1" maxLength:"40"`
	Quantity int64           `json:"quantity" minimum:"1" maximum:"1000"`
	Version  id.OfferVersion `json:"version,omitempty" maxLength:"40" doc:"The version that was shown; when another is sold it must have the same terms, and the price given in unit_price"`
	Price    int64           `json:"unit_price,omitempty" minimum:"1" doc:"The unit price that was shown, in minor units; it is compared, never used: another than the offer's refuses the order with the new one"`
	Terms    string          `json:"terms" minLength:"64" maxLength:"64" doc:"Hash of the terms the buyer accepted, from the offer or the quote; it is kept with the order, and the text by its hash"`
	Ticket   string          `json:"ticket,omitempty" maxLength:"100" doc:"Of the waiting room, for an offer that has one: see join-room. It places one order"`
	Picks    []LinePick      `json:"picks,omitempty" maxItems:"10" doc:"The options picked of each of the offer's choices that isn't made later, the same for every unit"`
}

// Order is an order.
type Order struct {
	ID        id.Order      `json:"id"`
	State     order.State   `json:"state" enum:"pending,fulfilled,part,shortage,refunded,cancelled,expired"`
	Total     Money         `json:"total"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at" doc:"Unpaid, it expires then"`
	PaidAt    *time.Time    `json:"paid_at,omitempty"`
	ClosedAt  *time.Time    `json:"closed_at,omitempty"`
	Lines     []OrderLine   `json:"lines"`
	Rights    []Right       `json:"rights,omitempty"`
	Payment   *PaymentOffer `json:"payment,omitempty" doc:"How it can be paid, while it can"`
	Unmatched *Money        `json:"unmatched,omitempty" doc:"A payment came that doesn't match the order; the staff look at it. The buyer must not pay again, and is offered no way to, until it has gone back"`
	Refunds   []OrderRefund `json:"refunds,omitempty" doc:"What goes back of what was paid"`
	Token     string        `json:"token,omitempty" doc:"The order's secret: whoever has it may see the order and its codes"`
}

// OrderRefund is money that goes back to the buyer.
type OrderRefund struct {
	Amount Money       `json:"amount"`
	State  string      `json:"state" enum:"under_way,failed,done" doc:"failed: it didn't go through, and the staff see to it; the buyer has nothing to do"`
	ByHand payment.Way `json:"by_hand,omitempty" enum:"bank,gateway" doc:"The staff paid it; bank: it comes from the shop's bank account and not the way it was paid"`
	At     time.Time   `json:"at" doc:"Since when it stands so"`
}

func showRefunds(all []payment.Refund) []OrderRefund {
	var out []OrderRefund
	for _, r := range all {
		if _, replaced := r.Instead(all); replaced {
			continue
		}
		shown := OrderRefund{moneyOf(r.Amount), "under_way", r.ByHand, r.CreatedAt}
		switch r.State {
		case payment.RefundFailed:
			shown.State, shown.At = "failed", r.FailedAt
		case payment.RefundDone:
			shown.State, shown.At = "done", r.DoneAt
		}
		out = append(out, shown)
	}
	return out
}

// OrderLine is a line of an order.
type OrderLine struct {
	ID        id.Line         `json:"id"`
	Offer     id.Offer        `json:"offer"`
	Version   id.OfferVersion `json:"version"`
	Quantity  int64           `json:"quantity"`
	UnitPrice int64           `json:"unit_price" doc:"Minor units of the total's currency"`
	Amount    int64           `json:"amount"`
	Delivered int64           `json:"delivered"`
	Refunded  int64           `json:"refunded"`
	Picks     []LinePick      `json:"picks,omitempty" doc:"The options picked when ordering"`
	Steps     []PriceStep     `json:"price_steps" doc:"How the unit price came about, as it was kept with the order"`
}

// PaymentOffer says how an order can be paid.
type PaymentOffer struct {
	Intent     id.Intent `json:"intent"`
	Gateway    string    `json:"gateway"`
	CashierURL string    `json:"cashier_url,omitempty" doc:"Send the buyer there"`
	QRText     string    `json:"qr_text,omitempty" doc:"Or show this as a QR code, which the buyer pays by scanning"`
}

type placeInput struct{ Body OrderRequest }

// OrderRef names an order.
type OrderRef struct {
	ID id.Order `path:"id" maxLength:"40"`
}

// Reveal says which codes to show.
type Reveal struct {
	Rights  []id.Right `json:"rights,omitempty" maxItems:"1000" maxLength:"40" doc:"Which rights; without it all of the order"`
	Confirm bool       `json:"confirm" doc:"The holder understands that a revealed code counts as delivered and can't be returned"`
}

type revealInput struct {
	OrderRef
	Body Reveal
}

// Revealed is an order's rights with their codes in clear.
type Revealed struct {
	ID     id.Order `json:"id"`
	Rights []Right  `json:"rights"`
}

func (a *API) orders() {
	operation(a, "place-order", a.placeOrder)
	operation(a, "get-order", a.getOrder)
	operation(a, "cancel-order", a.cancelOrder)
	operation(a, "pay-order", a.payOrder)
	operation(a, "poll-order", a.pollOrder)
	stream(a, "order-events", "text/event-stream", a.orderEvents)
	operation(a, "reveal-codes", a.revealCodes)
	operation(a, "check-option", a.checkOption)
	operation(a, "choose-option", a.chooseOption)
	operation(a, "activate-right", a.activateRight)
}

// placeOrder is a hot path: its key and the hash of its request are kept in the order.
func (a *API) placeOrder(ctx context.Context, c *Call, in *placeInput) (*Order, error) {
	p := flow.Place{Request: order.KeyOf{Scope: "guest", Key: c.key}, RequestHash: c.hash(), Device: in.Body.Device, Phone: in.Body.Phone, Email: in.Body.Email,
		Lang: string(c.Lang), Channel: "api", DeviceKind: httpx.DeviceKind(c.r.UserAgent()), Gateway: in.Body.Gateway, Conflicts: in.Body.Conflicts, Lines: make([]flow.PlaceLine, len(in.Body.Lines))}
	if c.session != nil {
		p.Party, p.OwnPhone, p.Request = c.session.Party.ID, c.session.Party.Phone, order.Member(c.session.Party.ID, c.key)
	}
	if err := p.Request.Check(); err != nil { // before the key finds an order
		return nil, err
	}
	gateway := a.Flows.Gateways[in.Body.Gateway]
	if !a.Flows.Offers(in.Body.Gateway) && (in.Body.Gateway != payment.Balance || c.session == nil) {
		// An order that was accepted is answered again, also when its channel is gone (I18).
		if before, err := a.placedBefore(ctx, p.Request); err != nil {
			return nil, err
		} else if !before {
			return nil, fault.New(fault.Invalid, "order.gateway", "gateway", in.Body.Gateway).At("gateway", "order.gateway", "gateway", in.Body.Gateway)
		}
	}
	for i, l := range in.Body.Lines {
		p.Lines[i] = flow.PlaceLine{Offer: l.Offer, Quantity: l.Quantity, Expect: l.Version, ExpectPrice: l.Price, Acknowledged: l.Terms, Picks: picksOf(l.Picks), Ticket: l.Ticket}
	}
	if err := a.checkContact(&p); err != nil {
		return nil, err
	}
	placed, err := a.Flows.Place(ctx, p)
	if err != nil {
		return nil, err
	}
	if placed.Repeated {
		c.header().Set("Idempotent-Replayed", "true")
	}
	o := asPlaced(placed.Order)
	out := showOrder(o)
	out.Token = a.Flows.Keys.LinkSecret(string(out.ID))
	out.Payment, err = a.offerPayment(ctx, gateway, o, placed.Intent)
	return out, err
}

// asPlaced is an order as it was when it had just been placed, whatever has become of it: a
// request sent again has the answer of the first (I18), and get-order tells how it stands.
func asPlaced(o *order.Order) *order.Order {
	first := *o
	first.State, first.PaidAt, first.ClosedAt = order.Pending, time.Time{}, time.Time{}
	first.Lines = slices.Clone(o.Lines)
	for i := range first.Lines {
		first.Lines[i].Delivered, first.Lines[i].Refunded = 0, 0
	}
	return &first
}

func (a *API) checkContact(p *flow.Place) (err error) {
	if p.Phone != "" {
		if p.Phone, err = identity.ParsePhone(p.Phone); err != nil {
			return fault.From(err).At("phone", fault.CodeOf(err))
		}
	}
	if p.Email != "" {
		if p.Email, err = identity.ParseEmail(p.Email); err != nil {
			return fault.From(err).At("email", fault.CodeOf(err))
		}
	}
	return nil
}

// placedBefore reports whether a request was carried out before.
func (a *API) placedBefore(ctx context.Context, key order.KeyOf) (bool, error) {
	var found map[order.KeyOf]*order.Order
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = a.Flows.Orders.ByKeys(ctx, tx, []order.KeyOf{key})
		return err
	})
	return found[key] != nil, err
}

// offerPayment is how an order can be paid. Without an answer of the gateway it says where alone:
// the order stands, and looking at it asks again.
func (a *API) offerPayment(ctx context.Context, g paygate.Gateway, o *order.Order, p *payment.Intent) (*PaymentOffer, error) {
	if o.State != order.Pending || p == nil {
		return nil, nil
	}
	out := &PaymentOffer{Intent: p.ID, Gateway: p.Gateway}
	if g == nil {
		return out, nil
	}
	subject, err := a.Flows.PaySubject(ctx, o)
	if err != nil {
		return out, err
	}
	c, err := g.Cashier(ctx, paygate.Charge{MerchantNo: string(p.ID), Amount: p.Amount, Subject: subject, NotifyURL: a.PublicURL + Prefix + "/gateways/" + p.Gateway + "/notices",
		ReturnURL: a.PublicURL + "/orders/" + string(o.ID) + "/paying", ExpiresAt: p.ExpiresAt, Lang: o.Lang,
		Device: paygate.Desktop, ClientIP: httpx.CallerOf(ctx).IP.String()})
	if err != nil {
		a.Log.Warn("a gateway offers no way to pay", "gateway", p.Gateway, "order", o.ID, "error", err)
		return out, nil
	}
	out.CashierURL, out.QRText = c.RedirectURL, c.QRText
	return out, nil
}

func showOrder(o *order.Order) *Order {
	r := &Order{ID: o.ID, State: o.State, Total: moneyOf(o.Total), CreatedAt: o.CreatedAt, ExpiresAt: o.ExpiresAt, PaidAt: timeIf(o.PaidAt), ClosedAt: timeIf(o.ClosedAt),
		Lines: make([]OrderLine, len(o.Lines))}
	for i, l := range o.Lines {
		r.Lines[i] = OrderLine{ID: l.ID, Offer: l.Offer, Version: l.Version, Quantity: l.Quantity, UnitPrice: l.UnitPrice, Amount: l.Amount, Delivered: l.Delivered, Refunded: l.Refunded, Picks: showPicks(l.Picks), Steps: keptSteps(l.Quote)}
	}
	return r
}

// keptSteps are the steps of a kept quote.
func keptSteps(text string) []PriceStep {
	steps, err := pricing.ParseSteps(text)
	if err != nil {
		return []PriceStep{}
	}
	return stepsOf(steps)
}

// look loads an order with its rights, and how it can be paid while it can.
func (a *API) look(ctx context.Context, l i18n.Lang, o id.Order) (*Order, error) {
	var found *order.Order
	var rights []Right
	var pending *payment.Intent
	var unmatched *Money
	var refunds []payment.Refund
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		if found, err = a.Flows.Orders.One(ctx, tx, o); err != nil {
			return err
		}
		of, err := a.Flows.Rights.OfOrders(ctx, tx, []id.Order{o})
		if err != nil {
			return err
		}
		if rights, err = a.withOptions(ctx, tx, l, of[o]); err != nil {
			return err
		}
		pending, unmatched = nil, nil
		if refunds, err = a.Flows.Payments.RefundsOf(ctx, tx, []id.Order{o}); err != nil {
			return err
		}
		if !found.PaidAt.IsZero() {
			return nil
		}
		c, held, err := a.Flows.Unmatched(ctx, tx, o)
		if held {
			unmatched = moneyIf(c.Amount)
		}
		if err != nil || held || found.State != order.Pending {
			return err
		}
		intents, err := a.Flows.Payments.IntentsOf(ctx, tx, []id.Order{o})
		for _, p := range intents[o] {
			if p.State == payment.Pending {
				pending = p
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := showOrder(found)
	out.Unmatched, out.Refunds = unmatched, showRefunds(refunds)
	out.Rights = rights
	if pending != nil {
		out.Payment, err = a.offerPayment(ctx, a.Flows.Gateways[pending.Gateway], found, pending)
	}
	return out, err
}

func (a *API) getOrder(ctx context.Context, c *Call, in *OrderRef) (*Order, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	return a.look(ctx, c.Lang, in.ID)
}

func (a *API) cancelOrder(ctx context.Context, c *Call, in *OrderRef) (*Order, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	return a.cancel(ctx, c.Lang, in.ID)
}

// cancel ends an order; one that was cancelled before is answered as it stands.
func (a *API) cancel(ctx context.Context, l i18n.Lang, o id.Order) (*Order, error) {
	was, err := a.look(ctx, l, o)
	if err != nil || was.State == order.Cancelled {
		return was, err
	}
	if err := a.Flows.Cancel(ctx, o); err != nil && fault.CodeOf(err) != "order.paid" {
		return nil, err
	}
	is, err := a.look(ctx, l, o)
	if err == nil && is.State != order.Cancelled {
		return nil, fault.New(fault.Conflict, "order.paid")
	}
	return is, err
}

func (a *API) payOrder(ctx context.Context, c *Call, in *OrderRef) (*Order, error) {
	if _, err := id.Parse[id.Order](string(in.ID)); err != nil {
		return nil, fault.New(fault.NotFound, "order.not_found")
	}
	if err := a.Flows.PayBalance(ctx, in.ID, c.session.Party.ID); err != nil {
		return nil, err
	}
	return a.look(ctx, c.Lang, in.ID)
}

func (a *API) pollOrder(ctx context.Context, c *Call, in *OrderRef) (*Order, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	return a.poll(ctx, c.Lang, in.ID)
}

func (a *API) poll(ctx context.Context, l i18n.Lang, o id.Order) (*Order, error) {
	if _, err := a.look(ctx, l, o); err != nil {
		return nil, err
	}
	if err := a.Flows.PollWaiting(ctx, o); err != nil {
		return nil, err
	}
	return a.look(ctx, l, o)
}

func (a *API) revealCodes(ctx context.Context, c *Call, in *revealInput) (*Revealed, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	if !in.Body.Confirm {
		return nil, fault.New(fault.Invalid, "right.confirm").At("confirm", "right.confirm")
	}
	shown, err := a.Flows.Reveal(ctx, flow.Reveal{Order: in.ID, Rights: in.Body.Rights, Actor: "holder", Data: `{"confirmed":true}`})
	if err != nil {
		return nil, err
	}
	out := &Revealed{ID: in.ID, Rights: make([]Right, len(shown))}
	for i, s := range shown {
		r := showRight(s.Right)
		r.Code, r.Serial, r.Account, r.Password, r.Note = string(s.Secret.Code), string(s.Secret.Serial), string(s.Secret.Account), string(s.Secret.Password), string(s.Secret.Note)
		out.Rights[i] = r
	}
	return out, nil
}
