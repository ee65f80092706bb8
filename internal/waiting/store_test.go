package waiting

import (
	"fmt"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/id"
)

// standing counts how the tickets stand at a node.
func standing(s *Service, t Terms, tickets []Ticket, now time.Time) map[State]int {
	out := map[State]int{}
	for _, x := range tickets {
		out[s.Stand(t, x, now).State]++
	}
	return out
}

// Two nodes give tickets and let in, one of them begins anew in between: nobody's place is
// lost, no more are let in than the rate gives, in the order of the places, and all at last.
func TestNodesShareARoom(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		nodes := []*Service{New(key), New(key)}
		room := terms(600) // ten a second
		var tickets []Ticket
		for i := range 200 {
			tickets = append(tickets, nodes[i%2].Join(room, fmt.Sprint("early-", i), opens.Add(-time.Minute)))
		}
		if got := standing(nodes[0], room, tickets, opens.Add(-time.Second)); got[Before] != 200 {
			t.Errorf("before the opening: %v", got)
		}
		now, before := opens, 0
		for second := 1; second <= 40; second++ {
			now = opens.Add(time.Duration(second) * time.Second)
			if second < 20 {
				for i := range 5 {
					tickets = append(tickets, nodes[i%2].Join(room, fmt.Sprintf("late-%d-%d", second, i), now))
				}
			}
			if second == 10 {
				nodes[1] = New(key) // begins anew: its last tickets may be uncounted, and keep their places
				nodes[1].Stand(room, tickets[0], now)
			}
			for range 2 { // both nodes move it, and read what the other did
				for _, s := range nodes {
					if err := s.Sync(t.Context(), d, inStock, now); err != nil {
						t.Fatal(err)
					}
				}
			}
			let := standing(nodes[0], room, tickets, now)[Let]
			if most := 10 * (second + 1); let > most {
				t.Errorf("%d are in after %d s, at most %d may be", let, second, most)
			}
			if let < before {
				t.Errorf("%d were in, now %d", before, let)
			}
			before = let
			if a, b := standing(nodes[0], room, tickets, now), standing(nodes[1], room, tickets, now); fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("the nodes see %v and %v", a, b)
			}
			for _, x := range tickets {
				in := nodes[0].Stand(room, x, now).State == Let
				if front := nodes[0].rooms[room.Offer].seen.Load().row.Frontier; in == x.Place.After(front) {
					t.Fatalf("%s is in: %v, at the frontier %s", x.Place, in, front)
				}
			}
		}
		if got := standing(nodes[1], room, tickets, now); got[Let] != len(tickets) {
			t.Errorf("at last: %v of %d", got, len(tickets))
		}
		if got := standing(nodes[1], room, tickets, now.Add(10*time.Minute)); got[Over] != len(tickets) {
			t.Errorf("ten minutes later: %v", got)
		}
	})
}

// What an operator changes holds from the next move on.
func TestARoomIsSteered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, room := New(key), terms(60)
		var tickets []Ticket
		for i := range 100 {
			tickets = append(tickets, s.Join(room, fmt.Sprint(i), opens.Add(2*time.Second+time.Duration(i)*time.Millisecond)))
		}
		steer := func(perMinute int64, paused bool, now time.Time) {
			t.Helper()
			if err := d.Do(t.Context(), func(tx *db.Tx) error { return s.Steer(t.Context(), tx, room.Offer, perMinute, paused, now) }); err != nil {
				t.Fatal(err)
			}
		}
		let := func(seconds int) int {
			t.Helper()
			now := opens.Add(time.Duration(seconds) * time.Second)
			if err := s.Sync(t.Context(), d, inStock, now); err != nil {
				t.Fatal(err)
			}
			return standing(s, room, tickets, now)[Let]
		}
		let(5)
		was := let(10)
		steer(0, true, opens.Add(10*time.Second))
		if is := let(60); is != was || !s.Stand(room, tickets[99], opens.Add(time.Minute)).Paused {
			t.Errorf("%d were in when it was paused, then %d", was, is)
		}
		steer(600, false, opens.Add(60*time.Second))
		if is := let(62); is < was+15 || is > was+25 {
			t.Errorf("two seconds at ten a second let in %d", is-was)
		}
		if n, ok := s.Numbers(room.Offer); !ok || n.Waiting+n.Admitted != 100 || n.PerMinute != 600 {
			t.Errorf("numbers %+v", n)
		}
	})
}

// A ticket is recorded once, whatever tries.
func TestATicketIsUsedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := New(key)
		ticket := s.Join(terms(60), "device", opens.Add(-time.Minute))
		again := s.Join(terms(60), "device", opens) // the same device drew the same
		record := func(x Ticket, o id.Order) error {
			return d.Do(t.Context(), func(tx *db.Tx) error { return s.Record(t.Context(), tx, []Use{{x, o}}, opens) })
		}
		if err := record(ticket, "ord_1"); err != nil {
			t.Fatal(err)
		}
		for _, x := range []Ticket{ticket, again} {
			if record(x, "ord_2") == nil {
				t.Error("a ticket was used twice")
			}
		}
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			uses, err := s.Uses(t.Context(), tx, []Ticket{again, s.Join(terms(60), "other", opens)})
			if err != nil {
				return err
			}
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			if len(uses) != 1 || !again.Used(uses) || uses[again.key()] != "ord_1" {
				t.Errorf("used: %v", uses)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func inStock(id.Offer) bool { return false }

// Nobody is let in to what is out of stock; when some comes back, no crowd is.
func TestNobodyIsLetInToWhatIsOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, room, out := New(key), terms(60), true
		var tickets []Ticket
		for i := range 500 {
			tickets = append(tickets, s.Join(room, fmt.Sprint(i), opens.Add(2*time.Second+time.Duration(i)*time.Millisecond)))
		}
		let := func(seconds int) int {
			t.Helper()
			now := opens.Add(time.Duration(seconds) * time.Second)
			if err := s.Sync(t.Context(), d, func(id.Offer) bool { return out }, now); err != nil {
				t.Fatal(err)
			}
			return standing(s, room, tickets, now)[Let]
		}
		for second := range 30 {
			if n := let(5 + second); n > 0 {
				t.Fatalf("%d were let in", n)
			}
		}
		out = false
		if n := let(36); n > 7 {
			t.Errorf("%d were let in at once", n)
		}
	})
}
