package db_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
)

// F28: one process serves from a SQLite file, and a second hears why it may not; once the
// first has gone it may. PostgreSQL serves both.
func TestOneProcessServesFromAFile(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			store := dbtest.Store(t, kind)
			first, second := dbtest.OpenStore(t, store), dbtest.OpenStore(t, store)
			release, err := first.Sole()
			if err != nil {
				t.Fatal(err)
			}
			again, err := second.Sole()
			if kind == "postgres" {
				if err != nil {
					t.Fatal(err)
				}
				again()
				release()
				return
			}
			if fault.CodeOf(err) != "db.locked" || fault.KindOf(err) != fault.Unavailable || fault.From(err).Params["path"] != second.Path() {
				t.Fatalf("a second process: %v", err)
			}
			release()
			if again, err = second.Sole(); err != nil {
				t.Fatalf("after the first has gone: %v", err)
			}
			again()
		})
	}
}

// F28: while another process has the writer, a transaction waits for it, and then commits.
func TestAWriterWaitsForAnotherProcess(t *testing.T) {
	store := dbtest.Store(t, "sqlite")
	ours, theirs := dbtest.OpenStore(t, store), dbtest.OpenStore(t, store)
	began, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		done <- theirs.Do(t.Context(), func(tx *db.Tx) error {
			close(began)
			<-end
			return put(t.Context(), tx, "theirs", "1")
		})
	}()
	<-began
	go func() {
		done <- ours.Do(t.Context(), func(tx *db.Tx) error { return put(t.Context(), tx, "ours", "2") })
	}()
	close(end)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := fmt.Sprint(read(t, ours, "ours", "theirs")); got != "[2 1]" {
		t.Errorf("in the store: %s", got)
	}
}

// F28: a reader that stays keeps the write-ahead log from being emptied, so it grows; it
// keeps nobody from writing. Once the reader has gone the log is used again from its
// beginning, and nothing was lost.
func TestALogThatAReaderHoldsRecovers(t *testing.T) {
	store := dbtest.Store(t, "sqlite")
	d := dbtest.OpenStore(t, store)
	size := func() int64 {
		info, err := os.Stat(d.Path() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	written := 0
	text := strings.Repeat("x", 64<<10)
	write := func() {
		t.Helper()
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			for range 16 {
				if err := put(t.Context(), tx, fmt.Sprintf("name %06d", written), text); err != nil {
					return err
				}
				written++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	write()
	reading, leave, left := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		left <- d.View(context.WithoutCancel(t.Context()), func(tx *db.Tx) error {
			count := func() (n int, err error) {
				err = tx.Query(t.Context(), countSettings, func(scan func(...any) error) error { return scan(&n) })
				return n, err
			}
			before, err := count()
			if err != nil {
				return err
			}
			close(reading)
			<-leave
			if after, err := count(); err != nil || after != before {
				return fmt.Errorf("the reader saw %d rows and then %d: %w", before, after, err)
			}
			return nil
		})
	}()
	<-reading
	const held = 24 << 20 // three times what is worth a checkpoint
	for before := int64(0); size() < held; before = size() {
		if size() < before {
			t.Fatal("the log shrank under a reader")
		}
		write()
	}
	close(leave)
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		before := size()
		write()
		if size() <= before { // written over what was there
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has grown to %d bytes and is not used again", size())
		}
	}
	other := dbtest.OpenStore(t, store)
	var n int
	if err := other.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), countSettings, func(scan func(...any) error) error { return scan(&n) })
	}); err != nil || n != written {
		t.Errorf("%d rows of %d, %v", n, written, err)
	}
}

var countSettings = db.SQL("test.settings_count", `SELECT COUNT(*) FROM settings`)
