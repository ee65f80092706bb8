package flow

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
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
// number is never used again. Codes that were delivered are refused, and those that back
// the units reserved for orders: a good code can't go when only ended ones would be left.
func (f *Flows) VoidCodes(ctx context.Context, c VoidCodes) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	now := f.Clock.Now()
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		codes := distinct(c.Codes)
		stocks, err := vault.StocksOf(ctx, tx, codes)
		if err != nil {
			return err
		}
		book, err := f.Inventory.Open(ctx, tx, stocks, nil)
		if err != nil {
			return err
		}
		found, err := vault.LockCodes(ctx, tx, codes)
		if err != nil {
			return err
		}
		if len(found) != len(codes) {
			return fault.New(fault.NotFound, "vault.code_unknown")
		}
		if err := f.setAside(ctx, tx, book, now); err != nil {
			return err
		}
		for _, s := range found {
			if s.State != vault.CodeAvailable {
				continue
			}
			good := s.ExpiresAt.IsZero() || s.ExpiresAt.After(now)
			if (good && book.Free(s.Stock) < 1) || !book.Void(s.Stock, 1) {
				return fault.New(fault.Conflict, "vault.code_reserved")
			}
			if !good {
				book.PutBack(s.Stock, 1)
			}
		}
		if err := vault.MoveCodes(ctx, tx, found, vault.CodeVoid); err != nil {
			return err
		}
		if err := f.Inventory.Save(ctx, tx, book, now); err != nil {
			return err
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
// Of each stock it takes no more than the units that nobody holds: the codes behind
// reserved units, which neither are promised again nor picked, stay until the reservations
// end, and keep no other stock's from going.
func (f *Flows) ExpireCodes(ctx context.Context, n int) (int, error) {
	now, ended := f.Clock.Now(), 0
	var over map[id.Stock]int64
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		over, err = f.Codes.Overdue(ctx, tx, now)
		return err
	})
	if err != nil || len(over) == 0 {
		return 0, err
	}
	stocks := slices.Sorted(maps.Keys(over))
	err = f.DB.Do(ctx, func(tx *db.Tx) error {
		ended = 0
		book, err := f.Inventory.Open(ctx, tx, slices.Clone(stocks), nil)
		if err != nil {
			return err
		}
		var found []vault.Shown
		for _, stock := range stocks {
			some, err := vault.EndedOf(ctx, tx, stock, now, min(over[stock], book.Stock(stock).Available, int64(n-len(found))))
			if err != nil {
				return err
			}
			book.Void(stock, int64(len(some)))
			found = append(found, some...)
		}
		if len(found) == 0 {
			return nil
		}
		if err := vault.MoveCodes(ctx, tx, found, vault.CodeExpired); err != nil {
			return err
		}
		if err := f.Inventory.Save(ctx, tx, book, now); err != nil {
			return err
		}
		ended = len(found)
		return audit.Write(ctx, tx, audit.Row{At: now, Actor: "system", Action: "code.expire", Subject: "codes",
			Data: map[string]string{"count": strconv.Itoa(len(found))}})
	})
	if err != nil {
		return 0, err
	}
	return ended, nil
}

// setAside keeps the units whose codes have ended from being promised.
func (f *Flows) setAside(ctx context.Context, tx *db.Tx, book *inventory.Book, now time.Time) error {
	over, err := f.Codes.Overdue(ctx, tx, now)
	for stock, n := range over {
		book.SetAside(stock, n)
	}
	return err
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > 200 {
		return fault.New(fault.Invalid, "vault.reason")
	}
	return nil
}
