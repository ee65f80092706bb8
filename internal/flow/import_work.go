package flow

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/tabular"
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

// known sets apart the rows that the store holds already.
func (w *codeImport) known(rows []vault.Candidate, mapping vault.Mapping) (fresh []vault.Candidate, known []vault.Problem, err error) {
	err = w.DB.View(w.ctx, func(tx *db.Tx) error {
		found, err := vault.Known(w.ctx, tx, w.Keys, w.i.Options.Issuer, rows)
		fresh, known = make([]vault.Candidate, 0, len(rows)), nil
		for n, c := range rows {
			if _, ok := found[n]; ok {
				known = append(known, vault.KnownProblem(c, mapping))
			} else {
				fresh = append(fresh, c)
			}
		}
		return err
	})
	return fresh, known, err
}

// count adds a chunk to what the import has done.
func (w *codeImport) count(t vault.Tally, known int, at int64) {
	i := w.i
	i.Done += t.Rows()
	i.Repeated += t.Repeated
	i.Invalid += t.Invalid
	i.Known += int64(known)
	i.AtRow = at
	if took := w.Clock.Now().Sub(w.began); took > 0 {
		i.Rate = int64(float64(i.Done-w.from) / took.Seconds())
	}
}

func (w *codeImport) save(tx *db.Tx, was vault.ImportState) error {
	return vault.SaveImport(w.ctx, tx, w.i, was, w.Clock.Now())
}

// check is the dry run. After a crash it begins anew.
func (w *codeImport) check() error {
	i := w.i
	i.Done, i.AtRow, i.Repeated, i.Known, i.Invalid, w.from = 0, 0, 0, 0, 0, 0
	if err := w.DB.Do(w.ctx, func(tx *db.Tx) error { return vault.DropProblems(w.ctx, tx, i.ID) }); err != nil {
		return err
	}
	kept := 0
	err := w.read(0, func(rows []vault.Candidate, bad []vault.Problem, t vault.Tally, at int64) error {
		_, known, err := w.known(rows, w.mapping())
		if err != nil {
			return err
		}
		bad = append(bad, known...)
		bad = bad[:min(len(bad), vault.MaxProblems-kept)]
		kept += len(bad)
		w.count(t, len(known), at)
		return w.DB.Do(w.ctx, func(tx *db.Tx) error {
			if err := vault.AddProblems(w.ctx, tx, i.ID, bad); err != nil {
				return err
			}
			return w.save(tx, vault.ImportChecking)
		})
	})
	if err != nil && !ofFile(err) {
		return err
	}
	return w.DB.Do(w.ctx, func(tx *db.Tx) error {
		i.State, i.Total = vault.ImportChecked, i.Done
		if err != nil {
			i.State, i.Why = vault.ImportFailed, fault.From(err)
		}
		return w.save(tx, vault.ImportChecking)
	})
}

// ofFile reports whether an error is the file's fault, so that trying again is in vain.
func ofFile(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Invalid || k == fault.TooLarge || k == fault.Gone || fault.CodeOf(err) == "vault.sealed_damaged"
}

func (w *codeImport) mapping() vault.Mapping {
	rules, err := w.i.Options.Rules(w.i.Layout, w.i.CreatedAt)
	if err != nil {
		return vault.Mapping{}
	}
	return rules.Mapping
}

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
		if _, err := takeBack(w.ctx, tx, book, b); err != nil {
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

// ImportErrors writes the rows of a file that weren't, or wouldn't be, taken in, with a
// column that says why. It is an export of codes, bad as they are, and on the audit trail.
func (f *Flows) ImportErrors(ctx context.Context, id id.Import, a Act, heading string, say func(vault.Problem) string, out io.Writer) error {
	i, err := f.Import(ctx, id)
	if err != nil {
		return err
	}
	if err := f.DB.Do(ctx, func(tx *db.Tx) error { return f.auditImport(ctx, tx, i, a.By, a.Origin, "import.errors") }); err != nil {
		return err
	}
	w := &codeImport{Flows: f, ctx: ctx, i: i}
	return w.writeErrors(heading, say, tabular.NewWriter(out, true))
}
