package verify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/id"
	"hufu/internal/ledger"
)

var (
	pageOfRights = db.SQL("verify.rights", `SELECT id, state, waits, steps, head FROM rights WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3`)
	stepsBetween = db.SQL("verify.steps", `SELECT right_id, step, kind, actor, data, at, hash FROM right_events WHERE right_id > $1 AND right_id <= $2 ORDER BY right_id, step`)
	lastStep     = db.SQL("verify.last_step", `SELECT COALESCE(MAX(right_id), '') FROM right_events`)
	// A transfer's accounts and its cause come with it, for I1 and I2.
	pageOfTransfers = db.SQL("verify.transfers", `SELECT t.entry_id, t.leg, t.debit, t.credit, t.amount, t.currency, t.kind, t.order_id, t.at, t.chain, t.seal,
CASE WHEN d.id IS NULL OR c.id IS NULL OR d.currency <> t.currency OR c.currency <> t.currency OR t.amount <= 0 OR t.debit = t.credit THEN 1 ELSE 0 END,
CASE WHEN p.id IS NULL AND f.id IS NULL AND (t.entry_id LIKE 'cap%' OR t.entry_id LIKE 'rfd%') THEN 1 ELSE 0 END
FROM (SELECT * FROM ledger_transfers WHERE (entry_id, leg) > ($1, $2) ORDER BY entry_id, leg LIMIT $3) t LEFT JOIN ledger_accounts d ON d.id = t.debit LEFT JOIN ledger_accounts c ON c.id = t.credit
LEFT JOIN payment_captures p ON p.id = t.entry_id LEFT JOIN refunds f ON p.id IS NULL AND f.id = t.entry_id ORDER BY t.entry_id, t.leg`)
	sealsBetween = db.SQL("verify.seals", `SELECT seal, transfers, hash FROM ledger_seals WHERE chain = $1 AND seal >= $2 AND seal <= $3 ORDER BY seal`)
	chainEnds    = db.SQL("verify.chains", `SELECT chain, MIN(seal), MAX(seal), COUNT(*), SUM(transfers) FROM ledger_seals GROUP BY chain ORDER BY chain`)
)

// guarded looks for the triggers that keep rows from being changed. Without one, what was
// changed and sealed anew would show in no chain.
func guarded(ctx context.Context, h *hand) error {
	missing, err := h.tx.Unguarded(ctx)
	for _, name := range missing {
		h.bad("I4", "guard", name, "trigger")
	}
	return err
}

// stepsOf stands for the steps among the ends of the last stretch.
const stepsOf = "steps"

// walkedRight is a right with the steps seen of it.
type walkedRight struct {
	entitlement.Right
	walked []entitlement.Step
}

// paths follows the path of every right of a stretch from its first step, for I4, and tells
// of steps of no right, for I29.
func paths(ctx context.Context, h *hand, at stretch) error {
	low, high := at.of("rgt")
	until := high
	if at.ends != nil {
		until = at.ends[stepsOf]
	}
	for {
		rights := make(map[id.Right]*walkedRight, page)
		var last id.Right
		if err := h.tx.Query(ctx, pageOfRights, func(scan func(...any) error) error {
			var r walkedRight
			err := scan(&r.ID, &r.State, &r.Waits, &r.Steps, &r.Head)
			rights[r.ID], last = &r, r.ID
			return err
		}, low, high, page); err != nil {
			return err
		}
		full := len(rights) == page
		end := until
		if full {
			end = string(last)
		}
		if err := h.steps(ctx, low, end, rights); err != nil {
			return err
		}
		for _, r := range rights {
			h.path(r)
		}
		if !full {
			return nil
		}
		low = end
	}
}

// steps goes over the steps after a key, up to another, and takes the rights whose path it
// has followed out of rights.
func (h *hand) steps(ctx context.Context, low, high string, rights map[id.Right]*walkedRight) error {
	at := &walkedRight{}
	judge := func() {
		if at.ID != "" {
			h.path(at)
			delete(rights, at.ID)
		}
	}
	var of id.Right
	err := h.tx.Query(ctx, stepsBetween, func(scan func(...any) error) error {
		var s entitlement.Step
		if err := scan(&s.Right, &s.N, &s.Kind, &s.Actor, &s.Data, db.Time(&s.At), &s.Hash); err != nil {
			return err
		}
		if s.Right != of {
			judge()
			if of, at = s.Right, rights[s.Right]; at == nil {
				at = &walkedRight{}
			}
		}
		if at.ID == "" {
			h.bad("I29", "step", string(s.Right), "step="+strconv.FormatInt(s.N, 10))
			return nil
		}
		at.walked = append(at.walked, s)
		return nil
	}, low, high)
	judge()
	return err
}

