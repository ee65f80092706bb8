// Package job keeps work that is to be done after a commit. The row is written in the
// transaction that makes the work necessary, so neither is there without the other.
//
// Workers claim due rows in sets, under a lease and with a fencing number: a worker that
// slept past its lease can't finish what another has taken over. A job that keeps failing
// is put aside as dead, where the console shows it.
package job

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Job is one piece of work.
type Job struct {
	ID      id.Job
	Kind    string // "order.paid"; each kind has one handler
	Subject string // what it is about, usually an id
	Payload string // what the handler needs beside it
	RunAt   time.Time
	// Attempts counts how often it was begun, the present one included.
	Attempts int64
	Fence    int64
	Error    string
}

// MaxAttempts is how often a job is tried before it is dead. With Delay this is a little
// over a day.
const MaxAttempts = 16

// Delay is how long to wait after the n-th failed attempt: 5 s, doubling, at most 4 h.
func Delay(n int64) time.Duration {
	d := 5 * time.Second << min(max(n-1, 0), 12)
	return min(d, 4*time.Hour)
}

var (
	insertJob = db.Rows("job.insert", `INSERT INTO jobs {{values id text, kind text, subject text, payload text, state text, run_at bigint, attempts bigint, lease_until bigint, fence bigint, error text, created_at bigint, done_at bigint}}`)
	dueJobs   = db.SQL("job.due", `SELECT id, kind, subject, payload, run_at, attempts, fence FROM jobs WHERE state IN ('ready','running') AND run_at <= $1 ORDER BY run_at LIMIT $2 {{skip locked}}`)
	claimJob  = db.Rows("job.claim", `UPDATE jobs SET state = 'running', attempts = attempts + 1, fence = jobs.fence + 1, run_at = r.lease, lease_until = r.lease FROM {{rows id text, fence bigint, lease bigint}} WHERE jobs.id = r.id AND jobs.fence = r.fence`)
	finishJob = db.Rows("job.finish", `UPDATE jobs SET state = r.state, run_at = r.run_at, attempts = r.attempts, error = r.error, done_at = r.done_at, lease_until = 0 FROM {{rows id text, fence bigint, state text, run_at bigint, attempts bigint, error text, done_at bigint}} WHERE jobs.id = r.id AND jobs.fence = r.fence AND jobs.state IN ('ready','running')`)
	// Looks at the oldest alone: what is old enough to go stands there, and what is done is most of the table.
	pruneJobs = db.SQL("job.prune", `DELETE FROM jobs WHERE id IN (SELECT id FROM (SELECT id, state, done_at FROM jobs WHERE state <> 'dead' ORDER BY id LIMIT $2) oldest WHERE state = 'done' AND done_at < $1)`)
	// In the words of the two indexes that leave out what is done.
	countJobs = db.SQL("job.count", `SELECT state, COUNT(*), MIN(run_at) FROM jobs WHERE state IN ('ready','running') GROUP BY state
UNION ALL SELECT state, COUNT(*), MIN(run_at) FROM jobs WHERE state = 'dead' GROUP BY state`)
	deadJobs  = db.SQL("job.dead", `SELECT id, kind, subject, payload, run_at, attempts, fence, error FROM jobs WHERE state = 'dead' ORDER BY id DESC LIMIT $1`)
	reviveJob = db.SQL("job.revive", `UPDATE jobs SET state = 'ready', run_at = $1, attempts = 0, error = '' WHERE id = $2 AND state = 'dead'`)
)

// Enqueue writes jobs. Their ids, attempts and fences are set here; a zero RunAt is now.
func Enqueue(ctx context.Context, tx *db.Tx, now time.Time, jobs ...Job) error {
	return tx.WriteAll(ctx, insertJob, len(jobs), func(i int, b *db.Binder) {
		j := jobs[i]
		if j.RunAt.IsZero() {
			j.RunAt = now
		}
		b.Text(string(id.New[id.Job]())).Text(j.Kind).Text(j.Subject).Text(j.Payload).Text("ready").Time(j.RunAt).
			Int(0).Int(0).Int(0).Text("").Time(now).Int(0)
	})
}

