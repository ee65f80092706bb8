package catalogue

import (
	"slices"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Picks are the options that a buyer picked: of each choice, by its key, the indexes of parts
// in rising order.
type Picks = map[string][]int

// Options are the indexes of the parts that are options of a choice, in their order.
func (c Content) Options(choice string) []int {
	var out []int
	for i, p := range c.Parts {
		if p.Choice == choice {
			out = append(out, i)
		}
	}
	return out
}

// ChoiceOf is the choice that a part is an option of, nil of a fixed part.
func (c Content) ChoiceOf(part int) *Choice {
	for i := range c.Choices {
		if c.Parts[part].Choice != "" && c.Choices[i].Key == c.Parts[part].Choice {
			return &c.Choices[i]
		}
	}
	return nil
}

// Defaults are the options that a choice falls to when nobody picks: its first.
func (c Content) Defaults(ch Choice) []int {
	all := c.Options(ch.Key)
	return all[:min(int(ch.Pick), len(all))]
}

// CheckPicks refuses picks that aren't those a buyer has to make: of each choice that isn't
// Later its number of different options, and nothing else. Its faults are order.picks,
// order.picks_later and order.picks_unknown, at a path.
func (c Content) CheckPicks(picks Picks, path string) error {
	refused := func(code string, params ...string) error {
		return fault.New(fault.Invalid, code, params...).At(path, code, params...)
	}
	known := 0
	for _, ch := range c.Choices {
		got, picked := picks[ch.Key]
		if picked {
			known++
		}
		if ch.Later {
			if picked {
				return refused("order.picks_later", ch.Name.Param("choice")...)
			}
			continue
		}
		options := c.Options(ch.Key)
		ok := int64(len(got)) == ch.Pick
		for i, p := range got {
			ok = ok && slices.Contains(options, p) && (i == 0 || got[i-1] < p)
		}
		if !ok {
			return refused("order.picks", append(ch.Name.Param("choice"), "count", decimal(ch.Pick))...)
		}
	}
	if known != len(picks) {
		return refused("order.picks_unknown")
	}
	return nil
}

// Gift is so many rights to one part, given at each of some moments, in a unit of an offer.
type Gift struct {
	Part     int
	Choice   *Choice // nil of a fixed part
	Quantity int64   // each time
	Times    []time.Time
}

// Later reports whether which option it is is still to be picked: until then it is the
// choice's default.
func (g Gift) Later() bool { return g.Choice != nil && g.Choice.Later }

// Gifts lists what one unit gives who buys it at a moment with some picks: the fixed parts,
// the options picked, and the defaults of what is picked later. A choice that isn't Later and
// was not picked gives nothing.
func (c Content) Gifts(picks Picks, at time.Time) []Gift {
	out := make([]Gift, 0, len(c.Parts))
	for i, p := range c.Parts {
		if p.Choice == "" {
			out = append(out, Gift{Part: i, Quantity: p.Quantity, Times: p.Release.Times(at)})
		}
	}
	for i := range c.Choices {
		ch := &c.Choices[i]
		picked := picks[ch.Key]
		if ch.Later {
			picked = c.Defaults(*ch)
		}
		for _, n := range picked {
			if n < 0 || n >= len(c.Parts) || c.Parts[n].Choice != ch.Key {
				continue // no option of it: CheckPicks says so
			}
			out = append(out, Gift{Part: n, Choice: ch, Quantity: c.Parts[n].Quantity, Times: ch.Release.Times(at)})
		}
	}
	return out
}

// Over is a part whose releases have all gone by for who buys at a moment, or isn't there.
func (c Content) Over(picks Picks, at time.Time) (Part, bool) {
	for _, g := range c.Gifts(picks, at) {
		if len(g.Times) == 0 {
			return c.Parts[g.Part], true
		}
	}
	return Part{}, false
}

// Sure are the parts that one unit gives whatever is picked later, with all their releases
// counted.
func (c Content) Sure(picks Picks, at time.Time) []Part {
	gifts := c.Gifts(picks, at)
	out := make([]Part, 0, len(gifts))
	for _, g := range gifts {
		if !g.Later() {
			out = append(out, Part{Benefit: c.Parts[g.Part].Benefit, Quantity: g.Quantity * int64(len(g.Times))})
		}
	}
	return out
}

// Undecided reports whether a part stands for an option that is picked after the purchase.
func (c Content) Undecided(part int) bool {
	ch := c.ChoiceOf(part)
	return ch != nil && ch.Later
}

// Supplies is how many units of which stocks one unit of the offer takes of who buys it at a
// moment with some picks: of all releases together, and for what is picked later of its
// defaults.
func (c Content) Supplies(picks Picks, at time.Time) map[id.Stock]int64 {
	need := map[id.Stock]int64{}
	if c.Stock != "" {
		need[c.Stock]++
	}
	for _, g := range c.Gifts(picks, at) {
		if n := g.Quantity * int64(len(g.Times)); n > 0 && c.Parts[g.Part].Benefit.Stock != "" {
			need[c.Parts[g.Part].Benefit.Stock] += n
		}
	}
	return need
}

// Plain reports whether every unit takes the same, whoever buys it and when.
func (c Content) Plain() bool {
	return len(c.Choices) == 0 && !slices.ContainsFunc(c.Parts, func(p Part) bool { return p.Release.Every != AtOnce })
}

// Stocks are all that any way of picking takes from, in order.
func (c Content) Stocks() []id.Stock {
	var out []id.Stock
	if c.Stock != "" {
		out = append(out, c.Stock)
	}
	for _, p := range c.Parts {
		if p.Benefit.Stock != "" {
			out = append(out, p.Benefit.Stock)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Plentiful picks, of each choice that a buyer makes, the options of which most are left when
// so many units of each stock are free; the earlier one of equals. What is left of an offer is
// what its stocks make with them.
func (c Content) Plentiful(free func(id.Stock) int64) Picks {
	var out Picks
	for _, ch := range c.Choices {
		if ch.Later {
			continue
		}
		options := c.Options(ch.Key)
		slices.SortStableFunc(options, func(a, b int) int { return -compareLeft(c.Parts[a], c.Parts[b], free) })
		picked := options[:min(int(ch.Pick), len(options))]
		slices.Sort(picked)
		if out == nil {
			out = Picks{}
		}
		out[ch.Key] = picked
	}
	return out
}

// compareLeft compares how often two options can still be given.
func compareLeft(a, b Part, free func(id.Stock) int64) int {
	left := func(p Part) int64 {
		if p.Benefit.Stock == "" || p.Quantity < 1 {
			return 1 << 62
		}
		return free(p.Benefit.Stock) / p.Quantity
	}
	switch x, y := left(a), left(b); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
