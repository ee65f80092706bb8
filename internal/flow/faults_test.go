package flow_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/payment"
)

// trap makes the database of a shop fail once, when it is set.
type trap struct {
	mu     sync.Mutex
	stmt   string // fail before the statement of this name
	before bool   // fail the commit
	after  bool   // commit, and say that it failed
	sprung int
	seen   map[string]bool // statements run while watching
}

var errTrap = errors.New("the test makes this fail")

func (tr *trap) hooks() db.Hooks {
	spring := func(on *bool) func() error {
		return func() error {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			if !*on {
				return nil
			}
			*on = false
			tr.sprung++
			return errTrap
		}
	}
	return db.Hooks{BeforeCommit: spring(&tr.before), AfterCommit: spring(&tr.after), Stmt: func(name string) error {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		if tr.seen != nil {
			tr.seen[name] = true
		}
		if name != tr.stmt {
			return nil
		}
		tr.stmt = ""
		tr.sprung++
		return errTrap
	}}
}

func (tr *trap) set(fn func()) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	fn()
}

// trapped opens a shop on a database that can be made to fail.
func trapped(t *testing.T, kind string) (*flowtest.Shop, *trap) {
	t.Helper()
	store := dbtest.Store(t, kind)
	d, err := db.Open(t.Context(), db.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	tr := new(trap)
	d.SetHooks(tr.hooks())
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return flowtest.New(t, d), tr
}

// step is a flow that is made to fail, and repeated by whoever asked for it.
type step struct {
	name    string
	prepare func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error
}

// steps repeat a request as its sender would: until it is answered.
var steps = []step{
	{"place", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 2})
		return func() error {
			_, err := s.Place(t.Context(), c)
			return err
		}
	}},
	{"confirm", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 2})
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		return func() error {
			_, err := s.Confirm(t.Context(), notice)
			return err
		}
	}},
	{"confirm short", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 2})
		notice := s.Gateway.PayTwice(p.Intent)
		if err := s.Cancel(t.Context(), p.Order.ID); err != nil {
			t.Fatal(err)
		}
		for s.Units(t, o.Parts[0].Stock).Available > 1 {
			placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		}
		return func() error {
			_, err := s.Confirm(t.Context(), notice)
			return err
		}
	}},
	{"second capture", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		notice := s.Gateway.PayTwice(p.Intent)
		return func() error {
			_, err := s.Confirm(t.Context(), notice)
			return err
		}
	}},
	{"mismatch", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		notice := s.Gateway.PayTwice(p.Intent)
		notice.Amount = money.Of(1, money.CNY)
		return func() error {
			_, err := s.Confirm(t.Context(), notice)
			return err
		}
	}},
	{"reveal", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		return func() error {
			_, err := s.Reveal(t.Context(), flow.Reveal{Order: p.Order.ID, Actor: "guest", Data: "{}"})
			return err
		}
	}},
	{"cancel", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		return func() error {
			err := s.Cancel(t.Context(), p.Order.ID)
			if fault.CodeOf(err) == "order.closed" { // the first attempt had done it
				return nil
			}
			return err
		}
	}},
	{"expire", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		s.Time.Advance(flow.HoldFor)
		return func() error {
			s.Time.Advance(time.Minute) // past the lease of an attempt that failed
			_, err := s.ExpireDue(t.Context(), 100)
			return err
		}
	}},
	{"expire paid unheard", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := placed(t, s, flowtest.Want{Offer: o, Quantity: 1})
		s.Gateway.Pay(p.Intent, p.Intent.Amount)
		s.Time.Advance(flow.HoldFor)
		return func() error {
			s.Time.Advance(time.Minute) // past the lease of an attempt that failed
			_, err := s.ExpireDue(t.Context(), 100)
			return err
		}
	}},
	{"refund", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		p := s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		if _, err := s.Confirm(t.Context(), s.Gateway.PayTwice(p.Intent)); err != nil {
			t.Fatal(err)
		}
		return func() error {
			s.Time.Advance(2 * flow.HoldFor) // past the lease of an attempt that failed
			_, err := s.SendRefunds(t.Context(), 100)
			return err
		}
	}},
	{"jobs", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		return func() error {
			s.Time.Advance(2 * flow.HoldFor)
			_, err := s.WorkJobs(t.Context(), 100)
			return err
		}
	}},
	{"release", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		o = s.Change(t, o, func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 3}
		})
		s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		s.Time.Advance(3 * 24 * time.Hour)
		return func() error {
			_, err := s.ReleaseRights(t.Context(), 100)
			return err
		}
	}},
	{"release short", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		o = s.Change(t, o, func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 2}
		})
		s.Buy(t, flowtest.Want{Offer: o, Quantity: 1})
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), endStock, o.Parts[0].Stock); return err }); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(24 * time.Hour)
		return func() error {
			_, err := s.ReleaseRights(t.Context(), 100)
			return err
		}
	}},
	{"choose", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		o := choosing(t, s, catalogue.Choice{Pick: 1, Later: true, Days: 30}, coded(t, s, 2), coded(t, s, 2))
		r := s.Held(t, s.Buy(t, flowtest.Want{Offer: o, Quantity: 1}).Order.ID)[0]
		return func() error {
			_, err := s.Choose(t.Context(), flow.Choose{Order: r.Order, Right: r.ID, Parts: []int{1}, Actor: "guest"})
			return err
		}
	}},
	{"activate", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		o = s.Change(t, o, func(c *catalogue.Content) {
			c.Parts[0].Validity = catalogue.Validity{From: catalogue.FromActivation, Days: 30}
		})
		r := s.Held(t, s.Buy(t, flowtest.Want{Offer: o, Quantity: 1}).Order.ID)[0]
		return func() error {
			_, err := s.Activate(t.Context(), flow.Activate{Order: r.Order, Right: r.ID, Actor: "guest"})
			return err
		}
	}},
	{"balance", func(t *testing.T, s *flowtest.Shop, o flowtest.Offer) func() error {
		party := id.New[id.Party]()
		if err := s.Credit(t.Context(), party, money.Of(1990, money.CNY), true, string(party), "paid in", "pty_ops", "console"); err != nil {
			t.Fatal(err)
		}
		c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
		c.Gateway, c.Party = payment.Balance, party
		p, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return func() error { return s.PayBalance(t.Context(), p.Order.ID, party) }
	}},
	{"credit", func(t *testing.T, s *flowtest.Shop, _ flowtest.Offer) func() error {
		party := id.New[id.Party]()
		return func() error {
			err := s.Credit(t.Context(), party, money.Of(500, money.CNY), true, string(party), "paid in", "pty_ops", "console")
			if fault.CodeOf(err) == "ledger.reference" { // the first attempt had done it
				return nil
			}
			return err
		}
	}},
}