func (h *hand) path(r *walkedRight) {
	if n := entitlement.Check(r.Right, r.walked); n != 0 {
		h.bad("I4", "path", string(r.ID), "step="+strconv.FormatInt(n, 10))
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

// transfers compares the transfers with their seals, for I4, with their accounts, for I1, and
// with their causes, for I2. It takes them in the order of their key; those of one seal lie
// close together there, so few seals are open at once.
func transfers(ctx context.Context, h *hand) error {
	if err := h.tx.ByKey(ctx, true); err != nil {
		return err
	}
	began := time.Now()
	defer func() { h.spent("I4", time.Since(began)) }()
	open, count := map[sealName]*sealing{}, map[string]int64{}
	for entry, leg := "", int64(0); ; {
		var rows []walkedTransfer
		err := h.tx.Query(ctx, pageOfTransfers, func(scan func(...any) error) error {
			var t walkedTransfer
			var unfit, causeless int64
			err := scan(&t.Entry, &t.Leg, &t.Debit, &t.Credit, &t.Amount.Minor, &t.Amount.Currency, &t.Kind, &t.Order, db.Time(&t.At), &t.chain, &t.seal, &unfit, &causeless)
			if unfit != 0 {
				h.bad("I1", "transfer", t.Entry, "leg="+strconv.FormatInt(t.Leg, 10))
			}
			if causeless != 0 {
				h.bad("I2", "cause", t.Entry, "leg="+strconv.FormatInt(t.Leg, 10))
			}
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
		h.looked(int64(len(rows)))
		if err := h.loadSeals(ctx, rows, open); err != nil {
			return err
		}
		for name, s := range open {
			if int64(len(s.transfers)) == s.want {
				h.seal(name, s)
				delete(open, name)
			}
		}
	}
	for name, s := range open {
		h.bad("I4", "seal", s.transfers[0].Entry, fmt.Sprintf("chain=%s seal=%d covers=%d found=%d", name.chain, name.seal, s.want, len(s.transfers)))
	}
	return h.tx.Query(ctx, chainEnds, func(scan func(...any) error) error {
		var chain string
		var first, last, seals, transfers int64
		if err := scan(&chain, &first, &last, &seals, &transfers); err != nil {
			return err
		}
		if first != 1 || last != seals || transfers != count[chain] {
			h.bad("I4", "gap", chain, fmt.Sprintf("seals=%d of %d to %d, covers=%d found=%d", seals, first, last, transfers, count[chain]))
		}
		return nil
	})
}

// loadSeals fills in what is known of the seals of rows: one query a chain.
func (h *hand) loadSeals(ctx context.Context, rows []walkedTransfer, open map[sealName]*sealing) error {
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
		err := h.tx.Query(ctx, sealsBetween, func(scan func(...any) error) error {
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
func (h *hand) seal(name sealName, s *sealing) {
	slices.SortFunc(s.transfers, func(a, b ledger.Transfer) int {
		if c := strings.Compare(a.Entry, b.Entry); c != 0 {
			return c
		}
		return int(a.Leg - b.Leg)
	})
	if !bytes.Equal(ledger.Seal(s.before, s.transfers), s.hash) {
		h.bad("I4", "seal", s.transfers[0].Entry, fmt.Sprintf("chain=%s seal=%d", name.chain, name.seal))
	}
}

// auditTrail follows the audit trail, up to the checkpoint kept outside when there is one.
func auditTrail(ctx context.Context, h *hand) error {
	n, err := audit.Verify(ctx, h.tx, h.Checkpoint)
	if err == nil && n != 0 {
		h.bad("I25", "trail", strconv.FormatInt(n, 10), "the first row that doesn't fit")
	}
	return err
}
