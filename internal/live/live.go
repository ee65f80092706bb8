// Package live wakes the pages that wait for an order. A change made by this process is
// told at once (Publish); changes made by other nodes are found by one query a beat for all
// orders that anybody here waits for, however many that are.
package live

import (
	"context"
	"sync"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// MaxWatchers bounds how many pages may wait at once in one process; a page that is refused
// asks again by itself every two seconds instead.
const MaxWatchers = 20_000

// Hub knows who waits for what.
type Hub struct {
	mu      sync.Mutex
	waiting map[id.Order]map[chan struct{}]bool
	state   map[id.Order]string // as last seen by Poll
	n       int
	closed  bool
}

// New makes a hub.
func New() *Hub {
	return &Hub{waiting: map[id.Order]map[chan struct{}]bool{}, state: map[id.Order]string{}}
}

// Watch gives a channel that receives when the order may have changed, and is closed when
// the hub closes. Changes while nobody reads become one. stop must be called.
func (h *Hub) Watch(o id.Order) (changed <-chan struct{}, stop func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.n >= MaxWatchers {
		return nil, nil, fault.New(fault.Unavailable, "unavailable")
	}
	c := make(chan struct{}, 1)
	if h.waiting[o] == nil {
		h.waiting[o] = map[chan struct{}]bool{}
	}
	h.waiting[o][c] = true
	h.n++
	return c, func() { h.leave(o, c) }, nil
}

func (h *Hub) leave(o id.Order, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.waiting[o][c] {
		return
	}
	delete(h.waiting[o], c)
	h.n--
	if len(h.waiting[o]) == 0 {
		delete(h.waiting, o)
		delete(h.state, o)
	}
}

// Publish wakes who waits for an order. It never blocks.
func (h *Hub) Publish(o id.Order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wake(o)
}

func (h *Hub) wake(o id.Order) {
	for c := range h.waiting[o] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Watched lists the orders somebody waits for.
func (h *Hub) Watched() []id.Order {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]id.Order, 0, len(h.waiting))
	for o := range h.waiting {
		out = append(out, o)
	}
	return out
}

// Poll asks once how all watched orders stand and wakes who waits for one that differs
// from when it was asked before. It asks nothing when nobody waits.
func (h *Hub) Poll(ctx context.Context, states func(context.Context, []id.Order) (map[id.Order]string, error)) error {
	orders := h.Watched()
	if len(orders) == 0 {
		return nil
	}
	found, err := states(ctx, orders)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for o, s := range found {
		if h.waiting[o] == nil {
			continue
		}
		// The first sight counts as news: the order may have changed elsewhere since its page was made.
		if was, seen := h.state[o]; !seen || was != s {
			h.wake(o)
		}
		h.state[o] = s
	}
	return nil
}

// Run polls every beat until ctx ends; failed is told of queries that failed.
func (h *Hub) Run(ctx context.Context, every time.Duration, states func(context.Context, []id.Order) (map[id.Order]string, error), failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := h.Poll(ctx, states); err != nil && ctx.Err() == nil {
				failed(err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// Close ends every wait, so that a server can shut down.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for o, all := range h.waiting {
		for c := range all {
			close(c)
		}
		delete(h.waiting, o)
	}
	h.n = 0
}
