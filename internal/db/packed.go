package db

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Packed declares an INSERT of many rows into a table, for rows that come by the million.
// The values of each packed column have one width and lie one after the other in one byte
// string; the fixed columns have one value for all rows. Columns are written as in
// {{values}}; packed ones are text in ASCII, or bytes.
//
// SQLite cuts the strings up inside one statement, which saves the driver's work a
// parameter: two thirds of the time of a row. PostgreSQL copies the rows in, which saves
// it the work of a statement's rows: a log record for each, and two thirds of the time.
func Packed(name, table, packed, fixed string) *Stmt {
	cols, rest := parseColumns(packed), []column(nil)
	if fixed != "" {
		rest = parseColumns(fixed)
	}
	k := len(cols)
	var all, cut []string
	for i, c := range cols {
		if c.typ != "text" && c.typ != "bytes" {
			panic("db: " + name + " packs a column that is neither text nor bytes")
		}
		part := fmt.Sprintf("substr($%d, n.i * $%d + 1, $%d)", i+1, k+i+1, k+i+1)
		if c.typ == "text" {
			part = "CAST(" + part + " AS TEXT)"
		}
		all, cut = append(all, c.name), append(cut, part)
	}
	for i, c := range rest {
		all = append(all, c.name)
		cut = append(cut, "$"+strconv.Itoa(2*k+2+i))
	}
	into := table + " (" + strings.Join(all, ", ") + ") "
	s := SQL(name, "INSERT INTO "+into+"SELECT 1")
	s.cols, s.fixed, s.packed = cols, rest, true
	s.text[SQLite] = positional(fmt.Sprintf("INSERT INTO %sWITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $%d) SELECT %s FROM n",
		into, 2*k+1, strings.Join(cut, ", ")))
	s.text[Postgres] = "COPY " + into + "FROM STDIN (FORMAT binary)"
	return s
}

// packedRows bounds one statement on SQLite: what it cuts up should stay in the processor's cache.
const packedRows = 2000

// WritePacked inserts n rows through a statement made by Packed. packed has the values of
// each packed column, n times its width; fixed has those of the others.
func (tx *Tx) WritePacked(ctx context.Context, s *Stmt, n int, packed [][]byte, fixed ...any) error {
	if !s.packed || len(packed) != len(s.cols) || len(fixed) != len(s.fixed) {
		return fmt.Errorf("%s: %d packed columns of %d, %d fixed of %d", s.name, len(packed), len(s.cols), len(fixed), len(s.fixed))
	}
	width := make([]int, len(packed))
	for i, p := range packed {
		if n == 0 {
			return nil
		}
		if width[i] = len(p) / n; width[i]*n != len(p) {
			return fmt.Errorf("%s: column %s has %d bytes for %d rows", s.name, s.cols[i].name, len(p), n)
		}
	}
	if tx.pg != nil {
		return tx.copyPacked(ctx, s, n, width, packed, fixed)
	}
	for from := 0; from < n; from += packedRows {
		rows := min(packedRows, n-from)
		args := make([]any, 0, 2*len(packed)+1+len(fixed))
		for i, p := range packed {
			args = append(args, p[from*width[i]:(from+rows)*width[i]])
		}
		for _, w := range width {
			args = append(args, w)
		}
		changed, err := tx.Exec(ctx, s, append(append(args, rows), fixed...)...)
		if err != nil {
			return err
		}
		if changed != int64(rows) {
			return fmt.Errorf("%s wrote %d rows for %d", s.name, changed, rows)
		}
	}
	return nil
}

// copyHead begins a stream of COPY in binary: signature, flags, length of what follows
// (PostgreSQL's manual on COPY, "Binary Format"). A row is its number of fields and, for
// each, its length and bytes; -1 for that number is the end.
var copyHead = append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)

func (tx *Tx) copyPacked(ctx context.Context, s *Stmt, n int, width []int, packed [][]byte, fixed []any) error {
	if err := tx.db.hooks.stmt(s.name); err != nil {
		return err
	}
	field := func(dst, value []byte) []byte {
		return append(binary.BigEndian.AppendUint32(dst, uint32(len(value))), value...)
	}
	var same []byte
	for i, v := range fixed {
		value, err := s.fixed[i].binary(v)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		same = field(same, value)
	}
	row := 2 + len(same)
	for _, w := range width {
		row += 4 + w
	}
	rows := append(make([]byte, 0, len(copyHead)+n*row+2), copyHead...)
	for i := range n {
		rows = binary.BigEndian.AppendUint16(rows, uint16(len(packed)+len(fixed)))
		for c, p := range packed {
			rows = field(rows, p[i*width[c]:(i+1)*width[c]])
		}
		rows = append(rows, same...)
	}
	rows = append(rows, 0xff, 0xff)
	written, err := tx.pg.copyIn(ctx, s.name, s.text[Postgres], bytes.NewReader(rows))
	if err == nil && written != int64(n) {
		err = fmt.Errorf("%s wrote %d rows for %d", s.name, written, n)
	}
	return err
}

// binary is a value of a column as PostgreSQL's binary format has it.
func (c column) binary(v any) ([]byte, error) {
	switch r := reflect.ValueOf(v); {
	case c.typ == "text" && r.Kind() == reflect.String:
		return []byte(r.String()), nil
	case c.typ == "bigint" && r.CanInt():
		return binary.BigEndian.AppendUint64(nil, uint64(r.Int())), nil
	}
	return nil, fmt.Errorf("column %s is %s and not %T", c.name, c.typ, v)
}
