package vault

import (
	"bytes"
	"context"
	"slices"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

var (
	insertAlike = db.Packed("vault.insert_alike", "codes", "id text, blind bytes, sealed bytes, last4 text",
		"batch_id text, stock_id text, key_id text, expires_at bigint, state text, right_id text, delivered_at bigint")
	insertEach  = db.Rows("vault.insert_each", `INSERT INTO codes {{values id text, batch_id text, stock_id text, blind bytes, key_id text, sealed bytes, last4 text, expires_at bigint, state text, right_id text, delivered_at bigint}}`)
	insertIndex = db.Packed("vault.insert_index", "code_index", "blind bytes, code_id text", "")
	activeKeys  = db.SQL("vault.active_keys", `SELECT id FROM vault_keys WHERE id {{in $1 text}} AND state = 'active' ORDER BY id {{for update}}`)
)

// Filled is a piece of a batch, made and sealed, ready to be stored: what takes time
// happens before a transaction begins.
type Filled struct {
	From, N int64 // its place in the batch
	Data    id.Key
	Index   id.Key

	ids, blinds, sealed, last4 []byte // generated: packed
	codes                      []filledCode
}

type filledCode struct {
	id      id.Code
	index   Index
	sealed  Sealed
	last4   string
	expires int64
}

// Generate makes the codes of a batch from one place to another.
func Generate(k *Keyring, b *Batch, from, to int64) (*Filled, error) {
	gen, err := k.Generator(b.Key, b.Format, Range{b.Counter + uint64(from), b.Counter + uint64(to)})
	if err != nil {
		return nil, err
	}
	sealer, index := k.Many(), k.set.Load().indexes[0]
	n, size, series := int(to-from), b.Format.Length(), b.series()
	f := &Filled{From: from, N: to - from, Data: sealer.set.active, Index: index.id,
		ids: make([]byte, 0, n*series.Len()), blinds: make([]byte, 0, n*len(Index{})), last4: make([]byte, 0, n*4)}
	code := make([]byte, 0, size)
	for i := range n {
		code, _ = gen.Next(code[:0])
		text := string(code)
		at := len(f.ids)
		f.ids = series.Append(f.ids, uint32(from)+uint32(i))
		x := index.sum(b.Issuer, text)
		f.blinds = append(f.blinds, x[:]...)
		f.last4 = append(f.last4, text[size-4:]...)
		body := sealer.Seal(id.Code(f.ids[at:]), Record{Code: Hidden(text)}).Body
		if f.sealed == nil {
			f.sealed = make([]byte, 0, n*len(body))
		}
		f.sealed = append(f.sealed, body...)
	}
	clear(code)
	return f, nil
}

// Seal makes rows of a supplier's file into codes of a batch, the first at a place.
func Seal(k *Keyring, b *Batch, from int64, rows []Candidate) *Filled {
	sealer, series := k.Many(), b.series()
	index := k.set.Load().indexes[0]
	f := &Filled{From: from, N: int64(len(rows)), Data: sealer.set.active, Index: index.id, codes: make([]filledCode, len(rows))}
	for i, c := range rows {
		identity := c.Record.Identity()
		code := filledCode{id: series.At(uint32(from) + uint32(i)), index: index.sum(b.Issuer, identity), last4: tail(identity), expires: db.Micros(c.Expires)}
		if c.Expires.IsZero() {
			code.expires = db.Micros(b.ExpiresAt)
		}
		code.sealed = sealer.Seal(code.id, c.Record)
		f.codes[i] = code
	}
	return f
}

// ErrKeysChanged is the fault of a write under keys that are no longer the active ones:
// refresh the keyring and make the piece once more.
var ErrKeysChanged = fault.New(fault.Conflict, "vault.keys_changed")

// StillActive fails with ErrKeysChanged unless all keys are active, and keeps them so
// until the transaction ends.
func StillActive(ctx context.Context, tx *db.Tx, keys ...id.Key) error {
	n := 0
	err := tx.Query(ctx, activeKeys, func(scan func(...any) error) error {
		var k id.Key
		n++
		return scan(&k)
	}, db.Texts(keys))
	if err == nil && n != len(keys) {
		return ErrKeysChanged
	}
	return err
}

// Store writes a piece of a locked batch, its codes in the state given. Its faults are
// ErrKeysChanged and vault.batch_moved (another process has filled that place).
func Store(ctx context.Context, tx *db.Tx, b *Batch, f *Filled, state CodeState) error {
	if b.Counts.Stored != f.From || b.State != Filling {
		return fault.New(fault.Conflict, "vault.batch_moved")
	}
	if err := StillActive(ctx, tx, f.Data, f.Index); err != nil {
		return err
	}
	delta := Counts{Stored: f.N}
	*delta.of(state) += f.N
	if err := CountBatches(ctx, tx, map[id.Batch]Counts{b.ID: delta}); err != nil {
		return err
	}
	b.Counts.Stored += f.N
	*b.Counts.of(state) += f.N
	if f.codes == nil {
		return f.insertAlike(ctx, tx, b, state, f.ids, f.blinds, f.sealed, f.last4, db.Micros(b.ExpiresAt))
	}
	return f.insertImported(ctx, tx, b, state)
}

func (f *Filled) insertAlike(ctx context.Context, tx *db.Tx, b *Batch, state CodeState, ids, blinds, sealed, last4 []byte, expires int64) error {
	n := len(blinds) / len(Index{})
	return tx.WritePacked(ctx, insertAlike, n, [][]byte{ids, blinds, sealed, last4}, b.ID, b.Stock, f.Data, expires, string(state), "", 0)
}

// shape is what rows must share to be written as one: the codes of a file mostly look alike.
type shape struct {
	sealed, last4 int
	expires       int64
}

// fewAlike is below how many rows it isn't worth it.
const fewAlike = 8

func (f *Filled) insertImported(ctx context.Context, tx *db.Tx, b *Batch, state CodeState) error {
	alike := map[shape][]*filledCode{}
	var order []shape
	for i := range f.codes {
		c := &f.codes[i]
		k := shape{len(c.sealed.Body), len(c.last4), c.expires}
		if !ascii(c.last4) {
			k.last4 = -1 // can't be cut by bytes
		}
		if alike[k] == nil {
			order = append(order, k)
		}
		alike[k] = append(alike[k], c)
	}
	var few []*filledCode
	for _, k := range order {
		group := alike[k]
		if len(group) < fewAlike || k.last4 <= 0 {
			few = append(few, group...)
			continue
		}
		var ids, blinds, sealed, last4 []byte
		for _, c := range group {
			ids, blinds, sealed, last4 = append(ids, c.id...), append(blinds, c.index[:]...), append(sealed, c.sealed.Body...), append(last4, c.last4...)
		}
		if err := f.insertAlike(ctx, tx, b, state, ids, blinds, sealed, last4, k.expires); err != nil {
			return err
		}
	}
	if err := tx.WriteAll(ctx, insertEach, len(few), func(i int, w *db.Binder) {
		c := few[i]
		w.Text(string(c.id)).Text(string(b.ID)).Text(string(b.Stock)).Bytes(c.index[:]).Text(string(f.Data)).Bytes(c.sealed.Body).Text(c.last4).
			Int(c.expires).Text(string(state)).Text("").Int(0)
	}); err != nil {
		return err
	}
	// In the order of the index: neighbours share a page.
	slices.SortFunc(f.codes, func(a, b filledCode) int { return bytes.Compare(a.index[:], b.index[:]) })
	blinds, ids := make([]byte, 0, len(f.codes)*len(Index{})), make([]byte, 0, len(f.codes)*len(b.First))
	for i := range f.codes {
		blinds, ids = append(blinds, f.codes[i].index[:]...), append(ids, f.codes[i].id...)
	}
	return tx.WritePacked(ctx, insertIndex, len(f.codes), [][]byte{blinds, ids})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// tail is what Mask shows of a secret.
func tail(secret string) string { return Mask(secret)[len(redacted):] }
