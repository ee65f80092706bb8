package rule

import (
	"strings"

	"hufu/internal/i18n"
)

// nearFact is the fact that was probably meant: the closest spelling, or the one whose
// name in either language was written.
func (v *Vocabulary) nearFact(written string) string {
	for _, f := range v.facts {
		for _, l := range i18n.Langs {
			if strings.EqualFold(f.Label(l), written) {
				return f.Name
			}
		}
	}
	var names []string
	for _, f := range v.facts {
		names = append(names, f.Name)
	}
	if n := nearest(written, names); n != "" {
		return n
	}
	last := map[string]string{} // the last word of a name, when one fact alone has it
	var words []string
	for _, name := range names {
		w := name[strings.LastIndexByte(name, '.')+1:]
		if _, twice := last[w]; twice {
			last[w] = ""
			continue
		}
		last[w] = name
		words = append(words, w)
	}
	return last[nearest(written[strings.LastIndexByte(written, '.')+1:], words)]
}

// nearValue is the choice that was probably meant.
func (f Fact) nearValue(written string) string {
	var values []string
	for _, c := range f.Choices {
		for _, l := range i18n.Langs {
			if strings.EqualFold(c.In(l), written) {
				return c.Value
			}
		}
		values = append(values, c.Value)
	}
	return nearest(written, values)
}

// nearest is the word at the smallest distance, in any letter case; "" when none is near.
// The earlier wins.
func nearest(written string, words []string) string {
	best, least := "", min(3, len([]rune(written))/4)+1
	for _, w := range words {
		if d := distance(strings.ToLower(written), strings.ToLower(w), least); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to add, drop, change or swap with their neighbour between a
// and b (Damerau and Levenshtein, restricted); at least most if it is no less.
func distance(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= most || len(y)-len(x) >= most {
		return most
	}
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		now, before, second := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		now[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			now[j] = min(before[j]+1, now[j-1]+1, before[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				now[j] = min(now[j], second[j-2]+1)
			}
		}
	}
	return rows[len(x)%3][len(y)]
}
