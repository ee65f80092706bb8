package order

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// What a line keeps of the tallies it counts under is read as it was written, and nothing else
// is read at all.
func TestWhatALineCountsUnderIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := Under(rapid.MapOf(rapid.StringMatching(`off_[a-z0-9]{1,20}/(month|day|):[A-Za-z0-9 _:-]{0,30}`), rapid.Int64()).Draw(t, "under"))
		back, err := ParseUnder(u.text())
		if err != nil || !maps.Equal(u, back) {
			t.Fatalf("%q is read as %v, %v", u.text(), back, err)
		}
		for _, text := range []string{u.text() + "5", u.text() + "x name\n", u.text() + "5 \n", u.text() + "5 name"} {
			if back, err := ParseUnder(text); err == nil {
				t.Fatalf("%q is read as %v", text, back)
			}
		}
	})
}
