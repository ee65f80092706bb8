// Package desk is the read model behind the console's first page: what came in day by day,
// and what waits for somebody. It writes nothing.
package desk

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/money"
)

// Day is what happened to the orders placed on one day.
type Day struct {
	Start     time.Time // midnight in the zone asked for
	Created   int64
	Paid      int64
	Delivered int64 // in full
	Revenue   int64 // paid and not refunded in full, in minor units
}

const day = 24 * time.Hour

var (
	// Identifiers sort by time, so the days asked for are one range of the primary key.
	byDay = db.SQL("desk.by_day", `SELECT (created_at + $1) / 86400000000, COUNT(*), SUM(CASE WHEN paid_at > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN state = 'fulfilled' THEN 1 ELSE 0 END),
SUM(CASE WHEN paid_at > 0 AND state <> 'refunded' THEN total ELSE 0 END) FROM orders WHERE id >= $2 AND currency = $3 GROUP BY 1 ORDER BY 1`)
	refundsOpen = db.SQL("desk.refunds_open", `SELECT COUNT(*), COALESCE(MIN(created_at), 0) FROM refunds WHERE state IN ('waiting','sent')`)
	batchesEnd  = db.SQL("desk.batches_ending", `SELECT COUNT(*), COALESCE(SUM(available), 0) FROM code_batches WHERE expires_at > $1 AND expires_at <= $2 AND available > 0`)
	importsWait = db.SQL("desk.imports_waiting", `SELECT COUNT(*) FROM imports WHERE state IN ('received','checked','paused')`)
)

// Days gives the last n days up to and with that of now, the oldest first, for orders in one
// currency. The zone must have no daylight saving: a day is 24 hours.
func Days(ctx context.Context, tx *db.Tx, now time.Time, n int, zone *time.Location, c money.Currency) ([]Day, error) {
	local := now.In(zone)
	_, offset := local.Zone()
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, zone)
	out := make([]Day, n)
	first := today.Add(-day * time.Duration(n-1))
	number := func(t time.Time) int64 { return (t.UnixMicro() + int64(offset)*1e6) / day.Microseconds() }
	for i := range out {
		out[i].Start = first.Add(day * time.Duration(i))
	}
	err := tx.Query(ctx, byDay, func(scan func(...any) error) error {
		var k int64
		var d Day
		if err := scan(&k, &d.Created, &d.Paid, &d.Delivered, &d.Revenue); err != nil {
			return err
		}
		if i := k - number(first); i >= 0 && i < int64(n) {
			d.Start = out[i].Start
			out[i] = d
		}
		return nil
	}, int64(offset)*1e6, string(id.From[id.Order](first)), string(c))
	return out, err
}

// Waiting is what waits for somebody beside the queue of exceptions.
type Waiting struct {
	Refunds      int64 // not done yet
	OldestRefund time.Time
	Batches      int64 // with codes for sale that end within a week
	EndingCodes  int64
	Imports      int64 // received or checked, and then left
}

// WaitingAt tells what waits at a moment.
func WaitingAt(ctx context.Context, tx *db.Tx, now time.Time) (Waiting, error) {
	var w Waiting
	if _, err := tx.One(ctx, refundsOpen, []any{&w.Refunds, db.Time(&w.OldestRefund)}); err != nil {
		return w, err
	}
	if _, err := tx.One(ctx, batchesEnd, []any{&w.Batches, &w.EndingCodes}, db.Micros(now), db.Micros(now.Add(7*day))); err != nil {
		return w, err
	}
	_, err := tx.One(ctx, importsWait, []any{&w.Imports})
	return w, err
}
