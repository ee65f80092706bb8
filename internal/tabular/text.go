package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"hufu/internal/fault"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// textRows reads delimited text line by line. Lines are cut in the bytes of the file (in
// UTF-8 and GB18030 no part of a longer character looks like a line end), so that its
// offsets are exact; each line is decoded and then split.
type textRows struct {
	charset Charset
	wide    bool // UTF-16: lines come decoded
	delim   Delimiter
	end     byte // of a line: LF, or CR in a file without any LF
	limits  Limits

	in     *bufio.Reader
	decode lineDecoder
	line   []byte // a line longer than the buffer
	offset int64  // bytes of the file before the next line
	start  int64  // where reading began
	size   int64
	number int64 // lines read

	text  []byte // the row's cells, without quotes
	ends  []int
	cells []string
}

func openText(src io.ReaderAt, size int64, o Options) (rows, Layout, error) {
	head, telling, row, err := sample(src, size)
	if err != nil {
		return nil, Layout{}, err
	}
	t := &textRows{charset: o.Charset, limits: o.Limits, size: size, end: '\n'}
	marked, skip := bomOf(head)
	if t.charset == AnyCharset {
		if t.charset = marked; marked == AnyCharset {
			if t.charset, err = detect(telling, row); err != nil {
				return nil, Layout{}, err
			}
		}
	}
	if t.charset != marked {
		skip = 0
	}
	switch t.charset {
	case UTF8, GB18030:
	case UTF16LE, UTF16BE:
		t.wide = true
	default:
		return nil, Layout{}, fault.New(fault.Invalid, "tabular.charset_unknown")
	}
	if err := checkTail(src, size, t.charset); err != nil {
		return nil, Layout{}, err
	}
	if size == skip {
		return nil, Layout{}, fault.New(fault.Invalid, "tabular.empty")
	}
	t.decode.charset = t.charset
	shown := head[skip:]
	if t.wide {
		shown, _, _ = transform.Bytes(utf16Decoder(t.charset), shown[:len(shown)&^1])
	}
	if bytes.IndexByte(shown, '\n') < 0 && bytes.IndexByte(shown, '\r') >= 0 {
		t.end = '\r'
	}
	if t.delim = o.Delimiter; t.delim == AnyDelimiter {
		t.delim = sniff(&t.decode, shown, t.end, int64(len(head)) < size)
	}
	if !known(t.delim) {
		return nil, Layout{}, fault.New(fault.Invalid, "tabular.delimiter_unknown")
	}
	return t, Layout{Kind: Text, Charset: t.charset, Delimiter: t.delim}, t.seek(src, size, Position{Offset: skip})
}

func known(d Delimiter) bool {
	switch d {
	case Comma, Tab, Semicolon, Bar, FourDashes, Spaces, WholeLine:
		return true
	}
	return false
}

func utf16Decoder(c Charset) transform.Transformer {
	order := unicode.LittleEndian
	if c == UTF16BE {
		order = unicode.BigEndian
	}
	return unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder()
}

// checkTail finds a file that ends in the middle of a character.
func checkTail(src io.ReaderAt, size int64, c Charset) error {
	truncated := fault.New(fault.Invalid, "tabular.truncated")
	switch c {
	case UTF16LE, UTF16BE:
		if size%2 != 0 {
			return truncated
		}
	case UTF8:
		tail := make([]byte, min(size, utf8.UTFMax))
		if _, err := src.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
			return readFault(err)
		}
		if cutRune(tail) > 0 {
			return truncated
		}
	}
	return nil
}

// seek goes to a place between two lines.
func (t *textRows) seek(src io.ReaderAt, size int64, p Position) error {
	if p.Offset < 0 || p.Offset > size || (t.wide && p.Offset%2 != 0) {
		return fault.New(fault.Invalid, "tabular.position")
	}
	var in io.Reader = io.NewSectionReader(src, p.Offset, size-p.Offset)
	if t.wide {
		in = transform.NewReader(in, utf16Decoder(t.charset))
	}
	t.in = bufio.NewReaderSize(in, 64<<10)
	t.offset, t.start, t.number = p.Offset, p.Offset, p.Row
	return nil
}

func (t *textRows) position() Position            { return Position{Row: t.number, Offset: t.offset} }
func (t *textRows) progress() (done, total int64) { return t.offset, t.size }
func (t *textRows) close() error                  { return nil }

