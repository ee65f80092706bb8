package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"hufu/internal/audit"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/tabular"
)

// ImportOptions say how a catalogue file is imported.
type ImportOptions struct {
	// DryRun finds out what would happen, and changes nothing.
	DryRun bool
	By     id.Party // "" for the system itself
	Origin string   // address the request came from
	Source string   // the file's name; its ending tells tables from JSON where the content doesn't
	// Progress is told how many of all items were dealt with.
	Progress func(done, total int)
}

// CatalogueImport is what came, or in a dry run would come, of importing a file.
type CatalogueImport struct {
	ID       id.Import // subject of the audit row; "" when nothing changed
	DryRun   bool
	Source   string
	Sum      string // SHA-256 of the file, hexadecimal
	Rows     []catalogue.FileRow
	Problems []catalogue.Problem
	More     int // problems beyond those told

	book tabular.Book // what was read, of tables
}

// Count is how many items have a change.
func (c CatalogueImport) Count(change catalogue.Change) int {
	n := 0
	for _, r := range c.Rows {
		if r.Change == change {
			n++
		}
	}
	return n
}

var errUndo = errors.New("undo")

// ImportCatalogue brings the catalogue to what a file says, JSON (see catalogue.File) or tables
// (see catalogue.ParseTables), all of it or none. Items are
// known by slug, stocks by name; what is as the file says is left alone, so a file may be
// imported any number of times. A file with problems changes nothing and gives the fault
// catalogue.file, except in a dry run, which only reports them. One that meets another
// change at the same moment fails with catalogue.edited and may be imported again.
func (f *Flows) ImportCatalogue(ctx context.Context, data []byte, opt ImportOptions) (CatalogueImport, error) {
	sum := sha256.Sum256(data)
	var done CatalogueImport
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		done = CatalogueImport{DryRun: opt.DryRun, Source: opt.Source, Sum: hex.EncodeToString(sum[:])}
		in := importing{Flows: f, tx: tx, by: opt.By, now: f.Clock.Now(), progress: opt.Progress}
		var err error
		if done.book, err = in.read(ctx, data, opt.Source); err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{in.importStocks, in.importBenefits, in.importRelations, in.importOffers} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		done.Rows = in.rows
		done.Problems, done.More = in.file.Problems()
		if opt.DryRun || len(done.Problems) > 0 {
			return errUndo
		}
		if done.Count(catalogue.Created)+done.Count(catalogue.Changed) == 0 {
			return nil
		}
		done.ID = id.New[id.Import]()
		return audit.Write(ctx, tx, done.audit(opt, in.now))
	})
	switch {
	case errors.Is(err, errUndo):
		err = nil
	case db.IsUnique(err), takenMeanwhile(err): // somebody else made an item of the file at the same moment
		err = fault.Wrap(err, fault.Conflict, "catalogue.edited")
	}
	if err == nil && !opt.DryRun && len(done.Problems) > 0 {
		wrong := fault.New(fault.Invalid, "catalogue.file", "count", strconv.Itoa(len(done.Problems)+done.More))
		for _, p := range done.Problems {
			wrong.Fields = append(wrong.Fields, p.Field())
		}
		err = wrong
	}
	return done, err
}

func (c CatalogueImport) audit(opt ImportOptions, now time.Time) audit.Row {
	actor := string(opt.By)
	if actor == "" {
		actor = "system"
	}
	return audit.Row{At: now, Actor: actor, Action: "catalogue.import", Subject: string(c.ID), Origin: opt.Origin, Data: map[string]string{
		"source": c.Source, "sha256": c.Sum, "created": strconv.Itoa(c.Count(catalogue.Created)),
		"changed": strconv.Itoa(c.Count(catalogue.Changed)), "unchanged": strconv.Itoa(c.Count(catalogue.Unchanged)),
	}}
}

// importing is the working set of one import. A dry run does all the work, so that it can't
// differ from the real one, and is undone.
type importing struct {
	*Flows
	tx       *db.Tx
	file     *catalogue.File
	by       id.Party
	now      time.Time
	stocks   map[string]catalogue.StockRef // by the key of their name
	benefits map[string]catalogue.Benefit  // those an offer may give
	rows     []catalogue.FileRow
	progress func(done, total int)
}

// read reads the file. What tables leave out is as the shop has it.
func (in *importing) read(ctx context.Context, data []byte, name string) (tabular.Book, error) {
	if !catalogue.IsBook(data, name) {
		in.file = catalogue.ParseFile(data)
		return tabular.Book{}, nil
	}
	shop, err := in.exported(ctx, in.tx)
	if err != nil {
		return tabular.Book{}, err
	}
	var book tabular.Book
	in.file, book = catalogue.ParseBook(data, name, shop.Sheets(func(column string) string { return column }))
	return book, nil
}

func (in *importing) add(row catalogue.FileRow) (write bool) {
	in.rows = append(in.rows, row)
	if in.progress != nil {
		in.progress(len(in.rows), in.file.Items())
	}
	return row.Change == catalogue.Created || row.Change == catalogue.Changed
}

func (in *importing) importBenefits(ctx context.Context) error {
	var err error
	if in.benefits, err = in.Catalogue.BenefitsBySlug(ctx, in.tx, in.file.BenefitSlugs()); err != nil {
		return err
	}
	for i := range in.file.Benefits {
		slug := in.file.Benefits[i].Benefit.Slug
		var was *catalogue.Benefit
		if b, known := in.benefits[slug]; known {
			was = &b
		}
		b, row := in.file.DecideBenefit(i, was, in.stocks)
		if in.add(row) {
			if in.benefits[slug], err = in.Catalogue.PutBenefit(ctx, in.tx, b, in.by, in.now); err != nil {
				return err
			}
		} else if row.Change == catalogue.Refused {
			delete(in.benefits, slug)
		}
	}
	return nil
}

// ExplainProblem says what is wrong at a place of a catalogue file and what to do.
func ExplainProblem(lang i18n.Lang, p catalogue.Problem) string {
	return strings.TrimSpace(p.Cause(lang) + " " + p.Remedy(lang))
}

// takenMeanwhile reports whether an island found a name taken that wasn't when the import
// looked.
func takenMeanwhile(err error) bool {
	code := fault.CodeOf(err)
	return code == "stock.name_taken" || code == "catalogue.slug_taken"
}
