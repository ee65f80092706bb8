package db_test

import (
	"fmt"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

var (
	packSettings = db.Packed("test.settings_pack", "settings", "name text, value text", "updated_at bigint")
	packPieces   = db.Packed("test.pieces_pack", "import_files", "body bytes", "import_id text, piece bigint")
	countAt      = db.SQL("test.settings_at", `SELECT COUNT(*) FROM settings WHERE updated_at = $1`)
	bodyOf       = db.SQL("test.piece_body", `SELECT body FROM import_files WHERE import_id = $1 AND piece = $2`)
)

// kind is a named text, as ids are.
type kind string

func TestPackedRowsAreWritten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, n := t.Context(), 4500
		var names, values []byte
		for i := range n {
			names, values = fmt.Appendf(names, "name%04d", i), fmt.Appendf(values, "%04d", n-i)
		}
		body := []byte("\x00\xff\r\n\\.\t\x00PGCOPY\n\xff")
		if err := d.Do(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, "before", "queued"); err != nil {
				return err
			}
			if err := tx.WritePacked(ctx, packSettings, n, [][]byte{names, values}, -7); err != nil {
				return err
			}
			if err := tx.WritePacked(ctx, packSettings, 0, [][]byte{nil, nil}, 1); err != nil {
				return err
			}
			return tx.WritePacked(ctx, packPieces, 1, [][]byte{body}, kind("种"), int64(1)<<40)
		}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, d, "before", "name0000", "name2000", "name4499"); strings.Join(got, " ") != "queued 4500 2500 0001" {
			t.Errorf("read %q", got)
		}
		var count int64
		var back []byte
		if err := d.View(ctx, func(tx *db.Tx) error {
			if _, err := tx.One(ctx, countAt, []any{&count}, -7); err != nil {
				return err
			}
			_, err := tx.One(ctx, bodyOf, []any{&back}, "种", int64(1)<<40)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if count != int64(n) || string(back) != string(body) {
			t.Errorf("%d rows of %d, body %q", count, n, back)
		}
	})
}

// What can't be written is told, and nothing of its transaction stays.
func TestPackedRowsAreWrittenOrNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for why, write := range map[string]func(tx *db.Tx) error{
			"a name that is queued to be there": func(tx *db.Tx) error {
				return tx.WritePacked(ctx, packSettings, 3, [][]byte{[]byte("onetwotri"), []byte("abc")}, 1)
			},
			"values that don't divide": func(tx *db.Tx) error {
				return tx.WritePacked(ctx, packSettings, 2, [][]byte{[]byte("fivesix"), []byte("ab")}, 1)
			},
			"a fixed value too few": func(tx *db.Tx) error {
				return tx.WritePacked(ctx, packSettings, 1, [][]byte{[]byte("six"), []byte("a")})
			},
		} {
			err := d.Do(ctx, func(tx *db.Tx) error {
				if err := put(ctx, tx, "two", "2"); err != nil {
					return err
				}
				return write(tx)
			})
			if err == nil {
				t.Errorf("%s is taken", why)
			}
			if got := read(t, d, "one", "two", "tri", "six"); len(got) != 0 {
				t.Errorf("%s leaves %q", why, got)
			}
		}
		if err := d.Do(ctx, func(tx *db.Tx) error { return put(ctx, tx, "after", "1") }); err != nil {
			t.Errorf("the store after that: %v", err)
		}
	})
}
