package tabular

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
)

// The names of parts and elements are those of ECMA-376, part 1 (SpreadsheetML).

const maxSmallPart = 16 << 20 // bytes of the workbook, its relations or its styles

// book is what the small parts of an XLSX tell.
type book struct {
	files   map[string]*zip.File
	limits  Limits
	sheets  []sheetRef
	from    time.Time // day 0
	dates   []bool    // whether a style shows a date, by number of style
	strings []string
	stale   bool // whoever wrote it left the calculating to whoever opens it
}

type sheetRef struct {
	name, relation, part string
	hidden               bool
}

// xlsxRows reads one sheet.
type xlsxRows struct {
	book   *book
	part   io.ReadCloser
	xml    xmlScanner
	size   int64
	number int64
	ended  bool

	cells   []string
	text    []byte
	escaped []byte
}

func openXLSX(src io.ReaderAt, size int64, o Options) (rows, Layout, error) {
	files, err := openZip(src, size, o.Limits)
	if err != nil {
		return nil, Layout{}, err
	}
	b := &book{files: files, limits: o.Limits}
	if err := b.load(); err != nil {
		return nil, Layout{}, xmlFault(err)
	}
	layout := Layout{Kind: XLSX}
	var chosen *sheetRef
	for i := range b.sheets {
		s := &b.sheets[i]
		layout.Sheets = append(layout.Sheets, s.name)
		if chosen == nil && (s.name == o.Sheet || (o.Sheet == "" && !s.hidden)) {
			chosen = s
		}
	}
	if chosen == nil {
		return nil, Layout{}, fault.New(fault.Invalid, "tabular.sheet_missing", "sheet", o.Sheet)
	}
	layout.Sheet = chosen.name
	f := files[strings.ToLower(chosen.part)]
	if f == nil {
		return nil, Layout{}, fault.New(fault.Invalid, "tabular.damaged")
	}
	part, err := f.Open()
	if err != nil {
		return nil, Layout{}, xmlFault(err)
	}
	return &xlsxRows{book: b, part: part, size: int64(f.UncompressedSize64),
		xml: xmlScanner{in: bufio.NewReaderSize(part, 64<<10), limit: o.Limits.Row}}, layout, nil
}

// xmlFault names what went wrong inside an XLSX.
func xmlFault(err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	if errors.Is(err, errTooLong) {
		return fault.New(fault.TooLarge, "tabular.bomb")
	}
	return fault.Wrap(err, fault.Invalid, "tabular.damaged")
}

// each runs through the tokens of a part. A part that isn't there has none.
func (b *book) each(name string, limit int64, visit func(x *xmlScanner) error) error {
	f := b.files[strings.ToLower(name)]
	if f == nil {
		return nil
	}
	if f.UncompressedSize64 > uint64(limit) {
		return bomb()
	}
	part, err := f.Open()
	if err != nil {
		return err
	}
	defer part.Close()
	x := &xmlScanner{in: bufio.NewReaderSize(part, 64<<10), limit: b.limits.Row}
	for {
		if err := x.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := visit(x); err != nil {
			return err
		}
	}
}

