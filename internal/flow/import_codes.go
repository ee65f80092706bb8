package flow

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

// NewImport is the command to receive a supplier's file of codes.
type NewImport struct {
	Stock    id.Stock
	File     io.Reader
	FileName string
	Options  vault.ImportOptions
	By       string
	Origin   string
}

// ReceiveImport keeps a file and looks at its layout. Nothing is checked or taken in yet:
// CheckImport is next. A file that can't be read as a table is not kept.
func (f *Flows) ReceiveImport(ctx context.Context, c NewImport) (*vault.Import, error) {
	now := f.Clock.Now()
	i := &vault.Import{Stock: c.Stock, FileName: clipName(filepath.Base(c.FileName)), Options: c.Options, CreatedAt: now, CreatedBy: c.By}
	if err := i.Options.Tidy(); err != nil {
		return nil, err
	}
	if i.Options.Name == "" {
		i.Options.Name = i.FileName
	}
	if err := vault.CheckCost(c.Options.Cost); err != nil {
		return nil, err
	}
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := f.codeStock(ctx, tx, c.Stock); err != nil {
			return err
		}
		return vault.AddImport(ctx, tx, i)
	})
	if err != nil {
		return nil, err
	}
	if err := f.receive(ctx, i, c); err != nil {
		// Also when the browser has gone, which ends ctx.
		over, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if bad := f.DB.Do(over, func(tx *db.Tx) error { return vault.DropReceiving(over, tx, i.ID) }); bad != nil {
			return nil, bad
		}
		return nil, err
	}
	return i, nil
}

// clipName is what is kept of a file's name: its end, and nothing that can't be seen. In
// bytes it is short enough for the name of a batch.
func clipName(name string) string {
	r := []rune(naming.Visible(name))
	for len(r) > 120 || len(string(r)) > 200 {
		r = r[1:]
	}
	return string(r)
}

func (f *Flows) receive(ctx context.Context, i *vault.Import, c NewImport) error {
	var err error
	if i.FileSize, i.FileHash, err = vault.Receive(ctx, f.DB, f.Keys, i.ID, c.File); err != nil {
		return err
	}
	g, _, err := f.guessFirst(ctx, i)
	if err != nil {
		return err
	}
	shown := *i
	if i.Options.Heading == tabular.GuessHeading {
		if shown.Options.Heading = g.Reading(); !g.Sure { // it may be a code, which nobody may see
			shown.Options.Heading = tabular.WithoutHeading
		}
	}
	r, err := f.openImport(ctx, &shown)
	if err != nil {
		return err
	}
	i.Layout, i.State = r.Layout(), vault.ImportReceived
	if err := r.Close(); err != nil {
		return err
	}
	now := f.Clock.Now()
	return f.DB.Do(ctx, func(tx *db.Tx) error {
		if err := vault.SaveImport(ctx, tx, i, vault.ImportReceiving, now); err != nil {
			return err
		}
		return f.auditImport(ctx, tx, i, c.By, c.Origin, "import.receive")
	})
}

func (f *Flows) openImport(ctx context.Context, i *vault.Import) (*tabular.Reader, error) {
	r, err := tabular.Open(vault.OpenSpool(ctx, f.DB, f.Keys, i), i.FileSize, i.Options.Reading())
	if errors.Is(err, vault.ErrFileGone) { // the reader of tables would say that it can't be read
		return nil, vault.ErrFileGone
	}
	return r, err
}

// auditImport writes what somebody does with an import, with more names and values.
func (f *Flows) auditImport(ctx context.Context, tx *db.Tx, i *vault.Import, by, origin, action string, more ...string) error {
	data := map[string]string{"file": i.FileName, "sha256": i.FileHash, "stock": string(i.Stock)}
	for n := 0; n < len(more); n += 2 {
		data[more[n]] = more[n+1]
	}
	return audit.Write(ctx, tx, audit.Row{At: f.Clock.Now(), Actor: by, Action: action, Subject: string(i.ID), Origin: origin, Data: data})
}

