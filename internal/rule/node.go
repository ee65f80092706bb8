package rule

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Truth is the answer of a rule: No, Yes, or Unknown when facts that decide it aren't
// known. The answers combine as in Kleene's logic, which is also that of SQL's NULL.
type Truth uint8

// The answers.
const (
	No Truth = iota
	Yes
	Unknown
)

func (t Truth) String() string { return [...]string{"no", "yes", "unknown"}[t] }

func truth(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// nodeOp is what a node of a rule does.
type nodeOp uint8

const (
	opConst nodeOp = iota // yes
	opAnd
	opOr
	opNot // in the tree as written only, never in the one that is evaluated
	opLeaf
)

// node is a part of a rule that is true or not.
type node struct {
	op       nodeOp
	yes      bool
	kids     []*node
	leaf     *leaf
	from, to int  // characters of the text
	chain    bool // an opAnd written as one comparison: 1 <= fact <= 5
	infix    bool // an opNot written inside its comparison: fact not in [...]
}

// comparison is what a leaf asks.
type comparison uint8

const (
	isEqual comparison = iota
	isDifferent
	isLess
	isAtMost
	isMore
	isAtLeast
	isOneOf
	isNoneOf
	contains
	containsNot
	starts
	startsNot
	ends
	endsNot
	has
	hasNot
	hasAny
	hasNone
	hasAll
	lacksSome
)

// comparisonNames are the words of comparisons in message keys.
var comparisonNames = [...]string{"is", "is_not", "less_than", "at_most", "more_than", "at_least", "one_of", "none_of",
	"contains", "contains_not", "starts", "starts_not", "ends", "ends_not", "has", "has_not", "has_any", "has_none", "has_all", "lacks_some"}

// negated holds the comparison that is true where each is false.
var negated = [...]comparison{isDifferent, isEqual, isAtLeast, isMore, isAtMost, isLess, isNoneOf, isOneOf,
	containsNot, contains, startsNot, starts, endsNot, ends, hasNot, has, hasNone, hasAny, lacksSome, hasAll}

// flipped holds the comparison that asks the same with its sides exchanged.
var flipped = map[comparison]comparison{isEqual: isEqual, isDifferent: isDifferent, isLess: isMore, isMore: isLess, isAtMost: isAtLeast, isAtLeast: isAtMost}

// leaf compares an operand with another or with a list. A set stands on the left.
type leaf struct {
	cmp  comparison
	kind Kind // of what is compared; KindSet for questions about members
	a, b operand
	list []Value
	// one of these is filled for a list longer than shortList
	texts   map[string]struct{}
	numbers map[float64]struct{}
}

// shortList is how many values are looked through faster than looked up.
const shortList = 8

// operand is a fact, a value or, for numbers, a calculation.
type operand struct {
	ref  Ref   // of the fact, -1 for none
	val  Value // when there is neither fact nor calculation
	calc *calc
}

type calc struct {
	op   byte // + - * /
	l, r operand
}

func fixed(v Value) operand { return operand{ref: -1, val: v} }

// known reports whether the operand is a plain value.
func (o *operand) known() bool { return o.ref < 0 && o.calc == nil }

func (o *operand) get(vals []Value) *Value {
	if o.ref >= 0 {
		return &vals[o.ref]
	}
	if o.calc != nil {
		v := o.calc.value(vals)
		return &v
	}
	return &o.val
}

// value calculates; what isn't a finite number, such as a division by zero, is unknown.
func (c *calc) value(vals []Value) Value {
	l, r := c.l.number(vals), c.r.number(vals)
	switch c.op {
	case '+':
		return Number(l + r)
	case '-':
		return Number(l - r)
	case '*':
		return Number(l * r)
	}
	return Number(l / r)
}

// number is the operand's number, NaN when unknown: it stays so in any calculation.
func (o *operand) number(vals []Value) float64 {
	if o.ref >= 0 {
		if vals[o.ref].kind == 0 {
			return math.NaN()
		}
		return vals[o.ref].num
	}
	if o.calc != nil {
		v := o.calc.value(vals)
		if v.kind == 0 {
			return math.NaN()
		}
		return v.num
	}
	return o.val.num
}

// eval answers a node without opNot.
func (n *node) eval(vals []Value) Truth {
	switch n.op {
	case opLeaf:
		return n.leaf.eval(vals)
	case opAnd:
		all := Yes
		for _, k := range n.kids {
			switch k.eval(vals) {
			case No:
				return No
			case Unknown:
				all = Unknown
			}
		}
		return all
	case opOr:
		any := No
		for _, k := range n.kids {
			switch k.eval(vals) {
			case Yes:
				return Yes
			case Unknown:
				any = Unknown
			}
		}
		return any
	}
	return truth(n.yes)
}

func (l *leaf) eval(vals []Value) Truth {
	if l.kind == KindNumber && l.cmp <= isAtLeast { // by far the most, and without copies
		x, y := l.a.number(vals), l.b.number(vals)
		if x != x || y != y {
			return Unknown
		}
		return truth(l.cmp.holds(cmp.Compare(x, y)))
	}
	a := l.a.get(vals)
	if a.kind == 0 {
		return Unknown
	}
	if l.list != nil {
		return truth(l.listed(a))
	}
	b := l.b.get(vals)
	if b.kind == 0 {
		return Unknown
	}
	switch l.kind {
	case KindSet:
		return truth(slices.Contains(a.set, b.text) == (l.cmp == has))
	case KindText:
		switch l.cmp {
		case isEqual:
			return truth(a.text == b.text)
		case isDifferent:
			return truth(a.text != b.text)
		case contains, containsNot:
			return truth(strings.Contains(a.text, b.text) == (l.cmp == contains))
		case starts, startsNot:
			return truth(strings.HasPrefix(a.text, b.text) == (l.cmp == starts))
		}
		return truth(strings.HasSuffix(a.text, b.text) == (l.cmp == ends))
	case KindTime:
		// b may be a whole day: before it, after it, within it.
		switch {
		case a.int < b.int:
			return truth(l.cmp.holds(-1))
		case a.int >= b.till:
			return truth(l.cmp.holds(1))
		}
		return truth(l.cmp.holds(0))
	case KindAmount:
		if a.text != b.text {
			return Unknown
		}
	}
	return truth(l.cmp.holds(cmp.Compare(a.int, b.int))) // amounts and bools
}

// holds tells whether a comparison is true of two values in this order.
func (c comparison) holds(order int) bool {
	switch c {
	case isEqual:
		return order == 0
	case isDifferent:
		return order != 0
	case isLess:
		return order < 0
	case isAtMost:
		return order <= 0
	case isMore:
		return order > 0
	}
	return order >= 0
}

func (l *leaf) listed(a *Value) bool {
	switch l.cmp {
	case isOneOf, isNoneOf:
		return l.inList(a) == (l.cmp == isOneOf)
	case hasAll, lacksSome:
		for i := range l.list {
			if !slices.Contains(a.set, l.list[i].text) {
				return l.cmp == lacksSome
			}
		}
		return l.cmp == hasAll
	}
	member := Value{kind: KindText}
	for _, member.text = range a.set {
		if l.inList(&member) {
			return l.cmp == hasAny
		}
	}
	return l.cmp == hasNone
}

func (l *leaf) inList(v *Value) bool {
	switch {
	case l.texts != nil:
		_, ok := l.texts[v.text]
		return ok
	case l.numbers != nil:
		_, ok := l.numbers[v.num]
		return ok
	}
	for i := range l.list {
		if l.list[i].num == v.num && l.list[i].text == v.text {
			return true
		}
	}
	return false
}

// index prepares a long list for looking up.
func (l *leaf) index() {
	if len(l.list) <= shortList {
		return
	}
	if l.list[0].kind == KindNumber {
		l.numbers = make(map[float64]struct{}, len(l.list))
		for _, v := range l.list {
			l.numbers[v.num] = struct{}{}
		}
		return
	}
	l.texts = make(map[string]struct{}, len(l.list))
	for _, v := range l.list {
		l.texts[v.text] = struct{}{}
	}
}

// plain gives the tree that asks the same (or the opposite) without any opNot, by De
// Morgan's laws, with no group directly inside one of its kind and no constant in a group.
func (n *node) plain(opposite bool) *node {
	switch n.op {
	case opNot:
		return n.kids[0].plain(!opposite)
	case opConst:
		return &node{op: opConst, yes: n.yes != opposite, from: n.from, to: n.to}
	case opLeaf:
		if !opposite {
			return &node{op: opLeaf, leaf: n.leaf, from: n.from, to: n.to}
		}
		l := *n.leaf
		l.cmp = negated[l.cmp]
		return &node{op: opLeaf, leaf: &l, from: n.from, to: n.to}
	}
	out := &node{op: n.op, from: n.from, to: n.to}
	if opposite {
		out.op = opAnd + opOr - n.op
	}
	for _, k := range n.kids {
		switch k = k.plain(opposite); {
		case k.op == out.op:
			out.kids = append(out.kids, k.kids...)
		case k.op != opConst:
			out.kids = append(out.kids, k)
		case k.yes == (out.op == opOr): // decides the whole
			return k
		}
	}
	switch len(out.kids) {
	case 0:
		return &node{op: opConst, yes: out.op == opAnd, from: n.from, to: n.to}
	case 1:
		return out.kids[0]
	}
	return out
}

// refs calls see with each fact that a node reads.
func (n *node) refs(see func(Ref)) {
	for _, k := range n.kids {
		k.refs(see)
	}
	if n.leaf != nil {
		n.leaf.a.refs(see)
		n.leaf.b.refs(see)
	}
}

func (o *operand) refs(see func(Ref)) {
	if o.calc != nil {
		o.calc.l.refs(see)
		o.calc.r.refs(see)
	} else if o.ref >= 0 {
		see(o.ref)
	}
}
