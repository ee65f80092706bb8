package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"hufu/internal/db/dbtest"
)

// home is where a server is, while there is one.
type home struct {
	mu   sync.Mutex
	addr string
	up   chan struct{} // closed while there is a server
}

func newHome() *home { return &home{up: make(chan struct{})} }

func (h *home) set(addr string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if (addr != "") != (h.addr != "") {
		if addr != "" {
			close(h.up)
		} else {
			h.up = make(chan struct{})
		}
	}
	h.addr = addr
}

func (h *home) where(ctx context.Context) (string, func(), error) {
	for {
		h.mu.Lock()
		addr, up := h.addr, h.up
		h.mu.Unlock()
		if addr != "" {
			return addr, func() {}, nil
		}
		select {
		case <-up:
		case <-ctx.Done():
			return "", nil, ctx.Err()
		}
	}
}

// TestKilledAtRandom is F1: the server is killed at random moments under load and started
// again. Nothing that was acknowledged is lost, nothing is there that nobody asked for, and
// nothing happens twice (I17, I18).
func TestKilledAtRandom(t *testing.T) {
	kills := 8
	if testing.Short() {
		kills = 3
	}
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			rng := seeded(t)
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			s := openShop(t, dbtest.Store(t, kind), offering{20000}, offering{2000}, offering{2000}, offering{40})
			m := newMarket(t, s)
			h := newHome()
			m.where = h.where
			server := s.serve("--log-level", "error")
			h.set(server.addr)
			stop := make(chan struct{})
			all := m.work(ctx, rng, 12, stop)
			for range kills {
				m.heard(ctx, 1+rng.IntN(400))
				server.kill()
				h.set("")
				server = s.serve("--log-level", "error")
				h.set(server.addr)
			}
			m.heard(ctx, 50)
			close(stop)
			all.Wait()
			m.settle(ctx)
			s.verify() // while it serves
			server.term()
			server.ended()
			s.verify()
			m.check()
		})
	}
}
