package flow

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

// ImportErrors writes the rows of a file that weren't, or wouldn't be, taken in, with a
// column that says why. The rows go back in clear to who brought the file, and to nobody
// else: others would read codes that a corrected file then sells. A row whose code the store
// has is masked for everybody, so the file shows no code that is, or was, for sale, and needs
// no reveal (S10). It is on the audit trail all the same.
func (f *Flows) ImportErrors(ctx context.Context, id id.Import, a Act, lang i18n.Lang, out io.Writer) error {
	i, err := f.Import(ctx, id)
	if err != nil {
		return err
	}
	rows := "masked"
	if a.Brought(i) {
		rows = "clear"
	}
	if err := f.DB.Do(ctx, func(tx *db.Tx) error {
		return f.auditImport(ctx, tx, i, a.By, a.Origin, "import.errors", "rows", rows)
	}); err != nil {
		return err
	}
	e := errorFile{w: &codeImport{Flows: f, ctx: ctx, i: i}, own: a.Brought(i), lang: lang, out: tabular.NewWriter(out, true)}
	return e.write()
}

// Brought reports whether this is who brought the file of an import.
func (a Act) Brought(i *vault.Import) bool { return a.By == i.CreatedBy }

// ExplainRow says what is wrong with a row and what to do.
func ExplainRow(lang i18n.Lang, p vault.Problem) string {
	params := make([]string, 0, 2*len(p.Params))
	for k, v := range p.Params {
		params = append(params, k, v)
	}
	return lang.Field(p.Field()) + " " + lang.T(p.RemedyKey(), params...)
}

// errorFile reads a file once more and writes its bad rows. It gathers rows so that what the
// store holds is asked for many at once.
type errorFile struct {
	w       *codeImport
	own     bool
	lang    i18n.Lang
	out     *tabular.Writer
	mapping vault.Mapping

	rows  []errorRow
	known []vault.Candidate // of rows, each what makes its code the same as another
}

type errorRow struct {
	number int64
	cells  []string
	why    []string // empty of a row that may be good
	stored bool     // its code is, or may come to be, the store's
}

func (e *errorFile) write() error {
	w := e.w
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
	e.mapping = rules.Mapping
	if head := w.i.Layout.Heading; head != nil {
		if err := e.out.Row(append(e.heading(head), e.lang.T("import.error.column"))...); err != nil {
			return err
		}
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		good, problems := intake.Check(row)
		e.add(row, good, problems)
		if len(e.rows) < importChunk {
			continue
		}
		if err := e.flush(); err != nil {
			return err
		}
	}
	if err := e.flush(); err != nil {
		return err
	}
	return e.out.Flush()
}

// heading is a file's heading. Whoever chooses how a file is read can have its first code
// taken for one, so it is masked too for who didn't bring the file, unless it names columns.
func (e *errorFile) heading(head []string) []string {
	if e.own || vault.IsHeading(head) {
		return slices.Clone(head)
	}
	return masked(head)
}

func (e *errorFile) add(row *tabular.Row, good vault.Candidate, problems []vault.Problem) {
	x := errorRow{number: row.Number, cells: slices.Clone(row.Cells)}
	for _, p := range problems {
		x.why = append(x.why, ExplainRow(e.lang, p))
		x.stored = x.stored || p.Code == "vault.row_repeated" // the first of them may be
	}
	if len(problems) > 0 {
		good = vault.Candidate{Row: row.Number, Record: e.record(row.Cells)}
	}
	e.rows, e.known = append(e.rows, x), append(e.known, good)
}

// record is as much of a bad row as tells its code.
func (e *errorFile) record(cells []string) vault.Record {
	at := func(column int) vault.Hidden {
		if column < 0 || column >= len(cells) {
			return ""
		}
		return vault.Hidden(cells[column])
	}
	return vault.Record{Code: at(e.mapping.Code), Account: at(e.mapping.Account), Serial: at(e.mapping.Serial)}
}

// flush writes the bad ones of the rows that were gathered.
func (e *errorFile) flush() error {
	w := e.w
	var known map[int]id.Code
	var batch *vault.Batch
	err := w.DB.View(w.ctx, func(tx *db.Tx) error {
		var err error
		if known, err = vault.Known(w.ctx, tx, w.Keys, w.i.Options.Issuer, e.known); err != nil || w.i.Batch == "" {
			return err
		}
		batch, err = vault.BatchByID(w.ctx, tx, w.i.Batch)
		return err
	})
	if err != nil {
		return err
	}
	for n, code := range known {
		x := &e.rows[n]
		x.stored = true
		if len(x.why) == 0 && (batch == nil || !batch.Holds(code)) { // else it came from this very row
			x.why = append(x.why, ExplainRow(e.lang, vault.KnownProblem(e.known[n], e.mapping)))
		}
	}
	for _, x := range e.rows {
		if len(x.why) == 0 {
			continue
		}
		why := e.lang.T("import.error.row", "row", strconv.FormatInt(x.number, 10), "why", strings.Join(x.why, " "))
		if err := e.out.Row(append(e.given(x), why)...); err != nil {
			return err
		}
	}
	e.rows, e.known = e.rows[:0], e.known[:0]
	return nil
}

// given is as much of a row as this reader gets.
func (e *errorFile) given(x errorRow) []string {
	if !e.own || x.stored {
		return masked(x.cells)
	}
	return x.cells
}

func masked(cells []string) []string {
	out := make([]string, len(cells))
	for n, text := range cells {
		if text != "" {
			out[n] = vault.Mask(text)
		}
	}
	return out
}
