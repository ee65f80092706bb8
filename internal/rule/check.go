package rule

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// checker turns the parser's tree into nodes, and reports whatever rules may not say. It
// goes on after a problem, so that one saving shows several.
//
// The parser lets the two comparisons of 1 <= x <= 5 share their middle, so its tree is
// none: read without memory, nested chains would take time exponential in their depth.
type checker struct {
	*report
	v        *Vocabulary
	spans    map[ast.Node][2]int
	operands map[ast.Node]*side // nil for those that have problems
}

// comparisonsOf are the operators between two operands.
var comparisonsOf = map[string]comparison{"==": isEqual, "!=": isDifferent, "<": isLess, "<=": isAtMost, ">": isMore, ">=": isAtLeast,
	"contains": contains, "startsWith": starts, "endsWith": ends, "in": isOneOf}

// functions are the questions that are written as calls.
var functions = map[string]comparison{"hasAny": hasAny, "hasAll": hasAll, "hasNone": hasNone}

// condition reads what must be true or not; nil when it has problems.
func (c *checker) condition(n ast.Node) *node {
	from, to := c.span(n)
	switch n := n.(type) {
	case *ast.BoolNode:
		return &node{op: opConst, yes: n.Value, from: from, to: to}
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			kid := c.condition(n.Node)
			if kid == nil {
				return nil
			}
			_, binary := n.Node.(*ast.BinaryNode)
			infix := binary && n.Location() == n.Node.Location()
			return &node{op: opNot, kids: []*node{kid}, infix: infix, from: from, to: to}
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			return c.both(n, from, to)
		}
		if cmp, ok := comparisonsOf[n.Operator]; ok {
			return c.compare(n, cmp, from, to)
		}
	case *ast.IdentifierNode, *ast.MemberNode:
		if o := c.operand(n); o != nil {
			if o.kind == KindBool {
				return c.leaf(&leaf{cmp: isEqual, kind: KindBool, a: o.operand, b: fixed(Bool(true))}, from, to)
			}
			c.blame(from, to, "rule.not_condition")
		}
		return nil
	case *ast.CallNode:
		if name, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(n, name, from, to)
		}
	}
	if c.operand(n) != nil {
		c.blame(from, to, "rule.not_condition")
	}
	return nil
}

func (c *checker) leaf(l *leaf, from, to int) *node {
	l.index()
	return &node{op: opLeaf, leaf: l, from: from, to: to}
}

// both reads "and" and "or". The parser writes 1 <= x <= 5 as two comparisons that share
// their middle.
func (c *checker) both(n *ast.BinaryNode, from, to int) *node {
	l, r := c.condition(n.Left), c.condition(n.Right)
	if l == nil || r == nil {
		return nil
	}
	out := &node{op: opAnd, kids: []*node{l, r}, from: from, to: to}
	if n.Operator == "or" || n.Operator == "||" {
		out.op = opOr
		return out
	}
	left, ok := n.Left.(*ast.BinaryNode)
	right, also := n.Right.(*ast.BinaryNode)
	out.chain = ok && also && left.Right == right.Left
	return out
}

// side is one side of a comparison.
type side struct {
	operand
	kind     Kind
	list     []*side
	isList   bool
	from, to int
}

func (c *checker) compare(n *ast.BinaryNode, cmp comparison, from, to int) *node {
	l, r := c.operand(n.Left), c.operand(n.Right)
	if l == nil || r == nil {
		return nil
	}
	switch {
	case cmp == isOneOf:
		return c.membership(l, r, from, to)
	case l.isList || r.isList:
		list := l
		if r.isList {
			list = r
		}
		c.blame(list.from, list.to, "rule.list")
		return nil
	case l.known() && r.known():
		c.blame(from, to, "rule.constant")
		return nil
	case cmp == contains || cmp == starts || cmp == ends:
		switch {
		case l.ref >= 0 && l.kind == KindSet && cmp == contains:
			c.blame(from, to, "rule.set_contains")
		case l.ref < 0 || l.kind != KindText:
			c.blame(l.from, l.to, "rule.text_left", "op", n.Operator)
		case r.kind != KindText || !r.known():
			c.blame(r.from, r.to, "rule.text_right", "op", n.Operator)
		default:
			return c.leaf(&leaf{cmp: cmp, kind: KindText, a: l.operand, b: r.operand}, from, to)
		}
		return nil
	}
	if l.known() { // the fact stands on the left
		l, r, cmp = r, l, flipped[cmp]
	}
	if !c.agree(l, r) {
		return nil
	}
	if (cmp != isEqual && cmp != isDifferent) && (l.kind == KindText || l.kind == KindBool) || l.kind == KindSet {
		at, end := n.Location().From, n.Location().To
		switch l.kind {
		case KindText:
			c.blame(at, end, "rule.order_text")
		case KindBool:
			c.blame(at, end, "rule.order_bool")
		default:
			c.blame(from, to, "rule.set_contains")
		}
		return nil
	}
	return c.leaf(&leaf{cmp: cmp, kind: l.kind, a: l.operand, b: r.operand}, from, to)
}

