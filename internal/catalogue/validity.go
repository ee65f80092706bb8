package catalogue

import "time"

// ValidFroms are what validity may count from.
var ValidFroms = []ValidFrom{FromGrant, FromWindow, FromPurchase, FromActivation, FromFirstUse}

// Begun reports whether the holder begins the validity, so that it has no end before.
func (v Validity) Begun() bool { return v.From == FromActivation || v.From == FromFirstUse }

// Span is when a right counts that was bought at a moment and given at another, of a benefit
// that lasts so many days of its own (0: no end of its own). The zero end is none. What its
// holder begins has no end yet, but begin is until when it must have begun, zero for no end
// of that.
func (v Validity) Span(own int64, purchased, given time.Time) (start, end, begin time.Time) {
	start = given
	switch v.From {
	case FromGrant:
		if own > 0 {
			end = given.AddDate(0, 0, int(own))
		}
	case FromWindow:
		start, end = v.Start, v.End
	case FromPurchase:
		end = purchased.AddDate(0, 0, int(v.Days))
	case FromActivation, FromFirstUse:
		if v.Within > 0 {
			begin = given.AddDate(0, 0, int(v.Within))
		}
	}
	return start, end, begin
}
