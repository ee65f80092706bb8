package vault

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

var (
	releaseCodes = db.SQL("vault.release", `UPDATE codes SET state = 'available' WHERE id IN (SELECT id FROM codes WHERE id >= $1 AND id <= $2 AND state = 'filling' ORDER BY id LIMIT $3) AND state = 'filling'`)
	newestFree   = db.SQL("vault.newest_free", `SELECT id FROM codes WHERE stock_id = $1 AND state = 'available' AND id >= $2 AND id <= $3 ORDER BY id DESC LIMIT $4`)
	withdraw     = db.Rows("vault.withdraw", `UPDATE codes SET state = 'filling' FROM {{rows id text}} WHERE codes.id = r.id AND codes.state = 'available'`)
	newestHeld   = db.SQL("vault.newest_held", `SELECT id, blind FROM codes WHERE id >= $1 AND id <= $2 AND state = 'filling' ORDER BY id DESC LIMIT $3`)
	deleteCode   = db.Rows("vault.delete_code", `DELETE FROM codes WHERE id IN (SELECT r.id FROM {{rows id text}}) AND state = 'filling'`)
	deleteIndex  = db.Rows("vault.delete_index", `DELETE FROM code_index WHERE blind IN (SELECT r.blind FROM {{rows blind bytes}})`)
)

// Release puts up to n stored codes of a locked batch on sale, and returns how many. Their
// units are received into the stock in the same transaction.
func Release(ctx context.Context, tx *db.Tx, b *Batch, n int) (int64, error) {
	first, last := b.span()
	k, err := tx.Exec(ctx, releaseCodes, first, last, n)
	if err != nil || k == 0 {
		return 0, err
	}
	b.Counts.Filling -= k
	b.Counts.Available += k
	return k, CountBatches(ctx, tx, map[id.Batch]Counts{b.ID: {Filling: -k, Available: k}})
}

// Withdraw takes up to n codes of a locked batch off sale, those first that would be sold
// last, and returns how many. Its fault is vault.batch_sold: one was sold already.
func Withdraw(ctx context.Context, tx *db.Tx, b *Batch, n int) (int64, error) {
	if b.Counts.Delivered > 0 {
		return 0, fault.New(fault.Conflict, "vault.batch_sold")
	}
	first, last := b.span()
	free, err := ids[id.Code](ctx, tx, newestFree, b.Stock, first, last, n)
	if err != nil || len(free) == 0 {
		return 0, err
	}
	// A purchase that has picked one of them meanwhile makes this start again, and then sees it.
	if err := tx.WriteAll(ctx, withdraw, len(free), func(i int, w *db.Binder) { w.Text(string(free[i])) }); err != nil {
		return 0, err
	}
	k := int64(len(free))
	b.Counts.Available -= k
	b.Counts.Filling += k
	return k, CountBatches(ctx, tx, map[id.Batch]Counts{b.ID: {Filling: k, Available: -k}})
}

// Remove deletes up to n codes of a locked batch that are not on sale, from its end, and
// returns how many. Void codes stay, so that they can't come in again.
func Remove(ctx context.Context, tx *db.Tx, b *Batch, n int) (int64, error) {
	first, last := b.span()
	var codes []id.Code
	var blinds [][]byte
	if err := tx.Query(ctx, newestHeld, func(scan func(...any) error) error {
		var c id.Code
		var blind []byte
		err := scan(&c, &blind)
		codes, blinds = append(codes, c), append(blinds, blind)
		return err
	}, first, last, n); err != nil || len(codes) == 0 {
		return 0, err
	}
	if err := tx.WriteAll(ctx, deleteCode, len(codes), func(i int, w *db.Binder) { w.Text(string(codes[i])) }); err != nil {
		return 0, err
	}
	if b.Source == Imported {
		if err := tx.WriteAll(ctx, deleteIndex, len(blinds), func(i int, w *db.Binder) { w.Bytes(blinds[i]) }); err != nil {
			return 0, err
		}
	}
	k := int64(len(codes))
	b.Counts.Filling -= k
	b.Counts.Stored -= k
	return k, CountBatches(ctx, tx, map[id.Batch]Counts{b.ID: {Stored: -k, Filling: -k}})
}