// Import tells where an import stands.
func (f *Flows) Import(ctx context.Context, id id.Import) (*vault.Import, error) {
	var i *vault.Import
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		i, err = vault.ImportByID(ctx, tx, id)
		return err
	})
	return i, err
}

// SampleImport gives the first rows of a received file for choosing its columns, every
// cell masked.
func (f *Flows) SampleImport(ctx context.Context, id id.Import, n int) (tabular.Layout, [][]string, error) {
	i, err := f.Import(ctx, id)
	if err != nil {
		return tabular.Layout{}, nil, err
	}
	if i.Options.Heading == tabular.GuessHeading {
		i.Options.Heading = tabular.WithoutHeading
		if i.Layout.Heading != nil {
			i.Options.Heading = tabular.WithHeading
		}
	}
	r, err := f.openImport(ctx, i)
	if err != nil {
		return tabular.Layout{}, nil, err
	}
	var rows [][]string
	for len(rows) < n {
		row, err := r.Next()
		if err != nil { // the end, or what the check will tell
			break
		}
		cells := make([]string, len(row.Cells))
		for c, text := range row.Cells {
			cells[c] = vault.Mask(text)
		}
		rows = append(rows, cells)
	}
	return r.Layout(), rows, r.Close()
}

// Act is a person who does something to an import.
type Act struct{ By, Origin string }

// CheckImport has a worker read the whole file under the options given and count what
// would happen, without writing a code. It may be done again with other options.
func (f *Flows) CheckImport(ctx context.Context, id id.Import, o vault.ImportOptions, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.check", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportReceived && i.State != vault.ImportChecked {
			return fault.New(fault.Conflict, "vault.import_state")
		}
		if err := o.Tidy(); err != nil {
			return err
		}
		if o.Name == "" {
			o.Name = i.FileName
		}
		i.Options = o
		if err := f.settle(ctx, i); err != nil {
			return err
		}
		o = i.Options
		r, err := f.openImport(ctx, i) // charset, delimiter or sheet may be other ones now
		if err != nil {
			return err
		}
		i.Layout = r.Layout()
		if err := r.Close(); err != nil {
			return err
		}
		if _, err := o.Rules(i.Layout, f.Clock.Now()); err != nil {
			return err
		}
		i.State, i.Total, i.Why = vault.ImportChecking, 0, nil
		return nil
	})
}

// StartImport has a worker take in what was checked. An import that is to be whole is
// refused when the check has found a problem; one without a good row is done at once and
// has no batch.
func (f *Flows) StartImport(ctx context.Context, id id.Import, a Act) (*vault.Import, error) {
	return f.steer(ctx, id, a, "import.start", func(tx *db.Tx, i *vault.Import) error {
		if i.State != vault.ImportChecked {
			return fault.New(fault.Conflict, "vault.import_state")
		}
		good := i.Total - i.Repeated - i.Known - i.Invalid
		if i.Options.WholeOnly && good != i.Total {
			return wholeOnly(i)
		}
		if good == 0 {
			i.State, i.Done = vault.ImportDone, i.Total
			return nil
		}
		b := &vault.Batch{Stock: i.Stock, Source: vault.Imported, Name: i.Options.Name, Issuer: i.Options.Issuer, Supplier: i.Options.Supplier,
			Size: good, Cost: i.Options.Cost, ExpiresAt: i.Options.Expires, CreatedAt: f.Clock.Now(), CreatedBy: a.By}
		if err := vault.AddBatch(ctx, tx, b); err != nil {
			return err
		}
		i.Batch, i.State = b.ID, vault.ImportRunning
		i.Done, i.AtRow, i.Added, i.Repeated, i.Known, i.Invalid, i.Rate = 0, 0, 0, 0, 0, 0, 0
		return nil
	})
}
