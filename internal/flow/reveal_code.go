package flow

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/limit"
	"hufu/internal/setting"
	"hufu/internal/vault"
)

// RevealCode is the command of a member of staff, who has the right to it, to see a code.
type RevealCode struct {
	Code   id.Code
	Reason string
	By     string
	Origin string
}

// RevealsPerHour is how many codes one member of the staff may see in an hour (S10). Who is
// stopped by it can't raise it alone.
var RevealsPerHour = setting.Limit("console.reveals_per_hour", 20, 0, 1000)

func revealLimit(by string, max int64) limit.Limit {
	return limit.Limit{Bucket: "reveal:" + by, Max: max, Window: time.Hour}
}

// RevealCode opens a code for a member of staff. The audit row, with the reason, is
// committed before anybody sees the code. Past RevealsPerHour it fails with vault.reveals,
// until the hour is over or another person has allowed more; see AllowReveals.
func (f *Flows) RevealCode(ctx context.Context, c RevealCode) (vault.Shown, vault.Record, error) {
	if err := checkReason(c.Reason); err != nil {
		return vault.Shown{}, vault.Record{}, err
	}
	now := f.Clock.Now()
	row := audit.Row{At: now, Actor: c.By, Action: "code.reveal", Subject: string(c.Code), Origin: c.Origin}
	var shown vault.Shown
	var secret vault.Record
	open := func() error {
		_, err := identity.Commit(ctx, f.DB, func(tx *db.Tx) (a db.Answer[bool], err error) {
			s, sealed, err := vault.CodeByID(ctx, tx, c.Code)
			if err != nil {
				return a, err
			}
			r, err := f.Keys.Open(s.ID, sealed)
			if err != nil {
				return a, err
			}
			max, err := RevealsPerHour.Get(ctx, tx)
			if err != nil {
				return a, err
			}
			verdict, err := limit.Allow(ctx, tx, now, revealLimit(c.By, max))
			switch {
			case err != nil:
				return a, err
			case verdict.OK:
				tx.AfterCommit(func() { shown, secret = s, r })
				row.Data = map[string]string{"reason": c.Reason, "batch": string(s.Batch), "last4": s.Last4}
				return a, audit.Write(ctx, tx, row)
			case verdict.First:
				refused := row
				refused.Result = "too_many"
				err = audit.Write(ctx, tx, refused)
			}
			a.Err = fault.New(fault.TooMany, "vault.reveals", "max", strconv.FormatInt(max, 10))
			return a, err
		})
		return err
	}
	err := open()
	if fault.CodeOf(err) == "vault.key_gone" { // another process has rotated the keys
		if fresh, bad := f.Keys.Refresh(ctx); bad == nil && fresh {
			err = open()
		}
	}
	if err != nil { // also after a commit whose answer was lost: then nothing is shown
		return vault.Shown{}, vault.Record{}, err
	}
	return shown, secret, nil
}

// AllowReveals is the command of a second person to let a member of the staff see more
// codes within the hour.
type AllowReveals struct {
	Party  string
	Reason string
	By     string // who has the right to reveal, and is another
	Origin string
}

// AllowReveals begins the hour of a person anew, so that they may see RevealsPerHour codes
// more. It fails with vault.reveals_own for oneself: one alone sees so many and no more.
func (f *Flows) AllowReveals(ctx context.Context, tx *db.Tx, c AllowReveals) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	if c.By == c.Party || c.By == "" {
		return fault.New(fault.Forbidden, "vault.reveals_own")
	}
	max, err := RevealsPerHour.Get(ctx, tx)
	if err != nil {
		return err
	}
	if err := limit.Forget(ctx, tx, revealLimit(c.Party, max)); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: c.By, Action: "code.allow_reveals", Subject: c.Party, Origin: c.Origin,
		Data: map[string]string{"reason": c.Reason, "count": strconv.FormatInt(max, 10)}})
}

// RevealsLeft is how many codes each of some members of the staff may still see within the
// hour, and how many one may see in all.
func (f *Flows) RevealsLeft(ctx context.Context, tx *db.Tx, parties []id.Party) (map[id.Party]int64, int64, error) {
	max, err := RevealsPerHour.Get(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	limits := make([]limit.Limit, len(parties))
	for i, p := range parties {
		limits[i] = revealLimit(string(p), max)
	}
	left, err := limit.Left(ctx, tx, f.Clock.Now(), limits...)
	out := make(map[id.Party]int64, len(parties))
	for i, p := range parties {
		out[p] = left[i]
	}
	return out, max, err
}

// FindCode finds the codes that a text is, without opening any.
func (f *Flows) FindCode(ctx context.Context, text string) ([]vault.Shown, error) {
	var found []vault.Shown
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = vault.Find(ctx, tx, f.Keys, text)
		return err
	})
	return found, err
}
