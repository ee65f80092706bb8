// Package delivery decides how what was bought becomes rights, in pure functions: which
// rights a unit of an offer gives, which of them need a code, and, when codes are short,
// which units can be delivered whole.
package delivery

import (
	"time"

	"hufu/internal/id"
)

// Part is a benefit in a unit of an offer.
type Part struct {
	N         int64 // which part of the offer
	Benefit   id.Benefit
	Kind      string
	Quantity  int64
	Stock     id.Stock // of codes; "" when it isn't delivered as a code
	Waits     string   // what its rights wait for before they are held; "" for nothing
	ValidDays int64
}

// Item is one right to be granted.
type Item struct {
	Right id.Right
	Unit  int64 // which unit of the line it belongs to
	Part  Part
}

// Plan lists the rights that so many units give, unit by unit.
func Plan(parts []Part, units int64) []Item {
	var out []Item
	for u := range units {
		for _, p := range parts {
			for range p.Quantity {
				out = append(out, Item{Right: id.New[id.Right](), Unit: u, Part: p})
			}
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
		if it.Part.Stock != "" && !has(it.Right) {
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

// Ends is when a right granted at a moment ends: after its days, or with its code when
// that is sooner. The zero time is no end.
func Ends(granted time.Time, days int64, code time.Time) time.Time {
	var end time.Time
	if days > 0 {
		end = granted.AddDate(0, 0, int(days))
	}
	if !code.IsZero() && (end.IsZero() || code.Before(end)) {
		end = code
	}
	return end
}
