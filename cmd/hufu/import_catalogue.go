package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/flow"
)

// maxCatalogueFile bounds what is read of a catalogue file; see catalogue.ParseFile for
// the limits within.
const maxCatalogueFile = 64 << 20

var (
	catalogueDryRun bool
	catalogueResult string
)

var _ = register(command{name: "import catalogue", args: "FILE", least: 1, most: 1, summary: "import_catalogue",
	flags: storeFlags((*app.Config).BindOpen, func(f *flag.FlagSet) {
		f.BoolVar(&catalogueDryRun, "dry-run", false, "flag.dry-run.import_catalogue")
		f.StringVar(&catalogueResult, "result", "", "flag.result.import_catalogue")
	}),
	run: func(ctx context.Context, e *env, args []string) error {
		data, err := readBounded(e.stdin, args[0])
		if err != nil {
			return err
		}
		a, err := app.Open(ctx, e.patient(), e.log())
		if err != nil {
			return err
		}
		defer a.Close()
		b := newBar(e, "cli.catalogue_rows")
		done, err := a.Flows.ImportCatalogue(ctx, data, flow.ImportOptions{DryRun: catalogueDryRun, Source: filepath.Base(args[0]),
			Progress: func(n, total int) { b.at(int64(n), int64(total)) }})
		b.end()
		for _, p := range done.Problems {
			at := fmt.Sprintf("%d:%d", p.Line, p.Column)
			if p.Sheet != "" {
				at = catalogue.Ref(p.Sheet, p.Line, p.Column)
			}
			fmt.Fprintf(e.err, "%s:%s: %s: %s\n", args[0], at, p.Path, flow.ExplainProblem(e.lang, p))
		}
		if catalogueResult != "" && (err == nil || len(done.Problems) > 0) {
			file, err := done.Result(e.lang)
			if err == nil {
				err = e.writeFile(catalogueResult, file.Data)
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(e.err, e.lang.T("cli.result_written", "file", catalogueResult))
		}
		if done.More > 0 {
			fmt.Fprintln(e.err, e.lang.T("cli.more_problems", "n", fmt.Sprint(done.More)))
		}
		if len(done.Problems) > 0 {
			fmt.Fprintln(e.err, e.lang.T("cli.nothing_imported"))
			return errFailed
		}
		if err != nil {
			return err
		}
		for _, r := range done.Rows {
			if r.Change != catalogue.Unchanged {
				line := fmt.Sprintf("%-8s %-8s %s", e.lang.T("cli.change_"+string(r.Change)), r.Kind, r.Name)
				if len(r.Fields) > 0 {
					line += " [" + strings.Join(r.Fields, " ") + "]"
				}
				fmt.Fprintln(e.out, line)
				if r.Held {
					fmt.Fprintln(e.out, "  "+e.lang.T("file.result.held"))
				}
			}
		}
		key := "cli.imported"
		if done.DryRun {
			key = "cli.would_import"
		}
		fmt.Fprintln(e.out, e.lang.T(key, "created", fmt.Sprint(done.Count(catalogue.Created)), "changed", fmt.Sprint(done.Count(catalogue.Changed)),
			"unchanged", fmt.Sprint(done.Count(catalogue.Unchanged))))
		return nil
	}})

// readBounded reads a file, or the standard input for "-".
func readBounded(stdin io.Reader, path string) ([]byte, error) {
	in, err := openFile(stdin, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxCatalogueFile+1))
	switch {
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "file.unreadable", "file", path)
	case len(data) > maxCatalogueFile:
		return nil, fault.New(fault.TooLarge, "file.large", "file", path, "limit_mb", strconv.Itoa(maxCatalogueFile>>20))
	}
	return data, nil
}
