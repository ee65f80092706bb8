package audience

import (
	"bytes"
	"context"
	"math"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
)

// walkName is the read model's row of insight_walks.
const walkName = "customers"

var (
	beginWalk = db.SQL("audience.begin_walk", `INSERT INTO insight_walks (name, at_key, began_at, as_of) VALUES ($1, '', $2, 0) ON CONFLICT DO NOTHING`)
	lockWalk  = db.SQL("audience.lock_walk", `SELECT at_key, began_at, as_of FROM insight_walks WHERE name = $1 {{for update}}`)
	readWalk  = db.SQL("audience.walk", `SELECT as_of FROM insight_walks WHERE name = $1`)
	saveWalk  = db.SQL("audience.save_walk", `UPDATE insight_walks SET at_key = $1, began_at = $2, as_of = $3 WHERE name = $4`)
	truth     = db.SQL("audience.truth", `SELECT p.id, p.state, p.created_at, p.level, p.tags, p.region, p.active_day, p.active_bits, {{greatest (SELECT COUNT(*) FROM orders WHERE party_id = p.id AND party_id <> '' AND `+order.Counting+`), (SELECT COUNT(*) FROM orders WHERE phone = p.phone AND phone <> '' AND `+order.CountingByPhone+`)}}
FROM parties p WHERE p.kind = 'shopper' AND p.id > $1 AND (p.id <= $2 OR $2 = '') ORDER BY p.id LIMIT $3`)
	readStretch = db.SQL("audience.stretch", `SELECT to_id, facts FROM insight_customers WHERE after_id = $1`)
	putStretch  = db.SQL("audience.put", `INSERT INTO insight_customers (after_id, to_id, facts) VALUES ($1, $2, $3) ON CONFLICT (after_id) DO UPDATE SET to_id = excluded.to_id, facts = excluded.facts`)
)

// customer is what rules ask of one.
type customer struct {
	party      id.Party
	createdDay int64
	orders     int64
	identity.Traits
}

// Walk looks at the next stretch of customers and rewrites it when it isn't true any more. The
// last stretch is open: it ends at n customers, and the next begins. Stretches keep their ends
// from then on, since whoever comes later has a later id. Walk reports whether it has come to the end, where the next walk begins. Any number of processes
// may walk.
func Walk(ctx context.Context, d *db.DB, n int, now time.Time) (ended bool, err error) {
	err = d.Do(ctx, func(tx *db.Tx) error {
		ended, err = walk(ctx, tx, n, now)
		return err
	})
	return ended, err
}

func walk(ctx context.Context, tx *db.Tx, n int, now time.Time) (bool, error) {
	if _, err := tx.Exec(ctx, beginWalk, walkName, db.Micros(now)); err != nil {
		return false, err
	}
	var at string
	var began, asOf time.Time
	if _, err := tx.One(ctx, lockWalk, []any{&at, db.Time(&began), db.Time(&asOf)}, walkName); err != nil {
		return false, err
	}
	if at == "" {
		began = now
	}
	to, was := "", []byte(nil)
	if _, err := tx.One(ctx, readStretch, []any{&to, &was}, at); err != nil {
		return false, err
	}
	limit := n
	if to != "" {
		limit = math.MaxInt32
	}
	all, last, seen, err := truths(ctx, tx, at, to, limit)
	if err != nil {
		return false, err
	}
	next := to
	if to == "" && seen >= n {
		next = last
	}
	if is := pack(all); next != to || !bytes.Equal(is, was) {
		if _, err := tx.Exec(ctx, putStretch, at, next, is); err != nil {
			return false, err
		}
	}
	if next == "" {
		asOf = began
	}
	return next == "", tx.ExecOne(ctx, saveWalk, next, db.Micros(began), db.Micros(asOf), walkName)
}

// truths are the customers between two ids as they are, without those that are disabled. to is
// "" for no end.
func truths(ctx context.Context, tx *db.Tx, after, to string, n int) (all []customer, last string, seen int, err error) {
	err = tx.Query(ctx, truth, func(scan func(...any) error) error {
		var c customer
		var state string
		var created time.Time
		if err := scan(&c.party, &state, db.Time(&created), &c.Level, &c.Tags, &c.Region, &c.ActiveDay, &c.ActiveBits, &c.orders); err != nil {
			return err
		}
		c.createdDay = identity.Day(created)
		seen++
		if last = string(c.party); state == "active" {
			all = append(all, c)
		}
		return nil
	}, after, to, n)
	return all, last, seen, err
}
