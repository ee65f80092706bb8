package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
)

// TestVerifyTellsByItsExit runs hufu verify on a store that holds, on one that doesn't, and
// on one whose audit trail was cut since the checkpoint was kept.
func TestVerifyTellsByItsExit(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			store := dbtest.Store(t, kind)
			d := dbtest.OpenStore(t, store)
			checkpoint := filepath.Join(t.TempDir(), "head")
			verify := func(args ...string) (int, string, string) {
				var out, err bytes.Buffer
				e := &env{stdin: strings.NewReader(""), out: &out, err: &err, lookup: func(string) (string, bool) { return "", false }, lang: i18n.EN}
				code := run(t.Context(), e, append([]string{"verify", "--store", store}, args...))
				return code, out.String(), err.String()
			}
			script := func(text string) {
				t.Helper()
				if err := d.Script(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			code, out, errs := verify()
			if code != 0 || !strings.Contains(out, "I1   ok") || strings.Contains(out, "FAILED") || errs != "" {
				t.Fatalf("an empty store: %d\n%s%s", code, out, errs)
			}
			script(`INSERT INTO stocks (id, name, name_key, kind, received, available, reserved, delivered, voided, low_mark, updated_at) VALUES ('stk_a', 'a', 'a', 'counted', 3, 2, 1, 0, 0, 0, 0);
INSERT INTO stock_receipts (id, stock_id, quantity, reason, actor, at) VALUES ('rcp_a', 'stk_a', 3, '', 'ops', 0);`)
			if code, out, _ = verify(); code != 1 || !strings.Contains(out, "I8   FAILED") || !strings.Contains(out, "stk_a") {
				t.Errorf("units held for nobody: %d\n%s", code, out)
			}
			code, out, _ = verify("--json")
			var all []struct {
				ID   string
				OK   bool
				Rows []struct{ Rule, Subject string }
			}
			if err := json.Unmarshal([]byte(out), &all); err != nil || code != 1 {
				t.Fatalf("%d %v\n%s", code, err, out)
			}
			for _, r := range all {
				if r.OK == (r.ID == "I8") || (r.ID == "I8" && (len(r.Rows) != 1 || r.Rows[0].Rule != "I8.reserved" || r.Rows[0].Subject != "stk_a")) {
					t.Errorf("%+v", r)
				}
			}
			script(`UPDATE stocks SET reserved = 0, available = 3;`)

			audited(t, d, 2)
			if code, out, errs = verify("--audit-checkpoint", checkpoint); code != 0 {
				t.Fatalf("a trail with a first checkpoint: %d\n%s%s", code, out, errs)
			}
			kept, err := os.ReadFile(checkpoint)
			if err != nil || !strings.Contains(string(kept), `"seq":2`) {
				t.Fatalf("checkpoint %s, %v", kept, err)
			}
			audited(t, d, 1)
			if code, _, _ = verify("--audit-checkpoint", checkpoint); code != 0 {
				t.Error("a trail that has grown since fails")
			}
			triggers := map[db.Dialect]string{
				db.SQLite:   "DROP TRIGGER audit_rows_no_update;\nDROP TRIGGER audit_rows_no_delete;\nDROP TRIGGER audit_rows_no_replace;\n",
				db.Postgres: "DROP TRIGGER audit_rows_append_only ON audit_rows;\nDROP FUNCTION audit_rows_append_only();\n",
			}
			protection, err := d.Dialect().Protection("audit_rows")
			if err != nil {
				t.Fatal(err)
			}
			script(triggers[d.Dialect()] + "DELETE FROM audit_rows WHERE seq = 3;\nUPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audit_rows WHERE seq = 2);\n" + protection)
			if code, _, _ = verify(); code != 0 {
				t.Error("a cut tail shows without a checkpoint, which can't be")
			}
			if code, out, _ = verify("--audit-checkpoint", checkpoint); code != 1 || !strings.Contains(out, "I25  FAILED") {
				t.Errorf("a cut tail: %d\n%s", code, out)
			}
			if again, _ := os.ReadFile(checkpoint); !strings.Contains(string(again), `"seq":3`) {
				t.Errorf("the checkpoint was overwritten with %s", again)
			}
			if err := os.WriteFile(checkpoint, []byte("?"), 0o600); err != nil {
				t.Fatal(err)
			}
			if code, _, errs = verify("--audit-checkpoint", checkpoint); code != 1 || !strings.Contains(errs, checkpoint) {
				t.Errorf("an unreadable checkpoint: %d %s", code, errs)
			}
		})
	}
}

func audited(t *testing.T, d *db.DB, n int) {
	t.Helper()
	err := d.Do(t.Context(), func(tx *db.Tx) error {
		return audit.Write(t.Context(), tx, make([]audit.Row, n)...)
	})
	if err != nil {
		t.Fatal(err)
	}
}
