package flow

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

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

func (f *Flows) ResumeImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.resume", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportPaused {
			return fault.New(fault.Conflict, "vault.import_state")
		}
		i.State, i.Next = i.Next, ""
		return nil
	})
}

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

func (f *Flows) UndoImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.undo", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportDone {
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
