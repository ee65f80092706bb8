package audience

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/rule"
)

// Answer is who would qualify.
type Answer struct {
	All, Qualify int64     // of the shop's active customers
	AsOf         time.Time // every customer is as of then, or later; zero before the first walk ended
	Samples      []id.Party
	Reasons      []Reason // in the order of the rules and of their clauses
}

// Reason is a clause of a rule and whom it leaves out, those of whom it isn't known counted in.
type Reason struct {
	Rule    int
	Clause  rule.Clause
	LeftOut int64
	Alone   int64 // those who meet every other clause of every rule
}

// sampleDepth is among how many customers samples are looked for, from the newest who
// qualifies back: a look over all would double the time of an answer.
const sampleDepth = 100_000

// Preview tells who would qualify by all of some rules, with up to n samples, the newest first.
// visit has what is the same for everybody: the channel, the moment, the stock. now is the
// moment that days are counted to.
func Preview(ctx context.Context, tx *db.Tx, rules []*rule.Rule, visit *rule.Facts, now time.Time, n int) (Answer, error) {
	a := Answer{}
	if _, err := tx.One(ctx, readWalk, []any{db.Time(&a.AsOf)}, walkName); err != nil {
		return a, err
	}
	for i, r := range rules {
		for _, c := range r.Clauses() {
			a.Reasons = append(a.Reasons, Reason{Rule: i, Clause: c})
		}
	}
	q := newQuery(now)
	if len(a.Reasons) > maxClauses || !q.clauses(rules, visit) {
		return a, a.stream(ctx, tx, rules, visit, now, n)
	}
	return a, a.ask(ctx, tx, q, n)
}

// ask answers by one query over all, and one for the samples.
func (a *Answer) ask(ctx context.Context, tx *db.Tx, q *query, n int) error {
	var newest string
	into := []any{&a.All, &a.Qualify, &newest}
	for i := range a.Reasons {
		into = append(into, &a.Reasons[i].LeftOut, &a.Reasons[i].Alone)
	}
	scan := func(scan func(...any) error) error { return scan(into...) }
	if err := tx.QueryMade(ctx, "audience.count", q.count(), scan, q.args...); err != nil || a.Qualify == 0 || n < 1 {
		return err
	}
	return tx.QueryMade(ctx, "audience.samples", q.samples(newest, n), func(scan func(...any) error) error {
		var p id.Party
		err := scan(&p)
		a.Samples = append(a.Samples, p)
		return err
	}, q.args...)
}

// stream answers customer by customer.
func (a *Answer) stream(ctx context.Context, tx *db.Tx, rules []*rule.Rule, visit *rule.Facts, now time.Time, n int) error {
	var unmet []int
	return tx.Query(ctx, rowsAll, func(scan func(...any) error) error {
		var c customer
		if err := scan(c.targets()...); err != nil {
			return err
		}
		if err := c.tell(visit, now); err != nil {
			return err
		}
		a.All++
		k, left := 0, 0
		last := -1
		for _, r := range rules {
			unmet = r.Unmet(visit, unmet[:0])
			for _, i := range unmet {
				a.Reasons[k+i].LeftOut++
				last = k + i
			}
			left += len(unmet)
			k += len(r.Clauses())
		}
		switch left {
		case 0:
			a.Qualify++
			if len(a.Samples) < n {
				a.Samples = append(a.Samples, c.party)
			}
		case 1:
			a.Reasons[last].Alone++
		}
		return nil
	})
}

var rowsAll = db.SQL("audience.rows", `SELECT `+customerColumns+` FROM insight_customers ORDER BY party_id DESC`)

// tell sets what is known of the customer; a region that isn't known becomes unknown again.
func (c *customer) tell(f *rule.Facts, now time.Time) error {
	region := rule.Value{}
	if c.Region != "" {
		region = rule.Text(c.Region)
	}
	for _, one := range []struct {
		name string
		v    rule.Value
	}{
		{"customer.signed_in", rule.Bool(true)}, {"customer.age_days", rule.Int(age(c.createdDay, now))}, {"customer.orders", rule.Int(c.orders)},
		{"customer.active_days_30", rule.Int(c.ActiveDays(now))}, {"customer.level", rule.Text(c.Level)}, {"customer.tags", rule.Set(c.Tags.List()...)}, {"region", region},
	} {
		if err := f.Set(one.name, one.v); err != nil {
			return err
		}
	}
	return nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// Visit is what is the same for everybody who comes by a channel at a moment. What else is the
// same for all may be set: the stock, the order.
func Visit(words *rule.Vocabulary, channel string, at time.Time) (*rule.Facts, error) {
	f := words.Facts()
	if channel != "" {
		if err := f.Set("channel", rule.Text(channel)); err != nil {
			return nil, err
		}
	}
	return f, f.SetMoment(at)
}
