package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// PauseImport stops an import where it is.
func (f *Flows) PauseImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.pause", func(tx *db.Tx, i *vault.Import) error {
		switch i.State {
		case vault.ImportChecking, vault.ImportRunning, vault.ImportReleasing:
			i.Next, i.State = i.State, vault.ImportPaused
			return nil
		}
		return fault.New(fault.Conflict, "vault.import_state")
	})
}

// ResumeImport goes on with a paused import where it stopped.
func (f *Flows) ResumeImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.resume", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportPaused {
			return fault.New(fault.Conflict, "vault.import_state")
		}
		i.State, i.Next = i.Next, ""
		return nil
	})
}

// CancelImport ends an import that isn't done. What it has added is taken back, unless some
// of it was sold: then it stays.
func (f *Flows) CancelImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.cancel", func(tx *db.Tx, i *vault.Import) error {
		switch {
		case i.State.Ended() || i.State == vault.ImportUndoing || i.State == vault.ImportRestoring:
			return fault.New(fault.Conflict, "vault.import_state")
		case i.Batch != "":
			i.State, i.Next = vault.ImportUndoing, vault.ImportCancelled
			return nil
		}
		i.State, i.Next = vault.ImportCancelled, ""
		return vault.DropFile(ctx, tx, i.ID)
	})
}

// UndoImport takes back what a done import has added, while none of it is sold.
func (f *Flows) UndoImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.undo", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportDone {
			return fault.New(fault.Conflict, "vault.import_state")
		}
		if i.Batch == "" { // it took nothing in
			return fault.New(fault.Conflict, "vault.import_state")
		}
		b, err := vault.BatchByID(ctx, tx, i.Batch)
		if err != nil {
			return err
		}
		if b.Counts.Delivered > 0 {
			return fault.New(fault.Conflict, "vault.batch_sold")
		}
		i.State, i.Next, i.Why = vault.ImportUndoing, vault.ImportUndone, nil
		return nil
	})
}

// steer changes an import on a person's word. A worker that was on it loses it.
func (f *Flows) steer(ctx context.Context, id id.Import, a Act, action string, change func(tx *db.Tx, i *vault.Import) error) (*vault.Import, error) {
	var i *vault.Import
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		if i, err = vault.LockImport(ctx, tx, id); err != nil {
			return err
		}
		was := i.State
		if err := change(tx, i); err != nil {
			return err
		}
		if err := vault.HandOver(ctx, tx, i, was, f.Clock.Now()); err != nil {
			return err
		}
		return f.auditImport(ctx, tx, i, a.By, a.Origin, action)
	})
	return i, err
}
