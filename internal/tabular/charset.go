package tabular

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"

	"hufu/internal/fault"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

const sampleSize = 64 << 10

// sample is the beginning of a text file, and a piece of it that shows its charset: the
// first piece that isn't plain ASCII, wherever in the file it stands. row is the number of
// the line in which that begins.
func sample(src io.ReaderAt, size int64) (head, telling []byte, row int64, err error) {
	row = 1
	buf := make([]byte, sampleSize)
	for at := int64(0); at < size; {
		n, err := src.ReadAt(buf[:min(sampleSize, size-at)], at)
		if err != nil && err != io.EOF {
			return nil, nil, 0, readFault(err)
		}
		if n == 0 {
			return nil, nil, 0, fault.New(fault.Invalid, "tabular.truncated")
		}
		if head == nil {
			head = bytes.Clone(buf[:n])
		}
		if !ascii(buf[:n]) {
			// From the line's beginning on, so that no character is cut in two at the front.
			first := bytes.IndexFunc(buf[:n], func(r rune) bool { return r >= utf8.RuneSelf })
			line := bytes.LastIndexByte(buf[:max(first, 0)], '\n') + 1
			row += int64(bytes.Count(buf[:line], []byte{'\n'}))
			if at == 0 {
				line = 0
			}
			return head, bytes.Clone(buf[line:n]), row, nil
		}
		row += int64(bytes.Count(buf[:n], []byte{'\n'}))
		at += int64(n)
	}
	return head, head, 1, nil
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf || c == 0 {
			return false
		}
	}
	return true
}

// bomOf is the charset that the mark at the beginning of a file names, and its length.
func bomOf(head []byte) (Charset, int64) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return UTF8, 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return UTF16LE, 2
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return UTF16BE, 2
	}
	return AnyCharset, 0
}

// detect tells the charset of a piece of text without a mark, which begins in a row. Its
// faults are tabular.charset (none fits) and tabular.not_a_table (binary).
func detect(telling []byte, row int64) (Charset, error) {
	if c := utf16By(telling); c != AnyCharset {
		return c, nil
	}
	// A few stray NULs are a problem of their rows; many are no text.
	if n := bytes.Count(telling, []byte{0}); n > 8 && n > len(telling)/50 {
		return AnyCharset, fault.New(fault.Invalid, "tabular.not_a_table")
	}
	if utf8.Valid(telling[:len(telling)-cutRune(telling)]) {
		return UTF8, nil
	}
	if validGB18030(telling) {
		return GB18030, nil
	}
	// A little damage in what is UTF-8 or plain ASCII for the rest is shown row by row.
	if bad, good := countUTF8(telling); bad*10 < good || bad <= 1+len(telling)/1000 {
		return UTF8, nil
	}
	return AnyCharset, fault.New(fault.Invalid, "tabular.charset", "row", strconv.FormatInt(row, 10))
}

// utf16By looks for the zero bytes that ASCII characters have in UTF-16.
func utf16By(b []byte) Charset {
	var zero [2]int
	for i, c := range b {
		if c == 0 {
			zero[i&1]++
		}
	}
	pairs := len(b) / 2
	switch {
	case pairs >= 2 && zero[1] > pairs/4 && zero[0] < zero[1]/16+1:
		return UTF16LE
	case pairs >= 2 && zero[0] > pairs/4 && zero[1] < zero[0]/16+1:
		return UTF16BE
	}
	return AnyCharset
}

// cutRune is the number of bytes at the end that begin a UTF-8 character and don't end it.
func cutRune(b []byte) int {
	for n := 1; n <= min(3, len(b)); n++ {
		if c := b[len(b)-n]; utf8.RuneStart(c) {
			if c >= 0xc0 && !utf8.FullRune(b[len(b)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

func countUTF8(b []byte) (bad, good int) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		b = b[n:]
	}
	return bad, good
}

// validGB18030 reports whether b is GB18030, but for a character cut at its end, and looks
// like Chinese rather than like some other charset that happens to fit: most of its
// double bytes are in the rows of common characters and punctuation (GB 2312).
func validGB18030(b []byte) bool {
	common, rare := 0, 0
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case c < 0x80:
			i++
			continue
		case c == 0x80 || c == 0xff:
			return false
		case i+1 == len(b):
			return true
		}
		d := b[i+1]
		switch {
		case d >= '0' && d <= '9':
			if i+3 >= len(b) {
				return true
			}
			if b[i+2] < 0x81 || b[i+3] < '0' || b[i+3] > '9' {
				return false
			}
			rare++
			i += 4
		case d >= 0x40 && d != 0x7f && d != 0xff:
			if c >= 0xa1 && c <= 0xf7 && d >= 0xa1 {
				common++
			} else {
				rare++
			}
			i += 2
		default:
			return false
		}
	}
	return common >= rare
}

// lineDecoder turns lines of bytes into UTF-8. It keeps its buffers.
type lineDecoder struct {
	charset Charset
	gb      transform.Transformer
	buf     []byte
}

// decode gives the line in UTF-8; bytes that mean nothing become U+FFFD. The result is
// valid until the next call.
func (d *lineDecoder) decode(line []byte) []byte {
	if d.charset == GB18030 {
		for _, c := range line {
			if c >= utf8.RuneSelf {
				return d.gb18030(line)
			}
		}
		return line
	}
	if utf8.Valid(line) {
		return line
	}
	d.buf = append(d.buf[:0], bytes.ToValidUTF8(line, []byte("\uFFFD"))...)
	return d.buf
}

func (d *lineDecoder) gb18030(line []byte) []byte {
	if d.gb == nil {
		d.gb = simplifiedchinese.GB18030.NewDecoder()
	}
	d.gb.Reset()
	if need := 3*len(line) + 8; cap(d.buf) < need {
		d.buf = make([]byte, need)
	}
	d.buf = d.buf[:cap(d.buf)]
	n, _, err := d.gb.Transform(d.buf, line, true)
	if err != nil {
		return append(d.buf[:n], "\uFFFD"...)
	}
	return d.buf[:n]
}
