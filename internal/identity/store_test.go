package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
	"pgregory.net/rapid"

	"hufu/internal/audit"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/setting"
)

// boxes seals under one key.
type boxes struct{ aead cipher.AEAD }

func newBoxes() boxes {
	block, err := aes.NewCipher(random(32))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return boxes{aead}
}

func (b boxes) SealBytes(place string, plain []byte) (id.Key, []byte, error) {
	return "key_test", b.aead.Seal(nil, nil, plain, []byte(place)), nil
}

func (b boxes) OpenBytes(place string, key id.Key, sealed []byte) ([]byte, error) {
	if key != "key_test" {
		return nil, errors.New("another key")
	}
	return b.aead.Open(nil, nil, sealed, []byte(place))
}

// rig is a service on a database, with an owner who has signed in.
type rig struct {
	*testing.T
	*Service
	d      *db.DB
	clock  *clock.Fake
	work   atomic.Int64 // hashes made
	setUp  string
	owner  Opened
	secret string
	codes  []string
}

const ownerMail, ownerPassword = "wei@shop.example", "seven green umbrellas"

var home = Origin{Address: "192.0.2.1", Agent: "Browser/1"}

func newRig(t *testing.T, d *db.DB) *rig {
	t.Helper()
	p := NewPasswords(Cost{8, 1, 1}, 2)
	s, err := New(Config{Sealer: newBoxes(), Key: random(32), Passwords: p})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, Service: s, d: d, clock: clock.NewFake(noon)}
	derive := p.derive
	p.derive = func(password, salt []byte, c Cost, n uint32) []byte {
		r.work.Add(1)
		return derive(password, salt, c, n)
	}
	r.setUp = r.token()
	return r
}

func (r *rig) now() time.Time { return r.clock.Now() }

func (r *rig) token() (token string) {
	r.Helper()
	r.do(func(tx *db.Tx) (err error) { token, err = r.SetUpToken(r.Context(), tx); return err })
	return token
}

func (r *rig) do(fn func(tx *db.Tx) error) {
	r.Helper()
	if err := r.d.Do(r.Context(), fn); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) hash(password string) PasswordHash {
	r.Helper()
	h, err := r.passwords.Hash(r.Context(), password)
	if err != nil {
		r.Fatal(err)
	}
	return h
}

// tries runs an act in a transaction of its own.
func tries[R any](r *rig, act func(ctx context.Context, tx *db.Tx) (db.Answer[R], error)) (R, error) {
	return Commit(context.Background(), r.d, func(tx *db.Tx) (db.Answer[R], error) { return act(context.Background(), tx) })
}

func (r *rig) refused(what string, err error, code string) {
	r.Helper()
	if fault.CodeOf(err) != code {
		r.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func code(r *rig, secret string) string {
	c, err := hotp.GenerateCode(secret, uint64(r.now().Unix()/totpPeriod))
	if err != nil {
		r.Fatal(err)
	}
	return c
}

// enrolled completes a sign-in at StageEnrol.
func (r *rig) enrolled(e Opened) (full Enrolled, secret string) {
	r.Helper()
	var en Enrolment
	r.do(func(tx *db.Tx) (err error) { en, err = r.StartEnrolment(r.Context(), tx, e.Token, r.now()); return err })
	full, err := tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Enrolled], error) {
		return r.FinishEnrolment(ctx, tx, e.Token, code(r, en.Secret), home, r.now())
	})
	if err != nil {
		r.Fatal(err)
	}
	return full, en.Secret
}

// withOwner creates the first owner and signs in.
func withOwner(t *testing.T, d *db.DB) *rig {
	t.Helper()
	r := newRig(t, d)
	opened, err := r.setOwner(r.setUp)
	if err != nil {
		t.Fatal(err)
	}
	full, secret := r.enrolled(opened)
	r.owner, r.secret, r.codes = full.Opened, secret, full.Recovery
	r.clock.Advance(time.Minute)
	return r
}

func (r *rig) setOwner(token string) (Opened, error) {
	h := r.hash(ownerPassword)
	return tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
		return r.Service.SetUp(ctx, tx, SetUp{Token: token, Email: ownerMail, Name: "魏", Password: h, Origin: home}, r.now())
	})
}

func (r *rig) session(face Face, token string) (e *Session, err error) {
	err = r.d.View(context.Background(), func(tx *db.Tx) (err error) {
		e, err = r.Session(context.Background(), tx, face, token, r.now())
		return err
	})
	return e, err
}

