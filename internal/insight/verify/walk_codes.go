package verify

import (
	"context"
	"fmt"

	"hufu/internal/db"
)

// pageOfCodes is how many codes one statement counts; tests make it small.
var pageOfCodes = 20_000

var (
	countCodes = db.SQL("verify.codes", `SELECT stock_id, batch_id, state, owned, COUNT(*), MIN(id), MAX(id)
FROM (SELECT id, stock_id, batch_id, state, CASE WHEN right_id = '' THEN 0 ELSE 1 END AS owned FROM codes WHERE id > $1 ORDER BY id LIMIT $2) c GROUP BY stock_id, batch_id, state, owned`)
	codeStocks = db.SQL("verify.code_stocks", `SELECT id, available + reserved, delivered, voided FROM stocks WHERE kind = 'codes' ORDER BY id`)
	allBatches = db.SQL("verify.batches", `SELECT id, stock_id, stored, filling, available, delivered, voided, expired FROM code_batches ORDER BY id`)
)

// tally counts codes by state.
type tally struct{ filling, available, delivered, voided, expired int64 }

func (t *tally) add(state string, n int64) {
	switch state {
	case "filling":
		t.filling += n
	case "available":
		t.available += n
	case "delivered":
		t.delivered += n
	case "expired":
		t.expired += n
	default: // void, quarantined
		t.voided += n
	}
}

// pool walks over every code once, for I5, I8 and I29 together.
func pool(ctx context.Context, r *run) error {
	if r.walkedCodes {
		return nil
	}
	r.walkedCodes = true
	stocks, batches := map[string]*tally{}, map[[2]string]*tally{}
	for last, more := "", true; more; {
		more = false
		from := last
		if err := r.tx.Query(ctx, countCodes, func(scan func(...any) error) error {
			var stock, batch, state, low, high string
			var owned, n int64
			if err := scan(&stock, &batch, &state, &owned, &n, &low, &high); err != nil {
				return err
			}
			more = true
			if high > last {
				last = high
			}
			if (state == "delivered") != (owned == 1) && (owned == 0 || state == "available" || state == "filling") {
				r.bad("I5", "state", low, fmt.Sprintf("state=%s with a right=%t, codes=%d", state, owned == 1, n))
			}
			at := [2]string{batch, stock}
			if stocks[stock] == nil {
				stocks[stock] = new(tally)
			}
			if batches[at] == nil {
				batches[at] = new(tally)
			}
			stocks[stock].add(state, n)
			batches[at].add(state, n)
			return nil
		}, from, pageOfCodes); err != nil {
			return err
		}
	}
	if err := r.stocks(ctx, stocks); err != nil {
		return err
	}
	return r.batches(ctx, batches)
}

// stocks compares each stock of codes with the codes themselves. More units may have been
// voided than there are codes: those behind which no code was found.
func (r *run) stocks(ctx context.Context, counted map[string]*tally) error {
	err := r.tx.Query(ctx, codeStocks, func(scan func(...any) error) error {
		var stock string
		var free, delivered, voided int64
		if err := scan(&stock, &free, &delivered, &voided); err != nil {
			return err
		}
		t := counted[stock]
		if t == nil {
			t = new(tally)
		}
		delete(counted, stock)
		if t.available != free || t.delivered != delivered || t.voided+t.expired > voided {
			r.bad("I8", "codes", stock, fmt.Sprintf("available+reserved=%d codes=%d, delivered=%d codes=%d, voided=%d codes=%d", free, t.available, delivered, t.delivered, voided, t.voided+t.expired))
		}
		return nil
	})
	for stock := range counted {
		r.bad("I29", "stock", stock, "codes of a stock that is none of codes")
	}
	return err
}

// batches compares each batch's counts with its codes.
func (r *run) batches(ctx context.Context, counted map[[2]string]*tally) error {
	err := r.tx.Query(ctx, allBatches, func(scan func(...any) error) error {
		var batch, stock string
		var stored int64
		var b tally
		if err := scan(&batch, &stock, &stored, &b.filling, &b.available, &b.delivered, &b.voided, &b.expired); err != nil {
			return err
		}
		at := [2]string{batch, stock}
		t := counted[at]
		if t == nil {
			t = new(tally)
		}
		delete(counted, at)
		if *t != b || stored != b.filling+b.available+b.delivered+b.voided+b.expired {
			r.bad("I8", "batch", batch, fmt.Sprintf("counts=%+v codes=%+v", b, *t))
		}
		return nil
	})
	for at := range counted {
		r.bad("I29", "code", at[0], "stock="+at[1]+": codes without their batch")
	}
	return err
}
