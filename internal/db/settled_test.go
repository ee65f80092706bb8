package db_test

import (
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

// A transaction that is under way holds Settled back (PostgreSQL) or up (SQLite, whose
// writers wait for each other).
func TestSettledWaitsForNobodyAndNamesTheOldest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		before := time.Now()
		if at, err := d.Settled(t.Context()); err != nil || at.Before(before.Add(-time.Minute)) || at.After(time.Now().Add(time.Second)) {
			t.Fatalf("with nothing under way: %v, %v", at, err)
		}
		began, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- d.Do(t.Context(), func(tx *db.Tx) error {
				if err := put(t.Context(), tx, "under way", "1"); err != nil {
					return err
				}
				read := tx.Query(t.Context(), selectSetting, func(scan func(...any) error) error { return scan(new(string)) }, db.Texts([]string{"under way"}))
				if read != nil {
					return read
				}
				close(began)
				<-end
				return nil
			})
		}()
		<-began
		held := time.Now()
		settled := make(chan time.Time, 1)
		go func() {
			at, err := d.Settled(t.Context())
			if err != nil {
				t.Error(err)
			}
			settled <- at
		}()
		if d.Dialect() == db.Postgres {
			if at := <-settled; at.After(held) {
				t.Errorf("settled at %v while a transaction of before %v is under way", at, held)
			}
			close(end)
		} else {
			select {
			case <-settled:
				t.Error("settled while the writer is at work")
			default:
			}
			close(end)
			<-settled
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
