package catalogue

import (
	"cmp"
	"slices"
	"time"

	"hufu/internal/money"
)

// Worth is what one unit's parts cost by themselves to who buys it at a moment with some picks,
// in the price's currency: of what is picked later, the least it can come to. It is false, and
// zero, when a part's isn't known, or what has to be picked isn't.
func (c Content) Worth(picks Picks, at time.Time) (money.Amount, bool) {
	if c.CheckPicks(picks, "") != nil {
		return money.Amount{}, false
	}
	sum := money.Of(0, c.Price.Currency)
	add := func(each, quantity int64, times int) bool {
		n, err := money.Of(each, sum.Currency).Times(quantity * int64(times))
		if err == nil {
			sum, err = sum.Add(n)
		}
		return err == nil
	}
	known := func(part int) bool {
		w := c.Parts[part].Benefit.Worth
		return w.Minor > 0 && w.Currency == c.Price.Currency
	}
	for _, g := range c.Gifts(picks, at) {
		if !g.Later() && (!known(g.Part) || !add(c.Parts[g.Part].Benefit.Worth.Minor, g.Quantity, len(g.Times))) {
			return money.Amount{}, false
		}
	}
	for _, ch := range c.Choices {
		if !ch.Later {
			continue
		}
		options := c.Options(ch.Key)
		if slices.ContainsFunc(options, func(n int) bool { return !known(n) }) {
			return money.Amount{}, false
		}
		slices.SortFunc(options, func(a, b int) int {
			return cmp.Compare(c.Parts[a].Benefit.Worth.Minor, c.Parts[b].Benefit.Worth.Minor)
		})
		for _, n := range options[:min(int(ch.Pick), len(options))] {
			if !add(c.Parts[n].Benefit.Worth.Minor, c.Parts[n].Quantity, len(ch.Release.Times(at))) {
				return money.Amount{}, false
			}
		}
	}
	return sum, sum.Minor > 0
}
