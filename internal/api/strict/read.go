package strict

import (
	"reflect"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"hufu/internal/fault"
)

// Read reads one JSON value into the struct that dst points to. Its fault is
// request.invalid, with a field for each place that is wrong.
func (o *Type) Read(data []byte, dst any) error {
	r := reader{data: data}
	r.space()
	if r.at == len(data) {
		return fault.New(fault.Invalid, "request.empty")
	}
	if r.value(o, reflect.ValueOf(dst).Elem()) {
		r.space()
		if r.at < len(data) {
			r.broken("request.trailing")
		}
	}
	if len(r.problems) == 0 {
		return nil
	}
	f := fault.New(fault.Invalid, "request.invalid")
	f.Fields = r.problems
	return f
}

// Text reads a single place from text that isn't JSON: a part of a path or of a query.
func (o *Type) Text(path, text string, dst reflect.Value) *fault.Field {
	r := reader{path: []step{{name: path}}}
	if o.pointer {
		p := reflect.New(dst.Type().Elem())
		dst.Set(p)
		dst = p.Elem()
	}
	switch o.kind {
	case aNumber:
		n, ok := digits(text)
		if !ok {
			r.blame("request.integer")
		} else {
			r.number(o, n, dst)
		}
	case aFlag:
		if text != "true" && text != "false" {
			r.blame("request.boolean")
		}
		dst.SetBool(text == "true")
	case aTime:
		r.time(text, dst)
	default:
		if !utf8.ValidString(text) || hasNUL(text) {
			r.blame("request.text")
		} else {
			r.text(o, text, dst)
		}
	}
	if len(r.problems) == 0 {
		return nil
	}
	return &r.problems[0]
}

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}

func digits(text string) (int64, bool) {
	if text == "" || text[0] == '+' || (len(text) > 1 && text[0] == '0') || (len(text) > 1 && text[0] == '-' && text[1] == '0') {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

type step struct {
	name  string
	index int // of a member of a list, when name is ""
}

type reader struct {
	data     []byte
	at       int
	depth    int
	path     []step
	problems []fault.Field
}

// where writes the path as people write it: lines[0].quantity.
func (r *reader) where() string {
	var b []byte
	for _, s := range r.path {
		if s.name == "" {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.index), 10)
			b = append(b, ']')
			continue
		}
		if len(b) > 0 {
			b = append(b, '.')
		}
		b = append(b, s.name...)
	}
	return string(b)
}

// blame notes what is wrong here and lets the reading go on.
func (r *reader) blame(code string, params ...string) {
	if len(r.problems) >= maxProblems {
		return
	}
	f := fault.New(fault.Invalid, "request.invalid").At(r.where(), code, params...)
	r.problems = append(r.problems, f.Fields[0])
}

// broken notes what makes the rest unreadable. It gives false, for the caller to stop.
func (r *reader) broken(code string, params ...string) bool {
	r.problems = r.problems[:0]
	r.blame(code, append(params, "at", strconv.Itoa(r.at+1))...)
	return false
}

