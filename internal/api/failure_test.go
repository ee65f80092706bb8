package api

import (
	"errors"
	"strings"
	"testing"

	"hufu/internal/db"
)

// An error of ours shows its trace number, which the log has beside the cause, and nothing
// else (S52); what failed left nothing, and may be sent again under its key.
func TestOurOwnFailures(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		q := request{method: "POST", path: "/staff/stocks", key: r.key(), token: owner.token, body: map[string]any{"name": "n", "kind": "counted"}}
		cause := errors.New("relation secret_table at /srv/hufu.db:17")
		fail := func(at string) func(string) error {
			return func(name string) error {
				if name == at {
					return cause
				}
				return nil
			}
		}
		for _, stmt := range []string{"idem.begin", "inventory.insert_stock", "audit.insert", "idem.finish"} {
			var a answer
			r.DB.SetHooks(db.Hooks{Stmt: fail(stmt)})
			a = r.do(q)
			r.DB.SetHooks(db.Hooks{})
			a.want(500, "internal")
			if strings.Contains(a.text, "secret_table") || strings.Contains(a.text, "hufu.db") {
				t.Errorf("%s shows: %s", stmt, a.text)
			}
			if trace := a.str("trace"); !strings.Contains(r.log.String(), trace) || !strings.Contains(r.log.String(), "secret_table") || a.header.Get("X-Request-Id") != trace {
				t.Errorf("%s: the log doesn't have %s\n%s", stmt, trace, r.log)
			}
			if rows := r.rows(); rows["stocks"] != 0 || rows["idempotency"] != 0 {
				t.Errorf("%s left %v", stmt, rows)
			}
		}
		// It has persisted, and the answer was lost: sent again, it is told and not done again.
		lost := 1
		r.DB.SetHooks(db.Hooks{AfterCommit: func() error {
			if lost--; lost == 0 {
				return cause
			}
			return nil
		}})
		r.do(q).want(500, "internal")
		r.DB.SetHooks(db.Hooks{})
		again := r.do(q).want(201, "")
		if again.header.Get("Idempotent-Replayed") != "true" || r.rows()["stocks"] != 1 {
			t.Errorf("%v %s", again.header, again.text)
		}
	})
}

// A kept answer that is damaged can't be told again, and what it answers isn't done again.
func TestAKeptAnswerThatCantBeOpened(t *testing.T) {
	r := one(t)
	owner := r.owner()
	q := request{method: "POST", path: "/staff/stocks", key: r.key(), token: owner.token, body: map[string]any{"name": "n", "kind": "counted"}}
	r.do(q).want(201, "")
	if err := r.DB.Script(t.Context(), "UPDATE idempotency SET response = x'00'"); err != nil {
		t.Fatal(err)
	}
	if c := r.changes(func() { r.do(q).want(409, "idempotency.lost") }); c != "" {
		t.Errorf("changed %s", c)
	}
}
