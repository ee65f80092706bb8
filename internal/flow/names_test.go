package flow_test

import (
	"fmt"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// However the name of an issuer is written, its codes are there once.
func TestAnIssuerIsOneHoweverItIsWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		first := s.start(t, s.checked(t, file(0, 20), vault.ImportOptions{Issuer: " Tencent  Video "}))
		if first.Added != 20 || first.Options.Issuer != "Tencent Video" {
			t.Fatalf("%+v", first)
		}
		for _, issuer := range []string{"Tencent Video", "tencent video ", "TENCENT VIDEO", "Ｔencent　Ｖideo", "Tencent\u00a0Video"} {
			if i := s.checked(t, file(0, 20), vault.ImportOptions{Issuer: issuer}); i.Known != 20 {
				t.Errorf("as %q the same file is new: %+v", issuer, i)
			}
		}
		for _, o := range []vault.ImportOptions{{Issuer: "\u200bTencent Video"}, {Issuer: "Tencent\u202e Video"}, {Issuer: "x", Name: "a\u200b"}, {Issuer: "x", Supplier: "a\x07"}} {
			_, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader(file(0, 3)), FileName: "codes.csv", Options: o, By: "ops"})
			if fault.CodeOf(err) != "naming.hidden" {
				t.Errorf("%+v: %v", o, err)
			}
			good := s.receive(t, file(0, 3), vault.ImportOptions{Issuer: "x"})
			if _, err := s.CheckImport(t.Context(), good.ID, o, act); fault.CodeOf(err) != "naming.hidden" {
				t.Errorf("checked as %+v: %v", o, err)
			}
		}
		_, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "b", Issuer: "hu\u200bfu", Format: vault.DefaultFormat, Count: 1, By: "ops"}, nil)
		if fault.CodeOf(err) != "naming.hidden" {
			t.Errorf("generated: %v", err)
		}
		own := s.reveal(t, s.codes(t, s.generate(t, 10))[4].ID)
		if i := s.checked(t, "code,note\n"+string(own.Code)+",a\nOTHER-1234,b\n", vault.ImportOptions{Issuer: "HuFu"}); i.Known != 1 {
			t.Errorf("a code of our own under another spelling: %+v", i)
		}
		i, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader(file(90, 3)), FileName: "co\u200bdes\u202e.csv", Options: vault.ImportOptions{Issuer: "x"}, By: "ops"})
		if err != nil || i.FileName != "codes.csv" || i.Options.Name != "codes.csv" {
			t.Errorf("%+v %v", i, err)
		}
	})
}

// A credit is booked once however its reference is written (M4).
func TestACreditIsBookedOnceHoweverItsReferenceIsWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		s.Ledger = ledger.NewService()
		party := id.New[id.Party]()
		credit := func(reference string) error {
			return s.Credit(t.Context(), party, money.Of(100, money.CNY), true, reference, "paid in", "pty_ops", "console")
		}
		if err := credit("ok1"); err != nil {
			t.Fatal(err)
		}
		for _, reference := range []string{"ok1", "ok1 ", "\tOK1", "ｏｋ１", "Ok1\u3000"} {
			if err := credit(reference); fault.CodeOf(err) != "ledger.reference" {
				t.Errorf("%q: %v", reference, err)
			}
		}
		for _, reference := range []string{"ok1\u200b", "\u202eok1", "o\x00k1"} {
			if err := credit(reference); fault.CodeOf(err) != "naming.hidden" {
				t.Errorf("%q: %v", reference, err)
			}
		}
		if err := credit(" \u3000"); fault.CodeOf(err) != "ledger.reason" {
			t.Errorf("of blanks: %v", err)
		}
		if err := credit("ok2"); err != nil {
			t.Error(err)
		}
	})
}

// A stock is one however its name is written, here and in a file of the catalogue.
func TestAStockIsOneHoweverItsNameIsWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		create := func(name string) (st *inventory.Stock, err error) {
			err = s.DB.Do(t.Context(), func(tx *db.Tx) error {
				st, err = s.Inventory.Create(t.Context(), tx, name, inventory.Codes, 0, codesNow)
				return err
			})
			return st, err
		}
		st, err := create(" Month  卡 ")
		if err != nil || st.Name != "Month 卡" {
			t.Fatalf("%+v %v", st, err)
		}
		for name, want := range map[string]string{"month 卡": "stock.name_taken", "ＭＯＮＴＨ　卡": "stock.name_taken", "Month 卡 ": "stock.name_taken", "Month\u200b 卡": "naming.hidden", " ": "stock.invalid"} {
			if _, err := create(name); fault.CodeOf(err) != want {
				t.Errorf("%q: %v", name, err)
			}
		}
		if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
			found, err := s.Inventory.ByName(t.Context(), tx, []string{"MONTH 卡", "month 卡", "week"})
			if err == nil && (len(found) != 2 || found["MONTH 卡"].ID != st.ID || found["month 卡"].ID != st.ID) {
				err = fmt.Errorf("found %+v", found)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}
