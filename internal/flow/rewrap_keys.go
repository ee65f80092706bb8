package flow

import (
	"context"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// RewrapKeys wraps every key of the database under the master key of now, after the master
// was rotated. The database's own keys, and so all codes, stay as they are. Before it, the
// new master key must be on every machine that serves.
func (f *Flows) RewrapKeys(ctx context.Context, m vault.Master, by string) error {
	var keys []vault.WrappedKey
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		keys, err = vault.LoadKeys(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	for i := range keys {
		var err error
		if keys[i], err = vault.Rewrap(ctx, m, keys[i]); err != nil {
			return err
		}
	}
	if err := f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := vault.SaveWrapping(ctx, tx, keys); err != nil {
			return err
		}
		return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: by, Action: "keys.rewrap", Subject: "keys", Data: map[string]string{"master": string(m.ID())}})
	}); err != nil {
		return err
	}
	_, err := f.Keys.Refresh(ctx)
	return err
}

// MastersInUse tells which master keys wrap keys of the database.
func (f *Flows) MastersInUse(ctx context.Context) (map[id.Key]bool, error) {
	used := map[id.Key]bool{}
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		keys, err := vault.LoadKeys(ctx, tx)
		for _, k := range keys {
			used[k.MasterID] = true
		}
		return err
	})
	return used, err
}
