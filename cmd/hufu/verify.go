package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"

	"hufu/internal/app"
	"hufu/internal/i18n"
	"hufu/internal/insight/verify"
)

var _ = register(verifyCommand())

func verifyCommand() command {
	var checkpoint string
	var asJSON bool
	return command{name: "verify", summary: "verify", flags: storeFlags((*app.Config).BindStore, func(f *flag.FlagSet) {
		f.StringVar(&checkpoint, "audit-checkpoint", "", "flag.audit-checkpoint")
		f.BoolVar(&asJSON, "json", false, "flag.json")
	}), run: func(ctx context.Context, e *env, _ []string) error {
		b := newBar(e, "cli.verify_progress")
		var each func(verify.Result)
		if !asJSON {
			each = func(r verify.Result) {
				b.clear()
				verifyText(e.out, e.lang, r)
			}
		}
		results, err := app.Verify(ctx, e.patient(), checkpoint, each, b.at)
		b.clear()
		if results != nil && asJSON {
			if err := verifyJSON(e.out, e.lang, results); err != nil {
				return err
			}
		}
		if err == nil && !verify.OK(results) {
			err = errFailed
		}
		return err
	}}
}

// verifyText prints a line for an invariant, and under one that doesn't hold what breaks it.
func verifyText(w io.Writer, lang i18n.Lang, r verify.Result) {
	word := "ok"
	if !r.OK() {
		word = "FAILED"
	}
	fmt.Fprintf(w, "%-4s %-7s %s (%d ms)\n", r.ID, word, r.Title(lang), r.Took.Milliseconds())
	for _, row := range r.Rows {
		fmt.Fprintf(w, "       %s: %s %s\n", row.Text(lang), row.Subject, row.Detail)
	}
	if r.More {
		fmt.Fprintf(w, "       %s\n", lang.T("cli.verify_more"))
	}
}

type verifiedRow struct {
	Rule    string `json:"rule"`
	Text    string `json:"text"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

type verified struct {
	ID    string        `json:"id"`
	Title string        `json:"title"`
	OK    bool          `json:"ok"`
	Rows  []verifiedRow `json:"rows"`
	More  bool          `json:"more"`
	TookM int64         `json:"took_ms"`
}

func verifyJSON(w io.Writer, lang i18n.Lang, results []verify.Result) error {
	out := make([]verified, len(results))
	for i, r := range results {
		out[i] = verified{ID: r.ID, Title: r.Title(lang), OK: r.OK(), Rows: []verifiedRow{}, More: r.More, TookM: r.Took.Milliseconds()}
		for _, row := range r.Rows {
			out[i].Rows = append(out[i].Rows, verifiedRow{row.Rule, row.Text(lang), row.Subject, row.Detail})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
