package catalogue

import (
	"slices"
	"strings"
	"sync"
)

// cellForm is how a cell of a table is read and written.
type cellForm byte

const (
	cellName   cellForm = iota // a short text; blanks around it don't count
	cellWords                  // a text as it is
	cellWhole                  // a whole number
	cellFlag                   // true or false
	cellAmount                 // "19.90"
	cellTime                   // a moment in UTC+8, or RFC 3339
	cellCounts                 // "api: 50; web: 100"
)

// tableColumn is a column: its name is the path of the field within its item, as in JSON.
type tableColumn struct {
	name string
	form cellForm
}

// tableSchema is a sheet: a list of a catalogue file, or what its offers have many of.
type tableSchema struct {
	name    string
	key     string // the column that names the item, or the offer that a row belongs to
	owned   bool   // by offers
	columns []tableColumn
}

func (s *tableSchema) column(name string) int {
	return slices.IndexFunc(s.columns, func(c tableColumn) bool { return c.name == name })
}

// cells are columns of a form, names separated by spaces.
func cells(form cellForm, names string) (out []tableColumn) {
	for name := range strings.FieldsSeq(names) {
		out = append(out, tableColumn{name, form})
	}
	return out
}

// inBoth are the two columns of texts.
func inBoth(names string) (out []tableColumn) {
	for name := range strings.FieldsSeq(names) {
		out = append(out, tableColumn{name + ".zh", cellWords}, tableColumn{name + ".en", cellWords})
	}
	return out
}

// tableSchemas are all sheets in the order they are written in.
var tableSchemas = sync.OnceValue(func() []*tableSchema {
	var attributes, disclosures []tableColumn
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		for _, a := range kinds[kind].Fields {
			if !seen[a.Name] {
				form := cellWords
				if a.Form == FormWhole || a.Form == FormMinor {
					form = cellName
				}
				attributes = append(attributes, tableColumn{"attributes." + a.Name, form})
			}
			seen[a.Name] = true
		}
	}
	for _, name := range disclosed {
		disclosures = append(disclosures, inBoth("disclosure."+name)...)
	}
	release := slices.Concat(cells(cellName, "release.every"), cells(cellWhole, "release.count"), cells(cellTime, "release.from"), cells(cellFlag, "release.catch_up"), cells(cellTime, "release.until"))
	return []*tableSchema{
		{name: "offers", key: "slug", columns: slices.Concat(cells(cellName, "slug state"), cells(cellFlag, "publish"), cells(cellName, "category"), cells(cellWhole, "position"), inBoth("title summary description badge"),
			cells(cellAmount, "price list_price floor"), cells(cellName, "currency"), cells(cellWhole, "max_per_order"), cells(cellWords, "stock"), cells(cellWhole, "room.per_minute room.minutes"), cells(cellTime, "starts_at ends_at"))},
		{name: "parts", key: "offer", owned: true, columns: slices.Concat(cells(cellName, "offer benefit"), cells(cellWhole, "quantity"), cells(cellName, "choice"), cells(cellAmount, "share"),
			cells(cellName, "validity.from"), cells(cellWhole, "validity.days validity.within"), cells(cellTime, "validity.start validity.end"), release)},
		{name: "choices", key: "offer", owned: true, columns: slices.Concat(cells(cellName, "offer key"), inBoth("name"), cells(cellWhole, "pick"), cells(cellFlag, "later"), cells(cellWhole, "days"), cells(cellAmount, "share"), release)},
		{name: "limits", key: "offer", owned: true, columns: slices.Concat(cells(cellName, "offer"), cells(cellWhole, "max"), cells(cellName, "window of channel"))},
		{name: "rules", key: "offer", owned: true, columns: slices.Concat(cells(cellName, "offer"), inBoth("name"), cells(cellWords, "text"), inBoth("refusal"))},
		{name: "benefits", key: "slug", columns: slices.Concat(cells(cellName, "slug kind provider"), inBoth("provider_name name"), cells(cellAmount, "worth"), cells(cellName, "currency"), attributes, cells(cellWhole, "valid_days"),
			cells(cellFlag, "coded"), cells(cellWords, "stock"), disclosures)},
		{name: "providers", key: "key", columns: slices.Concat(cells(cellName, "key"), inBoth("name"))},
		{name: "relations", key: "key", columns: slices.Concat(cells(cellName, "key kind"), inBoth("name"), cells(cellName, "from.provider from.kind"), cells(cellWords, "from.tier"), cells(cellName, "from.slug to.provider to.kind"), cells(cellWords, "to.tier"),
			cells(cellName, "to.slug"), cells(cellFlag, "ever"), cells(cellName, "severity"))},
		{name: "stocks", key: "name", columns: slices.Concat(cells(cellWords, "name"), cells(cellName, "kind"), cells(cellWhole, "units low_mark edition.size edition.first"), cells(cellFlag, "edition.gapless edition.by_lot"), cells(cellCounts, "allotments"))},
	}
})

func schemaOf(name string) *tableSchema {
	for _, s := range tableSchemas() {
		if s.name == name {
			return s
		}
	}
	return nil
}

// ResultColumn is the name of a column that tells what became of each row. It is skipped
// when a table is read.
const ResultColumn = "result"

// ColumnName is the name of a column by its heading: a heading may be in words, with the name
// in brackets after them.
func ColumnName(heading string) string {
	heading = strings.TrimSpace(heading)
	if open := strings.LastIndexByte(heading, '['); open >= 0 && strings.HasSuffix(heading, "]") {
		heading = heading[open+1 : len(heading)-1]
	}
	return strings.ToLower(strings.TrimSpace(heading))
}

// NumericColumn reports whether a column holds numbers, by its heading.
func NumericColumn(heading string) bool {
	name := ColumnName(heading)
	for _, s := range tableSchemas() {
		if i := s.column(name); i >= 0 {
			return s.columns[i].form == cellWhole || s.columns[i].form == cellAmount
		}
	}
	return false
}

// schemaFor finds out what a sheet is, by its name or else by its headings: of which most
// are, and two at least.
func schemaFor(name string, headings []string) *tableSchema {
	if s := schemaOf(strings.ToLower(strings.TrimSpace(name))); s != nil {
		return s
	}
	var best *tableSchema
	most := 1
	for _, s := range tableSchemas() {
		n, key := 0, false
		for _, h := range headings {
			if c := ColumnName(h); s.column(c) >= 0 {
				n++
				key = key || c == s.key
			}
		}
		if key && n > most {
			best, most = s, n
		}
	}
	return best
}