func (r *reader) space() {
	for r.at < len(r.data) {
		switch r.data[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// next is the byte that comes, 0 at the end (which no JSON holds).
func (r *reader) next() byte {
	if r.at < len(r.data) {
		return r.data[r.at]
	}
	return 0
}

// value reads what comes into dst. It reports false when the rest can't be read.
func (r *reader) value(o *Type, dst reflect.Value) bool {
	c := r.next()
	if c == 'n' {
		r.blame("request.null")
		return r.skip()
	}
	if o.pointer {
		p := reflect.New(dst.Type().Elem())
		dst.Set(p)
		dst = p.Elem()
	}
	switch o.kind {
	case anObject:
		if c == '{' {
			return r.object(o, dst)
		}
		r.blame("request.object")
	case aMap:
		if c == '{' {
			return r.mapping(o, dst)
		}
		r.blame("request.object")
	case aList:
		if c == '[' {
			return r.list(o, dst)
		}
		r.blame("request.array")
	case aText, aTime:
		if c != '"' {
			r.blame("request.string")
			break
		}
		s, ok := r.str()
		if !ok {
			return false
		}
		if o.kind == aTime {
			r.time(s, dst)
		} else {
			r.text(o, s, dst)
		}
		return true
	case aNumber:
		if c != '-' && (c < '0' || c > '9') {
			r.blame("request.integer")
			break
		}
		start := r.at
		whole, ok := r.scanNumber()
		if !ok {
			return false
		}
		if !whole {
			r.blame("request.integer")
			return true
		}
		n, err := strconv.ParseInt(string(r.data[start:r.at]), 10, 64)
		if err != nil {
			r.blame("request.range")
			return true
		}
		r.number(o, n, dst)
		return true
	case aFlag:
		if c != 't' && c != 'f' {
			r.blame("request.boolean")
			break
		}
		dst.SetBool(c == 't')
	}
	return r.skip()
}

func (r *reader) text(o *Type, s string, dst reflect.Value) {
	if o.hasMin || o.hasMax {
		n := int64(len(s))
		if (o.hasMax && n > o.max) || (o.hasMin && n < 4*o.min) {
			n = int64(utf8.RuneCountInString(s))
		}
		switch {
		case o.hasMin && n < o.min && n == 0:
			r.blame("request.required")
		case o.hasMin && n < o.min:
			r.blame("request.too_short", "min", strconv.FormatInt(o.min, 10))
		case o.hasMax && n > o.max:
			r.blame("request.too_long", "max", strconv.FormatInt(o.max, 10))
		}
	}
	if o.enum != nil && !in(o.enum, s) {
		r.blame("request.choice", "choices", join(o.enum))
	}
	dst.SetString(s)
}

func in(all []string, s string) bool {
	for _, e := range all {
		if e == s {
			return true
		}
	}
	return false
}

func join(all []string) string {
	var out string
	for i, s := range all {
		if i > 0 {
			out += ", "
		}
		out += s
	}
	return out
}

func (r *reader) number(o *Type, n int64, dst reflect.Value) {
	switch {
	case o.hasMin && n < o.min:
		r.blame("request.minimum", "min", strconv.FormatInt(o.min, 10))
	case o.hasMax && n > o.max:
		r.blame("request.maximum", "max", strconv.FormatInt(o.max, 10))
	}
	dst.SetInt(n)
}

// earliest and latest bound times, so that none overflows what stores it.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (r *reader) time(s string, dst reflect.Value) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Before(earliest) || t.After(latest) {
		r.blame("request.time")
		return
	}
	dst.Set(reflect.ValueOf(t.UTC().Truncate(time.Microsecond)))
}

func (r *reader) enter() bool {
	if r.depth++; r.depth > MaxDepth {
		return r.broken("request.depth", "max", strconv.Itoa(MaxDepth))
	}
	r.at++
	r.space()
	return true
}

// more stands after a member and reports whether another follows.
func (r *reader) more(end byte) (more, ok bool) {
	r.space()
	switch r.next() {
	case end:
		r.at++
		r.depth--
		return false, true
	case ',':
		r.at++
		r.space()
		return true, true
	}
	return false, r.broken("request.json")
}

// member reads a name and the colon behind it.
func (r *reader) member() (string, bool) {
	if r.next() != '"' {
		return "", r.broken("request.json")
	}
	name, ok := r.str()
	if !ok {
		return "", false
	}
	r.space()
	if r.next() != ':' {
		return "", r.broken("request.json")
	}
	r.at++
	r.space()
	return name, true
}

func (r *reader) object(o *Type, dst reflect.Value) bool {
	if !r.enter() {
		return false
	}
	var seen uint64
	if r.next() == '}' {
		r.at++
		r.depth--
	} else {
		for {
			name, ok := r.member()
			if !ok {
				return false
			}
			n, known := o.named[name]
			r.path = append(r.path, step{name: name})
			switch {
			case !known:
				r.path[len(r.path)-1].name = clip(name)
				r.blame("request.unknown")
				ok = r.skip()
			case seen&(1<<n) != 0:
				r.blame("request.twice")
				ok = r.skip()
			default:
				seen |= 1 << n
				ok = r.value(o.fields[n].typ, dst.FieldByIndex(o.fields[n].index))
			}
			if !ok {
				return false
			}
			r.path = r.path[:len(r.path)-1]
			more, ok := r.more('}')
			if !ok {
				return false
			}
			if !more {
				break
			}
		}
	}
	if missing := o.needed &^ seen; missing != 0 {
		for n, f := range o.fields {
			if missing&(1<<n) != 0 {
				r.path = append(r.path, step{name: f.name})
				r.blame("request.required")
				r.path = r.path[:len(r.path)-1]
			}
		}
	}
	return true
}

func clip(name string) string {
	if name == "" {
		return "\"\""
	}
	if len(name) <= 60 {
		return name
	}
	n := 60
	for !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n] + "…"
}

