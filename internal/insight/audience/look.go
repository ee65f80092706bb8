package audience

import (
	"time"

	"hufu/internal/identity"
	"hufu/internal/rule"
)

// look is rules that are asked of one customer after the other. Only what they read is told.
type look struct {
	rules   []*rule.Rule
	clauses []int // of each rule
	facts   *rule.Facts
	now     time.Time
	today   int64

	age, orders, active, level, tags, region rule.Ref // -1 for what no rule reads
	shared                                   []shared
}

// shared is what customers of one kind have.
type shared struct{ level, tags, region rule.Value }

// newLook begins to ask rules. It sets facts of the visit.
func newLook(rules []*rule.Rule, visit *rule.Facts, now time.Time) (*look, error) {
	l := &look{rules: rules, facts: visit, now: now, today: identity.Day(now)}
	for _, r := range rules {
		l.clauses = append(l.clauses, len(r.Clauses()))
	}
	for _, one := range []struct {
		name string
		ref  *rule.Ref
	}{
		{"customer.age_days", &l.age}, {"customer.orders", &l.orders}, {"customer.active_days_30", &l.active},
		{"customer.level", &l.level}, {"customer.tags", &l.tags}, {"region", &l.region},
	} {
		*one.ref = -1
		for _, r := range rules {
			if ref, there := visit.Ref(one.name); there && r.Reads(one.name) {
				*one.ref = ref
			}
		}
	}
	return l, visit.Set("customer.signed_in", rule.Bool(true))
}

// kinds takes what the customers of a stretch share. A region that isn't known is an unknown fact.
func (l *look) kinds(all []kindOf) {
	l.shared = l.shared[:0]
	for _, k := range all {
		s := shared{level: rule.Text(k.level), tags: rule.Set(k.tags.List()...)}
		if k.region != "" {
			s.region = rule.Text(k.region)
		}
		l.shared = append(l.shared, s)
	}
}

// tell sets what is known of a customer.
func (l *look) tell(p *packed) error {
	if l.age >= 0 {
		if err := l.facts.SetRef(l.age, rule.Int(max(l.today-p.createdDay, 0))); err != nil {
			return err
		}
	}
	if l.orders >= 0 {
		if err := l.facts.SetRef(l.orders, rule.Int(p.orders)); err != nil {
			return err
		}
	}
	if l.active >= 0 {
		days := identity.Traits{ActiveDay: p.activeDay, ActiveBits: p.activeBits}.ActiveDays(l.now)
		if err := l.facts.SetRef(l.active, rule.Int(days)); err != nil {
			return err
		}
	}
	s := &l.shared[p.kind]
	if l.level >= 0 {
		if err := l.facts.SetRef(l.level, s.level); err != nil {
			return err
		}
	}
	if l.tags >= 0 {
		if err := l.facts.SetRef(l.tags, s.tags); err != nil {
			return err
		}
	}
	if l.region >= 0 {
		return l.facts.SetRef(l.region, s.region)
	}
	return nil
}
