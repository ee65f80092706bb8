package verify

import (
	"context"
	"fmt"
	"time"

	"hufu/internal/db"
)

// pageOfCodes is how many codes are looked at together; tests make it small.
var pageOfCodes = 5_000

var (
	nthCode    = db.SQL("verify.nth_code", `SELECT id FROM codes WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2`)
	countCodes = db.SQL("verify.codes", `SELECT stock_id, batch_id, state, owned, COUNT(*), MIN(id)
FROM (SELECT id, stock_id, batch_id, state, CASE WHEN right_id = '' THEN 0 ELSE 1 END AS owned FROM codes WHERE id > $1 AND id <= $2) c GROUP BY stock_id, batch_id, state, owned`)
	codeStocks = db.SQL("verify.code_stocks", `SELECT id, available + reserved, delivered, voided FROM stocks WHERE kind = 'codes' ORDER BY id`)
	allBatches = db.SQL("verify.batches", `SELECT id, stock_id, source, stored, filling, available, delivered, voided, expired FROM code_batches ORDER BY id`)
	countIndex = db.SQL("verify.count_index", `SELECT COUNT(*) FROM code_index`)
	unindexed  = db.SQL("verify.unindexed", `SELECT c.id, 'batch=' || c.batch_id FROM code_batches b JOIN codes c ON c.batch_id = b.id LEFT JOIN code_index x ON x.blind = c.blind
WHERE b.source = 'imported' AND (x.code_id IS NULL OR x.code_id <> c.id) LIMIT 100`)
)

// tally counts codes by state.
type tally struct{ filling, available, delivered, voided, expired int64 }

func (t *tally) all() int64 { return t.filling + t.available + t.delivered + t.voided + t.expired }

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

// codes walks over every code, for I5, I8, I27 and I29.
func codes(ctx context.Context, h *hand) error {
	if err := h.tx.ByKey(ctx, true); err != nil {
		return err
	}
	began := time.Now()
	stocks, batches := map[string]*tally{}, map[[2]string]*tally{}
	for low, more := "", true; more; {
		high, n := "", int64(0)
		found, err := h.tx.One(ctx, nthCode, []any{&high}, low, pageOfCodes-1)
		if err != nil {
			return err
		}
		if more = found; !found {
			if _, err := h.tx.One(ctx, codesSweep.last, []any{&high}); err != nil {
				return err
			}
		}
		if err := codesSweep.judge(ctx, h, low, high); err != nil {
			return err
		}
		if err := h.tx.Query(ctx, countCodes, func(scan func(...any) error) error {
			var stock, batch, state, least string
			var owned, k int64
			if err := scan(&stock, &batch, &state, &owned, &k, &least); err != nil {
				return err
			}
			n += k
			if (state == "delivered") != (owned == 1) && (owned == 0 || state == "available" || state == "filling") {
				h.bad("I5", "state", least, fmt.Sprintf("state=%s with a right=%t, codes=%d", state, owned == 1, k))
			}
			at := [2]string{batch, stock}
			if stocks[stock] == nil {
				stocks[stock] = new(tally)
			}
			if batches[at] == nil {
				batches[at] = new(tally)
			}
			stocks[stock].add(state, k)
			batches[at].add(state, k)
			return nil
		}, low, high); err != nil {
			return err
		}
		h.looked(n)
		low = high
	}
	h.spent("I8", time.Since(began))
	if err := h.stocks(ctx, stocks); err != nil {
		return err
	}
	return h.batches(ctx, batches)
}

// stocks compares each stock of codes with the codes themselves. More units may have been
// voided than there are codes: those behind which no code was found.
func (h *hand) stocks(ctx context.Context, counted map[string]*tally) error {
	err := h.tx.Query(ctx, codeStocks, func(scan func(...any) error) error {
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
			h.bad("I8", "codes", stock, fmt.Sprintf("available+reserved=%d codes=%d, delivered=%d codes=%d, voided=%d codes=%d", free, t.available, delivered, t.delivered, voided, t.voided+t.expired))
		}
		return nil
	})
	for stock := range counted {
		h.bad("I29", "stock", stock, "codes of a stock that is none of codes")
	}
	return err
}

// batches compares each batch's counts with its codes.
func (h *hand) batches(ctx context.Context, counted map[[2]string]*tally) error {
	inBatch, outside := map[string]int64{}, int64(0)
	for at, t := range counted {
		inBatch[at[0]] += t.all()
	}
	err := h.tx.Query(ctx, allBatches, func(scan func(...any) error) error {
		var batch, stock, source string
		var stored int64
		var b tally
		if err := scan(&batch, &stock, &source, &stored, &b.filling, &b.available, &b.delivered, &b.voided, &b.expired); err != nil {
			return err
		}
		at := [2]string{batch, stock}
		t := counted[at]
		if t == nil {
			t = new(tally)
		}
		delete(counted, at)
		if source == "imported" {
			outside += inBatch[batch]
		}
		if *t != b || stored != b.all() {
			h.bad("I8", "batch", batch, fmt.Sprintf("counts=%+v codes=%+v", b, *t))
		}
		return nil
	})
	for at := range counted {
		h.bad("I29", "code", at[0], "stock="+at[1]+": codes without their batch")
	}
	if err != nil {
		return err
	}
	return h.index(ctx, outside)
}

// index tells of codes from outside that the index doesn't have. By I5.index each of its rows
// leads to the code with its blind, and by its key no two to one code: so as many rows as codes
// say that it has them all, and each code is looked for only where that is not so.
func (h *hand) index(ctx context.Context, outside int64) error {
	var n int64
	if _, err := h.tx.One(ctx, countIndex, []any{&n}); err != nil || n == outside {
		return err
	}
	found := false
	err := h.tx.Query(ctx, unindexed, func(scan func(...any) error) error {
		var code, detail string
		found = true
		err := scan(&code, &detail)
		h.bad("I5", "unindexed", code, detail)
		return err
	})
	if err == nil && !found {
		h.bad("I5", "unindexed", "code_index", fmt.Sprintf("rows=%d codes=%d", n, outside))
	}
	return err
}
