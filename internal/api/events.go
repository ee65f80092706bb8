package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"hufu/internal/db"
	"hufu/internal/order"
)

const (
	// eventsFor is how long one stream of events lasts; whoever still waits connects again.
	eventsFor = 10 * time.Minute
	// beat keeps proxies from taking a quiet stream for a dead one.
	beat = 20 * time.Second
	// glance is how often an order is looked at when nothing wakes us.
	glance = 2 * time.Second
)

// orderEvents sends an event "order" with the order's state at once and after each change,
// and ends when nothing more is to be waited for. A change is told after its commit; which
// change isn't: the reader looks at the order.
func (a *API) orderEvents(ctx context.Context, c *Call, in *OrderRef) error {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(c.r.Context(), eventsFor)
	defer stop()
	var changed <-chan struct{}
	if a.Live != nil {
		woken, leave, err := a.Live.Watch(in.ID)
		if err != nil {
			return err
		}
		defer leave()
		changed = woken
	}
	state, err := a.stateOf(ctx, in)
	if err != nil {
		return err
	}
	out := http.NewResponseController(c.w)
	h := c.header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	c.w.WriteHeader(http.StatusOK)
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(beat)) // a recorder has none
		_, err := c.w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	say := func() bool {
		return send(fmt.Sprintf("event: order\ndata: {\"id\":%q,\"state\":%q}\n\n", in.ID, state))
	}
	if !send("retry: 2000\n\n") || !say() {
		return nil
	}
	pulse, look := time.NewTicker(beat), time.NewTicker(glance)
	defer pulse.Stop()
	defer look.Stop()
	for state == order.Pending {
		var open bool
		select {
		case <-ctx.Done():
			return nil
		case <-pulse.C:
			if !send(": beat\n\n") {
				return nil
			}
			continue
		case _, open = <-changed:
			if !open {
				return nil // the server ends
			}
		case <-look.C:
			if a.Live != nil {
				continue // the hub looks, for everybody at once
			}
		}
		was := state
		if state, err = a.stateOf(ctx, in); err != nil {
			return nil // the stream ends; the reader connects again
		}
		if state != was && !say() {
			return nil
		}
	}
	return nil
}

func (a *API) stateOf(ctx context.Context, in *OrderRef) (state order.State, err error) {
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Orders.One(ctx, tx, in.ID)
		if err == nil {
			state = o.State
		}
		return err
	})
	return state, err
}
