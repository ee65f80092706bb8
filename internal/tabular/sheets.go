package tabular

import (
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/fault"
)

// Sheet is a table with a name that fits into memory, as people edit one in a spreadsheet.
type Sheet struct {
	Name  string
	Lines []Line
}

// Line is one row of a sheet that holds something.
type Line struct {
	Number       int64 // as Row.Number
	Cells        []string
	Uncalculated []int // as Row.Uncalculated
}

// Book is a file of sheets: a workbook, a zip archive of CSV files, or one such file.
type Book struct {
	Form   Form
	Sheets []Sheet
}

// Form is what a book is written as.
type Form string

// The forms of books.
const (
	FormXLSX Form = "xlsx"
	FormZip  Form = "zip" // of a CSV file each
	FormCSV  Form = "csv" // one sheet
)

// MaxCells is how many cells of all sheets together may hold something.
const MaxCells = 400_000

// maxPlaces is how many cells, with the empty ones before the last of a row, all sheets together
// may have: each takes memory, however small the file.
const maxPlaces = 10 * MaxCells

// bookLimits fit what people edit by hand.
func bookLimits(most int64) Limits {
	return Limits{Bytes: most, Rows: 200_000, Columns: 200, Row: 512 << 10, Unpacked: 8 * most, Entries: 200, Sheets: 40, Strings: MaxCells, StringBytes: 4 * most}
}

// ReadBook reads all sheets of a file of at most so many bytes; name is the file's own, which
// names its sheet when it has one only. What can't be read is a fault as of Open and
// Reader.Next, in the sheet whose name is given with it.
func ReadBook(data []byte, name string, most int64) (Book, string, error) {
	l := bookLimits(most).orDefault()
	switch {
	case int64(len(data)) > most:
		return Book{}, "", fault.New(fault.TooLarge, "tabular.too_large", "limit_mb", strconv.FormatInt(most>>20, 10))
	case len(data) == 0:
		return Book{}, "", fault.New(fault.Invalid, "tabular.empty")
	}
	r := bookReader{limits: l, left: MaxCells, places: maxPlaces}
	if formOf(data[:min(len(data), 8)]) != "zip" {
		r.form = FormCSV
		err := r.text(data, base(name))
		return r.Book, base(name), err
	}
	files, err := openZip(bytes.NewReader(data), int64(len(data)), l)
	if err != nil {
		return Book{}, "", err
	}
	if files["[content_types].xml"] != nil {
		r.form = FormXLSX
		return r.workbook(data)
	}
	r.form = FormZip
	for _, name := range sorted(files) {
		if strings.HasPrefix(path.Base(name), ".") || strings.HasPrefix(name, "__macosx/") || !strings.HasSuffix(name, ".csv") {
			continue
		}
		part, err := files[name].Open()
		if err != nil {
			return Book{}, base(name), xmlFault(err)
		}
		text, err := io.ReadAll(io.LimitReader(part, l.Unpacked))
		part.Close()
		if err == nil {
			err = r.text(text, base(name))
		} else {
			err = xmlFault(err)
		}
		if err != nil {
			return Book{}, base(name), err
		}
	}
	return r.Book, "", nil
}

// base is the name of a file without folder and ending.
func base(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	return strings.TrimSuffix(name, path.Ext(name))
}

func sorted[V any](files map[string]V) []string {
	out := make([]string, 0, len(files))
	for name := range files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

type bookReader struct {
	Book
	limits Limits
	form   Form
	left   int // cells that hold something
	places int // cells
}

func (r *bookReader) workbook(data []byte) (Book, string, error) {
	src, size := bytes.NewReader(data), int64(len(data))
	_, layout, err := openXLSX(src, size, Options{Limits: r.limits})
	if err != nil {
		return Book{}, "", err
	}
	for _, name := range layout.Sheets {
		if err := r.sheet(src, size, name, Options{Sheet: name}); err != nil {
			return Book{}, name, err
		}
	}
	return r.Book, "", nil
}

// text reads a CSV file. Its cells are told apart by what stands in its first line, which
// holds names.
func (r *bookReader) text(data []byte, name string) error {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	var o Options
	for _, d := range []Delimiter{Semicolon, Tab, Comma} {
		if n := bytes.Count(first, []byte(d)); n > 0 && n >= bytes.Count(first, []byte(o.Delimiter)) || d == Comma && n > 0 {
			o.Delimiter = d
		}
	}
	if bytes.IndexByte(first, 0) >= 0 { // UTF-16
		o.Delimiter = AnyDelimiter
	}
	return r.sheet(bytes.NewReader(data), int64(len(data)), name, o)
}

func (r *bookReader) sheet(src io.ReaderAt, size int64, name string, o Options) error {
	o.Heading, o.Limits = WithoutHeading, r.limits
	t, err := Open(src, size, o)
	if fault.CodeOf(err) == "tabular.empty" {
		return nil
	}
	if err != nil {
		return err
	}
	defer t.Close()
	s := Sheet{Name: name}
	for {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			r.Form, r.Sheets = r.form, append(r.Sheets, s)
			return nil
		}
		if err != nil {
			return err
		}
		for _, c := range row.Cells {
			if c != "" {
				r.left--
			}
		}
		r.left, r.places = r.left-len(row.Uncalculated), r.places-len(row.Cells)
		switch {
		case r.left < 0:
			return fault.New(fault.TooLarge, "tabular.too_many_cells", "limit", strconv.Itoa(MaxCells))
		case r.places < 0:
			return fault.New(fault.TooLarge, "tabular.too_sparse", "limit", strconv.Itoa(maxPlaces))
		}
		line := Line{Number: row.Number, Cells: slices.Clone(row.Cells), Uncalculated: slices.Clone(row.Uncalculated)}
		for i, c := range line.Cells {
			line.Cells[i] = Unguard(c)
		}
		s.Lines = append(s.Lines, line)
	}
}
