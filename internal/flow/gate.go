package flow

import (
	"context"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/order"
)

// soldOutAlready reports, without the database, whether a command asks for something that
// is known to be sold out.
//
// A request that was carried out before is not refused: its answer is the order it made.
func (f *Flows) soldOutAlready(c Place) error {
	if f.Inventory.Gate.Open() || f.placed.has(c.Request) {
		return nil
	}
	for _, l := range c.Lines {
		if s, ok := f.Catalogue.LastSeen(l.Offer); ok && f.Inventory.Gate.Shut(s.Needs) {
			return soldOut(s.Sale)
		}
	}
	return nil
}

// RefreshGate learns of what came back to stock, and of offers that changed meanwhile. It
// costs nothing while nothing is sold out.
func (f *Flows) RefreshGate(ctx context.Context) error {
	if f.Inventory.Gate.Open() {
		f.placed.learned(time.Time{})
		return nil
	}
	if err := f.Inventory.Gate.Refresh(ctx, f.DB); err != nil {
		return err
	}
	return f.DB.View(ctx, func(tx *db.Tx) error {
		now := f.Clock.Now()
		if err := f.Catalogue.RefreshSeen(ctx, tx, now); err != nil {
			return err
		}
		return f.refreshPlaced(ctx, tx, now)
	})
}

// Repeats of a request that other nodes carried out come soon or not at all: on a lost
// answer a client tries again. So the gate, when it shuts, learns of so much of the past.
const (
	learnPast  = 2 * time.Minute
	learnAgain = 5 * time.Second // node clocks may differ by as much
)

func (f *Flows) refreshPlaced(ctx context.Context, tx *db.Tx, now time.Time) error {
	since := now.Add(-learnPast)
	if last := f.placed.last(); !last.IsZero() {
		since = last.Add(-learnAgain)
	}
	keys, err := f.Orders.KeysSince(ctx, tx, id.From[id.Order](since), maxPlaced)
	if err == nil {
		f.placed.add(keys...)
		f.placed.learned(now)
	}
	return err
}

// maxPlaced is how many requests a generation of placedKeys remembers.
const maxPlaced = 100_000

// placedKeys remembers requests that were carried out lately, in two generations, the
// older of which is forgotten when the newer is full.
type placedKeys struct {
	mu       sync.RWMutex
	now, old map[order.KeyOf]struct{}
	since    time.Time // of the last refresh; zero while nothing is sold out
}

func (p *placedKeys) last() time.Time {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.since
}

func (p *placedKeys) learned(at time.Time) {
	p.mu.Lock()
	p.since = at
	p.mu.Unlock()
}

func (p *placedKeys) add(keys ...order.KeyOf) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range keys {
		if p.now == nil || len(p.now) >= maxPlaced {
			p.now, p.old = make(map[order.KeyOf]struct{}, maxPlaced/8), p.now
		}
		p.now[k] = struct{}{}
	}
}

func (p *placedKeys) has(k order.KeyOf) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, now := p.now[k]
	_, old := p.old[k]
	return now || old
}
