package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// MaxFile is how large a catalogue file may be, in bytes.
	MaxFile = 8 << 20
	// maxDepth is how deep its objects and lists may be nested; the format needs 6.
	maxDepth = 16
	// maxValues is how many values it may hold: a tree of them takes 100 bytes each.
	maxValues = 400_000
)

// node is a JSON value that knows where it stands, which encoding/json does not tell.
type node struct {
	kind    byte // '{', '[', '"' for a text, '0' for a number, 'b' for true and false, 'n' for null
	at      int  // offset of its first byte
	text    string
	members []member
	items   []*node
}

type member struct {
	name  string
	at    int
	value *node
}

func (n *node) member(name string) *node {
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

var mark = []byte("\xef\xbb\xbf") // a byte order mark, which some editors write

// parseTree reads one JSON value. What isn't JSON, or goes over a limit, is one problem.
func parseTree(data []byte) (*node, *Problem) {
	refuse := func(offset int, code string, params ...string) (*node, *Problem) {
		p := problem("", code, params...)
		p.Line, p.Column = (&File{data: data}).position(offset)
		return nil, &p
	}
	if len(data) > MaxFile {
		return refuse(0, "catalogue.file_large", "limit_mb", strconv.Itoa(MaxFile>>20))
	}
	if bad := invalidUTF8(data); bad >= 0 {
		return refuse(bad, "catalogue.file_charset")
	}
	start := 0
	if bytes.HasPrefix(data, mark) {
		start = len(mark)
	}
	text := data[start:]
	if len(bytes.TrimSpace(text)) == 0 {
		return refuse(0, "catalogue.file_blank")
	}
	switch deep, values := scan(text); {
	case deep >= 0:
		return refuse(start+deep, "catalogue.file_deep", "limit", strconv.Itoa(maxDepth))
	case values > maxValues:
		return refuse(0, "catalogue.file_many", "limit", strconv.Itoa(maxValues))
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		if wrong, ok := errors.AsType[*json.SyntaxError](err); ok && !strings.HasPrefix(wrong.Error(), "unexpected end") {
			return refuse(start+int(wrong.Offset)-1, "catalogue.file_syntax")
		}
		return refuse(len(data), "catalogue.file_truncated")
	}
	t := treeReader{text: text, start: start, dec: json.NewDecoder(bytes.NewReader(text))}
	t.dec.UseNumber()
	token, at := t.token()
	return t.value(token, at), nil
}

// invalidUTF8 is the offset of the first byte that isn't UTF-8, -1 when all are.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// scan is the offset at which nesting goes over the limit, -1 when it never does, and how
// many values there are at most. It comes before any recursive reading.
func scan(text []byte) (deep, values int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return i, values
			}
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	return -1, values
}

type treeReader struct {
	text  []byte // valid JSON
	start int    // its offset in the file
	dec   *json.Decoder
}

func (t *treeReader) token() (json.Token, int) {
	from := int(t.dec.InputOffset())
	for from < len(t.text) && strings.IndexByte(" \t\r\n,:", t.text[from]) >= 0 {
		from++
	}
	token, err := t.dec.Token()
	if err != nil {
		panic(err) // the text is valid
	}
	return token, t.start + from
}

func (t *treeReader) value(token json.Token, at int) *node {
	n := &node{at: at}
	switch v := token.(type) {
	case json.Delim:
		n.kind = byte(v)
		for t.dec.More() {
			token, at := t.token()
			if v == '[' {
				n.items = append(n.items, t.value(token, at))
				continue
			}
			m := member{name: token.(string), at: at}
			m.value = t.value(t.token())
			n.members = append(n.members, m)
		}
		t.token()
	case string:
		n.kind, n.text = '"', v
	case json.Number:
		n.kind, n.text = '0', string(v)
	case bool:
		n.kind, n.text = 'b', strconv.FormatBool(v)
	default:
		n.kind = 'n'
	}
	return n
}

// longLine is how far into a line columns count characters; beyond it they count bytes, so
// that a file without line breaks costs no more than one with.
const longLine = 1 << 16

// position turns an offset into line and column, both from 1.
func (f *File) position(offset int) (line, column int) {
	if f.tables != nil {
		return int(f.tables.rows[offset].number), 1
	}
	if f.lines == nil {
		f.lines = []int{0}
		if bytes.HasPrefix(f.data, mark) {
			f.lines[0] = len(mark)
		}
		for i, c := range f.data {
			if c == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	}
	offset = min(max(offset, f.lines[0]), len(f.data))
	line, found := slices.BinarySearch(f.lines, offset)
	if found {
		line++
	}
	start := f.lines[line-1]
	near := min(offset, start+longLine)
	return line, 1 + utf8.RuneCount(f.data[start:near]) + offset - near
}

// locate gives the offset of the value at a path like "offers[3].title.zh", or of the
// innermost thing on the way to it that is there.
func (n *node) locate(path string) int {
	at := n.at
	for path != "" && n != nil {
		if i, ok := strings.CutPrefix(path, "["); ok {
			number, rest, _ := strings.Cut(i, "]")
			k, err := strconv.Atoi(number)
			if err != nil || k < 0 || k >= len(n.items) {
				break
			}
			n, path = n.items[k], rest
		} else {
			path = strings.TrimPrefix(path, ".")
			end := len(path)
			if i := strings.IndexAny(path, ".["); i >= 0 {
				end = i
			}
			if end == 0 {
				break
			}
			n, path = n.member(path[:end]), path[end:]
		}
		if n != nil {
			at = n.at
		}
	}
	return at
}
