package identity

import (
	"context"
	"errors"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
)

// SignIn is the first step of a sign-in to the console.
type SignIn struct {
	Email, Password string
	Origin          Origin
}

var (
	errRefused = fault.New(fault.Unauthenticated, "identity.sign_in")
	errSecond  = fault.New(fault.Unauthenticated, "identity.second")
)

// SignIn checks a password. What it opens is at StageSecond, or at StageEnrol while no second
// factor is set up. Its faults are identity.sign_in, the same for an unknown account, a
// disabled one and a wrong password, after the same work; and too_many.
//
// It makes two transactions of its own, with the hashing between them.
func (s *Service) SignIn(ctx context.Context, d *db.DB, c SignIn, now time.Time) (Opened, error) {
	email, malformed := ParseEmail(c.Email)
	if malformed != nil {
		email = "" // nobody's, and otherwise treated like any other
	}
	stored, err := Commit(ctx, d, func(tx *db.Tx) (db.Answer[string], error) {
		refusal, err := s.limited(ctx, tx, now, s.passwordLimits(email, c.Origin), anonymous, "auth.sign_in", subjectOf(email), c.Origin)
		if refusal != nil || err != nil {
			return no[string](refusal), err
		}
		a, err := loadAccount(ctx, tx, staffByEmail, email)
		if a == nil {
			return yes(""), err
		}
		return yes(a.password), nil
	})
	if err != nil {
		return Opened{}, err
	}
	right, err := s.passwords.matches(ctx, stored, c.Password)
	if err != nil {
		return Opened{}, err
	}
	return Commit(ctx, d, func(tx *db.Tx) (db.Answer[Opened], error) {
		a, err := loadAccount(ctx, tx, staffByEmail, email)
		if err != nil {
			return no[Opened](nil), err
		}
		// The password may have been changed while it was checked.
		if !right || a == nil || !a.Active || a.password != stored {
			return no[Opened](errRefused), record(ctx, tx, now, anonymous, "auth.sign_in", subjectOf(email), c.Origin, errRefused)
		}
		stage := StageSecond
		if a.step == 0 {
			stage = StageEnrol
		}
		e, err := s.open(ctx, tx, a.Party, a.roles, Console, stage, c.Origin, now)
		if err != nil {
			return no[Opened](nil), err
		}
		return yes(e), record(ctx, tx, now, string(a.ID), "auth.password", string(a.ID), c.Origin, nil)
	})
}

// subjectOf shows an address in the trail without giving it away: people type passwords
// there.
func subjectOf(email string) string {
	if email == "" {
		return "malformed"
	}
	return MaskEmail(email)
}

// SecondFactor completes a sign-in at StageSecond with a TOTP code or a recovery code. The
// answer's faults are identity.second, identity.session_ended, unauthenticated and too_many.
func (s *Service) SecondFactor(ctx context.Context, tx *db.Tx, token, typed string, o Origin, now time.Time) (db.Answer[Opened], error) {
	e, err := s.staged(ctx, tx, token, now, StageSecond)
	if err != nil {
		return refusedOr[Opened](err)
	}
	a, refusal, err := s.proveSecond(ctx, tx, e, typed, "auth.sign_in", o, now)
	if err != nil || refusal != nil {
		return no[Opened](refusal), err
	}
	if there, err := end(ctx, tx, e); err != nil || !there {
		return no[Opened](errEnded), err
	}
	full, err := s.open(ctx, tx, a.Party, a.roles, Console, StageFull, o, now)
	if err != nil {
		return no[Opened](nil), err
	}
	return yes(full), record(ctx, tx, now, string(a.ID), "auth.sign_in", string(a.ID), o, nil, "recovery_left", strconv.Itoa(recoveryLeft(a.recovery)))
}

// refusedOr turns a fault about the session into an answer; another error stays one.
func refusedOr[R any](err error) (db.Answer[R], error) {
	if errors.Is(err, errEnded) || errors.Is(err, errSignIn) {
		return no[R](err), nil
	}
	return no[R](nil), err
}

// proveSecond checks a second factor, uses it up, and gives the account as it then is.
func (s *Service) proveSecond(ctx context.Context, tx *db.Tx, e *Session, typed, action string, o Origin, now time.Time) (a *account, refusal, err error) {
	party := string(e.Party.ID)
	if refusal, err = s.limited(ctx, tx, now, s.secondLimits(party), party, action, party, o); refusal != nil || err != nil {
		return nil, refusal, err
	}
	if a, err = loadAccount(ctx, tx, lockStaff, party); err != nil {
		return nil, nil, err
	}
	if a == nil || !a.Active || a.step == 0 {
		return nil, errEnded, nil
	}
	proven := false
	if digits(typed) != "" {
		secret, err := s.sealer.OpenBytes(s.totpPlace(a.ID), a.totpKey, a.totp)
		if err != nil {
			return nil, nil, err
		}
		if step := totpStep(secret, typed, a.step, now); step > 0 {
			if err := tx.ExecOne(ctx, useStep, step, party); err != nil {
				return nil, nil, err
			}
			a.step, proven = step, true
		}
	} else if rest, ok := useRecovery(a.recovery, typed); ok {
		if err := tx.ExecOne(ctx, setRecovery, rest, party, a.recovery); err != nil {
			return nil, nil, err
		}
		a.recovery, proven = rest, true
	}
	if !proven {
		return nil, errSecond, record(ctx, tx, now, party, action, party, o, errSecond)
	}
	return a, nil, nil
}

