package flow

import (
	"context"
	"strconv"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// VoidCodes is the command to take codes out of sale for good.
type VoidCodes struct {
	Codes  []id.Code
	Reason string
	By     string
	Origin string
}

// VoidCodes voids codes, all or none. A void code is never sold, never comes back, and its
// number is never used again. Codes that were delivered, and those that back the units
// reserved for orders, are refused.
func (f *Flows) VoidCodes(ctx context.Context, c VoidCodes) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	now := f.Clock.Now()
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		found, err := f.endCodes(ctx, tx, distinct(c.Codes), vault.CodeVoid, now)
		if err != nil {
			return err
		}
		if len(found) != len(distinct(c.Codes)) {
			return fault.New(fault.NotFound, "vault.code_unknown")
		}
		rows := make([]audit.Row, len(found))
		for i, s := range found {
			rows[i] = audit.Row{At: now, Actor: c.By, Action: "code.void", Subject: string(s.ID), Origin: c.Origin,
				Data: map[string]string{"reason": c.Reason, "batch": string(s.Batch)}}
		}
		return audit.Write(ctx, tx, rows...)
	})
}

// ExpireCodes takes up to n codes out of sale whose time is over, and returns how many.
// Those that back the units reserved for orders stay, which neither are promised again nor
// picked, until the reservations end.
func (f *Flows) ExpireCodes(ctx context.Context, n int) (int, error) {
	now, ended := f.Clock.Now(), 0
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		due, err := vault.Ended(ctx, tx, now, n)
		if err != nil || len(due) == 0 {
			return err
		}
		found, err := f.endCodes(ctx, tx, due, vault.CodeExpired, now)
		if err != nil || len(found) == 0 {
			return err
		}
		tx.AfterCommit(func() { ended = len(found) })
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: "system", Action: "code.expire", Subject: "codes",
			Data: map[string]string{"count": strconv.Itoa(len(found))}})
	})
	return ended, err
}

// endCodes moves codes to a state that is an end, and their units out of their stocks. A
// code that can't be moved fails all, but when codes expire it is left as it is.
func (f *Flows) endCodes(ctx context.Context, tx *db.Tx, codes []id.Code, to vault.CodeState, now time.Time) ([]vault.Shown, error) {
	stocks, err := vault.StocksOf(ctx, tx, codes)
	if err != nil {
		return nil, err
	}
	book, err := f.Inventory.Open(ctx, tx, stocks, nil)
	if err != nil {
		return nil, err
	}
	found, err := vault.LockCodes(ctx, tx, codes)
	if err != nil {
		return nil, err
	}
	move := found[:0:0]
	for _, s := range found {
		switch {
		case to == vault.CodeExpired && (s.State != vault.CodeAvailable || !book.Void(s.Stock, 1)):
		case s.State == vault.CodeAvailable && to == vault.CodeVoid && !book.Void(s.Stock, 1):
			return nil, fault.New(fault.Conflict, "vault.code_reserved")
		default:
			move = append(move, s)
		}
	}
	if err := vault.MoveCodes(ctx, tx, move, to); err != nil {
		return nil, err
	}
	return move, f.Inventory.Save(ctx, tx, book, now)
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > 200 {
		return fault.New(fault.Invalid, "vault.reason")
	}
	return nil
}
