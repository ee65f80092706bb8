package rule

import (
	"cmp"
	"slices"
	"strings"
)

// PredicateOp is what a predicate is made of.
type PredicateOp string

// The parts of a predicate.
const (
	PredicateAlways  PredicateOp = "always"
	PredicateNever   PredicateOp = "never"
	PredicateAnd     PredicateOp = "and"
	PredicateOr      PredicateOp = "or"
	PredicateCompare PredicateOp = "compare"
)

// Predicate is a rule in a form that a store can turn into a query: every leaf compares
// one fact with given values, and nothing is negated. An unknown fact is NULL: a
// comparison with it is neither true nor false, as in SQL.
//
// Compare has for
//   - numbers: OpIs, OpIsNot, OpAtLeast, OpAtMost, OpMoreThan, OpLessThan, OpOneOf, OpNoneOf
//   - texts: OpIs, OpIsNot, OpOneOf, OpNoneOf, OpContains, OpStarts, OpEnds and their negations, by letter case
//   - bools: OpYes, OpNo
//   - sets: OpHas, OpHasNot, OpHasAny, OpHasAll, OpHasNone, OpLacksSome
//   - times: OpAtLeast and OpLessThan alone; days have been resolved into moments
//   - amounts: as numbers, of minor units; an amount in another currency counts as unknown
type Predicate struct {
	Op      PredicateOp
	Kids    []Predicate
	Fact    string
	Kind    Kind
	Compare Op
	Values  []Value
}

// Predicate translates the rule; false when a leaf compares two facts or calculates.
func (r *Rule) Predicate() (Predicate, bool) { return r.v.predicate(r.root) }

func (v *Vocabulary) predicate(n *node) (Predicate, bool) {
	switch n.op {
	case opConst:
		return constant(n.yes), true
	case opLeaf:
		return v.compare(n.leaf)
	}
	p := Predicate{Op: PredicateAnd}
	if n.op == opOr {
		p.Op = PredicateOr
	}
	for _, k := range n.kids {
		kid, ok := v.predicate(k)
		if !ok {
			return Predicate{}, false
		}
		p.Kids = append(p.Kids, kid)
	}
	return p, true
}

func constant(yes bool) Predicate {
	if yes {
		return Predicate{Op: PredicateAlways}
	}
	return Predicate{Op: PredicateNever}
}

func (v *Vocabulary) compare(l *leaf) (Predicate, bool) {
	if l.a.ref < 0 || !l.b.known() {
		return Predicate{}, false
	}
	p := Predicate{Op: PredicateCompare, Fact: v.facts[l.a.ref].Name, Kind: v.facts[l.a.ref].Kind, Compare: l.cmp.op(), Values: l.list}
	if l.list == nil {
		p.Values = []Value{l.b.val}
	}
	switch p.Kind {
	case KindBool:
		p.Values, p.Compare = nil, OpNo
		if (l.cmp == isEqual) == l.b.val.Bool() {
			p.Compare = OpYes
		}
	case KindTime:
		return p.moments(l), true
	}
	return p, true
}

// moments resolves a comparison with a time, or with a day, into its first and last
// moments.
func (p Predicate) moments(l *leaf) Predicate {
	b := l.b.val
	side := func(op Op, us int64) Predicate {
		q := p
		q.Compare, q.Values = op, []Value{{kind: KindTime, int: us, till: us + 1}}
		return q
	}
	switch l.cmp {
	case isLess:
		return side(OpLessThan, b.int)
	case isAtLeast:
		return side(OpAtLeast, b.int)
	case isAtMost:
		return side(OpLessThan, b.till)
	case isMore:
		return side(OpAtLeast, b.till)
	case isEqual:
		return Predicate{Op: PredicateAnd, Kids: []Predicate{side(OpAtLeast, b.int), side(OpLessThan, b.till)}}
	}
	return Predicate{Op: PredicateOr, Kids: []Predicate{side(OpLessThan, b.int), side(OpAtLeast, b.till)}}
}

