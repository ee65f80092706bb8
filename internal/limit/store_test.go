package limit_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/limit"
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestFiftyAtOnceTakeOnlyThePlacesThereAre(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var passed atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				var v limit.Verdict
				err := d.Do(t.Context(), func(tx *db.Tx) (err error) {
					v, err = limit.Allow(t.Context(), tx, start, limit.Limit{Bucket: "x", Max: 7, Window: time.Minute})
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if v.OK {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if passed.Load() != 7 {
			t.Errorf("%d passed, want 7", passed.Load())
		}
	})
}

func TestASetOfActsIsJudgedInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		one, two := limit.Limit{Bucket: "one", Max: 1, Window: time.Minute}, limit.Limit{Bucket: "two", Max: 5, Window: time.Minute}
		for round, want := range [][]bool{{true, false, true}, {false, false, true}} {
			err := d.Do(ctx, func(tx *db.Tx) error {
				v, err := limit.Take(ctx, tx, start, []limit.Limit{one}, []limit.Limit{one, two}, []limit.Limit{two})
				for i := range v {
					if v[i].OK != want[i] {
						t.Errorf("round %d, act %d: %+v", round, i, v[i])
					}
					if !v[i].OK && fault.KindOf(v[i].Fault()) != fault.TooMany {
						t.Errorf("a refusal reads %v", v[i].Fault())
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Do(ctx, func(tx *db.Tx) error {
			if n, err := limit.Prune(ctx, tx, start.Add(30*time.Second), 10); err != nil || n != 0 {
				t.Errorf("%d buckets forgotten within their window, %v", n, err)
			}
			n, err := limit.Prune(ctx, tx, start.Add(3*time.Minute), 10)
			if n != 2 {
				t.Errorf("%d buckets forgotten, want 2", n)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// An act that rolls back has not happened.
func TestARolledBackActIsNotCounted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		l := limit.Limit{Bucket: "x", Max: 1, Window: time.Minute}
		for i := range 3 {
			err := d.Do(ctx, func(tx *db.Tx) error {
				v, err := limit.Allow(ctx, tx, start, l)
				if err == nil && !v.OK {
					t.Errorf("try %d was refused", i)
				}
				return fault.New(fault.Conflict, "test.rolled_back")
			})
			if fault.CodeOf(err) != "test.rolled_back" {
				t.Fatal(err)
			}
		}
	})
}
