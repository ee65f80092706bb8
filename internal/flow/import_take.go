package flow

import (
	"strconv"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// run takes rows in, each chunk in the transaction that records how far the import is.
func (w *codeImport) run() error {
	i := w.i
	if err := w.DB.View(w.ctx, func(tx *db.Tx) error {
		var err error
		if w.batch, err = vault.BatchByID(w.ctx, tx, i.Batch); err != nil {
			return err
		}
		w.ask, err = vault.Makes(w.ctx, tx, i.Options.Issuer)
		return err
	}); err != nil {
		return err
	}
	err := w.read(i.AtRow, w.take)
	if err != nil && !ofFile(err) {
		return err
	}
	was := i.State
	return w.onBatch(w.ctx, w.batch, func(tx *db.Tx, _ *inventory.Book, b *vault.Batch) error {
		switch {
		case err != nil:
			i.State, i.Next, i.Why = vault.ImportUndoing, vault.ImportFailed, fault.From(err)
		case i.Options.WholeOnly:
			i.State, i.Next = vault.ImportReleasing, ""
		default:
			i.State, i.Next = vault.ImportDone, ""
			if err := w.finish(tx, b); err != nil {
				return err
			}
		}
		return w.save(tx, was)
	})
}

// take stores the good rows of a chunk.
func (w *codeImport) take(rows []vault.Candidate, _ []vault.Problem, t vault.Tally, at int64) error {
	before := *w.i
	fresh, known := rows, []vault.Problem(nil)
	once := func() error {
		if w.ask || w.Keys.Rotating() {
			var err error
			if fresh, known, err = w.known(rows, w.mapping()); err != nil {
				return err
			}
		}
		if w.i.Options.WholeOnly && (len(known) > 0 || t.Good != t.Rows()) {
			found := before
			found.Repeated += t.Repeated
			found.Invalid += t.Invalid
			found.Known += int64(len(known))
			return wholeOnly(&found)
		}
		piece := vault.Seal(w.Keys, w.batch, w.batch.Counts.Stored, fresh)
		return w.onBatch(w.ctx, w.batch, func(tx *db.Tx, book *inventory.Book, b *vault.Batch) error {
			*w.i = before
			w.count(t, len(known), at)
			w.i.Added += piece.N
			state := vault.CodeAvailable
			if w.i.Options.WholeOnly {
				state = vault.CodeFilling
			} else {
				book.Receive(b.Stock, piece.N)
			}
			if err := vault.Store(w.ctx, tx, b, piece, state); err != nil {
				return err
			}
			return w.save(tx, vault.ImportRunning)
		})
	}
	err := w.withKeys(w.ctx, once)
	for try := 0; db.IsUnique(err) && try < 3; try++ {
		w.ask = true
		err = w.withKeys(w.ctx, once)
	}
	return err
}

func wholeOnly(i *vault.Import) error {
	return fault.New(fault.Invalid, "vault.import_problems", "repeated", strconv.FormatInt(i.Repeated, 10), "known", strconv.FormatInt(i.Known, 10),
		"invalid", strconv.FormatInt(i.Invalid, 10))
}

// finish closes the batch with what it has. The file is kept only for an error file.
func (w *codeImport) finish(tx *db.Tx, b *vault.Batch) error {
	if b.State == vault.Filling {
		if err := vault.MoveBatch(w.ctx, tx, b, vault.Ready, b.Counts.Stored); err != nil {
			return err
		}
	}
	if w.i.Repeated+w.i.Known+w.i.Invalid > 0 {
		return nil
	}
	return vault.DropFile(w.ctx, tx, w.i.ID)
}
