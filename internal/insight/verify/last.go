package verify

import (
	"context"
	"encoding/json"
	"time"

	"hufu/internal/db"
)

// Last is when the invariants were last checked, and with what result. It is kept in the
// database for the console.
type Last struct {
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`
	Failed   []string      `json:"failed"`    // the ids of those that didn't hold
	LastHeld time.Time     `json:"last_held"` // when all held for the last time; zero: never
	Checked  int           `json:"checked"`
}

const lastName = "verify.last"

var (
	readLast = db.SQL("verify.read_last", `SELECT value FROM settings WHERE name = $1`)
	saveLast = db.SQL("verify.save_last", `INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`)
)

// Record keeps the outcome of a verification.
func Record(ctx context.Context, d *db.DB, at time.Time, results []Result) error {
	return d.Do(ctx, func(tx *db.Tx) error {
		before, err := LastHeld(ctx, tx)
		if err != nil {
			return err
		}
		last := Last{At: at, LastHeld: before.LastHeld, Checked: len(results)}
		for _, r := range results {
			last.Took += r.Took
			if !r.OK() {
				last.Failed = append(last.Failed, r.ID)
			}
		}
		if len(last.Failed) == 0 {
			last.LastHeld = at
		}
		value, err := json.Marshal(last)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, saveLast, lastName, string(value), db.Micros(at))
		return err
	})
}

// LastHeld tells of the last verification; its zero value says that there was none.
func LastHeld(ctx context.Context, tx *db.Tx) (Last, error) {
	var last Last
	var value string
	found, err := tx.One(ctx, readLast, []any{&value}, lastName)
	if err != nil || !found {
		return last, err
	}
	return last, json.Unmarshal([]byte(value), &last)
}
