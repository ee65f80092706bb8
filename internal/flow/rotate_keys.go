package flow

import (
	"context"
	"slices"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// Rotation is the command to change the vault's keys while the shop serves.
type Rotation struct {
	// Purposes are the kinds of key to change: vault.ForData, ForIndex, ForGenerator.
	Purposes []vault.Purpose
	Master   vault.Master
	// Settle waits until every process has learned of what was changed; see Settle. A key is
	// made known, and used only after that; the one before is dropped only after another.
	Settle func(ctx context.Context) error
	// Others seal what isn't a code anew, under the active data key.
	Others []func(ctx context.Context, tx *db.Tx) error
	By     string
}

// KeyRefresh is how often a process looks for new keys.
const KeyRefresh = 3 * time.Second

// Settle waits for three times KeyRefresh.
func Settle(ctx context.Context) error {
	t := time.NewTimer(3 * KeyRefresh)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rotateChunk is how many codes one transaction seals anew.
const rotateChunk = 2000

// RotateKeys changes keys. It may be stopped at any moment: the next call goes on where it
// was. All codes can be found and opened throughout.
//
// What it can't do: a process that was stopped while the others settled, and goes on as
// if nothing had been, fails to open codes until it refreshes (at its first failure, or
// after KeyRefresh). Old generator keys are kept for good, as codes are found by them.
func (f *Flows) RotateKeys(ctx context.Context, c Rotation, progress func(done, total int64)) error {
	for _, p := range c.Purposes {
		if p != vault.ForData && p != vault.ForIndex && p != vault.ForGenerator {
			return fault.New(fault.Invalid, "vault.purpose", "purpose", string(p))
		}
	}
	if err := f.joinKeys(ctx, c); err != nil {
		return err
	}
	if err := f.settled(ctx, c); err != nil {
		return err
	}
	if err := f.activateKeys(ctx, c); err != nil {
		return err
	}
	if slices.Equal(c.Purposes, []vault.Purpose{vault.ForGenerator}) {
		return nil
	}
	if err := f.renewCodes(ctx, progress); err != nil {
		return err
	}
	if err := f.settled(ctx, c); err != nil {
		return err
	}
	return f.retireKeys(ctx, c)
}

// settled waits until every process knows of what was changed, this one at once.
func (f *Flows) settled(ctx context.Context, c Rotation) error {
	if _, err := f.Keys.Refresh(ctx); err != nil {
		return err
	}
	return c.Settle(ctx)
}

// joinKeys makes new keys known. A rotation that was stopped has made its own already.
func (f *Flows) joinKeys(ctx context.Context, c Rotation) error {
	var keys []vault.WrappedKey
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		keys, err = vault.LoadKeys(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	var fresh []vault.WrappedKey
	for _, p := range c.Purposes {
		_, joining, old := vault.Joining(keys, p)
		if joining != nil || (len(old) > 0 && p != vault.ForGenerator) {
			continue
		}
		k, err := vault.NewKey(ctx, c.Master, p, f.Clock.Now())
		if err != nil {
			return err
		}
		k.State = vault.Retiring
		fresh = append(fresh, k)
	}
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := vault.AddKeys(ctx, tx, fresh); err != nil {
			return err
		}
		return f.auditKeys(ctx, tx, c, "keys.rotate", fresh)
	})
}

func (f *Flows) auditKeys(ctx context.Context, tx *db.Tx, c Rotation, action string, keys []vault.WrappedKey) error {
	var names []string
	for _, k := range keys {
		names = append(names, string(k.Purpose)+" "+string(k.ID))
	}
	return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: c.By, Action: action, Subject: "keys",
		Data: map[string]string{"keys": strings.Join(names, ", ")}})
}

// activateKeys puts the new keys to use. Whoever is storing codes under the old ones
// finishes before, or starts again.
func (f *Flows) activateKeys(ctx context.Context, c Rotation) error {
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		keys, err := vault.LoadKeys(ctx, tx)
		if err != nil {
			return err
		}
		var moved []vault.WrappedKey
		for _, p := range c.Purposes {
			active, joining, _ := vault.Joining(keys, p)
			if joining == nil {
				continue
			}
			active.State, joining.State = vault.Retiring, vault.Active
			moved = append(moved, active, *joining)
		}
		if len(moved) == 0 {
			return nil
		}
		if err := vault.SaveStates(ctx, tx, moved); err != nil {
			return err
		}
		return f.auditKeys(ctx, tx, c, "keys.activate", moved)
	})
	if err != nil {
		return err
	}
	_, err = f.Keys.Refresh(ctx)
	return err
}

// renewCodes brings every code under the active keys.
func (f *Flows) renewCodes(ctx context.Context, progress func(done, total int64)) error {
	var total, done int64
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		total, err = vault.CodesStored(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	batches := map[id.Batch]*vault.Batch{}
	for after := id.Code(""); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var todo []vault.Renewal
		var last id.Code
		var read int
		if err := f.DB.View(ctx, func(tx *db.Tx) error {
			var err error
			todo, last, read, err = vault.RotateRows(ctx, tx, f.Keys, after, rotateChunk, batches)
			return err
		}); err != nil {
			return err
		}
		if read == 0 {
			return nil
		}
		if err := f.renew(ctx, todo); err != nil {
			return err
		}
		after = last
		if done += int64(read); progress != nil {
			progress(done, max(total, done))
		}
	}
}

func (f *Flows) renew(ctx context.Context, todo []vault.Renewal) error {
	if len(todo) == 0 {
		return nil
	}
	var stocks []id.Stock
	for _, r := range todo {
		stocks = append(stocks, r.Stock)
	}
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		if _, err := f.Inventory.Open(ctx, tx, distinct(stocks), nil); err != nil {
			return err
		}
		return vault.Renew(ctx, tx, todo)
	})
}
