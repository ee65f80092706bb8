package flow_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

var act = flow.Act{By: "ops", Origin: "test"}

var upstream = vault.ImportOptions{Issuer: "video", Supplier: "wholesale"}

func (s *codeShop) receive(t testing.TB, text string, o vault.ImportOptions) *vault.Import {
	t.Helper()
	i, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader(text), FileName: "codes.csv", Options: o, By: "ops"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// work lets a worker do what there is.
func (s *codeShop) work(t testing.TB, i *vault.Import) *vault.Import {
	t.Helper()
	if err := s.RunImports(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, err := s.Import(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	return now
}

func (s *codeShop) checked(t testing.TB, text string, o vault.ImportOptions) *vault.Import {
	t.Helper()
	i := s.receive(t, text, o)
	if _, err := s.CheckImport(t.Context(), i.ID, o, act); err != nil {
		t.Fatal(err)
	}
	return s.work(t, i)
}

func (s *codeShop) start(t testing.TB, i *vault.Import) *vault.Import {
	t.Helper()
	if _, err := s.StartImport(t.Context(), i.ID, act); err != nil {
		t.Fatal(err)
	}
	return s.work(t, i)
}

// file is n good rows, numbered from a start.
func file(from, n int) string {
	var b strings.Builder
	b.WriteString("卡密,密码\n")
	for i := range n {
		fmt.Fprintf(&b, "CARD-%08d,pw%06d\n", from+i, i)
	}
	return b.String()
}

// errorFile is what somebody gets as the error file of an import.
func (s *codeShop) errorFile(t testing.TB, i *vault.Import, by string) string {
	t.Helper()
	var out bytes.Buffer
	if err := s.ImportErrors(t.Context(), i.ID, flow.Act{By: by, Origin: "test"}, i18n.EN, &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// However a file is said to be read, its error file tells another nothing of the codes that
// it will bring; and a bad row with a code of the store shows it to nobody (S10).
func TestErrorFileShowsNoCodeOfTheStore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		s.start(t, s.checked(t, "AAAA-BBBB-0001,2030-01-01\n", dated))
		const text = "AAAA-BBBB-0002,2030-01-01\nAAAA-BBBB-0003,2030-01-01\nAAAA-BBBB-0001,2030-13-45\nAAAA-BBBB-0004,2030-13-45\n"
		askew := dated
		askew.Mapping, askew.Heading = &vault.Mapping{Code: 1, Serial: vault.NoColumn, Account: vault.NoColumn, Password: vault.NoColumn, Expiry: 0, Cost: vault.NoColumn, Note: vault.NoColumn}, tabular.WithHeading
		i := s.checked(t, text, askew)
		if i.Invalid == 0 {
			t.Fatalf("%+v", i)
		}
		if got := s.errorFile(t, i, "another"); strings.Contains(got, "AAAA") || !strings.Contains(got, "••••0003") {
			t.Errorf("under another's choice of columns the file is given as %q", got)
		}
		if got := s.errorFile(t, i, act.By); !strings.Contains(got, "AAAA-BBBB-0003") {
			t.Errorf("who brought the file gets %q", got)
		}
		i = s.checked(t, text, dated)
		for _, i := range []*vault.Import{i, s.start(t, i)} {
			got := s.errorFile(t, i, act.By)
			if strings.Contains(got, "BBBB-0001") || !strings.Contains(got, "••••0001,") || !strings.Contains(got, "AAAA-BBBB-0004,2030-13-45,") || strings.Contains(got, "0002") {
				t.Errorf("%s: the error file is %q", i.State, got)
			}
		}
	})
}

// dated are codes with their ends, in a file without a heading.
var dated = vault.ImportOptions{Issuer: "video", Heading: tabular.WithoutHeading,
	Mapping: &vault.Mapping{Code: 0, Serial: vault.NoColumn, Account: vault.NoColumn, Password: vault.NoColumn, Expiry: 1, Cost: vault.NoColumn, Note: vault.NoColumn}}

const someBad = "卡密,密码\nAAAA-0001,p1\nAAAA-0002,\nAAAA-0001,p3\nAAAA-0004,p4\n=cmd(),p5\nCARD-00000003,p6\n"

func TestImportCountsBeforeItTakesIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		done := s.start(t, s.checked(t, file(0, 9000), upstream))
		if done.State != vault.ImportDone || done.Added != 9000 || done.Total != 9000 {
			t.Fatalf("%+v", done)
		}
		s.conserved(t)
		// The same file twice adds nothing (I5).
		again := s.checked(t, file(0, 9000), upstream)
		if again.Known != 9000 || again.FileHash != done.FileHash {
			t.Errorf("%+v", again)
		}
		if again = s.start(t, again); again.Added != 0 || again.Known != 9000 || again.State != vault.ImportDone {
			t.Errorf("%+v", again)
		}
		other := upstream
		other.Issuer = "music" // has codes of its own
		if i := s.start(t, s.checked(t, file(0, 10), other)); i.Added != 10 {
			t.Errorf("%+v", i)
		}
		if err := s.ImportErrors(t.Context(), done.ID, act, i18n.EN, io.Discard); fault.CodeOf(err) != "vault.import_file_gone" {
			t.Errorf("the error file of a file without errors: %v", err)
		}
		i := s.checked(t, someBad, upstream)
		if i.Total != 6 || i.Repeated != 1 || i.Known != 1 || i.Invalid != 2 || i.Batch != "" {
			t.Fatalf("%+v", i)
		}
		var problems []vault.Problem
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			var err error
			problems, err = vault.ProblemsOf(t.Context(), tx, i.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range problems {
			got = append(got, fmt.Sprintf("%d/%d %s", p.Row, p.Column, p.Code))
			if !i18n.Has("fault."+p.Code) || !i18n.Has(p.RemedyKey()) {
				t.Errorf("%s has no sentence", p.Code)
			}
		}
		if want := "3/1 vault.row_empty 4/0 vault.row_repeated 6/0 vault.row_formula 7/0 vault.row_known"; strings.Join(got, " ") != want {
			t.Errorf("problems %v", got)
		}
		st := s.conserved(t)
		if i = s.start(t, i); i.State != vault.ImportDone || i.Added != 2 || i.Known != 1 || i.Invalid != 2 || i.Repeated != 1 {
			t.Errorf("%+v", i)
		}
		if now := s.conserved(t); now.Available != st.Available+2 {
			t.Errorf("%+v", now)
		}
		// Rows that hold no code of the store go back as they came, to who brought them; the
		// others can't be told from it, nor can any row by another (S10).
		why := map[int]string{}
		for _, p := range problems {
			why[int(p.Row)] = fmt.Sprintf("\"Row %d: %s\"\r\n", p.Row, flow.ExplainRow(i18n.EN, p))
		}
		own := "\ufeff卡密,密码,error\r\nAAAA-0002,\"\"," + why[3] + "••••01,••••," + why[4] + "\"'=cmd()\",p5," + why[6] + "••••0003,••••," + why[7]
		others := "\ufeff卡密,密码,error\r\n••••02,\"\"," + why[3] + "••••01,••••," + why[4] + "••••(),••••," + why[6] + "••••0003,••••," + why[7]
		for by, want := range map[string]string{act.By: own, "another": others} {
			if got := s.errorFile(t, i, by); got != want {
				t.Errorf("error file for %s:\n%q, want\n%q", by, got, want)
			}
		}
		if n := s.audited(t, "import.errors"); n != 3 {
			t.Errorf("%d exports on the trail", n)
		}
		s.clock.Advance(8 * 24 * time.Hour)
		if err := s.PruneImports(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.SampleImport(t.Context(), i.ID, 5); fault.CodeOf(err) != "vault.import_file_gone" {
			t.Errorf("the file is kept too long: %v", err)
		}
		found, err := s.FindCode(t.Context(), "aaaa-0004")
		if err != nil || len(found) != 0 {
			t.Errorf("a supplier's code of other case: %+v %v", found, err)
		}
		found, err = s.FindCode(t.Context(), " AAAA-0004 ")
		if err != nil || len(found) != 1 || found[0].Batch != i.Batch {
			t.Fatalf("%+v %v", found, err)
		}
		if r := s.reveal(t, found[0].ID); r.Code != "AAAA-0004" || r.Password != "p4" {
			t.Error("it opens as another")
		}
		if found, err = s.FindCode(t.Context(), "CARD-00000003"); err != nil || len(found) != 2 {
			t.Errorf("of two issuers: %+v %v", found, err)
		}
	})
}

func TestImportFindsOurOwnCodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		own := s.reveal(t, s.codes(t, s.generate(t, 100))[41].ID)
		o := upstream
		o.Issuer = "hufu"
		if i := s.checked(t, "code,note\n"+string(own.Code)+",a\nOTHER-1234,b\n", o); i.Known != 1 || i.Total != 2 {
			t.Errorf("%+v", i)
		}
	})
}

