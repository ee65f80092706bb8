package vault

import (
	"context"
	"maps"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// A code whose own end has come is picked no more. Until it is retired it still counts as
// available, in its batch and in its stock, so what a stock promises is its available
// units less these.
var (
	firstEnd = db.SQL("vault.first_end", `SELECT expires_at FROM codes WHERE state = 'available' AND expires_at > 0 ORDER BY expires_at, id LIMIT 1`)
	overdue  = db.SQL("vault.overdue", `SELECT stock_id, COUNT(*) FROM (SELECT stock_id FROM codes WHERE state = 'available' AND expires_at > 0 AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2) AS ended GROUP BY stock_id`)
	// The stock is an expression here, so that SQLite walks what has ended, which is little, and not what is free.
	endedOf = db.SQL("vault.ended_of", `SELECT `+shownColumns+` FROM codes WHERE stock_id || '' = $1 AND state = 'available' AND expires_at > 0 AND expires_at <= $2 ORDER BY expires_at, id LIMIT $3 {{for update}}`)
)

// maxOverdue bounds one count. The duty that retires ended codes takes them faster than
// they could come to so many.
const maxOverdue = 10_000_000

// calm is what a pool knows of the next end: nothing ends before until, as of asked.
type calm struct{ asked, until time.Time }

// calmFor is how long that is believed, as codes that end sooner may have come in since:
// a code that was put on sale to end within this time may be promised past its end.
const calmFor = time.Second

func (c calm) at(now time.Time) bool {
	return now.Before(c.until) && !now.Before(c.asked) && now.Before(c.asked.Add(calmFor))
}

// Overdue counts, by stock, the codes that have ended by now and aren't retired. While
// none is near its end it asks the database once a second.
func (p *Pool) Overdue(ctx context.Context, tx *db.Tx, now time.Time) (map[id.Stock]int64, error) {
	p.mu.Lock()
	quiet := p.calm.at(now)
	p.mu.Unlock()
	if quiet {
		return nil, nil
	}
	var first time.Time
	found, err := tx.One(ctx, firstEnd, []any{db.Time(&first)})
	if err != nil {
		return nil, err
	}
	if !found {
		first = now.Add(calmFor)
	}
	if first.After(now) {
		p.mu.Lock()
		p.calm = calm{asked: now, until: first}
		p.mu.Unlock()
		return nil, nil
	}
	counts := map[id.Stock]int64{}
	err = tx.Query(ctx, overdue, func(scan func(...any) error) error {
		var stock id.Stock
		var n int64
		err := scan(&stock, &n)
		counts[stock] = n
		return err
	}, db.Micros(now), maxOverdue)
	return counts, err
}

// RetireShort retires the ended codes that a pick was short of, up to so many of each
// stock: the units behind them are voided in the same transaction.
func RetireShort(ctx context.Context, tx *db.Tx, short map[id.Stock]int64, now time.Time) error {
	var over []Shown
	for _, stock := range slices.Sorted(maps.Keys(short)) {
		found, err := EndedOf(ctx, tx, stock, now, short[stock])
		if err != nil {
			return err
		}
		over = append(over, found...)
	}
	return MoveCodes(ctx, tx, over, CodeExpired)
}

// EndedOf locks codes of a stock that are available and have ended by now, the first ones
// first, at most n. The stock is to be locked before.
func EndedOf(ctx context.Context, tx *db.Tx, stock id.Stock, now time.Time, n int64) ([]Shown, error) {
	var out []Shown
	err := tx.Query(ctx, endedOf, func(scan func(...any) error) error {
		var s Shown
		err := scanShown(scan, &s)
		out = append(out, s)
		return err
	}, stock, db.Micros(now), n)
	return out, err
}
