package vault

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	freeCodes = db.SQL("vault.free", `SELECT id, batch_id, last4, expires_at FROM codes WHERE stock_id = $1 AND state = 'available' AND id > $2 AND (expires_at = 0 OR expires_at > $3) ORDER BY id LIMIT $4 {{skip locked}}`)
	// The same, waiting for what other work holds: it may not take the codes in the end.
	waitedFor  = db.SQL("vault.free_waiting", `SELECT id, batch_id, last4, expires_at FROM codes WHERE stock_id = $1 AND state = 'available' AND id > $2 AND (expires_at = 0 OR expires_at > $3) ORDER BY id LIMIT $4 {{for update}}`)
	markSold   = db.Rows("vault.mark_delivered", `UPDATE codes SET state = 'delivered', right_id = r.right_id, delivered_at = r.at FROM {{rows id text, right_id text, at bigint}} WHERE codes.id = r.id AND codes.state = 'available'`)
	sealedOf   = db.SQL("vault.sealed_of_rights", `SELECT right_id, id, key_id, sealed, last4, batch_id, expires_at FROM codes WHERE right_id {{in $1 text}} AND right_id <> ''`)
	sealedFor  = db.SQL("vault.sealed_of_orders", `SELECT right_id, id, key_id, sealed, last4, batch_id, expires_at FROM codes WHERE right_id IN (SELECT id FROM rights WHERE order_id {{in $1 text}}) AND right_id <> ''`)
	markedOnly = db.SQL("vault.marks_of_rights", `SELECT right_id, id, last4, batch_id, expires_at, state FROM codes WHERE right_id {{in $1 text}} AND right_id <> ''`)
)

// Pool hands out codes. It remembers where the free codes of each stock begin, so that a
// pick doesn't walk past all that were sold; the memory is only a hint.
type Pool struct {
	mu    sync.Mutex
	begin map[id.Stock]id.Code
	calm  calm
}

// NewPool makes a pool.
func NewPool() *Pool { return &Pool{begin: map[id.Stock]id.Code{}} }

// Want is a right that needs a code out of a stock.
type Want struct {
	Right id.Right
	Stock id.Stock
}

// Given is the code a right got.
type Given struct {
	Code      id.Code
	Batch     id.Batch
	Last4     string
	ExpiresAt time.Time // the code's own end; zero: none
}

// Reach is free codes within a transaction's reach.
type Reach struct {
	pool *Pool
	now  time.Time
	free map[id.Stock][]Given
}

// Reach locks free codes, at most so many of each stock, the oldest first, none whose own
// end has come by now. It asks only: Give may be called after the transaction's next Flush
// or answer.
func (p *Pool) Reach(ctx context.Context, tx *db.Tx, most map[id.Stock]int64, now time.Time) (*Reach, error) {
	r := &Reach{pool: p, now: now, free: make(map[id.Stock][]Given, len(most))}
	for _, stock := range slices.Sorted(maps.Keys(most)) {
		p.mu.Lock()
		from := p.begin[stock]
		p.mu.Unlock()
		if err := r.ask(ctx, tx, freeCodes, stock, from, most[stock]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Reach) ask(ctx context.Context, tx *db.Tx, stmt *db.Stmt, stock id.Stock, from id.Code, most int64) error {
	return tx.Ask(ctx, stmt, func(scan func(...any) error) error {
		var g Given
		err := scan(&g.Code, &g.Batch, &g.Last4, db.Time(&g.ExpiresAt))
		r.free[stock] = append(r.free[stock], g)
		return err
	}, stock, from, db.Micros(r.now), most)
}

// Give gives each want a code of those in reach, or of what is free beyond. A want that
// finds none is left out: a shortage is the caller's to deal with. Deliver makes what was
// given the rights' own.
func (r *Reach) Give(ctx context.Context, tx *db.Tx, wants []Want) (map[id.Right]Given, error) {
	rights := map[id.Stock][]id.Right{}
	for _, w := range wants {
		rights[w.Stock] = append(rights[w.Stock], w.Right)
	}
	given := make(map[id.Right]Given, len(wants))
	for _, stock := range slices.Sorted(maps.Keys(rights)) {
		want := rights[stock]
		if len(r.free[stock]) < len(want) {
			// Codes before the hint may have come back, and a code that is locked is no shortage.
			r.free[stock] = nil
			if err := errors.Join(r.ask(ctx, tx, waitedFor, stock, "", int64(len(want))), tx.Flush(ctx)); err != nil {
				return nil, err
			}
		}
		got := r.free[stock][:min(len(want), len(r.free[stock]))]
		r.free[stock] = r.free[stock][len(got):]
		for i, g := range got {
			given[want[i]] = g
		}
		if n := len(got); n > 0 {
			last := got[n-1].Code
			tx.AfterCommit(func() {
				r.pool.mu.Lock()
				r.pool.begin[stock] = last
				r.pool.mu.Unlock()
			})
		}
	}
	return given, nil
}

// Deliver makes picked codes the rights' own.
func (p *Pool) Deliver(ctx context.Context, tx *db.Tx, given map[id.Right]Given, at time.Time) error {
	rights := make([]id.Right, 0, len(given))
	for r := range given {
		rights = append(rights, r)
	}
	slices.Sort(rights)
	sold := map[id.Batch]Counts{}
	for _, g := range given {
		c := sold[g.Batch]
		c.Available--
		c.Delivered++
		sold[g.Batch] = c
	}
	if err := CountBatches(ctx, tx, sold); err != nil {
		return err
	}
	return tx.WriteAll(ctx, markSold, len(rights), func(i int, b *db.Binder) {
		b.Text(string(given[rights[i]].Code)).Text(string(rights[i])).Time(at)
	})
}

// Delivered is a code in the hands of a right's holder.
type Delivered struct {
	Right     id.Right
	Code      id.Code
	Batch     id.Batch
	Last4     string
	ExpiresAt time.Time
	State     string
	Sealed    Sealed // empty from Marks
}

// SealedOf loads the sealed codes of rights.
func (p *Pool) SealedOf(ctx context.Context, tx *db.Tx, rights []id.Right) (map[id.Right]Delivered, error) {
	out := make(map[id.Right]Delivered, len(rights))
	return out, tx.Query(ctx, sealedOf, takeSealed(out), db.Texts(rights))
}

// SealedOfOrders loads the sealed codes of the rights of orders. It asks only: the map is
// filled by the transaction's next Flush or answer.
func (p *Pool) SealedOfOrders(ctx context.Context, tx *db.Tx, orders []id.Order) (map[id.Right]Delivered, error) {
	out := make(map[id.Right]Delivered, len(orders))
	return out, tx.Ask(ctx, sealedFor, takeSealed(out), db.Texts(orders))
}

func takeSealed(out map[id.Right]Delivered) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var d Delivered
		err := scan(&d.Right, &d.Code, &d.Sealed.Key, &d.Sealed.Body, &d.Last4, &d.Batch, db.Time(&d.ExpiresAt))
		out[d.Right] = d
		return err
	}
}

// Marks loads what may be shown of the codes of rights without revealing them.
func (p *Pool) Marks(ctx context.Context, tx *db.Tx, rights []id.Right) (map[id.Right]Delivered, error) {
	out := make(map[id.Right]Delivered, len(rights))
	err := tx.Query(ctx, markedOnly, func(scan func(...any) error) error {
		var d Delivered
		err := scan(&d.Right, &d.Code, &d.Last4, &d.Batch, db.Time(&d.ExpiresAt), &d.State)
		out[d.Right] = d
		return err
	}, db.Texts(rights))
	return out, err
}
