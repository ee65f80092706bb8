package flow

import (
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/order"
)

// soldOutAlready reports, without the database, whether a command asks for something that
// is known to be sold out.
//
// A request that was carried out before, on whatever node and however long ago, is not
// refused: its answer is the order it made. So the gate answers for a stock only after this
// process has learned of every order that was placed before the stock was found shut, and
// passes what may be one of theirs. What is left is a stock that came back and was taken
// again on another node: until the next RefreshGate a repeat of that order is answered here
// as anybody's request for it would be.
func (f *Flows) soldOutAlready(c Place) error {
	if f.Inventory.Gate.Open() {
		return nil
	}
	now := f.Clock.Now()
	for _, l := range c.Lines {
		s, ok := f.Catalogue.LastSeen(l.Offer)
		if !ok {
			continue
		}
		n := l.Quantity
		if n > s.Sale.Version.Content.MaxPerOrder {
			n = 1 // more than is allowed is another fault, unless nothing is left
		}
		if since, shut := f.Inventory.Gate.Shut(c.Channel, s.Supplies(l.Picks, now), n); shut && since <= f.placed.covers.Load() && !f.placed.keys.has(c.Request) {
			return soldOut(s.Sale, l, now, func(need map[id.Stock]int64) bool {
				_, shut := f.Inventory.Gate.Shut(c.Channel, need, n)
				return shut
			})
		}
	}
	return nil
}

// soldOut says that a line can't be had, by the option that it is for when it picked one.
func soldOut(s catalogue.Sale, l PlaceLine, now time.Time, lacks func(map[id.Stock]int64) bool) error {
	c := s.Version.Content
	for _, g := range c.Gifts(l.Picks, now) {
		b := c.Parts[g.Part].Benefit
		if n := g.Quantity * int64(len(g.Times)); g.Choice != nil && !g.Later() && b.Stock != "" && n > 0 && lacks(map[id.Stock]int64{b.Stock: n}) {
			return fault.New(fault.Conflict, "order.option_sold_out", b.Name.Param("option")...)
		}
	}
	return fault.New(fault.Conflict, "order.sold_out", "zh", s.Version.Content.Title.ZH, "en", s.Version.Content.Title.EN)
}

// SoldOut reports, without the database, whether nothing is left of an offer for a channel, as
// far as is known.
func (f *Flows) SoldOut(channel string, offer id.Offer) bool {
	s, ok := f.Catalogue.LastSeen(offer)
	if !ok || f.Inventory.Gate.Open() {
		return false
	}
	return f.soldOutAlready(Place{Channel: channel, Lines: []PlaceLine{{Offer: offer, Quantity: 1}}}) != nil && s.Sale.Version != nil
}

// soldOutEverywhere reports whether no channel of the shop's has anything left of an offer.
func (f *Flows) soldOutEverywhere(offer id.Offer) bool {
	return !slices.ContainsFunc(catalogue.Channels, func(channel string) bool { return !f.SoldOut(channel, offer) })
}

// RefreshGate learns of what came back to stock, of offers that changed meanwhile, and of
// orders placed through other nodes. It is to be called a few times a second; while nothing
// is sold out most calls do nothing.
func (f *Flows) RefreshGate(ctx context.Context) error {
	if f.Inventory.Gate.Open() {
		return f.learnPlaced(ctx)
	}
	if err := f.Inventory.Gate.Refresh(ctx, f.DB); err != nil {
		return err
	}
	if err := f.DB.View(ctx, func(tx *db.Tx) error { return f.Catalogue.RefreshSeen(ctx, tx, f.Clock.Now()) }); err != nil {
		return err
	}
	return f.learnPlaced(ctx)
}

// placed is what this process knows of the orders that were ever placed.
type placed struct {
	keys   keySet
	covers atomic.Uint64 // the orders placed before this event of the gate are in keys

	mu     sync.Mutex // held while learning
	after  id.Order   // where reading goes on
	from   time.Time  // what began earlier was settled when the present walk began; zero between walks
	events uint64     // of the gate when the present walk began
	rested time.Time  // when the last walk ended
}