func (r *rig) signIn(email, password string, o Origin) (Opened, error) {
	return r.SignIn(context.Background(), r.d, SignIn{email, password, o}, r.now())
}

func (r *rig) second(token, typed string) (Opened, error) {
	return tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
		return r.SecondFactor(ctx, tx, token, typed, home, r.now())
	})
}

// join invites a person and follows the link.
func (r *rig) join(email string, roles ...Role) Opened {
	r.Helper()
	var in Invited
	r.do(func(tx *db.Tx) (err error) {
		in, err = r.Invite(r.Context(), tx, r.owner.Actor(home), Invite{Email: email, Roles: roles}, r.now())
		return err
	})
	opened, err := r.accept(in.Token)
	if err != nil {
		r.Fatal(err)
	}
	full, _ := r.enrolled(opened)
	return full.Opened
}

func (r *rig) accept(token string) (Opened, error) {
	h := r.hash("four blue kettles sing")
	return tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
		return r.Accept(ctx, tx, token, h, home, r.now())
	})
}

func (r *rig) trail() (all []audit.Row) {
	r.Helper()
	r.do(func(tx *db.Tx) (err error) { all, err = audit.List(r.Context(), tx, 0, 1000); return err })
	return all
}

// one counts, of fifty at once, those that succeed; the others must fail with one of the codes.
func (r *rig) one(what string, act func() error, codes ...string) {
	r.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			err := act()
			if err == nil {
				won.Add(1)
				return
			}
			for _, c := range codes {
				if fault.CodeOf(err) == c {
					return
				}
			}
			r.Errorf("%s: %v", what, err)
		})
	}
	all.Wait()
	if won.Load() != 1 {
		r.Errorf("%s: %d of 50 succeeded", what, won.Load())
	}
}

func TestStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.PrepareAll(t.Context(), db.Registered()); err != nil {
			t.Error(err)
		}
	})
}

// S42.
func TestFirstStart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		if _, err := r.signIn("admin", "admin", home); fault.CodeOf(err) != "identity.sign_in" {
			t.Errorf("a default account: %v", err)
		}
		old := r.setUp
		r.setUp = r.token() // the program was started again
		for _, bad := range []string{"", "0", "null", "\x00", old, newToken()} {
			_, err := r.setOwner(bad)
			r.refused("a wrong token", err, "identity.set_up")
		}
		r.one("set-up", func() error { _, err := r.setOwner(r.setUp); return err }, "identity.set_up")
		if got := r.token(); got != "" {
			t.Error("a set-up token was made although there are staff")
		}
		_, err := r.setOwner(r.setUp)
		r.refused("a used token", err, "identity.set_up")
		err = d.View(t.Context(), func(tx *db.Tx) error { return r.SetUpOpen(t.Context(), tx, r.setUp) })
		r.refused("the page of a used token", err, "identity.set_up")
	})
}

// S38.
func TestTwoFactors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		half, err := r.signIn(strings.ToUpper(ownerMail), ownerPassword, home)
		if err != nil || half.Stage != StageSecond || half.Device != "" {
			t.Fatalf("%+v, %v", half.Session, err)
		}
		if e, err := r.session(Console, half.Token); err != nil || e.May(OrderView) || e.Fresh(r.now()) == nil || e.Actor(home).Require(OrderView) == nil {
			t.Errorf("half a sign-in has rights: %v", err)
		}
		for _, bad := range []string{"", "0", "null", "\x00", "000", "[]"} {
			r.clock.Advance(3 * time.Minute)
			if half, err = r.signIn(ownerMail, ownerPassword, home); err != nil {
				t.Fatal(err)
			}
			_, err := r.second(half.Token, bad)
			r.refused(fmt.Sprintf("%q", bad), err, "identity.second")
		}
		typed := code(r, r.secret)
		full, err := r.second(half.Token, typed)
		if err != nil || full.Stage != StageFull || full.Device == "" || full.Token == half.Token {
			t.Fatalf("%+v, %v", full.Session, err)
		}
		_, err = r.second(half.Token, typed)
		r.refused("half a sign-in that was completed", err, "identity.session_ended")
		if half, err = r.signIn(ownerMail, ownerPassword, home); err != nil {
			t.Fatal(err)
		}
		_, err = r.second(half.Token, typed)
		r.refused("a TOTP code used before", err, "identity.second")
		if _, err = r.second(half.Token, strings.ToLower(r.codes[3])); err != nil {
			t.Errorf("a recovery code is refused: %v", err)
		}
		if half, err = r.signIn(ownerMail, ownerPassword, home); err != nil {
			t.Fatal(err)
		}
		_, err = r.second(half.Token, r.codes[3])
		r.refused("a recovery code used before", err, "identity.second")
	})
}

func TestFiftyAtOnceUseACodeOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		var halves [2]Opened
		for i := range halves {
			var err error
			if halves[i], err = r.signIn(ownerMail, ownerPassword, home); err != nil {
				t.Fatal(err)
			}
		}
		typed := code(r, r.secret)
		var turn atomic.Int64
		// Two browsers half signed in; the limit on second factors stops most.
		r.one("TOTP", func() error { _, err := r.second(halves[turn.Add(1)%2].Token, typed); return err }, "identity.second", "identity.session_ended", "too_many")
		r.clock.Advance(10 * time.Minute)
		for i := range halves {
			var err error
			if halves[i], err = r.signIn(ownerMail, ownerPassword, home); err != nil {
				t.Fatal(err)
			}
		}
		r.one("recovery code", func() error { _, err := r.second(halves[turn.Add(1)%2].Token, r.codes[0]); return err }, "identity.second", "identity.session_ended", "too_many")

		// One browser half signed in, with a right code each time.
		r.clock.Advance(10 * time.Minute)
		half, err := r.signIn(ownerMail, ownerPassword, home)
		if err != nil {
			t.Fatal(err)
		}
		r.one("half a sign-in", func() error { _, err := r.second(half.Token, r.codes[1+turn.Add(1)%9]); return err }, "identity.second", "identity.session_ended", "too_many")

		sent, err := r.send("13812345678", ForSignIn, home)
		if err != nil {
			t.Fatal(err)
		}
		// From fifty sources, whose limits don't make them take turns.
		r.one("one-time code", func() error {
			_, err := tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
				return r.SignInShopper(ctx, tx, sent.Ticket, sent.Code, i18n.ZH, Origin{Address: fmt.Sprintf("198.51.100.%d", turn.Add(1))}, r.now())
			})
			return err
		}, "identity.code")

		var in Invited
		r.do(func(tx *db.Tx) (err error) {
			in, err = r.Invite(t.Context(), tx, System, Invite{Email: "b@shop.example", Roles: Roles{Support}}, r.now())
			return err
		})
		r.one("link", func() error { _, err := r.accept(in.Token); return err }, "identity.link")
	})
}

// Whether an account exists shows neither in the answer nor in the work done.
func TestUnknownAndWrongAreAlike(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		gone := r.join("gone@shop.example", Support)
		r.do(func(tx *db.Tx) error {
			if _, err := r.Invite(t.Context(), tx, System, Invite{Email: "new@shop.example", Roles: Roles{Support}}, r.now()); err != nil {
				return err
			}
			return r.Disable(t.Context(), tx, System, gone.Party.ID, r.now())
		})
		for i, c := range []struct{ email, password string }{
			{ownerMail, "wrong"}, {ownerMail, ""}, {ownerMail, "0"}, {ownerMail, "null"}, {ownerMail, "\x00"}, {ownerMail, "\xff"}, {ownerMail, strings.Repeat("x", MaxPassword+1)},
			{"nobody@shop.example", ownerPassword}, {"new@shop.example", ""}, {"gone@shop.example", "four blue kettles sing"}, {"", ""}, {"\x00", "\x00"}, {"' or 1=1", "x"},
		} {
			before, rows := r.work.Load(), len(r.trail())
			_, err := r.signIn(c.email, c.password, Origin{Address: fmt.Sprintf("198.51.100.%d", i)})
			r.refused(fmt.Sprintf("%q with %q", c.email, c.password), err, "identity.sign_in")
			if got := r.work.Load() - before; got != 1 {
				t.Errorf("%q: %d hashes were made, want 1", c.email, got)
			}
			if got := len(r.trail()) - rows; got != 1 {
				t.Errorf("%q: %d rows of audit, want 1", c.email, got)
			}
		}
	})
}

