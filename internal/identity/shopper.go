package identity

import (
	"context"
	"crypto/hmac"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

// errCode is what everything that doesn't open gets: a wrong code, a used or expired one,
// a code of another purpose, and what isn't a code at all (S33).
var errCode = fault.New(fault.Unauthenticated, "identity.code")

// SendCode asks for a one-time code.
type SendCode struct {
	To      string // a phone number or e-mail address, as typed
	Purpose Purpose
	Origin  Origin
}

// Sent is a one-time code to be sent. The caller enqueues its sending in the same
// transaction, and gives the browser the ticket only.
type Sent struct {
	Ticket    string // names the code; only the browser that asked can use or use up the code
	To        Contact
	Code      string
	ExpiresAt time.Time
}

// SendCode makes a one-time code. Nothing in the answer tells whether the contact is known.
// Its faults are identity.phone, identity.email, and too_many when the contact, the source
// or the shop has had its share.
func (s *Service) SendCode(ctx context.Context, tx *db.Tx, c SendCode, now time.Time) (db.Answer[Sent], error) {
	to, err := ParseContact(c.To)
	if err != nil {
		return no[Sent](err), nil
	}
	perDay, err := SMSPerDay.Get(ctx, tx)
	if err != nil {
		return no[Sent](nil), err
	}
	refusal, err := s.limited(ctx, tx, now, s.sendLimits(to, c.Origin, perDay), anonymous, "auth.code_send", to.Mask(), c.Origin)
	if refusal != nil || err != nil {
		return no[Sent](refusal), err
	}
	out := Sent{Ticket: newToken(), To: to, Code: newCode(), ExpiresAt: now.Add(CodeLife)}
	_, err = tx.Exec(ctx, insertCode, out.Ticket, string(c.Purpose), string(to), s.codeHash(out.Ticket, c.Purpose, to, out.Code), db.Micros(now), db.Micros(out.ExpiresAt))
	return yes(out), err
}

// Redeem uses a one-time code.
type Redeem struct {
	Ticket, Code string // as sent by the browser
	Purpose      Purpose
	Origin       Origin
}

// Redeem gives the contact that a one-time code proves. The answer's faults are
// identity.code and too_many.
func (s *Service) Redeem(ctx context.Context, tx *db.Tx, c Redeem, now time.Time) (db.Answer[Contact], error) {
	refusal, err := s.limited(ctx, tx, now, s.redeemLimits(c.Origin), anonymous, "auth.code", string(c.Purpose), c.Origin)
	if refusal != nil || err != nil {
		return no[Contact](refusal), err
	}
	refuse := func(subject string) (db.Answer[Contact], error) {
		return no[Contact](errCode), record(ctx, tx, now, anonymous, "auth.code", subject, c.Origin, errCode)
	}
	if _, ok := hashToken(c.Ticket); !ok {
		return refuse("malformed")
	}
	sent, err := loadCode(ctx, tx, c.Ticket)
	if err != nil {
		return no[Contact](nil), err
	}
	if sent == nil || !sent.open(c.Purpose, now) {
		return refuse("unknown")
	}
	var used time.Time
	right := hmac.Equal(sent.hash, s.codeHash(sent.ticket, c.Purpose, sent.target, digits(c.Code)))
	if right {
		used = now
	}
	if err := tx.ExecOne(ctx, tryCode, db.Micros(used), sent.ticket, sent.tries); err != nil {
		return no[Contact](nil), err
	}
	if !right {
		return refuse(sent.target.Mask())
	}
	return yes(sent.target), nil
}

// SignInShopper opens a session of the shop with a one-time code; whoever comes for the
// first time becomes a party. The answer's faults are those of Redeem.
func (s *Service) SignInShopper(ctx context.Context, tx *db.Tx, ticket, code string, l i18n.Lang, o Origin, now time.Time) (db.Answer[Opened], error) {
	proven, err := s.Redeem(ctx, tx, Redeem{ticket, code, ForSignIn, o}, now)
	if err != nil || proven.Err != nil {
		return no[Opened](proven.Err), err
	}
	p := Party{ID: id.New[id.Party](), Kind: Shopper, Lang: lang(l), Active: true, CreatedAt: now}
	if proven.Result.IsPhone() {
		p.Phone = string(proven.Result)
	} else {
		p.Email = string(proven.Result)
	}
	added, err := addParty(ctx, tx, p)
	if err != nil {
		return no[Opened](nil), err
	}
	if !added {
		found, err := loadParties(ctx, tx, shopperBy, string(proven.Result))
		if err != nil {
			return no[Opened](nil), err
		}
		if len(found) == 0 {
			return no[Opened](nil), db.ErrStale
		}
		p = found[0]
	}
	if !p.Active {
		return no[Opened](errCode), record(ctx, tx, now, anonymous, "auth.sign_in", string(p.ID), o, errCode)
	}
	e, err := s.open(ctx, tx, p, nil, Shop, StageFull, o, now)
	if err != nil {
		return no[Opened](nil), err
	}
	return yes(e), record(ctx, tx, now, string(p.ID), "auth.sign_in", string(p.ID), o, nil)
}
