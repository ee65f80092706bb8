package flow_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/vault"
)

// canaryDump reads what a dump of the tables that have to do with codes would hold.
var canaryDump = func() (all []struct {
	stmt    *db.Stmt
	columns int
}) {
	for table, columns := range map[string]string{
		"codes": "id, batch_id, blind, key_id, sealed, last4, right_id", "code_index": "blind, code_id",
		"code_batches": "id, name, issuer, supplier, format", "imports": "id, file_name, file_hash, options, layout, message",
		"import_files": "import_id, body", "import_problems": "import_id, code, detail",
		"audit_rows": "actor, action, subject, origin, data", "vault_keys": "id, nonce, sealed", "stocks": "id, name", "stock_receipts": "reason, actor",
	} {
		all = append(all, struct {
			stmt    *db.Stmt
			columns int
		}{db.SQL("test.dump_"+table, "SELECT "+columns+" FROM "+table), strings.Count(columns, ",") + 1})
	}
	return all
}()

func dump(t *testing.T, d *db.DB, stmt *db.Stmt, columns int) []byte {
	t.Helper()
	var out bytes.Buffer
	row, into := make([][]byte, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), stmt, func(scan func(...any) error) error {
			err := scan(into...)
			out.Write(bytes.Join(row, []byte("\n")))
			return err
		})
	}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A known code, generated, imported, half imported or waiting in an uploaded file, is
// nowhere in clear: not in the database file, its log, nor in any column of any table (S11).
func TestNoCodeLiesInClear(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		canaries := []string{"CANARY-WAITING-0001", "CANARY-SECRET-0002", "CANARY-REPEATED-0003", "CANARY-ACCOUNT-0004", "CANARY-NOTE-0005"}
		for _, k := range s.know(t, s.codes(t, s.generate(t, 100))[:10]) {
			canaries = append(canaries, k.text, vault.DefaultFormat.Display(k.text))
		}
		done := s.start(t, s.checked(t, "code,password,account,note\nCANARY-DONE-0006,CANARY-SECRET-0002,CANARY-ACCOUNT-0004,CANARY-NOTE-0005\n"+
			"CANARY-REPEATED-0003,a,b,c\nCANARY-REPEATED-0003,a,b,c\n=CANARY-FORMULA-0007(),a,b,c\n", upstream))
		if done.Added != 2 || done.Invalid != 1 {
			t.Fatalf("%+v", done)
		}
		canaries = append(canaries, "CANARY-DONE-0006", "CANARY-FORMULA-0007")
		s.receive(t, "code,note\nCANARY-WAITING-0001,b\n", upstream)
		if _, err := s.FindCode(t.Context(), "CANARY-DONE-0006"); err != nil {
			t.Fatal(err)
		}
		if err := s.RotateKeys(t.Context(), s.rotation(t), nil); err != nil {
			t.Fatal(err)
		}
		var dumped int
		look := func(where string, data []byte) {
			dumped += len(data)
			for _, c := range canaries {
				if bytes.Contains(data, []byte(c)) {
					t.Errorf("%s holds a code in clear", where)
				}
			}
		}
		if d.Path() != "" {
			files, err := filepath.Glob(d.Path() + "*")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				data, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				look(filepath.Base(f), data)
			}
		}
		for _, q := range canaryDump {
			look(q.stmt.Name(), dump(t, d, q.stmt, q.columns))
		}
		if dumped < 10_000 {
			t.Errorf("only %d bytes were looked through", dumped)
		}
	})
}
