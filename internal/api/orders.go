package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// Money is an amount in minor units.
type Money struct {
	Minor    int64  `json:"minor" doc:"Minor units: fen, cents"`
	Currency string `json:"currency" example:"CNY"`
}

// OrderRequest asks for a purchase.
type OrderRequest struct {
	Lines   []OrderRequestLine `json:"lines" minItems:"1" maxItems:"20"`
	Phone   string             `json:"phone,omitempty" maxLength:"20"`
	Email   string             `json:"email,omitempty" maxLength:"254"`
	Gateway string             `json:"gateway" maxLength:"20" doc:"Where it will be paid: a gateway's name, or balance"`
}

// OrderRequestLine is an offer wanted.
type OrderRequestLine struct {
	Offer    id.Offer        `json:"offer" maxLength:"40"`
	Quantity int64           `json:"quantity" minimum:"1" maximum:"1000"`
	Version  id.OfferVersion `json:"version,omitempty" maxLength:"40" doc:"The version that was shown; another price than its own refuses the order"`
	Price    int64           `json:"unit_price,omitempty" doc:"The unit price that was shown, in minor units; it is compared, never used"`
	Terms    string          `json:"terms,omitempty" maxLength:"64" doc:"Hash of the terms the shopper accepted"`
}

// OrderResponse is an order.
type OrderResponse struct {
	ID        id.Order        `json:"id"`
	State     order.State     `json:"state"`
	Total     Money           `json:"total"`
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at"`
	PaidAt    *time.Time      `json:"paid_at,omitempty"`
	Lines     []OrderLine     `json:"lines"`
	Rights    []RightResponse `json:"rights,omitempty"`
	Payment   *PaymentOffer   `json:"payment,omitempty"`
	// Token is the order's secret: whoever has it may see the order.
	Token string `json:"token,omitempty"`
}

// OrderLine is a line of an order.
type OrderLine struct {
	ID        id.Line         `json:"id"`
	Offer     id.Offer        `json:"offer"`
	Version   id.OfferVersion `json:"version"`
	Quantity  int64           `json:"quantity"`
	UnitPrice int64           `json:"unit_price"`
	Amount    int64           `json:"amount"`
	Delivered int64           `json:"delivered"`
	Refunded  int64           `json:"refunded"`
}

// PaymentOffer says how an order can be paid.
type PaymentOffer struct {
	Intent     id.Intent `json:"intent"`
	Gateway    string    `json:"gateway"`
	CashierURL string    `json:"cashier_url,omitempty"`
}

// RightResponse is a right; its code is only in clear where it was revealed.
type RightResponse struct {
	ID       id.Right          `json:"id"`
	Line     id.Line           `json:"line"`
	Benefit  id.Benefit        `json:"benefit"`
	Kind     string            `json:"kind"`
	State    entitlement.State `json:"state"`
	EndsAt   *time.Time        `json:"ends_at,omitempty"`
	Coded    bool              `json:"coded"`
	Code     string            `json:"code,omitempty"`
	Serial   string            `json:"serial,omitempty"`
	Account  string            `json:"account,omitempty"`
	Password string            `json:"password,omitempty"`
}