const (
	placedPage = 5000                   // orders read at once
	learnFor   = 100 * time.Millisecond // in one call, of a walk that takes several
	learnEvery = 5 * time.Second        // while nothing is sold out
	nodeSkew   = 5 * time.Second        // by which a node's clock, and so the ids it mints, may be off
)

// learnPlaced reads on in the orders by their ids, to the end. The first walk of a process
// reads them all, a page of 5,000 in some ms; a later one what may be new: orders minted since
// the oldest transaction that was under way when the walk before it began.
func (f *Flows) learnPlaced(ctx context.Context) error {
	p := &f.placed
	p.mu.Lock()
	defer p.mu.Unlock()
	start := f.Clock.Now()
	if p.from.IsZero() {
		if f.Inventory.Gate.Open() && !p.rested.IsZero() && start.Sub(p.rested) < learnEvery {
			return nil
		}
		events := f.Inventory.Gate.Events()
		settled, err := f.DB.Settled(ctx)
		if err != nil {
			return err
		}
		p.events, p.from = events, settled
	}
	for {
		n := 0
		if err := f.DB.View(ctx, func(tx *db.Tx) error {
			keys, last, err := f.Orders.KeysAfter(ctx, tx, p.after, placedPage)
			if err == nil && len(keys) > 0 {
				p.keys.add(keys...)
				n, p.after = len(keys), last
			}
			return err
		}); err != nil {
			return err
		}
		if n < placedPage {
			break
		}
		if f.Clock.Now().Sub(start) > learnFor {
			return nil
		}
	}
	p.covers.Store(p.events)
	p.after, p.from, p.rested = id.From[id.Order](p.from.Add(-nodeSkew)), time.Time{}, start
	return nil
}

// keySet is a set that may take a few for members that are not (one in 500), and never
// misses one: a Bloom filter in blocks of a cache line each. It takes 2 bytes a member, 4
// just after it has grown, and 128 KB at least: 20 to 40 MB for ten million orders. Readers
// take no lock.
type keySet struct {
	mu    sync.Mutex
	parts atomic.Pointer[[]*keyPart] // each twice as large as the one before
}

type keyPart struct {
	blocks []keyBlock
	room   int // members it still takes
}

type keyBlock [8]atomic.Uint64

const (
	firstBlocks  = 2048
	blockMembers = 32 // 16 bits a member
	memberBits   = 7
)

// add adds members; those that are there already take no room.
func (s *keySet) add(keys ...order.KeyOf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if s.has(k) {
			continue
		}
		var all []*keyPart
		if p := s.parts.Load(); p != nil {
			all = *p
		}
		if len(all) == 0 || all[len(all)-1].room == 0 {
			n := firstBlocks << len(all)
			all = append(all[:len(all):len(all)], &keyPart{blocks: make([]keyBlock, n), room: n * blockMembers})
			s.parts.Store(&all)
		}
		last := all[len(all)-1]
		last.room--
		h := keyHash(k)
		block, bits := last.at(h), spread(h)
		for range memberBits {
			block[bits>>6&7].Or(1 << (bits & 63))
			bits >>= 9
		}
	}
}

func (s *keySet) has(k order.KeyOf) bool {
	all := s.parts.Load()
	if all == nil {
		return false
	}
	h := keyHash(k)
	bits := spread(h)
	for _, p := range *all {
		if p.at(h).holds(bits) {
			return true
		}
	}
	return false
}

func (b *keyBlock) holds(bits uint64) bool {
	for range memberBits {
		if b[bits>>6&7].Load()&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 9
	}
	return true
}

// at is the block of a member: the upper half of its hash as a fraction of all blocks.
func (p *keyPart) at(h uint64) *keyBlock { return &p.blocks[(h>>32)*uint64(len(p.blocks))>>32] }

var keySeed = maphash.MakeSeed() // so that nobody can choose keys that meet

func keyHash(k order.KeyOf) uint64 { return maphash.Comparable(keySeed, k) }

// spread makes seven numbers of nine bits of a hash, in which each bit of it has a part
// (the finalizer of MurmurHash3).
func spread(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
