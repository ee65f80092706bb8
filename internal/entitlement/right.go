package entitlement

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"hufu/internal/id"
)

// State is where a right stands.
type State string

// The states of a right.
const (
	Waiting   State = "waiting" // granted, and something has yet to happen; see Right.Waits
	Held      State = "held"
	Revealed  State = "revealed" // its code was shown
	Used      State = "used"
	Suspended State = "suspended"
	Expired   State = "expired"
	Refunded  State = "refunded"
)

// Step kinds: what can happen to a right.
const (
	StepGranted   = "granted"
	StepWaiting   = "waiting"   // something must happen before it is held
	StepDelivered = "delivered" // and has happened
	StepReleased  = "released"  // its time has come
	StepChosen    = "chosen"    // it was picked which of several it is
	StepActivated = "activated" // its holder began its validity
	StepRevealed  = "revealed"
	StepUsed      = "used"
	StepSuspended = "suspended"
	StepResumed   = "resumed"
	StepExpired   = "expired"
	StepRefunded  = "refunded"
)

// What rights wait for that the seller gives later. Anything else is for a deliverer to do.
const (
	WaitRelease = "release" // its day: its step out is StepReleased
	WaitChoice  = "choice"  // its holder's pick: its step out is StepChosen
)

// ends says of what rights wait for which step ends it.
func ends(wait string) string {
	switch wait {
	case WaitRelease:
		return StepReleased
	case WaitChoice:
		return StepChosen
	}
	return StepDelivered
}

// leads says which state a step ends in, and from which states it may be taken.
var leads = map[string]struct {
	to   State
	from []State
}{
	StepGranted:   {Held, nil},
	StepWaiting:   {Waiting, []State{Held}},
	StepDelivered: {Held, []State{Waiting}},
	StepReleased:  {Held, []State{Waiting}},
	StepChosen:    {Held, []State{Waiting}},
	StepActivated: {Held, []State{Held}},
	StepRevealed:  {Revealed, []State{Held, Revealed}},
	StepUsed:      {Used, []State{Held, Revealed}},
	StepSuspended: {Suspended, []State{Held, Revealed}},
	StepResumed:   {Held, []State{Suspended}},
	StepExpired:   {Expired, []State{Waiting, Held, Revealed, Suspended}},
	StepRefunded:  {Refunded, []State{Waiting, Held, Suspended}},
}

// Allows reports whether a right in state s can take a step of a kind.
func (s State) Allows(step string) bool { return slices.Contains(leads[step].from, s) }

// Allows reports whether the right can take a step of a kind: its state allows it, it waits for
// it, and its validity is still to be begun by it.
func (r *Right) Allows(step string) bool {
	switch step {
	case StepDelivered, StepReleased, StepChosen:
		return r.State.Allows(step) && ends(r.Waits) == step
	case StepActivated:
		return r.State.Allows(step) && r.Clock.From == ClockActivation
	}
	return r.State.Allows(step)
}

// Right is what somebody holds.
type Right struct {
	ID        id.Right
	Order     id.Order
	Line      id.Line
	Part      int64 // which part of the offer
	Benefit   id.Benefit
	Version   id.OfferVersion
	Party     id.Party // "" for a guest: who has the order's secret holds it
	Kind      string
	State     State
	Code      id.Code // "" when it isn't delivered as a code
	StartsAt  time.Time
	EndsAt    time.Time // zero: no end of its own
	Steps     int64
	Head      []byte
	GrantedAt time.Time
	Unit      int64 // which unit of the line it belongs to, from 0
	Nth       int64 // which of the unit's releases, from 0
	// Share is what of the unit's price it stands for, in minor units of the order's currency.
	// Those of a unit add up to its price.
	Share int64
	Waits string // what a Waiting one waits for
	// DueAt is when something happens to it by itself: it is released, falls to the option it
	// stands at, or ends because nobody began it. Zero is never.
	DueAt time.Time
	Clock Clock // of validity that hasn't begun
}

// Step is one event on a right's path.
type Step struct {
	Right id.Right
	N     int64
	Kind  string
	Actor string
	Data  string // JSON
	At    time.Time
	Hash  []byte
}

// sum is the hash of a step: SHA-256 over the hash before it and each part behind its
// length.
func (s Step) sum(before []byte) []byte {
	h := sha256.New()
	h.Write(before)
	buf := make([]byte, 0, 256)
	for _, p := range []string{string(s.Right), s.Kind, s.Actor, s.Data} {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	buf = binary.AppendVarint(buf, s.N)
	buf = binary.AppendVarint(buf, s.At.UnixMicro())
	h.Write(buf)
	return h.Sum(nil)
}

// take puts a step on the right's path in memory.
func (r *Right) take(kind, actor, data string, at time.Time) Step {
	s := Step{Right: r.ID, N: r.Steps + 1, Kind: kind, Actor: actor, Data: data, At: at}
	s.Hash = s.sum(r.Head)
	r.Steps, r.Head = s.N, s.Hash
	r.State = leads[kind].to
	r.wind(kind, at)
	return s
}

// Follow puts a step on the right's path in memory and returns it, for whoever writes whole
// paths at once. The state must allow it; the first step is StepGranted.
func (r *Right) Follow(kind, actor, data string, at time.Time) Step {
	return r.take(kind, actor, data, at)
}

// Check follows a path from its beginning and returns the number of the first step that
// doesn't fit the right, 0 when all do.
func Check(r Right, steps []Step) int64 {
	var head []byte
	state, waits := State(""), ""
	for i, s := range steps {
		if s.N != int64(i)+1 || s.Right != r.ID || string(s.sum(head)) != string(s.Hash) {
			return int64(i) + 1
		}
		if (i == 0) != (s.Kind == StepGranted) || (i > 0 && !state.Allows(s.Kind)) {
			return int64(i) + 1
		}
		switch s.Kind {
		case StepWaiting:
			waits = waitOf(s.Data)
		case StepDelivered, StepReleased, StepChosen:
			if s.Kind != ends(waits) {
				return int64(i) + 1
			}
		}
		head, state = s.Hash, leads[s.Kind].to
	}
	if int64(len(steps)) != r.Steps || string(head) != string(r.Head) || state != r.State || state == Waiting && waits != r.Waits {
		return int64(len(steps)) + 1
	}
	return 0
}
