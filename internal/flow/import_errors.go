package flow

import (
	"errors"
	"io"
	"slices"
	"strings"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

// writeErrors reads the file once more and writes its bad rows.
func (w *codeImport) writeErrors(heading string, say func(vault.Problem) string, out *tabular.Writer) error {
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
	if head := w.i.Layout.Heading; head != nil {
		if err := out.Row(append(slices.Clone(head), heading)...); err != nil {
			return err
		}
	}
	c := errorChunk{w: w, mapping: rules.Mapping, say: say, out: out}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		good, problems := intake.Check(row)
		if err := c.add(slices.Clone(row.Cells), good, problems); err != nil {
			return err
		}
	}
	if err := c.flush(); err != nil {
		return err
	}
	return out.Flush()
}

// errorChunk gathers rows so that what the store holds is asked for many at once.
type errorChunk struct {
	w       *codeImport
	mapping vault.Mapping
	say     func(vault.Problem) string
	out     *tabular.Writer

	cells [][]string
	why   []string // "" of a row that may be good
	rows  []vault.Candidate
	at    []int // where each of rows is in cells
}

func (c *errorChunk) add(cells []string, good vault.Candidate, problems []vault.Problem) error {
	var why []string
	for _, p := range problems {
		why = append(why, c.say(p))
	}
	if len(problems) == 0 {
		c.rows, c.at = append(c.rows, good), append(c.at, len(c.cells))
	}
	c.cells, c.why = append(c.cells, cells), append(c.why, strings.Join(why, " "))
	if len(c.cells) < importChunk {
		return nil
	}
	return c.flush()
}

func (c *errorChunk) flush() error {
	w := c.w
	var known map[int]id.Code
	err := w.DB.View(w.ctx, func(tx *db.Tx) error {
		var err error
		if known, err = vault.Known(w.ctx, tx, w.Keys, w.i.Options.Issuer, c.rows); err != nil || w.i.Batch == "" {
			return err
		}
		b, err := vault.BatchByID(w.ctx, tx, w.i.Batch)
		if err != nil {
			return err
		}
		for n, code := range known {
			if b.Holds(code) { // it came from this very row
				delete(known, n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n := range known {
		c.why[c.at[n]] = c.say(vault.KnownProblem(c.rows[n], c.mapping))
	}
	for n, cells := range c.cells {
		if c.why[n] == "" {
			continue
		}
		if err := c.out.Row(append(cells, c.why[n])...); err != nil {
			return err
		}
	}
	c.cells, c.why, c.rows, c.at = c.cells[:0], c.why[:0], c.rows[:0], c.at[:0]
	return nil
}
