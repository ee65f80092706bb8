package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/insight/verify"
	"hufu/internal/inventory"
	"hufu/internal/rule"
)

func allot(t testing.TB, f *flow.Flows, c inventory.Allotting) error {
	t.Helper()
	c.Reason, c.Actor = "test", "ops"
	return f.DB.Do(t.Context(), func(tx *db.Tx) error { return f.Inventory.Allot(t.Context(), tx, c, f.Clock.Now()) })
}

func allotted(t testing.TB, s *flowtest.Shop, stock id.Stock) map[string]inventory.Allotment {
	t.Helper()
	out := map[string]inventory.Allotment{}
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := s.Inventory.Allotments(t.Context(), tx, stock)
		for _, a := range all {
			out[a.Channel] = *a
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func in(channel string, c flow.Place) flow.Place { c.Channel = channel; return c }

// TestChannelsSellTheirOwn has channels buy, cancel, expire and pay late: what is of an
// allotment stays of it, also when it is made, moved and closed meanwhile.
func TestChannelsSellTheirOwn(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, _ []*flow.Flows) {
		ctx := t.Context()
		stock := s.Stock(t, "counted")
		s.Receive(t, stock, 10)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
		want := func(n int64) flow.Place { return flowtest.Order(flowtest.Want{Offer: offer, Quantity: n}) }
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: "web", Units: 4}))
		p, err := s.Place(ctx, in("web", want(4)))
		must(err)
		for range 2 { // from the database, then from the gate
			if _, err := s.Place(ctx, in("web", want(1))); fault.CodeOf(err) != "order.sold_out" {
				t.Fatalf("web sells more than its own: %v", err)
			}
		}
		other, err := s.Place(ctx, in("api", want(6)))
		must(err)
		if _, err := s.Place(ctx, in("api", want(1))); fault.CodeOf(err) != "order.sold_out" {
			t.Fatalf("api: %v", err)
		}
		late := s.Gateway.PayTwice(p.Intent)
		must(s.Cancel(ctx, p.Order.ID))
		must(s.Cancel(ctx, other.Order.ID))
		if a := allotted(t, s, stock)["web"]; a.Available != 4 || a.Reserved != 0 {
			t.Fatalf("%+v", a)
		}
		if _, err := s.Confirm(ctx, late); err != nil {
			t.Fatal(err)
		}
		if a := allotted(t, s, stock)["web"]; a.Delivered != 4 || a.Available != 0 {
			t.Fatalf("paid late: %+v", a)
		}
		clean(t, s)
		for code, c := range map[string]inventory.Allotting{
			"allotment.below_out": {Act: inventory.AllotSize, To: "web", Units: 3}, "allotment.too_few": {Act: inventory.AllotMove, To: "web", Units: 7},
			"allotment.none": {Act: inventory.AllotClose, To: "api"}, "allotment.invalid": {Act: inventory.AllotMove, From: "web", To: "web", Units: 1},
		} {
			c.Stock = stock
			if err := allot(t, s.Flows, c); fault.CodeOf(err) != code {
				t.Errorf("%+v: %v", c, err)
			}
		}
		must(allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotSize, To: "web", Units: 6}))
		held, err := s.Place(ctx, in("web", want(2)))
		must(err)
		must(allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotClose, To: "web"}))
		clean(t, s)
		s.Time.Advance(flow.HoldFor)
		if _, err := s.ExpireDue(ctx, 10); err != nil {
			t.Fatal(err)
		}
		if o := s.Look(t, held.Order.ID); o.State != "expired" {
			t.Fatalf("%s", o.State)
		}
		if u, a := s.Units(t, stock), allotted(t, s, stock)["web"]; u.Allotted != 0 || u.Available != 6 || a.Size != 4 || a.Open {
			t.Fatalf("%+v %+v", u, a)
		}
		if _, err := s.Place(ctx, in("web", want(6))); err != nil {
			t.Fatalf("what isn't allotted is for all: %v", err)
		}
		clean(t, s)
	})
}

// allotOp is something done to a stock with allotments; state is the units of each channel.
type allotOp struct {
	what, from, to string
	n              int64
}

