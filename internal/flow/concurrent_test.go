package flow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// scale is how much of a long test is run.
func scale(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

// together runs fn n times at once and waits for all.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// nodes gives the flows of as many processes as a kind of store allows side by side: SQLite
// has one, PostgreSQL here two, each with connections and memory of its own.
func nodes(t *testing.T, kind string) (*flowtest.Shop, []*flow.Flows) {
	t.Helper()
	store := dbtest.Store(t, kind)
	s := flowtest.New(t, dbtest.OpenStore(t, store))
	all := []*flow.Flows{s.Flows}
	if kind == "postgres" {
		all = append(all, s.Process(t, dbtest.OpenStore(t, store)))
	}
	return s, all
}

func eachKind(t *testing.T, fn func(t *testing.T, s *flowtest.Shop, all []*flow.Flows)) {
	t.Helper()
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, all := nodes(t, kind)
			fn(t, s, all)
		})
	}
}

// TestAThousandCopiesOfOneNotice has one notice come a thousand times at once, to every
// process: one effect, and every copy is answered as taken (P1, S22, I13, I18).
func TestAThousandCopiesOfOneNotice(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		offer := single(t, s, 5)
		p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 2})
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		var mu sync.Mutex
		verdicts := map[payment.Verdict]int{}
		n := scale(200, 1000)
		together(n, func(i int) {
			got, err := all[i%len(all)].Confirm(t.Context(), notice)
			if err != nil {
				t.Errorf("copy %d: %v", i, err)
			}
			mu.Lock()
			verdicts[got.Verdict]++
			mu.Unlock()
		})
		if verdicts[payment.Apply] != 1 || verdicts[payment.Duplicate] != n-1 {
			t.Errorf("verdicts %v", verdicts)
		}
		if u := s.Units(t, offer.Parts[0].Stock); u.Delivered != 2 || u.Available != 3 {
			t.Errorf("stock %+v", u)
		}
		if held := s.Held(t, p.Order.ID); len(held) != 2 {
			t.Errorf("%d rights", len(held))
		}
		clean(t, s)
	})
}

// TestOneTransactionForTwoOrders replays a paid transaction as if it had paid another order,
// at once in every process (P5): it is booked once.
func TestOneTransactionForTwoOrders(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		offer := single(t, s, 100)
		for range scale(5, 20) {
			a, b := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1}), placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
			first, _ := s.Gateway.Pay(a.Intent, a.Intent.Amount)
			replay := first
			replay.Event, replay.Intent = "evt-replay-"+first.Txn, b.Intent.ID
			var verdicts [2]payment.Verdict
			together(2, func(i int) {
				got, err := all[i%len(all)].Confirm(t.Context(), []flow.Confirm{first, replay}[i])
				if err != nil {
					t.Error(err)
				}
				verdicts[i] = got.Verdict
			})
			if verdicts != [2]payment.Verdict{payment.Apply, payment.Duplicate} && verdicts != [2]payment.Verdict{payment.Duplicate, payment.Apply} {
				t.Errorf("verdicts %v", verdicts)
			}
		}
		clean(t, s)
	})
}

// TestOneRequestEverywhere sends the same request to every process at once (I18): one order,
// and all hear of it.
func TestOneRequestEverywhere(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		offer := single(t, s, 500)
		for range scale(10, 40) {
			c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
			var mu sync.Mutex
			orders := map[id.Order]int{}
			together(8, func(i int) {
				p, err := all[i%len(all)].Place(t.Context(), c)
				if err != nil {
					t.Errorf("request %d: %v", i, err)
					return
				}
				mu.Lock()
				orders[p.Order.ID]++
				mu.Unlock()
			})
			if len(orders) != 1 {
				t.Errorf("one request made %v", orders)
			}
		}
		clean(t, s)
	})
}

