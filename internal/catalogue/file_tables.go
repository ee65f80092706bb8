package catalogue

import (
	"strconv"
	"strings"
	"time"

	"hufu/internal/tabular"
)

// tableMap says where the items of a file that was written as tables stand.
type tableMap struct {
	sheets []mappedSheet
	rows   []tableRow // what the nodes of the tree stand at
}

type mappedSheet struct {
	name    string
	columns map[string]int // from 1, by the name of the column
}

type tableRow struct {
	sheet  int // index in sheets
	number int64
}

// record is a row under a schema: a cell for each of its columns.
type record struct {
	cells []string
	at    int // index in tableMap.rows
}

// maxPlaces is how many cells the rows of all sheets may have, with those of the columns that the
// file lacks: each takes memory, however short the rows.
const maxPlaces = 4_000_000

// tableSet is what is known of each sheet.
type tableSet map[string]*tableRows

type tableRows struct {
	records []record
	has     []bool // which columns the file has
	byKey   map[string][]int
}

// ParseTables reads a catalogue that was written as tables: a sheet for each list of a
// catalogue file, and for the parts, choices, limits and rules of offers, with a column for each
// field, named by its path ("title.zh"). shop is how the shop's own catalogue is written: columns and sheets that the
// file lacks stay as they are there. A sheet that is there says everything of the offers that the file has: an offer
// without rows among the limits has none.
func ParseTables(sheets, shop []tabular.Sheet) *File {
	f := &File{root: &node{}, tables: &tableMap{rows: []tableRow{{-1, 0}}}}
	if !f.fits(sheets) {
		return f
	}
	own := f.readTables(sheets)
	if len(own) == 0 {
		f.found.report("", "catalogue.file_no_sheet", "known", sheetNames())
		f.found.all[len(f.found.all)-1].Line = 1
		return f
	}
	base := (&File{tables: &tableMap{rows: []tableRow{{-1, 0}}}}).readTables(shop)
	own.complete(f, base)
	f.read(f.tree(own))
	return f
}

// fits reports whether the tables have no more than maxPlaces, and tells if they have.
func (f *File) fits(sheets []tabular.Sheet) bool {
	places := maxPlaces
	for _, sh := range sheets {
		if len(sh.Lines) == 0 {
			continue
		}
		if s := schemaFor(sh.Name, sh.Lines[0].Cells); s != nil {
			places -= len(s.columns) * (len(sh.Lines) - 1)
		}
		if places < 0 {
			f.found.report("", "catalogue.file_many", "limit", strconv.Itoa(maxPlaces))
			p := &f.found.all[0]
			p.Sheet, p.Line, p.Column = sh.Name, 1, 1
			return false
		}
	}
	return true
}

