package identity

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

// LinkLife is how long a link of invitation or reset opens.
const LinkLife = 72 * time.Hour

var errLink = fault.New(fault.Gone, "identity.link")

// Invite asks a person to join the staff.
type Invite struct {
	Email, Name string
	Lang        i18n.Lang
	Roles       Roles
}

// Invited is a link that was made. Its token can't be had again.
type Invited struct {
	Party     Party
	Token     string
	ExpiresAt time.Time
}

// Invite adds a member of the staff, who chooses a password by the link. Its faults are
// forbidden, identity.email, identity.role_none and identity.email_taken.
func (s *Service) Invite(ctx context.Context, tx *db.Tx, by Actor, c Invite, now time.Time) (Invited, error) {
	if err := by.Require(StaffManage); err != nil {
		return Invited{}, err
	}
	email, err := ParseEmail(c.Email)
	if err != nil {
		return Invited{}, err
	}
	if len(c.Roles) == 0 {
		return Invited{}, fault.New(fault.Invalid, "identity.role_none")
	}
	p := Party{ID: id.New[id.Party](), Kind: Staff, Name: line(c.Name, 60), Email: email, Lang: lang(c.Lang), Active: true, CreatedAt: now}
	added, err := addParty(ctx, tx, p)
	if err != nil {
		return Invited{}, err
	}
	if !added {
		return Invited{}, fault.New(fault.Conflict, "identity.email_taken")
	}
	if err := addStaff(ctx, tx, p.ID, c.Roles, "", now); err != nil {
		return Invited{}, err
	}
	return s.link(ctx, tx, by, p, "staff.invite", now, "email", MaskEmail(email), "roles", c.Roles.String())
}

// Reset makes a link by which a member chooses a new password and sets up the second factor
// anew. Until it is used the old ones go on to count. Its faults are forbidden and not_found.
func (s *Service) Reset(ctx context.Context, tx *db.Tx, by Actor, party id.Party, now time.Time) (Invited, error) {
	if err := by.Require(StaffManage); err != nil {
		return Invited{}, err
	}
	a, err := mustAccount(ctx, tx, party)
	if err != nil {
		return Invited{}, err
	}
	return s.link(ctx, tx, by, a.Party, "staff.reset", now)
}

func (s *Service) link(ctx context.Context, tx *db.Tx, by Actor, p Party, action string, now time.Time, data ...string) (Invited, error) {
	if _, err := tx.Exec(ctx, revokeLinks, db.Micros(now), string(p.ID)); err != nil {
		return Invited{}, err
	}
	token := newToken()
	hash, _ := hashToken(token)
	out := Invited{Party: p, Token: token, ExpiresAt: now.Add(LinkLife)}
	if _, err := tx.Exec(ctx, insertLink, hash, string(p.ID), by.ID, db.Micros(now), db.Micros(out.ExpiresAt)); err != nil {
		return Invited{}, err
	}
	return out, record(ctx, tx, now, by.ID, action, string(p.ID), Origin{Address: by.Origin}, nil, data...)
}

// Linked is the party that a link was made for, as its page asks before it shows a form. Its
// fault is identity.link.
func (s *Service) Linked(ctx context.Context, tx *db.Tx, token string, now time.Time) (Party, error) {
	hash, ok := hashToken(token)
	if !ok {
		return Party{}, errLink
	}
	var party id.Party
	found, err := tx.One(ctx, linkBy, []any{&party}, hash, db.Micros(now))
	if err != nil {
		return Party{}, err
	}
	if !found {
		return Party{}, errLink
	}
	p, err := s.Party(ctx, tx, party)
	if err == nil && !p.Active {
		err = errLink
	}
	return p, err
}

// Accept uses a link up: the password is set, the second factor forgotten, and what is opened
// is at StageEnrol. The answer's fault is identity.link.
func (s *Service) Accept(ctx context.Context, tx *db.Tx, token string, password PasswordHash, o Origin, now time.Time) (db.Answer[Opened], error) {
	if password.phc == "" {
		return no[Opened](nil), errNoHash
	}
	p, err := s.Linked(ctx, tx, token, now)
	if fault.CodeOf(err) == errLink.Code {
		return no[Opened](errLink), record(ctx, tx, now, anonymous, "staff.accept", "", o, errLink)
	}
	if err != nil {
		return no[Opened](nil), err
	}
	hash, _ := hashToken(token)
	n, err := tx.Exec(ctx, useLink, db.Micros(now), hash)
	if err != nil {
		return no[Opened](nil), err
	}
	if n == 0 { // another request was faster
		return no[Opened](errLink), record(ctx, tx, now, anonymous, "staff.accept", string(p.ID), o, errLink)
	}
	a, err := mustAccount(ctx, tx, p.ID)
	if err != nil {
		return no[Opened](nil), err
	}
	if err := tx.ExecOne(ctx, setPassword, password.phc, db.Micros(now), string(p.ID)); err != nil {
		return no[Opened](nil), err
	}
	if err := forget(ctx, tx, p.ID, now); err != nil {
		return no[Opened](nil), err
	}
	e, err := s.open(ctx, tx, a.Party, a.roles, Console, StageEnrol, o, now)
	if err != nil {
		return no[Opened](nil), err
	}
	return yes(e), record(ctx, tx, now, string(p.ID), "staff.accept", string(p.ID), o, nil)
}

