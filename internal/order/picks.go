package order

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Picks are the options that a buyer picked of a line's choices, the same for every unit of
// it: of each choice, by its key, the indexes of parts in rising order.
type Picks map[string][]int

// Text is how a line keeps picks: "drink:4;film:0,2", keys and indexes in order; "" for none.
func (p Picks) Text() string {
	var b strings.Builder
	for i, key := range slices.Sorted(maps.Keys(p)) {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(key)
		b.WriteByte(':')
		for k, part := range slices.Sorted(slices.Values(p[key])) {
			if k > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Itoa(part))
		}
	}
	return b.String()
}

// ParsePicks reads what Text wrote, and nothing else.
func ParsePicks(text string) (Picks, error) {
	if text == "" {
		return nil, nil
	}
	out := Picks{}
	for one := range strings.SplitSeq(text, ";") {
		key, parts, _ := strings.Cut(one, ":")
		for n := range strings.SplitSeq(parts, ",") {
			part, err := strconv.Atoi(n)
			if err != nil {
				return nil, fmt.Errorf("order: what a line picked can't be read: %q", text)
			}
			out[key] = append(out[key], part)
		}
	}
	if out.Text() != text {
		return nil, fmt.Errorf("order: what a line picked can't be read: %q", text)
	}
	return out, nil
}
