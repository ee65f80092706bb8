package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

type importFlags struct {
	stockFlags
	supplier, charset, delimiter, sheet, zone string
	heading, errors                           string
	dryRun, whole                             bool
	columns                                   vault.Mapping
	resume, undo, cancel                      string
}

var importing importFlags

var noColumns = vault.Mapping{Code: vault.NoColumn, Serial: vault.NoColumn, Account: vault.NoColumn, Password: vault.NoColumn,
	Expiry: vault.NoColumn, Cost: vault.NoColumn, Note: vault.NoColumn}

var _ = register(command{name: "import codes", args: "FILE", most: 1, summary: "import_codes",
	flags: storeFlags((*app.Config).BindOpen, func(f *flag.FlagSet) {
		importing = importFlags{columns: noColumns}
		i := &importing
		i.bind(f)
		f.StringVar(&i.supplier, "supplier", "", "flag.supplier")
		f.BoolVar(&i.dryRun, "dry-run", false, "flag.dry-run.import_codes")
		f.BoolVar(&i.whole, "whole", false, "flag.whole")
		f.StringVar(&i.errors, "errors", "", "flag.errors")
		f.StringVar(&i.charset, "charset", "", "flag.charset")
		f.StringVar(&i.delimiter, "delimiter", "", "flag.delimiter")
		f.StringVar(&i.sheet, "sheet", "", "flag.sheet")
		f.StringVar(&i.heading, "heading", "", "flag.heading")
		f.StringVar(&i.zone, "zone", "Asia/Shanghai", "flag.zone")
		m := &i.columns
		for _, c := range []struct {
			name string
			to   *int
		}{{"code", &m.Code}, {"serial", &m.Serial}, {"account", &m.Account}, {"password", &m.Password}, {"expiry", &m.Expiry}, {"cost", &m.Cost}, {"note", &m.Note}} {
			f.Var(columnFlag{c.to}, c.name+"-column", "flag.column."+c.name)
		}
		f.StringVar(&i.resume, "resume", "", "flag.resume.import_codes")
		f.StringVar(&i.undo, "undo", "", "flag.undo.import_codes")
		f.StringVar(&i.cancel, "cancel", "", "flag.cancel")
	}),
	run: runImport})

func (i importFlags) options() (vault.ImportOptions, error) {
	expires, cost, err := i.of()
	o := vault.ImportOptions{Name: i.name, Issuer: i.issuer, Supplier: i.supplier, WholeOnly: i.whole, Charset: tabular.Charset(i.charset),
		Delimiter: tabular.Delimiter(i.delimiter), Sheet: i.sheet, Zone: i.zone, Cost: cost, Expires: expires, Currency: cost.Currency}
	switch i.heading {
	case "yes":
		o.Heading = tabular.WithHeading
	case "no":
		o.Heading = tabular.WithoutHeading
	}
	if i.columns != noColumns {
		o.Mapping = &i.columns
	}
	return o, err
}

// understood refuses a line that names neither a file with its stock nor an import.
func (i importFlags) understood(args []string) error {
	given := 0
	for _, id := range []string{i.resume, i.undo, i.cancel} {
		if id != "" {
			given++
		}
	}
	switch {
	case given > 1:
		return refuse("cli.import_one")
	case given == 1 && len(args) > 0:
		return refuse("cli.import_no_file", "file", args[0])
	case given == 0 && len(args) == 0:
		return refuse("cli.word_missing", "command", "import codes", "words", "FILE")
	case given == 0 && i.stock == "":
		return refuse("cli.stock_missing")
	case i.heading != "" && i.heading != "yes" && i.heading != "no":
		return refuse("config.choice", "name", "heading", "value", i.heading, "allowed", "yes, no", "where", "--heading")
	}
	return nil
}

func runImport(ctx context.Context, e *env, args []string) error {
	i := importing
	if err := i.understood(args); err != nil {
		return err
	}
	o, err := i.options()
	if err != nil {
		return err
	}
	if i.errors != "" {
		if _, err := os.Lstat(i.errors); err == nil {
			return fault.New(fault.Conflict, "file.exists", "file", i.errors)
		}
	}
	if _, err := time.LoadLocation(i.zone); err != nil {
		return fault.New(fault.Invalid, "vault.import_zone")
	}
	var in io.ReadCloser
	if len(args) > 0 {
		if in, err = openFile(e.stdin, args[0]); err != nil { // before a stock is made for it
			return err
		}
		defer in.Close()
	}
	a, err := app.Open(ctx, e.patient(), e.log())
	if err != nil {
		return err
	}
	defer a.Close()
	act := flow.Act{By: atTerminal}
	var run *vault.Import
	switch {
	case i.undo != "":
		run, err = a.Flows.UndoImport(ctx, id.Import(i.undo), act)
	case i.cancel != "":
		run, err = a.Flows.CancelImport(ctx, id.Import(i.cancel), act)
	case i.resume != "":
		if run, err = a.Flows.Import(ctx, id.Import(i.resume)); err != nil {
			return err
		}
		switch run.State {
		case vault.ImportPaused:
			run, err = a.Flows.ResumeImport(ctx, run.ID, act)
		case vault.ImportReceived: // it ended before it was checked
			run, err = a.Flows.CheckImport(ctx, run.ID, run.Options, act)
		}
	default:
		run, err = receiveFile(ctx, e, a, i, o, in, args[0])
	}
	if err != nil {
		return err
	}
	if run, err = follow(ctx, e, a, run.ID); err != nil {
		return err
	}
	if run.State == vault.ImportChecked {
		if err := report(ctx, e, a, run); err != nil {
			return err
		}
		if !i.dryRun {
			if _, err := a.Flows.StartImport(ctx, run.ID, act); err != nil {
				if i.errors != "" && fault.CodeOf(err) == "vault.import_problems" {
					if bad := writeErrors(ctx, e, a, run, i.errors); bad != nil {
						return bad
					}
				}
				return giveUp(ctx, a, run.ID, len(args) > 0, err)
			}
			if run, err = follow(ctx, e, a, run.ID); err != nil {
				return err
			}
		}
	}
	if i.errors != "" && run.Repeated+run.Known+run.Invalid > 0 {
		if err := writeErrors(ctx, e, a, run, i.errors); err != nil {
			return err
		}
	}
	end := "cli.import_" + string(run.State)
	if run.State == vault.ImportDone && run.Batch == "" {
		end = "cli.import_nothing"
	}
	fmt.Fprintln(e.out, e.lang.T(end, "import", string(run.ID), "batch", string(run.Batch), "added", strconv.FormatInt(run.Added, 10)))
	if run.Why != nil {
		return run.Why
	}
	if i.dryRun {
		_, err = a.Flows.CancelImport(ctx, run.ID, act)
	}
	return err
}

