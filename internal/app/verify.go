package app

import (
	"context"
	"net/url"
	"strings"

	"hufu/internal/audit"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/insight/verify"
)

// Verify checks every invariant of a store. With a checkpoint file the audit trail is
// compared with the head in it, which is then replaced by the present one unless the trail
// doesn't fit. It needs no keys and may run while the store is served.
func Verify(ctx context.Context, c Config, checkpoint string) ([]verify.Result, error) {
	d, err := db.Open(ctx, db.Config{Store: patient(c.Store), Connections: 2})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.CheckVersion(ctx); err != nil {
		return nil, err
	}
	now := clock.System{}.Now()
	o := verify.Options{Now: now}
	var head audit.Head
	if checkpoint != "" {
		if o.Checkpoint, err = verify.ReadCheckpoint(checkpoint); err != nil {
			return nil, err
		}
		// Read before the check, so that what is written down has been checked.
		if err := d.View(ctx, func(tx *db.Tx) (err error) { head, err = audit.End(ctx, tx); return err }); err != nil {
			return nil, err
		}
	}
	results, err := verify.Verify(ctx, d, o)
	if err != nil {
		return nil, err
	}
	if checkpoint != "" && head.Seq > 0 {
		held := true
		for _, r := range results {
			held = held && (r.ID != "I25" || r.OK())
		}
		if held {
			if err := verify.WriteCheckpoint(checkpoint, head); err != nil {
				return results, err
			}
		}
	}
	return results, verify.Record(ctx, d, now, results)
}

// patient lets the statements of a PostgreSQL store take their time: some of a verification
// read a whole table.
func patient(store string) string {
	u, err := url.Parse(store)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return store
	}
	q := u.Query()
	if q.Get("statement_timeout") == "" {
		q.Set("statement_timeout", "3600000")
	}
	u.RawQuery = q.Encode()
	return u.String()
}
