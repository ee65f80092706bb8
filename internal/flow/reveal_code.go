package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// RevealCode is the command of a member of staff, who has the right to it, to see a code.
type RevealCode struct {
	Code   id.Code
	Reason string
	By     string
	Origin string
}

// RevealCode opens a code for a member of staff. The audit row, with the reason, is
// committed before anybody sees the code.
func (f *Flows) RevealCode(ctx context.Context, c RevealCode) (vault.Shown, vault.Record, error) {
	if err := checkReason(c.Reason); err != nil {
		return vault.Shown{}, vault.Record{}, err
	}
	var shown vault.Shown
	var secret vault.Record
	open := func() error {
		return f.DB.Do(ctx, func(tx *db.Tx) error {
			s, sealed, err := vault.CodeByID(ctx, tx, c.Code)
			if err != nil {
				return err
			}
			r, err := f.Keys.Open(s.ID, sealed)
			if err != nil {
				return err
			}
			tx.AfterCommit(func() { shown, secret = s, r })
			return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: c.By, Action: "code.reveal", Subject: string(s.ID), Origin: c.Origin,
				Data: map[string]string{"reason": c.Reason, "batch": string(s.Batch), "last4": s.Last4}})
		})
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
