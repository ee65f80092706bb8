package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"
)

var errXML = errors.New("malformed XML")

type token uint8

const (
	startTag token = iota
	endTag
	charData
)

// xmlScanner reads the part of XML that spreadsheets are written in: elements,
// attributes, text, character data sections; UTF-8; no document types and so no entities
// of its own. It is some ten times faster than encoding/xml and keeps to a limit of
// memory. Names come without their name space.
type xmlScanner struct {
	in    *bufio.Reader
	limit int   // bytes of one tag or one text
	read  int64 // bytes so far

	kind  token
	name  []byte
	attrs []byte
	text  []byte // decoded

	inTag  bool // the next byte is behind a '<'
	closes bool // the start tag just given ends itself
	buf    []byte
}

// next moves to the next token, or gives io.EOF.
func (x *xmlScanner) next() error {
	if x.closes {
		x.closes, x.kind = false, endTag
		return nil
	}
	for {
		if !x.inTag {
			raw, err := x.until('<')
			if err != nil && !(errors.Is(err, io.EOF) && len(bytes.TrimSpace(raw)) == 0) {
				return noEnd(err)
			}
			if err != nil {
				return io.EOF
			}
			x.inTag = true
			if raw = raw[:len(raw)-1]; len(raw) > 0 {
				x.kind = charData
				x.text, err = unescape(x.text[:0], raw)
				return err
			}
		}
		given, err := x.tag()
		if err != nil || given {
			return err
		}
	}
}

// tag reads what is behind a '<'. It reports whether that makes a token.
func (x *xmlScanner) tag() (bool, error) {
	x.inTag = false
	raw, err := x.until('>')
	if err != nil {
		return false, noEnd(err)
	}
	switch raw[0] {
	case '?':
		return false, x.extend(raw, "?>")
	case '!':
		switch {
		case bytes.HasPrefix(raw, []byte("!--")):
			// "<!-->" is no whole comment.
			return false, x.extend(raw, "-->")
		case bytes.HasPrefix(raw, []byte("![CDATA[")):
			if err := x.extend(raw, "]]>"); err != nil {
				return false, err
			}
			x.kind = charData
			x.text = append(x.text[:0], x.buf[len("![CDATA["):len(x.buf)-3]...)
			return true, nil
		}
		return false, errXML
	}
	// A '>' within a value in quotes ends nothing.
	for oddQuotes(raw) {
		x.buf = append(x.buf[:0], raw...)
		if raw, err = x.more('>'); err != nil {
			return false, noEnd(err)
		}
	}
	raw = raw[:len(raw)-1]
	x.kind = startTag
	if len(raw) > 0 && raw[0] == '/' {
		x.kind = endTag
		raw = raw[1:]
	} else if len(raw) > 0 && raw[len(raw)-1] == '/' {
		x.closes = true
		raw = raw[:len(raw)-1]
	}
	name, attrs := raw, []byte(nil)
	if i := bytes.IndexAny(raw, " \t\r\n"); i >= 0 {
		name, attrs = raw[:i], raw[i:]
	}
	if len(name) == 0 {
		return false, errXML
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	x.name, x.attrs = name, attrs
	return true, nil
}

func (x *xmlScanner) until(end byte) ([]byte, error) {
	b, err := x.in.ReadSlice(end)
	x.read += int64(len(b))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return b, err
	}
	x.buf = append(x.buf[:0], b...)
	return x.more(end)
}

// more adds to buf up to and with the next end.
func (x *xmlScanner) more(end byte) ([]byte, error) {
	for {
		b, err := x.in.ReadSlice(end)
		x.read += int64(len(b))
		x.buf = append(x.buf, b...)
		if len(x.buf) > x.limit {
			return nil, errTooLong
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return x.buf, err
		}
	}
}

var errTooLong = errors.New("too long")

// extend reads on until what was read ends in end, and leaves it in buf.
func (x *xmlScanner) extend(raw []byte, end string) error {
	x.buf = append(x.buf[:0], raw...) // onto itself when raw is buf already
	least := len(end)
	if end == "-->" {
		least = len("!---->")
	}
	for len(x.buf) < least || !bytes.HasSuffix(x.buf, []byte(end)) {
		if _, err := x.more('>'); err != nil {
			return noEnd(err)
		}
	}
	return nil
}

func oddQuotes(b []byte) bool {
	var open byte
	for _, c := range b {
		switch {
		case open == 0 && (c == '"' || c == '\''):
			open = c
		case c == open:
			open = 0
		}
	}
	return open != 0
}

// noEnd turns the end of the input into an unexpected one.
func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// attr is the raw value of an attribute, nil if there is none. The name may have a prefix
// in the file.
func (x *xmlScanner) attr(name string) []byte {
	b := x.attrs
	for {
		b = bytes.TrimLeft(b, " \t\r\n")
		eq := bytes.IndexByte(b, '=')
		if eq < 0 {
			return nil
		}
		key := bytes.TrimSpace(b[:eq])
		b = bytes.TrimLeft(b[eq+1:], " \t\r\n")
		if len(b) == 0 || (b[0] != '"' && b[0] != '\'') {
			return nil
		}
		end := bytes.IndexByte(b[1:], b[0])
		if end < 0 {
			return nil
		}
		if i := bytes.IndexByte(key, ':'); i >= 0 {
			key = key[i+1:]
		}
		if string(key) == name {
			return b[1 : 1+end]
		}
		b = b[end+2:]
	}
}

// unescape appends text with its character references resolved.
func unescape(dst, b []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return append(dst, b...), nil
		}
		dst = append(dst, b[:i]...)
		b = b[i+1:]
		end := bytes.IndexByte(b[:min(len(b), 12)], ';')
		if end < 0 {
			return dst, errXML
		}
		name := b[:end]
		b = b[end+1:]
		switch string(name) {
		case "amp":
			dst = append(dst, '&')
		case "lt":
			dst = append(dst, '<')
		case "gt":
			dst = append(dst, '>')
		case "quot":
			dst = append(dst, '"')
		case "apos":
			dst = append(dst, '\'')
		default:
			if len(name) < 2 || name[0] != '#' {
				return dst, errXML
			}
			digits, base := string(name[1:]), 10
			if digits[0] == 'x' || digits[0] == 'X' {
				digits, base = digits[1:], 16
			}
			n, err := strconv.ParseUint(digits, base, 21)
			if err != nil || !utf8.ValidRune(rune(n)) {
				return dst, errXML
			}
			dst = utf8.AppendRune(dst, rune(n))
		}
	}
}