// TestCancelAgainstPay has an order cancelled, paid and its unit wanted by another, all at
// once (P3, P9, P17): the unit goes to one of them, and who paid has it or gets the money back.
// In every other round the payment and the other wait for the order to be cancelled, so that it
// is in doubt who gets the unit.
func TestCancelAgainstPay(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		stock := s.Stock(t, "counted")
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
		tally := map[order.State]int{}
		for round := range scale(60, 200) {
			s.Receive(t, stock, 1)
			var a flow.Placed
			for err := errors.New("not yet"); err != nil; a, err = s.Place(ctx, flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})) {
				if fault.CodeOf(err) == "order.sold_out" {
					if err := s.RefreshGate(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			notice := s.Gateway.PayTwice(a.Intent) // the channel, asked, knows nothing of it yet
			var b flow.Placed
			var sold error
			var verdict payment.Verdict
			cancelled, told := make(chan struct{}), make(chan struct{})
			together(3, func(i int) {
				if i > 0 && round%2 == 1 {
					<-cancelled
				}
				switch f := all[i%len(all)]; i {
				case 0:
					defer close(cancelled)
					if err := f.Cancel(ctx, a.Order.ID); err != nil && fault.CodeOf(err) != "order.paid" {
						t.Errorf("cancel: %v", err)
					}
				case 1:
					defer close(told)
					got, err := f.Confirm(ctx, notice)
					if err != nil {
						t.Errorf("confirm: %v", err)
					}
					verdict = got.Verdict
				case 2: // asks again until the unit is this one's or the other's
					for over := false; !over; {
						select {
						case <-told:
							over = true
						default:
						}
						if b, sold = f.Place(ctx, flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})); sold == nil {
							return
						}
						if fault.CodeOf(sold) != "order.sold_out" {
							t.Errorf("place: %v", sold)
						}
						if err := f.RefreshGate(ctx); err != nil {
							t.Errorf("gate: %v", err)
						}
					}
				}
			})
			o, u := s.Look(t, a.Order.ID), s.Units(t, stock)
			tally[o.State]++
			switch {
			case sold == nil && (o.State != order.Shortage || verdict != payment.Late || u.Reserved != 1 || u.Available != 0):
				t.Fatalf("another has the unit, and the order is %s (%s), stock %+v", o.State, verdict, u)
			case sold != nil && (o.State != order.Fulfilled || u.Reserved != 0 || u.Available != 0):
				t.Fatalf("nobody else has the unit, and the order is %s (%s), stock %+v", o.State, verdict, u)
			}
			if sold == nil { // its turn is over, too
				if _, err := s.Confirm(ctx, s.Gateway.PayTwice(b.Intent)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if tally[order.Fulfilled] == 0 || tally[order.Shortage] == 0 {
			t.Errorf("the same one wins every time: %v", tally)
		}
		if _, err := s.SendRefunds(ctx, 1000); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
	})
}

// TestNeverOversold has every process sell what few there are to many who pay, cancel or
// walk away, while stock comes in (I8, I10).
func TestNeverOversold(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		codes, seats := s.Stock(t, "codes"), s.Stock(t, "counted")
		s.Codes(t, codes, 40)
		s.Receive(t, seats, 30)
		single := s.Sell(t, 500, "", flowtest.Part{Stock: codes, Coded: true, Quantity: 1})
		bundle := s.Sell(t, 900, seats, flowtest.Part{Stock: codes, Coded: true, Quantity: 1})
		together(16, func(i int) {
			f := all[i%len(all)]
			for n := range scale(10, 40) {
				want := []flowtest.Want{{Offer: single, Quantity: 1 + int64(n%2)}}
				if (n+i)%3 == 0 {
					want = append(want, flowtest.Want{Offer: bundle, Quantity: 1})
				}
				if i == 0 && n%10 == 9 {
					s.Codes(t, codes, 5)
				}
				p, err := f.Place(ctx, flowtest.Order(want...))
				switch {
				case fault.CodeOf(err) == "order.sold_out":
					if err := f.RefreshGate(ctx); err != nil {
						t.Errorf("refresh: %v", err)
					}
					continue
				case err != nil:
					t.Errorf("place: %v", err)
					continue
				}
				switch (n + i) % 5 {
				case 0:
					err = f.Cancel(ctx, p.Order.ID)
				case 1: // walks away
				case 2: // cancels and pays
					notice := s.Gateway.PayTwice(p.Intent)
					if err = f.Cancel(ctx, p.Order.ID); err == nil {
						_, err = all[n%len(all)].Confirm(ctx, notice)
					}
				default:
					notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
					_, err = all[n%len(all)].Confirm(ctx, notice)
				}
				if err != nil {
					t.Errorf("%d: %v", (n+i)%5, err)
				}
			}
		})
		clean(t, s)
		s.Time.Advance(flow.HoldFor)
		for _, work := range []func(context.Context, int) (int, error){s.ExpireDue, s.SendRefunds} {
			if _, err := work(ctx, 10_000); err != nil {
				t.Fatal(err)
			}
		}
		if u := s.Units(t, codes); u.Reserved != 0 {
			t.Errorf("stock %+v", u)
		}
		clean(t, s)
	})
}

