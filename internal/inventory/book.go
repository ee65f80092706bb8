package inventory

import (
	"maps"
	"slices"
	"time"

	"hufu/internal/id"
)

// Stock is a counted supply.
type Stock struct {
	ID        id.Stock
	Name      string
	Kind      string // Counted or Codes
	Received  int64
	Available int64
	Reserved  int64
	Delivered int64
	Voided    int64
	LowMark   int64 // an operator is told below this many available
	Channels  int64 // how many allotments it has
	Allotted  int64 // the available units of all of them
	Edition   bool  // each delivered unit has a number
	UpdatedAt time.Time
}

// The kinds of stock: units that are only counted, and units behind each of which stands a code.
const (
	Counted = "counted"
	Codes   = "codes"
)

// State is where a reservation stands.
type State string

// The states of a reservation; every one but Live is an end.
const (
	Live     State = "live"
	Consumed State = "consumed"
	Released State = "released"
	Expired  State = "expired"
	Swapped  State = "swapped"  // its right became one to something else
	Returned State = "returned" // what was consumed of an allotment and went back to it
)

// Reservation is units of a stock held for an order line until an end; or, once the line was
// paid, one promised to a right of it that is given later, without end.
type Reservation struct {
	ID        id.Reservation
	Stock     id.Stock
	Line      id.Line
	Quantity  int64
	State     State
	ExpiresAt time.Time
	Right     id.Right // whom the unit is promised to; "" of what waits for payment
	Allotment string   // the channel whose units they are, "" of what isn't allotted
}

// Book is the stocks and reservations one transaction works on. Its methods decide; only
// Service.Save writes.
type Book struct {
	stocks map[id.Stock]*Stock
	moved  map[id.Stock]bool
	aside  map[id.Stock]int64         // available units that nobody may have
	held   map[id.Line][]*Reservation // live ones, of the lines the book was opened on
	due    map[id.Right]*Reservation  // live ones, of the rights the book was opened for
	fresh  []*Reservation
	ended  []*Reservation

	allots  map[id.Stock]map[string]*Allotment // all of each stock, by channel
	changed map[*Allotment]bool
	made    []*Allotment
	shifts  []*Shift
	taken   map[id.Line]map[id.Stock]map[string]int64 // units that lines were delivered, by allotment

	editions   map[id.Stock]*Edition
	begun      []*Edition
	given      map[id.Stock]bool      // editions that have changed
	free       map[id.Stock][]*Number // that came back, the lowest first
	numbered   []*Number              // of the rights the book was opened for
	numbers    []*Number              // fresh ones
	renumbered map[*Number]bool
	history    []*Numbering

	receipts      []*Receipt
	actor, reason string // of the receipts
	reading       bool   // it gives no numbers
}

// Receipt is on record for every change of what a counted stock has received or voided. What
// a stock of codes has come by stands in its batches.
type Receipt struct {
	ID       id.Receipt
	Stock    id.Stock
	Quantity int64 // received; below zero, voided
	Reason   string
	Actor    string // a party's id, or "system"
	At       time.Time
}

func newBook() *Book {
	return &Book{
		stocks: map[id.Stock]*Stock{}, moved: map[id.Stock]bool{}, aside: map[id.Stock]int64{}, held: map[id.Line][]*Reservation{}, due: map[id.Right]*Reservation{},
		allots: map[id.Stock]map[string]*Allotment{}, changed: map[*Allotment]bool{}, taken: map[id.Line]map[id.Stock]map[string]int64{},
		editions: map[id.Stock]*Edition{}, given: map[id.Stock]bool{}, free: map[id.Stock][]*Number{}, renumbered: map[*Number]bool{},
	}
}

// Sign says who changes, and why, what counted stocks have received and voided: unsigned it is
// the system.
func (b *Book) Sign(actor, reason string) { b.actor, b.reason = actor, reason }

func (b *Book) record(s *Stock, n int64) {
	if s.Kind == Counted && n != 0 {
		b.receipts = append(b.receipts, &Receipt{ID: id.New[id.Receipt](), Stock: s.ID, Quantity: n})
	}
}

// SetAside keeps n of a stock's available units from being reserved or taken through this
// book, as long as it is open: they count as available and can't be delivered.
func (b *Book) SetAside(stock id.Stock, n int64) { b.aside[stock] = n }

// PutBack ends that of n units that were set aside.
func (b *Book) PutBack(stock id.Stock, n int64) { b.aside[stock] -= n }

// Free is how many units of a stock may be had through this book, below zero when codes
// that reserved units count on have ended.
func (b *Book) Free(stock id.Stock) int64 { return b.stocks[stock].Available - b.aside[stock] }

// Has reports whether every stock of need has that many units available for n of it in a
// channel, without those set aside.
func (b *Book) Has(channel string, need map[id.Stock]int64, n int64) bool {
	for stock, each := range need {
		s := b.stocks[stock]
		if s == nil || n > b.room(channel, s)/each {
			return false
		}
	}
	return true
}

// Reserve holds n times what need says for a line of a channel's until an end. It reports
// false, and holds nothing, when a stock has too little.
func (b *Book) Reserve(channel string, line id.Line, need map[id.Stock]int64, n int64, until time.Time) bool {
	if !b.Has(channel, need, n) {
		return false
	}
	for _, stock := range slices.Sorted(maps.Keys(need)) {
		r := &Reservation{ID: id.New[id.Reservation](), Stock: stock, Line: line, Quantity: need[stock] * n, State: Live, ExpiresAt: until, Allotment: b.pool(stock, channel)}
		b.shift(stock, r.Allotment, available, reserved, r.Quantity)
		b.fresh = append(b.fresh, r)
	}
	return true
}

