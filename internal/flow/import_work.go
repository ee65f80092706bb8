package flow

import (
	"context"
	"errors"
	"io"
	"time"

	"hufu/internal/db"
	"hufu/internal/vault"
)

// importChunk is how many rows of a file one transaction takes in.
const importChunk = 8000

// keepEvery is after how many rows that are only read again a worker shows that it lives.
const keepEvery = 200_000

// keepFiles is how long a file stays for its error file after the import ended.
const keepFiles = 7 * 24 * time.Hour

// RunImports carries on every import that waits for a worker, and returns when there is
// none. Any number of processes may call it, as often as they like: an import has one
// worker at a time, and one that died is followed by another after half a minute.
func (f *Flows) RunImports(ctx context.Context) error {
	for {
		var i *vault.Import
		err := f.DB.Do(ctx, func(tx *db.Tx) error {
			var err error
			i, err = vault.ClaimImport(ctx, tx, f.Clock.Now())
			return err
		})
		if err != nil || i == nil {
			return err
		}
		if err := f.carryOn(ctx, i); err != nil && !errors.Is(err, vault.ErrImportLost) {
			return err
		}
	}
}

// PruneImports removes files that came in half, and those of imports that ended a week ago.
func (f *Flows) PruneImports(ctx context.Context) error {
	now := f.Clock.Now()
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		stale, err := vault.StaleImports(ctx, tx, now.Add(-6*time.Hour), now.Add(-keepFiles))
		if err != nil {
			return err
		}
		for _, i := range stale {
			if err := vault.DropReceiving(ctx, tx, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// carryOn works on a claimed import until it waits for a person or has ended.
func (f *Flows) carryOn(ctx context.Context, i *vault.Import) error {
	w := &codeImport{Flows: f, ctx: ctx, i: i}
	for i.State.Working() {
		w.began, w.from = f.Clock.Now(), i.Done
		var err error
		switch i.State {
		case vault.ImportChecking:
			err = w.check()
		case vault.ImportRunning:
			err = w.run()
		case vault.ImportReleasing, vault.ImportRestoring:
			err = w.release()
		case vault.ImportUndoing:
			err = w.undo()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// codeImport is one worker on one import.
type codeImport struct {
	*Flows
	ctx   context.Context
	i     *vault.Import
	batch *vault.Batch
	began time.Time // of the present state, and the rows done before
	from  int64
	// ask is whether a chunk asks first which rows the store holds. Asking costs a third of
	// the time and is in vain for most files: the unique index speaks up at the first such row.
	// It doesn't know codes of our own making, though.
	ask bool
}

// read checks the rows of the file after one number and hands them over in chunks.
// Earlier rows are checked again for what they make a repetition.
func (w *codeImport) read(after int64, chunk func(rows []vault.Candidate, bad []vault.Problem, t vault.Tally, at int64) error) error {
	rules, err := w.i.Options.Rules(w.i.Layout, w.i.CreatedAt)
	if err != nil {
		return err
	}
	intake, err := vault.NewIntake(w.Keys, w.i.Options.Issuer, rules)
	if err != nil {
		return err
	}
	r, err := w.openImport(w.ctx, w.i)
	if err != nil {
		return err
	}
	defer r.Close()
	var before vault.Tally
	rows, bad := make([]vault.Candidate, 0, importChunk), []vault.Problem(nil)
	flush := func(at int64) error {
		now := intake.Tally()
		err := chunk(rows, bad, vault.Tally{Good: now.Good - before.Good, Repeated: now.Repeated - before.Repeated, Invalid: now.Invalid - before.Invalid}, at)
		before, rows, bad = now, rows[:0], bad[:0]
		return err
	}
	at := after
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return flush(at)
		}
		if err != nil {
			return err
		}
		good, problems := intake.Check(row)
		if row.Number <= after {
			if before = intake.Tally(); before.Rows()%keepEvery == 0 {
				if err := w.DB.Do(w.ctx, func(tx *db.Tx) error { return w.save(tx, w.i.State) }); err != nil {
					return err
				}
			}
			continue
		}
		at = row.Number
		if len(problems) > 0 {
			bad = append(bad, problems...)
		} else {
			rows = append(rows, good)
		}
		if t := intake.Tally(); t.Rows()-before.Rows() >= importChunk {
			if err := flush(at); err != nil {
				return err
			}
		}
	}
}

// save writes the import as it stands, if this worker still has it.
func (w *codeImport) save(tx *db.Tx, was vault.ImportState) error {
	return vault.SaveImport(w.ctx, tx, w.i, was, w.Clock.Now())
}
