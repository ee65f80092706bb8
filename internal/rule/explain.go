package rule

import (
	"slices"

	"hufu/internal/i18n"
)

// Explanation tells why a case does not qualify.
type Explanation struct {
	Truth Truth
	// Findings are the conditions of the rule that aren't met, in its order: at least one
	// unless the rule is Yes.
	Findings []Finding
	source   Source
}

// Finding is one condition that isn't met.
type Finding struct {
	Place   Place    // in the rule's text
	Facts   []string // that the condition reads
	Unknown []string // those of them that aren't known
	// AnyOf is set when it would do to meet one of several: what each of them lacks.
	AnyOf [][]Finding

	v     *Vocabulary
	node  *node
	piece string
	have  []Value // of Facts
}

// Explain answers the rule for one case and says what it doesn't meet. It fails as Eval does.
func (r *Rule) Explain(f *Facts) (Explanation, error) {
	t, err := r.Eval(f)
	if err != nil {
		return Explanation{Truth: Unknown}, err
	}
	e := Explanation{Truth: t, source: r.source}
	if t != Yes {
		e.Findings = r.unmet(r.root, f.vals)
	}
	return e, nil
}

// unmet finds what keeps a node, which isn't Yes, from being so.
func (r *Rule) unmet(n *node, vals []Value) []Finding {
	switch n.op {
	case opAnd:
		var all []Finding
		for _, k := range n.kids {
			if k.eval(vals) != Yes {
				all = append(all, r.unmet(k, vals)...)
			}
		}
		return all
	case opOr:
		f := r.finding(n, vals)
		for _, k := range n.kids {
			f.AnyOf = append(f.AnyOf, r.unmet(k, vals))
		}
		return []Finding{f}
	}
	return []Finding{r.finding(n, vals)}
}

func (r *Rule) finding(n *node, vals []Value) Finding {
	f := Finding{v: r.v, node: n, Place: (&report{runes: r.runes}).at(n.from, n.to)}
	f.piece = f.Place.Piece
	n.refs(func(ref Ref) {
		name := r.v.facts[ref].Name
		if slices.Contains(f.Facts, name) {
			return
		}
		f.Facts = append(f.Facts, name)
		f.have = append(f.have, vals[ref])
		if vals[ref].kind == 0 {
			f.Unknown = append(f.Unknown, name)
		}
	})
	return f
}

// Unknown lists the facts that were needed and aren't known, in the rule's order.
func (e Explanation) Unknown() []string {
	var names []string
	for _, f := range e.Findings {
		for _, name := range f.Unknown {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Staff says in l what isn't met, with what is wanted and what is, a sentence each. None when
// the rule is Yes.
func (e Explanation) Staff(l i18n.Lang) []string {
	var all []string
	for _, f := range e.Findings {
		all = append(all, f.Staff(l))
	}
	return all
}

// Shopper says the same to the shopper: in the author's words if there are any, else
// without what private facts would tell. None when the rule is Yes.
func (e Explanation) Shopper(l i18n.Lang) []string {
	if e.Truth == Yes {
		return nil
	}
	if e.source.RefusalZH != "" {
		return []string{l.Pick(e.source.RefusalZH, e.source.RefusalEN)}
	}
	var all []string
	for _, f := range e.Findings {
		if s := f.Shopper(l); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// Staff says in l what isn't met, to who may know everything.
func (f Finding) Staff(l i18n.Lang) string { return f.say(speaker{l: l, v: f.v}) }

// Shopper says it to the shopper.
func (f Finding) Shopper(l i18n.Lang) string {
	return f.say(speaker{l: l, v: f.v, shopper: true})
}

func (f Finding) say(s speaker) string {
	if f.node.op == opConst {
		return s.l.T("rule.say.never")
	}
	if f.AnyOf != nil {
		if want := s.alternatives(f.AnyOf); want != "" {
			return s.l.T("rule.say.refused", "want", want)
		}
		return s.l.T("rule.say.private")
	}
	want := s.leaf(f.node.leaf, f.piece)
	if want == "" {
		return s.l.T("rule.say.private")
	}
	if len(f.Unknown) > 0 {
		return s.l.T("rule.say.unknown", "want", want)
	}
	if have := f.actual(s); have != "" {
		return s.l.T("rule.say.refused_have", "want", want, "have", have)
	}
	return s.l.T("rule.say.refused", "want", want)
}

// actual says what the facts are; "" where the condition says so already.
func (f Finding) actual(s speaker) string {
	if f.node.leaf.kind == KindBool {
		return ""
	}
	var parts []string
	for i, name := range f.Facts {
		fact, _ := f.v.Fact(name)
		part := s.value(fact, f.have[i])
		if len(f.Facts) > 1 {
			part = s.l.T("rule.say.pair", "fact", s.label(fact), "value", part)
		}
		parts = append(parts, part)
	}
	return s.join(parts)
}

// Clause is one of the parts of a rule that must all hold.
type Clause struct {
	Place Place
	Facts []string
	f     Finding
	runes []rune
}

// Clauses are the parts of the rule that must all hold; the whole, when it isn't an "and".
func (r *Rule) Clauses() []Clause {
	all := make([]Clause, len(r.clauses))
	nothing := make([]Value, len(r.v.facts))
	for i, n := range r.clauses {
		f := r.finding(n, nothing)
		all[i] = Clause{Place: f.Place, Facts: f.Facts, f: f, runes: r.runes}
	}
	return all
}

// Say puts in words, to staff, what the clause asks for.
func (c Clause) Say(l i18n.Lang) string {
	return l.T("rule.say.clause", "want", speaker{l: l, v: c.f.v, runes: c.runes}.node(c.f.node))
}

// Describe puts the rule in words, to staff: a sentence for each clause.
func (r *Rule) Describe(l i18n.Lang) []string {
	var all []string
	for _, c := range r.Clauses() {
		all = append(all, c.Say(l))
	}
	return all
}
