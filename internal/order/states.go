package order

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is where an order stands.
type State string

// The states of an order. Paid is none of them: the payment and what follows from it are
// one transaction, which ends in Fulfilled, Part or Shortage.
const (
	Pending   State = "pending"
	Fulfilled State = "fulfilled" // everything delivered
	Part      State = "part"      // some delivered, the rest refunded or being refunded
	Shortage  State = "shortage"  // paid, nothing could be delivered; being refunded
	Refunded  State = "refunded"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// Transitions is the state machine. A payment may still arrive for an order that was
// cancelled or has expired: it is honoured if stock is left.
var Transitions = map[State][]State{
	Pending:   {Fulfilled, Part, Shortage, Cancelled, Expired},
	Cancelled: {Fulfilled, Part, Shortage},
	Expired:   {Fulfilled, Part, Shortage},
	Fulfilled: {Part, Refunded},
	Part:      {Refunded},
	Shortage:  {Refunded},
	Refunded:  {},
}

// MayBecome reports whether the machine has an edge from s to t.
func (s State) MayBecome(t State) bool { return slices.Contains(Transitions[s], t) }

// Step is one entry of a history.
type Step struct {
	State State
	At    time.Time
}

// step writes a history entry: "state@microseconds;".
func step(s State, at time.Time) string {
	return string(s) + "@" + strconv.FormatInt(at.UnixMicro(), 10) + ";"
}

// ParseHistory reads a history; it reports false when the text isn't one.
func ParseHistory(text string) ([]Step, bool) {
	var out []Step
	for part := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		state, at, ok := strings.Cut(part, "@")
		us, err := strconv.ParseInt(at, 10, 64)
		if _, known := Transitions[State(state)]; !ok || err != nil || !known {
			return nil, false
		}
		out = append(out, Step{State(state), time.UnixMicro(us).UTC()})
	}
	return out, true
}

// PathOf reports whether steps begin at Pending, follow the machine and end at last.
func PathOf(steps []Step, last State) bool {
	if len(steps) == 0 || steps[0].State != Pending || steps[len(steps)-1].State != last {
		return false
	}
	for i := 1; i < len(steps); i++ {
		if !steps[i-1].State.MayBecome(steps[i].State) {
			return false
		}
	}
	return true
}
