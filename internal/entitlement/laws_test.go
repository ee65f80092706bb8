package entitlement

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/id"
)

var kinds = []string{StepWaiting, StepDelivered, StepReleased, StepChosen, StepActivated, StepRevealed, StepUsed, StepSuspended, StepResumed, StepExpired, StepRefunded}

// Whatever a right goes through, its path leads to it, it says what it waits for exactly while
// it waits, something is due only of what can still happen, and its validity begins once.
func TestEveryPathLeadsToItsRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		r := Right{ID: id.New[id.Right](), StartsAt: at}
		if rapid.Bool().Draw(t, "clock") {
			r.Clock = Clock{From: rapid.SampledFrom([]string{ClockActivation, ClockUse}).Draw(t, "from"), Days: rapid.Int64Range(1, 400).Draw(t, "days"), Within: rapid.Int64Range(0, 90).Draw(t, "within")}
			r.EndsAt = rapid.SampledFrom([]time.Time{{}, at.AddDate(0, 1, 0)}).Draw(t, "code's end")
		}
		clock, limit := r.Clock, r.EndsAt
		var begun time.Time
		path := []Step{r.take(StepGranted, "guest", "{}", at)}
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			at = at.Add(time.Duration(rapid.Int64Range(1, 1e15).Draw(t, "later")))
			kind := rapid.SampledFrom(kinds).Draw(t, "kind")
			if !r.Allows(kind) {
				continue
			}
			if kind == StepWaiting {
				path = append(path, r.wait(rapid.SampledFrom([]string{WaitRelease, WaitChoice, "top_up"}).Draw(t, "wait"), at.Add(time.Hour), at))
			} else {
				path = append(path, r.take(kind, "guest", "{}", at))
			}
			if begun.IsZero() && clock.starts(kind) {
				begun = at
			}
			switch {
			case (r.Waits != "") != (r.State == Waiting):
				t.Fatalf("%s, and waits for %q", r.State, r.Waits)
			case !r.DueAt.IsZero() && r.State != Waiting && (r.State != Held || r.Clock.Within == 0):
				t.Fatalf("%s, and due at %s", r.State, r.DueAt)
			case r.State == Held && r.Clock.Within > 0 && !r.DueAt.Equal(at.AddDate(0, 0, int(r.Clock.Within))):
				t.Fatalf("to be begun by %s", r.DueAt)
			case (r.Clock == Clock{}) == (begun.IsZero() && clock != Clock{}):
				t.Fatalf("%s of %+v, begun at %s", r.State, r.Clock, begun)
			}
		}
		if n := Check(r, path); n != 0 {
			t.Fatalf("step %d of %d doesn't lead to it", n, len(path))
		}
		if !begun.IsZero() {
			want := begun.AddDate(0, 0, int(clock.Days))
			if !limit.IsZero() && limit.Before(want) {
				want = limit
			}
			if !r.StartsAt.Equal(begun) || !r.EndsAt.Equal(want) {
				t.Fatalf("begun at %s it counts from %s to %s", begun, r.StartsAt, r.EndsAt)
			}
		}
		if got, err := parseClock(clock.text()); err != nil || got != clock {
			t.Fatalf("%+v is read as %+v: %v", clock, got, err)
		}
	})
}

// A right that waits for one thing isn't given by another.
func TestAStepEndsTheWaitThatItIsFor(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for wait, want := range map[string]string{WaitRelease: StepReleased, WaitChoice: StepChosen, "top_up": StepDelivered} {
		for _, kind := range []string{StepReleased, StepChosen, StepDelivered} {
			r := Right{ID: "rgt_1"}
			path := []Step{r.take(StepGranted, "x", "{}", at), r.wait(wait, at, at)}
			if r.Allows(kind) != (kind == want) {
				t.Errorf("waiting for %s it allows %s: %t", wait, kind, r.Allows(kind))
			}
			path = append(path, r.take(kind, "x", "{}", at))
			if bad := Check(r, path); (bad == 0) != (kind == want) || bad != 0 && bad != 3 {
				t.Errorf("waiting for %s, then %s: step %d is wrong", wait, kind, bad)
			}
		}
	}
}

func TestOtherTextsAreNoClocks(t *testing.T) {
	for _, text := range []string{"x", "/1/2", "activation", "activation/1", "activation/1/2/3", "activation/01/2", "activation/a/b"} {
		if c, err := parseClock(text); err == nil {
			t.Errorf("%q is read as %+v", text, c)
		}
	}
}