// S40: a flood of guesses from everywhere stops strangers, not the owner's own browser.
func TestGuessesAreLimitedAndTheOwnerIsNotLockedOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		stopped := 0
		for i := range 30 {
			if _, err := r.signIn(ownerMail, "guess", Origin{Address: fmt.Sprintf("2001:db8:%x::1", i)}); fault.CodeOf(err) == "too_many" {
				stopped++
			}
		}
		if stopped != 20 {
			t.Errorf("%d of 30 guesses were stopped, want 20", stopped)
		}
		_, err := r.signIn(ownerMail, ownerPassword, Origin{Address: "203.0.113.9"})
		r.refused("a browser not seen before", err, "too_many")
		if _, err := r.signIn(ownerMail, ownerPassword, Origin{Address: "203.0.113.9", Device: r.owner.Device}); err != nil {
			t.Errorf("the owner is locked out: %v", err)
		}
		// One source against many accounts.
		stopped = 0
		for i := range 30 {
			if _, err := r.signIn(fmt.Sprintf("u%d@shop.example", i), "guess", Origin{Address: "203.0.113.77"}); fault.CodeOf(err) == "too_many" {
				stopped++
			}
		}
		if stopped != 10 {
			t.Errorf("%d of 30 guesses of one source were stopped, want 10", stopped)
		}
		floods := 0
		for _, row := range r.trail() {
			if row.Result == "too_many" {
				floods++
			}
		}
		if floods != 2 {
			t.Errorf("%d refusals for too many tries on record, want 2: one for each bucket", floods)
		}
	})
}

// S37.
func TestRolesActOnTheNextRequest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		e := r.join("b@shop.example", Finance, Auditor)
		for _, step := range []struct {
			roles          Roles
			refund, ledger bool
		}{{Roles{Finance}, true, true}, {Roles{Support}, false, false}, {Roles{Auditor}, false, true}} {
			r.do(func(tx *db.Tx) error {
				return r.SetRoles(t.Context(), tx, r.owner.Actor(home), e.Party.ID, step.roles, r.now())
			})
			s, err := r.session(Console, e.Token)
			if err != nil || s.May(OrderRefund) != step.refund || s.May(LedgerView) != step.ledger {
				t.Errorf("as %v: %v, refund %v, ledger %v", step.roles, err, s.May(OrderRefund), s.May(LedgerView))
			}
		}
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			return r.SetRoles(t.Context(), tx, e.Actor(home), e.Party.ID, Roles{Owner}, r.now())
		})
		r.refused("making oneself owner", err, "forbidden")
	})
}

// S41.
func TestSessionsAreRevoked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		in := func() Opened {
			t.Helper()
			r.clock.Advance(6 * time.Minute)
			half, err := r.signIn(ownerMail, ownerPassword, home)
			if err != nil {
				t.Fatal(err)
			}
			full, err := r.second(half.Token, code(r, r.secret))
			if err != nil {
				t.Fatal(err)
			}
			return full
		}
		ended := func(what string, e Opened) {
			t.Helper()
			_, err := r.session(Console, e.Token)
			r.refused(what, err, "identity.session_ended")
		}
		a, b := in(), in()
		if _, err := r.session(Console, a.Token); err != nil {
			t.Fatal(err)
		}
		_, err := r.session(Shop, a.Token)
		r.refused("the other face", err, "identity.session_ended")
		_, err = r.session(Console, "")
		r.refused("no token", err, "unauthenticated")
		r.do(func(tx *db.Tx) error { return r.SignOut(t.Context(), tx, Console, a.Token, home, r.now()) })
		ended("after sign-out", a)
		r.do(func(tx *db.Tx) error { return r.SignOut(t.Context(), tx, Console, a.Token, home, r.now()) })

		c := in()
		r.do(func(tx *db.Tx) error {
			list, err := r.Sessions(t.Context(), tx, b.Party.ID, r.now())
			if len(list) != 3 || list[0].ID != c.ID {
				t.Errorf("%d sessions are listed", len(list))
			}
			return errors.Join(err, r.EndSession(t.Context(), tx, &c.Session, b.ID, home, r.now()))
		})
		ended("after being ended from another", b)
		other := r.join("b@shop.example", Owner)
		err = d.Do(t.Context(), func(tx *db.Tx) error {
			return r.EndSession(t.Context(), tx, &c.Session, other.ID, home, r.now())
		})
		r.refused("ending another's session", err, "not_found")
		b = in()
		r.do(func(tx *db.Tx) error { return r.EndOthers(t.Context(), tx, &b.Session, home, r.now()) })
		ended("after ending all others", c)

		_, err = r.ChangePassword(t.Context(), d, &b.Session, b.Token, "wrong", "nine quiet harbours", home, r.now())
		r.refused("a wrong old password", err, "identity.password_wrong")
		_, err = r.ChangePassword(t.Context(), d, &b.Session, b.Token, ownerPassword, "password", home, r.now())
		r.refused("a common new password", err, "identity.password_common")
		next, err := r.ChangePassword(t.Context(), d, &b.Session, b.Token, ownerPassword, "nine quiet harbours", home, r.now())
		if err != nil {
			t.Fatal(err)
		}
		ended("after the password changed", b)
		if _, err := r.session(Console, next.Token); err != nil {
			t.Error(err)
		}
		_, err = r.signIn(ownerMail, ownerPassword, home)
		r.refused("the old password", err, "identity.sign_in")

		r.do(func(tx *db.Tx) error { return r.Disable(t.Context(), tx, System, other.Party.ID, r.now()) })
		ended("after being disabled", other)

		r.clock.Advance(25 * time.Minute)
		r.do(func(tx *db.Tx) error {
			e, err := r.Session(t.Context(), tx, Console, next.Token, r.now())
			if err != nil {
				return err
			}
			if !e.Stale(r.now()) {
				t.Error("the time of last use isn't stale after 25 minutes")
			}
			return r.Touch(t.Context(), tx, e, r.now())
		})
		r.clock.Advance(25 * time.Minute)
		if _, err := r.session(Console, next.Token); err != nil {
			t.Errorf("a session in use ended: %v", err)
		}
		r.clock.Advance(10 * time.Minute)
		ended("after half an hour without use", next)
	})
}

