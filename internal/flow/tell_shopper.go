package flow

import (
	"context"
	"fmt"
	"time"

	"hufu/internal/db"
	"hufu/internal/exception"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/job"
	"hufu/internal/notify"
	"hufu/internal/order"
)

// jobLease is how long a worker may take over one job before another may take it.
const jobLease = time.Minute

// WorkJobs does up to n jobs that are due and returns how many. What a job does to the
// database and that it is done are one transaction.
func (f *Flows) WorkJobs(ctx context.Context, n int) (int, error) {
	done := 0
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		due, err := job.Due(ctx, tx, f.Clock.Now(), n)
		if err != nil || len(due) == 0 {
			return err
		}
		done = len(due)
		return f.tellShoppers(ctx, tx, due)
	})
	if err == nil {
		return done, nil
	}
	return f.workAlone(ctx, n)
}

// workAlone does jobs one by one, so that the one at fault fails alone.
func (f *Flows) workAlone(ctx context.Context, n int) (int, error) {
	var claimed []job.Job
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		var err error
		claimed, err = job.Claim(ctx, tx, f.Clock.Now(), n, jobLease)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, j := range claimed {
		if err := f.DB.Do(ctx, func(tx *db.Tx) error { return f.tellShoppers(ctx, tx, []job.Job{j}) }); err != nil {
			if err := f.DB.Do(ctx, func(tx *db.Tx) error { return f.failJob(ctx, tx, j, err) }); err != nil {
				return 0, err
			}
		}
	}
	return len(claimed), nil
}

// failJob records that a job failed.
func (f *Flows) failJob(ctx context.Context, tx *db.Tx, j job.Job, cause error) error {
	return f.finishJobs(ctx, tx, []job.Outcome{{Job: j, Err: cause}})
}

// finishJobs records outcomes. A job that has failed for the last time is for a person to
// see to.
func (f *Flows) finishJobs(ctx context.Context, tx *db.Tx, outcomes []job.Outcome) error {
	now := f.Clock.Now()
	var dead []exception.Case
	for _, o := range outcomes {
		if j := o.Job; o.Err != nil && j.Attempts >= job.MaxAttempts {
			dead = append(dead, exception.Case{Kind: exception.DeadJob, Subject: string(j.ID), Detail: j.Kind + " " + j.Subject})
		}
	}
	if err := exception.Reopen(ctx, tx, now, dead...); err != nil {
		return err
	}
	return job.Finish(ctx, tx, now, outcomes)
}

// tellShoppers writes to the buyers of orders what happened to them: that their rights are
// there, were released, or wait for a pick.
func (f *Flows) tellShoppers(ctx context.Context, tx *db.Tx, jobs []job.Job) error {
	var ids []id.Order
	outcomes := make([]job.Outcome, len(jobs))
	for i, j := range jobs {
		outcomes[i].Job = j
		if noticeOf[j.Kind] == nil {
			outcomes[i].Err = fmt.Errorf("flow: no handler for jobs of kind %q", j.Kind)
			continue
		}
		ids = append(ids, id.Order(j.Subject))
	}
	orders, err := f.Orders.Get(ctx, tx, ids)
	if err != nil {
		return err
	}
	var messages []notify.Message
	for i, j := range jobs {
		o := orders[id.Order(j.Subject)]
		switch {
		case outcomes[i].Err != nil:
		case o == nil:
			outcomes[i].Err = fmt.Errorf("flow: no order %q", j.Subject)
		default:
			messages = append(messages, messagesOf(o, noticeOf[j.Kind](o))...)
		}
	}
	if err := notify.Write(ctx, tx, f.Clock.Now(), messages...); err != nil {
		return err
	}
	return f.finishJobs(ctx, tx, outcomes)
}

// noticeOf names, for each kind of job about an order, the message that its buyer gets.
var noticeOf = map[string]func(*order.Order) string{
	JobOrderPaid: func(o *order.Order) string { return "notice.order_" + string(o.State) },
	JobOverLimit: func(*order.Order) string { return "notice.order_over_limit" },
	JobReleased:  func(*order.Order) string { return "notice.right_released" },
	JobToChoose:  func(*order.Order) string { return "notice.right_to_choose" },
}

func messagesOf(o *order.Order, key string) []notify.Message {
	lang := i18n.Match(o.Lang)
	m := notify.Message{Template: key, Lang: string(lang), Order: o.ID, Subject: lang.T(key+".subject", "total", o.Total.String()),
		Body: lang.T(key+".body", "total", o.Total.String())}
	var out []notify.Message
	if o.Phone != "" {
		m.Channel, m.Target = "sms", o.Phone
		out = append(out, m)
	}
	if o.Email != "" {
		m.Channel, m.Target = "email", o.Email
		out = append(out, m)
	}
	return out
}