func TestWholeImportIsAllOrNothing(t *testing.T) {
	whole := upstream
	whole.WholeOnly = true
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		bad := s.checked(t, someBad, whole)
		if _, err := s.StartImport(t.Context(), bad.ID, act); fault.CodeOf(err) != "vault.import_problems" {
			t.Errorf("a file with problems starts: %v", err)
		}
		good := s.checked(t, file(0, 9000), whole)
		// Meanwhile one of its codes comes in by another way.
		s.start(t, s.checked(t, file(8900, 1), upstream))
		if good = s.start(t, good); good.State != vault.ImportFailed || good.Added != 0 || fault.CodeOf(good.Why) != "vault.import_problems" {
			t.Errorf("%+v", good)
		}
		if st := s.conserved(t); st.Available != 1 || st.Received != 1 {
			t.Errorf("%+v", st)
		}
		if good = s.start(t, s.checked(t, file(0, 8400), whole)); good.State != vault.ImportDone || good.Added != 8400 {
			t.Errorf("%+v", good)
		}
		if st := s.conserved(t); st.Available != 8401 {
			t.Errorf("%+v", st)
		}
	})
}

func (s *codeShop) sell(t testing.TB, n int64) {
	t.Helper()
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		book, err := s.Inventory.Open(t.Context(), tx, []id.Stock{s.stock}, nil)
		if err != nil {
			return err
		}
		var wants []vault.Want
		for range n {
			wants = append(wants, vault.Want{Right: id.New[id.Right](), Stock: s.stock})
		}
		given, err := flowtest.Pick(t.Context(), tx, s.Codes, wants, s.clock.Now())
		if err != nil {
			return err
		}
		if len(given) != int(n) || !book.Take("", "", map[id.Stock]int64{s.stock: 1}, n) {
			return errors.New("too few codes to sell")
		}
		if err := s.Inventory.Save(t.Context(), tx, book, codesNow); err != nil {
			return err
		}
		return s.Codes.Deliver(t.Context(), tx, given, codesNow)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestImportIsUndoneWhileNothingIsSold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		i := s.start(t, s.checked(t, file(0, 9000), upstream))
		if _, err := s.UndoImport(t.Context(), i.ID, act); err != nil {
			t.Fatal(err)
		}
		if i = s.work(t, i); i.State != vault.ImportUndone {
			t.Fatalf("%+v", i)
		}
		if st := s.conserved(t); st.Available != 0 || st.Received != 0 {
			t.Errorf("%+v", st)
		}
		i = s.start(t, s.checked(t, file(0, 9000), upstream))
		if i.Added != 9000 { // what was undone can come again
			t.Fatalf("%+v", i)
		}
		// A code is sold between two pieces of undoing: all comes back.
		if _, err := s.UndoImport(t.Context(), i.ID, act); err != nil {
			t.Fatal(err)
		}
		broken, commits := errors.New("broken"), 0
		d.SetHooks(db.Hooks{BeforeCommit: func() error {
			if commits++; commits == 3 {
				return broken
			}
			return nil
		}})
		if err := s.RunImports(t.Context()); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		d.SetHooks(db.Hooks{})
		s.conserved(t)
		s.sell(t, 1)
		s.clock.Advance(time.Minute) // the lease ends
		if i = s.work(t, i); i.State != vault.ImportDone || fault.CodeOf(i.Why) != "vault.batch_sold" {
			t.Fatalf("%+v", i)
		}
		if st := s.conserved(t); st.Available != 8999 || st.Delivered != 1 {
			t.Errorf("%+v", st)
		}
		if _, err := s.UndoImport(t.Context(), i.ID, act); fault.CodeOf(err) != "vault.batch_sold" {
			t.Errorf("a sold batch is undone: %v", err)
		}
	})
}

