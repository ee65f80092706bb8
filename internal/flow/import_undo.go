package flow

import (
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// release brings what is stored on sale, after a whole import or one that can't be undone.
func (w *codeImport) release() error {
	return w.pieces(func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
		n, err := release(w.ctx, tx, book, b)
		if err != nil || n > 0 {
			return err
		}
		end := vault.ImportDone
		if w.i.State == vault.ImportRestoring && w.i.Next != vault.ImportUndone {
			end = w.i.Next
		}
		w.i.State, w.i.Next = end, ""
		return w.finish(tx, b)
	})
}

// undo takes back what was added.
func (w *codeImport) undo() error {
	err := w.pieces(func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
		if _, err := w.takeBack(w.ctx, tx, book, b); err != nil {
			return err
		}
		if b.Counts.Available+b.Counts.Filling > 0 {
			return nil
		}
		w.i.State, w.i.Next, w.i.Added = w.i.Next, "", 0
		if err := vault.MoveBatch(w.ctx, tx, b, vault.Undone, 0); err != nil {
			return err
		}
		return vault.DropFile(w.ctx, tx, w.i.ID)
	})
	if !stuck(err) {
		return err
	}
	return w.DB.Do(w.ctx, func(tx *db.Tx) error {
		w.i.State, w.i.Why = vault.ImportRestoring, fault.From(err)
		return w.save(tx, vault.ImportUndoing)
	})
}

// pieces repeats a step on the batch, saving the import with each, until the step changes
// the import's state.
func (w *codeImport) pieces(step func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error) error {
	was, before := w.i.State, *w.i
	batch := &vault.Batch{ID: w.i.Batch, Stock: w.i.Stock}
	for w.i.State == was {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.onBatch(w.ctx, batch, func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
			*w.i = before
			if err := step(tx, book, b); err != nil {
				return err
			}
			return w.save(tx, was)
		}); err != nil {
			return err
		}
	}
	return nil
}
