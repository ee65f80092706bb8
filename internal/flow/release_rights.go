package flow

import (
	"context"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/id"
	"hufu/internal/job"
)

// releaseRetry is how long a right whose unit or code isn't there waits for another try.
const releaseRetry = 10 * time.Minute

// What is told to holders of what happened to their rights by itself; each is a job about an
// order.
const (
	JobReleased = "right.released"  // a part of it is there
	JobToChoose = "right.to_choose" // an option can be picked
)

// ReleaseRights does to up to n rights what is due, the earliest first, and returns to how
// many: it gives what has its day, asks for a pick or gives the default when the time for it
// is over, and ends what nobody began in time.
//
// What happened while nobody worked is done late, in order, and counts from then. A right
// whose unit or code isn't there stays promised: it is for a person to see to, and is tried
// again. Any number of processes may release side by side.
func (f *Flows) ReleaseRights(ctx context.Context, n int) (int, error) {
	done := 0
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		done = 0
		g := &giving{now: f.Clock.Now()}
		due, err := f.Rights.LockDue(ctx, tx, g.now, n)
		if err != nil || len(due) == 0 {
			return err
		}
		var ids []id.OfferVersion
		for _, r := range due {
			ids = append(ids, r.Version)
		}
		versions, err := f.Catalogue.Versions(ctx, tx, distinct(ids))
		if err != nil {
			return err
		}
		asked := map[id.Order]bool{}
		for _, r := range due {
			if g.due(r, versions[r.Version]) {
				asked[r.Order] = true
			}
		}
		short, err := f.releaseAll(ctx, tx, g)
		if err != nil {
			return err
		}
		done = len(due)
		return f.tellReleased(ctx, tx, g, short, asked)
	})
	return done, err
}

// due decides what happens to a right. It reports whether its holder is to pick now.
func (g *giving) due(r *entitlement.Right, v *catalogue.Version) bool {
	if r.State != entitlement.Waiting { // its validity was to begin by now
		g.takes = append(g.takes, entitlement.Take{Right: r, Kind: entitlement.StepExpired, Actor: "system", Data: `{"why":"not_begun"}`})
		return false
	}
	ch := v.Content.ChoiceOf(int(r.Part))
	if r.Waits == entitlement.WaitRelease && ch != nil && ch.Later {
		g.takes = append(g.takes, entitlement.Take{Right: r, Kind: entitlement.StepReleased, Actor: "system", Data: "{}"},
			entitlement.Take{Right: r, Kind: entitlement.StepWaiting, Waits: entitlement.WaitChoice, Due: g.now.AddDate(0, 0, int(ch.Days))})
		return true
	}
	one := given{right: r, step: entitlement.StepReleased, actor: "system", part: become(v, int(r.Part)), from: r.Part}
	if r.Waits == entitlement.WaitChoice {
		one.step = entitlement.StepChosen
	}
	begin(&one.part, v, r.GrantedAt, g.now)
	g.all = append(g.all, one)
	return false
}

// releaseAll gives what is due and writes it. It returns the rights that something is missing
// for.
func (f *Flows) releaseAll(ctx context.Context, tx *db.Tx, g *giving) ([]*entitlement.Right, error) {
	var short []*entitlement.Right
	if len(g.all) > 0 {
		if err := g.open(ctx, tx, f); err != nil {
			return nil, err
		}
		for _, one := range g.all {
			if !g.give(one) {
				short = append(short, one.right)
			}
		}
	}
	if err := g.save(ctx, tx, f); err != nil {
		return nil, err
	}
	return short, f.Rights.Postpone(ctx, tx, short, g.now.Add(releaseRetry))
}

// tellReleased has persons see to what is missing, and holders told of what they have got.
func (f *Flows) tellReleased(ctx context.Context, tx *db.Tx, g *giving, short []*entitlement.Right, asked map[id.Order]bool) error {
	var cases []exception.Case
	for _, r := range short {
		cases = append(cases, exception.Case{Kind: exception.Unreleased, Subject: string(r.ID), Order: r.Order, Detail: r.Waits})
	}
	if err := exception.Reopen(ctx, tx, g.now, cases...); err != nil {
		return err
	}
	var jobs []job.Job
	var over []string
	got := map[id.Order]bool{}
	for _, t := range g.takes {
		if t.Kind == entitlement.StepWaiting {
			continue
		}
		over = append(over, string(t.Right.ID))
		got[t.Right.Order] = got[t.Right.Order] || t.Kind != entitlement.StepExpired && t.Right.Waits != entitlement.WaitChoice
	}
	for _, o := range g.orders() {
		if got[o] {
			jobs = append(jobs, job.Job{Kind: JobReleased, Subject: string(o)})
		}
		if asked[o] {
			jobs = append(jobs, job.Job{Kind: JobToChoose, Subject: string(o)})
		}
	}
	if err := exception.ResolveAll(ctx, tx, g.now, exception.Unreleased, over, "released"); err != nil {
		return err
	}
	return job.Enqueue(ctx, tx, g.now, jobs...)
}