// agree gives a written value the kind of the fact it is compared with, and reports sides
// that can't be compared.
func (c *checker) agree(l, r *side) bool {
	if r.known() && r.kind == KindText && (l.kind == KindTime || l.kind == KindAmount) {
		val, ok := typed(l.kind, r.val.text, c.v.zone)
		if !ok {
			c.blame(r.from, r.to, "rule.wants_"+l.kind.String(), "fact", c.text(l))
			return false
		}
		r.val, r.kind = val, l.kind
	}
	if l.kind != r.kind {
		c.blame(r.from, r.to, "rule.wants_"+l.kind.String(), "fact", c.text(l))
		return false
	}
	if l.ref >= 0 && r.known() && l.kind == KindText {
		return c.choice(c.v.facts[l.ref], r)
	}
	return true
}

// choice reports values that a fact with closed choices never has.
func (c *checker) choice(f Fact, r *side) bool {
	if _, ok := f.choice(r.val.text); ok || !f.Closed {
		return true
	}
	if near := f.nearValue(r.val.text); near != "" {
		c.blame(r.from, r.to, "rule.value_near", "fact", f.Name, "near", near)
		return false
	}
	c.blame(r.from, r.to, "rule.value", "fact", f.Name)
	return false
}

// membership reads "in": a fact in a list, or a text in a set.
func (c *checker) membership(l, r *side, from, to int) *node {
	switch {
	case l.isList:
		c.blame(l.from, l.to, "rule.list_left")
	case r.kind == KindSet && r.ref >= 0:
		if l.kind != KindText {
			c.blame(l.from, l.to, "rule.wants_member", "fact", c.text(r))
			return nil
		}
		if l.known() && !c.choice(c.v.facts[r.ref], l) {
			return nil
		}
		return c.leaf(&leaf{cmp: has, kind: KindSet, a: r.operand, b: l.operand}, from, to)
	case !r.isList:
		c.blame(r.from, r.to, "rule.in")
	case l.known():
		c.blame(from, to, "rule.constant")
	case l.kind != KindText && l.kind != KindNumber:
		c.blame(l.from, l.to, "rule.in_kind")
	default:
		if list, ok := c.members(l, r); ok {
			return c.leaf(&leaf{cmp: isOneOf, kind: l.kind, a: l.operand, b: fixed(Value{}), list: list}, from, to)
		}
	}
	return nil
}

// members reads the values of a list that a side is looked for in.
func (c *checker) members(l, r *side) (list []Value, ok bool) {
	if len(r.list) == 0 {
		c.blame(r.from, r.to, "rule.list_empty")
		return nil, false
	}
	ok = true
	for _, m := range r.list {
		if !m.known() {
			c.blame(m.from, m.to, "rule.list_fact")
			ok = false
			continue
		}
		ok = c.agree(l, m) && ok
		list = append(list, m.val)
	}
	return list, ok
}

