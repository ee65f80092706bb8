package flow_test

import (
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// A code costs nothing or more, whoever says so: the flows refuse less, and so does the
// database.
func TestNoBatchCostsLessThanNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		loss := money.Of(-300, money.CNY)
		refused := func(what string, err error) {
			t.Helper()
			if fault.CodeOf(err) != "vault.cost_negative" || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", what, err)
			}
		}
		_, err := s.BeginGenerate(t.Context(), flow.Generate{Stock: s.stock, Name: "n", Issuer: "hufu", Format: vault.DefaultFormat, Count: 1, Cost: loss, By: "ops"})
		refused("generated", err)
		o := upstream
		o.Cost = loss
		_, err = s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader(file(0, 3)), FileName: "codes.csv", Options: o, By: "ops"})
		refused("received", err)
		i := s.receive(t, file(0, 3), upstream)
		_, err = s.CheckImport(t.Context(), i.ID, o, act)
		refused("checked", err)
		s.start(t, s.checked(t, file(0, 3), upstream))
		if err := d.Script(t.Context(), "UPDATE code_batches SET cost_minor = -1;"); err == nil {
			t.Error("the database takes a negative cost")
		}
	})
}

// A file whose every row is known is done without a batch, and can't be undone: there is
// nothing to take back.
func TestAFileWithNothingNewMakesNoBatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		first := s.start(t, s.checked(t, file(0, 30), upstream))
		again := s.start(t, s.checked(t, file(0, 30), upstream))
		if again.State != vault.ImportDone || again.Batch != "" || again.Added != 0 || again.Known != 30 || again.Done != 30 {
			t.Errorf("the same file again: %+v", again)
		}
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			all, err := vault.Batches(t.Context(), tx, s.stock, "", 10)
			if len(all) != 1 || all[0].ID != first.Batch {
				t.Errorf("%d batches", len(all))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.UndoImport(t.Context(), again.ID, act); fault.CodeOf(err) != "vault.import_state" {
			t.Errorf("undone: %v", err)
		}
	})
}

// What ends in the middle of a code is told in the dry run, with what to do.
func TestAFileThatWasCutIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		for name, c := range map[string]struct {
			text    string
			invalid int64
		}{
			"in the code":     {"AAAA-0001-XY\nAAAA-0002-XY\nAAAA-0003-XY\nAAAA-00", 1},
			"with a line end": {"BBBB-0001-XY\nBBBB-0002-XY\nBBBB-0003-XY\nBBBB-00\n", 0},
			"whole":           {"CCCC-0001-XY\nCCCC-0002-XY\nCCCC-0003-XY\nCCCC-0004-XY", 0},
			"longer":          {"DDDD-0001-XY\nDDDD-0002-XY\nDDDD-0003-XY\nDDDD-0004-XYZ", 0},
			"before the date": {"卡密,密码,有效期\nE-1,p1,2127-12-31\nE-2,p2,2127-12-31\nE-3,p3", 1},
			"in the date":     {"卡密,密码,有效期\nF-1,p1,2127-12-31\nF-2,p2,2127-12-31\nF-3,p3,2127-12-3", 1},
			"all differ":      {"G1\nG-22\nG-333-4\nG", 0},
		} {
			i := s.checked(t, c.text, upstream)
			var found []vault.Problem
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) { found, err = vault.ProblemsOf(t.Context(), tx, i.ID); return err }); err != nil {
				t.Fatal(err)
			}
			if i.Invalid != c.invalid || int64(len(found)) != c.invalid || (c.invalid > 0 && (found[0].Code != "vault.row_cut" || found[0].Row != 4)) {
				t.Errorf("cut %s: %+v, %+v", name, i, found)
			}
		}
	})
}

// One byte that means nothing is a problem of its row.
func TestABadByteIsToldByItsRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		i := s.checked(t, file(0, 40)+"CARD-\xff00001,pw\n"+file(41, 3)[len("卡密,密码\n"):], upstream)
		plain := s.checked(t, "AAAA-0001\nAAAA-0002\nAAAA-\xff003\nAAAA-0004\n", upstream)
		for want, i := range map[int64]*vault.Import{42: i, 3: plain} {
			var found []vault.Problem
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) { found, err = vault.ProblemsOf(t.Context(), tx, i.ID); return err }); err != nil {
				t.Fatal(err)
			}
			if len(found) != 1 || found[0].Code != "vault.row_charset" || found[0].Row != want {
				t.Errorf("row %d: %+v, %+v", want, i, found)
			}
		}
		_, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader("AAAA-0001\nAAAA-0002\n" + strings.Repeat("caf\xe9 \xff\xfe\n", 9)), FileName: "codes.txt", Options: upstream, By: "ops"})
		if f := fault.From(err); f.Code != "tabular.charset" || f.Params["row"] != "3" {
			t.Errorf("no charset at all: %v", err)
		}
	})
}