// TestABadCommandHarmsNoOther puts commands that must fail, one of them by a fault of the
// program's own books, into the same transactions as good ones: each gets its own answer.
func TestABadCommandHarmsNoOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		ctx := t.Context()
		good, empty := single(t, s, 200), single(t, s, 1)
		placed(t, s, flowtest.Want{Offer: empty, Quantity: 1})
		used := flowtest.Order(flowtest.Want{Offer: good, Quantity: 1})
		if _, err := s.Place(ctx, used); err != nil {
			t.Fatal(err)
		}
		used.RequestHash = []byte("another body")
		n := 40
		together(n, func(i int) {
			c, want := flowtest.Order(flowtest.Want{Offer: good, Quantity: 1}), ""
			switch i % 5 {
			case 0:
				c.Lines[0].Offer, want = id.New[id.Offer](), "order.no_offer"
			case 1:
				c.Lines[0].Quantity, want = 11, "order.quantity"
			case 2:
				c, want = flowtest.Order(flowtest.Want{Offer: empty, Quantity: 1}), "order.sold_out"
			case 3:
				c, want = used, "idempotency.reused"
			}
			if _, err := s.Place(ctx, c); fault.CodeOf(err) != want {
				t.Errorf("place %d: %v, want %q", i, err, want)
			}
		})

		// An order whose state contradicts its payment makes the whole batch fail.
		broken := placed(t, s, flowtest.Want{Offer: good, Quantity: 1})
		if err := d.Script(ctx, `UPDATE orders SET state = 'refunded' WHERE id = '`+string(broken.Order.ID)+`';`); err != nil {
			t.Fatal(err)
		}
		party := id.New[id.Party]()
		poor := flowtest.Order(flowtest.Want{Offer: good, Quantity: 1})
		poor.Gateway, poor.Party = payment.Balance, party
		unpayable, err := s.Place(ctx, poor)
		if err != nil {
			t.Fatal(err)
		}
		var ps []flow.Placed
		for range n {
			ps = append(ps, placed(t, s, flowtest.Want{Offer: good, Quantity: 1}))
		}
		together(n+3, func(i int) {
			switch i {
			case n:
				if _, err := s.Confirm(ctx, s.Gateway.PayTwice(broken.Intent)); err == nil {
					t.Error("the broken order was paid")
				}
			case n + 1:
				if err := s.PayBalance(ctx, unpayable.Order.ID, party); fault.CodeOf(err) != "ledger.insufficient" {
					t.Errorf("an empty balance paid: %v", err)
				}
			case n + 2:
				c := s.Gateway.PayTwice(ps[0].Intent)
				c.Intent = id.New[id.Intent]()
				if got, err := s.Confirm(ctx, c); err != nil || got.Verdict != payment.Unknown {
					t.Errorf("an unknown intent: %v %v", got, err)
				}
			default:
				notice, _ := s.Gateway.Pay(ps[i].Intent, ps[i].Intent.Amount)
				if got, err := s.Confirm(ctx, notice); err != nil || got.Verdict != payment.Apply {
					t.Errorf("a good payment: %v %v", got, err)
				}
			}
		})
		if err := d.Script(ctx, `UPDATE orders SET state = 'pending' WHERE id = '`+string(broken.Order.ID)+`';`); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
	})
}

