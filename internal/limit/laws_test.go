package limit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The law of the package, against a model that remembers every act: in no window do more
// than Max pass; an act that was refused passes after its wait; a bucket that rested for
// nine eighths of its window is empty.
func TestNoWindowHoldsMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{Bucket: "b", Max: rapid.Int64Range(0, 6).Draw(t, "max"), Window: time.Duration(rapid.Int64Range(1, 100).Draw(t, "window")) * time.Second}
		now := time.UnixMicro(1_700_000_000_000_000 + rapid.Int64Range(0, 1e9).Draw(t, "start"))
		buckets := map[string]*bucket{l.key(): {}}
		var passed []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "acts") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(l.Window)/3/1000).Draw(t, "pause")) * time.Microsecond)
			// Through text and back, as between transactions.
			b := buckets[l.key()]
			b.hits = parseHits(formatHits(b.hits))
			if wait := b.wait(l, now); wait > 0 && l.Max > 0 {
				if b.wait(l, now.Add(wait)) != 0 {
					t.Fatalf("told to wait %v, and then there is no room", wait)
				}
				if wait > l.Window+l.Window/parts+time.Second {
					t.Fatalf("told to wait %v for a window of %v", wait, l.Window)
				}
			}
			if judge(buckets, []Limit{l}, now).OK {
				passed = append(passed, now)
			}
			var within int64
			for _, at := range passed {
				if now.Sub(at) < l.Window {
					within++
				}
			}
			if within > l.Max {
				t.Fatalf("%d passed within %v, the limit is %d", within, l.Window, l.Max)
			}
		}
		if rested := now.Add(l.Window + l.Window/parts + time.Millisecond); l.Max > 0 && buckets[l.key()].wait(l, rested) != 0 {
			t.Fatal("a bucket at rest is still full")
		}
	})
}

// An act under several limits counts in all or in none.
func TestAnActCountsInAllItsBucketsOrInNone(t *testing.T) {
	now := time.UnixMicro(1_700_000_000_000_000)
	wide, tight := Limit{"wide", 100, time.Hour}, Limit{"tight", 2, time.Minute}
	buckets := map[string]*bucket{wide.key(): {}, tight.key(): {}}
	ok, first := 0, 0
	for range 10 {
		v := judge(buckets, []Limit{wide, tight}, now)
		if v.OK {
			ok++
		} else if v.Bucket != "tight" {
			t.Errorf("%q refused", v.Bucket)
		}
		if v.First {
			first++
		}
	}
	if ok != 2 || first != 1 {
		t.Errorf("%d passed and %d refusals were the first; want 2 and 1", ok, first)
	}
	if got := formatHits(buckets[wide.key()].hits); got[len(got)-2:] != ":2" {
		t.Errorf("refused acts were counted: %s", got)
	}
}

// When the clock steps back, acts counted already go on to count.
func TestAClockThatStepsBackOpensNothing(t *testing.T) {
	now := time.UnixMicro(1_700_000_000_000_000)
	l := Limit{"b", 1, time.Minute}
	buckets := map[string]*bucket{l.key(): {}}
	if !judge(buckets, []Limit{l}, now).OK || judge(buckets, []Limit{l}, now.Add(-time.Hour)).OK {
		t.Error("the first must pass and the second not")
	}
}