// ConfirmCode renews a full session's proof of identity with a second factor, for sensitive
// acts. The answer's faults are those of SecondFactor.
func (s *Service) ConfirmCode(ctx context.Context, tx *db.Tx, token, typed string, o Origin, now time.Time) (db.Answer[*Session], error) {
	e, err := s.staged(ctx, tx, token, now, StageFull)
	if err != nil {
		return refusedOr[*Session](err)
	}
	_, refusal, err := s.proveSecond(ctx, tx, e, typed, "auth.confirm", o, now)
	if err != nil || refusal != nil {
		return no[*Session](refusal), err
	}
	return s.confirmed(ctx, tx, e, o, now)
}

func (s *Service) confirmed(ctx context.Context, tx *db.Tx, e *Session, o Origin, now time.Time) (db.Answer[*Session], error) {
	if err := tx.ExecOne(ctx, confirm, db.Micros(now), e.hash); err != nil {
		return no[*Session](nil), err
	}
	e.ConfirmedAt, e.SeenAt = now, now
	return yes(e), record(ctx, tx, now, string(e.Party.ID), "auth.confirm", string(e.Party.ID), o, nil)
}

// prove checks the password of a full session's party, between two transactions: the first
// counts the try, then runs with the account as it is.
func prove[R any](ctx context.Context, s *Service, d *db.DB, token, password, action string, o Origin, now time.Time, then func(tx *db.Tx, e *Session, a *account) (db.Answer[R], error)) (R, error) {
	var none R
	stored, err := Commit(ctx, d, func(tx *db.Tx) (db.Answer[string], error) {
		e, err := s.staged(ctx, tx, token, now, StageFull)
		if err != nil {
			return refusedOr[string](err)
		}
		party := string(e.Party.ID)
		refusal, err := s.limited(ctx, tx, now, s.confirmLimits(party), party, action, party, o)
		if refusal != nil || err != nil {
			return no[string](refusal), err
		}
		a, err := loadAccount(ctx, tx, staffByID, party)
		if err != nil || a == nil {
			return no[string](errEnded), err
		}
		return yes(a.password), nil
	})
	if err != nil {
		return none, err
	}
	right, err := s.passwords.matches(ctx, stored, password)
	if err != nil {
		return none, err
	}
	return Commit(ctx, d, func(tx *db.Tx) (db.Answer[R], error) {
		e, err := s.staged(ctx, tx, token, now, StageFull)
		if err != nil {
			return refusedOr[R](err)
		}
		party := string(e.Party.ID)
		a, err := loadAccount(ctx, tx, lockStaff, party)
		if err != nil {
			return no[R](nil), err
		}
		if !right || a == nil || a.password != stored {
			wrong := fault.New(fault.Invalid, "identity.password_wrong")
			return no[R](wrong), record(ctx, tx, now, party, action, party, o, wrong)
		}
		return then(tx, e, a)
	})
}

// ConfirmPassword renews a full session's proof of identity with the password. Its faults
// are identity.password_wrong, those of Session, and too_many.
func (s *Service) ConfirmPassword(ctx context.Context, d *db.DB, token, password string, o Origin, now time.Time) (*Session, error) {
	return prove(ctx, s, d, token, password, "auth.confirm", o, now, func(tx *db.Tx, e *Session, _ *account) (db.Answer[*Session], error) {
		return s.confirmed(ctx, tx, e, o, now)
	})
}

// ChangePassword replaces the password of a full session's party, ends all its sessions and
// opens a new one. Its faults are those of ConfirmPassword and Judge.
func (s *Service) ChangePassword(ctx context.Context, d *db.DB, by *Session, token, old, new string, o Origin, now time.Time) (Opened, error) {
	hash, err := s.passwords.Hash(ctx, new, by.Party.Email, by.Party.Name)
	if err != nil {
		return Opened{}, err
	}
	return prove(ctx, s, d, token, old, "auth.password_change", o, now, func(tx *db.Tx, e *Session, a *account) (db.Answer[Opened], error) {
		if err := tx.ExecOne(ctx, setPassword, hash.phc, db.Micros(now), string(a.ID)); err != nil {
			return no[Opened](nil), err
		}
		if _, err := tx.Exec(ctx, endOf, string(a.ID), []byte{}); err != nil {
			return no[Opened](nil), err
		}
		next, err := s.open(ctx, tx, a.Party, a.roles, Console, StageFull, o, now)
		if err != nil {
			return no[Opened](nil), err
		}
		return yes(next), record(ctx, tx, now, string(a.ID), "auth.password_change", string(a.ID), o, nil)
	})
}
