package id

import (
	"sort"
	"testing"
	"time"
)

func TestNewIncreasesAndParses(t *testing.T) {
	before := time.Now().Add(-time.Millisecond)
	ids := make([]string, 20_000)
	for i := range ids {
		ids[i] = string(New[Order]())
	}
	if !sort.StringsAreSorted(ids) {
		t.Fatal("identifiers minted one after the other do not increase")
	}
	seen := map[string]bool{}
	for _, s := range ids {
		if seen[s] {
			t.Fatalf("%s was minted twice", s)
		}
		seen[s] = true
		if _, err := Parse[Order](s); err != nil {
			t.Fatal(err)
		}
	}
	at := Time(Order(ids[0]))
	if at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("%s says it was minted at %s", ids[0], at)
	}
}

func TestParseRefuses(t *testing.T) {
	good := string(New[Order]())
	for _, s := range []string{"", "ord_", good[:len(good)-1], good + "0", "lin" + good[3:], "ord_8" + good[5:],
		"ord_" + "IIIIIIIIIIIIIIIIIIIIIIIIII", "ord-" + good[4:], good[:10] + "\x00" + good[11:]} {
		if _, err := Parse[Order](s); err == nil {
			t.Errorf("Parse(%q) was taken", s)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New[Order]()
	}
}