// TestOneBalancePaysOnce has a balance that covers one order asked to pay for many at once,
// in every process (I3).
func TestOneBalancePaysOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		offer := s.Sell(t, 1990, "", flowtest.Part{Quantity: 1}) // without a stock, whose lock would hide a missing one
		party := id.New[id.Party]()
		if err := s.Credit(ctx, party, money.Of(2*1990+5, money.CNY), true, string(party), "paid in", "pty_ops", "console"); err != nil {
			t.Fatal(err)
		}
		var orders []id.Order
		for range 12 {
			c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
			c.Gateway, c.Party = payment.Balance, party
			p, err := s.Place(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			orders = append(orders, p.Order.ID)
		}
		together(len(orders)*2, func(i int) {
			if err := all[i%len(all)].PayBalance(ctx, orders[i/2], party); err != nil && fault.CodeOf(err) != "ledger.insufficient" {
				t.Errorf("pay: %v", err)
			}
		})
		paid := 0
		for _, o := range orders {
			if s.Look(t, o).State == order.Fulfilled {
				paid++
			}
		}
		if paid != 2 {
			t.Errorf("%d orders were paid out of a balance for 2", paid)
		}
		clean(t, s)
	})
}

// TestCodesHeldByAnotherAreWaitedFor has a code locked by other work while its order is
// paid: that is no shortage (P15).
func TestCodesHeldByAnotherAreWaitedFor(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	s := flowtest.New(t, dbtest.OpenStore(t, store))
	other := dbtest.OpenStore(t, store)
	ctx := t.Context()
	offer := single(t, s, 1)
	p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
	notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
	done := make(chan error, 1)
	err := other.Do(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, lockAllCodes); err != nil {
			return err
		}
		go func() {
			_, err := s.Confirm(ctx, notice)
			done <- err
		}()
		for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); {
			var waiting int64
			if _, err := tx.One(ctx, locksWaitedFor, []any{&waiting}); err != nil || waiting > 0 {
				return err
			}
			if len(done) > 0 {
				return nil
			}
		}
		return errors.New("neither answered nor waiting")
	})
	if err = errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if o := s.Look(t, p.Order.ID); o.State != order.Fulfilled {
		t.Errorf("the order is %s", o.State)
	}
	clean(t, s)
}

var (
	lockAllCodes   = db.SQL("flow_test.lock_codes", `UPDATE codes SET state = state`)
	locksWaitedFor = db.SQL("flow_test.locks", `SELECT COUNT(*) FROM pg_locks WHERE NOT granted`)
)

// TestTheGateBelievesTheLastCommit has a commit that sold the last unit told of after the
// one that brought a unit in: what is there can be bought (S9).
func TestTheGateBelievesTheLastCommit(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	d, err := db.Open(t.Context(), db.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	var mu sync.Mutex
	var committed, goOn chan struct{}
	d.SetHooks(db.Hooks{AfterCommit: func() error {
		mu.Lock()
		c, g := committed, goOn
		committed, goOn = nil, nil
		mu.Unlock()
		if c != nil {
			close(c)
			<-g
		}
		return nil
	}})
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := flowtest.New(t, d)
	stock := s.Stock(t, "counted")
	s.Receive(t, stock, 1)
	offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
	arrived, release := make(chan struct{}), make(chan struct{})
	mu.Lock()
	committed, goOn = arrived, release
	mu.Unlock()
	done := make(chan error, 1)
	go func() {
		_, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
		done <- err
	}()
	<-arrived
	s.Receive(t, stock, 1)
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
	clean(t, s)
}

// TestEachRevealIsAStep shows the codes of one order many times at once, to two people: each
// showing stands on the path, under who asked for it (C3, G1).
func TestEachRevealIsAStep(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		p := placed(t, s, flowtest.Want{Offer: single(t, s, 5), Quantity: 2})
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		const n = 40
		together(n, func(i int) {
			shown, err := all[i%len(all)].Reveal(t.Context(), flow.Reveal{Order: p.Order.ID, Actor: []string{"guest", "member"}[i%2], Data: "{}"})
			if err != nil || len(shown) != 2 {
				t.Errorf("showing %d: %d codes, %v", i, len(shown), err)
			}
		})
		for _, r := range s.Held(t, p.Order.ID) {
			var paths map[id.Right][]entitlement.Step
			if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
				paths, err = s.Rights.Path(t.Context(), tx, []id.Right{r.ID})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			by := map[string]int{}
			for _, step := range paths[r.ID] {
				if step.Kind == entitlement.StepRevealed {
					by[step.Actor]++
				}
			}
			if by["guest"] != n/2 || by["member"] != n/2 {
				t.Errorf("%d showings left %v", n, by)
			}
			if at := entitlement.Check(*r, paths[r.ID]); at != 0 {
				t.Errorf("the path doesn't fit at step %d", at)
			}
		}
	})
}
