package flow_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/order"
	"hufu/internal/waiting"
)

// waited is an offer that is waited for, a minute after its room opened for who came first.
func waited(t *testing.T, s *flowtest.Shop) (flowtest.Offer, waiting.Terms) {
	t.Helper()
	stock := s.Stock(t, "counted")
	s.Receive(t, stock, 50)
	o := s.Change(t, s.Sell(t, 1990, stock, flowtest.Part{Quantity: 1}), func(c *catalogue.Content) {
		c.Room = catalogue.Room{PerMinute: 600, Minutes: 5}
	})
	return o, waiting.Terms{Offer: o.ID, PerMinute: 600, Stay: 5 * time.Minute}
}

// ticketed is an order of one unit with a ticket.
func ticketed(o flowtest.Offer, ticket string) flow.Place {
	c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
	c.Lines[0].Ticket = ticket
	return c
}

func TestAnOfferWithARoomNeedsATicket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		o, room := waited(t, s)
		other, _ := waited(t, s)
		place := func(c flow.Place, want string) flow.Placed {
			t.Helper()
			p, err := s.Place(t.Context(), c)
			if fault.CodeOf(err) != want && (err != nil || want != "") {
				t.Errorf("got %v, want %q", err, want)
			}
			return p
		}
		now := s.Clock.Now
		mine, theirs := s.Rooms.Join(room, "mine", now()), s.Rooms.Join(room, "theirs", now())
		place(ticketed(o, ""), "room.wait")
		place(ticketed(o, "nonsense"), "room.ticket")
		place(ticketed(o, s.Rooms.Text(mine)), "room.wait") // not yet
		for range 3 {
			s.Time.Advance(3 * time.Second)
			if err := s.WatchRooms(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		place(ticketed(other, s.Rooms.Text(mine)), "room.ticket") // to another offer
		c := ticketed(o, s.Rooms.Text(mine))
		first := place(c, "")
		if again := place(c, ""); !again.Repeated || again.Order.ID != first.Order.ID {
			t.Errorf("the same request made %+v", again)
		}
		place(ticketed(o, s.Rooms.Text(mine)), "room.used")
		if err := s.Cancel(t.Context(), first.Order.ID); err != nil {
			t.Fatal(err)
		}
		place(ticketed(o, s.Rooms.Text(mine)), "room.used") // an end unpaid frees nothing
		place(ticketed(o, s.Rooms.Text(s.Rooms.Join(room, "mine", now()))), "room.wait")
		s.Time.Advance(6 * time.Minute)
		place(ticketed(o, s.Rooms.Text(theirs)), "room.over")
		clean(t, s)
	})
}

// One ticket, many requests at once, on two nodes: one order.
func TestATicketPlacesOneOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		nodes := []*flow.Flows{s.Flows, s.Process(t, d)}
		o, room := waited(t, s)
		ticket := s.Rooms.Text(s.Rooms.Join(room, "device", s.Clock.Now()))
		nodes[1].Rooms.Stand(room, s.Rooms.Join(room, "other", s.Clock.Now()), s.Clock.Now())
		for range 3 {
			s.Time.Advance(3 * time.Second)
			for _, n := range nodes {
				if err := n.WatchRooms(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		var mu sync.Mutex
		var placed []*order.Order
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				p, err := nodes[i%2].Place(t.Context(), ticketed(o, ticket))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					placed = append(placed, p.Order)
				case fault.CodeOf(err) != "room.used":
					t.Error(fmt.Errorf("refused with %w", err))
				}
			})
		}
		all.Wait()
		if len(placed) != 1 {
			t.Errorf("%d orders were placed", len(placed))
		}
		clean(t, s)
	})
}
