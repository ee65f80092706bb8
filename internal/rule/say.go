package rule

import (
	"fmt"
	"strings"

	"hufu/internal/i18n"
)

// speaker puts conditions in words.
type speaker struct {
	l       i18n.Lang
	v       *Vocabulary
	shopper bool // leaves out what private facts would tell
	runes   []rune
}

// The bounds of a sentence.
const (
	maxSaidWays   = 5  // alternatives
	maxSaidValues = 8  // of a list
	maxSaidText   = 60 // characters of a text
)

// alternatives says what would do, "" when nothing of it may be told.
func (s speaker) alternatives(ways [][]Finding) string {
	var said []string
	for _, way := range ways {
		var parts []string
		for _, f := range way {
			part := ""
			switch {
			case f.AnyOf != nil:
				if part = s.alternatives(f.AnyOf); part != "" {
					part = s.l.T("rule.say.group", "list", part)
				}
			case f.node.op == opLeaf:
				part = s.leaf(f.node.leaf, f.piece)
			}
			if part == "" { // a way that can't be told whole isn't told at all
				parts = nil
				break
			}
			parts = append(parts, part)
		}
		if parts == nil {
			continue
		}
		said = append(said, strings.Join(parts, s.l.T("rule.say.and")))
	}
	return s.ways(said)
}

func (s speaker) ways(said []string) string {
	switch {
	case len(said) == 0:
		return ""
	case len(said) == 1:
		return said[0]
	case len(said) > maxSaidWays:
		more := len(said) - maxSaidWays
		said = append(said[:maxSaidWays], s.l.T("rule.say.more_ways", "n", fmt.Sprint(more)))
	}
	return s.l.T("rule.say.any_of", "list", strings.Join(said, s.l.T("rule.say.or")))
}

// node says what a node asks for, to staff.
func (s speaker) node(n *node) string {
	switch n.op {
	case opConst:
		if n.yes {
			return s.l.T("rule.say.always")
		}
		return s.l.T("rule.say.never_clause")
	case opLeaf:
		return s.leaf(n.leaf, string(s.runes[n.from:n.to]))
	}
	var parts []string
	for _, k := range n.kids {
		part := s.node(k)
		if k.op == opOr {
			part = s.l.T("rule.say.group", "list", part)
		}
		parts = append(parts, part)
	}
	if n.op == opAnd {
		return strings.Join(parts, s.l.T("rule.say.and"))
	}
	return s.ways(parts)
}

// leaf says what a comparison wants, "" when the shopper may not know. Comparisons that
// calculate are quoted as they are written.
func (s speaker) leaf(l *leaf, piece string) string {
	var facts []Fact
	see := func(r Ref) { facts = append(facts, s.v.facts[r]) }
	l.a.refs(see)
	l.b.refs(see)
	for _, f := range facts {
		if s.shopper && (f.Private || l.a.calc != nil || l.b.calc != nil) {
			return ""
		}
	}
	if l.a.ref < 0 || l.b.calc != nil {
		return s.l.T("rule.say.formula", "text", piece)
	}
	fact := s.v.facts[l.a.ref]
	if l.kind == KindBool && l.b.known() {
		op := OpNo
		if (l.cmp == isEqual) == l.b.val.Bool() {
			op = OpYes
		}
		return s.l.T("rule.say."+string(op), "fact", s.label(fact))
	}
	key := "rule.say." + comparisonNames[l.cmp]
	if l.kind == KindTime {
		key = "rule.say.time." + comparisonNames[l.cmp]
	}
	return s.l.T(key, "fact", s.label(fact), "want", s.wanted(l, fact))
}

func (s speaker) wanted(l *leaf, fact Fact) string {
	switch {
	case l.list != nil:
		return s.value(fact, l.list...)
	case l.b.ref >= 0:
		return s.label(s.v.facts[l.b.ref])
	case l.cmp >= contains && l.cmp <= endsNot: // a piece of a text stands between quotation marks
		return s.value(fact, l.b.val)
	}
	return s.spaced(s.value(fact, l.b.val))
}

// spaced sets off a value in Latin letters or digits from the Chinese before it.
func (s speaker) spaced(value string) string {
	if s.l == i18n.ZH && value != "" && value[0] > ' ' && value[0] < 0x7f {
		return " " + value
	}
	return value
}

// label is the fact's name for who is spoken to.
func (s speaker) label(f Fact) string {
	if s.shopper {
		return s.l.T(f.Message + ".you")
	}
	return f.Label(s.l)
}

// value says values of a fact: amounts, times and counts as people read them.
func (s speaker) value(f Fact, vals ...Value) string {
	var parts []string
	add := func(text string) {
		if c, ok := f.choice(text); ok {
			text = c.In(s.l)
		}
		if r := []rune(text); len(r) > maxSaidText {
			text = string(r[:maxSaidText-1]) + "…"
		}
		parts = append(parts, text)
	}
	for _, v := range vals {
		switch v.kind {
		case KindSet:
			for _, m := range v.set {
				add(m)
			}
		case KindText:
			add(v.text)
		case KindAmount:
			parts = append(parts, v.Amount().String())
		case KindBool:
			parts = append(parts, s.l.T("rule.say.bool_"+v.written(nil)))
		case KindNumber:
			n := numeral(v.num)
			switch {
			case f.Unit == "":
				parts = append(parts, n)
			case v.num == 1:
				parts = append(parts, s.l.T(f.Unit+".one", "n", n))
			default:
				parts = append(parts, s.l.T(f.Unit, "n", n))
			}
		case KindTime:
			parts = append(parts, v.written(s.v.zone))
		default:
			parts = append(parts, s.l.T("rule.say.not_known"))
		}
	}
	return s.join(parts)
}

func (s speaker) join(parts []string) string {
	if len(parts) == 0 {
		return s.l.T("rule.say.nothing")
	}
	if len(parts) > maxSaidValues {
		list := strings.Join(parts[:maxSaidValues], s.l.T("rule.say.comma"))
		return s.l.T("rule.say.more_values", "list", list, "n", fmt.Sprint(len(parts)-maxSaidValues))
	}
	return strings.Join(parts, s.l.T("rule.say.comma"))
}
