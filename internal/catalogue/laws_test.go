package catalogue

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var states = []State{Draft, Scheduled, Live, Paused, Archived}

func aState() *rapid.Generator[State] { return rapid.SampledFrom(states) }

func TestAWayIsMadeOfAllowedSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to, hasStart := aState().Draw(t, "from"), aState().Draw(t, "to"), rapid.Bool().Draw(t, "start")
		way := from.Way(to, hasStart)
		if to == Scheduled && !hasStart && from != Scheduled {
			if len(way) > 0 {
				t.Fatalf("scheduled without a start by %v", way)
			}
			return
		}
		at := from
		for _, s := range way {
			if !at.MayBecome(s) || (s == Scheduled && !hasStart) {
				t.Fatalf("%s to %s goes %v: %s may not become %s", from, to, way, at, s)
			}
			at = s
		}
		if at != to || len(way) >= len(states) {
			t.Fatalf("%s to %s goes %v", from, to, way)
		}
	})
}

func TestNothingIsSoldOutsideItsTime(t *testing.T) {
	base := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "none") {
			return time.Time{}
		}
		return base.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "hours")) * time.Hour)
	})
	rapid.Check(t, func(t *rapid.T) {
		o := Offer{State: aState().Draw(t, "state"), StartsAt: moment.Draw(t, "starts"), EndsAt: moment.Draw(t, "ends")}
		s := o.At(base)
		if s == Live && !o.EndsAt.IsZero() && !base.Before(o.EndsAt) {
			t.Fatal("live after its end")
		}
		if s == Live && o.State == Scheduled && (o.StartsAt.IsZero() || base.Before(o.StartsAt)) {
			t.Fatal("live before its start")
		}
		if s == Live && o.State != Live && o.State != Scheduled {
			t.Fatalf("%s became live by itself", o.State)
		}
		if o.State == Draft && s != Draft || o.State == Archived && s != Archived || o.State == Paused && s != Paused {
			t.Fatalf("%s became %s by itself", o.State, s)
		}
		// Time only goes on: what has ended doesn't come back.
		if later := o.At(base.Add(time.Hour)); s == Paused && later != Paused {
			t.Fatalf("paused, then %s", later)
		}
	})
}

func TestStatesAreClosed(t *testing.T) {
	for _, s := range states {
		for _, n := range next[s] {
			if !slices.Contains(states, n) || n == s {
				t.Errorf("%s leads to %s", s, n)
			}
		}
	}
	if len(next) != len(states) {
		t.Errorf("%d states have transitions, of %d", len(next), len(states))
	}
}
