package catalogue

import (
	"testing"
	"time"
)

// What parts cost by themselves is told when all of it is known: with the options picked, and
// of what is picked later with the least.
func TestWorthOfTheParts(t *testing.T) {
	c, at := aComposed(), time.Date(2026, 6, 1, 12, 0, 0, 0, Zone)
	picks := Picks{"now": {1, 2}}
	if n, ok := c.Worth(picks, at); ok || !n.IsZero() {
		t.Errorf("nothing is known, and it is %v", n)
	}
	for i, minor := range []int64{1000, 300, 200, 100, 50, 40} {
		c.Parts[i].Benefit.Worth, c.Parts[i].Quantity = yuan(minor), 1
	}
	if n, ok := c.Worth(picks, at); !ok || n != yuan(1000+300+200+12*40) {
		t.Errorf("%v, %v", n, ok)
	}
	if n, ok := c.Worth(nil, at); ok {
		t.Errorf("without picks it is %v", n)
	}
	c.Parts[4].Benefit.Worth = yuan(0)
	if n, ok := c.Worth(picks, at); ok {
		t.Errorf("with an option that isn't known it is %v", n)
	}
}
