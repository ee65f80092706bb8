package db

import (
	"context"
	"os"
	"strconv"
	"time"
)

// A checkpoint copies what the write-ahead log holds into the database file. Left to the
// writer it would stop every command for as long as it takes; here another connection does
// it beside the writer, and only a log that has outgrown bounds makes the writer wait.
const (
	checkpointEvery = 500 * time.Millisecond
	checkpointAt    = 8 << 20   // bytes of log that are worth a checkpoint
	truncateAt      = 512 << 20 // bytes of log that make the writer wait for the whole of it
	truncateWait    = 200       // milliseconds it waits for those who read what the log has
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
	for limit := int64(truncateAt); ; {
		select {
		case <-tick.C:
		case <-d.stop:
			return
		}
		info, err := os.Stat(d.path + "-wal")
		if err != nil || info.Size() < checkpointAt {
			continue
		}
		if info.Size() < limit {
			_, _ = conn.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
			continue
		}
		select {
		case w := <-d.writer:
			limit = truncateAt
			if !w.truncate(ctx) {
				// Somebody reads at length, as a verification does. To stop the writer again and
				// again wouldn't help: the log has to be read where it is.
				limit = info.Size() + truncateAt
			}
			d.writer <- w
		case <-d.stop:
			return
		}
	}
}

// truncate empties the log and reports whether it could: not while somebody reads what was
// true before its end.
func (c *conn) truncate(ctx context.Context) bool {
	_, _ = c.c.ExecContext(ctx, "PRAGMA busy_timeout("+strconv.Itoa(truncateWait)+")")
	defer func() { _, _ = c.c.ExecContext(ctx, "PRAGMA busy_timeout("+strconv.Itoa(busyTimeout)+")") }()
	var busy, log, copied int64
	err := c.c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &copied)
	return err == nil && busy == 0
}