func allotModel(begin map[string]int64, stale bool) porcupine.Model {
	channels := []string{"", "a", "b"}
	type state [3]int64
	return porcupine.Model{
		Init: func() any { return state{begin[""], begin["a"], begin["b"]} },
		Step: func(s, input, output any) (bool, any) {
			st, op, ok := s.(state), input.(allotOp), output.(bool)
			from, to := slices.Index(channels, op.from), slices.Index(channels, op.to)
			if op.what == "cancel" {
				st[from] += op.n
				return true, st
			}
			if !ok {
				return stale && op.what == "place" || st[from] < op.n, st
			}
			enough := st[from] >= op.n
			st[from] -= op.n
			if op.what == "move" {
				st[to] += op.n
			}
			return enough, st
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
	}
}

// TestAllotmentsAreLinearizable has channels sell while their allotments are moved, and asks
// porcupine whether a counter for each could have given all the answers.
func TestAllotmentsAreLinearizable(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		for round := range scale(2, 6) {
			nodes := all
			if round%2 == 0 {
				nodes = all[:1]
			}
			stock := s.Stock(t, "counted")
			s.Receive(t, stock, 12)
			offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
			for _, c := range []string{"a", "b"} {
				if err := allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: c, Units: 4}); err != nil {
					t.Fatal(err)
				}
			}
			channels := []string{"", "a", "b"}
			r := &recorder{begin: time.Now()}
			together(6, func(i int) {
				f, rng := nodes[i%len(nodes)], rand.New(rand.NewPCG(uint64(round), uint64(i)))
				for range 10 {
					from, n := rng.IntN(3), 1+rng.Int64N(3)
					if rng.IntN(3) == 0 {
						to := (from + 1 + rng.IntN(2)) % 3
						r.do(i, allotOp{"move", channels[from], channels[to], n}, func() any {
							err := allot(t, f, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, From: channels[from], To: channels[to], Units: n})
							if err != nil && fault.CodeOf(err) != "allotment.too_few" {
								t.Errorf("move: %v", err)
							}
							return err == nil
						})
						continue
					}
					channel := channels[from]
					if channel == "" {
						channel = "other" // without an allotment
					}
					var p flow.Placed
					var err error
					r.do(i, allotOp{what: "place", from: channels[from], n: n}, func() any {
						p, err = f.Place(ctx, in(channel, flowtest.Order(flowtest.Want{Offer: offer, Quantity: n})))
						if err != nil && fault.CodeOf(err) != "order.sold_out" {
							t.Errorf("place: %v", err)
						}
						return err == nil
					})
					if err == nil && rng.IntN(2) == 0 {
						r.do(i, allotOp{what: "cancel", from: channels[from], n: n}, func() any {
							if err := f.Cancel(ctx, p.Order.ID); err != nil {
								t.Errorf("cancel: %v", err)
							}
							return true
						})
					}
				}
			})
			if result, _ := porcupine.CheckOperationsVerbose(allotModel(map[string]int64{"": 4, "a": 4, "b": 4}, len(nodes) > 1), r.ops, 20*time.Second); result != porcupine.Ok {
				t.Errorf("round %d with %d processes: the answers of %d operations are %s", round, len(nodes), len(r.ops), result)
			}
		}
		clean(t, s)
	})
}

// edition puts an offer of numbered units on sale.
func edition(t testing.TB, s *flowtest.Shop, units int64, e inventory.Edition) flowtest.Offer {
	t.Helper()
	e.Stock, e.CreatedBy = s.Stock(t, "counted"), "ops"
	s.Receive(t, e.Stock, units)
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		_, err := s.Inventory.Begin(t.Context(), tx, e, s.Clock.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s.Sell(t, 100, "", flowtest.Part{Stock: e.Stock, Quantity: 1})
}

func numbers(t testing.TB, s *flowtest.Shop, stock id.Stock) []int64 {
	t.Helper()
	var out []int64
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := s.Inventory.Numbers(t.Context(), tx, stock, -1, 1000)
		for _, n := range all {
			if n.State == inventory.NumberHeld {
				out = append(out, n.Number)
			}
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFiftyBuyersForTenNumbers has fifty pay for ten units: each number is somebody's, once,
// whatever the order, and all are given.
func TestFiftyBuyersForTenNumbers(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		for _, lot := range []bool{false, true} {
			offer := edition(t, s, 10, inventory.Edition{Size: 10, First: 1, Gapless: true, ByLot: lot})
			together(50, func(i int) {
				f := all[i%len(all)]
				p, err := f.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
				if fault.CodeOf(err) == "order.sold_out" {
					return
				}
				if err == nil {
					notice := s.Gateway.PayTwice(p.Intent)
					for _, f := range all { // the notice comes everywhere
						if _, again := f.Confirm(t.Context(), notice); again != nil {
							err = again
						}
					}
				}
				if err != nil {
					t.Error(err)
				}
			})
			if got := numbers(t, s, offer.Parts[0].Stock); !slices.Equal(got, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
				t.Errorf("numbers %v", got)
			}
		}
		clean(t, s)
	})
}

// takeBack gives the number of an order's only right back, as a refund does.
func takeBack(t testing.TB, s *flowtest.Shop, p flow.Placed, stock id.Stock) {
	t.Helper()
	r := s.Held(t, p.Order.ID)[0]
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		book, err := s.Inventory.OpenReturn(t.Context(), tx, []id.Stock{stock}, []id.Line{r.Line}, []id.Right{r.ID})
		if err != nil {
			return err
		}
		if !book.TakeBack(stock, r.Line, r.ID, s.Clock.Now()) || book.TakeBack(stock, r.Line, r.ID, s.Clock.Now()) {
			t.Error("a number comes back once")
		}
		return s.Inventory.Save(t.Context(), tx, book, s.Clock.Now())
	}); err != nil {
		t.Fatal(err)
	}
}

