// Package idem lets a request be sent again without being carried out again. The answer is
// kept under the sender's key in the transaction of the effect, so neither is there without
// the other. A request that failed leaves nothing: sent again, it is tried again.
package idem

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
)

// MaxKey bounds a key's length in bytes.
const MaxKey = 200

// Response is the answer that is kept.
type Response struct {
	Status int // HTTP status, at least 100
	Body   []byte
}

var (
	begin  = db.SQL("idem.begin", `INSERT INTO idempotency (scope, key, request_hash, status, response, at) VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT DO NOTHING`)
	stored = db.SQL("idem.stored", `SELECT request_hash, status, response FROM idempotency WHERE scope = $1 AND key = $2`)
	finish = db.SQL("idem.finish", `UPDATE idempotency SET status = $1, response = $2 WHERE scope = $3 AND key = $4 AND status = 0`)
	prune  = db.SQL("idem.prune", `DELETE FROM idempotency WHERE (scope, key) IN (SELECT scope, key FROM idempotency WHERE at < $1 ORDER BY at LIMIT $2)`)
)

// Check says whether a key sent by a caller can be one: 1 to MaxKey printable characters of
// ASCII, else the fault idempotency.key.
func Check(key string) error {
	bad := key == "" || len(key) > MaxKey
	for i := range len(key) {
		bad = bad || key[i] <= ' ' || key[i] > '~'
	}
	if bad {
		return fault.New(fault.Invalid, "idempotency.key")
	}
	return nil
}

// Begin claims a key for a request whose content has the hash. It gives the kept answer
// when the request was carried out before, and nil when the caller is to carry it out and
// then Finish in the same transaction. A request under way elsewhere with this key is waited
// for. Faults: those of Check, and idempotency.reused when the key came with other content.
//
// scope names the sender and the operation, so that senders can't meet in one key.
func Begin(ctx context.Context, tx *db.Tx, now time.Time, scope, key string, hash []byte) (*Response, error) {
	if err := Check(key); err != nil {
		return nil, err
	}
	n, err := tx.Exec(ctx, begin, scope, key, hash, []byte{}, db.Micros(now))
	if err != nil || n == 1 {
		return nil, err
	}
	var was []byte
	var r Response
	found, err := tx.One(ctx, stored, []any{&was, &r.Status, &r.Body}, scope, key)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, db.ErrStale // pruned between the two statements
	case !bytes.Equal(was, hash):
		return nil, fault.New(fault.Conflict, "idempotency.reused")
	case r.Status == 0:
		return nil, fmt.Errorf("idem: %s %q was begun and never finished", scope, key)
	}
	return &r, nil
}

// Finish keeps the answer of a request that Begin let through.
func Finish(ctx context.Context, tx *db.Tx, scope, key string, r Response) error {
	if r.Status < 100 {
		return fmt.Errorf("idem: %d is no status", r.Status)
	}
	if r.Body == nil {
		r.Body = []byte{}
	}
	return tx.ExecOne(ctx, finish, r.Status, r.Body, scope, key)
}

// Prune forgets up to n answers kept before a moment. A request repeated after that is
// carried out again, so the moment lies further back than callers repeat.
func Prune(ctx context.Context, tx *db.Tx, before time.Time, n int) (int64, error) {
	return tx.Exec(ctx, prune, db.Micros(before), n)
}