func (r *reader) mapping(o *Type, dst reflect.Value) bool {
	if !r.enter() {
		return false
	}
	m := map[string]string{}
	if r.next() == '}' {
		r.at++
		r.depth--
	} else {
		var text string
		into := reflect.ValueOf(&text).Elem()
		for {
			name, ok := r.member()
			if !ok {
				return false
			}
			r.path = append(r.path, step{name: clip(name)})
			if _, twice := m[name]; twice {
				r.blame("request.twice")
			}
			if !r.value(o.elem, into) {
				return false
			}
			m[name] = text
			r.path = r.path[:len(r.path)-1]
			more, ok := r.more('}')
			if !ok {
				return false
			}
			if !more {
				break
			}
		}
	}
	r.count(o, int64(len(m)))
	dst.Set(reflect.ValueOf(m))
	return true
}

func (r *reader) list(o *Type, dst reflect.Value) bool {
	if !r.enter() {
		return false
	}
	n := 0
	if r.next() == ']' {
		r.at++
		r.depth--
		dst.Set(reflect.MakeSlice(dst.Type(), 0, 0))
	} else {
		for {
			if n >= dst.Cap() {
				dst.Grow(1)
			}
			dst.SetLen(n + 1)
			r.path = append(r.path, step{index: n})
			if o.hasMax && int64(n) >= o.max {
				// Too many already: what follows is looked at and not kept.
				dst.SetLen(n)
				r.path = r.path[:len(r.path)-1]
				r.blame("request.too_many_items", "max", strconv.FormatInt(o.max, 10))
				return r.rest()
			}
			item := dst.Index(n)
			item.SetZero()
			if !r.value(o.elem, item) {
				return false
			}
			r.path = r.path[:len(r.path)-1]
			n++
			more, ok := r.more(']')
			if !ok {
				return false
			}
			if !more {
				break
			}
		}
	}
	r.count(o, int64(n))
	return true
}

// rest passes over what is left of a list.
func (r *reader) rest() bool {
	for {
		if !r.skip() {
			return false
		}
		more, ok := r.more(']')
		if !ok || !more {
			return ok
		}
	}
}

func (r *reader) count(o *Type, n int64) {
	switch {
	case o.hasMin && n < o.min:
		r.blame("request.too_few_items", "min", strconv.FormatInt(o.min, 10))
	case o.hasMax && n > o.max:
		r.blame("request.too_many_items", "max", strconv.FormatInt(o.max, 10))
	}
}

// skip passes over a value, which must be JSON all the same.
func (r *reader) skip() bool {
	switch c := r.next(); {
	case c == '"':
		_, ok := r.str()
		return ok
	case c == '{':
		if !r.enter() {
			return false
		}
		if r.next() == '}' {
			r.at++
			r.depth--
			return true
		}
		for {
			if _, ok := r.member(); !ok || !r.skip() {
				return false
			}
			if more, ok := r.more('}'); !ok || !more {
				return ok
			}
		}
	case c == '[':
		if !r.enter() {
			return false
		}
		if r.next() == ']' {
			r.at++
			r.depth--
			return true
		}
		return r.rest()
	case c == '-' || (c >= '0' && c <= '9'):
		_, ok := r.scanNumber()
		return ok
	case c == 't':
		return r.word("true")
	case c == 'f':
		return r.word("false")
	case c == 'n':
		return r.word("null")
	}
	return r.broken("request.json")
}

