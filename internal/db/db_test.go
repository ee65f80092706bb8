package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
)

var (
	insertSetting = db.Rows("test.settings_insert", `INSERT INTO settings {{values name text, value text, updated_at bigint}}`)
	updateSetting = db.Rows("test.settings_update", `UPDATE settings SET value = r.value FROM {{rows name text, value text}} WHERE settings.name = r.name`)
	selectSetting = db.SQL("test.settings_select", `SELECT value FROM settings WHERE name {{in $1 text}} ORDER BY name`)
	editAudit     = db.SQL("test.audit_edit", `UPDATE audit_rows SET actor = 'nobody'`)
	deleteAudit   = db.SQL("test.audit_delete", `DELETE FROM audit_rows`)
	auditHash     = db.SQL("test.audit_hash", `SELECT hash FROM audit_rows`)
	insertAudit   = db.Rows("test.audit_insert", `INSERT INTO audit_rows {{values chain text, seq bigint, id text, at bigint, actor text, action text, subject text, origin text, result text, data text, hash bytes}}`)
)

func read(t *testing.T, d *db.DB, names ...string) []string {
	t.Helper()
	var got []string
	err := d.View(t.Context(), func(tx *db.Tx) error {
		return tx.Query(t.Context(), selectSetting, func(scan func(...any) error) error {
			var v string
			err := scan(&v)
			got = append(got, v)
			return err
		}, db.Texts(names))
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func put(ctx context.Context, tx *db.Tx, pairs ...string) error {
	return tx.WriteAll(ctx, insertSetting, len(pairs)/2, func(i int, b *db.Binder) {
		b.Text(pairs[2*i]).Text(pairs[2*i+1]).Int(1)
	})
}

func TestSetsAreWrittenAndRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		err := d.Do(ctx, func(tx *db.Tx) error {
			if err := put(ctx, tx, "a", "1", "b", "2", "c", "3"); err != nil {
				return err
			}
			return tx.WriteAll(ctx, updateSetting, 2, func(i int, b *db.Binder) {
				b.Text([]string{"a", "c"}[i]).Text([]string{"10", "30"}[i])
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(read(t, d, "c", "a", "b", "missing")); got != "[10 2 30]" {
			t.Errorf("read %s", got)
		}
		if got := read(t, d); len(got) != 0 {
			t.Errorf("an empty set found %v", got)
		}
	})
}

// What a row was bound to may be used for something else as soon as WriteAll has returned,
// also where the row is sent later.
func TestBoundBytesAreTheRowsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			hash := []byte("first")
			if err := tx.WriteAll(t.Context(), insertAudit, 1, func(_ int, b *db.Binder) {
				b.Text("main").Int(1).Text("aud_1").Int(1).Text("a").Text("b").Text("c").Text("").Text("").Text("").Bytes(hash)
			}); err != nil {
				return err
			}
			copy(hash, "other")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			_, err := tx.One(t.Context(), auditHash, []any{&got})
			return err
		}); err != nil || string(got) != "first" {
			t.Errorf("stored %q, %v", got, err)
		}
	})
}

func TestErrorRollsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			if err := put(t.Context(), tx, "a", "1"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("Do returned %v", err)
		}
		if got := read(t, d, "a"); len(got) != 0 {
			t.Errorf("a rolled-back row is there: %v", got)
		}
	})
}

func TestAppendOnlyIsKeptByTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Do(t.Context(), func(tx *db.Tx) error {
			return tx.WriteAll(t.Context(), insertAudit, 1, func(_ int, b *db.Binder) {
				b.Text("main").Int(1).Text("aud_1").Int(1).Text("a").Text("b").Text("c").Text("").Text("").Text("").Bytes([]byte{1})
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*db.Stmt{editAudit, deleteAudit} {
			if err := d.Do(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), s); return err }); err == nil {
				t.Errorf("%s was let through", s.Name())
			}
		}
	})
}

// A lane must answer each command by itself: the bad one fails, its neighbours don't, and
// nothing of the bad one stays.
func TestLaneAnswersEachCommand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lane := db.NewLane(d, "test", func(ctx context.Context, tx *db.Tx, names []string) ([]db.Answer[int], error) {
			answers := make([]db.Answer[int], len(names))
			for i, n := range names {
				if n == "refused" {
					answers[i].Err = fault.New(fault.Conflict, "test.refused")
					continue
				}
				if n == "panic" {
					panic("on purpose")
				}
				if err := put(ctx, tx, n, "x"); err != nil { // a duplicate violates the primary key and fails the whole batch
					return nil, err
				}
				answers[i].Result = i + 1
			}
			return answers, nil
		})
		var wg sync.WaitGroup
		errs := make([]error, 300)
		name := func(i int) string {
			switch {
			case i%10 == 3:
				return "refused"
			case i%50 == 7:
				return "panic"
			case i%2 == 1:
				return fmt.Sprintf("n%03d", i-1) // the same as its neighbour
			}
			return fmt.Sprintf("n%03d", i)
		}
		for i := range errs {
			wg.Go(func() { _, errs[i] = lane.Do(t.Context(), name(i)) })
		}
		wg.Wait()
		won := map[string]int{}
		for i, err := range errs {
			switch n := name(i); {
			case n == "refused":
				if fault.CodeOf(err) != "test.refused" {
					t.Errorf("command %d: %v", i, err)
				}
			case n == "panic":
				if err == nil {
					t.Errorf("command %d panicked and was answered well", i)
				}
			case err == nil:
				won[n]++
			case !db.IsUnique(err):
				t.Errorf("command %d (%s): %v", i, n, err)
			}
		}
		for i := range errs {
			n := name(i)
			if n != "refused" && n != "panic" && won[n] != 1 {
				t.Errorf("%s was written by %d commands", n, won[n])
			}
		}
		if s := lane.Stats(); s.Commands == 0 || s.Batches >= s.Commands {
			t.Errorf("nothing rode together: %+v", s)
		}
	})
}