// Holds reports whether the line's live reservations cover n times what need says.
func (b *Book) Holds(line id.Line, need map[id.Stock]int64, n int64) bool {
	have := map[id.Stock]int64{}
	for _, r := range b.held[line] {
		have[r.Stock] += r.Quantity
	}
	for stock, each := range need {
		if have[stock] < each*n {
			return false
		}
	}
	return true
}

// Consume delivers everything the line holds.
func (b *Book) Consume(line id.Line) { b.end(line, Consumed, delivered) }

// Promise keeps a unit that the line was delivered for a right of it that gets it later.
func (b *Book) Promise(line id.Line, right id.Right, stock id.Stock) {
	pool := b.untake(line, stock, 1)
	b.shift(stock, pool, delivered, reserved, 1)
	b.fresh = append(b.fresh, &Reservation{ID: id.New[id.Reservation](), Stock: stock, Line: line, Quantity: 1, State: Live, Right: right, Allotment: pool})
}

// Fulfil delivers what a right was promised. It reports false when nothing of that stock is
// promised to it.
func (b *Book) Fulfil(right id.Right, stock id.Stock) bool {
	r := b.due[right]
	if r == nil || r.Stock != stock {
		return false
	}
	b.finish(r, Consumed, delivered)
	return true
}

// Swap makes what a right was promised available again, because it becomes one to something
// else.
func (b *Book) Swap(right id.Right) {
	if r := b.due[right]; r != nil {
		b.finish(r, Swapped, available)
	}
}

func (b *Book) finish(r *Reservation, as State, to account) {
	b.shift(r.Stock, r.Allotment, reserved, to, r.Quantity)
	if to == delivered {
		b.take(r.Line, r.Stock, r.Allotment, r.Quantity)
	}
	r.State = as
	b.ended = append(b.ended, r)
	delete(b.due, r.Right)
}

// Release gives back everything the line holds; as is Released or Expired.
func (b *Book) Release(line id.Line, as State) { b.end(line, as, available) }

func (b *Book) end(line id.Line, as State, to account) {
	for _, r := range b.held[line] {
		b.finish(r, as, to)
	}
	delete(b.held, line)
}

// take notes which allotment a line's units are of, and untake that they go back to it.
func (b *Book) take(line id.Line, stock id.Stock, pool string, n int64) {
	if pool == "" {
		return
	}
	if b.taken[line] == nil {
		b.taken[line] = map[id.Stock]map[string]int64{}
	}
	if b.taken[line][stock] == nil {
		b.taken[line][stock] = map[string]int64{}
	}
	b.taken[line][stock][pool] += n
}

// untake returns the allotment that n units of a line's go back to, "" for none, and keeps on
// record that they are its delivered ones no more.
func (b *Book) untake(line id.Line, stock id.Stock, n int64) string {
	for _, pool := range slices.Sorted(maps.Keys(b.taken[line][stock])) {
		if b.taken[line][stock][pool] >= n {
			b.taken[line][stock][pool] -= n
			b.fresh = append(b.fresh, &Reservation{ID: id.New[id.Reservation](), Stock: stock, Line: line, Quantity: n, State: Returned, Allotment: pool})
			return pool
		}
	}
	return ""
}

// Take delivers units that nobody holds to a line of a channel's. It reports false, and takes
// nothing, when a stock has too little.
func (b *Book) Take(channel string, line id.Line, need map[id.Stock]int64, n int64) bool {
	if !b.Has(channel, need, n) {
		return false
	}
	for _, stock := range slices.Sorted(maps.Keys(need)) {
		q, pool := need[stock]*n, b.pool(stock, channel)
		b.shift(stock, pool, available, delivered, q)
		if pool != "" {
			b.take(line, stock, pool, q)
			b.fresh = append(b.fresh, &Reservation{ID: id.New[id.Reservation](), Stock: stock, Line: line, Quantity: q, State: Consumed, Allotment: pool})
		}
	}
	return true
}

// Return takes back units that a line was delivered: to be available again where they came
// from, or voided when they can't be sold twice.
func (b *Book) Return(line id.Line, stock id.Stock, n int64, void bool) {
	to := available
	if void {
		to = voided
		b.record(b.stocks[stock], -n)
	}
	for range n { // each may be of another allotment
		b.shift(stock, b.untake(line, stock, 1), delivered, to, 1)
	}
}

// Receive adds units that nobody is allotted. Below zero it takes them off again, from the
// allotments only when nothing else is left.
func (b *Book) Receive(stock id.Stock, n int64) {
	s := b.stocks[stock]
	s.Received += n
	s.Available += n
	b.record(s, n)
	b.cover(stock)
	b.moved[stock] = true
}

// Void takes n available units out of sale for good, from the allotments only when nothing
// else is left; it reports false when there are fewer.
func (b *Book) Void(stock id.Stock, n int64) bool {
	s := b.stocks[stock]
	if s.Available < n {
		return false
	}
	s.Available -= n
	s.Voided += n
	b.record(s, -n)
	b.cover(stock)
	b.moved[stock] = true
	return true
}

// Stock is a stock of the book as it stands now, nil when there is none.
func (b *Book) Stock(stock id.Stock) *Stock { return b.stocks[stock] }
