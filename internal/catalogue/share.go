package catalogue

import (
	"cmp"
	"slices"

	"hufu/internal/money"
)

// Shares splits the price of one unit over the rights it gives: for each gift, for each of
// its times, for each of its quantity, in this order. They add up to the price exactly, none
// is below zero, and each is within one minor unit of its proportion.
//
// Where shares are declared, a fixed part's and a choice's are kept to, in proportion when the
// price is another, and divided among its rights alone. Otherwise all rights go by
// Benefit.Worth. Where the worth of one isn't known in the price's currency, those it is
// divided with count alike.
//
// Equal remainders go to the greater worth, and among equals to the earlier right, so that
// the order in which parts stand changes nothing that a part gets but between equal ones.
func (c Content) Shares(gifts []Gift, price money.Amount) ([]int64, error) {
	var total int
	for _, g := range gifts {
		total += int(g.Quantity) * len(g.Times)
	}
	out := make([]int64, total)
	if total == 0 {
		return out, nil
	}
	groups, amounts := [][]right{c.rightsOf(gifts)}, []int64{price.Minor}
	if c.shared() {
		groups, amounts = nil, nil
		var declared []int64
		byChoice := map[string]int{}
		for _, r := range c.rightsOf(gifts) {
			key, share := "", c.Parts[r.part].Share
			if r.choice != nil {
				key, share = r.choice.Key, r.choice.Share
			} else {
				key = "\x00" + decimal(int64(r.part))
			}
			at, ok := byChoice[key]
			if !ok {
				at = len(groups)
				byChoice[key] = at
				groups, declared = append(groups, nil), append(declared, share.Minor)
			}
			groups[at] = append(groups[at], r)
		}
		var err error
		if amounts, err = apportion(price.Minor, declared); err != nil {
			return nil, err
		}
	}
	for i, group := range groups {
		weights := make([]int64, len(group))
		known := true
		for k, r := range group {
			w := c.Parts[r.part].Benefit.Worth
			known = known && w.Minor > 0 && w.Currency == price.Currency
			weights[k] = w.Minor
		}
		if !known {
			for k := range weights {
				weights[k] = 1
			}
		}
		got, err := apportion(amounts[i], weights)
		if err != nil {
			return nil, err
		}
		for k, r := range group {
			out[r.at] = got[k]
		}
	}
	return out, nil
}

// right is one right of a unit, with its place among all.
type right struct {
	part, at int
	choice   *Choice
}

func (c Content) rightsOf(gifts []Gift) []right {
	var out []right
	for _, g := range gifts {
		for range len(g.Times) * int(g.Quantity) {
			out = append(out, right{part: g.Part, at: len(out), choice: g.Choice})
		}
	}
	return out
}

// apportion splits an amount by weights, of which one at least is above zero unless the
// amount is zero; equal remainders go to the greater weight first.
func apportion(amount int64, weights []int64) ([]int64, error) {
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	sorted := make([]int64, len(weights))
	for i, k := range order {
		sorted[i] = weights[k]
	}
	parts, err := money.Amount{Minor: amount}.Split(sorted...)
	if err != nil {
		return nil, err
	}
	out := make([]int64, len(weights))
	for i, k := range order {
		out[k] = parts[i].Minor
	}
	return out, nil
}

// shared reports whether shares are declared.
func (c Content) shared() bool {
	for _, p := range c.Parts {
		if !p.Share.IsZero() {
			return true
		}
	}
	for _, ch := range c.Choices {
		if !ch.Share.IsZero() {
			return true
		}
	}
	return false
}