// TestANumberComesBack shows who gets the number of a right that ended: the next buyer, or
// nobody where gaps are allowed. An allotment gets its unit again.
func TestANumberComesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		for _, gapless := range []bool{true, false} {
			offer := edition(t, s, 4, inventory.Edition{Size: 4, First: 1, Gapless: gapless})
			stock := offer.Parts[0].Stock
			if err := allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: "shop", Units: 4}); err != nil {
				t.Fatal(err)
			}
			want := flowtest.Want{Offer: offer, Quantity: 1}
			s.Buy(t, want)
			second := s.Buy(t, want)
			s.Buy(t, want)
			takeBack(t, s, second, stock)
			s.Buy(t, want)
			want2, left := []int64{1, 2, 3}, inventory.Allotment{Size: 4, Available: 1, Delivered: 3}
			if !gapless {
				want2, left = []int64{1, 3, 4}, inventory.Allotment{Size: 3, Delivered: 3}
			}
			if got := numbers(t, s, stock); !slices.Equal(got, want2) {
				t.Errorf("gapless %v: %v", gapless, got)
			}
			if a := allotted(t, s, stock)["shop"]; a.Size != left.Size || a.Available != left.Available || a.Delivered != left.Delivered {
				t.Errorf("gapless %v: %+v", gapless, a)
			}
			var history []inventory.Numbering
			if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
				history, err = s.Inventory.NumberHistory(t.Context(), tx, stock, 2)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			var what []string
			for _, h := range history {
				what = append(what, h.What)
			}
			if got := strings.Join(what, " "); got != map[bool]string{true: "given returned given", false: "given retired"}[gapless] {
				t.Errorf("history %s", got)
			}
		}
		results, err := verify.Verify(t.Context(), s.DB, verify.Options{Now: s.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			for _, row := range r.Rows {
				if row.Rule != "I8.units" { // the right and its line go with the refund
					t.Errorf("%s %s %s", row.Rule, row.Subject, row.Detail)
				}
			}
		}
	})
}

// TestNumbersSurviveFailures fails the giving of numbers at each statement, before the commit
// and after it: repeated, it has given each number once.
func TestNumbersSurviveFailures(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s, tr := trapped(t, kind)
			offer := edition(t, s, 100, inventory.Edition{Size: 100, First: 1, Gapless: true})
			n := int64(0)
			for _, spring := range []func(){
				func() { tr.before = true }, func() { tr.after = true }, func() { tr.stmt = "inventory.insert_number" },
				func() { tr.stmt = "inventory.update_edition" }, func() { tr.stmt = "inventory.insert_numbering" }, func() { tr.stmt = "entitlement.insert" },
			} {
				p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 2})
				notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
				was := tr.sprung
				tr.set(spring)
				for range 3 {
					if _, err := s.Confirm(t.Context(), notice); err == nil {
						break
					}
				}
				if tr.sprung != was+1 {
					t.Errorf("nothing failed: %+v", tr.stmt)
				}
				n += 2
				got := numbers(t, s, offer.Parts[0].Stock)
				if int64(len(got)) != n || got[n-1] != n {
					t.Errorf("numbers %v", got)
				}
			}
			clean(t, s)
		})
	}
}

// TestARuleReadsItsChannelsUnits has a rule ask what is left: it is what the channel may sell.
func TestARuleReadsItsChannelsUnits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, "counted")
		s.Receive(t, stock, 10)
		offer := s.Change(t, s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}), func(c *catalogue.Content) {
			name := catalogue.Text{ZH: "余量", EN: "Enough left"}
			c.Rules = []catalogue.Issuing{{Name: name, Source: rule.Source{Text: "stock.available >= 3"}}}
		})
		if err := allot(t, s.Flows, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: "web", Units: 8}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Place(t.Context(), in("web", flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))); err != nil {
			t.Errorf("web: %v", err)
		}
		if _, err := s.Place(t.Context(), in("api", flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))); fault.CodeOf(err) != "order.rule" {
			t.Errorf("api: %v", err)
		}
	})
}
