package app

import (
	"context"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/job"
)

// duty is work that is looked for again and again. Any number of processes may do so:
// what is found is claimed in the database.
type duty struct {
	name  string
	every time.Duration
	do    func(ctx context.Context) (int, error)
}

func (a *App) duties() []duty {
	return []duty{
		{"jobs", 500 * time.Millisecond, func(ctx context.Context) (int, error) { return a.Flows.WorkJobs(ctx, 500) }},
		{"expiry", time.Second, func(ctx context.Context) (int, error) { return a.Flows.ExpireDue(ctx, 200) }},
		{"refunds", time.Second, func(ctx context.Context) (int, error) { return a.Flows.SendRefunds(ctx, 50) }},
		{"silent payments", 5 * time.Second, func(ctx context.Context) (int, error) { return a.Flows.PollSilent(ctx, 100) }},
		{"imports", time.Second, func(ctx context.Context) (int, error) { return 0, a.Flows.RunImports(ctx) }},
		{"codes that ended", time.Minute, func(ctx context.Context) (int, error) { return a.Flows.ExpireCodes(ctx, 1000) }},
		{"old jobs", time.Minute, a.prune},
		{"old files", time.Hour, func(ctx context.Context) (int, error) { return 0, a.Flows.PruneImports(ctx) }},
	}
}

// keepJobs is how long done jobs are kept.
const keepJobs = 7 * 24 * time.Hour

func (a *App) prune(ctx context.Context) (int, error) {
	var n int64
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		n, err = job.Prune(ctx, tx, a.Clock.Now().Add(-keepJobs), 1000)
		return err
	})
	return int(n), err
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
