package entitlement

import (
	"fmt"
	"time"
)

// Clock is validity that a right's holder begins. The zero value is none, or begun.
type Clock struct {
	From   string // ClockActivation or ClockUse
	Days   int64  // how long it lasts
	Within int64  // days to begin in, from when it is held; 0 for no end of that
}

// What begins the validity of a right.
const (
	ClockActivation = "activation" // its holder says so; showing its code or using it says so too
	ClockUse        = "first_use"  // it is used, or its code is shown
)

// starts lists the steps that begin each.
func (c Clock) starts(step string) bool {
	return c.From != "" && (step == StepRevealed || step == StepUsed || step == StepActivated && c.From == ClockActivation)
}

// text is how a right keeps it: "activation/30/90"; "" for none.
func (c Clock) text() string {
	if c.From == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d/%d", c.From, c.Days, c.Within)
}

func parseClock(text string) (c Clock, err error) {
	if text == "" {
		return c, nil
	}
	for i := range text {
		if text[i] == '/' {
			c.From = text[:i]
			_, err = fmt.Sscanf(text[i:], "/%d/%d", &c.Days, &c.Within)
			break
		}
	}
	if err != nil || c.text() != text {
		return Clock{}, fmt.Errorf("entitlement: the clock %q can't be read", text)
	}
	return c, nil
}

// wind changes what a step at a moment means for when the right counts and what is due.
func (r *Right) wind(step string, at time.Time) {
	if r.Clock.starts(step) {
		r.StartsAt = at
		if end := at.AddDate(0, 0, int(r.Clock.Days)); r.EndsAt.IsZero() || end.Before(r.EndsAt) {
			r.EndsAt = end
		}
		r.Clock = Clock{}
	}
	if step == StepWaiting {
		return // its due was set with what it waits for
	}
	if r.Waits, r.DueAt = "", (time.Time{}); r.State == Held && r.Clock.Within > 0 {
		r.DueAt = at.AddDate(0, 0, int(r.Clock.Within))
	}
}
