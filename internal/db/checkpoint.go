package db

import (
	"context"
	"os"
	"time"
)

// A checkpoint copies what the write-ahead log holds into the database file. Left to the
// writer it would stop every command for as long as it takes; here another connection does
// it beside the writer, and only a log that has outgrown bounds makes the writer wait.
const (
	checkpointEvery = 500 * time.Millisecond
	checkpointAt    = 8 << 20   // bytes of log that are worth a checkpoint
	truncateAt      = 512 << 20 // bytes of log that make the writer wait for the whole of it
)

func (d *DB) checkpoints() {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	ctx := context.Background()
	conn, err := d.pool.Conn(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		select {
		case <-tick.C:
		case <-d.stop:
			return
		}
		info, err := os.Stat(d.path + "-wal")
		if err != nil || info.Size() < checkpointAt {
			continue
		}
		if info.Size() < truncateAt {
			_, _ = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
			continue
		}
		select {
		case w := <-d.writer:
			_, _ = w.c.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
			d.writer <- w
		case <-d.stop:
			return
		}
	}
}
