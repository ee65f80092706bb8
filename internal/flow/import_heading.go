package flow

import (
	"context"
	"errors"
	"io"
	"slices"

	"hufu/internal/fault"
	"hufu/internal/tabular"
	"hufu/internal/vault"
)

// guessFirst looks at the beginning of a file for what its first row is.
func (f *Flows) guessFirst(ctx context.Context, i *vault.Import) (vault.Guess, [][]string, error) {
	plain := *i
	plain.Options.Heading = tabular.WithoutHeading
	r, err := f.openImport(ctx, &plain)
	if err != nil {
		return vault.Guess{}, nil, err
	}
	defer r.Close()
	var rows [][]string
	for len(rows) < vault.GuessRows {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // which the check will tell with its place
			break
		}
		rows = append(rows, slices.Clone(row.Cells))
	}
	return vault.GuessFirst(rows), rows, nil
}

// settle puts what a file says about itself in the place of what its options leave open. Its
// faults are vault.import_heading and vault.import_columns, for what somebody has to say.
func (f *Flows) settle(ctx context.Context, i *vault.Import) error {
	o := &i.Options
	if o.Heading != tabular.GuessHeading && o.Mapping != nil {
		return nil
	}
	g, rows, err := f.guessFirst(ctx, i)
	if err != nil || len(rows) == 0 {
		return err
	}
	first := maskedRow(rows[0])
	if o.Heading == tabular.GuessHeading {
		if !g.Sure {
			return fault.New(fault.Invalid, "vault.import_heading", "row", first)
		}
		o.Heading = g.Reading()
	} else if with := o.Heading == tabular.WithHeading; with != g.Heading {
		if g.Mapping = vault.GuessMapping(nil, len(rows[0])); with {
			g.Mapping = vault.GuessMapping(rows[0], len(rows[0]))
		}
	}
	if o.Mapping == nil {
		if g.Mapping.Validate(len(rows[0])) != nil {
			return fault.New(fault.Invalid, "vault.import_columns", "row", first)
		}
		o.Mapping = &g.Mapping
	}
	return nil
}

func maskedRow(cells []string) string {
	text := ""
	for n, c := range cells {
		if n > 0 {
			text += " | "
		}
		text += vault.Mask(c)
	}
	return text
}

// FirstRow says what a received file's first row seems to be, with the row itself masked.
func (f *Flows) FirstRow(ctx context.Context, i *vault.Import) (vault.Guess, string, error) {
	g, rows, err := f.guessFirst(ctx, i)
	if err != nil || len(rows) == 0 {
		return g, "", err
	}
	return g, maskedRow(rows[0]), nil
}