// call reads hasAny(fact, ["a", "b"]) and its like.
func (c *checker) call(n *ast.CallNode, name *ast.IdentifierNode, from, to int) *node {
	cmp, ok := functions[name.Value]
	if !ok {
		if near := nearest(name.Value, []string{"hasAny", "hasAll", "hasNone"}); near != "" {
			c.blame(name.Location().From, name.Location().To, "rule.function_near", "near", near)
			return nil
		}
		c.blame(name.Location().From, name.Location().To, "rule.function")
		return nil
	}
	if len(n.Arguments) != 2 {
		c.blame(from, to, "rule.arguments", "name", name.Value)
		return nil
	}
	set, list := c.operand(n.Arguments[0]), c.operand(n.Arguments[1])
	if set == nil || list == nil {
		return nil
	}
	if set.ref < 0 || set.kind != KindSet || !list.isList {
		c.blame(from, to, "rule.arguments", "name", name.Value)
		return nil
	}
	if len(list.list) == 0 {
		c.blame(list.from, list.to, "rule.list_empty")
		return nil
	}
	var values []Value
	for _, m := range list.list {
		switch {
		case !m.known():
			c.blame(m.from, m.to, "rule.list_fact")
		case m.kind != KindText:
			c.blame(m.from, m.to, "rule.wants_member", "fact", c.text(set))
		case c.choice(c.v.facts[set.ref], m):
			values = append(values, m.val)
		}
	}
	if len(values) < len(list.list) {
		return nil
	}
	return c.leaf(&leaf{cmp: cmp, kind: KindSet, a: set.operand, b: fixed(Value{}), list: values}, from, to)
}

// operand reads a fact, a value, a list or a calculation; nil when it has problems.
func (c *checker) operand(n ast.Node) *side {
	s, read := c.operands[n]
	if !read {
		s = c.readOperand(n)
		c.operands[n] = s
	}
	if s == nil {
		return nil
	}
	own := *s // a comparison gives a written value its kind
	return &own
}

func (c *checker) readOperand(n ast.Node) *side {
	from, to := c.span(n)
	s := &side{operand: operand{ref: -1}, from: from, to: to}
	value := func(v Value) *side { s.val, s.kind = v, v.kind; return s }
	switch n := n.(type) {
	case *ast.IntegerNode:
		return c.numeral(s, float64(n.Value))
	case *ast.FloatNode:
		return c.numeral(s, n.Value)
	case *ast.StringNode:
		if !plainText(n.Value) {
			c.blame(from, to, "rule.encoding")
			return nil
		}
		return value(Text(n.Value))
	case *ast.BoolNode:
		return value(Bool(n.Value))
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.fact(n, s)
	case *ast.ArrayNode:
		s.isList = true
		for _, m := range n.Nodes {
			if member := c.operand(m); member != nil {
				if member.isList {
					c.blame(member.from, member.to, "rule.list_fact")
					return nil
				}
				s.list = append(s.list, member)
			} else {
				return nil
			}
		}
		return s
	case *ast.UnaryNode:
		if n.Operator == "-" {
			x := c.operand(n.Node)
			switch {
			case x == nil:
				return nil
			case x.kind != KindNumber || x.isList:
				c.blame(x.from, x.to, "rule.calculation", "op", n.Operator)
				return nil
			case x.known():
				return value(Number(-x.val.num))
			}
			s.kind, s.calc = KindNumber, &calc{op: '-', l: fixed(Number(0)), r: x.operand}
			return s
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/":
			return c.calculation(n, s)
		}
		if _, ok := comparisonsOf[n.Operator]; ok || n.Operator == "and" || n.Operator == "or" || n.Operator == "&&" || n.Operator == "||" {
			if c.condition(n) != nil {
				c.blame(from, to, "rule.compared_condition")
			}
			return nil
		}
	}
	c.banned(n, from, to)
	return nil
}

func (c *checker) numeral(s *side, x float64) *side {
	if tooLarge(x) {
		c.blame(s.from, s.to, "rule.number")
		return nil
	}
	s.val, s.kind = Number(x), KindNumber
	return s
}

// fact reads a name, with its dots.
func (c *checker) fact(n ast.Node, s *side) *side {
	name, ok := dotted(n)
	if !ok {
		c.blame(s.from, s.to, "rule.member")
		return nil
	}
	ref, known := c.v.index[name]
	if !known {
		if near := c.v.nearFact(name); near != "" {
			c.blame(s.from, s.to, "rule.unknown_fact_near", "near", near)
		} else {
			c.blame(s.from, s.to, "rule.unknown_fact")
		}
		return nil
	}
	s.ref, s.kind = ref, c.v.facts[ref].Kind
	return s
}

// dotted joins a.b.c. Members taken by an index, a slice or an optional chain are no names.
func dotted(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value, true
	case *ast.MemberNode:
		prop, ok := n.Property.(*ast.StringNode)
		if !ok || n.Optional || n.Method || prop.Location() != n.Location() {
			return "", false
		}
		head, ok := dotted(n.Node)
		return head + "." + prop.Value, ok
	}
	return "", false
}

