package api

import (
	"context"
	"testing"

	"hufu/internal/db"
	"hufu/internal/identity"
	"hufu/internal/vault"
)

// Operations that need no key answer a repeat with how things stand, and change nothing.
func TestVoidingAgain(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		_, stock := r.coded(3)
		op := r.staff(r.owner(), identity.Operator)
		var codes []vault.Shown
		r.in(func(ctx context.Context, tx *db.Tx) error {
			b, err := vault.Batches(ctx, tx, stock, "", 1)
			if err == nil {
				codes, err = vault.CodesOf(ctx, tx, b[0], "", 10)
			}
			return err
		})
		void := func(n int) request {
			var ids []any
			for _, c := range codes[:n] {
				ids = append(ids, c.ID)
			}
			return request{method: "POST", path: "/staff/codes/void", token: op.token, body: map[string]any{"codes": ids, "reason": "x"}}
		}
		r.do(void(2)).want(204, "")
		if c := r.changes(func() { r.do(void(2)).want(204, "") }); c != "" {
			t.Errorf("voiding again changed %s", c)
		}
		if c := r.changes(func() { r.do(void(3)).want(409, "vault.code_void") }); c != "" {
			t.Errorf("voiding more than is left changed %s", c)
		}
	})
}

// What an import was told to be it is, however often it is told.
func TestAnImportStandsWhereItWasBrought(t *testing.T) {
	for _, c := range []struct {
		name  string
		stand vault.Import
		want  bool
	}{
		{"run-import", vault.Import{State: vault.ImportDone}, true},
		{"run-import", vault.Import{State: vault.ImportRunning}, true},
		{"run-import", vault.Import{State: vault.ImportReceived}, false},
		{"run-import", vault.Import{State: vault.ImportUndone}, false},
		{"pause-import", vault.Import{State: vault.ImportPaused}, true},
		{"pause-import", vault.Import{State: vault.ImportDone}, false},
		{"resume-import", vault.Import{State: vault.ImportRunning}, true},
		{"resume-import", vault.Import{State: vault.ImportCancelled}, false},
		{"cancel-import", vault.Import{State: vault.ImportUndoing, Next: vault.ImportCancelled}, true},
		{"cancel-import", vault.Import{State: vault.ImportUndoing, Next: vault.ImportUndone}, false},
		{"cancel-import", vault.Import{State: vault.ImportDone}, false},
		{"undo-import", vault.Import{State: vault.ImportUndone}, true},
		{"undo-import", vault.Import{State: vault.ImportCancelled}, false},
		{"get-import", vault.Import{State: vault.ImportDone}, false},
	} {
		if got := steered(c.name, &c.stand); got != c.want {
			t.Errorf("%s at %s, then %s: %t", c.name, c.stand.State, c.stand.Next, got)
		}
	}
}
