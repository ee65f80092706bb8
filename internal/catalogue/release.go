package catalogue

import "time"

// MaxReleases is how many times a part may be released: ten years of months.
const MaxReleases = 120

// Everys are the times between releases there are.
var Everys = []Every{AtOnce, EveryDay, EveryWeek, EveryMonth}

// Times are the moments at which somebody who bought at a moment is given the part, the
// earliest first. A release falls on the beginning of its day in Zone; what is due on the
// day of the purchase, and with CatchUp what was due before it, is given at the purchase.
// There are none left when every release was before that day, or Until has come.
func (r Release) Times(purchased time.Time) []time.Time {
	if r.Every == AtOnce {
		return []time.Time{purchased}
	}
	today := dayOf(purchased)
	first := today
	if !r.From.IsZero() {
		first = dayOf(r.From)
	}
	var out []time.Time
	for n := range min(r.Count, MaxReleases) {
		at := r.Every.after(first, int(n))
		if !r.Until.IsZero() && (!at.Before(r.Until) || !purchased.Before(r.Until)) {
			break
		}
		if at.Before(today) && !r.CatchUp {
			continue
		}
		if !at.After(purchased) {
			at = purchased
		}
		out = append(out, at)
	}
	return out
}

// dayOf is the beginning of the day of a moment in Zone.
func dayOf(at time.Time) time.Time {
	y, m, d := at.In(Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Zone)
}

// after is the day n times after the first.
func (e Every) after(first time.Time, n int) time.Time {
	y, m, d := first.Date()
	switch e {
	case EveryDay:
		return time.Date(y, m, d+n, 0, 0, 0, 0, Zone)
	case EveryWeek:
		return time.Date(y, m, d+7*n, 0, 0, 0, 0, Zone)
	}
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, Zone).Day()
	return time.Date(y, m+time.Month(n), min(d, last), 0, 0, 0, 0, Zone)
}
