package flow_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

var codesNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// codeShop is what the flows of codes need, on one database.
type codeShop struct {
	*flow.Flows
	clock *clock.Fake
	file  string // of the master keys
	stock id.Stock
}

func newCodeShop(t testing.TB, d *db.DB) *codeShop {
	t.Helper()
	s := &codeShop{clock: clock.NewFake(codesNow), file: filepath.Join(t.TempDir(), "keys")}
	if _, err := vault.CreateKeyFile(s.file, codesNow); err != nil {
		t.Fatal(err)
	}
	s.Flows = s.process(t, d)
	s.newStock(t, "codes")
	return s
}

// newStock makes an empty stock the one that is worked on.
func (s *codeShop) newStock(t testing.TB, name string) {
	t.Helper()
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		st, err := s.Inventory.Create(t.Context(), tx, name, inventory.Codes, 0, codesNow)
		if err == nil {
			s.stock = st.ID
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// process is the flows as another process on the same database has them.
func (s *codeShop) process(t testing.TB, d *db.DB) *flow.Flows {
	t.Helper()
	open := func() (vault.Master, error) { return vault.OpenKeyFile(s.file) }
	m, err := open()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Unlock(t.Context(), d, m, codesNow)
	if err != nil {
		t.Fatal(err)
	}
	keys.Follow(d, open)
	return flow.New(d, s.clock, flow.Islands{Inventory: inventory.NewService(), Codes: vault.NewPool(), Keys: keys})
}

func (s *codeShop) generate(t testing.TB, n int64) *vault.Batch {
	t.Helper()
	b, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "batch", Issuer: "hufu", Format: vault.DefaultFormat, Count: n, By: "ops"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conserved checks that stock, batches and codes say the same (I8), and gives the stock.
func (s *codeShop) conserved(t testing.TB) *inventory.Stock {
	t.Helper()
	var stock *inventory.Stock
	err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		stocks, err := s.Inventory.Stocks(t.Context(), tx, []id.Stock{s.stock})
		if err != nil {
			return err
		}
		stock = stocks[s.stock]
		batches, err := vault.Batches(t.Context(), tx, s.stock, "", 1000)
		if err != nil {
			return err
		}
		var sum vault.Counts
		for _, b := range batches {
			rows, err := vault.Recount(t.Context(), tx, b)
			if err != nil {
				return err
			}
			if rows != b.Counts {
				return fmt.Errorf("batch %s counts %+v and has %+v", b.ID, b.Counts, rows)
			}
			sum.Stored += rows.Stored - rows.Filling
			sum.Available += rows.Available
			sum.Delivered += rows.Delivered
			sum.Voided += rows.Voided + rows.Expired
		}
		if stock.Received != sum.Stored || stock.Available+stock.Reserved != sum.Available || stock.Delivered != sum.Delivered || stock.Voided != sum.Voided {
			return fmt.Errorf("stock %+v, codes %+v", stock, sum)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stock
}

func (s *codeShop) codes(t testing.TB, b *vault.Batch) []vault.Shown {
	t.Helper()
	var all []vault.Shown
	for {
		var after id.Code
		if len(all) > 0 {
			after = all[len(all)-1].ID
		}
		var page []vault.Shown
		if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
			var err error
			page, err = vault.CodesOf(t.Context(), tx, b, after, 700)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// somebody has revealed nothing this hour.
func somebody() string { return string(id.New[id.Party]()) }

func (s *codeShop) reveal(t testing.TB, c id.Code) vault.Record {
	t.Helper()
	_, r, err := s.RevealCode(t.Context(), flow.RevealCode{Code: c, Reason: "test", By: somebody()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// audited counts the audit rows of an action, of a trail that verifies.
func (s *codeShop) audited(t testing.TB, action string) int {
	t.Helper()
	n := 0
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		rows, err := audit.List(t.Context(), tx, 0, 10_000)
		for _, r := range rows {
			if r.Action == action {
				n++
			}
		}
		if bad, err := audit.Verify(t.Context(), tx, nil); err != nil || bad != 0 {
			return fmt.Errorf("the trail breaks at %d: %w", bad, err)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestGeneratedCodesAreStoredAndFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		first, second := s.generate(t, 12_345), s.generate(t, 3)
		if st := s.conserved(t); st.Available != 12_348 {
			t.Fatalf("%+v", st)
		}
		if first.State != vault.Ready || second.Counter != first.Counter+12_345 {
			t.Errorf("%+v %+v", first, second)
		}
		all := s.codes(t, first)
		if len(all) != 12_345 {
			t.Fatalf("%d codes on the pages", len(all))
		}
		for _, c := range []vault.Shown{all[0], all[4999], all[5000], all[12_344], s.codes(t, second)[0]} {
			text := string(s.reveal(t, c.ID).Code)
			found, err := s.FindCode(t.Context(), " "+first.Format.Display(text)+"\n")
			if err != nil || len(found) != 1 || found[0] != c || text[len(text)-4:] != c.Last4 {
				t.Errorf("%+v is found as %+v, %v", c, found, err)
			}
			// A code with the same counter and other random bits is not ours.
			typo := []byte(text)
			typo[3], typo[7] = typo[7], typo[3]
			if found, err := s.FindCode(t.Context(), string(typo)); err != nil || (string(typo) != text && len(found) != 0) {
				t.Errorf("a wrong code finds %+v, %v", found, err)
			}
		}
		if n := s.audited(t, "code.reveal"); n != 5 {
			t.Errorf("%d reveals are on the trail", n)
		}
	})
}

// S1: codes that nobody types are longer, and are stored and found like any other, also
// beside those that people type.
func TestMachineCodesAreStoredAndFound(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		s.generate(t, 3)
		weak := flow.Generate{Stock: s.stock, Name: "links", Issuer: "hufu", Format: vault.MachineFormat, Count: 20, By: "ops"}
		strong := weak
		weak.Format.SecretBits = vault.MachineSecretBits - 1
		if _, err := s.GenerateCodes(t.Context(), weak, nil); fault.CodeOf(err) != "vault.format_machine" {
			t.Errorf("127 bits for machines: %v", err)
		}
		b, err := s.GenerateCodes(t.Context(), strong, nil)
		if err != nil {
			t.Fatal(err)
		}
		if st := s.conserved(t); st.Available != 23 {
			t.Errorf("%+v", st)
		}
		for _, c := range s.codes(t, b) {
			text := string(s.reveal(t, c.ID).Code)
			found, err := s.FindCode(t.Context(), text)
			if err != nil || len(text) != vault.MachineFormat.Length() || len(found) != 1 || found[0] != c {
				t.Errorf("a code of %d symbols is found as %+v, %v", len(text), found, err)
			}
		}
	})
}

// A chunk that fails before or after its commit leaves a batch that balances, and goes on
// to have each code once.
func TestGenerationGoesOnAfterEachFailure(t *testing.T) {
	broken := errors.New("broken")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		for _, persisted := range []bool{false, true} {
			for at := 1; at <= 4; at++ {
				commits, batch := 0, id.Batch("")
				fail := func() error {
					if commits++; commits == at {
						return broken
					}
					return nil
				}
				if persisted {
					d.SetHooks(db.Hooks{AfterCommit: fail})
				} else {
					d.SetHooks(db.Hooks{BeforeCommit: fail})
				}
				b, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "n", Issuer: "hufu", Format: vault.DefaultFormat, Count: 11_000, By: "ops"}, nil)
				d.SetHooks(db.Hooks{})
				if !errors.Is(err, broken) {
					t.Fatalf("commit %d: %v", at, err)
				}
				s.conserved(t)
				if b == nil { // the batch itself may not be there
					continue
				}
				batch = b.ID
				again, err := s.ResumeGenerate(t.Context(), batch, nil)
				if persisted && at == 4 {
					if fault.CodeOf(err) != "vault.batch_not_filling" {
						t.Errorf("a whole batch goes on: %v", err)
					}
					continue
				}
				if err != nil || again.State != vault.Ready || again.Counts.Available != 11_000 {
					t.Fatalf("commit %d: %+v, %v", at, again, err)
				}
				s.conserved(t)
			}
		}
	})
}

func TestVoidIsForGood(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		codes := s.codes(t, s.generate(t, 10))
		void := func(c ...id.Code) error {
			return s.VoidCodes(t.Context(), flow.VoidCodes{Codes: c, Reason: "leaked", By: "ops"})
		}
		if err := void(codes[0].ID, codes[1].ID); err != nil {
			t.Fatal(err)
		}
		if st := s.conserved(t); st.Available != 8 || st.Voided != 2 {
			t.Errorf("%+v", st)
		}
		if err := void(codes[2].ID, codes[0].ID); fault.CodeOf(err) != "vault.code_void" {
			t.Errorf("voided twice: %v", err)
		}
		if err := s.VoidCodes(t.Context(), flow.VoidCodes{Codes: []id.Code{codes[2].ID}, By: "ops"}); fault.CodeOf(err) != "vault.reason" {
			t.Errorf("without a reason: %v", err)
		}
		if err := d.Do(t.Context(), func(tx *db.Tx) error { // eight wants take what is left, never a void one
			var wants []vault.Want
			for range 10 {
				wants = append(wants, vault.Want{Right: id.New[id.Right](), Stock: s.stock})
			}
			book, err := s.Inventory.Open(t.Context(), tx, []id.Stock{s.stock}, nil)
			if err != nil {
				return err
			}
			given, err := flowtest.Pick(t.Context(), tx, s.Codes, wants, s.clock.Now())
			if err != nil {
				return err
			}
			if len(given) != 8 || !book.Take("", "", map[id.Stock]int64{s.stock: 1}, 8) {
				t.Errorf("%d codes picked", len(given))
			}
			if err := s.Inventory.Save(t.Context(), tx, book, codesNow); err != nil {
				return err
			}
			return s.Codes.Deliver(t.Context(), tx, given, codesNow)
		}); err != nil {
			t.Fatal(err)
		}
		if err := void(codes[5].ID); fault.CodeOf(err) != "vault.code_delivered" {
			t.Errorf("a sold code is voided: %v", err)
		}
		s.conserved(t)
		if n := s.audited(t, "code.void"); n != 2 {
			t.Errorf("%d rows on the trail", n)
		}
	})
}

func TestCodesEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		s.generate(t, 5)
		if _, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "short", Issuer: "hufu", Format: vault.DefaultFormat, Count: 7,
			Expires: codesNow.Add(time.Hour), By: "ops"}, nil); err != nil {
			t.Fatal(err)
		}
		expire := func() int {
			n, err := s.ExpireCodes(t.Context(), 4)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := expire(); n != 0 {
			t.Errorf("%d ended before their time", n)
		}
		s.clock.Advance(time.Hour)
		if a, b, c := expire(), expire(), expire(); a != 4 || b != 3 || c != 0 {
			t.Errorf("%d, %d, %d ended", a, b, c)
		}
		if st := s.conserved(t); st.Available != 5 || st.Voided != 7 {
			t.Errorf("%+v", st)
		}
	})
}