var endStock = db.SQL("flow_test.end_stock", `UPDATE codes SET expires_at = 1 WHERE stock_id = $1 AND state = 'available'`)

// census counts what a step may change, to tell one effect from two and from a half.
func census(t *testing.T, d *db.DB) [12]int64 {
	t.Helper()
	var c [12]int64
	err := d.View(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
		_, err := tx.One(t.Context(), countEverything, []any{&c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7], &c[8], &c[9], &c[10], &c[11]})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var countEverything = db.SQL("flow_test.census", `SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM orders WHERE state <> 'pending'), (SELECT COUNT(*) FROM reservations WHERE state = 'live'),
(SELECT COUNT(*) FROM payment_captures), (SELECT COUNT(*) FROM payment_notices), (SELECT COUNT(*) FROM refunds), (SELECT COUNT(*) FROM refunds WHERE state = 'done'),
(SELECT COUNT(*) FROM rights), (SELECT COUNT(*) FROM codes WHERE state = 'delivered'), (SELECT COUNT(*) FROM ledger_transfers), (SELECT COUNT(*) FROM jobs), (SELECT COUNT(*) FROM exceptions)`)

// TestEachStepFailedAndRepeated fails every statement of every flow, its commit, and its
// answer after it has committed, and then repeats the flow as its sender would: there is
// exactly one effect, the one of a run that nothing disturbed (P1, P8, P11, I13, I18, I19).
func TestEachStepFailedAndRepeated(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, tr := trapped(t, kind)
			for _, st := range steps {
				t.Run(st.name, func(t *testing.T) {
					effect := func(set func(), want int) ([12]int64, []string) {
						t.Helper()
						// A stock of its own, so that every run begins alike.
						again := st.prepare(t, s, single(t, s, 5))
						start, sprung := census(t, s.DB), tr.sprung
						tr.set(set)
						tr.set(func() { tr.seen = map[string]bool{} })
						err := again()
						for n := 0; err != nil && n < 5; n++ {
							err = again()
						}
						if err != nil {
							t.Fatalf("repeated, and still %v", err)
						}
						seen := slices.Sorted(maps.Keys(tr.seen))
						tr.set(func() { tr.stmt, tr.before, tr.after, tr.seen = "", false, false, nil })
						if got := tr.sprung - sprung; got != want {
							t.Fatalf("the trap sprang %d times, want %d", got, want)
						}
						end := census(t, s.DB)
						for i := range end {
							end[i] -= start[i]
						}
						// Bring the rest to its end, so that the next run finds nothing of it.
						s.Time.Advance(2 * flow.HoldFor)
						for _, work := range []func(context.Context, int) (int, error){s.ExpireDue, s.ReleaseRights, s.SendRefunds, s.WorkJobs} {
							if _, err := work(t.Context(), 1000); err != nil {
								t.Fatal(err)
							}
						}
						return end, seen
					}
					effect(func() {}, 0) // accounts and caches are there from now on
					want, names := effect(func() {}, 0)
					for i, name := range names {
						if testing.Short() && i%6 != 0 {
							continue
						}
						if got, _ := effect(func() { tr.stmt = name }, 1); got != want {
							t.Errorf("%s failed: effect %v, want %v", name, got, want)
						}
					}
					if got, _ := effect(func() { tr.before = true }, 1); got != want {
						t.Errorf("commit failed: effect %v, want %v", got, want)
					}
					if got, _ := effect(func() { tr.after = true }, 1); got != want {
						t.Errorf("failed after having committed: effect %v, want %v", got, want)
					}
				})
			}
			clean(t, s)
		})
	}
}