// Eval answers the predicate for one case. It is the reference for what a query made of it
// must find, and slower than Rule.Eval.
func (p Predicate) Eval(f *Facts) Truth {
	switch p.Op {
	case PredicateAlways:
		return Yes
	case PredicateNever:
		return No
	case PredicateCompare:
		return p.leaf(f.Get(p.Fact))
	}
	decides, all := No, Yes // of an "and"
	if p.Op == PredicateOr {
		decides, all = Yes, No
	}
	for _, k := range p.Kids {
		switch t := k.Eval(f); t {
		case decides:
			return decides
		case Unknown:
			all = Unknown
		}
	}
	return all
}

func (p Predicate) leaf(have Value) Truth {
	if have.kind == 0 {
		return Unknown
	}
	if p.Kind == KindBool {
		return truth(have.Bool() == (p.Compare == OpYes))
	}
	equals := func(w Value) bool { return w.num == have.num && w.text == have.text && w.int == have.int }
	member := func(w Value) bool { return slices.Contains(have.set, w.text) }
	want := p.Values[0]
	switch p.Compare {
	case OpOneOf:
		return truth(slices.ContainsFunc(p.Values, equals))
	case OpNoneOf:
		return truth(!slices.ContainsFunc(p.Values, equals))
	case OpContains:
		return truth(strings.Contains(have.text, want.text))
	case OpContainsNot:
		return truth(!strings.Contains(have.text, want.text))
	case OpStarts:
		return truth(strings.HasPrefix(have.text, want.text))
	case OpStartsNot:
		return truth(!strings.HasPrefix(have.text, want.text))
	case OpEnds:
		return truth(strings.HasSuffix(have.text, want.text))
	case OpEndsNot:
		return truth(!strings.HasSuffix(have.text, want.text))
	case OpHas, OpHasAny:
		return truth(slices.ContainsFunc(p.Values, member))
	case OpHasNot, OpHasNone:
		return truth(!slices.ContainsFunc(p.Values, member))
	case OpHasAll, OpLacksSome:
		lacks := slices.ContainsFunc(p.Values, func(w Value) bool { return !member(w) })
		return truth(lacks == (p.Compare == OpLacksSome))
	}
	if p.Kind == KindAmount && have.text != want.text {
		return Unknown
	}
	order := cmp.Or(cmp.Compare(have.num, want.num), cmp.Compare(have.int, want.int), strings.Compare(have.text, want.text))
	switch p.Compare {
	case OpIs:
		return truth(order == 0)
	case OpIsNot:
		return truth(order != 0)
	case OpLessThan:
		return truth(order < 0)
	case OpAtMost:
		return truth(order <= 0)
	case OpMoreThan:
		return truth(order > 0)
	}
	return truth(order >= 0)
}

// Given settles what is decided by facts that are the same for all cases, such as the
// channel and the time, and leaves a predicate over the others. Facts that f doesn't know
// stay in it.
func (p Predicate) Given(f *Facts) Predicate {
	switch p.Op {
	case PredicateCompare:
		if t := p.Eval(f); t != Unknown {
			return constant(t == Yes)
		}
		return p
	case PredicateAnd, PredicateOr:
		decides := PredicateNever
		if p.Op == PredicateOr {
			decides = PredicateAlways
		}
		out := Predicate{Op: p.Op}
		for _, k := range p.Kids {
			switch k = k.Given(f); {
			case k.Op == decides:
				return k
			case k.Op == PredicateAlways || k.Op == PredicateNever:
			case k.Op == out.Op:
				out.Kids = append(out.Kids, k.Kids...)
			default:
				out.Kids = append(out.Kids, k)
			}
		}
		switch len(out.Kids) {
		case 0:
			return constant(p.Op == PredicateAnd)
		case 1:
			return out.Kids[0]
		}
		return out
	}
	return p
}

// Facts lists the facts that the predicate compares, each once, sorted.
func (p Predicate) Facts() []string {
	var names []string
	var walk func(Predicate)
	walk = func(p Predicate) {
		if p.Op == PredicateCompare {
			names = append(names, p.Fact)
		}
		for _, k := range p.Kids {
			walk(k)
		}
	}
	walk(p)
	slices.Sort(names)
	return slices.Compact(names)
}
