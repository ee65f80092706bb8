package identity

import (
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Face is a side of Hufu that people sign in to.
type Face string

// The faces.
const (
	Shop    Face = "shop"
	Console Face = "console"
)

// Stage is how far a sign-in has come.
type Stage string

// The stages. Only a full session may do anything but go on.
const (
	StageSecond Stage = "second" // the password was right; the second factor is asked for
	StageEnrol  Stage = "enrol"  // the second factor is still to be set up
	StageFull   Stage = "full"
)

// life is how long sessions last: without use, and in any case.
type life struct{ idle, whole time.Duration }

var lives = map[Face]life{
	Shop:    {30 * 24 * time.Hour, 90 * 24 * time.Hour},
	Console: {30 * time.Minute, 12 * time.Hour},
}

const (
	// stageLife is how long a sign-in may take.
	stageLife = 15 * time.Minute
	// FreshFor is how long after a re-authentication sensitive acts are let through.
	FreshFor = 10 * time.Minute
	// touchAfter is how stale the time of last use may become: a write for each request would
	// be too many.
	touchAfter = time.Minute
)

// Session is a signed-in browser.
type Session struct {
	ID          id.Session
	Party       Party
	Roles       Roles // as they are now
	Face        Face
	Stage       Stage
	CreatedAt   time.Time
	SeenAt      time.Time // to the minute
	ConfirmedAt time.Time // last proof of identity
	ExpiresAt   time.Time // at the latest
	Origin      string    // address it began from
	Agent       string    // the browser's own words

	hash []byte
}

// Opened is a session with what its browser is to keep. Neither token can be had again.
type Opened struct {
	Session
	Token  string
	Device string // "" unless the sign-in is complete
}

// live reports whether the session counts at a moment.
func (s *Session) live(now time.Time) bool {
	return s.Party.Active && now.Before(s.ExpiresAt) && now.Before(s.SeenAt.Add(lives[s.Face].idle))
}

// Actor is the session's party as who acts. Before the sign-in is complete it has no roles.
func (s *Session) Actor(o Origin) Actor {
	a := Actor{ID: string(s.Party.ID), Origin: line(o.Address, 64)}
	if s.Stage == StageFull {
		a.Roles = s.Roles
	}
	return a
}

// May reports whether the session gives a right now.
func (s *Session) May(r Right) bool { return s.Stage == StageFull && s.Roles.May(r) }

// Fresh is the fault identity.confirm unless the person has proven who they are within
// FreshFor: what a sensitive act asks for (reveal, payment settings, staff).
func (s *Session) Fresh(now time.Time) error {
	if s.Stage == StageFull && now.Before(s.ConfirmedAt.Add(FreshFor)) {
		return nil
	}
	return fault.New(fault.Forbidden, "identity.confirm")
}

// Stale reports whether the time of last use is old enough to be written anew, by
// Service.Touch.
func (s *Session) Stale(now time.Time) bool { return now.Sub(s.SeenAt) >= touchAfter }

// Faults of sessions, declared once for comparison.
var (
	errSignIn = fault.New(fault.Unauthenticated, "unauthenticated")
	errEnded  = fault.New(fault.Unauthenticated, "identity.session_ended")
)
