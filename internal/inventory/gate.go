package inventory

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Gate remembers which stocks have nothing available, so that a sold-out answer costs no
// database work. It only ever errs towards asking the database: a stock is shut by what a
// committed transaction saw and opened by any commit here that leaves units, or by
// Refresh, which learns of commits on other nodes.
type Gate struct {
	shut  atomic.Pointer[map[id.Stock]uint64] // since which event; replaced whole; readers take no lock
	count atomic.Uint64                       // of the events of shutting so far
	turns atomic.Uint64
	mu    sync.Mutex
	told  map[id.Stock]uint64 // the turn of the commit that was last believed
}

func newGate() *Gate {
	g := &Gate{told: map[id.Stock]uint64{}}
	g.shut.Store(&map[id.Stock]uint64{})
	return g
}

// Shut reports whether one of the stocks is known to have nothing available, and since
// which event of shutting; see Events.
func (g *Gate) Shut(need map[id.Stock]int64) (since uint64, shut bool) {
	all := *g.shut.Load()
	if len(all) == 0 {
		return 0, false
	}
	for s := range need {
		if event, ok := all[s]; ok && (!shut || event < since) {
			since, shut = event, true
		}
	}
	return since, shut
}

// Events is how many times a stock was shut. What a transaction reads that begins after
// this call includes all that was reserved of the stocks that were shut by then.
func (g *Gate) Events() uint64 { return g.count.Load() }

// Open reports whether nothing is known to be sold out.
func (g *Gate) Open() bool { return len(*g.shut.Load()) == 0 }

// turn numbers a transaction that has its stocks locked: of two that work on one stock the
// later has the higher number, in whatever order their commits are told of.
func (g *Gate) turn() uint64 { return g.turns.Add(1) }

func (g *Gate) note(b *Book, turn uint64) {
	available := make(map[id.Stock]int64, len(b.stocks))
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, s := range b.stocks {
		if turn >= g.told[k] {
			g.told[k], available[k] = turn, s.Available
		}
	}
	g.set(available)
}

// set replaces what is remembered of stocks; the caller holds the lock.
func (g *Gate) set(available map[id.Stock]int64) {
	old := *g.shut.Load()
	same := true
	for s, n := range available {
		_, shut := old[s]
		same = same && shut == (n <= 0)
	}
	if same {
		return
	}
	fresh, event := maps.Clone(old), g.count.Load()+1
	for s, n := range available {
		if _, shut := old[s]; n > 0 {
			delete(fresh, s)
		} else if !shut {
			fresh[s] = event
		}
	}
	g.count.Store(event)
	g.shut.Store(&fresh)
}

// Refresh asks the database about the stocks that are shut. It is one query, run a few
// times a second however many shoppers ask.
func (g *Gate) Refresh(ctx context.Context, d *db.DB) error {
	shut := *g.shut.Load()
	if len(shut) == 0 {
		return nil
	}
	ids := make([]id.Stock, 0, len(shut))
	for s := range shut {
		ids = append(ids, s)
	}
	available, turn := make(map[id.Stock]int64, len(ids)), g.turns.Load()
	err := d.View(ctx, func(tx *db.Tx) error {
		return tx.Query(ctx, soldOut, func(scan func(...any) error) error {
			var s id.Stock
			var n int64
			err := scan(&s, &n)
			available[s] = n
			return err
		}, db.Texts(ids))
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range available {
		if g.told[s] > turn { // a commit that the query may not have seen
			delete(available, s)
		}
	}
	g.set(available)
	return nil
}
