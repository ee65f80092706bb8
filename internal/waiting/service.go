package waiting

import (
	"crypto/rand"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"hufu/internal/id"
)

// Service keeps the rooms of a process.
type Service struct {
	key  []byte
	node string

	mu    sync.RWMutex
	rooms map[id.Offer]*room
}

// room is what a process knows of one.
type room struct {
	seen atomic.Pointer[queue] // nil until it was read

	mu     sync.Mutex
	last   int64           // the last place given here, in microseconds
	given  map[int64]int64 // by bucket, tickets given here that others don't know of yet
	told   map[int64]int64 // by bucket, those that they do
	places places
	rate   int64     // a minute, as the offer says
	used   time.Time // when it was last asked for
	opened time.Time
}

// New makes a service. All nodes of a shop have the same key, of 32 bytes.
func New(key []byte) *Service {
	return &Service{key: key, node: rand.Text(), rooms: map[id.Offer]*room{}}
}

// Terms are how an offer is waited for.
type Terms struct {
	Offer     id.Offer
	Opens     time.Time // when its sale begins; zero has begun long ago
	PerMinute int64
	Stay      time.Duration // for how long who was let in may take to place an order
}

func (s *Service) room(t Terms, now time.Time) *room {
	s.mu.RLock()
	r := s.rooms[t.Offer]
	s.mu.RUnlock()
	if r == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r = s.rooms[t.Offer]; r == nil {
			r = &room{given: map[int64]int64{}, told: map[int64]int64{}}
			s.rooms[t.Offer] = r
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rate, r.used, r.opened = t.PerMinute, now, t.Opens
	return r
}

// Join gives a device its ticket. Before the sale begins and in its first second the place is
// drawn; afterwards it is the moment of coming, behind all that this process gave before. A
// device that waits here is given the place that it has.
func (s *Service) Join(t Terms, device string, now time.Time) Ticket {
	ticket := Ticket{Offer: t.Offer}
	r := s.room(t, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	who := deviceKey(device)
	if place, ok := r.places.of(who); ok && r.waits(place, t, now) {
		ticket.Place = place
		ticket.ID = s.ticketID(t.Offer, place, device)
		return ticket
	}
	if now.Before(t.Opens.Add(opening)) {
		ticket.Place = s.draw(t.Offer, t.Opens, device)
	} else {
		place := max(now.UnixMicro(), r.last+1)
		if q := r.seen.Load(); q != nil {
			place = max(place, q.row.Frontier.UnixMicro()+1)
		}
		r.last, ticket.Place = place, time.UnixMicro(place).UTC()
	}
	ticket.ID = s.ticketID(t.Offer, ticket.Place, device)
	r.given[bucketOf(ticket.Place)]++
	r.places.keep(who, ticket.Place)
	return ticket
}

// waits reports whether a place is one of this sale that is not let in yet.
func (r *room) waits(place time.Time, t Terms, now time.Time) bool {
	if place.Before(t.Opens) || place.After(now) && !place.Before(t.Opens.Add(opening)) {
		return false // of a sale that was to begin at another time
	}
	if q := r.seen.Load(); q != nil && !now.Before(t.Opens) {
		_, in := q.in(place)
		return !in
	}
	return true
}

// State is how a ticket stands.
type State string

// The states of a ticket.
const (
	Before  State = "before"  // the sale has not begun
	Waiting State = "waiting" // others are before it
	Let     State = "let_in"  // may place an order
	Over    State = "over"    // was let in, and took too long
)

// Standing is how a ticket stands at a moment.
type Standing struct {
	State  State
	Ahead  int64         // who wait before it
	Wait   time.Duration // about how long it will wait; zero isn't known
	Until  time.Time     // until when it may place an order
	Paused bool          // nobody is let in at present
}

// Stand tells how a ticket stands, without the database. A process that has just begun doesn't
// know and says that it waits.
func (s *Service) Stand(t Terms, ticket Ticket, now time.Time) Standing {
	if now.Before(t.Opens) {
		return Standing{State: Before}
	}
	r := s.room(t, now)
	q := r.seen.Load()
	if q == nil {
		return Standing{State: Waiting}
	}
	if since, ok := q.in(ticket.Place); ok {
		until := since.Add(t.Stay)
		if !now.Before(until) {
			return Standing{State: Over, Until: until}
		}
		return Standing{State: Let, Until: until}
	}
	st := Standing{State: Waiting, Ahead: q.ahead(ticket.Place), Paused: q.row.Paused}
	rate := t.PerMinute
	if q.row.PerMinute > 0 {
		rate = q.row.PerMinute
	}
	if rate > 0 && !st.Paused {
		st.Wait = time.Duration(st.Ahead+1) * time.Minute / time.Duration(rate)
	}
	return st
}

// Numbers are what an operator sees of a room.
type Numbers struct {
	Row
	Waiting int64
}

// Numbers gives the numbers of a room as they were last read; false when it isn't known here.
func (s *Service) Numbers(offer id.Offer) (Numbers, bool) {
	s.mu.RLock()
	r := s.rooms[offer]
	s.mu.RUnlock()
	if r == nil {
		return Numbers{}, false
	}
	q := r.seen.Load()
	if q == nil {
		return Numbers{}, false
	}
	return Numbers{q.row, q.total}, true
}

// idle is after how long a room nobody asks for is forgotten by a process.
const idle = 10 * time.Minute

// known lists the rooms that were asked for lately, and forgets the others.
func (s *Service) known(now time.Time) map[id.Offer]*room {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.rooms, func(_ id.Offer, r *room) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return now.Sub(r.used) > idle && len(r.given) == 0
	})
	return maps.Clone(s.rooms)
}
