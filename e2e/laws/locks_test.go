package laws

import (
	"context"
	"errors"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/job"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/payment"
)

var waiting = db.SQL("laws.waiting", `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)

// TestLocksAreWaitedFor: what one node has locked to decide on it, another node waits for.
func TestLocksAreWaitedFor(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	s := flowtest.New(t, dbtest.OpenStore(t, store))
	node := s.Process(t, dbtest.OpenStore(t, store))
	party, offer := id.New[id.Party](), single(t, s, 5)
	if err := s.Credit(t.Context(), party, money.Of(100, money.CNY), true, "ref", "paid in", "pty_ops", "console"); err != nil {
		t.Fatal(err)
	}
	offer = s.Limit(t, offer, catalogue.Limit{Max: 5, Window: catalogue.Ever, Of: catalogue.Person})
	pending, bought := placed(t, s, offer), s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
	for name, lock := range map[string]func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error{
		"stocks": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Inventory.Open(ctx, tx, nil, lines(p))
			return err
		},
		"orders": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Orders.Lock(ctx, tx, []id.Order{p.Order.ID})
			return err
		},
		"paid orders": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Orders.LockByIntents(ctx, tx, []id.Intent{p.Intent.ID})
			return err
		},
		"intents": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Payments.LockOf(ctx, tx, []id.Order{p.Order.ID})
			return err
		},
		"intents beside": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Payments.LockBeside(ctx, tx, []id.Intent{p.Intent.ID})
			return err
		},
		"rights": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Rights.LockOf(ctx, tx, []id.Order{p.Order.ID})
			return err
		},
		"limits": func(ctx context.Context, f *flow.Flows, tx *db.Tx, p flow.Placed) error {
			_, err := f.Orders.OpenTallies(ctx, tx, p.Order.Lines[0].Under.Names())
			return errors.Join(err, tx.Flush(ctx))
		},
		"accounts": func(ctx context.Context, f *flow.Flows, tx *db.Tx, _ flow.Placed) error {
			_, err := f.Ledger.Available(ctx, tx, []id.Account{ledger.Prepaid(party, money.CNY)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, p := t.Context(), pending
			if name == "rights" {
				p = bought
			}
			other := make(chan error, 1)
			err := s.DB.Do(ctx, func(tx *db.Tx) error {
				if err := errors.Join(lock(ctx, s.Flows, tx, p), tx.Flush(ctx)); err != nil {
					return err
				}
				go func() {
					other <- node.DB.Do(ctx, func(tx *db.Tx) error { return lock(ctx, node, tx, p) })
				}()
				for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); {
					if len(other) > 0 {
						return errors.New("the other node did not wait")
					}
					var n int64
					if _, err := tx.One(ctx, waiting, []any{&n}); err != nil || n > 0 {
						return err
					}
				}
				return errors.New("the other node neither waits nor goes on")
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-other; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWorkIsHandedOutOnce: what one worker has taken, another passes over without waiting.
func TestWorkIsHandedOutOnce(t *testing.T) {
	for name, take := range map[string]func(ctx context.Context, f *flow.Flows, tx *db.Tx) (int, error){
		"jobs": func(ctx context.Context, f *flow.Flows, tx *db.Tx) (int, error) {
			due, err := job.Due(ctx, tx, f.Clock.Now(), 100)
			return len(due), err
		},
		"refunds": func(ctx context.Context, f *flow.Flows, tx *db.Tx) (int, error) {
			due, err := f.Payments.ClaimRefunds(ctx, tx, f.Clock.Now(), 100, time.Minute)
			return len(due), err
		},
		"rights": func(ctx context.Context, f *flow.Flows, tx *db.Tx) (int, error) {
			due, err := f.Rights.LockDue(ctx, tx, f.Clock.Now(), 100)
			return len(due), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store := dbtest.Store(t, "postgres")
			s := flowtest.New(t, dbtest.OpenStore(t, store))
			node := s.Process(t, dbtest.OpenStore(t, store))
			ctx := t.Context()
			daily := s.Change(t, single(t, s, 5), func(c *catalogue.Content) {
				c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 2}
			})
			p := s.Buy(t, flowtest.Want{Offer: daily, Quantity: 1})
			if _, err := s.Confirm(ctx, s.Gateway.PayTwice(p.Intent)); err != nil {
				t.Fatal(err)
			}
			s.Time.Advance(24 * time.Hour)
			err := s.DB.Do(ctx, func(tx *db.Tx) error {
				n, err := take(ctx, s.Flows, tx)
				if err != nil || n != 1 {
					t.Errorf("the first worker got %d, %v", n, err)
				}
				var again int
				soon, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				err = node.DB.Do(soon, func(tx *db.Tx) error {
					var err error
					again, err = take(soon, node, tx)
					return err
				})
				if err != nil || again != 0 {
					t.Errorf("the second worker got %d, %v", again, err)
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				t.Error(err)
			}
		})
	}
}

// TestASleeperCantFinish: a worker that slept past its lease can't finish what another has
// taken over since.
func TestASleeperCantFinish(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		p := s.Buy(t, flowtest.Want{Offer: single(t, s, 5), Quantity: 1})
		if _, err := s.Confirm(ctx, s.Gateway.PayTwice(p.Intent)); err != nil {
			t.Fatal(err)
		}
		do := func(fn func(tx *db.Tx) error) {
			t.Helper()
			if err := s.DB.Do(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		var jobs [2][]job.Job
		var refunds [2][]payment.Refund
		for i := range 2 {
			do(func(tx *db.Tx) (err error) {
				if jobs[i], err = job.Claim(ctx, tx, s.Clock.Now(), 10, time.Minute); err != nil {
					return err
				}
				refunds[i], err = s.Payments.ClaimRefunds(ctx, tx, s.Clock.Now(), 10, time.Minute)
				return err
			})
			if len(jobs[i]) != 1 || len(refunds[i]) != 1 {
				t.Fatalf("worker %d has %d jobs and %d refunds", i, len(jobs[i]), len(refunds[i]))
			}
			s.Time.Advance(2 * time.Minute) // it sleeps
		}
		do(func(tx *db.Tx) error {
			return job.Finish(ctx, tx, s.Clock.Now(), []job.Outcome{{Job: jobs[0][0]}})
		})
		do(func(tx *db.Tx) error {
			r := refunds[0][0]
			r.State = payment.RefundDone
			ours, err := s.Payments.FinishRefund(ctx, tx, r)
			if ours {
				t.Error("the sleeper finished the refund")
			}
			return err
		})
		var depth job.Depth
		do(func(tx *db.Tx) (err error) { depth, err = job.Waiting(ctx, tx); return err })
		if depth.Running != 1 {
			t.Errorf("the sleeper finished the job: %+v", depth)
		}
	})
}