func receiveFile(ctx context.Context, e *env, a *app.App, i importFlags, o vault.ImportOptions, in io.Reader, path string) (*vault.Import, error) {
	stock, err := i.find(ctx, a)
	if err != nil {
		return nil, err
	}
	run, err := a.Flows.ReceiveImport(ctx, flow.NewImport{Stock: stock, File: in, FileName: path, Options: o, By: atTerminal})
	if err != nil {
		return nil, err
	}
	_, first, err := a.Flows.FirstRow(ctx, run)
	if err != nil {
		return nil, giveUp(ctx, a, run.ID, true, err)
	}
	run, err = checkFile(ctx, a, run)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(e.err, e.lang.T("cli.import_begun", "import", string(run.ID)))
	to := e.err
	if i.dryRun {
		to = e.out
	}
	is := "cli.import_first_data"
	if run.Options.Heading == tabular.WithHeading {
		is = "cli.import_first_heading"
	}
	fmt.Fprintln(to, e.lang.T(is, "row", first))
	return run, nil
}

// checkFile has a file checked that was just received, which is gone again if it can't be.
func checkFile(ctx context.Context, a *app.App, run *vault.Import) (*vault.Import, error) {
	checked, err := a.Flows.CheckImport(ctx, run.ID, run.Options, flow.Act{By: atTerminal})
	if err != nil {
		return nil, giveUp(ctx, a, run.ID, true, err)
	}
	return checked, nil
}

// giveUp takes back an import that this very command began and can't go on with, so that its
// file stays nowhere.
func giveUp(ctx context.Context, a *app.App, run id.Import, began bool, why error) error {
	if !began || fault.KindOf(why) != fault.Invalid && fault.KindOf(why) != fault.Conflict {
		return why
	}
	if _, err := a.Flows.CancelImport(ctx, run, flow.Act{By: atTerminal}); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// follow works on imports, unless another process does, and shows how one of them gets on.
func follow(ctx context.Context, e *env, a *app.App, run id.Import) (*vault.Import, error) {
	work, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for {
			err := a.Flows.RunImports(work)
			select {
			case <-time.After(500 * time.Millisecond):
			case <-work.Done():
				done <- nil
				return
			}
			if err != nil {
				done <- err
				return
			}
		}
	}()
	defer func() {
		stop()
		<-done
	}()
	state := vault.ImportState("")
	var b *bar
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		i, err := a.Flows.Import(ctx, run)
		if err != nil {
			return nil, err
		}
		if i.State != state || !i.State.Working() {
			if b != nil {
				b.end()
			}
			if state = i.State; !state.Working() {
				return i, nil
			}
			b = newBar(e, "cli.import_"+string(state))
		}
		if i.Total > 0 {
			b.at(i.Done, i.Total)
		} else {
			b.at(i.Done, -1) // not known yet how many rows there are
		}
		select {
		case <-tick.C:
		case err := <-done:
			done <- nil
			if err != nil {
				return nil, err
			}
		case <-ctx.Done():
			b.end()
			fmt.Fprintln(e.err, e.lang.T("cli.import_stopped", "import", string(run)))
			return nil, ctx.Err()
		}
	}
}

// report says what the check has found.
func report(ctx context.Context, e *env, a *app.App, run *vault.Import) error {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	fmt.Fprintln(e.out, e.lang.T("cli.import_found", "total", n(run.Total), "new", n(run.Total-run.Repeated-run.Known-run.Invalid),
		"repeated", n(run.Repeated), "known", n(run.Known), "invalid", n(run.Invalid)))
	return a.DB.View(ctx, func(tx *db.Tx) error {
		problems, err := vault.ProblemsOf(ctx, tx, run.ID)
		for _, p := range problems {
			column := ""
			if p.Column != vault.NoColumn {
				column = ":" + strconv.Itoa(p.Column+1)
			}
			fmt.Fprintf(e.err, "%s:%d%s: %s %s\n", run.FileName, p.Row, column, p.Value, flow.ExplainRow(e.lang, p))
		}
		return err
	})
}

func writeErrors(ctx context.Context, e *env, a *app.App, run *vault.Import, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "file.exists", "file", path)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "file.unwritable", "file", path)
	}
	if err := a.Flows.ImportErrors(ctx, run.ID, flow.Act{By: atTerminal}, e.lang, f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return fault.Wrap(err, fault.Unavailable, "file.unwritable", "file", path)
	}
	fmt.Fprintln(e.out, e.lang.T("cli.import_errors", "file", path))
	return nil
}