func TestConfirmingRenewsTheProof(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		fresh := func() error {
			e, err := r.session(Console, r.owner.Token)
			if err != nil {
				t.Fatal(err)
			}
			return e.Fresh(r.now())
		}
		r.clock.Advance(11 * time.Minute)
		r.refused("after eleven minutes", fresh(), "identity.confirm")
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, err := r.ReplaceRecovery(t.Context(), tx, r.owner.Token, home, r.now())
			return err
		})
		r.refused("new recovery codes", err, "identity.confirm")
		_, err = r.ConfirmPassword(t.Context(), d, r.owner.Token, "wrong", home, r.now())
		r.refused("a wrong password", err, "identity.password_wrong")
		if _, err = r.ConfirmPassword(t.Context(), d, r.owner.Token, ownerPassword, home, r.now()); err != nil || fresh() != nil {
			t.Errorf("confirmed by password: %v, %v", err, fresh())
		}
		r.clock.Advance(11 * time.Minute)
		_, err = tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[*Session], error) {
			return r.ConfirmCode(ctx, tx, r.owner.Token, code(r, r.secret), home, r.now())
		})
		if err != nil || fresh() != nil {
			t.Errorf("confirmed by code: %v, %v", err, fresh())
		}
		r.do(func(tx *db.Tx) error {
			codes, err := r.ReplaceRecovery(t.Context(), tx, r.owner.Token, home, r.now())
			if len(codes) != recoveryCount || codes[0] == r.codes[0] {
				t.Errorf("got %d recovery codes", len(codes))
			}
			return err
		})
		var again Opened
		r.do(func(tx *db.Tx) (err error) {
			again, err = r.ReplaceSecond(t.Context(), tx, r.owner.Token, home, r.now())
			return err
		})
		_, err = r.session(Console, r.owner.Token)
		r.refused("the session before the second factor was replaced", err, "identity.session_ended")
		r.clock.Advance(6 * time.Minute)
		if full, secret := r.enrolled(again); full.Stage != StageFull || secret == r.secret {
			t.Error("enrolled anew with the same secret")
		}
	})
}

func TestInvitationAndReset(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		e := r.join("b@shop.example", Support)
		invite := func(by Actor, c Invite) error {
			return d.Do(t.Context(), func(tx *db.Tx) error { _, err := r.Invite(t.Context(), tx, by, c, r.now()); return err })
		}
		r.refused("a support person inviting", invite(e.Actor(home), Invite{Email: "c@shop.example", Roles: Roles{Owner}}), "forbidden")
		r.refused("somebody twice", invite(System, Invite{Email: "B@shop.example", Roles: Roles{Owner}}), "identity.email_taken")
		r.refused("no role", invite(System, Invite{Email: "c@shop.example"}), "identity.role_none")
		r.refused("no address", invite(System, Invite{Email: "c", Roles: Roles{Owner}}), "identity.email")

		reset := func() (in Invited) {
			r.do(func(tx *db.Tx) (err error) {
				in, err = r.Reset(t.Context(), tx, r.owner.Actor(home), e.Party.ID, r.now())
				return err
			})
			return in
		}
		first, second := reset(), reset()
		_, err := r.accept(first.Token)
		r.refused("a link after a newer one", err, "identity.link")
		r.clock.Advance(LinkLife)
		_, err = r.accept(second.Token)
		r.refused("a link that has expired", err, "identity.link")
		e2, err := r.accept(reset().Token)
		if err != nil || e2.Stage != StageEnrol {
			t.Fatalf("%+v, %v", e2.Session, err)
		}
		_, err = r.session(Console, e.Token)
		r.refused("the session before the reset", err, "identity.session_ended")
		r.do(func(tx *db.Tx) error {
			m, err := r.Members(t.Context(), tx)
			if len(m) != 2 || m[0].Invited || !m[0].Enrolled || m[1].Invited || m[1].Enrolled || m[1].Roles.String() != "support" {
				t.Errorf("members: %+v", m)
			}
			return err
		})
		last := reset()
		r.do(func(tx *db.Tx) error { return r.Disable(t.Context(), tx, System, e.Party.ID, r.now()) })
		_, err = r.accept(last.Token)
		r.refused("the link of who was disabled", err, "identity.link")
	})
}

