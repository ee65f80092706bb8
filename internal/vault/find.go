package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
)

// Shown is what may be seen of a code by anybody who works with batches.
type Shown struct {
	ID          id.Code
	Batch       id.Batch
	Stock       id.Stock
	State       CodeState
	Last4       string
	ExpiresAt   time.Time // zero: never
	Right       id.Right  // of a delivered one
	DeliveredAt time.Time
}

const shownColumns = `id, batch_id, stock_id, state, last4, expires_at, right_id, delivered_at`

var (
	codesOf   = db.SQL("vault.codes_of_batch", `SELECT `+shownColumns+` FROM codes WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`)
	codesByID = db.SQL("vault.codes", `SELECT `+shownColumns+`, blind FROM codes WHERE id {{in $1 text}} ORDER BY id`)
	lockCodes = db.SQL("vault.lock_codes", `SELECT `+shownColumns+`, blind FROM codes WHERE id {{in $1 text}} ORDER BY id {{for update}}`)
	sealedBy  = db.SQL("vault.sealed", `SELECT `+shownColumns+`, key_id, sealed FROM codes WHERE id = $1`)
	indexed   = db.SQL("vault.indexed", `SELECT blind, code_id FROM code_index WHERE blind {{in $1 bytes}}`)
	stocksOf  = db.SQL("vault.stocks_of_codes", `SELECT DISTINCT stock_id FROM codes WHERE id {{in $1 text}}`)
	moveCodes = db.Rows("vault.move_codes", `UPDATE codes SET state = r.state FROM {{rows id text, old text, state text}} WHERE codes.id = r.id AND codes.state = r.old`)
)

func scanShown(scan func(...any) error, s *Shown, more ...any) error {
	return scan(append([]any{&s.ID, &s.Batch, &s.Stock, &s.State, &s.Last4, db.Time(&s.ExpiresAt), &s.Right, db.Time(&s.DeliveredAt)}, more...)...)
}

// CodesOf lists a batch's codes in their order, from after the one named ("" for the
// first), at most n.
func CodesOf(ctx context.Context, tx *db.Tx, b *Batch, after id.Code, n int) ([]Shown, error) {
	first, last := b.span()
	if after < first {
		after = first[:len(first)-1] // sorts before the first
	}
	var out []Shown
	err := tx.Query(ctx, codesOf, func(scan func(...any) error) error {
		var s Shown
		err := scanShown(scan, &s)
		out = append(out, s)
		return err
	}, after, last, n)
	return out, err
}

// CodeByID loads what may be shown of a code and the sealed record, or fails with
// vault.code_unknown. Who opens the record writes an audit row in the same transaction.
func CodeByID(ctx context.Context, tx *db.Tx, code id.Code) (Shown, Sealed, error) {
	var s Shown
	var sealed Sealed
	found := false
	err := tx.Query(ctx, sealedBy, func(scan func(...any) error) error {
		found = true
		return scanShown(scan, &s, &sealed.Key, &sealed.Body)
	}, code)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "vault.code_unknown")
	}
	return s, sealed, err
}

// LockCodes locks codes and loads what may be shown of them.
func LockCodes(ctx context.Context, tx *db.Tx, codes []id.Code) ([]Shown, error) {
	found, err := byID(ctx, tx, lockCodes, codes)
	out := make([]Shown, len(found))
	for i, f := range found {
		out[i] = f.Shown
	}
	return out, err
}

// StocksOf gives the stocks that codes belong to.
func StocksOf(ctx context.Context, tx *db.Tx, codes []id.Code) ([]id.Stock, error) {
	return ids[id.Stock](ctx, tx, stocksOf, db.Texts(codes))
}

func ids[K ~string](ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]K, error) {
	var out []K
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var k K
		err := scan(&k)
		out = append(out, k)
		return err
	}, args...)
	return out, err
}

// MoveCodes takes codes out of sale for good, as void or expired, and counts it in their
// batches. Each must be available, or not for sale yet.
func MoveCodes(ctx context.Context, tx *db.Tx, codes []Shown, to CodeState) error {
	if to != CodeVoid && to != CodeExpired {
		return fault.New(fault.Internal, "internal")
	}
	delta := map[id.Batch]Counts{}
	for _, c := range codes {
		if c.State != CodeAvailable && c.State != CodeFilling {
			return fault.New(fault.Conflict, "vault.code_"+string(c.State))
		}
		d := delta[c.Batch]
		*d.of(c.State)--
		*d.of(to)++
		delta[c.Batch] = d
	}
	if err := tx.WriteAll(ctx, moveCodes, len(codes), func(i int, b *db.Binder) {
		b.Text(string(codes[i].ID)).Text(string(codes[i].State)).Text(string(to))
	}); err != nil {
		return err
	}
	return CountBatches(ctx, tx, delta)
}

type blindCode struct {
	Shown
	blind []byte
}

func byID(ctx context.Context, tx *db.Tx, stmt *db.Stmt, codes []id.Code) ([]blindCode, error) {
	var out []blindCode
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var s blindCode
		err := scanShown(scan, &s.Shown, &s.blind)
		out = append(out, s)
		return err
	}, db.Texts(codes))
	return out, err
}

