package idem_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/idem"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// once carries a request out under a key and answers "done N" with N counting effects.
func once(t *testing.T, d *db.DB, key, content string, effects *atomic.Int64) (string, error) {
	t.Helper()
	var got string
	err := d.Do(t.Context(), func(tx *db.Tx) error {
		kept, err := idem.Begin(t.Context(), tx, now, "pty_a POST /orders", key, []byte(content))
		if err != nil {
			return err
		}
		if kept != nil {
			got = fmt.Sprint(kept.Status, " ", string(kept.Body))
			return nil
		}
		if content == "fails" {
			return fault.New(fault.Conflict, "test.failed")
		}
		answer := fmt.Sprint("done ", effects.Load()+1)
		got = "201 " + answer
		tx.AfterCommit(func() { effects.Add(1) })
		return idem.Finish(t.Context(), tx, "pty_a POST /orders", key, idem.Response{Status: 201, Body: []byte(answer)})
	})
	return got, err
}

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var effects atomic.Int64
		for range 3 {
			if got, err := once(t, d, "k1", "a", &effects); got != "201 done 1" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		}
		if _, err := once(t, d, "k1", "b", &effects); fault.CodeOf(err) != "idempotency.reused" || fault.KindOf(err) != fault.Conflict {
			t.Errorf("other content under the same key: %v", err)
		}
		if effects.Load() != 1 {
			t.Errorf("carried out %d times", effects.Load())
		}
	})
}

func TestAFailedRequestMayBeTriedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var effects atomic.Int64
		if _, err := once(t, d, "k", "fails", &effects); fault.CodeOf(err) != "test.failed" {
			t.Fatal(err)
		}
		if got, err := once(t, d, "k", "a", &effects); got != "201 done 1" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

func TestFiftyAtOnceCarryOutOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var effects atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got, err := once(t, d, "k", "a", &effects); got != "201 done 1" || err != nil {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		all.Wait()
		if effects.Load() != 1 {
			t.Errorf("carried out %d times", effects.Load())
		}
	})
}

func TestKeysAreChecked(t *testing.T) {
	for _, key := range []string{"", " ", "a b", "a\x00", "é", "a\n", strings.Repeat("k", idem.MaxKey+1)} {
		if err := idem.Check(key); fault.CodeOf(err) != "idempotency.key" {
			t.Errorf("%q: %v", key, err)
		}
	}
	if err := idem.Check(strings.Repeat("k", idem.MaxKey)); err != nil {
		t.Error(err)
	}
}

func TestWhatWasBegunMustBeFinished(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		begin := func(tx *db.Tx) error {
			_, err := idem.Begin(t.Context(), tx, now, "s", "k", []byte("a"))
			return err
		}
		if err := d.Do(t.Context(), begin); err != nil {
			t.Fatal(err)
		}
		if err := d.Do(t.Context(), begin); fault.KindOf(err) != fault.Internal {
			t.Errorf("an effect without an answer was let through: %v", err)
		}
	})
}

func TestPruneForgetsTheOldOnly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var effects atomic.Int64
		if _, err := once(t, d, "k", "a", &effects); err != nil {
			t.Fatal(err)
		}
		for want, before := range []time.Time{now, now.Add(time.Second)} {
			if err := d.Do(t.Context(), func(tx *db.Tx) error {
				if n, err := idem.Prune(t.Context(), tx, before, 10); n != int64(want) || err != nil {
					t.Errorf("before %v: %d forgotten, %v", before, n, err)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := once(t, d, "k", "other", &effects); got != "201 done 2" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}
