package app

import (
	"context"
	"net/url"
	"runtime"
	"strings"

	"hufu/internal/audit"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/insight/verify"
)

// Verify checks every invariant of a store. With a checkpoint file the audit trail is
// compared with the head in it, which is then replaced by the present one unless the trail
// doesn't fit. It needs no keys and may run while the store is served. A store that can't be
// written is checked as well; then the store doesn't remember that it was. each and progress
// are told how it goes (see verify.Options); they may be nil.
func Verify(ctx context.Context, c Config, checkpoint string, each func(verify.Result), progress func(done, total int64)) ([]verify.Result, error) {
	hands := max(2, min(runtime.NumCPU(), 4))
	d, err := openToRead(ctx, db.Config{Store: patient(c.Store), Connections: hands, MustExist: true, Waiting: c.Waiting})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	now := clock.System{}.Now()
	o := verify.Options{Now: now, Connections: hands, Each: each, Progress: progress}
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
	if err := verify.Record(ctx, d, now, results); fault.CodeOf(err) != "db.read_only" {
		return results, err
	}
	return results, nil
}

// openToRead opens a store of this program's version, for reading only if it can't be
// opened otherwise.
func openToRead(ctx context.Context, c db.Config) (*db.DB, error) {
	open := func() (*db.DB, error) {
		d, err := db.Open(ctx, c)
		if err != nil {
			return nil, err
		}
		if err := d.CheckVersion(ctx); err != nil {
			d.Close()
			return nil, err
		}
		return d, nil
	}
	d, err := open()
	switch fault.CodeOf(err) {
	case "db.read_only", "db.cannot_open", "db.file_gone":
		if strings.HasPrefix(c.Store, "sqlite:") {
			c.ReadOnly = true
			if read, again := open(); again == nil {
				return read, nil
			}
		}
	}
	return d, err
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