func TestGeneratedBatchIsUndone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		gone, kept := s.generate(t, 12_000), s.generate(t, 10)
		if err := s.UndoBatch(t.Context(), gone.ID, "ops", ""); err != nil {
			t.Fatal(err)
		}
		if st := s.conserved(t); st.Available != 10 {
			t.Errorf("%+v", st)
		}
		s.sell(t, 1)
		if err := s.UndoBatch(t.Context(), kept.ID, "ops", ""); fault.CodeOf(err) != "vault.batch_sold" {
			t.Errorf("%v", err)
		}
		if st := s.conserved(t); st.Available != 9 {
			t.Errorf("%+v", st)
		}
	})
}

// Whichever commit fails, before or after it persisted, the import goes on to the same
// counts and no code twice (F23).
func TestImportGoesOnAfterEachFailure(t *testing.T) {
	broken := errors.New("broken")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		for _, whole := range []bool{false, true} {
			o := upstream
			o.WholeOnly, o.Issuer = whole, fmt.Sprint("issuer", whole)
			at := 0
			for _, persisted := range []bool{false, true} {
				for n := 1; ; n++ {
					s.newStock(t, fmt.Sprint("codes", whole, persisted, n))
					i := s.checked(t, file(at, 9000), o)
					at += 9000
					if _, err := s.StartImport(t.Context(), i.ID, act); err != nil {
						t.Fatal(err)
					}
					commits := 0
					fail := func() error {
						if commits++; commits == n {
							return broken
						}
						return nil
					}
					if persisted {
						d.SetHooks(db.Hooks{AfterCommit: fail})
					} else {
						d.SetHooks(db.Hooks{BeforeCommit: fail})
					}
					err := s.RunImports(t.Context())
					d.SetHooks(db.Hooks{})
					s.conserved(t)
					s.clock.Advance(time.Minute)
					if i = s.work(t, i); i.State != vault.ImportDone || i.Added != 9000 || i.Done != 9000 || i.Known+i.Repeated+i.Invalid != 0 {
						t.Fatalf("commit %d, %v: %+v", n, persisted, i)
					}
					if st := s.conserved(t); st.Available != 9000 {
						t.Fatalf("commit %d: %+v", n, st)
					}
					if err == nil { // there was no n-th commit
						break
					}
				}
			}
		}
	})
}

