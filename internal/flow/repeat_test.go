package flow_test

import (
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/inventory"
	"hufu/internal/order"
)

// lastOne sells the last unit of an offer, and returns the command that bought it, its
// answer, and another command that comes too late.
func lastOne(t *testing.T, s *flowtest.Shop) (command flow.Place, placed flow.Placed, late flow.Place) {
	t.Helper()
	stock := s.Stock(t, inventory.Counted)
	s.Receive(t, stock, 1)
	offer := s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1})
	command, late = flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
	placed, err := s.Place(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	return command, placed, late
}

func refused(t *testing.T, f *flow.Flows, late flow.Place, when string) {
	t.Helper()
	if _, err := f.Place(t.Context(), late); fault.CodeOf(err) != "order.sold_out" {
		t.Errorf("%s: a late order: %v", when, err)
	}
}

func hasItsOwn(t *testing.T, f *flow.Flows, command flow.Place, first flow.Placed, when string) {
	t.Helper()
	again, err := f.Place(t.Context(), command)
	if err != nil || again.Order.ID != first.Order.ID || !again.Repeated || again.Intent.ID != first.Intent.ID {
		t.Errorf("%s: the same request again: %+v, %v", when, again, err)
	}
}

// I18: a request that was carried out has its own answer again, also once the offer is
// sold out, also on another node and on one that was started since, and however long ago it
// was; a new request has "sold out".
func TestRepeatOfThePlacedIsNotSoldOut(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			store := dbtest.Store(t, kind)
			d := dbtest.OpenStore(t, store)
			s := flowtest.New(t, d)
			s.Time.Advance(time.Since(flowtest.Begin))
			command, first, late := lastOne(t, s)
			refused(t, s.Flows, late, "the gate shuts")
			refused(t, s.Flows, late, "from the gate")
			hasItsOwn(t, s.Flows, command, first, "on the node that placed it")

			away := d
			if kind == "postgres" {
				away = dbtest.OpenStore(t, store) // another node; SQLite has one
			}
			for _, when := range []string{"on another node", "after a restart a day later"} {
				other := s.Process(t, away)
				for range 2 {
					refused(t, other, late, when)
					hasItsOwn(t, other, command, first, when+", before it has learned")
				}
				for range 2 {
					if err := other.RefreshGate(t.Context()); err != nil {
						t.Fatal(err)
					}
					refused(t, other, late, when)
					hasItsOwn(t, other, command, first, when)
				}
				s.Time.Advance(24 * time.Hour)
			}
		})
	}
}

// Once a process has learned what was placed, saying that something is sold out asks the
// database nothing; before, and for a repeat, it does.
func TestSoldOutAsksNothingOnceThePlacedAreKnown(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			store := dbtest.Store(t, kind)
			s := flowtest.New(t, dbtest.OpenStore(t, store))
			command, first, late := lastOne(t, s)
			d := s.DB
			if kind == "postgres" {
				d = dbtest.OpenStore(t, store)
			}
			asked := 0
			d.SetHooks(db.Hooks{Stmt: func(string) error { asked++; return nil }})
			other := s.Process(t, d)
			asking := func(f func()) int { asked = 0; f(); return asked }
			if asking(func() { refused(t, other, late, "first") }) == 0 || asking(func() { refused(t, other, late, "unlearned") }) == 0 {
				t.Error("refused without a look at what was placed")
			}
			if err := other.RefreshGate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := asking(func() { refused(t, other, late, "learned") }); n > 0 {
				t.Errorf("%d statements to say that it is sold out", n)
			}
			if asking(func() { hasItsOwn(t, other, command, first, "learned") }) == 0 {
				t.Error("an order out of nowhere")
			}
		})
	}
}

// I18, on PostgreSQL, where requests run beside each other: a repeat that waited for the
// lock of the first, which took the last unit, has the first's order.
func TestRepeatThatWaitedIsNotSoldOut(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	s := flowtest.New(t, dbtest.OpenStore(t, store))
	stock := s.Stock(t, inventory.Counted)
	s.Receive(t, stock, 1)
	offer := s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1})
	command := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
	var first flow.Placed
	slow := dbtest.OpenStore(t, store)
	slow.SetHooks(db.Hooks{Stmt: func(name string) (err error) {
		if name == "inventory.lock_stocks" && first.Order == nil {
			first, err = s.Place(t.Context(), command)
		}
		return err
	}})
	behind := s.Process(t, slow)
	again, err := behind.Place(t.Context(), command)
	if err != nil || first.Order == nil || again.Order.ID != first.Order.ID || !again.Repeated {
		t.Errorf("the first %+v, its repeat %+v, %v", first, again, err)
	}
}

// A key that others may choose too names nobody's order, whichever face it came through.
func TestAKeyThatOthersMayChooseIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 9)
		offer := s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1})
		for scope, want := range map[string]string{"web": "request.short_key", "guest": "request.short_key", "test": "request.short_key", order.Member("pty_a", "").Scope: ""} {
			c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
			c.Request = order.KeyOf{Scope: scope, Key: "12345678901"}
			if _, err := s.Place(t.Context(), c); fault.CodeOf(err) != want {
				t.Errorf("%s: %v, want %q", scope, err, want)
			}
			c.Request.Key += "2"
			if _, err := s.Place(t.Context(), c); err != nil {
				t.Errorf("%s: a longer one: %v", scope, err)
			}
		}
	})
}
