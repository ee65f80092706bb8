package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"hufu/internal/app"
	"hufu/internal/fault"
	"hufu/internal/flow"
)

var exportFlags struct{ format, out, offers string }

var _ = register(command{name: "export catalogue", summary: "export_catalogue",
	flags: storeFlags((*app.Config).BindOpen, func(f *flag.FlagSet) {
		f.StringVar(&exportFlags.format, "format", "json", "flag.format.export_catalogue")
		f.StringVar(&exportFlags.out, "out", "", "flag.out.export_catalogue")
		f.StringVar(&exportFlags.offers, "offers", "", "flag.offers.export_catalogue")
	}),
	run: func(ctx context.Context, e *env, _ []string) error {
		opt := flow.CatalogueExport{Format: exportFlags.format, Lang: e.lang}
		for slug := range strings.FieldsFuncSeq(exportFlags.offers, func(r rune) bool { return r == ',' || r == ' ' }) {
			opt.Offers = append(opt.Offers, slug)
		}
		a, err := app.Open(ctx, e.patient(), e.log())
		if err != nil {
			return err
		}
		defer a.Close()
		file, err := a.Flows.ExportCatalogue(ctx, opt)
		if err != nil {
			return err
		}
		out := exportFlags.out
		if out == "" {
			out = file.Name
		}
		if err := e.writeFile(out, file.Data); err != nil || out == "-" {
			return err
		}
		fmt.Fprintln(e.out, e.lang.T("cli.exported", "file", out, "offers", fmt.Sprint(file.Offers), "benefits", fmt.Sprint(file.Benefits), "relations", fmt.Sprint(file.Relations), "stocks", fmt.Sprint(file.Stocks)))
		return nil
	}})

// writeFile writes a file anew, or the standard output for "-".
func (e *env) writeFile(path string, data []byte) error {
	if path == "-" {
		_, err := e.out.Write(data)
		return err
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fault.Wrap(err, fault.Invalid, "file.unwritable", "file", path)
	}
	return nil
}
