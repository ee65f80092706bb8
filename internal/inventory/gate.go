package inventory

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Gate remembers what is available of the stocks that have little or nothing, so that a
// sold-out answer costs no database work, also to who wants more than is left. It only ever
// errs towards asking the database: a stock runs low by what a committed transaction saw and
// fills by any commit here, or by Refresh, which learns of commits on other nodes.
type Gate struct {
	low   atomic.Pointer[map[id.Stock]left] // replaced whole; readers take no lock
	count atomic.Uint64                     // of the events of running lower so far
	turns atomic.Uint64
	mu    sync.Mutex
	told  map[id.Stock]uint64 // the turn of the commit that was last believed
}

// left is how many units are available, and since which event not more. own is the same for
// each channel that has an allotment of the stock.
type left struct {
	units int64
	event uint64
	own   map[string]left
}

// at is what is left for a channel. It reports false when nothing is known of it.
func (l left) at(channel string) (left, bool) {
	if own, ok := l.own[channel]; ok {
		l = own
	}
	return l, l.units <= little
}

// low reports whether anything of it has to be remembered.
func (l left) low() bool {
	for _, own := range l.own {
		if own.units <= little {
			return true
		}
	}
	return l.units <= little
}

// since keeps of what was remembered since when there isn't more, and begins anew with an
// event what has run lower.
func (l left) since(was left, known bool, event uint64) left {
	l.event = event
	if known && was.units <= little && l.units >= was.units {
		l.event = was.event
	}
	for channel, own := range l.own {
		before, had := was.own[channel]
		l.own[channel] = own.since(before, had, event)
	}
	return l
}

func (l left) same(as left) bool {
	if l.units != as.units && (l.units <= little || as.units <= little) || len(l.own) != len(as.own) {
		return false
	}
	for channel, own := range l.own {
		if other, ok := as.own[channel]; !ok || !own.same(other) {
			return false
		}
	}
	return true
}

// little is up to how many available units are remembered. Most orders want fewer.
const little = 100

func newGate() *Gate {
	g := &Gate{told: map[id.Stock]uint64{}}
	g.low.Store(&map[id.Stock]left{})
	return g
}

// Shut reports whether one of the stocks is known to have too little available in a channel
// for n times what need says, and since which event; see Events.
func (g *Gate) Shut(channel string, need map[id.Stock]int64, n int64) (since uint64, shut bool) {
	all := *g.low.Load()
	if len(all) == 0 {
		return 0, false
	}
	for s, each := range need {
		l, ok := all[s]
		if ok {
			l, ok = l.at(channel)
		}
		if ok && l.units/each < n && (!shut || l.event < since) {
			since, shut = l.event, true
		}
	}
	return since, shut
}

// Events is how many times a stock has run low or lower. What a transaction reads that
// begins after this call includes all that was reserved of the stocks by then.
func (g *Gate) Events() uint64 { return g.count.Load() }

// Open reports whether no stock is known to be low.
func (g *Gate) Open() bool { return len(*g.low.Load()) == 0 }

// turn numbers a transaction that has its stocks locked: of two that work on one stock the
// later has the higher number, in whatever order their commits are told of.
func (g *Gate) turn() uint64 { return g.turns.Add(1) }

func (g *Gate) note(b *Book, turn uint64) {
	available := make(map[id.Stock]left, len(b.stocks))
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, s := range b.stocks {
		if turn >= g.told[k] {
			g.told[k], available[k] = turn, b.left(s)
		}
	}
	g.set(available)
}

// left is what is left of a stock, without a view to units whose codes have ended.
func (b *Book) left(s *Stock) left {
	l := left{units: s.Available - s.Allotted}
	for channel, a := range b.allots[s.ID] {
		if a.Open {
			if l.own == nil {
				l.own = map[string]left{}
			}
			l.own[channel] = left{units: a.Available}
		}
	}
	return l
}

// set replaces what is remembered of stocks; the caller holds the lock.
func (g *Gate) set(available map[id.Stock]left) {
	old := *g.low.Load()
	same := true
	for s, n := range available {
		was, known := old[s]
		same = same && (known && was.same(n) || !known && !n.low())
	}
	if same {
		return
	}
	fresh, event := maps.Clone(old), g.count.Load()+1
	for s, n := range available {
		if was, known := old[s]; n.low() {
			fresh[s] = n.since(was, known, event)
		} else {
			delete(fresh, s)
		}
	}
	g.count.Store(event)
	g.low.Store(&fresh)
}

// Refresh asks the database about the stocks that are low. It is one query, run a few
// times a second however many shoppers ask.
func (g *Gate) Refresh(ctx context.Context, d *db.DB) error {
	low := *g.low.Load()
	if len(low) == 0 {
		return nil
	}
	ids := make([]id.Stock, 0, len(low))
	for s := range low {
		ids = append(ids, s)
	}
	available, turn := make(map[id.Stock]left, len(ids)), g.turns.Load()
	err := d.View(ctx, func(tx *db.Tx) error {
		return tx.Query(ctx, soldOut, func(scan func(...any) error) error {
			var s id.Stock
			var channel string
			var n, own int64
			err := scan(&s, &n, &channel, &own)
			l, ok := available[s]
			if !ok {
				l.units = n
			}
			if channel != "" {
				if l.own == nil {
					l.own = map[string]left{}
				}
				l.own[channel] = left{units: own}
			}
			available[s] = l
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