// mustAccount locks a member of the staff, or fails with not_found.
func mustAccount(ctx context.Context, tx *db.Tx, party id.Party) (*account, error) {
	a, err := loadAccount(ctx, tx, lockStaff, string(party))
	if err == nil && a == nil {
		err = fault.New(fault.NotFound, "not_found")
	}
	return a, err
}

// Members lists the staff in the order in which they joined.
func (s *Service) Members(ctx context.Context, tx *db.Tx) ([]Member, error) {
	all, err := loadAccounts(ctx, tx, listStaff)
	out := make([]Member, len(all))
	for i, a := range all {
		out[i] = Member{Party: a.Party, Roles: a.roles, Invited: a.password == "", Enrolled: a.step > 0}
	}
	return out, err
}

// keepOwner is the fault identity.last_owner when nobody but party could own the shop. It
// locks the owners, so that two who remove each other take turns.
func keepOwner(ctx context.Context, tx *db.Tx, party id.Party) error {
	others := 0
	err := tx.Query(ctx, lockOwners, func(scan func(...any) error) error {
		var p id.Party
		var roles, password string
		err := scan(&p, &roles, &password)
		for _, r := range loadRoles(roles) {
			if r == Owner && p != party && password != "" {
				others++
			}
		}
		return err
	})
	if err == nil && others == 0 {
		err = fault.New(fault.Conflict, "identity.last_owner")
	}
	return err
}

// SetRoles changes what a member may do, from their next request on. Its faults are forbidden,
// not_found, identity.role_none and identity.last_owner.
func (s *Service) SetRoles(ctx context.Context, tx *db.Tx, by Actor, party id.Party, roles Roles, now time.Time) error {
	if err := by.Require(StaffManage); err != nil {
		return err
	}
	if len(roles) == 0 {
		return fault.New(fault.Invalid, "identity.role_none")
	}
	if !roles.May(StaffManage) {
		if err := keepOwner(ctx, tx, party); err != nil {
			return err
		}
	}
	a, err := mustAccount(ctx, tx, party)
	if err != nil || a.roles.String() == roles.String() {
		return err
	}
	if err := tx.ExecOne(ctx, setRoles, roles.String(), db.Micros(now), string(party)); err != nil {
		return err
	}
	return record(ctx, tx, now, by.ID, "staff.roles", string(party), Origin{Address: by.Origin}, nil, "before", a.roles.String(), "after", roles.String())
}

// Disable ends a party's sessions and lets it sign in no more. Members of the staff need
// staff.manage to disable, shoppers customer.unmask. Its faults are forbidden, not_found and
// identity.last_owner.
func (s *Service) Disable(ctx context.Context, tx *db.Tx, by Actor, party id.Party, now time.Time) error {
	return s.setActive(ctx, tx, by, party, false, now)
}

// Enable lets a disabled party sign in again. Its faults are forbidden and not_found.
func (s *Service) Enable(ctx context.Context, tx *db.Tx, by Actor, party id.Party, now time.Time) error {
	return s.setActive(ctx, tx, by, party, true, now)
}

func (s *Service) setActive(ctx context.Context, tx *db.Tx, by Actor, party id.Party, active bool, now time.Time) error {
	p, err := s.Party(ctx, tx, party)
	if err != nil {
		return err
	}
	right := CustomerUnmask
	if p.Kind == Staff {
		right = StaffManage
	}
	if err := by.Require(right); err != nil {
		return err
	}
	if p.Kind == Staff && !active {
		if err := keepOwner(ctx, tx, party); err != nil {
			return err
		}
	}
	state, action := "active", "party.enable"
	if !active {
		state, action = "disabled", "party.disable"
	}
	n, err := tx.Exec(ctx, setState, state, string(party))
	if err != nil || n == 0 {
		return err
	}
	if !active {
		if _, err := tx.Exec(ctx, endOf, string(party), []byte{}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, revokeLinks, db.Micros(now), string(party)); err != nil {
			return err
		}
	}
	return record(ctx, tx, now, by.ID, action, string(party), Origin{Address: by.Origin}, nil)
}

// SetProfile changes the name and language of the session's own party.
func (s *Service) SetProfile(ctx context.Context, tx *db.Tx, by *Session, name string, l i18n.Lang, o Origin, now time.Time) error {
	if err := tx.ExecOne(ctx, setProfile, line(name, 60), string(lang(l)), string(by.Party.ID)); err != nil {
		return err
	}
	return record(ctx, tx, now, string(by.Party.ID), "party.profile", string(by.Party.ID), o, nil, "lang", string(lang(l)))
}

// Unmask gives a party's contact in full and puts that on record with the reason (S62). Its
// faults are forbidden, not_found and identity.reason when none is given.
func (s *Service) Unmask(ctx context.Context, tx *db.Tx, by Actor, party id.Party, reason string, now time.Time) (Party, error) {
	if err := by.Require(CustomerUnmask); err != nil {
		return Party{}, err
	}
	if reason = line(reason, 200); reason == "" {
		return Party{}, fault.New(fault.Invalid, "identity.reason")
	}
	p, err := s.Party(ctx, tx, party)
	if err != nil {
		return Party{}, err
	}
	return p, record(ctx, tx, now, by.ID, "customer.unmask", string(party), Origin{Address: by.Origin}, nil, "reason", reason)
}
