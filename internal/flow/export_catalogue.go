package flow

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/tabular"
)

// CatalogueFormats are what a catalogue is exported as; "csv" is an archive of CSV files.
var CatalogueFormats = []string{"xlsx", "csv", "json"}

// CatalogueExport says what of the catalogue is exported and how.
type CatalogueExport struct {
	Format string   // one of CatalogueFormats
	Offers []string // slugs of offers, with what they need; all of the catalogue if empty
	Lang   i18n.Lang
}

// CatalogueFile is an exported catalogue.
type CatalogueFile struct {
	Name, Type string // of the file and of its content
	Data       []byte
	Offers     int
	Benefits   int
	Relations  int
	Stocks     int
}

// ExportCatalogue writes the catalogue as a file that ImportCatalogue takes and finds nothing
// to change by. Archived offers are in it. It fails with catalogue.format, and with
// catalogue.no_offer when a slug isn't one's.
func (f *Flows) ExportCatalogue(ctx context.Context, opt CatalogueExport) (CatalogueFile, error) {
	if !slices.Contains(CatalogueFormats, opt.Format) {
		return CatalogueFile{}, fault.New(fault.Invalid, "catalogue.format", "known", strings.Join(CatalogueFormats, ", "))
	}
	var e *catalogue.Export
	err := f.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		e, err = f.exported(ctx, tx)
		return err
	})
	if err != nil {
		return CatalogueFile{}, err
	}
	for _, slug := range opt.Offers {
		if !slices.ContainsFunc(e.Offers, func(x catalogue.Exported) bool { return x.Offer.Slug == slug }) {
			return CatalogueFile{}, fault.New(fault.NotFound, "catalogue.no_offer", "name", slug)
		}
	}
	if len(opt.Offers) > 0 {
		e.Only(opt.Offers)
	}
	out := CatalogueFile{Offers: len(e.Offers), Benefits: len(e.Benefits), Relations: len(e.Relations), Stocks: len(e.Stocks)}
	if opt.Format == "json" {
		out.Name, out.Type, out.Data = "catalogue.json", "application/json", e.JSON()
		return out, nil
	}
	book := tabular.Book{Form: tabular.FormXLSX, Sheets: e.Sheets(func(column string) string { return columnHeading(opt.Lang, column) })}
	if out.Name, out.Type = "catalogue.xlsx", typeXLSX; opt.Format == "csv" {
		book.Form, out.Name, out.Type = tabular.FormZip, "catalogue.zip", "application/zip"
	}
	var b bytes.Buffer
	err = book.Write(&b, catalogue.NumericColumn)
	out.Data = b.Bytes()
	return out, err
}

const typeXLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// exported is the shop's catalogue as a transaction sees it.
func (f *Flows) exported(ctx context.Context, tx *db.Tx) (*catalogue.Export, error) {
	stocks, err := f.Inventory.All(ctx, tx)
	if err != nil {
		return nil, err
	}
	names := map[id.Stock]string{}
	listed := make([]catalogue.FileStock, len(stocks))
	for i, s := range stocks {
		names[s.ID] = s.Name
		if listed[i] = (catalogue.FileStock{Name: s.Name, Kind: s.Kind, LowMark: s.LowMark}); s.Kind == inventory.Counted {
			listed[i].Units = s.Received
			allots, err := f.allotments(ctx, tx, s)
			if err != nil {
				return nil, err
			}
			for channel, a := range allots {
				if a.Open {
					if listed[i].Allotments == nil {
						listed[i].Allotments = map[string]int64{}
					}
					listed[i].Allotments[channel] = a.Size
				}
			}
		}
		if listed[i].Edition, err = f.edition(ctx, tx, s); err != nil {
			return nil, err
		}
	}
	benefits, err := f.Catalogue.AllBenefits(ctx, tx)
	if err != nil {
		return nil, err
	}
	relations, err := f.Catalogue.Relations(ctx, tx)
	if err != nil {
		return nil, err
	}
	all, err := f.Catalogue.Offers(ctx, tx, true)
	if err != nil {
		return nil, err
	}
	now := f.Clock.Now()
	wanted := make([]id.OfferVersion, len(all))
	for i := range all {
		wanted[i] = all[i].Settled(now).VersionID
	}
	sold, err := f.Catalogue.Versions(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	offers := make([]catalogue.Exported, len(all))
	for i, o := range all {
		offers[i] = catalogue.Exported{Offer: o, Sold: sold[wanted[i]]}
	}
	return catalogue.NewExport(listed, names, benefits, relations, offers), nil
}

// allotments are those of a stock by channel, closed ones with them.
func (f *Flows) allotments(ctx context.Context, tx *db.Tx, s *inventory.Stock) (map[string]catalogue.AllotRef, error) {
	if s.Channels == 0 {
		return nil, nil
	}
	all, err := f.Inventory.Allotments(ctx, tx, s.ID)
	out := make(map[string]catalogue.AllotRef, len(all))
	for _, a := range all {
		out[a.Channel] = catalogue.AllotRef{Size: a.Size, Out: a.Out(), Open: a.Open}
	}
	return out, err
}

// edition is how the units of a stock are numbered, nil when they aren't.
func (f *Flows) edition(ctx context.Context, tx *db.Tx, s *inventory.Stock) (*catalogue.FileEdition, error) {
	if !s.Edition {
		return nil, nil
	}
	e, err := f.Inventory.Edition(ctx, tx, s.ID)
	if err != nil {
		return nil, err
	}
	return &catalogue.FileEdition{Size: e.Size, First: e.First, Gapless: e.Gapless, ByLot: e.ByLot}, nil
}

// columnHeading is the heading of a column: in words, and its name in brackets, by which it
// is known again.
func columnHeading(lang i18n.Lang, column string) string {
	words := ColumnWords(lang, column)
	if words == "" || words == column {
		return column
	}
	return words + " [" + column + "]"
}

// ColumnWords says a column, or a field of a catalogue file, in words.
func ColumnWords(lang i18n.Lang, column string) string {
	var words []string
	for name := range strings.SplitSeq(column, ".") {
		word := name
		if key := "file.word." + name; i18n.Has(key) {
			word = lang.T(key)
		}
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, " · ")
}