// Find finds the codes that a text is, of whatever issuer, by equality of blind indexes
// under the live index keys. Nothing is decrypted.
func Find(ctx context.Context, tx *db.Tx, k *Keyring, text string) ([]Shown, error) {
	type origin struct {
		source, issuer string
		format         Format
	}
	var origins []origin
	if err := tx.Query(ctx, issuers, func(scan func(...any) error) error {
		var o origin
		var format string
		if err := scan(&o.source, &o.issuer, &format); err != nil {
			return err
		}
		origins = append(origins, o)
		return json.Unmarshal([]byte(format), &origins[len(origins)-1].format)
	}); err != nil {
		return nil, err
	}
	var all []Index
	var candidates []id.Code
	var outside [][]byte
	for _, o := range origins {
		if o.source == Imported {
			for _, x := range k.Lookups(o.issuer, CanonicalUpstream(text)) {
				all, outside = append(all, x), append(outside, x[:])
			}
			continue
		}
		canonical, err := o.format.Parse(text)
		if err != nil {
			continue
		}
		all = append(all, k.Lookups(o.issuer, canonical)...)
		at, err := generatedAt(ctx, tx, k, o.format, canonical)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, at...)
	}
	if err := tx.Query(ctx, indexed, func(scan func(...any) error) error {
		var blind []byte
		var code id.Code
		err := scan(&blind, &code)
		candidates = append(candidates, code)
		return err
	}, db.Blobs(outside)); err != nil {
		return nil, err
	}
	found, err := byID(ctx, tx, codesByID, candidates)
	if err != nil {
		return nil, err
	}
	var out []Shown
	for _, c := range found {
		if slices.ContainsFunc(all, func(x Index) bool { return bytes.Equal(x[:], c.blind) }) {
			out = append(out, c.Shown)
		}
	}
	return out, nil
}

// generatedAt gives the codes that stand where a canonical text leads.
func generatedAt(ctx context.Context, tx *db.Tx, k *Keyring, f Format, canonical string) ([]id.Code, error) {
	var out []id.Code
	for _, p := range k.Locate(f, canonical) {
		found, err := loadBatches(ctx, tx, byCounter, p.Key, int64(p.Counter))
		if err != nil {
			return nil, err
		}
		for _, b := range found {
			if n := p.Counter - b.Counter; n < uint64(b.Counts.Stored) {
				out = append(out, b.series().At(uint32(n)))
			}
		}
	}
	return out, nil
}

// Known tells which candidates the store holds already under the same issuer, by their
// place in rows. Its own batch's codes count too.
func Known(ctx context.Context, tx *db.Tx, k *Keyring, issuer string, rows []Candidate) (map[int]id.Code, error) {
	keys := k.set.Load().indexes
	at := make(map[Index]int, len(rows)*len(keys))
	blinds := make([][]byte, 0, len(rows)*len(keys))
	for i, c := range rows {
		identity := c.Record.Identity()
		for _, key := range keys {
			x := key.sum(issuer, identity)
			at[x] = i
			blinds = append(blinds, x[:])
		}
	}
	known := map[int]id.Code{}
	err := tx.Query(ctx, indexed, func(scan func(...any) error) error {
		var blind []byte
		var code id.Code
		if err := scan(&blind, &code); err != nil {
			return err
		}
		known[at[Index(blind)]] = code
		return nil
	}, db.Blobs(blinds))
	if err != nil {
		return nil, err
	}
	return known, knownGenerated(ctx, tx, k, issuer, rows, at, known)
}

// knownGenerated looks for rows that are codes this shop made itself.
func knownGenerated(ctx context.Context, tx *db.Tx, k *Keyring, issuer string, rows []Candidate, at map[Index]int, known map[int]id.Code) error {
	formats, err := formatsOf(ctx, tx, issuer)
	if err != nil {
		return err
	}
	var candidates []id.Code
	for _, f := range formats {
		for i, c := range rows {
			canonical, err := f.Parse(c.Record.Identity())
			if err != nil {
				continue
			}
			for _, x := range k.Lookups(issuer, canonical) {
				at[x] = i
			}
			places, err := generatedAt(ctx, tx, k, f, canonical)
			if err != nil {
				return err
			}
			candidates = append(candidates, places...)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	found, err := byID(ctx, tx, codesByID, candidates)
	for _, c := range found {
		if i, ok := at[Index(c.blind)]; ok {
			known[i] = c.ID
		}
	}
	return err
}

// Makes reports whether some codes of an issuer are of our own making.
func Makes(ctx context.Context, tx *db.Tx, issuer string) (bool, error) {
	f, err := formatsOf(ctx, tx, issuer)
	return len(f) > 0, err
}

// formatsOf are those of the generated codes of an issuer.
func formatsOf(ctx context.Context, tx *db.Tx, issuer string) ([]Format, error) {
	var formats []Format
	err := tx.Query(ctx, issuers, func(scan func(...any) error) error {
		var source, of, format string
		var f Format
		if err := scan(&source, &of, &format); err != nil || source != Generated || !naming.Same(of, issuer) {
			return err
		}
		err := json.Unmarshal([]byte(format), &f)
		formats = append(formats, f)
		return err
	})
	return formats, err
}
