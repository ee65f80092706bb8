package catalogue

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/tabular"
)

// IsBook reports whether data, of a file with a name, is tables rather than JSON.
func IsBook(data []byte, name string) bool {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) || bytes.HasPrefix(data, []byte("PK\x05\x06")) {
		return true
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".xlsx", ".xls", ".zip":
		return true
	case ".json":
		return false
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(data, mark))
	if len(text) == 0 || text[0] == '{' || text[0] == '[' {
		return false
	}
	heading, _, _ := bytes.Cut(text, []byte("\n"))
	return schemaFor("", strings.FieldsFunc(string(heading), func(r rune) bool { return strings.ContainsRune(",;\t\"", r) })) != nil
}

// ParseBook reads a catalogue that was written as a workbook, as an archive of CSV files or as
// one of them; see ParseTables. The book is what was read of it.
func ParseBook(data []byte, name string, shop []tabular.Sheet) (*File, tabular.Book) {
	book, sheet, err := tabular.ReadBook(data, name, MaxFile)
	if err == nil {
		return ParseTables(book.Sheets, shop), book
	}
	f := &File{root: &node{}, tables: &tableMap{rows: []tableRow{{-1, 0}}}}
	wrong := fault.From(err)
	code := wrong.Code
	if code == "tabular.charset" { // its advice is to choose one, which can't be done here
		code = "catalogue.file_charset"
	}
	f.found.report("", code, Problem{Params: wrong.Params}.params()...)
	p := &f.found.all[0]
	row, _ := strconv.Atoi(wrong.Params["row"])
	p.Sheet, p.Line, p.Column = sheet, max(1, row), 1
	return f, tabular.Book{}
}
