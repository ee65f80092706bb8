package audience

import (
	"context"
	"slices"
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

// stretches are in the order of ids, the newest first.
var stretches = db.SQL("audience.stretches", `SELECT facts FROM insight_customers ORDER BY after_id DESC`)

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
	l, err := newLook(rules, visit, now)
	if err != nil {
		return a, err
	}
	return a, tx.Query(ctx, stretches, func(scan func(...any) error) error {
		var b []byte
		if err := scan(&b); err != nil {
			return err
		}
		return a.count(l, b, n)
	})
}

// count counts the customers of a stretch.
func (a *Answer) count(l *look, stretch []byte, n int) error {
	r, err := unpack(stretch)
	if err != nil {
		return err
	}
	l.kinds(r.kinds)
	var unmet []int
	var qualify []id.Party // the last of them, as many as samples are wanted
	for p := (packed{}); ; {
		more, err := r.next(&p)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := l.tell(&p); err != nil {
			return err
		}
		a.All++
		k, left, last := 0, 0, 0
		for i, r := range l.rules {
			unmet = r.Unmet(l.facts, unmet[:0])
			for _, c := range unmet {
				a.Reasons[k+c].LeftOut++
				last = k + c
			}
			left += len(unmet)
			k += l.clauses[i]
		}
		switch left {
		case 0:
			a.Qualify++
			if want := n - len(a.Samples); want > 0 {
				if len(qualify) == want {
					qualify = append(qualify[:0], qualify[1:]...)
				}
				qualify = append(qualify, id.Party(p.party))
			}
		case 1:
			a.Reasons[last].Alone++
		}
	}
	slices.Reverse(qualify)
	a.Samples = append(a.Samples, qualify...)
	return nil
}

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
