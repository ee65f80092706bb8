package rule

import (
	"unicode"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// Parse shows a text in the builder. It is false for what the builder has no form for:
// comparisons of two facts, calculations, comments, and texts that are no rules. The
// builder it gives is in its normal form, and its Text asks exactly the same.
func (v *Vocabulary) Parse(text string) (Builder, bool) {
	r, err := v.Compile(Source{Text: text})
	if err != nil || commented(text) {
		return Builder{}, false
	}
	if r.written.op == opConst {
		return Builder{Mode: All}, r.written.yes
	}
	b, ok := v.show(r.written)
	if !ok {
		return Builder{}, false
	}
	b, err = v.Normal(b)
	if err != nil {
		return Builder{}, false
	}
	if _, err := v.Text(b); err != nil {
		return Builder{}, false
	}
	return b, true
}

// show gives a node as a group.
func (v *Vocabulary) show(n *node) (b Builder, ok bool) {
	if c, ok := v.condition(n); ok {
		return Builder{Mode: All, Items: []Item{{Condition: c}}}, true
	}
	kids := n.kids
	switch n.op {
	case opAnd:
		b.Mode = All
	case opOr:
		b.Mode = Any
	case opNot:
		b.Mode = None
	default:
		return b, false
	}
	for _, k := range kids {
		g, ok := v.show(k)
		if !ok {
			return b, false
		}
		// Long chains of "and" and "or" are deep on their left; they are no groups of their own.
		if g.Mode == b.Mode && g.Mode != None || g.Mode == All && len(g.Items) == 1 {
			b.Items = append(b.Items, g.Items...)
		} else {
			b.Items = append(b.Items, Item{Group: &g})
		}
	}
	return b, true
}

// condition shows a node as one condition, if it can be.
func (v *Vocabulary) condition(n *node) (Condition, bool) {
	switch {
	case n.op == opLeaf:
		return v.simple(n.leaf)
	case n.op == opNot && n.infix:
		if k := n.kids[0]; k.op == opLeaf {
			l := *k.leaf
			l.cmp = negated[l.cmp]
			return v.simple(&l)
		}
	case n.op == opAnd && n.chain:
		low, high := n.kids[0], n.kids[1]
		if low.op == opLeaf && high.op == opLeaf && low.leaf.cmp == isAtLeast && high.leaf.cmp == isAtMost && low.leaf.a.ref == high.leaf.a.ref {
			a, ok := v.simple(low.leaf)
			b, also := v.simple(high.leaf)
			return Condition{Fact: a.Fact, Op: OpBetween, Values: append(a.Values, b.Values...)}, ok && also
		}
	}
	return Condition{}, false
}

// simple shows a comparison of a fact with written values.
func (v *Vocabulary) simple(l *leaf) (Condition, bool) {
	if l.a.ref < 0 || !l.b.known() {
		return Condition{}, false
	}
	c := Condition{Fact: v.facts[l.a.ref].Name, Op: l.cmp.op()}
	if l.kind == KindBool {
		c.Op = OpNo
		if (l.cmp == isEqual) == l.b.val.Bool() {
			c.Op = OpYes
		}
		return c, true
	}
	values := l.list
	if values == nil {
		values = []Value{l.b.val}
	}
	for _, val := range values {
		c.Values = append(c.Values, val.written(v.zone))
	}
	return c, true
}

// commented reports whether there is more between the words of a text than spaces.
func commented(text string) bool {
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		return true
	}
	runes, at := []rune(text), 0
	for _, t := range tokens {
		if t.Is(lexer.EOF) {
			break
		}
		for ; at < t.From; at++ {
			if !unicode.IsSpace(runes[at]) {
				return true
			}
		}
		at = t.To
	}
	for ; at < len(runes); at++ {
		if !unicode.IsSpace(runes[at]) {
			return true
		}
	}
	return false
}
