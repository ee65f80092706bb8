package flow_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/vault"
)

// watched opens a shop whose locks are recorded.
func watched(t *testing.T, kind string) (*flowtest.Shop, *flowtest.Locks) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Store: dbtest.Store(t, kind)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	l := new(flowtest.Locks)
	d.SetHooks(l.Hooks())
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return flowtest.New(t, d), l
}

// lockOrder is the order in which rows are locked, table by table: docs/ARCHITECTURE.md.
var lockOrder = []string{"orders", "payment_intents", "refunds", "rights", "ledger_accounts", "stocks", "order_tallies", "vault_keys", "code_counters",
	"imports", "exceptions", "jobs", "attempts", "audit_heads"}

// lockOwner names, for rows that are only locked by who has their owner locked, the owner's
// table: among themselves they need no order.
var lockOwner = map[string]string{"order_lines": "orders", "reservations": "stocks", "code_batches": "stocks", "codes": "stocks", "code_index": "stocks"}

// leased are rows of one import, which only the worker that has its lease touches.
var leased = []string{"import_files", "import_problems"}

// misplaced is the first table of a transaction that is locked out of order, "" for none.
func misplaced(tx []string) string {
	at := -1
	for i, table := range tx {
		if owner, ok := lockOwner[table]; ok {
			if !slices.Contains(tx[:i], owner) {
				return table
			}
			continue
		}
		if slices.Contains(leased, table) {
			continue
		}
		n := slices.Index(lockOrder, table)
		if n <= at {
			return table
		}
		at = n
	}
	return ""
}

// Every flow locks rows in one order, so that no two wait for each other (F25, I30).
func TestLocksAreTakenInOneOrder(t *testing.T) {
	for want, tx := range map[string][]string{
		"orders": {"stocks", "orders"}, "payment_intents": {"rights", "payment_intents"}, "codes": {"codes", "stocks"}, "offers": {"orders", "offers"},
		"": {"orders", "order_lines", "stocks", "codes", "code_batches", "reservations", "audit_heads"},
	} {
		if got := misplaced(tx); got != want {
			t.Errorf("%v: misplaced %q, want %q", tx, got, want)
		}
	}
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, l := watched(t, kind)
			seen := map[string]bool{}
			for _, st := range slices.Concat(steps, moreSteps) {
				t.Run(st.name, func(t *testing.T) {
					run := st.prepare(t, s, single(t, s, 5))
					l.Take()
					if err := run(); err != nil {
						t.Fatal(err)
					}
					for _, tx := range l.Take() {
						if table := misplaced(tx); table != "" {
							t.Errorf("%s is locked out of order: %s", table, strings.Join(tx, ", "))
						}
						for _, table := range tx {
							seen[table] = true
						}
					}
				})
			}
			for _, table := range slices.Concat(lockOrder, slices.Collect(maps.Keys(lockOwner)), leased) {
				if !seen[table] {
					t.Errorf("no flow locked %s: what is declared of it says nothing", table)
				}
			}
		})
	}
}

// ofCodes is the flows of codes on a shop's database, with a stock of their own.
func ofCodes(t *testing.T, s *flowtest.Shop) *codeShop {
	t.Helper()
	c := &codeShop{clock: s.Time, file: s.KeyFile, stock: s.Stock(t, inventory.Codes)}
	c.Flows = c.process(t, s.DB)
	return c
}

