package db

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Stmt is a statement of the program, in both dialects.
type Stmt struct {
	name string
	text [2]string // by Dialect
	cols []column  // of the set, for statements made by Rows and Packed

	// exact is the statement for PostgreSQL with one parameter more, how many rows it must
	// change; it divides by zero when it changes another number. "" for a plain INSERT, which
	// gives all its rows or fails.
	exact string

	packed bool     // made by Packed
	fixed  []column // of it
}

// Name is the statement's name, "island.what", unique in the program.
func (s *Stmt) Name() string { return s.name }

// Text is the statement as a database gets it.
func (s *Stmt) Text(d Dialect) string { return s.text[d] }

var registry struct {
	sync.Mutex
	byName map[string]*Stmt
}

// SQL declares a statement. It is called at package level only; a name used twice panics.
func SQL(name, text string) *Stmt {
	text = strings.TrimSpace(text)
	s := &Stmt{name: name}
	lite, cols := SQLite.Expand(text)
	pg, _ := Postgres.Expand(text)
	s.text = [2]string{SQLite: positional(lite), Postgres: pg}
	s.cols = cols
	registry.Lock()
	defer registry.Unlock()
	if registry.byName == nil {
		registry.byName = map[string]*Stmt{}
	}
	if _, twice := registry.byName[name]; twice {
		panic("db: two statements are named " + name)
	}
	registry.byName[name] = s
	return s
}

// Rows declares a statement that writes a set of rows: its text holds a {{values ...}} or
// {{rows ...}} token, whose columns Tx.Write binds.
func Rows(name, text string) *Stmt {
	s := SQL(name, text)
	if s.cols == nil {
		panic("db: " + name + " has no {{values}} or {{rows}}")
	}
	if lite, plain := strings.CutPrefix(s.text[SQLite], "INSERT INTO"); plain && !strings.Contains(lite, "ON CONFLICT") {
		// A statement of one row has nothing to undo, but where a trigger runs SQLite copies every
		// page for that, unless it is told to leave what the statement did.
		s.text[SQLite] = "INSERT OR FAIL INTO" + lite
	}
	if pg := s.text[Postgres]; !strings.HasPrefix(pg, "INSERT") || strings.Contains(pg, "ON CONFLICT") {
		s.exact = fmt.Sprintf("WITH changed AS (%s RETURNING 1) SELECT 1 / (count(*) = $%d)::int FROM changed", pg, len(s.cols)+1)
	}
	return s
}

// divisionByZero is the state of what a Stmt's exact text fails with
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const divisionByZero = "22012"

// Registered lists every statement of the program by name.
func Registered() []*Stmt {
	registry.Lock()
	defer registry.Unlock()
	all := make([]*Stmt, 0, len(registry.byName))
	for _, s := range registry.byName {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Stmt) int { return strings.Compare(a.name, b.name) })
	return all
}

// Set is the argument of an {{in ...}} token.
type Set struct {
	texts []string
	blobs [][]byte
}

// Texts makes a set of ids or other strings.
func Texts[T ~string](members []T) Set {
	s := make([]string, len(members))
	for i, m := range members {
		s[i] = string(m)
	}
	return Set{texts: s}
}

// Blobs makes a set of byte strings.
func Blobs(members [][]byte) Set { return Set{blobs: members} }

func (s Set) arg(d Dialect) any {
	if d == Postgres {
		switch {
		case s.blobs != nil:
			return s.blobs
		case s.texts == nil:
			return []string{}
		}
		return s.texts
	}
	var v any = s.texts
	switch {
	case s.blobs != nil:
		h := make([]string, len(s.blobs))
		for i, b := range s.blobs {
			h[i] = hex.EncodeToString(b)
		}
		v = h
	case s.texts == nil:
		v = []string{}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return string(b)
}

// TimeOf is the time that a column of Unix microseconds holds; 0 is the zero time.
func TimeOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// Time makes a scan target for a column of Unix microseconds; 0 becomes the zero time.
func Time(t *time.Time) any { return (*scanTime)(t) }

type scanTime time.Time

// Scan implements sql.Scanner.
func (t *scanTime) Scan(v any) error {
	us, ok := v.(int64)
	if !ok {
		return errNotMicros
	}
	*t = scanTime(TimeOf(us))
	return nil
}

// Micros is a time as a column holds it; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Flag is a bool as a column holds it.
func Flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Binder takes the values of one row of a set, in the order of its columns.
type Binder struct {
	args  []any
	texts [][]string
	ints  [][]int64
	blobs [][][]byte
	flo   [][]float64
	pg    bool
	col   int
}

func newBinder(s *Stmt, d Dialect, n int) *Binder {
	b := &Binder{pg: d == Postgres}
	if !b.pg {
		b.args = make([]any, 0, len(s.cols))
		return b
	}
	k := len(s.cols)
	b.texts, b.ints, b.blobs, b.flo = make([][]string, k), make([][]int64, k), make([][][]byte, k), make([][]float64, k)
	for i, c := range s.cols {
		switch c.typ {
		case "text":
			b.texts[i] = make([]string, 0, n)
		case "bigint":
			b.ints[i] = make([]int64, 0, n)
		case "bytes":
			b.blobs[i] = make([][]byte, 0, n)
		case "double":
			b.flo[i] = make([]float64, 0, n)
		}
	}
	return b
}

// Text binds the next column.
func (b *Binder) Text(s string) *Binder {
	if b.pg {
		b.texts[b.col] = append(b.texts[b.col], s)
	} else {
		b.args = append(b.args, s)
	}
	b.col++
	return b
}

// Int binds the next column.
func (b *Binder) Int(v int64) *Binder {
	if b.pg {
		b.ints[b.col] = append(b.ints[b.col], v)
	} else {
		b.args = append(b.args, v)
	}
	b.col++
	return b
}

// Bytes binds the next column.
func (b *Binder) Bytes(v []byte) *Binder {
	if v == nil {
		v = []byte{}
	}
	if b.pg { // sent later, when the caller may have other use for its memory
		b.blobs[b.col] = append(b.blobs[b.col], bytes.Clone(v))
	} else {
		b.args = append(b.args, v)
	}
	b.col++
	return b
}

// Float binds the next column.
func (b *Binder) Float(v float64) *Binder {
	if b.pg {
		b.flo[b.col] = append(b.flo[b.col], v)
	} else {
		b.args = append(b.args, v)
	}
	b.col++
	return b
}

// Time binds the next column as Unix microseconds.
func (b *Binder) Time(t time.Time) *Binder { return b.Int(Micros(t)) }

// Flag binds the next column as 0 or 1.
func (b *Binder) Flag(v bool) *Binder { return b.Int(Flag(v)) }

func (b *Binder) columns(s *Stmt) []any {
	args := make([]any, len(s.cols))
	for i, c := range s.cols {
		switch c.typ {
		case "text":
			args[i] = b.texts[i]
		case "bigint":
			args[i] = b.ints[i]
		case "bytes":
			args[i] = b.blobs[i]
		case "double":
			args[i] = b.flo[i]
		}
	}
	return args
}
