package app

import (
	"context"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/idem"
	"hufu/internal/insight/audience"
	"hufu/internal/job"
	"hufu/internal/limit"
)

// duty is work that is looked for again and again. Any number of processes may do so:
// what is found is claimed in the database.
type duty struct {
	name  string
	every time.Duration
	do    func(ctx context.Context) (int, error)
}

// jobChunk is how many jobs are done in one transaction. On SQLite purchases wait for it: a
// hundred take about 7 ms.
const jobChunk = 100

func (a *App) duties() []duty {
	return []duty{
		{"jobs", 500 * time.Millisecond, func(ctx context.Context) (int, error) { return a.Flows.WorkJobs(ctx, jobChunk) }},
		{"expiry", time.Second, func(ctx context.Context) (int, error) { return a.Flows.ExpireDue(ctx, 1000) }},
		{"releases", time.Second, func(ctx context.Context) (int, error) { return a.Flows.ReleaseRights(ctx, jobChunk) }},
		{"refunds", time.Second, func(ctx context.Context) (int, error) { return a.Flows.SendRefunds(ctx, 50) }},
		{"silent payments", 5 * time.Second, func(ctx context.Context) (int, error) { return a.Flows.PollSilent(ctx, 100) }},
		{"imports", time.Second, func(ctx context.Context) (int, error) { return 0, a.Flows.RunImports(ctx) }},
		{"codes that ended", time.Minute, func(ctx context.Context) (int, error) { return a.Flows.ExpireCodes(ctx, 1000) }},
		{"customers counted", time.Second, a.walkCustomers},
		{"what is over", time.Minute, a.prune},
		{"old files", time.Hour, func(ctx context.Context) (int, error) { return 0, a.Flows.PruneImports(ctx) }},
	}
}

// How long is kept what only its time makes useful.
const (
	keepJobs    = 7 * 24 * time.Hour
	keepAnswers = 30 * 24 * time.Hour // of requests, by idempotency key
	pruneChunk  = 1000
)

// prune removes what is no longer of use: jobs that are done, answers to requests, limits
// whose window is over, sessions and codes that have ended.
func (a *App) prune(ctx context.Context) (int, error) {
	var jobs, answers, limits int64
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		now := a.Clock.Now()
		var err error
		if jobs, err = job.Prune(ctx, tx, now.Add(-keepJobs), pruneChunk); err != nil {
			return err
		}
		if answers, err = idem.Prune(ctx, tx, now.Add(-keepAnswers), pruneChunk); err != nil {
			return err
		}
		if limits, err = limit.Prune(ctx, tx, now, pruneChunk); err != nil {
			return err
		}
		return a.Identity.Prune(ctx, tx, now, pruneChunk)
	})
	return int(jobs + answers + limits), err
}

// walkChunk is how many customers are looked at in a second for the preview of who qualifies, and packed together: a
// look takes 30 ms of the writer, and a million customers are as of nine minutes ago.
const walkChunk = 2000

// walkCustomers keeps the read model of the preview. It pauses after every chunk.
func (a *App) walkCustomers(ctx context.Context) (int, error) {
	_, err := audience.Walk(ctx, a.DB, walkChunk, a.Clock.Now())
	return 0, err
}

// Work does the duties until ctx ends.
func (a *App) Work(ctx context.Context) {
	var all sync.WaitGroup
	for _, d := range a.duties() {
		all.Go(func() { a.keep(ctx, d) })
	}
	all.Wait()
}

// keep does one duty: at once again while there is something, and after a pause when there
// was nothing or it failed.
func (a *App) keep(ctx context.Context, d duty) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		n, err := d.do(ctx)
		if err != nil && ctx.Err() == nil {
			a.Log.Error("work failed and will be tried again", "duty", d.name, "error", err)
		}
		wait := d.every
		if err == nil && n >= 50 {
			wait = 0
		}
		pause.Reset(wait)
	}
}