func (b *book) load() error {
	main := "xl/workbook.xml"
	err := b.eachRelation("", "_rels/.rels", func(kind, _, target string) {
		if strings.HasSuffix(kind, "/officeDocument") {
			main = target
		}
	})
	if err != nil {
		return err
	}
	if b.files[strings.ToLower(main)] == nil {
		return fault.New(fault.Invalid, "tabular.not_a_table")
	}
	b.from = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	err = b.each(main, maxSmallPart, func(x *xmlScanner) error {
		if x.kind != startTag {
			return nil
		}
		switch string(x.name) {
		case "workbookPr":
			if v := string(x.attr("date1904")); v == "1" || v == "true" {
				b.from = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
			}
		case "calcPr":
			v := string(x.attr("fullCalcOnLoad"))
			b.stale = v == "1" || v == "true"
		case "sheet":
			if len(b.sheets) == b.limits.Sheets {
				return bomb()
			}
			name, err := unescape(nil, x.attr("name"))
			if err != nil {
				return err
			}
			state := string(x.attr("state"))
			b.sheets = append(b.sheets, sheetRef{name: string(name), relation: string(x.attr("id")), hidden: state != "" && state != "visible"})
		}
		return nil
	})
	if err != nil {
		return err
	}
	styles, shared := "", ""
	folder, file := path.Split(main)
	err = b.eachRelation(folder, folder+"_rels/"+file+".rels", func(kind, id, target string) {
		switch {
		case strings.HasSuffix(kind, "/styles"):
			styles = target
		case strings.HasSuffix(kind, "/sharedStrings"):
			shared = target
		case strings.HasSuffix(kind, "/worksheet"):
			for i := range b.sheets {
				if b.sheets[i].relation == id {
					b.sheets[i].part = target
				}
			}
		}
	})
	if err != nil {
		return err
	}
	if err := b.loadStyles(styles); err != nil {
		return err
	}
	return b.loadStrings(shared)
}

func (b *book) eachRelation(folder, name string, visit func(kind, id, target string)) error {
	return b.each(name, maxSmallPart, func(x *xmlScanner) error {
		if x.kind != startTag || string(x.name) != "Relationship" {
			return nil
		}
		raw, err := unescape(nil, x.attr("Target"))
		if err != nil {
			return err
		}
		target := string(raw)
		if strings.HasPrefix(target, "/") {
			target = target[1:]
		} else {
			target = path.Join(folder, target)
		}
		visit(string(x.attr("Type")), string(x.attr("Id")), target)
		return nil
	})
}

// loadStyles finds the styles that show a number as a date.
func (b *book) loadStyles(name string) error {
	own := map[string]bool{}
	inCells := false
	return b.each(name, maxSmallPart, func(x *xmlScanner) error {
		switch tag := string(x.name); {
		case x.kind == charData:
		case tag == "cellXfs":
			inCells = x.kind == startTag
		case x.kind == endTag:
		case tag == "numFmt":
			format, err := unescape(nil, x.attr("formatCode"))
			if err != nil {
				return err
			}
			own[string(x.attr("numFmtId"))] = showsDate(string(format))
		case tag == "xf" && inCells:
			n := string(x.attr("numFmtId"))
			date, mine := own[n]
			if !mine {
				date = builtInDate(n)
			}
			b.dates = append(b.dates, date)
		}
		return nil
	})
}

// builtInDate tells the formats of ECMA-376 18.8.30 that show a date, with those of the
// Chinese, Japanese and Korean editions.
func builtInDate(n string) bool {
	i, err := strconv.Atoi(n)
	return err == nil && (i >= 14 && i <= 17 || i == 22 || i >= 27 && i <= 31 || i == 36 || i >= 50 && i <= 54 || i == 57 || i == 58)
}

// showsDate reports whether a format writes a year or a day, outside quotes and brackets.
func showsDate(format string) bool {
	var closing rune
	escaped := false
	for _, r := range format {
		switch {
		case escaped:
			escaped = false
		case closing != 0:
			if r == closing {
				closing = 0
			}
		case r == '\\' || r == '_' || r == '*':
			escaped = true
		case r == '"':
			closing = '"'
		case r == '[':
			closing = ']'
		case r == 'y' || r == 'Y' || r == 'd' || r == 'D':
			return true
		}
	}
	return false
}

