package vault

import (
	"bytes"
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	rotateRows = db.SQL("vault.rotate_rows", `SELECT id, batch_id, stock_id, key_id, sealed, blind FROM codes WHERE id > $1 ORDER BY id LIMIT $2`)
	renewCode  = db.Rows("vault.renew_code", `UPDATE codes SET key_id = r.key_id, sealed = r.sealed, blind = r.blind FROM {{rows id text, key_id text, sealed bytes, blind bytes, old_key text, old_blind bytes}} WHERE codes.id = r.id AND codes.key_id = r.old_key AND codes.blind = r.old_blind`)
	renewIndex = db.Rows("vault.renew_index", `UPDATE code_index SET blind = r.blind FROM {{rows blind bytes, old_blind bytes}} WHERE code_index.blind = r.old_blind`)
	sumStored  = db.SQL("vault.sum_stored", `SELECT COALESCE(SUM(stored), 0) FROM code_batches`)
	keyInUse   = db.SQL("vault.key_in_use", `SELECT id FROM codes WHERE key_id = $1 LIMIT 1`)
)

// Joining is a key that a rotation has made known and not put to use yet: a retiring one
// that is newer than the active one. old are the retiring ones that have been in use.
func Joining(keys []WrappedKey, p Purpose) (active WrappedKey, joining *WrappedKey, old []WrappedKey) {
	for _, k := range keys {
		if k.Purpose == p && k.State == Active {
			active = k
		}
	}
	for _, k := range keys {
		switch {
		case k.Purpose != p || k.State != Retiring:
		case k.ID > active.ID:
			joining = &k
		default:
			old = append(old, k)
		}
	}
	return active, joining, old
}

// Renewal is a code that must be sealed, or indexed, under other keys.
type Renewal struct {
	ID       id.Code
	Batch    id.Batch
	Stock    id.Stock
	old      Sealed
	oldBlind []byte
	fresh    Sealed
	blind    Index
}

// RotateRows reads the next n codes after one, and gives those that aren't under the active
// keys, made anew, and the last code read ("" at the end). batches remembers what it learns.
func RotateRows(ctx context.Context, tx *db.Tx, k *Keyring, after id.Code, n int, batches map[id.Batch]*Batch) (todo []Renewal, last id.Code, read int, err error) {
	var rows []Renewal
	if err := tx.Query(ctx, rotateRows, func(scan func(...any) error) error {
		var r Renewal
		err := scan(&r.ID, &r.Batch, &r.Stock, &r.old.Key, &r.old.Body, &r.oldBlind)
		rows = append(rows, r)
		return err
	}, after, n); err != nil || len(rows) == 0 {
		return nil, "", 0, err
	}
	active, rotating := k.ActiveData(), k.Rotating()
	for _, r := range rows {
		if r.old.Key == active && !rotating {
			continue
		}
		b := batches[r.Batch]
		if b == nil {
			if b, err = BatchByID(ctx, tx, r.Batch); err != nil {
				return nil, "", 0, err
			}
			batches[r.Batch] = b
		}
		secret, err := k.Open(r.ID, r.old)
		if err != nil {
			return nil, "", 0, err
		}
		r.fresh = r.old
		if r.old.Key != active {
			r.fresh = k.Seal(r.ID, secret)
		}
		r.blind = k.Index(b.Issuer, secret.identityIn(b))
		if r.old.Key != r.fresh.Key || !bytes.Equal(r.blind[:], r.oldBlind) {
			todo = append(todo, r)
		}
	}
	return todo, rows[len(rows)-1].ID, len(rows), nil
}

// identityIn is the text that a record's blind index is of.
func (r Record) identityIn(b *Batch) string {
	if b.Source == Generated {
		return string(r.Code)
	}
	return r.Identity()
}

// Renew writes codes under the active keys. The caller holds their stocks, so that no
// purchase passes over a code because this holds it. A code that is gone meanwhile is left.
func Renew(ctx context.Context, tx *db.Tx, todo []Renewal) error {
	if _, err := tx.Write(ctx, renewCode, len(todo), func(i int, b *db.Binder) {
		r := &todo[i]
		b.Text(string(r.ID)).Text(string(r.fresh.Key)).Bytes(r.fresh.Body).Bytes(r.blind[:]).Text(string(r.old.Key)).Bytes(r.oldBlind)
	}); err != nil {
		return err
	}
	moved := make([]*Renewal, 0, len(todo))
	for i := range todo {
		if !bytes.Equal(todo[i].blind[:], todo[i].oldBlind) {
			moved = append(moved, &todo[i])
		}
	}
	// Generated codes have no entry, and nothing is changed for them.
	_, err := tx.Write(ctx, renewIndex, len(moved), func(i int, b *db.Binder) { b.Bytes(moved[i].blind[:]).Bytes(moved[i].oldBlind) })
	return err
}

// CodesStored is how many codes there are, by the counts of the batches.
func CodesStored(ctx context.Context, tx *db.Tx) (int64, error) {
	var n int64
	_, err := tx.One(ctx, sumStored, []any{&n})
	return n, err
}

// KeyInUse reports whether a code is sealed under a data key. It may read all codes.
func KeyInUse(ctx context.Context, tx *db.Tx, key id.Key) (bool, error) {
	var c id.Code
	return tx.One(ctx, keyInUse, []any{&c}, key)
}