func (c *checker) calculation(n *ast.BinaryNode, s *side) *side {
	l, r := c.operand(n.Left), c.operand(n.Right)
	if l == nil || r == nil {
		return nil
	}
	for _, x := range []*side{l, r} {
		if x.kind != KindNumber || x.isList {
			c.blame(x.from, x.to, "rule.calculation", "op", n.Operator)
			return nil
		}
	}
	if n.Operator == "/" && r.known() && r.val.num == 0 {
		c.blame(r.from, r.to, "rule.division")
		return nil
	}
	calc := &calc{op: n.Operator[0], l: l.operand, r: r.operand}
	s.kind = KindNumber
	if !l.known() || !r.known() {
		s.calc = calc
		return s
	}
	if s.val = calc.value(nil); s.val.kind == 0 || tooLarge(s.val.num) {
		c.blame(s.from, s.to, "rule.number")
		return nil
	}
	return s
}

// banned reports what the language doesn't have.
func (c *checker) banned(n ast.Node, from, to int) {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "matches":
			c.blame(from, to, "rule.matches")
			return
		case "..":
			c.blame(from, to, "rule.range")
			return
		}
		c.blame(n.Location().From, n.Location().To, "rule.operator")
	case *ast.UnaryNode:
		c.blame(n.Location().From, n.Location().To, "rule.operator")
	case *ast.CallNode:
		name, plain := n.Callee.(*ast.IdentifierNode)
		switch {
		case !plain:
			c.blame(from, to, "rule.function")
		case c.call(n, name, from, to) != nil:
			c.blame(from, to, "rule.compared_condition")
		}
	case *ast.BuiltinNode:
		c.blame(n.Location().From, n.Location().To, "rule.function")
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		c.blame(from, to, "rule.let")
	case *ast.ConditionalNode:
		c.blame(from, to, "rule.conditional")
	case *ast.NilNode:
		c.blame(from, to, "rule.nil")
	case *ast.MemberNode, *ast.ChainNode, *ast.SliceNode:
		c.blame(from, to, "rule.member")
	default:
		c.blame(from, to, "rule.syntax")
	}
}

// text is how the rule writes a side.
func (c *checker) text(s *side) string { return c.at(s.from, s.to).Piece }

// span is the stretch of text that a node was read from, as far as the parser tells.
func (c *checker) span(n ast.Node) (from, to int) {
	if n == nil {
		return 0, len(c.runes)
	}
	if s, ok := c.spans[n]; ok {
		return s[0], s[1]
	}
	defer func() { c.spans[n] = [2]int{from, to} }()
	from, to = n.Location().From, n.Location().To
	widen := func(kids ...ast.Node) {
		for _, k := range kids {
			if k != nil {
				f, t := c.span(k)
				from, to = min(from, f), max(to, t)
			}
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		widen(n.Node)
	case *ast.BinaryNode:
		widen(n.Left, n.Right)
	case *ast.MemberNode:
		widen(n.Node, n.Property)
		if n.Property.Location() != n.Location() {
			to = c.closed(to, ']')
		}
	case *ast.ChainNode:
		widen(n.Node)
	case *ast.SliceNode:
		widen(n.Node)
	case *ast.ConditionalNode:
		if !n.Ternary { // the parser doesn't place an if
			from, to = c.span(n.Cond)
		}
		widen(n.Cond, n.Exp1, n.Exp2)
	case *ast.ArrayNode:
		widen(n.Nodes...)
		to = c.closed(to, ']')
	case *ast.CallNode:
		widen(n.Callee)
		widen(n.Arguments...)
		to = c.closed(to, ')')
	case *ast.BuiltinNode:
		widen(n.Arguments...)
	case *ast.SequenceNode:
		widen(n.Nodes...)
	case *ast.VariableDeclaratorNode:
		widen(n.Value, n.Expr)
	}
	return from, to
}

// closed moves behind the bracket that ends a list or a call, over spaces and a comma.
func (c *checker) closed(to int, bracket rune) int {
	for i := max(to, 0); i < len(c.runes); i++ {
		switch r := c.runes[i]; {
		case r == bracket:
			return i + 1
		case !strings.ContainsRune(" \t\r\n,(", r):
			return to
		}
	}
	return to
}

// plainText reports whether a written text is one: within bounds, and of whole characters.
// No database keeps a zero byte in a text.
func plainText(s string) bool {
	return len(s) <= MaxTextBytes && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
