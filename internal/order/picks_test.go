package order

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestPicksAreReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Picks{}
		for _, key := range rapid.SliceOfDistinct(rapid.StringMatching(`[a-z0-9]+(-[a-z0-9]+)*`), rapid.ID).Draw(t, "keys") {
			p[key] = rapid.SliceOfNDistinct(rapid.IntRange(0, 49), 1, 5, rapid.ID).Draw(t, "parts")
		}
		got, err := ParsePicks(p.Text())
		if err != nil || len(got) != len(p) || got.Text() != p.Text() {
			t.Fatalf("%v is read as %v: %v", p, got, err)
		}
		for key, parts := range p {
			if !slices.Equal(slices.Sorted(slices.Values(parts)), got[key]) {
				t.Fatalf("%v is read as %v", p, got)
			}
		}
	})
}

func TestOtherTextsAreNoPicks(t *testing.T) {
	if p, err := ParsePicks(""); p != nil || err != nil {
		t.Error("nothing was picked")
	}
	for _, text := range []string{"a", "a:", "a:x", "a:1;", "b:1;a:2", "a:2,1", "a:1;a:2", "a:01", ";"} {
		if p, err := ParsePicks(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}