func (t *textRows) next(row *Row) error {
	row.Formulas, row.Rounded, row.Uncalculated = row.Formulas[:0], row.Rounded[:0], row.Uncalculated[:0]
	t.text, t.ends = t.text[:0], t.ends[:0]
	first := t.number + 1
	began := t.offset
	quoted := false
	for {
		line, ended, err := t.readLine(began)
		if errors.Is(err, io.EOF) && quoted {
			return atRow(fault.Invalid, "tabular.quote_open", first)
		}
		if err != nil {
			return err
		}
		if quoted = t.split(line, quoted); len(t.ends) > t.limits.Columns {
			return atRow(fault.TooLarge, "tabular.too_many_columns", first, "limit", strconv.Itoa(t.limits.Columns))
		}
		row.Unended = !ended
		if !quoted {
			break
		}
		// The line end belongs to the cell.
		t.text = append(t.text, '\n')
	}
	all := string(t.text)
	t.cells = t.cells[:0]
	from := 0
	for _, to := range t.ends {
		t.cells = append(t.cells, all[from:to])
		from = to
	}
	row.Number, row.Cells = first, t.cells
	return nil
}

// readLine is the next line, in UTF-8, without its end. The row it belongs to began at
// the given offset, from where its length is limited.
func (t *textRows) readLine(began int64) (line []byte, ended bool, err error) {
	line, err = t.in.ReadSlice(t.end)
	if errors.Is(err, bufio.ErrBufferFull) {
		t.line = append(t.line[:0], line...)
		for errors.Is(err, bufio.ErrBufferFull) && len(t.line) <= t.limits.Row {
			line, err = t.in.ReadSlice(t.end)
			t.line = append(t.line, line...)
		}
		line = t.line
	}
	if len(line) > t.limits.Row || t.offset-began > int64(t.limits.Row) {
		return nil, false, atRow(fault.TooLarge, "tabular.row_too_long", t.number+1, "limit_kb", strconv.Itoa(t.limits.Row>>10))
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, readFault(err)
	}
	if len(line) == 0 {
		if t.offset < t.size {
			return nil, false, atRow(fault.Invalid, "tabular.truncated_row", t.number)
		}
		return nil, false, io.EOF
	}
	t.number++
	if t.wide {
		t.offset += utf16Width(line)
	} else {
		t.offset += int64(len(line))
	}
	if line[len(line)-1] == t.end {
		ended = true
		line = line[:len(line)-1]
		if t.end == '\n' && len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
	}
	if t.wide {
		return line, ended, nil
	}
	return t.decode.decode(line), ended, nil
}

// utf16Width is how many bytes UTF-8 text took in UTF-16.
func utf16Width(b []byte) (n int64) {
	for _, c := range b {
		switch {
		case c >= 0xf0:
			n += 4
		case c < 0x80 || c >= 0xc0:
			n += 2
		}
	}
	return n
}

// split adds the line's cells to the row. It reports whether a quoted cell is still open at
// the end of the line.
func (t *textRows) split(line []byte, quoted bool) bool {
	switch t.delim {
	case WholeLine:
		t.text = append(t.text, line...)
		t.ends = append(t.ends, len(t.text))
		return false
	case Spaces:
		for _, cell := range bytes.Fields(line) {
			t.text = append(t.text, cell...)
			t.ends = append(t.ends, len(t.text))
		}
		return false
	case FourDashes:
		for {
			cell, rest, more := bytes.Cut(line, []byte(FourDashes))
			t.text = append(t.text, cell...)
			t.ends = append(t.ends, len(t.text))
			if !more {
				return false
			}
			line = rest
		}
	}
	delim := t.delim[0]
	for {
		if quoted || (len(line) > 0 && line[0] == '"') {
			if !quoted {
				line = line[1:]
			}
			var closed bool
			if line, closed = t.unquote(line); !closed {
				return true
			}
			quoted = false
		}
		i := bytes.IndexByte(line, delim)
		if i < 0 {
			t.text = append(t.text, line...)
			t.ends = append(t.ends, len(t.text))
			return false
		}
		t.text = append(t.text, line[:i]...)
		t.ends = append(t.ends, len(t.text))
		line = line[i+1:]
	}
}

// unquote adds the inside of a quoted cell to the row, and gives what follows it.
func (t *textRows) unquote(line []byte) (rest []byte, closed bool) {
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			t.text = append(t.text, line...)
			return nil, false
		}
		t.text = append(t.text, line[:i]...)
		if i+1 == len(line) || line[i+1] != '"' {
			return line[i+1:], true
		}
		t.text = append(t.text, '"')
		line = line[i+2:]
	}
}
