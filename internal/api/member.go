package api

import (
	"context"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/order"
)

// CodeRequest asks for a one-time code.
type CodeRequest struct {
	To string `json:"to" minLength:"1" maxLength:"254" doc:"A phone number or an e-mail address"`
}

// CodeSent says that a code is on its way, whether or not anybody is known there.
type CodeSent struct {
	Ticket    string    `json:"ticket" doc:"Names the code: send both back"`
	To        string    `json:"to" doc:"Masked"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CodeProof is a one-time code with its ticket.
type CodeProof struct {
	Ticket string `json:"ticket" minLength:"1" maxLength:"100"`
	Code   string `json:"code" minLength:"1" maxLength:"20"`
}

// Session is a sign-in. Its token can't be had again.
type Session struct {
	ID        id.Session     `json:"id"`
	Token     string         `json:"token,omitempty" doc:"Send it as Authorization: Bearer"`
	Device    string         `json:"device,omitempty" doc:"Send it as X-Device-Token when signing in again: so strangers' wrong guesses can't lock this device out"`
	Stage     identity.Stage `json:"stage" enum:"second,enrol,full" doc:"Only a full session may do anything but go on"`
	ExpiresAt time.Time      `json:"expires_at"`
	Party     Party          `json:"party"`
	Roles     []string       `json:"roles,omitempty"`
	Rights    []string       `json:"rights,omitempty"`
}

// Party is a person, masked.
type Party struct {
	ID     id.Party `json:"id"`
	Name   string   `json:"name,omitempty"`
	Phone  string   `json:"phone,omitempty" doc:"Masked, but for who may see it"`
	Email  string   `json:"email,omitempty"`
	Active bool     `json:"active"`
}

// MemberView is who is signed in.
type MemberView struct {
	Party    Party   `json:"party"`
	Balances []Money `json:"balances"`
}

type codeInput struct{ Body CodeRequest }
type proofInput struct{ Body CodeProof }

func (a *API) member() {
	operation(a, "send-sign-in-code", func(ctx context.Context, c *Call, in *codeInput) (*CodeSent, error) {
		return a.sendCode(ctx, c, in.Body.To, identity.ForSignIn)
	})
	operation(a, "send-lookup-code", func(ctx context.Context, c *Call, in *codeInput) (*CodeSent, error) {
		return a.sendCode(ctx, c, in.Body.To, identity.ForLookUp)
	})
	operation(a, "look-up-orders", a.lookUp)
	operation(a, "sign-in-member", a.signInMember)
	operation(a, "sign-out-member", func(ctx context.Context, c *Call, _ *struct{}) (*none, error) {
		return nil, a.signOut(ctx, c, identity.Shop)
	})
	operation(a, "get-member", a.getMember)
	operation(a, "list-member-orders", a.memberOrders)
	operation(a, "list-member-rights", a.memberRights)
	operation(a, "member-right-path", func(ctx context.Context, c *Call, in *RightRef) (*RightPath, error) {
		return a.path(ctx, in.Right, func(tx *db.Tx, r *entitlement.Right) (bool, error) {
			if r.Party != "" || c.session.Party.Phone == "" {
				return r.Party == c.session.Party.ID, nil
			}
			o, err := a.Flows.Orders.One(ctx, tx, r.Order)
			return err == nil && o.Party == "" && o.Phone == c.session.Party.Phone, err
		})
	})
}

func (a *API) sendCode(ctx context.Context, c *Call, to string, purpose identity.Purpose) (*CodeSent, error) {
	sent, err := a.Flows.SendCode(ctx, a.Identity, identity.SendCode{To: to, Purpose: purpose, Origin: c.origin()}, c.Lang)
	if err != nil {
		return nil, err
	}
	return &CodeSent{Ticket: sent.Ticket, To: sent.To.Mask(), ExpiresAt: sent.ExpiresAt}, nil
}

// lookUp gives who holds a phone number or address the orders placed with it, each with its
// token. With none it answers alike, with none.
func (a *API) lookUp(ctx context.Context, c *Call, in *proofInput) (*Page[Order], error) {
	now := a.Flows.Clock.Now()
	contact, err := identity.Commit(ctx, a.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Contact], error) {
		return a.Identity.Redeem(ctx, tx, identity.Redeem{Ticket: in.Body.Ticket, Code: in.Body.Code, Purpose: identity.ForLookUp, Origin: c.origin()}, now)
	})
	if err != nil {
		return nil, err
	}
	out := &Page[Order]{Items: []Order{}}
	var found []*order.Order
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = a.Flows.LookUp(ctx, tx, contact, maxLookUp)
		return err
	})
	for _, o := range found {
		shown := showOrder(o)
		shown.Token = a.Flows.Keys.LinkSecret(string(o.ID))
		out.Items = append(out.Items, *shown)
	}
	return out, err
}

// maxLookUp is how many orders a look-up gives, the newest first.
const maxLookUp = 100

func showSession(o identity.Opened) *Session {
	s := &Session{ID: o.ID, Token: o.Token, Device: o.Device, Stage: o.Stage, ExpiresAt: o.ExpiresAt, Party: masked(o.Party)}
	for _, r := range o.Roles {
		s.Roles = append(s.Roles, string(r))
	}
	if o.Stage == identity.StageFull {
		for _, r := range identity.AllRights {
			if o.Roles.May(r) {
				s.Rights = append(s.Rights, string(r))
			}
		}
	}
	return s
}

func masked(p identity.Party) Party {
	out := Party{ID: p.ID, Name: p.Name, Active: p.Active}
	if p.Phone != "" {
		out.Phone = identity.MaskPhone(p.Phone)
	}
	if p.Email != "" {
		out.Email = identity.MaskEmail(p.Email)
	}
	return out
}

func (a *API) signInMember(ctx context.Context, c *Call, in *proofInput) (*Session, error) {
	opened, err := identity.Commit(ctx, a.Flows.DB, func(tx *db.Tx) (db.Answer[identity.Opened], error) {
		return a.Identity.SignInShopper(ctx, tx, in.Body.Ticket, in.Body.Code, c.Lang, c.origin(), a.Flows.Clock.Now())
	})
	if err != nil {
		return nil, err
	}
	return showSession(opened), nil
}

func (a *API) signOut(ctx context.Context, c *Call, face identity.Face) error {
	return a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		return a.Identity.SignOut(ctx, tx, face, c.token, c.origin(), a.Flows.Clock.Now())
	})
}

// balances are what a party has paid in and not spent, in each currency it has used.
func (a *API) balances(ctx context.Context, tx *db.Tx, p id.Party) ([]Money, error) {
	currencies := []money.Currency{money.CNY, money.USD, money.EUR, money.GBP, money.HKD, money.JPY}
	accounts := make([]id.Account, len(currencies))
	for i, cur := range currencies {
		accounts[i] = ledger.Prepaid(p, cur)
	}
	found, err := a.Flows.Ledger.Balances(ctx, tx, accounts)
	out := []Money{}
	for _, account := range accounts {
		if b, ok := found[account]; ok && (b.Debits != 0 || b.Credits != 0) {
			out = append(out, moneyOf(b.Net()))
		}
	}
	return out, err
}

func (a *API) getMember(ctx context.Context, c *Call, _ *struct{}) (*MemberView, error) {
	p := c.session.Party
	out := &MemberView{Party: Party{ID: p.ID, Name: p.Name, Phone: p.Phone, Email: p.Email, Active: p.Active}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		out.Balances, err = a.balances(ctx, tx, p.ID)
		return err
	})
	return out, err
}

func (a *API) memberOrders(ctx context.Context, c *Call, in *Paging) (*Page[Order], error) {
	return a.ordersOf(ctx, c, *in, c.session.Party.ID, c.session.Party.Phone)
}

func (a *API) ordersOf(ctx context.Context, c *Call, in Paging, p id.Party, phone string) (*Page[Order], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []*order.Order
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = a.Flows.Orders.OfMember(ctx, tx, p, phone, id.Order(before), int(in.Limit)+1)
		return err
	})
	return pageOf(c, in, found, func(o *order.Order) string { return string(o.ID) }, func(o *order.Order) Order { return *showOrder(o) }), err
}

func (a *API) memberRights(ctx context.Context, c *Call, in *Paging) (*Page[Right], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []Right
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		held, err := a.Flows.Rights.OfMember(ctx, tx, c.session.Party.ID, c.session.Party.Phone, id.Right(before), int(in.Limit)+1)
		if err != nil {
			return err
		}
		found, err = a.showRights(ctx, tx, held)
		for i, r := range held {
			found[i].Order = r.Order
		}
		return err
	})
	return pageOf(c, *in, found, func(r Right) string { return string(r.ID) }, func(r Right) Right { return r }), err
}

// partyOf finds a party of a kind; one of the other kind isn't there for the caller.
func (a *API) partyOf(ctx context.Context, tx *db.Tx, p id.Party, kinds ...identity.Kind) (identity.Party, error) {
	found, err := a.Identity.Party(ctx, tx, p)
	if err == nil && !slices.Contains(kinds, found.Kind) {
		err = fault.New(fault.NotFound, "not_found")
	}
	return found, err
}
