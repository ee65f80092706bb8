package api

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
)

// Customer is a member as the staff see them.
type Customer struct {
	Party
	Lang      string    `json:"lang"`
	CreatedAt time.Time `json:"created_at"`
	Balances  []Money   `json:"balances"`

	ActiveDays int64          `json:"active_days_30" doc:"On how many of the last 30 days they came"`
	Traits     CustomerTraits `json:"traits"`
}

// StaffMember is somebody of the staff.
type StaffMember struct {
	ID        id.Party  `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles"`
	Active    bool      `json:"active"`
	Invited   bool      `json:"invited" doc:"Until a password was chosen"`
	Enrolled  bool      `json:"enrolled" doc:"The second factor works"`
	CreatedAt time.Time `json:"created_at"`
}

// Invitation asks somebody to join.
type Invitation struct {
	Email string   `json:"email" minLength:"3" maxLength:"254"`
	Name  string   `json:"name" minLength:"1" maxLength:"100"`
	Lang  string   `json:"lang,omitempty" enum:"zh-CN,en"`
	Roles []string `json:"roles" minItems:"1" maxItems:"5" enum:"owner,operator,finance,support,auditor"`
}

// Link opens the page where a password is chosen. It can't be had again.
type Link struct {
	Party     id.Party  `json:"party"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Roles is what somebody is to be.
type Roles struct {
	Roles []string `json:"roles" minItems:"1" maxItems:"5" enum:"owner,operator,finance,support,auditor"`
}

type partyReasonInput struct {
	PartyRef
	Body Reason
}

type inviteInput struct{ Body Invitation }

type rolesInput struct {
	PartyRef
	Body Roles
}

type customerOrdersInput struct {
	PartyRef
	Paging
}

func (a *API) staffPeople() {
	operation(a, "get-customer", a.getCustomer)
	operation(a, "list-customer-orders", func(ctx context.Context, c *Call, in *customerOrdersInput) (*Page[Order], error) {
		if err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
			_, err := a.partyOf(ctx, tx, in.Party, identity.Shopper)
			return err
		}); err != nil {
			return nil, err
		}
		return a.ordersOf(ctx, c, in.Paging, in.Party, "")
	})
	operation(a, "unmask-customer", a.unmaskCustomer)
	once(a, "disable-customer", a.turn(identity.Shopper, (*identity.Service).Disable))
	once(a, "enable-customer", a.turn(identity.Shopper, (*identity.Service).Enable))
	operation(a, "list-staff", a.listStaff)
	once(a, "invite-staff", a.invite)
	once(a, "set-staff-roles", a.setRoles)
	once(a, "reset-staff", a.resetStaff)
	once(a, "disable-staff", a.turn(identity.Staff, (*identity.Service).Disable))
	once(a, "enable-staff", a.turn(identity.Staff, (*identity.Service).Enable))
}

func (a *API) getCustomer(ctx context.Context, _ *Call, in *PartyRef) (*Customer, error) {
	var out *Customer
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		p, err := a.partyOf(ctx, tx, in.Party, identity.Shopper)
		if err != nil {
			return err
		}
		out = a.showCustomer(p)
		out.Balances, err = a.balances(ctx, tx, p.ID)
		return err
	})
	return out, err
}

// unmaskCustomer shows a contact once its audit row is committed.
func (a *API) unmaskCustomer(ctx context.Context, c *Call, in *partyReasonInput) (*Contact, error) {
	var out *Contact
	err := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := a.partyOf(ctx, tx, in.Party, identity.Shopper); err != nil {
			return err
		}
		p, err := a.Identity.Unmask(ctx, tx, c.actor(), in.Party, in.Body.Reason, a.Flows.Clock.Now())
		tx.AfterCommit(func() { out = &Contact{p.Phone, p.Email} })
		return err
	})
	return out, err
}

// turn disables or enables a party of a kind.
func (a *API) turn(kind identity.Kind, act func(*identity.Service, context.Context, *db.Tx, identity.Actor, id.Party, time.Time) error) func(context.Context, *db.Tx, *Call, *PartyRef) (*none, error) {
	return func(ctx context.Context, tx *db.Tx, c *Call, in *PartyRef) (*none, error) {
		if _, err := a.partyOf(ctx, tx, in.Party, kind); err != nil {
			return nil, err
		}
		return new(none), act(a.Identity, ctx, tx, c.actor(), in.Party, a.Flows.Clock.Now())
	}
}

func showMember(m identity.Member) StaffMember {
	out := StaffMember{ID: m.ID, Name: m.Name, Email: m.Email, Roles: []string{}, Active: m.Active, Invited: m.Invited, Enrolled: m.Enrolled, CreatedAt: m.CreatedAt}
	for _, r := range m.Roles {
		out.Roles = append(out.Roles, string(r))
	}
	return out
}

func (a *API) listStaff(ctx context.Context, _ *Call, _ *struct{}) (*Page[StaffMember], error) {
	out := &Page[StaffMember]{Items: []StaffMember{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		out.Items = out.Items[:0]
		all, err := a.Identity.Members(ctx, tx)
		for _, m := range all {
			out.Items = append(out.Items, showMember(m))
		}
		return err
	})
	return out, err
}

func (a *API) link(i identity.Invited) *Link {
	return &Link{i.Party.ID, a.PublicURL + "/console/join?token=" + i.Token, i.ExpiresAt}
}

func (a *API) invite(ctx context.Context, tx *db.Tx, c *Call, in *inviteInput) (*Link, error) {
	roles, err := identity.ParseRoles(in.Body.Roles)
	if err != nil {
		return nil, err
	}
	lang := i18n.Lang(in.Body.Lang)
	if lang == "" {
		lang = c.Lang
	}
	made, err := a.Identity.Invite(ctx, tx, c.actor(), identity.Invite{Email: in.Body.Email, Name: in.Body.Name, Lang: lang, Roles: roles}, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return a.link(made), nil
}

func (a *API) setRoles(ctx context.Context, tx *db.Tx, c *Call, in *rolesInput) (*none, error) {
	roles, err := identity.ParseRoles(in.Body.Roles)
	if err != nil {
		return nil, err
	}
	return new(none), a.Identity.SetRoles(ctx, tx, c.actor(), in.Party, roles, a.Flows.Clock.Now())
}

func (a *API) resetStaff(ctx context.Context, tx *db.Tx, c *Call, in *PartyRef) (*Link, error) {
	made, err := a.Identity.Reset(ctx, tx, c.actor(), in.Party, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return a.link(made), nil
}
