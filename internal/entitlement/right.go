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
	Waiting   State = "waiting" // granted, and its deliverer has yet to do its part
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
	StepRevealed  = "revealed"
	StepUsed      = "used"
	StepSuspended = "suspended"
	StepResumed   = "resumed"
	StepExpired   = "expired"
	StepRefunded  = "refunded"
)

// leads says which state a step ends in, and from which states it may be taken.
var leads = map[string]struct {
	to   State
	from []State
}{
	StepGranted:   {Held, nil},
	StepWaiting:   {Waiting, []State{Held}},
	StepDelivered: {Held, []State{Waiting}},
	StepRevealed:  {Revealed, []State{Held, Revealed}},
	StepUsed:      {Used, []State{Held, Revealed}},
	StepSuspended: {Suspended, []State{Held, Revealed}},
	StepResumed:   {Held, []State{Suspended}},
	StepExpired:   {Expired, []State{Waiting, Held, Revealed, Suspended}},
	StepRefunded:  {Refunded, []State{Waiting, Held, Suspended}},
}

// Allows reports whether a right in state s can take a step of a kind.
func (s State) Allows(step string) bool { return slices.Contains(leads[step].from, s) }

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
	state := State("")
	for i, s := range steps {
		if s.N != int64(i)+1 || s.Right != r.ID || string(s.sum(head)) != string(s.Hash) {
			return int64(i) + 1
		}
		if (i == 0) != (s.Kind == StepGranted) || (i > 0 && !state.Allows(s.Kind)) {
			return int64(i) + 1
		}
		head, state = s.Hash, leads[s.Kind].to
	}
	if int64(len(steps)) != r.Steps || string(head) != string(r.Head) || state != r.State {
		return int64(len(steps)) + 1
	}
	return 0
}
