package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/limit"
)

// Sealer encrypts small secrets for one place: text sealed for one doesn't open in another.
// It gives the name of the key that it used, to be kept beside.
type Sealer interface {
	SealBytes(place string, plain []byte) (key id.Key, sealed []byte, err error)
	OpenBytes(place string, key id.Key, sealed []byte) ([]byte, error)
}

// Config is what the service works with.
type Config struct {
	Sealer Sealer
	// Key is a secret of at least 16 bytes that isn't in the database, the same in every
	// process of the shop. When it changes, codes under way and device tokens end.
	Key       []byte
	Passwords *Passwords
	// Issuer is the name that authenticator apps show.
	Issuer string
}

// Service is the island's door.
type Service struct {
	sealer    Sealer
	key       []byte
	passwords *Passwords
	issuer    string

	mu     sync.Mutex
	visits visits
}

// New makes the service.
func New(c Config) (*Service, error) {
	if c.Sealer == nil || c.Passwords == nil || len(c.Key) < 16 {
		return nil, errors.New("identity: a sealer, a hasher and a key of 16 bytes are needed")
	}
	if c.Issuer = line(c.Issuer, 40); c.Issuer == "" {
		c.Issuer = "Hufu"
	}
	return &Service{sealer: c.Sealer, key: c.Key, passwords: c.Passwords, issuer: c.Issuer}, nil
}

// Passwords is the service's hasher.
func (s *Service) Passwords() *Passwords { return s.passwords }

// Commit runs an act in a transaction of its own and gives its answer. A refusal in the
// answer is committed with its traces; an error rolls back.
func Commit[R any](ctx context.Context, d *db.DB, act func(tx *db.Tx) (db.Answer[R], error)) (R, error) {
	var a db.Answer[R]
	err := d.Do(ctx, func(tx *db.Tx) (err error) {
		a, err = act(tx)
		return err
	})
	if err != nil {
		var none R
		return none, err
	}
	return a.Result, a.Err
}

func yes[R any](r R) db.Answer[R]                  { return db.Answer[R]{Result: r} }
func no[R any](refusal error) (a db.Answer[R])     { a.Err = refusal; return a }
func (s *Service) totpPlace(party id.Party) string { return "identity.totp/" + string(party) }

// anonymous is who acts before anybody has proven who they are.
const anonymous = "anonymous"

func record(ctx context.Context, tx *db.Tx, now time.Time, actor, action, subject string, o Origin, refusal error, data ...string) error {
	r := audit.Row{At: now, Actor: actor, Action: action, Subject: subject, Origin: line(o.Address, 64), Result: fault.CodeOf(refusal)}
	if len(data) > 0 {
		r.Data = make(map[string]string, len(data)/2)
		for i := 0; i+1 < len(data); i += 2 {
			r.Data[data[i]] = data[i+1]
		}
	}
	return audit.Write(ctx, tx, r)
}

// limited counts an act and gives the refusal when there is no room. The first refusal goes
// on record; those after it don't, or a flood would fill the trail.
func (s *Service) limited(ctx context.Context, tx *db.Tx, now time.Time, limits []limit.Limit, actor, action, subject string, o Origin) (refusal, err error) {
	v, err := limit.Allow(ctx, tx, now, limits...)
	if err != nil || v.OK {
		return nil, err
	}
	refusal = v.Fault()
	if v.First {
		which, _, _ := strings.Cut(v.Bucket, ":")
		err = record(ctx, tx, now, actor, action, subject, o, refusal, "limit", which)
	}
	return refusal, err
}

// Denied puts on record that somebody was refused for want of a right (S60).
func (s *Service) Denied(ctx context.Context, tx *db.Tx, by Actor, right Right, subject string, now time.Time) error {
	return record(ctx, tx, now, by.ID, "auth.denied", line(subject, 200), Origin{Address: by.Origin}, fault.New(fault.Forbidden, "forbidden"), "right", string(right))
}

// Session finds the session of a token on a face. Its faults are unauthenticated without a
// token and identity.session_ended for one that doesn't count, whatever the reason.
func (s *Service) Session(ctx context.Context, tx *db.Tx, face Face, token string, now time.Time) (*Session, error) {
	if token == "" {
		return nil, errSignIn
	}
	hash, ok := hashToken(token)
	if !ok {
		return nil, errEnded
	}
	found, err := loadSessions(ctx, tx, sessionBy, hash)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].Face != face || !found[0].live(now) {
		return nil, errEnded
	}
	s.saw(&found[0], now)
	return &found[0], nil
}

// staged finds the session of a token if it is at one of the stages.
func (s *Service) staged(ctx context.Context, tx *db.Tx, token string, now time.Time, stages ...Stage) (*Session, error) {
	e, err := s.Session(ctx, tx, Console, token, now)
	if err != nil {
		return nil, err
	}
	for _, st := range stages {
		if e.Stage == st {
			return e, nil
		}
	}
	return nil, errEnded
}