func TestImportPausesAndHasOneWorker(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		i := s.checked(t, file(0, 30_000), upstream)
		if _, err := s.StartImport(t.Context(), i.ID, act); err != nil {
			t.Fatal(err)
		}
		// Between two chunks somebody pauses; the worker stops, and what it did stays.
		writes, paused := 0, errors.New("paused")
		d.SetHooks(db.Hooks{Stmt: func(name string) error {
			if name == "vault.count_batch" {
				if writes++; writes == 3 {
					return paused
				}
			}
			return nil
		}})
		if err := s.RunImports(t.Context()); !errors.Is(err, paused) {
			t.Fatal(err)
		}
		d.SetHooks(db.Hooks{})
		i, err := s.PauseImport(t.Context(), i.ID, act)
		if err != nil || i.Done != 16_000 || i.State != vault.ImportPaused {
			t.Fatalf("%+v %v", i, err)
		}
		s.clock.Advance(time.Hour)
		if i = s.work(t, i); i.Done != 16_000 {
			t.Errorf("a paused import goes on: %+v", i)
		}
		if _, err := s.ResumeImport(t.Context(), i.ID, act); err != nil {
			t.Fatal(err)
		}
		// Two workers claim: one gets it.
		var first, second *vault.Import
		claim := func(into **vault.Import) {
			if err := d.Do(t.Context(), func(tx *db.Tx) error {
				var err error
				*into, err = vault.ClaimImport(t.Context(), tx, s.clock.Now())
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		claim(&first)
		claim(&second)
		if first == nil || second != nil {
			t.Fatalf("%+v %+v", first, second)
		}
		s.clock.Advance(time.Minute)
		claim(&second)
		if second == nil {
			t.Fatal("nobody follows a worker that died")
		}
		// The first was only asleep; it can't write any more.
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			return vault.SaveImport(t.Context(), tx, first, vault.ImportRunning, s.clock.Now())
		}); !errors.Is(err, vault.ErrImportLost) {
			t.Errorf("the worker before writes: %v", err)
		}
		s.clock.Advance(time.Minute)
		if i = s.work(t, i); i.State != vault.ImportDone || i.Added != 30_000 {
			t.Errorf("%+v", i)
		}
		s.conserved(t)
	})
}

