package verify

import (
	"context"
	"sync"

	"hufu/internal/db"
	"hufu/internal/id"
)

// perStretch is how many orders a stretch has, as a rule; tests make it small. With what
// belongs to them they fit into the cache of a connection.
var perStretch int64 = 2000

var (
	nthOrder    = db.SQL("verify.nth_order", `SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2`)
	countOrders = db.SQL("verify.count_orders", `SELECT COUNT(*) FROM orders`)
)

// stretch is the rows of every table whose keys are after one moment and not after another:
// low and high are what follows the prefix of the keys. The stretches of a run together have
// every key there is: the first begins with the least, the last ends with the greatest.
type stretch struct {
	low, high string
	ends      map[string]string // of the last stretch: the greatest key by prefix
}

// of gives the bounds for keys with a prefix; the lower is before the first.
func (s stretch) of(prefix string) (low, high string) {
	if s.low != "" {
		low = prefix + "_" + s.low
	}
	if s.ends != nil {
		return low, s.ends[prefix]
	}
	return low, prefix + "_" + s.high
}

// stretches cuts the orders into stretches.
type stretches struct {
	sync.Mutex
	low  string
	over bool
}

// next gives the stretch after the one it gave last, false when there is none.
func (s *stretches) next(ctx context.Context, h *hand) (stretch, bool, error) {
	s.Lock()
	defer s.Unlock()
	if s.over {
		return stretch{}, false, nil
	}
	for from := s.first(); ; {
		var order string
		found, err := h.tx.One(ctx, nthOrder, []any{&order}, from, perStretch-1)
		if err != nil {
			return stretch{}, false, err
		}
		if !found {
			break
		}
		from = order
		// A key that the product didn't mint says nothing of where those of others lie.
		if _, err := id.Parse[id.Order](order); err == nil {
			out := stretch{low: s.low, high: order[len("ord_"):]}
			s.low = out.high
			return out, true, nil
		}
	}
	s.over = true
	out := stretch{low: s.low, ends: map[string]string{}}
	for _, sw := range sweeps {
		var end string
		if _, err := h.tx.One(ctx, sw.last, []any{&end}); err != nil {
			return out, false, err
		}
		out.ends[sw.prefix] = end
	}
	// Steps may be of a right that isn't there.
	var end string
	if _, err := h.tx.One(ctx, lastStep, []any{&end}); err != nil {
		return out, false, err
	}
	out.ends[stepsOf] = end
	return out, true, nil
}

func (s *stretches) first() string {
	if s.low == "" {
		return ""
	}
	return "ord_" + s.low
}