// moreSteps are what else changes units, codes, money and keys.
var moreSteps = []step{
	{"refund to a balance", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		party := id.New[id.Party]()
		if err := s.Credit(t.Context(), party, money.Of(3980, money.CNY), true, string(party), "paid in", "pty_ops", "console"); err != nil {
			t.Fatal(err)
		}
		c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 2})
		c.Gateway, c.Party = payment.Balance, party
		p, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		shown := ofCodes(t, s).codes(t, batchOf(t, s, o))
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error { // behind the product's back: a code short
			return vault.MoveCodes(t.Context(), tx, shown[:4], vault.CodeVoid)
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.PayBalance(t.Context(), p.Order.ID, party); err != nil {
			t.Fatal(err)
		}
		return func() error {
			n, err := s.SendRefunds(t.Context(), 100)
			if n != 1 {
				t.Errorf("%d refunds", n)
			}
			return err
		}
	}},
	{"refund again and by hand", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		var refused [2]payment.Refund
		s.Gateway.RefuseRefunds(true)
		for i := range refused {
			p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
			s.Gateway.Pay(p.Intent, p.Intent.Amount)
			if err := s.Poll(t.Context(), p.Order.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Confirm(t.Context(), s.Gateway.PayTwice(p.Intent)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.SendRefunds(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
			if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
				all, err := s.Payments.RefundsOf(t.Context(), tx, []id.Order{p.Order.ID})
				refused[i] = all[0]
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		s.Gateway.RefuseRefunds(false)
		return func() error {
			if _, err := s.RefundAgain(t.Context(), flow.RefundAgain{Refund: refused[0].ID, Reason: "r", By: "ops"}); err != nil {
				return err
			}
			if _, err := s.SendRefunds(t.Context(), 100); err != nil {
				return err
			}
			if _, err := s.RefundByHand(t.Context(), flow.RefundByHand{Refund: refused[1].ID, Way: payment.ByBank, Reference: "B1", Reason: "r", By: "ops"}); err != nil {
				return err
			}
			_, err := s.TakeNews(t.Context(), flow.News{Provider: flowtest.Channel, Notice: paygate.Notice{EventID: "late", Kind: paygate.NoticeRefund, Refund: paygate.RefundNews{RefundNo: string(refused[1].ID), State: paygate.RefundDone, Amount: refused[1].Amount}}})
			return err
		}
	}},
	{"poll silent", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		s.Gateway.Pay(p.Intent, p.Intent.Amount)
		s.Time.Advance(time.Minute)
		return func() error {
			_, err := s.PollSilent(t.Context(), 100)
			return err
		}
	}},
	{"reveal by staff", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		c := ofCodes(t, s)
		shown := c.codes(t, c.generate(t, 1))
		return func() error {
			for range 2 {
				if _, _, err := c.RevealCode(t.Context(), flow.RevealCode{Code: shown[0].ID, Reason: "asked", By: "ops"}); err != nil {
					return err
				}
			}
			return nil
		}
	}},
	{"generate", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		return func() error {
			_, err := c.GenerateCodes(t.Context(), flow.Generate{Stock: c.stock, Name: "b", Issuer: "hufu", Format: vault.DefaultFormat, Count: 20, By: "ops"}, nil)
			return err
		}
	}},
	{"void codes", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		shown := c.codes(t, c.generate(t, 3))
		return func() error {
			return c.VoidCodes(t.Context(), flow.VoidCodes{Codes: []id.Code{shown[1].ID}, Reason: "leaked", By: "ops"})
		}
	}},
	{"expire codes", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		if _, err := c.ExpireCodes(t.Context(), 100); err != nil { // of the steps before
			t.Fatal(err)
		}
		if _, err := c.GenerateCodes(t.Context(), flow.Generate{Stock: c.stock, Name: "b", Issuer: "hufu", Format: vault.DefaultFormat, Count: 3,
			Expires: s.Clock.Now().Add(time.Minute), By: "ops"}, nil); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(time.Hour)
		return func() error {
			n, err := c.ExpireCodes(t.Context(), 100)
			if n != 3 {
				t.Errorf("%d codes ended", n)
			}
			return err
		}
	}},
	{"an order under a limit", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		o = s.Limit(t, o, oneEach, fiveInAll)
		return func() error {
			return s.Cancel(t.Context(), placed(t, s, flowtest.Want{Offer: o, Quantity: 1}).Order.ID)
		}
	}},
	{"an order under a limit, paid late", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		o = s.Limit(t, o, twoADay, fiveInAll)
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		notice := s.Gateway.PayTwice(p.Intent)
		if err := s.Cancel(t.Context(), p.Order.ID); err != nil {
			t.Fatal(err)
		}
		return func() error {
			_, err := s.Confirm(t.Context(), notice)
			return err
		}
	}},
	{"undo a batch", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		b := c.generate(t, 10)
		return func() error { return c.UndoBatch(t.Context(), b.ID, "ops", "test") }
	}},
	{"import and undo", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		return func() error {
			if i := c.start(t, c.checked(t, file(0, 10), upstream)); i.State != vault.ImportDone {
				t.Fatalf("%+v", i)
			} else if _, err := c.UndoImport(t.Context(), i.ID, act); err != nil {
				return err
			} else if i = c.work(t, i); i.State != vault.ImportUndone {
				t.Fatalf("%+v", i)
			}
			whole := upstream
			whole.WholeOnly = true
			c.start(t, c.checked(t, file(100, 10), whole))
			return c.PruneImports(t.Context())
		}
	}},
	{"rotate keys", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		c := ofCodes(t, s)
		c.generate(t, 10)
		return func() error { return c.RotateKeys(t.Context(), c.rotation(t), nil) }
	}},
}

func batchOf(t *testing.T, s *flowtest.Shop, o flowtest.Offer) *vault.Batch {
	t.Helper()
	var all []*vault.Batch
	if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
		all, err = vault.Batches(t.Context(), tx, o.Parts[0].Stock, "", 10)
		return err
	}); err != nil || len(all) != 1 {
		t.Fatalf("%d batches, %v", len(all), err)
	}
	return all[0]
}
