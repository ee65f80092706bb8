package verify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/ledger"
)

var (
	pageOfRights = db.SQL("verify.rights", `SELECT r.id, r.state, r.steps, r.head, COALESCE(e.step, 0), COALESCE(e.kind, ''), COALESCE(e.actor, ''), COALESCE(e.data, ''), COALESCE(e.at, 0), COALESCE(e.hash, r.head)
FROM (SELECT id, state, steps, head FROM rights WHERE id > $1 ORDER BY id LIMIT $2) r LEFT JOIN right_events e ON e.right_id = r.id ORDER BY r.id, e.step`)
	pageOfTransfers = db.SQL("verify.transfers", `SELECT entry_id, leg, debit, credit, amount, currency, kind, order_id, at, chain, seal FROM ledger_transfers
WHERE (entry_id, leg) > ($1, $2) ORDER BY entry_id, leg LIMIT $3`)
	sealsBetween = db.SQL("verify.seals", `SELECT seal, transfers, hash FROM ledger_seals WHERE chain = $1 AND seal >= $2 AND seal <= $3 ORDER BY seal`)
	chainEnds    = db.SQL("verify.chains", `SELECT chain, MIN(seal), MAX(seal), COUNT(*), SUM(transfers) FROM ledger_seals GROUP BY chain ORDER BY chain`)
)

// guarded looks for the triggers that keep rows from being changed. Without one, what was
// changed and sealed anew would show in no chain.
func guarded(ctx context.Context, r *run) error {
	missing, err := r.tx.Unguarded(ctx)
	for _, name := range missing {
		r.bad("I4", "guard", name, "trigger")
	}
	return err
}

// rightPaths follows the path of every right from its first step.
func rightPaths(ctx context.Context, r *run) error {
	for last := ""; ; {
		var right entitlement.Right
		var steps []entitlement.Step
		judge := func() {
			if n := entitlement.Check(right, steps); right.ID != "" && n != 0 {
				r.bad("I4", "path", string(right.ID), "step="+strconv.FormatInt(n, 10))
			}
		}
		err := r.tx.Query(ctx, pageOfRights, func(scan func(...any) error) error {
			var at entitlement.Right
			var s entitlement.Step
			if err := scan(&at.ID, &at.State, &at.Steps, &at.Head, &s.N, &s.Kind, &s.Actor, &s.Data, db.Time(&s.At), &s.Hash); err != nil {
				return err
			}
			if at.ID != right.ID {
				judge()
				right, steps = at, steps[:0]
			}
			if s.N != 0 {
				s.Right = at.ID
				steps = append(steps, s)
			}
			return nil
		}, last, page)
		if err != nil {
			return err
		}
		if right.ID == "" {
			return nil
		}
		judge()
		last = string(right.ID)
	}
}

type sealName struct {
	chain string
	seal  int64
}

// sealing is a seal of which not all transfers have been seen.
type sealing struct {
	transfers    []ledger.Transfer
	before, hash []byte
	want         int64
}

type walkedTransfer struct {
	ledger.Transfer
	sealName
}

// sealedTransfers compares the transfers with their seals. It takes them in the order of
// their key; those of one seal lie close together there, so few seals are open at once.
func sealedTransfers(ctx context.Context, r *run) error {
	open, count := map[sealName]*sealing{}, map[string]int64{}
	for entry, leg := "", int64(0); ; {
		var rows []walkedTransfer
		err := r.tx.Query(ctx, pageOfTransfers, func(scan func(...any) error) error {
			var t walkedTransfer
			err := scan(&t.Entry, &t.Leg, &t.Debit, &t.Credit, &t.Amount.Minor, &t.Amount.Currency, &t.Kind, &t.Order, db.Time(&t.At), &t.chain, &t.seal)
			rows = append(rows, t)
			return err
		}, entry, leg, page)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		entry, leg = rows[len(rows)-1].Entry, rows[len(rows)-1].Leg
		for _, t := range rows {
			count[t.chain]++
			if open[t.sealName] == nil {
				open[t.sealName] = new(sealing)
			}
			open[t.sealName].transfers = append(open[t.sealName].transfers, t.Transfer)
		}
		if err := r.loadSeals(ctx, rows, open); err != nil {
			return err
		}
		for name, s := range open {
			if int64(len(s.transfers)) == s.want {
				r.seal(name, s)
				delete(open, name)
			}
		}
	}
	for name, s := range open {
		r.bad("I4", "seal", s.transfers[0].Entry, fmt.Sprintf("chain=%s seal=%d covers=%d found=%d", name.chain, name.seal, s.want, len(s.transfers)))
	}
	return r.tx.Query(ctx, chainEnds, func(scan func(...any) error) error {
		var chain string
		var first, last, seals, transfers int64
		if err := scan(&chain, &first, &last, &seals, &transfers); err != nil {
			return err
		}
		if first != 1 || last != seals || transfers != count[chain] {
			r.bad("I4", "gap", chain, fmt.Sprintf("seals=%d of %d to %d, covers=%d found=%d", seals, first, last, transfers, count[chain]))
		}
		return nil
	})
}

// loadSeals fills in what is known of the seals of rows: one query a chain.
func (r *run) loadSeals(ctx context.Context, rows []walkedTransfer, open map[sealName]*sealing) error {
	type span struct{ low, high int64 }
	spans := map[string]span{}
	for _, t := range rows {
		if s, ok := spans[t.chain]; ok {
			spans[t.chain] = span{min(s.low, t.seal), max(s.high, t.seal)}
		} else {
			spans[t.chain] = span{t.seal, t.seal}
		}
	}
	for chain, s := range spans {
		var before []byte
		var at int64
		err := r.tx.Query(ctx, sealsBetween, func(scan func(...any) error) error {
			var seal, want int64
			var hash []byte
			if err := scan(&seal, &want, &hash); err != nil {
				return err
			}
			if o := open[sealName{chain, seal}]; o != nil && o.hash == nil {
				o.want, o.hash = want, hash
				if at == seal-1 {
					o.before = before
				}
			}
			before, at = hash, seal
			return nil
		}, chain, s.low-1, s.high)
		if err != nil {
			return err
		}
	}
	return nil
}

// seal recomputes the hash of a seal from its transfers and the seal before it.
func (r *run) seal(name sealName, s *sealing) {
	slices.SortFunc(s.transfers, func(a, b ledger.Transfer) int {
		if c := strings.Compare(a.Entry, b.Entry); c != 0 {
			return c
		}
		return int(a.Leg - b.Leg)
	})
	if !bytes.Equal(ledger.Seal(s.before, s.transfers), s.hash) {
		r.bad("I4", "seal", s.transfers[0].Entry, fmt.Sprintf("chain=%s seal=%d", name.chain, name.seal))
	}
}

// auditTrail follows the audit trail, up to the checkpoint kept outside when there is one.
func auditTrail(ctx context.Context, r *run) error {
	n, err := audit.Verify(ctx, r.tx, r.Checkpoint)
	if err == nil && n != 0 {
		r.bad("I25", "trail", strconv.FormatInt(n, 10), "the first row that doesn't fit")
	}
	return err
}
