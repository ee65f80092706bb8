package web

import (
	"testing"
	"time"

	"hufu/internal/entitlement"
	"hufu/internal/web/ui"
)

// A right is usable within its validity and not before, whatever is recorded of it.
func TestATicketFollowsTheClock(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		right entitlement.Right
		want  ui.TicketState
	}{
		"begun":         {entitlement.Right{State: entitlement.Held, StartsAt: now, EndsAt: now.Add(day)}, ui.TicketHeld},
		"endless":       {entitlement.Right{State: entitlement.Held}, ui.TicketHeld},
		"begins later":  {entitlement.Right{State: entitlement.Held, StartsAt: now.Add(day), EndsAt: now.Add(2 * day)}, ui.TicketWaiting},
		"shown early":   {entitlement.Right{State: entitlement.Revealed, StartsAt: now.Add(day)}, ui.TicketWaiting},
		"over":          {entitlement.Right{State: entitlement.Held, StartsAt: now.Add(-2 * day), EndsAt: now}, ui.TicketExpired},
		"waits":         {entitlement.Right{State: entitlement.Waiting}, ui.TicketWaiting},
		"used too soon": {entitlement.Right{State: entitlement.Used, StartsAt: now.Add(day)}, ui.TicketUsed},
		"paid back":     {entitlement.Right{State: entitlement.Refunded, StartsAt: now.Add(day)}, ui.TicketRefunded},
	} {
		if got := ticketState(&c.right, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