func sheetNames() string {
	var names []string
	for _, s := range tableSchemas() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// tell reports what is wrong with a cell that no item has.
func (f *File) tell(sheet int, row int64, column int, code string, params ...string) {
	n := len(f.found.all)
	if f.found.report("", code, params...); len(f.found.all) > n {
		p := &f.found.all[len(f.found.all)-1]
		p.Sheet, p.Line, p.Column, p.at = f.tables.sheets[sheet].name, int(row), column, -1
	}
}

func (f *File) readTables(sheets []tabular.Sheet) tableSet {
	set := tableSet{}
	for _, sh := range sheets {
		if len(sh.Lines) == 0 {
			continue
		}
		s := schemaFor(sh.Name, sh.Lines[0].Cells)
		if s == nil {
			continue // notes somebody keeps
		}
		rows := set[s.name]
		if rows == nil {
			rows = &tableRows{has: make([]bool, len(s.columns)), byKey: map[string][]int{}}
			set[s.name] = rows
		}
		at, sheet := f.headings(s, rows, sh), len(f.tables.sheets)-1
		key := s.column(s.key)
		for _, line := range sh.Lines[1:] {
			r := record{cells: make([]string, len(s.columns)), at: len(f.tables.rows)}
			f.tables.rows = append(f.tables.rows, tableRow{sheet, line.Number})
			for _, i := range line.Uncalculated {
				if i >= len(at) || at[i] >= 0 {
					f.tell(sheet, line.Number, i+1, "catalogue.file_not_calculated")
				}
			}
			filled := false
			for i, k := range at {
				if k >= 0 && i < len(line.Cells) {
					r.cells[k] = line.Cells[i]
					filled = filled || line.Cells[i] != ""
					if tabular.IsError(line.Cells[i]) {
						f.tell(sheet, line.Number, i+1, "catalogue.file_cell_error", "value", line.Cells[i])
					}
				}
			}
			for i := len(at); i < len(line.Cells); i++ { // a column whose heading is empty is for notes
				if cell := line.Cells[i]; cell != "" {
					f.tell(sheet, line.Number, i+1, "catalogue.file_no_heading", "value", clip(cell))
					break
				}
			}
			if !filled {
				continue
			}
			name := strings.TrimSpace(r.cells[key])
			rows.byKey[name] = append(rows.byKey[name], len(rows.records))
			rows.records = append(rows.records, r)
		}
	}
	return set
}

// headings says which column of the schema each column of a sheet is, -1 for none.
func (f *File) headings(s *tableSchema, rows *tableRows, sh tabular.Sheet) []int {
	heading := sh.Lines[0]
	m := mappedSheet{name: sh.Name, columns: map[string]int{}}
	f.tables.sheets = append(f.tables.sheets, m)
	sheet := len(f.tables.sheets) - 1
	at := make([]int, len(heading.Cells))
	for _, i := range heading.Uncalculated { // its column would be one for notes
		f.tell(sheet, heading.Number, i+1, "catalogue.file_not_calculated")
	}
	for i, h := range heading.Cells {
		name := ColumnName(h)
		k := s.column(name)
		at[i] = k
		switch {
		case name == "" || name == ResultColumn:
		case k < 0:
			f.tell(sheet, heading.Number, i+1, "catalogue.file_column", "name", clip(name), "known", strings.Join(s.names(), ", "))
		case m.columns[name] > 0:
			at[i] = -1
			f.tell(sheet, heading.Number, i+1, "catalogue.file_field_twice", "name", clip(name))
		default:
			m.columns[name], rows.has[k] = i+1, true
		}
	}
	if m.columns[s.key] == 0 {
		f.tell(sheet, heading.Number, 1, "catalogue.file_no_column", "name", s.key)
	}
	return at
}

func (s *tableSchema) names() []string {
	out := make([]string, len(s.columns))
	for i, c := range s.columns {
		out[i] = c.name
	}
	return out
}

// complete takes from the shop what the file leaves out.
func (t tableSet) complete(f *File, shop tableSet) {
	for _, s := range tableSchemas() {
		own, base := t[s.name], shop[s.name]
		if own == nil || base == nil || s.owned {
			continue
		}
		key := s.column(s.key)
		for i := range own.records {
			r := &own.records[i]
			known := base.byKey[strings.TrimSpace(r.cells[key])]
			if len(known) == 0 {
				continue
			}
			for k, has := range own.has {
				if !has {
					r.cells[k] = base.records[known[0]].cells[k]
				}
			}
		}
	}
	t.completeProviders(shop)
	t.completeOffers(f, shop)
}

func (t tableSet) completeProviders(shop tableSet) {
	base := shop["providers"]
	if base == nil {
		return
	}
	own := t["providers"]
	if own == nil {
		own = &tableRows{byKey: map[string][]int{}}
		t["providers"] = own
	}
	for _, r := range base.records {
		if len(own.byKey[r.cells[0]]) == 0 {
			own.records = append(own.records, record{r.cells, 0})
		}
	}
}

// completeOffers takes from the shop the offers that only rows of other sheets speak of, and
// what those sheets would say of an offer when they are not there.
func (t tableSet) completeOffers(f *File, shop tableSet) {
	offers, base := t["offers"], shop["offers"]
	if offers == nil {
		offers = &tableRows{byKey: map[string][]int{}}
		t["offers"] = offers
	}
	for _, s := range tableSchemas() {
		if !s.owned || t[s.name] == nil {
			continue
		}
		for _, r := range t[s.name].records {
			slug := strings.TrimSpace(r.cells[0])
			if len(offers.byKey[slug]) > 0 {
				continue
			}
			if base == nil || len(base.byKey[slug]) == 0 {
				row := f.tables.rows[r.at]
				f.tell(row.sheet, row.number, f.tables.sheets[row.sheet].columns["offer"], "catalogue.file_no_owner", "name", clip(slug))
				continue
			}
			offers.byKey[slug] = []int{len(offers.records)}
			offers.records = append(offers.records, record{base.records[base.byKey[slug][0]].cells, r.at})
		}
	}
	for _, s := range tableSchemas() {
		if !s.owned || t[s.name] != nil || shop[s.name] == nil {
			continue
		}
		kept := &tableRows{byKey: map[string][]int{}}
		for _, o := range offers.records {
			slug := strings.TrimSpace(o.cells[0])
			if len(kept.byKey[slug]) > 0 { // the file has the offer twice, which is told
				continue
			}
			for _, i := range shop[s.name].byKey[slug] {
				kept.byKey[slug] = append(kept.byKey[slug], len(kept.records))
				kept.records = append(kept.records, record{shop[s.name].records[i].cells, o.at})
			}
		}
		t[s.name] = kept
	}
}

// tree makes the tree that a JSON file of the same would have.
func (f *File) tree(t tableSet) *node {
	root := &node{kind: '{', members: []member{{name: "format", value: &node{kind: '"', text: FileFormat}}}}
	for _, s := range tableSchemas() {
		if s.owned || t[s.name] == nil {
			continue
		}
		list := &node{kind: '['}
		for _, r := range t[s.name].records {
			item := r.node(s, false)
			if s.name == "offers" {
				slug := strings.TrimSpace(r.cells[0])
				for _, own := range tableSchemas() {
					rows := t[own.name]
					if !own.owned || rows == nil {
						continue
					}
					many := &node{kind: '[', at: r.at}
					for _, i := range rows.byKey[slug] {
						many.items = append(many.items, rows.records[i].node(own, true))
					}
					item.members = append(item.members, member{name: own.name, at: r.at, value: many})
				}
			}
			list.items = append(list.items, item)
		}
		root.members = append(root.members, member{name: s.name, value: list})
	}
	return root
}

// node makes an item of a row. Blank cells are left out.
func (r record) node(s *tableSchema, owned bool) *node {
	item := &node{kind: '{', at: r.at}
	for i, c := range s.columns {
		if r.cells[i] == "" || owned && i == 0 {
			continue
		}
		value := &node{at: r.at}
		value.kind, value.text = c.form.parse(r.cells[i])
		if value.kind == 'n' {
			continue
		}
		if c.form == cellCounts {
			value = counts(value.text, r.at)
		}
		in := item
		names := strings.Split(c.name, ".")
		for _, name := range names[:len(names)-1] {
			inner := in.member(name)
			if inner == nil {
				inner = &node{kind: '{', at: r.at}
				in.members = append(in.members, member{name, r.at, inner})
			}
			in = inner
		}
		in.members = append(in.members, member{names[len(names)-1], r.at, value})
	}
	return item
}

// flags are how people and spreadsheets write true and false.
var flags = map[string]string{"true": "true", "yes": "true", "1": "true", "是": "true", "真": "true", "false": "false", "no": "false", "0": "false", "否": "false", "假": "false"}

// clocks are how people and spreadsheets write moments, in Zone.
var clocks = []string{"2006-01-02 15:04:05.999999", "2006-01-02 15:04", "2006-01-02", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006/1/2"}

// parse makes a value of a cell, of kind 'n' for none. What isn't of the form stays as it
// is, for the reader of the file to tell.
func (c cellForm) parse(cell string) (kind byte, text string) {
	if c == cellWords {
		return '"', plainEnds(cell)
	}
	cell = strings.TrimSpace(cell)
	switch {
	case cell == "":
		return 'n', ""
	case c == cellWhole:
		return '0', cell
	case c == cellFlag:
		if v := flags[strings.ToLower(cell)]; v != "" {
			return 'b', v
		}
	case c == cellAmount:
		return '"', strings.TrimSpace(strings.TrimLeft(cell, "¥￥"))
	case c == cellTime:
		for _, form := range clocks {
			if t, err := time.ParseInLocation(form, cell, Zone); err == nil {
				return '"', t.Format(time.RFC3339Nano)
			}
		}
	}
	return '"', cell
}

// place finds sheet, row and column of a path whose innermost node in the tree stands at row
// at.
func (m *tableMap) place(path string, at int) (sheet string, row, column int) {
	r := m.rows[at]
	if r.sheet < 0 {
		return "", max(1, int(r.number)), 1
	}
	s := m.sheets[r.sheet]
	for rest := path; rest != ""; {
		for _, name := range []string{rest, rest + ".zh", rest + ".from", rest + ".provider"} {
			if k := s.columns[name]; k > 0 {
				return s.name, int(r.number), k
			}
		}
		if i := strings.IndexByte(rest, ']'); i >= 0 && (strings.HasPrefix(rest[i+1:], ".") || rest[i+1:] == "") { // into the item
			rest = strings.TrimPrefix(rest[i+1:], ".")
			continue
		}
		i := strings.LastIndexByte(rest, '.')
		if i < 0 {
			break
		}
		rest = rest[:i]
	}
	return s.name, int(r.number), 1
}

// Ref names a cell as spreadsheets do: "offers!C7".
func Ref(sheet string, row, column int) string {
	letters := ""
	for n := column; n > 0; n = (n - 1) / 26 {
		letters = string(rune('A'+(n-1)%26)) + letters
	}
	return sheet + "!" + letters + strconv.Itoa(row)
}
