package audience

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
)

// walkName is the read model's row of insight_walks.
const walkName = "customers"

const customerColumns = `party_id, created_day, level, tags, region, active_day, active_bits, orders`

var (
	beginWalk = db.SQL("audience.begin_walk", `INSERT INTO insight_walks (name, at_key, began_at, as_of) VALUES ($1, '', $2, 0) ON CONFLICT DO NOTHING`)
	lockWalk  = db.SQL("audience.lock_walk", `SELECT at_key, began_at, as_of FROM insight_walks WHERE name = $1 {{for update}}`)
	readWalk  = db.SQL("audience.walk", `SELECT as_of FROM insight_walks WHERE name = $1`)
	saveWalk  = db.SQL("audience.save_walk", `UPDATE insight_walks SET at_key = $1, began_at = $2, as_of = $3 WHERE name = $4`)
	truth     = db.SQL("audience.truth", `SELECT p.id, p.state, p.created_at, p.level, p.tags, p.region, p.active_day, p.active_bits, {{greatest (SELECT COUNT(*) FROM orders WHERE party_id = p.id AND party_id <> '' AND `+order.Counting+`), (SELECT COUNT(*) FROM orders WHERE phone = p.phone AND phone <> '' AND `+order.Counting+`)}}
FROM parties p WHERE p.kind = 'shopper' AND p.id > $1 ORDER BY p.id LIMIT $2`)
	rowsAfter = db.SQL("audience.rows_after", `SELECT `+customerColumns+` FROM insight_customers WHERE party_id > $1 AND (party_id <= $2 OR $2 = '') ORDER BY party_id`)
	putRow    = db.Rows("audience.put", `INSERT INTO insight_customers {{values party_id text, created_day bigint, level text, tags text, region text, active_day bigint, active_bits bigint, orders bigint}}
ON CONFLICT (party_id) DO UPDATE SET created_day = excluded.created_day, level = excluded.level, tags = excluded.tags, region = excluded.region, active_day = excluded.active_day,
active_bits = excluded.active_bits, orders = excluded.orders`)
	dropRows = db.SQL("audience.drop", `DELETE FROM insight_customers WHERE party_id {{in $1 text}}`)
)

// customer is a row.
type customer struct {
	party      id.Party
	createdDay int64
	orders     int64
	identity.Traits
}

func (c *customer) targets() []any {
	return []any{&c.party, &c.createdDay, &c.Level, &c.Tags, &c.Region, &c.ActiveDay, &c.ActiveBits, &c.orders}
}

// Walk looks at the next n customers and rewrites the rows that aren't true any more. It
// reports whether it has come to the end, where the next walk begins. Any number of processes
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
	is, last, seen, err := truths(ctx, tx, at, n)
	if err != nil {
		return false, err
	}
	ended := seen < n
	if ended {
		last = ""
	}
	was, err := rows(ctx, tx, at, last)
	if err != nil {
		return false, err
	}
	var changed []customer
	for k, c := range is {
		if was[k] != c {
			changed = append(changed, c)
		}
		delete(was, k)
	}
	if err := put(ctx, tx, changed); err != nil {
		return false, err
	}
	if len(was) > 0 {
		gone := make([]id.Party, 0, len(was))
		for k := range was {
			gone = append(gone, k)
		}
		if _, err := tx.Exec(ctx, dropRows, db.Texts(gone)); err != nil {
			return false, err
		}
	}
	if ended {
		asOf = began
	}
	return ended, tx.ExecOne(ctx, saveWalk, last, db.Micros(began), db.Micros(asOf), walkName)
}

// truths are the next customers as they are, without those that are disabled.
func truths(ctx context.Context, tx *db.Tx, at string, n int) (is map[id.Party]customer, last string, seen int, err error) {
	is = map[id.Party]customer{}
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
			is[c.party] = c
		}
		return nil
	}, at, n)
	return is, last, seen, err
}

func rows(ctx context.Context, tx *db.Tx, from, to string) (map[id.Party]customer, error) {
	out := map[id.Party]customer{}
	return out, tx.Query(ctx, rowsAfter, func(scan func(...any) error) error {
		var c customer
		err := scan(c.targets()...)
		out[c.party] = c
		return err
	}, from, to)
}

func put(ctx context.Context, tx *db.Tx, all []customer) error {
	return tx.WriteAll(ctx, putRow, len(all), func(i int, b *db.Binder) {
		c := all[i]
		b.Text(string(c.party)).Int(c.createdDay).Text(c.Level).Text(string(c.Tags)).Text(c.Region).Int(c.ActiveDay).Int(c.ActiveBits).Int(c.orders)
	})
}
