package flow_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/money"
)

// again is how a database asks for a transaction to be run again: PostgreSQL by a state
// (serialization failure, deadlock, lock not available), SQLite by a code (busy).
type again struct {
	state string
	code  int
}

func (e again) Error() string    { return fmt.Sprintf("again: %s%d", e.state, e.code) }
func (e again) SQLState() string { return e.state }
func (e again) Code() int        { return e.code }

// asking opens a shop whose database asks, in a share of its transactions, for a repeat:
// at the commit, or at a statement on the way.
func asking(t *testing.T, kind string) (s *flowtest.Shop, share *atomic.Int64, commits *atomic.Int64) {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Store: dbtest.Store(t, kind)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	share, commits = new(atomic.Int64), new(atomic.Int64)
	ask := func(per100 int64) error {
		switch {
		case rand.Int64N(100) >= per100:
			return nil
		case kind == "sqlite":
			return again{code: 5}
		}
		return again{state: []string{"40001", "40P01", "55P03"}[rand.N(3)]}
	}
	d.SetHooks(db.Hooks{
		Stmt: func(name string) error {
			if share.Load() == 0 || name == "" {
				return nil
			}
			return ask(share.Load() / 30) // a transaction has 5 to 20 statements
		},
		BeforeCommit: func() error { commits.Add(1); return ask(share.Load()) },
	})
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return flowtest.New(t, d), share, commits
}

// F25: at least 30 % of all transactions meet a deadlock or a serialization failure. They
// are run again; what is not answered in the end is refused as a whole, with a fault that
// says to try again, and tried again has one effect. Nothing is half done.
func TestTransactionsThatMustBeRunAgain(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, share, _ := asking(t, kind)
			const shoppers, each = 4, 8
			offer := single(t, s, shoppers*each)
			share.Store(30)
			persist := func(what string, act func() error) {
				for range 20 {
					err := act()
					if err == nil {
						return
					}
					if k := fault.KindOf(err); fault.CodeOf(err) == "" || k != fault.Unavailable && k != fault.Conflict {
						t.Errorf("%s: %v is no clean answer", what, err)
						return
					}
				}
				t.Errorf("%s: never answered", what)
			}
			var all sync.WaitGroup
			var bought, cancelled atomic.Int64
			for n := range shoppers {
				all.Go(func() {
					ctx := context.WithoutCancel(t.Context())
					for i := range each {
						c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
						var p flow.Placed
						persist("place", func() (err error) { p, err = s.Place(ctx, c); return err })
						if p.Order == nil {
							return
						}
						if (n+i)%4 == 3 {
							persist("cancel", func() error {
								err := s.Cancel(ctx, p.Order.ID)
								if fault.CodeOf(err) == "order.closed" {
									return nil // the first attempt had done it
								}
								return err
							})
							cancelled.Add(1)
							continue
						}
						notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
						persist("confirm", func() error { _, err := s.Confirm(ctx, notice); return err })
						persist("reveal", func() error {
							_, err := s.Reveal(ctx, flow.Reveal{Order: p.Order.ID, Actor: "guest", Data: "{}"})
							return err
						})
						if i%3 == 0 {
							again := s.Gateway.PayTwice(p.Intent)
							persist("paid twice", func() error { _, err := s.Confirm(ctx, again); return err })
							persist("refund", func() error { _, err := s.SendRefunds(ctx, 10); return err })
						}
						bought.Add(1)
					}
				})
			}
			all.Wait()
			share.Store(0)
			got := census(t, s.DB)
			if orders := bought.Load() + cancelled.Load(); got[0] != orders || got[7] != bought.Load() || got[8] != bought.Load() || got[10] != bought.Load() {
				t.Errorf("%d bought, %d cancelled; in the store: %v", bought.Load(), cancelled.Load(), got)
			}
			clean(t, s)
		})
	}
}

// F25: a database that asks for a repeat every time is asked a bounded number of times, and
// then the caller hears that it may try later (503).
func TestRepeatsAreBounded(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, share, commits := asking(t, kind)
			offer := single(t, s, 5)
			p := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
			before := census(t, s.DB)
			for name, act := range map[string]func() error{
				"a lane": func() error {
					_, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
					return err
				},
				"a transaction": func() error {
					return s.Credit(t.Context(), "pty_00000000000000000000000001", money.Of(1, money.CNY), true, "ref", "r", "o", "c")
				},
				"a second payment": func() error { _, err := s.Confirm(t.Context(), s.Gateway.PayTwice(p.Intent)); return err },
			} {
				share.Store(100)
				commits.Store(0)
				err := act()
				share.Store(0)
				if fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "db.busy" {
					t.Errorf("%s: %v", name, err)
				}
				// A lane on SQLite tries once together with the others, and then by itself.
				if n := commits.Load(); n > 11 {
					t.Errorf("%s: tried %d times", name, n)
				}
			}
			if got := census(t, s.DB); got != before {
				t.Errorf("refused, and yet %v has become %v", before, got)
			}
			clean(t, s)
		})
	}
}
