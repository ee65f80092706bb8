package bench

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

// constant are the statements that a serving shop runs for every purchase, or again and
// again. None may walk over a table that grows with what was sold.
var constant = []string{
	"order.by_key", "order.lines_by_key", "order.lock", "order.lock_paid", "order.lines", "order.lines_paid", "order.due", "order.since", "order.newest_pending", "order.newest_unusual", "exception.count",
	"payment.intents", "payment.lock_intents", "payment.lock_beside", "payment.notices_seen", "payment.captures_by_txn", "payment.to_poll", "payment.due_refunds",
	"inventory.live_of_lines", "vault.free", "vault.free_waiting", "vault.sealed_of_rights", "vault.sealed_of_orders", "entitlement.lock_of_orders",
	"order.lock_tallies", "order.tallies", "catalogue.last_relation", "ledger.last_seal", "job.due", "job.count",
}

// partial are the indexes that hold what is under way alone; to walk over one is fine.
var partial = db.SQL("bench.partial_indexes", `SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE state%'`)

func TestNothingConstantWalksOverATable(t *testing.T) {
	texts := map[string]string{}
	for _, s := range db.Registered() {
		texts[s.Name()] = s.Text(db.SQLite)
	}
	d, small := dbtest.Open(t, "sqlite"), map[string]bool{}
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), partial, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			small[name] = true
			return err
		})
	}); err != nil || !small["jobs_due"] {
		t.Fatal(small, err)
	}
	for _, name := range constant {
		explain := db.SQL("bench.explain."+name, "EXPLAIN QUERY PLAN "+texts[name])
		var args []any
		for strings.Contains(texts[name], "?"+strconv.Itoa(len(args)+1)) { // numbered
			args = append(args, "1")
		}
		if len(args) == 0 {
			args = slices.Repeat([]any{"1"}, strings.Count(texts[name], "?"))
		}
		err := d.View(t.Context(), func(tx *db.Tx) error {
			return tx.Query(t.Context(), explain, func(scan func(...any) error) error {
				var id, parent, unused int64
				var step string
				err := scan(&id, &parent, &unused, &step)
				if table, ok := strings.CutPrefix(step, "SCAN "); ok && !small[step[strings.LastIndexByte(step, ' ')+1:]] && !strings.HasPrefix(table, "json_each") {
					t.Errorf("%s: %s", name, step)
				}
				return err
			}, args...)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A balance is a sum over an account's transfers, which are all there are for some: it reads
// the index and not the rows.
func TestBalancesAreSummedFromTheIndexAlone(t *testing.T) {
	d := dbtest.Open(t, "sqlite")
	for _, name := range []string{"ledger.sum_debits", "ledger.sum_credits"} {
		explain := db.SQL("bench.explain."+name, "EXPLAIN QUERY PLAN "+statement(name).Text(db.SQLite))
		var plan []string
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			return tx.Query(t.Context(), explain, func(scan func(...any) error) error {
				var id, parent, unused int64
				var step string
				err := scan(&id, &parent, &unused, &step)
				plan = append(plan, step)
				return err
			}, "[]")
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan[0], "USING COVERING INDEX") {
			t.Errorf("%s: %v", name, plan)
		}
	}
}
