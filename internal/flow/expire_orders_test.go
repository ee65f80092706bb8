package flow_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// hanging is a gateway that answers nothing until it is let go, or who asks has no more
// patience.
type hanging struct {
	paygate.Gateway
	free chan struct{}
	mu   sync.Mutex
	asks []string
}

func (g *hanging) hang(ctx context.Context, no string) {
	g.mu.Lock()
	g.asks = append(g.asks, no)
	g.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-g.free:
	}
}

func (g *hanging) Query(ctx context.Context, r paygate.Ref) paygate.Payment {
	g.hang(ctx, r.MerchantNo)
	return paygate.Payment{}
}

func (g *hanging) Close(ctx context.Context, r paygate.Ref) paygate.Closing {
	select {
	case <-ctx.Done():
	case <-g.free:
	}
	return paygate.Closing{}
}

func (g *hanging) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asks)
}

// due places so many orders at a gateway.
func due(t *testing.T, s *flowtest.Shop, offer flowtest.Offer, gateway string, n int) (ids []id.Order) {
	t.Helper()
	for range n {
		c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
		c.Gateway = gateway
		p, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, p.Order.ID)
	}
	return ids
}

func seats(t *testing.T, s *flowtest.Shop, n int64) flowtest.Offer {
	t.Helper()
	stock := s.Stock(t, inventory.Counted)
	s.Receive(t, stock, n)
	return s.Sell(t, 100, stock, flowtest.Part{Quantity: 1})
}

// A gateway that hangs keeps no order of another from ending: these end while it is still
// waited for. Its own end when the grace is over, without one question for each.
func TestAGatewayThatHangsHoldsUpNoOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		g := &hanging{Gateway: s.Gateway, free: make(chan struct{})}
		s.Gateways["hangs"] = g
		s.Patience, s.Asking = time.Hour, 4
		offer := seats(t, s, 100)
		stuck := due(t, s, offer, "hangs", 20)
		others := append(due(t, s, offer, flowtest.Channel, 10), due(t, s, offer, payment.Balance, 1)...)
		others = append(others, due(t, s, offer, "taken away", 1)...)
		var mu sync.Mutex
		left := len(others)
		s.Changed = func(o id.Order) {
			mu.Lock()
			defer mu.Unlock()
			if slices.Contains(others, o) {
				if left--; left == 0 {
					close(g.free) // only now
				}
			}
		}
		s.Time.Advance(flow.HoldFor)
		if n, err := s.ExpireDue(t.Context(), 100); err != nil || n != len(others) {
			t.Errorf("%d of %d orders ended, %v", n, len(others), err)
		}
		if n := len(g.asked()); n == 0 || n > 12 {
			t.Errorf("a gateway that answers nothing was asked %d times in a round", n)
		}
		before := len(g.asked())
		if n, err := s.ExpireDue(t.Context(), 100); err != nil || n != 0 || len(g.asked()) != before {
			t.Errorf("%d ended, %v, and what is claimed was asked about again", n, err)
		}
		s.Time.Advance(flow.GatewayGrace)
		before = len(g.asked())
		if n, err := s.ExpireDue(t.Context(), 100); err != nil || n != len(stuck) {
			t.Errorf("%d of %d orders ended when the grace was over, %v", n, len(stuck), err)
		}
		if n := len(g.asked()) - before; n > 12 {
			t.Errorf("a gateway that answers nothing was asked %d times in a round", n)
		}
		if u := s.Units(t, offer.Limit); u.Reserved != 0 || u.Available != 100 {
			t.Errorf("stock %+v", u)
		}
		clean(t, s)
	})
}

// What somebody asks about stands in nobody's way: a piece takes those behind it.
func TestClaimedOrdersFillNoPiece(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := seats(t, s, 100)
		due(t, s, offer, flowtest.Channel, 25)
		s.Time.Advance(time.Minute)
		late := due(t, s, offer, payment.Balance, 3)
		s.Time.Advance(flow.HoldFor)
		s.Gateway.Down(true)
		ended := 0
		for range 4 {
			n, err := s.ExpireDue(t.Context(), 8)
			if err != nil {
				t.Fatal(err)
			}
			ended += n
		}
		if ended != len(late) {
			t.Errorf("%d of %d orders ended behind those that are asked about", ended, len(late))
		}
	})
}

// Two nodes don't ask about one order at once.
func TestNodesAskOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		other := s.Process(t, d)
		g := &hanging{Gateway: s.Gateway, free: make(chan struct{})}
		close(g.free)
		s.Gateways[flowtest.Channel], other.Gateways[flowtest.Channel] = g, g
		s.Asking, other.Asking = 1, 1
		offer := seats(t, s, 100)
		due(t, s, offer, flowtest.Channel, 6)
		for _, after := range []time.Duration{payment.AskAfter[0], flow.HoldFor} {
			s.Time.Advance(after)
			before := len(g.asked())
			var all sync.WaitGroup
			for _, f := range []*flow.Flows{s.Flows, other} {
				all.Go(func() {
					work := f.PollSilent
					if after == flow.HoldFor {
						work = f.ExpireDue
					}
					if _, err := work(t.Context(), 100); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			asked := g.asked()[before:]
			slices.Sort(asked)
			if n := len(slices.Compact(slices.Clone(asked))); n != len(asked) || n != 6 {
				t.Errorf("%d questions about %d orders of 6", len(asked), n)
			}
		}
	})
}

// A silent payment is asked about on a rising schedule, and once more when its time is over.
func TestSilenceIsAskedAboutEverMoreSeldom(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		g := &hanging{Gateway: s.Gateway, free: make(chan struct{})}
		close(g.free)
		s.Gateways["quiet"] = g
		offer := seats(t, s, 1)
		o := due(t, s, offer, "quiet", 1)[0]
		begun := s.Clock.Now()
		var got []time.Duration
		for s.Clock.Now().Before(begun.Add(flow.HoldFor)) {
			s.Time.Advance(5 * time.Second)
			before := len(g.asked())
			if _, err := s.PollSilent(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ExpireDue(t.Context(), 100); err != nil {
				t.Fatal(err)
			}
			for range len(g.asked()) - before {
				got = append(got, s.Clock.Now().Sub(begun))
			}
		}
		want := []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute}
		if !slices.Equal(got, want) {
			t.Errorf("asked after %v, want %v", got, want)
		}
		s.Time.Advance(flow.GatewayGrace)
		if _, err := s.ExpireDue(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		if o := s.Look(t, o); o.State != order.Expired {
			t.Errorf("the order is %s", o.State)
		}
	})
}
