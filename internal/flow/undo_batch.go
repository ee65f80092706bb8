package flow

import (
	"context"
	"errors"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// UndoBatch takes a generated batch back, whole or half made, while none of it is sold.
// When it ends early it is called again. When a code is sold meanwhile, everything
// withdrawn comes back on sale and the fault is vault.batch_sold. An imported batch is
// undone with its import.
func (f *Flows) UndoBatch(ctx context.Context, id id.Batch, by, origin string) error {
	var batch *vault.Batch
	if err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		batch, err = vault.BatchByID(ctx, tx, id)
		return err
	}); err != nil {
		return err
	}
	if batch.Source != vault.Generated || batch.State == vault.Undone {
		return fault.New(fault.Conflict, "vault.batch_not_undoable")
	}
	for {
		left := int64(0)
		err := f.onBatch(ctx, batch, func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
			if _, err := f.takeBack(ctx, tx, book, b); err != nil {
				return err
			}
			if left = b.Counts.Available + b.Counts.Filling; left > 0 {
				return nil
			}
			if err := vault.MoveBatch(ctx, tx, b, vault.Undone, 0); err != nil {
				return err
			}
			return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: by, Action: "code.undo_batch", Subject: string(b.ID), Origin: origin})
		})
		if stuck(err) {
			return errors.Join(err, f.restoreBatch(ctx, batch))
		}
		if err != nil || left == 0 {
			return err
		}
	}
}

// stuck reports whether a batch can't be taken back because units of it are sold or held.
func stuck(err error) bool {
	c := fault.CodeOf(err)
	return c == "vault.batch_sold" || c == "vault.code_reserved"
}

// takeBack does a piece of undoing: first codes come off sale, with their units, then they
// are removed. It returns how many codes it moved.
func (f *Flows) takeBack(ctx context.Context, tx *db.Tx, book *inventory.Book, b *vault.Batch) (int64, error) {
	if b.Counts.Available == 0 {
		return vault.Remove(ctx, tx, b, fillChunk)
	}
	n, err := vault.Withdraw(ctx, tx, b, fillChunk)
	if err != nil {
		return 0, err
	}
	if err := f.setAside(ctx, tx, book, f.Clock.Now()); err != nil { // of what is left
		return 0, err
	}
	if book.Free(b.Stock) < n {
		return 0, fault.New(fault.Conflict, "vault.code_reserved")
	}
	book.Receive(b.Stock, -n)
	return n, nil
}

// release does a piece of bringing a batch on sale, and returns how many codes it moved.
func release(ctx context.Context, tx *db.Tx, book *inventory.Book, b *vault.Batch) (int64, error) {
	n, err := vault.Release(ctx, tx, b, fillChunk)
	if err == nil {
		book.Receive(b.Stock, n)
	}
	return n, err
}

func (f *Flows) restoreBatch(ctx context.Context, batch *vault.Batch) error {
	for n := int64(1); n > 0; {
		if err := f.onBatch(ctx, batch, func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
			var err error
			n, err = release(ctx, tx, book, b)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// onBatch runs a transaction on a batch and its stock, locked in that order: stock first.
func (f *Flows) onBatch(ctx context.Context, batch *vault.Batch, fn func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error) error {
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		book, err := f.Inventory.Open(ctx, tx, []id.Stock{batch.Stock}, nil)
		if err != nil {
			return err
		}
		b, err := vault.LockBatch(ctx, tx, batch.ID)
		if err != nil {
			return err
		}
		if err := fn(tx, book, b); err != nil {
			return err
		}
		if err := f.Inventory.Save(ctx, tx, book, f.Clock.Now()); err != nil {
			return err
		}
		tx.AfterCommit(func() { *batch = *b })
		return nil
	})
}