// Two owners who remove each other at the same moment leave one.
func TestTheShopKeepsAnOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		b := r.join("b@shop.example", Owner)
		for range 8 {
			var all sync.WaitGroup
			var won atomic.Int64
			for _, victim := range []id.Party{r.owner.Party.ID, b.Party.ID} {
				all.Go(func() {
					err := d.Do(context.Background(), func(tx *db.Tx) error { return r.Disable(context.Background(), tx, System, victim, r.now()) })
					if err == nil {
						won.Add(1)
					} else if fault.CodeOf(err) != "identity.last_owner" {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d of two owners were disabled", won.Load())
			}
			r.do(func(tx *db.Tx) error {
				return errors.Join(r.Enable(t.Context(), tx, System, r.owner.Party.ID, r.now()), r.Enable(t.Context(), tx, System, b.Party.ID, r.now()))
			})
		}
	})
	// Whatever is done to the staff, in whatever order.
	r := withOwner(t, dbtest.Open(t, "sqlite"))
	staff := []id.Party{r.owner.Party.ID, r.join("b@shop.example", Support).Party.ID, r.join("c@shop.example", Owner).Party.ID}
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(t, "acts") {
			who := rapid.SampledFrom(staff).Draw(t, "who")
			act := rapid.SampledFrom([]string{"disable", "enable", "owner", "finance"}).Draw(t, "act")
			err := r.d.Do(context.Background(), func(tx *db.Tx) error {
				switch act {
				case "disable":
					return r.Disable(context.Background(), tx, System, who, noon)
				case "enable":
					return r.Enable(context.Background(), tx, System, who, noon)
				default:
					return r.SetRoles(context.Background(), tx, System, who, Roles{Role(act)}, noon)
				}
			})
			if err != nil && fault.CodeOf(err) != "identity.last_owner" {
				t.Fatal(err)
			}
		}
		owners := 0
		if err := r.d.View(context.Background(), func(tx *db.Tx) error {
			m, err := r.Members(context.Background(), tx)
			for _, m := range m {
				if m.Active && m.Roles.May(StaffManage) && !m.Invited {
					owners++
				}
			}
			return err
		}); err != nil || owners == 0 {
			t.Fatalf("%d owners left, %v", owners, err)
		}
	})
}

func (r *rig) send(to string, purpose Purpose, o Origin) (Sent, error) {
	return tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Sent], error) {
		return r.SendCode(ctx, tx, SendCode{to, purpose, o}, r.now())
	})
}

func (r *rig) shopper(ticket, typed string) (Opened, error) {
	return tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Opened], error) {
		return r.SignInShopper(ctx, tx, ticket, typed, i18n.EN, Origin{Address: "192.0.2.8"}, r.now())
	})
}