func (r *reader) word(w string) bool {
	if len(r.data)-r.at < len(w) || string(r.data[r.at:r.at+len(w)]) != w {
		return r.broken("request.json")
	}
	r.at += len(w)
	return true
}

// scanNumber passes over a number and reports whether it is written as a whole one.
func (r *reader) scanNumber() (whole, ok bool) {
	run := func() int {
		n := 0
		for c := r.next(); c >= '0' && c <= '9'; c = r.next() {
			r.at++
			n++
		}
		return n
	}
	whole = true
	if r.next() == '-' {
		r.at++
	}
	if r.next() == '0' {
		r.at++
	} else if run() == 0 {
		return false, r.broken("request.json")
	}
	if r.next() == '.' {
		whole = false
		r.at++
		if run() == 0 {
			return false, r.broken("request.json")
		}
	}
	if c := r.next(); c == 'e' || c == 'E' {
		whole = false
		r.at++
		if c := r.next(); c == '+' || c == '-' {
			r.at++
		}
		if run() == 0 {
			return false, r.broken("request.json")
		}
	}
	if c := r.next(); c >= '0' && c <= '9' {
		return false, r.broken("request.json") // a leading zero
	}
	return whole, true
}

// str reads a text; the reader stands on its quotation mark.
func (r *reader) str() (string, bool) {
	r.at++
	start := r.at
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			s := r.data[start:r.at]
			r.at++
			return string(s), true
		case c == '\\' || c >= utf8.RuneSelf:
			return r.longStr(start)
		case c < ' ':
			return "", r.broken("request.text")
		default:
			r.at++
		}
	}
	return "", r.broken("request.json")
}

// longStr reads a text with escapes or letters beyond ASCII in it.
func (r *reader) longStr(start int) (string, bool) {
	out := append(make([]byte, 0, 2*(r.at-start)+32), r.data[start:r.at]...)
	for r.at < len(r.data) {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			return string(out), true
		case c < ' ':
			return "", r.broken("request.text")
		case c == '\\':
			letter, ok := r.escape()
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, letter)
		case c < utf8.RuneSelf:
			out = append(out, c)
			r.at++
		default:
			letter, n := utf8.DecodeRune(r.data[r.at:])
			if letter == utf8.RuneError && n == 1 {
				return "", r.broken("request.text")
			}
			out = append(out, r.data[r.at:r.at+n]...)
			r.at += n
		}
	}
	return "", r.broken("request.json")
}

func (r *reader) escape() (rune, bool) {
	r.at++
	c := r.next()
	r.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		unit, ok := r.unit()
		switch {
		case !ok:
			return 0, r.broken("request.json")
		case unit == 0:
			return 0, r.broken("request.text")
		case !utf16.IsSurrogate(unit):
			return unit, true
		}
		if r.next() != '\\' || r.at+1 >= len(r.data) || r.data[r.at+1] != 'u' {
			return 0, r.broken("request.text")
		}
		r.at += 2
		low, ok := r.unit()
		if !ok {
			return 0, r.broken("request.json")
		}
		letter := utf16.DecodeRune(unit, low)
		if letter == utf8.RuneError {
			return 0, r.broken("request.text")
		}
		return letter, true
	}
	return 0, r.broken("request.json")
}

// unit reads four hexadecimal digits.
func (r *reader) unit() (rune, bool) {
	if len(r.data)-r.at < 4 {
		return 0, false
	}
	var v rune
	for _, c := range r.data[r.at : r.at+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			v = v<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	r.at += 4
	return v, true
}
