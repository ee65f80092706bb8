package catalogue

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/id"
)

// Holding is a right that somebody has, as far as relations ask.
type Holding struct {
	Right   id.Right
	Benefit *Benefit
	// Starts and Ends are its time when it stands alone; a zero Ends is without one. Of an
	// Unused one Ends is until when it can be redeemed.
	Starts, Ends time.Time
	Unused       bool // a code that was not looked at: its time hasn't begun
	Unpaid       bool // of an order that waits for its payment
	Spent        bool // used up or taken away: it counts only for what excludes for ever
}

// Days is how long one unit of b lasts, 0 when that isn't known in days.
func (b *Benefit) Days() int64 {
	if n, err := strconv.ParseInt(b.Attributes["days"], 10, 64); err == nil && n > 0 && n <= 36500 {
		return n
	}
	return b.ValidDays
}

// Hold makes a holding of a right to b that was granted at starts and ends at ends (zero: it
// doesn't). revealed is when its code was first shown, zero for never: its holder is taken to
// have redeemed it then.
func Hold(right id.Right, b *Benefit, starts, ends, revealed time.Time, spent bool) Holding {
	h := Holding{Right: right, Benefit: b, Starts: starts, Ends: ends, Spent: spent}
	switch {
	case b.Coded && revealed.IsZero():
		h.Unused = true
		return h
	case b.Coded:
		h.Starts = revealed
	case !ends.IsZero():
		return h
	}
	if lasts := b.Days(); lasts > 0 {
		h.Ends = h.Starts.Add(time.Duration(lasts) * 24 * time.Hour)
	}
	return h
}

// Await makes a holding of a right to b that somebody ordered at a moment and hasn't paid for:
// its time hasn't begun.
func Await(right id.Right, b *Benefit, ordered time.Time) Holding {
	return Holding{Right: right, Benefit: b, Starts: ordered, Unused: true, Unpaid: true}
}

// Case is which of the things that a relation can mean has been found.
type Case string

// The cases. Held ones set what is wanted against what is held, inside ones against what
// else is wanted.
const (
	ExtendsHeld      Case = "extends.held"
	ExtendsInside    Case = "extends.inside"
	HigherHeld       Case = "supersedes.higher_held" // the lower tier is wanted
	LowerHeld        Case = "supersedes.lower_held"  // the higher tier is wanted
	SupersedesInside Case = "supersedes.inside"
	ExcludesHeld     Case = "excludes.held"
	ExcludesInside   Case = "excludes.inside"
	NeedsMissing     Case = "needs.missing"
	NeedsHeld        Case = "needs.held"
	NeedsInside      Case = "needs.inside"
	OverlapsHeld     Case = "overlaps.held"
	OverlapsInside   Case = "overlaps.inside"
)

// Cases lists them.
var Cases = []Case{ExtendsHeld, ExtendsInside, HigherHeld, LowerHeld, SupersedesInside, ExcludesHeld, ExcludesInside, NeedsMissing, NeedsHeld, NeedsInside, OverlapsHeld, OverlapsInside}

// Inside reports whether the case is between parts of what is wanted.
func (c Case) Inside() bool { return strings.HasSuffix(string(c), ".inside") }

// Subject is a benefit on one side of a finding. What is held and what is ordered and waits
// for its payment are subjects of their own.
type Subject struct {
	Benefit  id.Benefit
	Name     Text
	Quantity int64
	// Of what is held: the last of its ends, zero when one of it has none; whether none of it
	// was used yet; whether its time is over.
	Ends   time.Time
	Unused bool
	Unpaid bool
	Over   bool

	endless bool
}

// Finding is what a relation means for a purchase.
type Finding struct {
	Relation Relation
	Case     Case
	Severity Severity
	Wanted   []Subject
	Held     []Subject
	// Until is when the time held runs out, with all that is added up; zero when no end is
	// known, or nothing runs. Then is when it will, if what is wanted adds to it.
	Until, Then time.Time
	// Days is what is wanted in days, and UnusedDays what is held and hasn't begun; 0 when
	// not all of it is known in days.
	Days, UnusedDays int64
}

// Conflicts finds what having wanted means beside what is held and within itself, the
// gravest first. It depends on no order of its input; more held, more wanted or more
// relations take no finding away; a need that is met is told as such.
func Conflicts(held []Holding, wanted []Part, relations []Relation, now time.Time) []Finding {
	together := merged(wanted)
	relations = slices.Clone(relations)
	slices.SortFunc(relations, func(a, b Relation) int { return cmp.Compare(a.Key, b.Key) })
	relations = slices.CompactFunc(relations, func(a, b Relation) bool { return a.Key == b.Key })
	all := lined(held, relations)
	var out []Finding
	for i := range relations { // a relation is large too
		out = append(out, relations[i].findings(all, together, now)...)
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Compare(slices.Index(Severities, a.Severity), slices.Index(Severities, b.Severity))
	})
	return out
}