func TestShoppersSignInWithACode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		var party id.Party
		for range 2 {
			sent, err := r.send("138 1234 5678", ForSignIn, home)
			if err != nil || sent.To != "+8613812345678" {
				t.Fatalf("%+v, %v", sent, err)
			}
			e, err := r.shopper(sent.Ticket, sent.Code)
			if err != nil || e.Face != Shop || e.Stage != StageFull || e.Party.Lang != i18n.EN || e.May(OrderView) {
				t.Fatalf("%+v, %v", e.Session, err)
			}
			if party != "" && e.Party.ID != party {
				t.Error("the same phone is another party the second time")
			}
			party = e.Party.ID
			if s, err := r.session(Shop, e.Token); err != nil || s.Party.Label() != "138****5678" {
				t.Errorf("%+v, %v", s, err)
			}
			_, err = r.shopper(sent.Ticket, sent.Code)
			r.refused("a used code", err, "identity.code")
			r.clock.Advance(2 * time.Minute)
		}
		sent, err := r.send("13812345678", ForSignIn, home)
		if err != nil {
			t.Fatal(err)
		}
		r.do(func(tx *db.Tx) error { return r.Disable(t.Context(), tx, System, party, r.now()) })
		_, err = r.shopper(sent.Ticket, sent.Code)
		r.refused("a disabled shopper", err, "identity.code")
		mail, err := r.send("Li@example.com", ForSignIn, home)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := r.shopper(mail.Ticket, mail.Code); err != nil || e.Party.Email != "li@example.com" {
			t.Errorf("%+v, %v", e.Session, err)
		}
	})
}

// S33, and five tries.
func TestWhatIsNoCodeGetsTheSameRefusal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		var err error
		var sent Sent
		for i, bad := range []string{"", "0", "null", "\x00", "[]", "false", "%00", "' or 1=1 --", "1234567", strings.Repeat("9", 5000)} {
			if sent, err = r.send(fmt.Sprintf("1381234%04d", i), ForSignIn, Origin{Address: fmt.Sprintf("192.0.2.%d", i)}); err != nil {
				t.Fatal(err)
			}
			_, err := r.shopper(sent.Ticket, bad)
			r.refused(fmt.Sprintf("code %q", bad), err, "identity.code")
			_, err = r.shopper(bad, sent.Code)
			r.refused(fmt.Sprintf("ticket %q", bad), err, "identity.code")
			_, err = r.shopper(newToken(), sent.Code)
			r.refused("another ticket", err, "identity.code")
		}
		r.clock.Advance(time.Hour)
		if sent, err = r.send("13800000000", ForLookUp, home); err != nil {
			t.Fatal(err)
		}
		_, err = r.shopper(sent.Ticket, sent.Code)
		r.refused("a code of another purpose", err, "identity.code")
		if c, err := tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Contact], error) {
			return r.Redeem(ctx, tx, Redeem{sent.Ticket, sent.Code, ForLookUp, home}, r.now())
		}); err != nil || c != "+8613800000000" {
			t.Errorf("got %q, %v", c, err)
		}
		if sent, err = r.send("13800000001", ForSignIn, home); err != nil {
			t.Fatal(err)
		}
		wrong := "000000"
		if sent.Code == wrong {
			wrong = "000001"
		}
		for range codeTries {
			_, err = r.shopper(sent.Ticket, wrong)
			r.refused("a wrong code", err, "identity.code")
		}
		_, err = r.shopper(sent.Ticket, sent.Code)
		r.refused("the right code after five wrong ones", err, "identity.code")
		if sent, err = r.send("13800000002", ForSignIn, home); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(CodeLife)
		_, err = r.shopper(sent.Ticket, sent.Code)
		r.refused("a code after five minutes", err, "identity.code")
	})
}

// S40: the spending on messages is capped by phone, by source and by day.
func TestMessagesAreCapped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		count := func(n int, pause time.Duration, to func(i int) string, from func(i int) string) (sent int) {
			for i := range n {
				_, err := r.send(to(i), ForSignIn, Origin{Address: from(i)})
				if err == nil {
					sent++
				} else if fault.CodeOf(err) != "too_many" {
					t.Fatal(err)
				}
				r.clock.Advance(pause)
			}
			r.clock.Advance(48 * time.Hour)
			return sent
		}
		one := func(int) string { return "13812345678" }
		many := func(i int) string { return fmt.Sprintf("1391234%04d", i) }
		here := func(int) string { return "192.0.2.1" }
		anywhere := func(i int) string { return fmt.Sprintf("198.51.100.%d", i) }
		if got := count(20, 0, one, anywhere); got != 1 {
			t.Errorf("one phone in a minute got %d", got)
		}
		if got := count(12, 3*time.Minute, one, anywhere); got != 5 {
			t.Errorf("one phone in an hour got %d", got)
		}
		if got := count(23, time.Hour, one, anywhere); got != 10 {
			t.Errorf("one phone in a day got %d", got)
		}
		if got := count(20, time.Second, many, here); got != 10 {
			t.Errorf("one source in ten minutes sent %d", got)
		}
		r.do(func(tx *db.Tx) error {
			return SMSPerDay.Set(t.Context(), tx, setting.By{Actor: "system"}, 7, r.now())
		})
		if got := count(20, time.Minute, many, anywhere); got != 7 {
			t.Errorf("the shop sent %d in a day, its cap is 7", got)
		}
		mail := func(i int) string { return fmt.Sprintf("u%d@example.com", i) }
		if got := count(20, time.Minute, mail, anywhere); got != 20 {
			t.Errorf("the cap on messages to phones holds back mail: %d", got)
		}
	})
}