// loadStrings reads the shared strings. They share the memory of large pieces.
func (b *book) loadStrings(name string) error {
	const piece = 256 << 10
	var text, escaped []byte
	var ends []int
	flush := func() {
		all, from := string(text), 0
		for _, to := range ends {
			b.strings = append(b.strings, all[from:to])
			from = to
		}
		text, ends = text[:0], ends[:0]
	}
	inText, inHint, began := false, false, 0
	err := b.each(name, b.limits.StringBytes, func(x *xmlScanner) error {
		switch {
		case x.kind == charData:
			if inText && !inHint {
				text = append(text, x.text...)
			}
			if len(text)-began > b.limits.Row {
				return errTooLong
			}
			return nil
		case string(x.name) == "t":
			inText = x.kind == startTag
		case string(x.name) == "rPh": // how to pronounce it
			inHint = x.kind == startTag
		case string(x.name) == "si" && x.kind == endTag:
			if bytes.Contains(text[began:], []byte("_x")) {
				escaped = unescapeX(escaped[:0], text[began:])
				text = append(text[:began], escaped...)
			}
			if ends = append(ends, len(text)); len(text) > piece {
				flush()
			}
			if began = len(text); len(b.strings)+len(ends) > b.limits.Strings {
				return bomb()
			}
		}
		return nil
	})
	flush()
	return err
}

// unescapeX resolves the _x000D_ in which spreadsheets write what XML can't.
func unescapeX(dst, b []byte) []byte {
	for {
		i := bytes.Index(b, []byte("_x"))
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		if len(b) >= 7 && b[6] == '_' {
			if n, err := strconv.ParseUint(string(b[2:6]), 16, 16); err == nil && utf8.ValidRune(rune(n)) {
				dst = utf8.AppendRune(dst, rune(n))
				b = b[7:]
				continue
			}
		}
		dst = append(dst, b[:2]...)
		b = b[2:]
	}
}

func (x *xlsxRows) position() Position            { return Position{Row: x.number} }
func (x *xlsxRows) progress() (done, total int64) { return min(x.xml.read, x.size), x.size }
func (x *xlsxRows) close() error                  { return x.part.Close() }

func (x *xlsxRows) next(row *Row) error {
	row.Formulas, row.Rounded, row.Uncalculated, row.Unended = row.Formulas[:0], row.Rounded[:0], row.Uncalculated[:0], false
	x.cells = x.cells[:0]
	for {
		err := x.xml.next()
		switch {
		case errors.Is(err, io.EOF) && x.ended:
			return io.EOF
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return atRow(fault.Invalid, "tabular.truncated_row", x.number)
		case err != nil:
			return x.fault(err)
		case x.xml.kind == endTag && string(x.xml.name) == "sheetData":
			x.ended = true
		case x.xml.kind == startTag && string(x.xml.name) == "row" && !x.ended:
			x.number++
			if r := x.xml.attr("r"); r != nil {
				n, err := strconv.ParseInt(string(r), 10, 64)
				if err != nil || n < x.number {
					return fault.New(fault.Invalid, "tabular.damaged")
				}
				x.number = n
			}
			row.Number = x.number
			if err := x.readRow(row); err != nil {
				return x.fault(noEnd(err))
			}
			row.Cells = x.cells
			return nil
		}
	}
}

func (x *xlsxRows) fault(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return atRow(fault.TooLarge, "tabular.row_too_long", x.number, "limit_kb", strconv.Itoa(x.book.limits.Row>>10))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return atRow(fault.Invalid, "tabular.truncated_row", x.number)
	}
	return xmlFault(err)
}

func (x *xlsxRows) readRow(row *Row) error {
	column := -1
	for {
		if err := x.xml.next(); err != nil {
			return err
		}
		switch {
		case x.xml.kind == endTag && string(x.xml.name) == "row":
			return nil
		case x.xml.kind == startTag && string(x.xml.name) == "c":
			column++
			if r := x.xml.attr("r"); r != nil {
				n := columnOf(r)
				if n < column {
					return errXML
				}
				column = n
			}
			if column >= x.book.limits.Columns {
				return atRow(fault.TooLarge, "tabular.too_many_columns", x.number, "limit", strconv.Itoa(x.book.limits.Columns))
			}
			text, err := x.readCell(row, column)
			if err != nil {
				return err
			}
			if text != "" {
				for len(x.cells) < column {
					x.cells = append(x.cells, "")
				}
				x.cells = append(x.cells, text)
			}
		}
	}
}