// merged puts parts of the same benefit together, in a fixed order.
func merged(parts []Part) []*Part {
	all := make([]*Part, 0, len(parts)) // a part is large: it is neither sorted nor copied itself
	for i := range parts {
		if parts[i].Quantity > 0 {
			all = append(all, &parts[i])
		}
	}
	slices.SortFunc(all, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(a.Benefit.ID, b.Benefit.ID), cmp.Compare(b.Benefit.Version, a.Benefit.Version), cmp.Compare(a.Benefit.Slug, b.Benefit.Slug))
	})
	out := all[:0]
	for _, p := range all {
		if n := len(out); n > 0 && out[n-1].Benefit.ID == p.Benefit.ID {
			sum := Part{Benefit: out[n-1].Benefit, Quantity: out[n-1].Quantity + p.Quantity}
			out[n-1] = &sum
		} else {
			out = append(out, p)
		}
	}
	return out
}

// lined puts holdings into a fixed order, each once, with the time that each has when those
// that extend each other run one after the other.
func lined(held []Holding, relations []Relation) []*Holding {
	all := make([]*Holding, len(held)) // a holding is large: it is neither sorted nor copied itself
	for i := range held {
		all[i] = &held[i]
	}
	slices.SortFunc(all, func(a, b *Holding) int {
		return cmp.Or(a.Starts.Compare(b.Starts), a.Ends.Compare(b.Ends), cmp.Compare(a.Right, b.Right))
	})
	all = slices.CompactFunc(all, func(a, b *Holding) bool { return a.Right == b.Right })
	ends := make([]time.Time, len(all))
	for i := range relations {
		r := &relations[i]
		if r.Kind != Extends {
			continue
		}
		var cursor time.Time
		var touches bool
		for i, h := range all {
			if i == 0 || h.Benefit != all[i-1].Benefit {
				touches = r.Touches(h.Benefit)
			}
			if !touches || h.Spent || h.Unused || h.Ends.IsZero() {
				continue
			}
			begins := h.Starts
			if cursor.After(begins) {
				begins = cursor
			}
			if cursor = begins.Add(h.Ends.Sub(h.Starts)); cursor.After(ends[i]) {
				ends[i] = cursor
			}
		}
	}
	for i := range all {
		if ends[i].After(all[i].Ends) {
			longer := *all[i]
			longer.Ends = ends[i]
			all[i] = &longer
		}
	}
	return all
}

// endless reports whether h runs, and no end of it is known.
func (h *Holding) endless() bool { return !h.Spent && !h.Unused && h.Ends.IsZero() }

func (h *Holding) inForce(now time.Time) bool {
	return !h.Spent && (h.Ends.IsZero() || h.Ends.After(now))
}

// sides is on which sides of a relation something stands.
type sides struct{ from, opposed bool }

func (r *Relation) sidesOf(b *Benefit) sides { return sides{r.From.Has(b), r.Opposes(b)} }

// counted tells on which sides of r each holding counts.
func (r *Relation) counted(all []*Holding, now time.Time) []sides {
	out := make([]sides, len(all))
	var of sides
	for i, h := range all { // of one benefit many are held one after the other
		if i == 0 || h.Benefit != all[i-1].Benefit {
			of = r.sidesOf(h.Benefit)
		}
		if r.Ever || h.inForce(now) {
			out[i] = of
		}
	}
	return out
}

