package flow_test

import (
	"strconv"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/job"
)

// A job that can't be done is tried ever more seldom, then put aside for a person; however
// many of them there are, they keep no good one from being done.
func TestPoisonJobsEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		const poison = 500
		do := func(fn func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Do(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		waiting := func() (depth job.Depth) {
			do(func(tx *db.Tx) (err error) { depth, err = job.Waiting(t.Context(), tx); return err })
			return depth
		}
		do(func(tx *db.Tx) error {
			var jobs []job.Job
			for i := range poison {
				kind := "nobody.knows"
				if i%2 == 0 {
					kind = "order.paid" // of no order
				}
				jobs = append(jobs, job.Job{Kind: kind, Subject: strconv.Itoa(i)})
			}
			return job.Enqueue(t.Context(), tx, s.Clock.Now(), jobs...)
		})
		s.Time.Advance(time.Second)
		s.Buy(t, flowtest.Want{Offer: single(t, s, 1), Quantity: 1})
		work := func() (done int) {
			t.Helper()
			for n := 1; n > 0; {
				var err error
				if n, err = s.WorkJobs(t.Context(), 100); err != nil {
					t.Fatal(err)
				}
				done += n
			}
			return done
		}
		if n, w := work(), waiting(); n != poison+1 || w.Ready != poison {
			t.Errorf("%d jobs were worked on, %+v", n, w)
		}
		if n := work(); n != 0 {
			t.Errorf("%d jobs are tried again at once", n)
		}
		tries := 1
		for ; tries < 2*job.MaxAttempts && waiting().Ready > 0; tries++ {
			s.Time.Advance(job.Delay(int64(tries)))
			work()
		}
		if w := waiting(); w.Dead != poison || tries != job.MaxAttempts {
			t.Errorf("after %d tries: %+v", tries, w)
		}
		var open map[string]int64
		do(func(tx *db.Tx) (err error) { open, err = exception.Counts(t.Context(), tx); return err })
		if open[exception.DeadJob] != poison {
			t.Errorf("%v cases are open", open)
		}
	})
}

// A job that was given up, looked at by a person, tried again and given up again is a
// person's once more.
func TestAJobGivenUpTwiceIsSeenTwice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, ctx := flowtest.New(t, d), t.Context()
		do := func(fn func(tx *db.Tx) error) {
			t.Helper()
			if err := d.Do(ctx, fn); err != nil {
				t.Fatal(err)
			}
		}
		do(func(tx *db.Tx) error {
			return job.Enqueue(ctx, tx, s.Clock.Now(), job.Job{Kind: "nobody.knows", Subject: "x"})
		})
		for range 2 {
			for try := range job.MaxAttempts {
				s.Time.Advance(job.Delay(int64(try)))
				if _, err := s.WorkJobs(ctx, 100); err != nil {
					t.Fatal(err)
				}
			}
			do(func(tx *db.Tx) error {
				open, err := exception.ListOpen(ctx, tx, 10)
				if err != nil || len(open) != 1 || open[0].Kind != exception.DeadJob {
					t.Fatalf("%v, %v", open, err)
				}
				if _, err := exception.Close(ctx, tx, open[0].ID, "seen", "ops", s.Clock.Now()); err != nil {
					return err
				}
				revived, err := job.Revive(ctx, tx, id.Job(open[0].Subject), s.Clock.Now())
				if !revived {
					t.Error("it wasn't given up")
				}
				return err
			})
		}
	})
}