// columnOf is the column, from 0, of a reference as "AB12"; -1 if it is none.
func columnOf(ref []byte) int {
	n := 0
	for i, c := range ref {
		switch {
		case c >= 'A' && c <= 'Z' && i < 4:
			n = n*26 + int(c-'A'+1)
		case c >= '0' && c <= '9' && i > 0:
			return n - 1
		default:
			return -1
		}
	}
	return n - 1
}

// readCell reads on to the end of a cell, whose start tag was just given.
func (x *xlsxRows) readCell(row *Row, column int) (string, error) {
	kind := string(x.xml.attr("t"))
	style, _ := strconv.Atoi(string(x.xml.attr("s")))
	x.text = x.text[:0]
	inText, inHint, formula, valued := false, false, false, false
	for {
		if err := x.xml.next(); err != nil {
			return "", err
		}
		if x.xml.kind == charData {
			if inText && !inHint {
				if x.text = append(x.text, x.xml.text...); len(x.text) > x.book.limits.Row {
					return "", errTooLong
				}
			}
			continue
		}
		switch start := x.xml.kind == startTag; string(x.xml.name) {
		case "v", "t":
			inText, valued = start, true
		case "rPh":
			inHint = start
		case "f":
			if start {
				row.Formulas, formula = append(row.Formulas, column), true
			}
		case "c":
			if !start {
				// Of a formula that gives a text the empty one is a result; of one that was left
				// to be calculated some writers give 0.
				none := len(x.text) == 0 && !(valued && kind == "str") || x.book.stale && string(x.text) == "0" && (kind == "" || kind == "n")
				if formula && none {
					row.Uncalculated = append(row.Uncalculated, column)
					return "", nil
				}
				return x.value(row, column, kind, style)
			}
		}
	}
}

// value is what a person sees in a cell.
func (x *xlsxRows) value(row *Row, column int, kind string, style int) (string, error) {
	switch kind {
	case "s":
		n, err := strconv.Atoi(string(bytes.TrimSpace(x.text)))
		if len(x.text) == 0 {
			return "", nil
		}
		if err != nil || n < 0 || n >= len(x.book.strings) {
			return "", errXML
		}
		return x.book.strings[n], nil
	case "str", "inlineStr":
		x.escaped = unescapeX(x.escaped[:0], x.text)
		return string(x.escaped), nil
	case "b":
		if string(x.text) == "1" {
			return "TRUE", nil
		}
		return "FALSE", nil
	case "", "n":
		n, err := strconv.ParseFloat(string(x.text), 64)
		if err != nil {
			return string(x.text), nil
		}
		if style >= 0 && style < len(x.book.dates) && x.book.dates[style] {
			return x.date(n), nil
		}
		if math.Abs(n) >= 1e15 {
			row.Rounded = append(row.Rounded, column)
		}
		if bytes.ContainsAny(x.text, "eE.") {
			return shown(n), nil
		}
		return string(x.text), nil
	}
	return string(x.text), nil
}

// shown writes a number with the fifteen digits that spreadsheets show: they hold 19.90, once
// calculated, as 19.900000000000002.
func shown(n float64) string {
	if fifteen, err := strconv.ParseFloat(strconv.FormatFloat(n, 'e', 14, 64), 64); err == nil {
		n = fifteen
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

// date is the moment that a number of days names, as ISO 8601 without zone.
func (x *xlsxRows) date(days float64) string {
	if !(days >= 0 && days < 3_000_000) {
		return strconv.FormatFloat(days, 'f', -1, 64)
	}
	t := x.book.from.Add(time.Duration(math.Round((days-math.Floor(days))*86400))*time.Second).AddDate(0, 0, int(days))
	if t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.Format("2006-01-02")
	}
	return t.Format("2006-01-02 15:04:05")
}
