// Package delivery decides how what was bought becomes rights, in pure functions: which
// rights a unit of an offer gives, which of them need a code, and, when codes are short,
// which units can be delivered whole.
package delivery

import (
	"time"

	"hufu/internal/id"
)

// Part is one right in a unit of an offer.
type Part struct {
	N        int64 // which part of the offer
	Benefit  id.Benefit
	Kind     string
	Stock    id.Stock  // whose unit it takes; "" for none
	Coded    bool      // it is delivered as a code of Stock
	Promised bool      // it is given later: until then its unit is kept for it
	Waits    string    // what it waits for before it is held; "" for nothing
	Due      time.Time // when that ends by itself; zero is never
	Nth      int64     // which of the unit's releases
	Share    int64     // of the unit's price, in minor units
	StartsAt time.Time
	EndsAt   time.Time // zero is no end
	Clock    Clock     // of validity that its holder begins
}

// Clock is validity that a right's holder begins: what with, for how many days, and within how
// many. The zero value is none.
type Clock struct {
	From         string
	Days, Within int64
}

// NeedsCode reports whether it can't be delivered now without a code.
func (p Part) NeedsCode() bool { return p.Coded && !p.Promised }

// Item is one right to be granted.
type Item struct {
	Right id.Right
	Unit  int64 // which unit of the line it belongs to
	Part  Part
}

// Plan lists the rights that so many units give, unit by unit.
func Plan(parts []Part, units int64) []Item {
	out := make([]Item, 0, int64(len(parts))*units)
	for u := range units {
		for _, p := range parts {
			out = append(out, Item{Right: id.New[id.Right](), Unit: u, Part: p})
		}
	}
	return out
}

// Whole keeps the items of units that are complete: every right of them that needs a code
// has one. It returns them and how many units they are. A unit is delivered whole or not
// at all.
func Whole(items []Item, has func(id.Right) bool) ([]Item, int64) {
	broken := map[int64]bool{}
	units := map[int64]bool{}
	for _, it := range items {
		units[it.Unit] = true
		if it.Part.NeedsCode() && !has(it.Right) {
			broken[it.Unit] = true
		}
	}
	if len(broken) == 0 {
		return items, int64(len(units))
	}
	kept := items[:0:0]
	for _, it := range items {
		if !broken[it.Unit] {
			kept = append(kept, it)
		}
	}
	return kept, int64(len(units) - len(broken))
}

// Sooner is the earlier of two ends, of which the zero time is none.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