func (r *Relation) findings(all []*Holding, wanted []*Part, now time.Time) []Finding {
	var wantFrom, wantTo []*Part
	for _, p := range wanted {
		s := r.sidesOf(&p.Benefit)
		if s.from {
			wantFrom = append(wantFrom, p)
		}
		if s.opposed {
			wantTo = append(wantTo, p)
		}
	}
	if len(wantFrom) == 0 && len(wantTo) == 0 {
		return nil
	}
	count := r.counted(all, now)
	had := func(from, opposed bool) []*Holding {
		in := make([]*Holding, 0, len(all))
		for i, h := range all {
			if from && count[i].from || opposed && count[i].opposed {
				in = append(in, h)
			}
		}
		return in
	}
	within := pairs(wantFrom, wantTo, r.Kind.Mutual())
	var out []Finding
	add := func(c Case, s Severity, w []*Part, h []*Holding) {
		if len(w) > 0 {
			out = append(out, r.finding(c, s, w, h, now))
		}
	}
	beside := func(c Case, w []*Part, h []*Holding) {
		if len(h) > 0 {
			add(c, r.Severity, w, h)
		}
	}
	switch r.Kind {
	case Extends, Excludes, Overlaps:
		var w []*Part
		if slices.ContainsFunc(count, func(s sides) bool { return s.opposed }) {
			w = append(w, wantFrom...)
		}
		if slices.ContainsFunc(count, func(s sides) bool { return s.from }) {
			w = append(w, wantTo...)
		}
		beside(Case(r.Kind+".held"), once(w), had(len(wantTo) > 0, len(wantFrom) > 0))
		add(Case(r.Kind+".inside"), r.Severity, within, nil)
	case Supersedes:
		beside(HigherHeld, wantTo, had(true, false))
		beside(LowerHeld, wantFrom, had(false, true))
		add(SupersedesInside, r.Severity, within, nil)
	case Needs:
		switch hadTo := had(false, true); {
		case len(hadTo) > 0:
			add(NeedsHeld, Inform, wantFrom, hadTo)
		case len(within) > 0:
			add(NeedsInside, Inform, within, nil)
		default:
			add(NeedsMissing, r.Severity, wantFrom, nil)
		}
	}
	return out
}

// once puts parts in a fixed order, each once.
func once(parts []*Part) []*Part {
	slices.SortFunc(parts, func(a, b *Part) int { return cmp.Compare(a.Benefit.ID, b.Benefit.ID) })
	return slices.Compact(parts)
}

// pairs is what of two sides stands against another unit of what is wanted; two units of one
// benefit do when twice.
func pairs(from, to []*Part, twice bool) []*Part {
	met := func(p *Part, others []*Part) bool {
		return slices.ContainsFunc(others, func(q *Part) bool { return q != p || twice && p.Quantity > 1 })
	}
	var out []*Part
	for _, p := range from {
		if met(p, to) {
			out = append(out, p)
		}
	}
	for _, p := range to {
		if met(p, from) {
			out = append(out, p)
		}
	}
	return once(out)
}

func (r *Relation) finding(c Case, s Severity, wanted []*Part, held []*Holding, now time.Time) Finding {
	f := Finding{Relation: *r, Case: c, Severity: s}
	known := true
	for _, p := range wanted {
		f.Wanted = append(f.Wanted, Subject{Benefit: p.Benefit.ID, Name: p.Benefit.Name, Quantity: p.Quantity})
		f.Days += p.Benefit.Days() * p.Quantity
		known = known && p.Benefit.Days() > 0
	}
	if !known {
		f.Days = 0
	}
	known = true
	endless := false
	for _, h := range held {
		f.hold(h, now)
		endless = endless || h.endless()
		switch {
		case h.Unused && h.inForce(now):
			f.UnusedDays += h.Benefit.Days()
			known = known && h.Benefit.Days() > 0
		case h.inForce(now):
			f.Until = later(f.Until, h)
		}
	}
	if !known {
		f.UnusedDays = 0
	}
	if endless {
		f.Until = time.Time{}
	}
	if r.Kind == Extends && f.Days > 0 && !f.Until.IsZero() && known {
		f.Then = f.Until.UTC().AddDate(0, 0, int(f.Days+f.UnusedDays))
	}
	return f
}

// later is the later of t and when h, in use, ends.
func later(t time.Time, h *Holding) time.Time {
	if !h.Unused && h.Ends.After(t) {
		return h.Ends
	}
	return t
}

// hold puts a holding beside others of its benefit.
func (f *Finding) hold(h *Holding, now time.Time) {
	at := slices.IndexFunc(f.Held, func(s Subject) bool { return s.Benefit == h.Benefit.ID && s.Unpaid == h.Unpaid })
	if at < 0 {
		at = len(f.Held)
		f.Held = append(f.Held, Subject{Benefit: h.Benefit.ID, Name: h.Benefit.Name, Unused: true, Over: true, Unpaid: h.Unpaid})
	}
	s := &f.Held[at]
	s.Quantity++
	s.Unused = s.Unused && h.Unused
	s.Over = s.Over && !h.inForce(now)
	s.endless = s.endless || h.endless()
	if s.Ends = later(s.Ends, h); s.endless {
		s.Ends = time.Time{}
	}
}

// Gravest is the gravest severity among findings, "" of none.
func Gravest(all []Finding) Severity {
	for _, s := range Severities {
		if slices.ContainsFunc(all, func(f Finding) bool { return f.Severity == s }) {
			return s
		}
	}
	return ""
}

// Of keeps the findings of a severity.
func Of(all []Finding, s Severity) []Finding {
	var out []Finding
	for _, f := range all {
		if f.Severity == s {
			out = append(out, f)
		}
	}
	return out
}
