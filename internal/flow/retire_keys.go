package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/vault"
)

// retireKeys ends keys that nothing is under any more.
func (f *Flows) retireKeys(ctx context.Context, c Rotation) error {
	for _, seal := range c.Others {
		if err := f.DB.Do(ctx, func(tx *db.Tx) error { return seal(ctx, tx) }); err != nil {
			return err
		}
	}
	var gone []vault.WrappedKey
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		gone = nil
		keys, err := vault.LoadKeys(ctx, tx)
		if err != nil {
			return err
		}
		for _, p := range c.Purposes {
			_, _, old := vault.Joining(keys, p)
			if p == vault.ForGenerator {
				continue
			}
			for _, k := range old {
				if used, err := vault.KeyInUse(ctx, tx, k.ID); err != nil {
					return err
				} else if used {
					return fault.New(fault.Conflict, "vault.key_still_used", "key", string(k.ID))
				}
				k.State = vault.Retired
				gone = append(gone, k)
			}
		}
		return nil
	}); err != nil || len(gone) == 0 {
		return err
	}
	if err := f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := vault.SaveStates(ctx, tx, gone); err != nil {
			return err
		}
		return f.auditKeys(ctx, tx, c, "keys.retire", gone)
	}); err != nil {
		return err
	}
	_, err := f.Keys.Refresh(ctx)
	return err
}