// Due locks up to n due jobs for work that is only the database's own: it is done, and
// recorded with Finish, which also counts the attempt, in the same transaction, and needs no
// lease.
func Due(ctx context.Context, tx *db.Tx, now time.Time, n int) ([]Job, error) {
	var due []Job
	err := tx.Query(ctx, dueJobs, func(scan func(...any) error) error {
		var j Job
		err := scan(&j.ID, &j.Kind, &j.Subject, &j.Payload, db.Time(&j.RunAt), &j.Attempts, &j.Fence)
		j.Attempts++
		due = append(due, j)
		return err
	}, db.Micros(now), n)
	return due, err
}

// Claim leases up to n due jobs for the given time. A job whose lease has run out is due
// again.
func Claim(ctx context.Context, tx *db.Tx, now time.Time, n int, lease time.Duration) ([]Job, error) {
	due, err := Due(ctx, tx, now, n)
	if err != nil {
		return nil, err
	}
	if err := tx.WriteAll(ctx, claimJob, len(due), func(i int, b *db.Binder) {
		b.Text(string(due[i].ID)).Int(due[i].Fence).Time(now.Add(lease))
	}); err != nil {
		return nil, err
	}
	for i := range due {
		due[i].Fence++
	}
	return due, nil
}

// Outcome is how one claimed job went.
type Outcome struct {
	Job Job
	Err error // nil: done
}

// Finish records outcomes. A job that another worker has claimed since is left to it.
func Finish(ctx context.Context, tx *db.Tx, now time.Time, outcomes []Outcome) error {
	_, err := tx.Write(ctx, finishJob, len(outcomes), func(i int, b *db.Binder) {
		o := outcomes[i]
		b.Text(string(o.Job.ID)).Int(o.Job.Fence)
		switch {
		case o.Err == nil:
			b.Text("done").Time(o.Job.RunAt).Int(o.Job.Attempts).Text("").Time(now)
		case o.Job.Attempts >= MaxAttempts:
			b.Text("dead").Time(now).Int(o.Job.Attempts).Text(clip(o.Err.Error())).Int(0)
		default:
			b.Text("ready").Time(now.Add(Delay(o.Job.Attempts))).Int(o.Job.Attempts).Text(clip(o.Err.Error())).Int(0)
		}
	})
	return err
}

func clip(s string) string {
	if len(s) > 500 {
		return s[:500]
	}
	return s
}

// Prune removes up to n jobs done before a moment and returns how many went.
func Prune(ctx context.Context, tx *db.Tx, before time.Time, n int) (int64, error) {
	return tx.Exec(ctx, pruneJobs, db.Micros(before), n)
}

// Depth is how many jobs wait, run and are dead, and when the oldest became due.
type Depth struct {
	Ready, Running, Dead int64
	Oldest               time.Time
}

// Waiting tells the depth of the queue.
func Waiting(ctx context.Context, tx *db.Tx) (Depth, error) {
	var d Depth
	err := tx.Query(ctx, countJobs, func(scan func(...any) error) error {
		var state string
		var n int64
		var oldest time.Time
		if err := scan(&state, &n, db.Time(&oldest)); err != nil {
			return err
		}
		switch state {
		case "ready":
			d.Ready, d.Oldest = n, oldest
		case "running":
			d.Running = n
		case "dead":
			d.Dead = n
		}
		return nil
	})
	return d, err
}

// Dead lists the newest jobs that were given up.
func Dead(ctx context.Context, tx *db.Tx, n int) ([]Job, error) {
	var out []Job
	err := tx.Query(ctx, deadJobs, func(scan func(...any) error) error {
		var j Job
		err := scan(&j.ID, &j.Kind, &j.Subject, &j.Payload, db.Time(&j.RunAt), &j.Attempts, &j.Fence, &j.Error)
		out = append(out, j)
		return err
	}, n)
	return out, err
}

// Revive has a dead job tried again from the start; it reports whether it was dead.
func Revive(ctx context.Context, tx *db.Tx, job id.Job, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, reviveJob, db.Micros(now), job)
	return n == 1, err
}
