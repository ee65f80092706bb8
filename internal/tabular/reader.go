package tabular

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"hufu/internal/fault"
)

// Reader gives the rows of one file, one after the other.
type Reader struct {
	layout Layout
	limits Limits
	rows   rows
	first  *Row // a row that was read ahead, and the place before it
	before Position
	row    Row
	size   int64
}

// rows is what text and XLSX have in common. next fills the row, also when it is blank,
// and gives io.EOF after the last.
type rows interface {
	next(row *Row) error
	position() Position
	// progress is the part of total that has been read.
	progress() (done, total int64)
	close() error
}

// Open looks at a file of the given size and makes a reader of its rows. Its faults have
// codes "tabular.…": empty, too_large, truncated, damaged, not_a_table, old_excel,
// charset, bomb, unsafe_path, encrypted, sheet_missing.
func Open(src io.ReaderAt, size int64, o Options) (*Reader, error) {
	o.Limits = o.Limits.orDefault()
	if size == 0 {
		return nil, fault.New(fault.Invalid, "tabular.empty")
	}
	if size > o.Limits.Bytes {
		return nil, fault.New(fault.TooLarge, "tabular.too_large", "limit_mb", strconv.FormatInt(o.Limits.Bytes>>20, 10))
	}
	head := make([]byte, min(size, 8))
	if _, err := src.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, readFault(err)
	}
	r := &Reader{limits: o.Limits, size: size}
	first := o
	first.From = Position{}
	var err error
	switch form := formOf(head); form {
	case "zip":
		r.rows, r.layout, err = openXLSX(src, size, first)
	case "text":
		r.rows, r.layout, err = openText(src, size, first)
	default:
		return nil, fault.New(fault.Invalid, "tabular."+form)
	}
	if err != nil {
		return nil, err
	}
	if err := r.readHeading(o); err != nil {
		return nil, errors.Join(err, r.rows.close())
	}
	if o.From != (Position{}) {
		if err := r.goOn(src, o); err != nil {
			return nil, errors.Join(err, r.rows.close())
		}
	}
	return r, nil
}

// formOf tells by the first bytes what a file is. Anything unknown is text, which has
// checks of its own.
func formOf(head []byte) string {
	for _, m := range []struct{ magic, form string }{
		{"PK\x03\x04", "zip"}, {"PK\x05\x06", "zip"},
		{"\xd0\xcf\x11\xe0", "old_excel"}, {"%PDF", "not_a_table"}, {"Rar!", "not_a_table"}, {"7z\xbc\xaf", "not_a_table"},
		{"\x1f\x8b", "not_a_table"}, {"\x89PNG", "not_a_table"}, {"\xff\xd8\xff", "not_a_table"}, {"GIF8", "not_a_table"}, {"SQLite f", "not_a_table"},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.form
		}
	}
	return "text"
}

func (r *Reader) readHeading(o Options) error {
	before := r.rows.position()
	row, err := r.read()
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "tabular.empty")
	}
	if err != nil {
		return err
	}
	r.layout.Columns = len(row.Cells)
	is := o.Heading == WithHeading
	if o.Heading == GuessHeading {
		if o.IsHeading == nil {
			o.IsHeading = looksLikeHeading
		}
		is = o.IsHeading(row.Cells)
	}
	if is {
		r.layout.Heading = slices.Clone(row.Cells)
		return nil
	}
	r.keep(row, before)
	return nil
}

func (r *Reader) goOn(src io.ReaderAt, o Options) error {
	if t, ok := r.rows.(*textRows); ok && o.From.Offset > 0 {
		r.first = nil
		return t.seek(src, r.size, o.From)
	}
	if r.first != nil && r.first.Number > o.From.Row {
		return nil
	}
	r.first = nil
	for r.rows.position().Row < o.From.Row {
		if err := r.rows.next(&r.row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		// A sheet may leave out row numbers; there is no step back, so the row is kept.
		if r.row.Number > o.From.Row && !blank(r.row.Cells) {
			r.keep(&r.row, o.From)
		}
	}
	return nil
}

// keep makes a row the next one to be given, which lies after the position before.
func (r *Reader) keep(row *Row, before Position) {
	own := *row
	own.Cells, own.Formulas, own.Rounded, own.Uncalculated = slices.Clone(row.Cells), slices.Clone(row.Formulas), slices.Clone(row.Rounded), slices.Clone(row.Uncalculated)
	r.first, r.before = &own, before
}

func looksLikeHeading(cells []string) bool {
	for _, c := range cells {
		if !strings.ContainsFunc(c, unicode.IsLetter) || strings.ContainsFunc(c, unicode.IsDigit) {
			return false
		}
	}
	return true
}

// Layout is what was found out about the file.
func (r *Reader) Layout() Layout { return r.layout }

// Next is the next row that holds anything. It gives io.EOF after the last; a fault with a
// code "tabular.…" ends the reading.
func (r *Reader) Next() (*Row, error) {
	if row := r.first; row != nil {
		r.first = nil
		return row, nil
	}
	return r.read()
}

func (r *Reader) read() (*Row, error) {
	for {
		if err := r.rows.next(&r.row); err != nil {
			return nil, err
		}
		if r.row.Number > r.limits.Rows {
			return nil, fault.New(fault.TooLarge, "tabular.too_many_rows", "limit", strconv.FormatInt(r.limits.Rows, 10))
		}
		if !blank(r.row.Cells) || len(r.row.Uncalculated) > 0 {
			return &r.row, nil
		}
	}
}

// Position is the place after the row that Next gave last.
func (r *Reader) Position() Position {
	if r.first != nil {
		return r.before
	}
	return r.rows.position()
}

// Progress is how much of the file has been read; its unit is bytes of some kind.
func (r *Reader) Progress() (done, total int64) { return r.rows.progress() }

// Close ends the reading. The file stays open.
func (r *Reader) Close() error { return r.rows.close() }

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

func readFault(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault.Wrap(err, fault.Invalid, "tabular.truncated")
	}
	return fault.Wrap(err, fault.Unavailable, "tabular.unreadable")
}

func atRow(kind fault.Kind, code string, row int64, params ...string) error {
	return fault.New(kind, code, append(params, "row", strconv.FormatInt(row, 10))...)
}
