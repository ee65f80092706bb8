package db

import (
	"context"
	"time"
)

// Settled gives a moment such that every writing transaction that began before it has
// ended: whoever begins to read after the call sees what they wrote. On PostgreSQL it is by
// the server's clock and speaks of every node, as long as all sign in as one role; one that
// only read so far counts for a minute, which is longer than it may go without a step.
func (d *DB) Settled(ctx context.Context) (time.Time, error) {
	if d.dialect == SQLite { // there is one writer: who has had it after a moment has outwaited all before
		at := time.Now()
		select {
		case w := <-d.writer:
			d.writer <- w
			return at, nil
		case <-ctx.Done():
			return time.Time{}, asFault(ctx.Err())
		}
	}
	var at time.Time
	err := d.View(ctx, func(tx *Tx) error {
		return tx.query(ctx, "db.settled", settled, func(scan func(...any) error) error { return scan(Time(&at)) }, nil)
	})
	return at, err
}

const settled = `SELECT (extract(epoch FROM least(clock_timestamp(),
  min(xact_start) FILTER (WHERE backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '1 minute'))) * 1000000)::bigint
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
