package id

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSeriesLiesApartAndInOrder(t *testing.T) {
	before := New[Code]()
	var series []Series[Code]
	for range 100 {
		series = append(series, NewSeries[Code]())
	}
	after := New[Code]()
	last := before
	for _, s := range series {
		first, end := s.At(0), s.At(SeriesSize-1)
		if first <= last || end <= first {
			t.Fatalf("series %s to %s after %s", first, end, last)
		}
		last = end
	}
	if after <= last {
		t.Errorf("%s was minted after a series that ends with %s", after, last)
	}
}

func TestSeriesIsNamedByItsFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, n := NewSeries[Code](), rapid.Uint32().Draw(t, "n")
		again, err := SeriesFrom(s.At(0))
		if err != nil || again != s || again.At(n) != s.At(n) {
			t.Fatalf("%v %v %v", s, again, err)
		}
		if _, err := Parse[Code](string(s.At(n))); err != nil || len(s.At(n)) != s.Len() {
			t.Fatal(err)
		}
		if _, err := SeriesFrom(s.At(n)); n > 0 && err == nil {
			t.Fatalf("%s begins a series", s.At(n))
		}
	})
}

func TestSeriesAtIsOfItsMoment(t *testing.T) {
	at := time.Date(2025, 3, 4, 5, 6, 7, 891_000_000, time.UTC)
	seen := map[Order]bool{}
	for range 1000 {
		s := SeriesAt[Order](at)
		first, last := s.At(0), s.At(SeriesSize-1)
		if Time(first) != at || Time(last) != at || first < From[Order](at) || last >= From[Order](at.Add(time.Millisecond)) || seen[first] {
			t.Fatalf("%s to %s are not of %s alone", first, last, at)
		}
		if _, err := SeriesFrom(first); err != nil {
			t.Fatal(err)
		}
		seen[first] = true
	}
}