func TestImportIsCancelled(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		i := s.checked(t, file(0, 100), upstream)
		if _, err := s.CancelImport(t.Context(), i.ID, act); err != nil {
			t.Fatal(err)
		}
		if _, err := s.StartImport(t.Context(), i.ID, act); fault.CodeOf(err) != "vault.import_state" {
			t.Errorf("%v", err)
		}
		for _, sold := range []bool{false, true} {
			i = s.checked(t, file(0, 10_000), upstream)
			if _, err := s.StartImport(t.Context(), i.ID, act); err != nil {
				t.Fatal(err)
			}
			d.SetHooks(db.Hooks{Stmt: failAt("vault.count_batch", 2)})
			if err := s.RunImports(t.Context()); err == nil {
				t.Fatal("it didn't fail")
			}
			d.SetHooks(db.Hooks{})
			want := int64(0)
			if sold {
				s.sell(t, 1)
				want = 7999
			}
			if _, err := s.CancelImport(t.Context(), i.ID, act); err != nil {
				t.Fatal(err)
			}
			if i = s.work(t, i); i.State != vault.ImportCancelled {
				t.Errorf("%+v", i)
			}
			if st := s.conserved(t); st.Available != want {
				t.Errorf("%+v", st)
			}
		}
	})
}

func failAt(stmt string, n int) func(string) error {
	return func(name string) error {
		if name == stmt {
			if n--; n == 0 {
				return errors.New("broken")
			}
		}
		return nil
	}
}

func TestImportRefusesWhatIsNoTable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		for _, text := range []string{"", "%PDF-1.4", "\x1f\x8b\x00\x00"} {
			if _, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: s.stock, File: strings.NewReader(text), FileName: "x", Options: upstream, By: "ops"}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", text, err)
			}
		}
		if _, err := s.ReceiveImport(t.Context(), flow.NewImport{Stock: "stk_none", File: strings.NewReader("a"), FileName: "x", Options: upstream}); fault.CodeOf(err) != "vault.stock" {
			t.Errorf("%v", err)
		}
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			all, err := vault.Imports(t.Context(), tx, "", 10)
			if len(all) != 0 {
				t.Errorf("%d are kept", len(all))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}
