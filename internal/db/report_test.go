package db_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

// Readers side by side see one moment, whatever is written between their first reads; what
// they hold is given back.
func TestReportsSeeOneMoment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		has := func(tx *db.Tx, name string) (n int) {
			t.Helper()
			if err := tx.Query(t.Context(), selectSetting, func(scan func(...any) error) error { n++; return scan(new(string)) }, db.Texts([]string{name})); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for round := range 10 { // more than there are readers
			name := fmt.Sprintf("round %d", round)
			if err := d.Report(t.Context(), 3, func(txs []*db.Tx) error {
				if len(txs) != 3 {
					t.Errorf("%d transactions", len(txs))
				}
				for i, tx := range txs {
					if err := tx.ByKey(t.Context(), i != 1); err != nil {
						return err
					}
					if n := has(tx, name); n != 0 {
						t.Errorf("transaction %d sees what was written after the first began", i)
					}
					if n := has(tx, fmt.Sprintf("round %d", round-1)); n != min(round, 1) {
						t.Errorf("transaction %d sees %d of what was written before", i, n)
					}
					if i == 0 {
						if err := d.Do(t.Context(), func(w *db.Tx) error { return put(t.Context(), w, name, "1") }); err != nil {
							return err
						}
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestReportsTakeWhatIsFree(t *testing.T) {
	d := dbtest.Open(t, "sqlite")
	if err := d.Report(t.Context(), 1000, func(txs []*db.Tx) error {
		if len(txs) < 2 {
			t.Errorf("%d transactions", len(txs))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// While another process writes, one reader is enough.
	gone, cancel := context.WithCancel(t.Context())
	if err := d.Do(t.Context(), func(*db.Tx) error {
		done := make(chan error, 1)
		go func() {
			done <- d.Report(gone, 2, func(txs []*db.Tx) error {
				if len(txs) != 1 {
					t.Errorf("%d transactions beside a writer", len(txs))
				}
				return nil
			})
		}()
		cancel()
		<-done
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A long reader keeps the log from being emptied; the writer waits for it a moment, not for
// as long as for a lock.
func TestALongReaderDoesNotHoldTheWriterUp(t *testing.T) {
	d := dbtest.Open(t, "sqlite")
	write := func(name string) {
		t.Helper()
		if err := d.Do(t.Context(), func(tx *db.Tx) error { return put(t.Context(), tx, name, "1") }); err != nil {
			t.Fatal(err)
		}
	}
	write("before")
	if err := d.Report(t.Context(), 2, func([]*db.Tx) error {
		write("beside")
		began := time.Now()
		if d.Truncate(t.Context()) {
			t.Error("the log was emptied under a reader")
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("the writer was held up for %v", took)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !d.Truncate(t.Context()) {
		t.Error("the log can't be emptied when nobody reads")
	}
}
