package catalogue

import (
	"slices"
	"testing"
)

// What is left over goes by the largest remainder, and of equal ones to what weighs more: a
// share of nothing goes to what is worth least, wherever it stands.
func TestWhatIsLeftOverGoesToTheGreaterWeight(t *testing.T) {
	for _, c := range []struct {
		amount        int64
		weights, want []int64
	}{
		{2, []int64{1, 3}, []int64{0, 2}}, {2, []int64{3, 1}, []int64{2, 0}},
		{1, []int64{1, 1, 2}, []int64{0, 0, 1}}, {100, []int64{1, 1, 1}, []int64{34, 33, 33}}, {0, []int64{5, 0}, []int64{0, 0}},
	} {
		if got, err := apportion(c.amount, c.weights); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d by %v: %v, want %v (%v)", c.amount, c.weights, got, c.want, err)
		}
	}
}