// Touch writes that the session is in use. It is called when Session.Stale.
func (s *Service) Touch(ctx context.Context, tx *db.Tx, e *Session, now time.Time) error {
	_, err := tx.Exec(ctx, touch, db.Micros(now), e.hash)
	return err
}

// open starts a session for a party.
func (s *Service) open(ctx context.Context, tx *db.Tx, p Party, roles Roles, face Face, stage Stage, o Origin, now time.Time) (Opened, error) {
	token := newToken()
	hash, _ := hashToken(token)
	e := Session{ID: id.New[id.Session](), Party: p, Roles: roles, Face: face, Stage: stage, CreatedAt: now, SeenAt: now,
		ExpiresAt: now.Add(stageLife), Origin: line(o.Address, 64), Agent: line(o.Agent, 200), hash: hash}
	if stage == StageFull {
		e.ConfirmedAt, e.ExpiresAt = now, now.Add(lives[face].whole)
	}
	if err := writeSession(ctx, tx, &e); err != nil {
		return Opened{}, err
	}
	out := Opened{Session: e, Token: token}
	if stage == StageFull {
		contact := p.Email
		if p.Kind == Shopper && p.Phone != "" {
			contact = p.Phone
		}
		out.Device = s.deviceToken(contact)
	}
	return out, nil
}

// end ends a session and reports whether it was still there: of many requests that advance
// one sign-in, only the one that ends it goes on.
func end(ctx context.Context, tx *db.Tx, e *Session) (bool, error) {
	n, err := tx.Exec(ctx, endSession, e.hash)
	return n == 1, err
}

// SignOut ends the session of a token. One that has ended already is no fault.
func (s *Service) SignOut(ctx context.Context, tx *db.Tx, face Face, token string, o Origin, now time.Time) error {
	e, err := s.Session(ctx, tx, face, token, now)
	if errors.Is(err, errEnded) || errors.Is(err, errSignIn) {
		return nil
	}
	if err != nil {
		return err
	}
	if ended, err := end(ctx, tx, e); err != nil || !ended {
		return err
	}
	return record(ctx, tx, now, string(e.Party.ID), "auth.sign_out", string(e.Party.ID), o, nil)
}

// Sessions lists a party's live sessions, the newest first.
func (s *Service) Sessions(ctx context.Context, tx *db.Tx, party id.Party, now time.Time) ([]Session, error) {
	all, err := loadSessions(ctx, tx, sessionsOf, string(party))
	var live []Session
	for _, e := range all {
		if e.live(now) {
			live = append(live, e)
		}
	}
	return live, err
}

// EndSession ends one of the session's party's own sessions. Its fault is not_found.
func (s *Service) EndSession(ctx context.Context, tx *db.Tx, by *Session, which id.Session, o Origin, now time.Time) error {
	n, err := tx.Exec(ctx, endByID, string(which), string(by.Party.ID))
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	return record(ctx, tx, now, string(by.Party.ID), "auth.session_end", string(by.Party.ID), o, nil, "session", string(which))
}

// EndOthers ends all sessions of the session's party but itself.
func (s *Service) EndOthers(ctx context.Context, tx *db.Tx, by *Session, o Origin, now time.Time) error {
	n, err := tx.Exec(ctx, endOf, string(by.Party.ID), by.hash)
	if err != nil || n == 0 {
		return err
	}
	return record(ctx, tx, now, string(by.Party.ID), "auth.session_end", string(by.Party.ID), o, nil, "sessions", fmt.Sprint(n))
}

// Party loads one party, or fails with not_found.
func (s *Service) Party(ctx context.Context, tx *db.Tx, party id.Party) (Party, error) {
	found, err := loadParties(ctx, tx, partyByID, db.Texts([]id.Party{party}))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Party{}, err
	}
	return found[0], nil
}

// Parties loads parties, to name the actors of a page of rows. Unknown ones are left out.
func (s *Service) Parties(ctx context.Context, tx *db.Tx, ids []id.Party) (map[id.Party]Party, error) {
	found, err := loadParties(ctx, tx, partyByID, db.Texts(ids))
	out := make(map[id.Party]Party, len(found))
	for _, p := range found {
		out[p.ID] = p
	}
	return out, err
}

// Prune removes up to n each of sessions and codes whose time is over. Sessions that ended by
// idleness go when their whole time is over.
func (s *Service) Prune(ctx context.Context, tx *db.Tx, now time.Time, n int) error {
	if _, err := tx.Exec(ctx, pruneSessions, db.Micros(now), n); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, pruneCodes, db.Micros(now.Add(-day)), n)
	return err
}
