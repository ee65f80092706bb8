package verify

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"hufu/internal/db"
	"hufu/internal/order"
)

var (
	talliesTaken = db.SQL("verify.tallies", `SELECT name, taken FROM order_tallies`)
	linesCounted = db.SQL("verify.lines_counted", `SELECT counted, under FROM order_lines WHERE under <> ''`)
)

// tallySums compares what lines count with what tallies have reached, in memory that doesn't
// grow with either: the names fall into buckets, and a bucket adds up units times a number
// made of the name. One that isn't zero in the end, when the lines were added and the tallies
// subtracted, has a tally that is wrong; that none of a wrong one is zero is sure but for one
// in 2^64. Only then is it read which.
type tallySums struct {
	sync.Mutex
	which, mark maphash.Seed
	of          [1 << 12]uint64
}

func newTallySums() *tallySums {
	return &tallySums{which: maphash.MakeSeed(), mark: maphash.MakeSeed()}
}

func (s *tallySums) bucket(name string) uint64 {
	return maphash.String(s.which, name) % uint64(len(s.of))
}

func (s *tallySums) add(counted map[string]int64) {
	s.Lock()
	defer s.Unlock()
	for name, n := range counted {
		s.of[s.bucket(name)] += uint64(n) * (maphash.String(s.mark, name) | 1)
	}
}

// count adds what a line counts to the sums of a stretch.
func (h *hand) count(l walkedLine, into map[string]int64) {
	under, err := order.ParseUnder(l.under)
	if err != nil {
		h.bad("I9", "line", l.id, "under="+l.under)
	}
	for name := range under {
		into[name] += l.counted
	}
}

// tallied compares the tallies of purchase limits with the lines of all orders.
func tallied(ctx context.Context, h *hand) error {
	sums := h.tallies
	each := func(do func(name string, n int64)) error {
		return h.tx.Query(ctx, talliesTaken, func(scan func(...any) error) error {
			var name string
			var n int64
			err := scan(&name, &n)
			do(name, n)
			return err
		})
	}
	if err := each(func(name string, n int64) {
		sums.of[sums.bucket(name)] -= uint64(n) * (maphash.String(sums.mark, name) | 1)
	}); err != nil {
		return err
	}
	if sums.of == [len(sums.of)]uint64{} {
		return nil
	}
	wrong := map[string]int64{}
	if err := h.tx.Query(ctx, linesCounted, func(scan func(...any) error) error {
		var text string
		var n int64
		if err := scan(&n, &text); err != nil {
			return err
		}
		under, _ := order.ParseUnder(text)
		for name := range under {
			if sums.of[sums.bucket(name)] != 0 {
				wrong[name] += n
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := each(func(name string, n int64) {
		if got := wrong[name]; n != got {
			h.bad("I9", "tally", name, fmt.Sprintf("taken=%d lines=%d", n, got))
		}
		delete(wrong, name)
	}); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		if n := wrong[name]; n != 0 {
			h.bad("I9", "tally", name, fmt.Sprintf("taken=none lines=%d", n))
		}
	}
	return nil
}