type placeInput struct {
	Key  string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"100"`
	Body OrderRequest
}

type orderOutput struct {
	Status int
	Cache  string `header:"Cache-Control"`
	Body   OrderResponse
}

// OrderAccess names an order and carries its secret.
type OrderAccess struct {
	ID            id.Order `path:"id" maxLength:"40"`
	Authorization string   `header:"Authorization" maxLength:"200" doc:"Bearer and the order's token"`
}

type revealInput struct {
	OrderAccess
	Body struct {
		Rights  []id.Right `json:"rights,omitempty" maxItems:"1000" doc:"Which rights; without it all of the order"`
		Confirm bool       `json:"confirm" doc:"The holder understands that a revealed code counts as delivered and can't be returned"`
	}
}

func (a *API) orders() {
	operation(a, huma.Operation{OperationID: "place-order", Method: http.MethodPost, Path: "/orders", Summary: "Place an order", DefaultStatus: http.StatusCreated, Tags: []string{"orders"}, MaxBodyBytes: 64 << 10}, a.placeOrder)
	operation(a, huma.Operation{OperationID: "get-order", Method: http.MethodGet, Path: "/orders/{id}", Summary: "Look at an order", Tags: []string{"orders"}}, a.getOrder)
	operation(a, huma.Operation{OperationID: "reveal-codes", Method: http.MethodPost, Path: "/orders/{id}/reveal", Summary: "Show an order's codes", Tags: []string{"orders"}, MaxBodyBytes: 64 << 10}, a.revealCodes)
}

func (a *API) placeOrder(ctx context.Context, in *placeInput) (*orderOutput, error) {
	body, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(body)
	gateway, known := a.Flows.Gateways[in.Body.Gateway]
	if !known {
		return nil, fault.New(fault.Invalid, "order.gateway", "gateway", in.Body.Gateway)
	}
	c := flow.Place{Request: order.KeyOf{Scope: "guest", Key: in.Key}, RequestHash: hash[:], Phone: in.Body.Phone, Email: in.Body.Email,
		Lang: string(CallerOf(ctx).Lang), Channel: "api", Gateway: in.Body.Gateway, Lines: make([]flow.PlaceLine, len(in.Body.Lines))}
	for i, l := range in.Body.Lines {
		c.Lines[i] = flow.PlaceLine{Offer: l.Offer, Quantity: l.Quantity, Expect: l.Version, ExpectPrice: l.Price, Acknowledged: l.Terms}
	}
	placed, err := a.Flows.Place(ctx, c)
	if err != nil {
		return nil, err
	}
	out := &orderOutput{Status: http.StatusCreated, Cache: "no-store", Body: orderResponse(placed.Order)}
	if placed.Repeated {
		out.Status = http.StatusOK
	}
	out.Body.Token = a.Flows.Keys.LinkSecret(string(placed.Order.ID))
	if out.Body.Payment, err = a.offerPayment(ctx, gateway, placed.Order, placed.Intent); err != nil {
		return nil, err
	}
	return out, nil
}

func (a *API) offerPayment(ctx context.Context, g paygate.Gateway, o *order.Order, p *payment.Intent) (*PaymentOffer, error) {
	if o.State != order.Pending || p == nil {
		return nil, nil
	}
	c, err := g.Cashier(ctx, paygate.Charge{MerchantNo: string(p.ID), Amount: p.Amount, Subject: "Hufu " + string(o.ID), NotifyURL: a.PublicURL + Prefix + "/gateways/" + p.Gateway + "/notices",
		ReturnURL: a.PublicURL + "/orders/" + string(o.ID) + "/paying", ExpiresAt: p.ExpiresAt, Lang: o.Lang})
	if err != nil {
		return nil, err
	}
	return &PaymentOffer{Intent: p.ID, Gateway: p.Gateway, CashierURL: c.RedirectURL}, nil
}

func orderResponse(o *order.Order) OrderResponse {
	r := OrderResponse{ID: o.ID, State: o.State, Total: Money{o.Total.Minor, string(o.Total.Currency)}, CreatedAt: o.CreatedAt, ExpiresAt: o.ExpiresAt}
	if !o.PaidAt.IsZero() {
		r.PaidAt = &o.PaidAt
	}
	for _, l := range o.Lines {
		r.Lines = append(r.Lines, OrderLine{ID: l.ID, Offer: l.Offer, Version: l.Version, Quantity: l.Quantity, UnitPrice: l.UnitPrice, Amount: l.Amount,
			Delivered: l.Delivered, Refunded: l.Refunded})
	}
	return r
}

// mayHold fails, alike for an order that isn't there and for a wrong secret, unless the
// request carries the order's secret.
func (a *API) mayHold(in OrderAccess) error {
	if _, err := id.Parse[id.Order](string(in.ID)); err != nil {
		return fault.New(fault.NotFound, "order.not_found")
	}
	token, ok := strings.CutPrefix(in.Authorization, "Bearer ")
	if !ok || !a.Flows.Keys.CheckLink(string(in.ID), token) {
		return fault.New(fault.NotFound, "order.not_found")
	}
	return nil
}

func (a *API) getOrder(ctx context.Context, in *OrderAccess) (*orderOutput, error) {
	if err := a.mayHold(*in); err != nil {
		return nil, err
	}
	out := &orderOutput{Status: http.StatusOK, Cache: "no-store"}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Orders.One(ctx, tx, in.ID)
		if err != nil {
			return err
		}
		rights, err := a.Flows.Rights.OfOrders(ctx, tx, []id.Order{o.ID})
		if err != nil {
			return err
		}
		out.Body = orderResponse(o)
		for _, r := range rights[o.ID] {
			out.Body.Rights = append(out.Body.Rights, rightResponse(r))
		}
		return nil
	})
	return out, err
}

func rightResponse(r *entitlement.Right) RightResponse {
	out := RightResponse{ID: r.ID, Line: r.Line, Benefit: r.Benefit, Kind: r.Kind, State: r.State, Coded: r.Code != ""}
	if !r.EndsAt.IsZero() {
		out.EndsAt = &r.EndsAt
	}
	return out
}

func (a *API) revealCodes(ctx context.Context, in *revealInput) (*orderOutput, error) {
	if err := a.mayHold(in.OrderAccess); err != nil {
		return nil, err
	}
	if !in.Body.Confirm {
		return nil, fault.New(fault.Invalid, "right.confirm")
	}
	shown, err := a.Flows.Reveal(ctx, flow.Reveal{Order: in.ID, Rights: in.Body.Rights, Actor: "holder", Data: `{"confirmed":true}`})
	if err != nil {
		return nil, err
	}
	out := &orderOutput{Status: http.StatusOK, Cache: "no-store", Body: OrderResponse{ID: in.ID}}
	for _, s := range shown {
		r := rightResponse(s.Right)
		r.Code, r.Serial, r.Account, r.Password = string(s.Secret.Code), string(s.Secret.Serial), string(s.Secret.Account), string(s.Secret.Password)
		out.Body.Rights = append(out.Body.Rights, r)
	}
	return out, nil
}
