package inventory

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Edition is what makes a counted stock one of numbered things (限量编号): every unit has a
// number from the moment it is delivered to a right.
type Edition struct {
	Stock      id.Stock
	Size       int64 // how many numbers there are
	First      int64 // the lowest
	Gapless    bool  // a number that comes back is given to the next buyer; otherwise it is retired with its unit
	ByLot      bool  // positions are drawn; otherwise numbers go up in the order of payment
	Seed       []byte
	Commitment string // of the lot, "" without one
	Next       int64  // how many numbers were ever given: the position of the next fresh one
	Retired    int64
	Closed     bool // for good: nothing of the stock is sold any more, and the seed is told
	CreatedBy  string
	CreatedAt  time.Time
	ClosedAt   time.Time
}

// MaxEdition is the largest size of an edition.
const MaxEdition = 1_000_000_000

// Number is one number of an edition as it stands.
type Number struct {
	Stock    id.Stock
	Number   int64
	Position int64 // in the order of giving
	Right    id.Right
	State    string // NumberHeld, NumberFree or NumberRetired
	At       time.Time
	Of, Last int64 // how many numbers the edition has, and the highest
}

// The states of a number that was given.
const (
	NumberHeld    = "held"
	NumberFree    = "free" // it came back, and the next buyer gets it
	NumberRetired = "retired"
)

// Numbering is a step in the history of a number: given, returned or retired.
type Numbering struct {
	ID     id.Numbering
	Stock  id.Stock
	Number int64
	Right  id.Right
	What   string
	At     time.Time
}

// Text is the number as it is shown: with as many digits as the highest has, and how many
// there are.
func (n Number) Text() string { return n.Digits() + " / " + text(n.Of) }

// Digits is the number with as many digits as the highest has.
func (n Number) Digits() string { return fmt.Sprintf("%0*d", len(text(n.Last)), n.Number) }

// NumberAt is the number of a position.
func (e *Edition) NumberAt(position int64) int64 {
	if e.ByLot {
		position = Lot{e.Seed, e.Size}.At(position)
	}
	return e.First + position
}

// RevealedSeed is the seed in hex once the edition is closed, "" before and without a lot.
func (e *Edition) RevealedSeed() string {
	if !e.Closed || !e.ByLot {
		return ""
	}
	return hex.EncodeToString(e.Seed)
}

// room is how many more units may be promised, so that each finds a number.
func (e *Edition) room(s *Stock) int64 {
	if e.Closed {
		return 0
	}
	return e.Size - e.Retired - s.Delivered - s.Reserved
}

// BeginEdition makes a counted stock an edition. It fails with edition.begun when it is one,
// with edition.sold when units of it are sold, with edition.size when it has more units than
// there would be numbers.
func (b *Book) BeginEdition(e Edition) error {
	s := b.stocks[e.Stock]
	switch {
	case s == nil:
		return fault.New(fault.NotFound, "stock.not_found")
	case s.Kind != Counted:
		return fault.New(fault.Conflict, "edition.counted")
	case s.Edition:
		return fault.New(fault.Conflict, "edition.begun")
	case e.Size < 1 || e.Size > MaxEdition || e.First < 0 || e.First > MaxEdition:
		return fault.New(fault.Invalid, "edition.invalid", "max", text(MaxEdition))
	case s.Delivered > 0:
		return fault.New(fault.Conflict, "edition.sold")
	case s.Received-s.Voided > e.Size:
		return fault.New(fault.Conflict, "edition.size", "units", text(s.Received-s.Voided), "size", text(e.Size))
	}
	e.Seed, e.Commitment = []byte{}, ""
	if e.ByLot {
		e.Seed = newSeed()
		e.Commitment = Commitment(e.Stock, e.Size, e.First, e.Seed)
	}
	s.Edition = true
	b.moved[s.ID] = true
	b.editions[s.ID], b.begun = &e, append(b.begun, &e)
	return nil
}

// CloseEdition ends the giving of numbers for good, and tells the seed of the lot. It fails
// with edition.reserved while units are held for somebody.
func (b *Book) CloseEdition(stock id.Stock, now time.Time) error {
	e, s := b.editions[stock], b.stocks[stock]
	switch {
	case e == nil:
		return fault.New(fault.NotFound, "edition.none")
	case e.Closed:
		return fault.New(fault.Conflict, "edition.closed")
	case s.Reserved > 0:
		return fault.New(fault.Conflict, "edition.reserved", "n", text(s.Reserved))
	}
	e.Closed, e.ClosedAt = true, now
	b.moved[stock] = true
	b.given[stock] = true
	return nil
}

// Give numbers a unit of a stock that was delivered to a right: the lowest number that came
// back, or a fresh one. It reports false for a stock that is no edition.
func (b *Book) Give(stock id.Stock, right id.Right, now time.Time) (Number, bool) {
	e := b.editions[stock]
	if e == nil {
		return Number{}, false
	}
	var n *Number
	if free := b.free[stock]; len(free) > 0 {
		n, b.free[stock] = free[0], free[1:]
		b.renumbered[n] = true
	} else {
		n = &Number{Stock: stock, Number: e.NumberAt(e.Next), Position: e.Next}
		e.Next++
		b.numbers = append(b.numbers, n)
	}
	n.State, n.Right, n.At = NumberHeld, right, now
	n.Of, n.Last = e.Size, e.First+e.Size-1
	b.written(n, right, "given", now)
	return *n, true
}

// TakeBack takes the unit of an edition back from a right, with its number: without gaps both
// are for the next buyer, otherwise both are gone for good. It reports false when the right
// has no number of that stock. The book was opened with OpenReturn.
func (b *Book) TakeBack(stock id.Stock, line id.Line, right id.Right, now time.Time) bool {
	e := b.editions[stock]
	i := slices.IndexFunc(b.numbered, func(n *Number) bool { return n.Stock == stock && n.Right == right })
	if e == nil || i < 0 {
		return false
	}
	n, what := b.numbered[i], "returned"
	b.numbered = slices.Delete(b.numbered, i, i+1)
	n.Right, n.State = "", NumberFree
	if e.Gapless {
		at, _ := slices.BinarySearchFunc(b.free[stock], n, func(a, b *Number) int { return cmp.Compare(a.Number, b.Number) })
		b.free[stock] = slices.Insert(b.free[stock], at, n)
	} else {
		n.State, what = NumberRetired, "retired"
		e.Retired++
	}
	b.renumbered[n] = true
	b.Return(line, stock, 1, !e.Gapless)
	b.written(n, right, what, now)
	return true
}

func (b *Book) written(n *Number, right id.Right, what string, now time.Time) {
	b.given[n.Stock] = true
	b.history = append(b.history, &Numbering{ID: id.New[id.Numbering](), Stock: n.Stock, Number: n.Number, Right: right, What: what, At: now})
}

// Edition is what numbers the units of a stock of the book, nil for one without.
func (b *Book) Edition(stock id.Stock) *Edition { return b.editions[stock] }