// S60, S62: what was done is on record, and no secret with it.
func TestTheTrail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := withOwner(t, d)
		sent, err := r.send("13812345678", ForSignIn, home)
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.shopper(sent.Ticket, sent.Code)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = r.signIn(ownerMail, "typed in the wrong place", home)
		_, _ = r.signIn("my secret @ nowhere", "x", home)
		support := r.join("s@shop.example", Support)
		r.do(func(tx *db.Tx) error {
			p, err := r.Unmask(t.Context(), tx, support.Actor(home), e.Party.ID, "called about an order", r.now())
			if p.Phone != "+8613812345678" {
				t.Errorf("unmasked: %+v", p)
			}
			return errors.Join(err, r.Denied(t.Context(), tx, support.Actor(home), LedgerView, "/console/ledger", r.now()))
		})
		for reason, by := range map[string]Actor{"": support.Actor(home), "curious": e.Actor(home)} {
			if err := d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := r.Unmask(t.Context(), tx, by, e.Party.ID, reason, r.now())
				return err
			}); err == nil {
				t.Errorf("unmasked for %q", reason)
			}
		}
		seen := map[string]int{}
		for _, row := range r.trail() {
			seen[row.Action+" "+row.Result]++
			text := fmt.Sprint(row)
			for _, secret := range []string{ownerPassword, "typed in", "my secret", "13812345678", ownerMail, sent.Code + " ", sent.Ticket, e.Token, r.owner.Token, r.setUp, r.secret, r.codes[0]} {
				if strings.Contains(text, secret) {
					t.Errorf("the trail holds %q: %s", secret, text)
				}
			}
			if row.Actor == "" || row.At.IsZero() || row.Action == "" {
				t.Errorf("a row lacks who, when or what: %s", text)
			}
		}
		for _, want := range []string{"auth.set_up ok", "auth.enrol ok", "auth.sign_in ok", "auth.sign_in identity.sign_in", "staff.invite ok", "staff.accept ok", "customer.unmask ok", "auth.denied forbidden"} {
			if seen[want] == 0 {
				t.Errorf("no row of %q in %v", want, seen)
			}
		}
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			bad, err := audit.Verify(t.Context(), tx, nil)
			if bad != 0 {
				t.Errorf("the trail breaks at %d", bad)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheSecretForTheApp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		e, err := r.setOwner(r.setUp)
		if err != nil {
			t.Fatal(err)
		}
		var first, again Enrolment
		r.do(func(tx *db.Tx) (err error) {
			first, err = r.StartEnrolment(t.Context(), tx, e.Token, r.now())
			return err
		})
		r.do(func(tx *db.Tx) (err error) {
			again, err = r.StartEnrolment(t.Context(), tx, e.Token, r.now())
			return err
		})
		raw, err := base32.StdEncoding.DecodeString(first.Secret)
		if err != nil || len(raw) != totpSecret || first.Secret != again.Secret || !strings.HasPrefix(string(first.QR), "\x89PNG") || !strings.Contains(first.URL, "secret="+first.Secret) {
			t.Errorf("%+v, %v", first.URL, err)
		}
		r.do(func(tx *db.Tx) error {
			a, err := loadAccount(t.Context(), tx, staffByID, string(e.Party.ID))
			if strings.Contains(string(a.totp), string(raw)) || strings.Contains(a.password, ownerPassword) {
				t.Error("a secret is stored as it is")
			}
			return err
		})
		_, err = tries(r, func(ctx context.Context, tx *db.Tx) (db.Answer[Enrolled], error) {
			return r.FinishEnrolment(ctx, tx, e.Token, "000", home, r.now())
		})
		r.refused("a wrong first code", err, "identity.second")
		r.clock.Advance(stageLife)
		_, err = r.session(Console, e.Token)
		r.refused("a sign-in left half done", err, "identity.session_ended")
		r.do(func(tx *db.Tx) error { return r.Prune(t.Context(), tx, r.now().Add(time.Hour), 100) })
	})
}