func TestLaneForgetsCallersThatHaveGone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		lane := db.NewLane(d, "test", func(ctx context.Context, tx *db.Tx, names []string) ([]db.Answer[int], error) {
			return make([]db.Answer[int], len(names)), put(ctx, tx, names[0], "x")
		})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := lane.Do(ctx, "gone"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a cancelled command was answered %v", err)
		}
		if _, err := lane.Do(t.Context(), "here"); err != nil {
			t.Error(err)
		}
		if got := read(t, d, "here"); len(got) != 1 {
			t.Error("the living command was not carried out")
		}
	})
}

// Failing after having persisted is what a lost answer looks like: the row is there and
// the caller has an error.
func TestHooks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		boom := errors.New("boom")
		write := func(name string) error {
			return d.Do(t.Context(), func(tx *db.Tx) error { return put(t.Context(), tx, name, "x") })
		}
		d.SetHooks(db.Hooks{BeforeCommit: func() error { return boom }})
		if err := write("before"); !errors.Is(err, boom) || len(read(t, d, "before")) != 0 {
			t.Errorf("failed before commit: %v", err)
		}
		d.SetHooks(db.Hooks{AfterCommit: func() error { return boom }})
		if err := write("after"); !errors.Is(err, boom) || len(read(t, d, "after")) != 1 {
			t.Errorf("failed after commit: %v", err)
		}
		n := 0
		d.SetHooks(db.Hooks{BeforeCommit: func() error {
			if n++; n < 3 {
				return db.ErrStale
			}
			return nil
		}})
		if err := write("third"); err != nil || n != 3 {
			t.Errorf("a stale transaction was tried %d times: %v", n, err)
		}
	})
}

func TestEveryStatementPrepares(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.PrepareAll(t.Context(), db.Registered()); err != nil {
			t.Error(err)
		}
	})
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		_, needs, err := d.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(t.Context(), pretendNewer, needs+1)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Migrate(t.Context()); fault.CodeOf(err) != "db.newer" {
			t.Errorf("migrating a newer database: %v", err)
		}
		if err := d.CheckVersion(t.Context()); fault.CodeOf(err) != "db.newer" {
			t.Errorf("checking a newer database: %v", err)
		}
	})
}

var pretendNewer = db.SQL("test.pretend_newer", `INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES ($1, true, CURRENT_TIMESTAMP)`)

// Questions that were asked and rows that were written before are answered in their order,
// all by the end of Flush; a failure among them is that of whoever waits.
func TestAskedIsAnsweredInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		var got []string
		ask := func(tx *db.Tx, label, name string) error {
			return tx.Ask(ctx, selectSetting, func(scan func(...any) error) error {
				var v string
				err := scan(&v)
				got = append(got, label+v)
				return err
			}, db.Texts([]string{name}))
		}
		err := d.Do(ctx, func(tx *db.Tx) error {
			got = nil
			return errors.Join(ask(tx, "before ", "a"), put(ctx, tx, "a", "1"), ask(tx, "then ", "a"), tx.WriteAll(ctx, updateSetting, 1, func(_ int, b *db.Binder) {
				b.Text("a").Text("2")
			}), ask(tx, "after ", "a"), tx.Flush(ctx), tx.Flush(ctx))
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := "[then 1 after 2]"; fmt.Sprint(got) != want {
			t.Errorf("answers %v, want %s", got, want)
		}

		boom := errors.New("boom")
		err = d.Do(ctx, func(tx *db.Tx) error {
			return errors.Join(tx.Ask(ctx, selectSetting, func(func(...any) error) error { return boom }, db.Texts([]string{"a"})), put(ctx, tx, "b", "1"), tx.Flush(ctx))
		})
		if !errors.Is(err, boom) {
			t.Errorf("an answer that could not be taken gave %v", err)
		}
		if left := read(t, d, "b"); len(left) != 0 {
			t.Errorf("the transaction of the failed answer left %v", left)
		}
		for name, end := range map[string]func(context.Context, func(*db.Tx) error) error{"commit": d.Do, "view": d.View} {
			got = nil
			if err := end(ctx, func(tx *db.Tx) error { return ask(tx, "", "a") }); err != nil || fmt.Sprint(got) != "[2]" {
				t.Errorf("what nobody waited for gave %v, %v by the end of a %s", got, err, name)
			}
		}
	})
}

// A write that finds another number of rows than it should changes nothing, also when it
// travels with the commit, and has the transaction run again.
func TestAWriteThatMissesItsRowsIsStale(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Do(ctx, func(tx *db.Tx) error { return put(ctx, tx, "there", "1") }); err != nil {
			t.Fatal(err)
		}
		for _, wait := range []bool{false, true} {
			tries := 0
			err := d.Do(ctx, func(tx *db.Tx) error {
				tries++
				name := fmt.Sprintf("late %v", wait)
				err := put(ctx, tx, name, fmt.Sprint(tries))
				if tries == 1 {
					err = errors.Join(err, tx.WriteAll(ctx, updateSetting, 2, func(i int, b *db.Binder) { b.Text([]string{"there", "missing"}[i]).Text("2") }))
				}
				if wait {
					err = errors.Join(err, tx.Flush(ctx))
				}
				return err
			})
			if err != nil || tries != 2 {
				t.Errorf("waiting %v: %d tries, %v", wait, tries, err)
			}
			if got := fmt.Sprint(read(t, d, fmt.Sprintf("late %v", wait))); got != "[2]" {
				t.Errorf("waiting %v: the first try left %s", wait, got)
			}
		}
	})
}
