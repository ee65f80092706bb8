package identity

import (
	"bytes"
	"context"
	"errors"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

var errSetUp = fault.New(fault.Gone, "identity.set_up")

// errNoHash is a mistake of the program: a password goes through Passwords.Hash.
var errNoHash = errors.New("identity: the password was not hashed")

// SetUpToken makes the token that creates the first owner, and ends the one made before; ""
// once there are staff. The caller prints it where only who runs the machine reads.
func (s *Service) SetUpToken(ctx context.Context, tx *db.Tx) (string, error) {
	var staff int64
	if _, err := tx.One(ctx, countStaff, []any{&staff}); err != nil || staff > 0 {
		return "", err
	}
	token := newToken()
	hash, _ := hashToken(token)
	made, err := tx.Exec(ctx, setUpOpen, hash)
	if err != nil {
		return "", err
	}
	if made == 0 {
		renewed, err := tx.Exec(ctx, setUpRenew, hash)
		if err != nil || renewed == 0 {
			return "", err
		}
	}
	return token, nil
}

// SetUpOpen is the fault identity.set_up unless the token opens the set-up, as its page asks
// before it shows a form.
func (s *Service) SetUpOpen(ctx context.Context, tx *db.Tx, token string) error {
	open, err := setUpFits(ctx, tx, setUpRead, token)
	if err == nil && !open {
		err = errSetUp
	}
	return err
}

func setUpFits(ctx context.Context, tx *db.Tx, stmt *db.Stmt, token string) (bool, error) {
	hash, form := hashToken(token)
	var stored []byte
	var closed time.Time
	found, err := tx.One(ctx, stmt, []any{&stored, db.Time(&closed)})
	if err != nil || !found || !form || !closed.IsZero() || !bytes.Equal(stored, hash) {
		return false, err
	}
	var staff int64
	_, err = tx.One(ctx, countStaff, []any{&staff})
	return staff == 0, err
}

// SetUp creates the first owner.
type SetUp struct {
	Token       string
	Email, Name string
	Lang        i18n.Lang
	Password    PasswordHash
	Origin      Origin
}

// SetUp uses the set-up token up, creates the owner, and opens a session at StageEnrol. The
// answer's faults are identity.set_up and identity.email.
func (s *Service) SetUp(ctx context.Context, tx *db.Tx, c SetUp, now time.Time) (db.Answer[Opened], error) {
	email, err := ParseEmail(c.Email)
	if err != nil {
		return no[Opened](err), nil
	}
	if c.Password.phc == "" {
		return no[Opened](nil), errNoHash
	}
	open, err := setUpFits(ctx, tx, setUpLock, c.Token)
	if err != nil {
		return no[Opened](nil), err
	}
	if !open {
		return no[Opened](errSetUp), record(ctx, tx, now, anonymous, "auth.set_up", "owner", c.Origin, errSetUp)
	}
	// What is left is the hash of nothing.
	if err := tx.ExecOne(ctx, setUpClose, db.Micros(now), []byte{}); err != nil {
		return no[Opened](nil), err
	}
	p := Party{ID: id.New[id.Party](), Kind: Staff, Name: line(c.Name, 60), Email: email, Lang: lang(c.Lang), Active: true, CreatedAt: now}
	if _, err := addParty(ctx, tx, p); err != nil {
		return no[Opened](nil), err
	}
	if err := addStaff(ctx, tx, p.ID, Roles{Owner}, c.Password.phc, now); err != nil {
		return no[Opened](nil), err
	}
	e, err := s.open(ctx, tx, p, Roles{Owner}, Console, StageEnrol, c.Origin, now)
	if err != nil {
		return no[Opened](nil), err
	}
	return yes(e), record(ctx, tx, now, string(p.ID), "auth.set_up", string(p.ID), c.Origin, nil)
}

// StartEnrolment gives the secret for the authenticator app of a session at StageEnrol, the
// same each time until it is confirmed. Its faults are those of Session.
func (s *Service) StartEnrolment(ctx context.Context, tx *db.Tx, token string, now time.Time) (Enrolment, error) {
	e, err := s.staged(ctx, tx, token, now, StageEnrol)
	if err != nil {
		return Enrolment{}, err
	}
	a, err := loadAccount(ctx, tx, lockStaff, string(e.Party.ID))
	if err != nil {
		return Enrolment{}, err
	}
	if a == nil || a.step != 0 {
		return Enrolment{}, errEnded
	}
	if len(a.totp) > 0 {
		secret, err := s.sealer.OpenBytes(s.totpPlace(a.ID), a.totpKey, a.totp)
		if err != nil {
			return Enrolment{}, err
		}
		return enrolment(s.issuer, a.Email, secret)
	}
	secret := newTOTPSecret()
	key, sealed, err := s.sealer.SealBytes(s.totpPlace(a.ID), secret)
	if err != nil {
		return Enrolment{}, err
	}
	if err := tx.ExecOne(ctx, setTOTP, sealed, string(key), db.Micros(now), string(a.ID)); err != nil {
		return Enrolment{}, err
	}
	return enrolment(s.issuer, a.Email, secret)
}

// Enrolled is a completed sign-in with the recovery codes, which are shown this once.
type Enrolled struct {
	Opened
	Recovery []string
}

// FinishEnrolment confirms the authenticator app with its first code, makes the recovery
// codes, and completes the sign-in. The answer's faults are those of SecondFactor.
func (s *Service) FinishEnrolment(ctx context.Context, tx *db.Tx, token, typed string, o Origin, now time.Time) (db.Answer[Enrolled], error) {
	e, err := s.staged(ctx, tx, token, now, StageEnrol)
	if err != nil {
		return refusedOr[Enrolled](err)
	}
	party := string(e.Party.ID)
	if refusal, err := s.limited(ctx, tx, now, s.secondLimits(party), party, "auth.enrol", party, o); refusal != nil || err != nil {
		return no[Enrolled](refusal), err
	}
	a, err := loadAccount(ctx, tx, lockStaff, party)
	if err != nil {
		return no[Enrolled](nil), err
	}
	if a == nil || !a.Active || a.step != 0 || len(a.totp) == 0 {
		return no[Enrolled](errEnded), nil
	}
	secret, err := s.sealer.OpenBytes(s.totpPlace(a.ID), a.totpKey, a.totp)
	if err != nil {
		return no[Enrolled](nil), err
	}
	step := totpStep(secret, typed, 0, now)
	if step == 0 {
		return no[Enrolled](errSecond), record(ctx, tx, now, party, "auth.enrol", party, o, errSecond)
	}
	codes, stored := newRecovery()
	if err := tx.ExecOne(ctx, useStep, step, party); err != nil {
		return no[Enrolled](nil), err
	}
	if err := tx.ExecOne(ctx, setRecovery, stored, party, a.recovery); err != nil {
		return no[Enrolled](nil), err
	}
	if there, err := end(ctx, tx, e); err != nil || !there {
		return no[Enrolled](nil), errors.Join(err, db.ErrStale)
	}
	full, err := s.open(ctx, tx, a.Party, a.roles, Console, StageFull, o, now)
	if err != nil {
		return no[Enrolled](nil), err
	}
	return yes(Enrolled{full, codes}), record(ctx, tx, now, party, "auth.enrol", party, o, nil)
}

// ReplaceRecovery makes new recovery codes for a session that is fresh, and ends the old
// ones. Its faults are those of Session and identity.confirm.
func (s *Service) ReplaceRecovery(ctx context.Context, tx *db.Tx, token string, o Origin, now time.Time) ([]string, error) {
	a, e, err := s.fresh(ctx, tx, token, now)
	if err != nil {
		return nil, err
	}
	codes, stored := newRecovery()
	if err := tx.ExecOne(ctx, setRecovery, stored, string(a.ID), a.recovery); err != nil {
		return nil, err
	}
	return codes, record(ctx, tx, now, string(e.Party.ID), "auth.recovery_replace", string(a.ID), o, nil)
}

// ReplaceSecond forgets the authenticator app and the recovery codes of a session that is
// fresh, ends all its party's sessions, and opens one at StageEnrol. Its faults are those of
// Session and identity.confirm.
func (s *Service) ReplaceSecond(ctx context.Context, tx *db.Tx, token string, o Origin, now time.Time) (Opened, error) {
	a, _, err := s.fresh(ctx, tx, token, now)
	if err != nil {
		return Opened{}, err
	}
	if err := forget(ctx, tx, a.ID, now); err != nil {
		return Opened{}, err
	}
	next, err := s.open(ctx, tx, a.Party, a.roles, Console, StageEnrol, o, now)
	if err != nil {
		return Opened{}, err
	}
	return next, record(ctx, tx, now, string(a.ID), "auth.second_replace", string(a.ID), o, nil)
}

// forget removes a second factor and ends the sessions that rest on it.
func forget(ctx context.Context, tx *db.Tx, party id.Party, now time.Time) error {
	if err := tx.ExecOne(ctx, setTOTP, []byte{}, "", db.Micros(now), string(party)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, endOf, string(party), []byte{})
	return err
}

// fresh locks the account of a session that has just proven who it is.
func (s *Service) fresh(ctx context.Context, tx *db.Tx, token string, now time.Time) (*account, *Session, error) {
	e, err := s.staged(ctx, tx, token, now, StageFull)
	if err == nil {
		err = e.Fresh(now)
	}
	if err != nil {
		return nil, nil, err
	}
	a, err := loadAccount(ctx, tx, lockStaff, string(e.Party.ID))
	if err == nil && a == nil {
		err = errEnded
	}
	return a, e, err
}
