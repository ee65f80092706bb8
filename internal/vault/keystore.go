package vault

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
)

var (
	selectKeys = db.SQL("vault.keys", `SELECT id, purpose, master_id, nonce, sealed, state, created_at FROM vault_keys ORDER BY id`)
	insertKey  = db.Rows("vault.insert_key", `INSERT INTO vault_keys {{values id text, purpose text, master_id text, nonce bytes, sealed bytes, state text, created_at bigint}}`)
	rewrapKey  = db.Rows("vault.rewrap_key", `UPDATE vault_keys SET master_id = r.master_id, nonce = r.nonce, sealed = r.sealed FROM {{rows id text, master_id text, nonce bytes, sealed bytes}} WHERE vault_keys.id = r.id`)
	setKeyTo   = db.Rows("vault.set_key_state", `UPDATE vault_keys SET state = r.state FROM {{rows id text, state text}} WHERE vault_keys.id = r.id`)
)

// LoadKeys reads the wrapped keys.
func LoadKeys(ctx context.Context, tx *db.Tx) ([]WrappedKey, error) {
	var out []WrappedKey
	err := tx.Query(ctx, selectKeys, func(scan func(...any) error) error {
		var k WrappedKey
		err := scan(&k.ID, &k.Purpose, &k.MasterID, &k.Nonce, &k.Ciphertext, &k.State, db.Time(&k.CreatedAt))
		out = append(out, k)
		return err
	})
	return out, err
}

// AddKeys writes new wrapped keys.
func AddKeys(ctx context.Context, tx *db.Tx, keys []WrappedKey) error {
	return tx.WriteAll(ctx, insertKey, len(keys), func(i int, b *db.Binder) {
		k := keys[i]
		b.Text(string(k.ID)).Text(string(k.Purpose)).Text(string(k.MasterID)).Bytes(k.Nonce).Bytes(k.Ciphertext).Text(string(k.State)).Time(k.CreatedAt)
	})
}

// SaveWrapping writes keys that were wrapped anew.
func SaveWrapping(ctx context.Context, tx *db.Tx, keys []WrappedKey) error {
	return tx.WriteAll(ctx, rewrapKey, len(keys), func(i int, b *db.Binder) {
		b.Text(string(keys[i].ID)).Text(string(keys[i].MasterID)).Bytes(keys[i].Nonce).Bytes(keys[i].Ciphertext)
	})
}

// SaveStates writes the states of keys.
func SaveStates(ctx context.Context, tx *db.Tx, keys []WrappedKey) error {
	return tx.WriteAll(ctx, setKeyTo, len(keys), func(i int, b *db.Binder) { b.Text(string(keys[i].ID)).Text(string(keys[i].State)) })
}

// Unlock opens the database's keys with a master. A database that has none yet gets one of
// each purpose. It fails, with what to do, when the master is not the one that wrapped them.
func Unlock(ctx context.Context, d *db.DB, m Master, now time.Time) (*Keyring, error) {
	var keys []WrappedKey
	err := d.Do(ctx, func(tx *db.Tx) error {
		var err error
		if keys, err = LoadKeys(ctx, tx); err != nil {
			return err
		}
		var fresh []WrappedKey
		for _, p := range Purposes {
			if hasActive(keys, p) {
				continue
			}
			if p != ForLink && len(keys) > 0 {
				return fault.New(fault.Internal, "vault.keys_incomplete", "purpose", string(p))
			}
			k, err := NewKey(ctx, m, p, now)
			if err != nil {
				return err
			}
			fresh = append(fresh, k)
		}
		keys = append(keys, fresh...)
		return AddKeys(ctx, tx, fresh)
	})
	if err != nil {
		return nil, err
	}
	k, err := OpenKeyring(ctx, m, keys)
	if err != nil {
		return nil, err
	}
	k.Follow(d, func() (Master, error) { return m, nil })
	return k, nil
}

func hasActive(keys []WrappedKey, p Purpose) bool {
	for _, k := range keys {
		if k.Purpose == p && k.State == Active {
			return true
		}
	}
	return false
}
