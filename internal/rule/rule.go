package rule

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"hufu/internal/fault"
)

// Source is what is stored of a rule.
type Source struct {
	Text string
	// RefusalZH and RefusalEN are the author's own words to a shopper who doesn't
	// qualify. They take the place of the explanation; both are written or neither.
	RefusalZH, RefusalEN string
}

// MaxRefusal is the longest refusal of an author, in characters.
const MaxRefusal = 300

// Rule is a compiled rule. It doesn't change and is safe for concurrent use.
type Rule struct {
	v       *Vocabulary
	source  Source
	written *node   // as written, for the builder
	root    *node   // without opNot, for everything else
	clauses []*node // what must all be true: the root, or its parts when it is an "and"
	refs    []Ref   // of the facts it reads, ascending
	runes   []rune
}

// Compile reads a rule. What it refuses is a fault of kind Invalid whose fields say what is
// wrong where; Problems gives them with their places. It never panics, and takes time and
// memory in proportion to the text.
func (v *Vocabulary) Compile(s Source) (r *Rule, err error) {
	defer func() {
		if p := recover(); p != nil {
			whole := &report{runes: []rune(s.Text)}
			whole.blame(0, len(whole.runes), "rule.syntax")
			r, err = nil, whole.fault()
		}
	}()
	tree, report := source(s.Text)
	if tree == nil {
		return nil, report.fault()
	}
	c := checker{report: report, v: v, spans: map[ast.Node][2]int{}, operands: map[ast.Node]*side{}}
	written := c.condition(tree)
	if err := report.fault(); err != nil {
		return nil, err
	}
	zh, en := strings.TrimSpace(s.RefusalZH), strings.TrimSpace(s.RefusalEN)
	switch {
	case (zh == "") != (en == ""):
		return nil, fault.New(fault.Invalid, "rule.refusal_both")
	case utf8.RuneCountInString(zh) > MaxRefusal || utf8.RuneCountInString(en) > MaxRefusal:
		return nil, fault.New(fault.Invalid, "rule.refusal_long", "max", fmt.Sprint(MaxRefusal))
	}
	r = &Rule{v: v, source: Source{s.Text, zh, en}, written: written, root: written.plain(false), runes: report.runes}
	r.clauses = []*node{r.root}
	if r.root.op == opAnd {
		r.clauses = r.root.kids
	}
	r.root.refs(func(ref Ref) { r.refs = append(r.refs, ref) })
	slices.Sort(r.refs)
	r.refs = slices.Compact(r.refs)
	return r, nil
}

// Source is what the rule was compiled from.
func (r *Rule) Source() Source { return r.source }

// Needs lists the facts the rule reads, in the order of the vocabulary: a caller loads
// these and no others.
func (r *Rule) Needs() []string {
	names := make([]string, len(r.refs))
	for i, ref := range r.refs {
		names[i] = r.v.facts[ref].Name
	}
	return names
}

// Reads reports whether the rule reads a fact.
func (r *Rule) Reads(name string) bool {
	ref, ok := r.v.index[name]
	return ok && slices.Contains(r.refs, ref)
}

// Eval answers the rule for one case. A rule is Unknown when a fact that decides it isn't
// known: whoever it is asked for does not qualify, and Explain names the fact. It allocates
// nothing, and fails only with facts of another vocabulary, a mistake of the program.
func (r *Rule) Eval(f *Facts) (t Truth, err error) {
	if f == nil || f.v != r.v {
		return Unknown, fault.New(fault.Internal, "rule.other_vocabulary")
	}
	defer func() {
		if p := recover(); p != nil {
			t, err = Unknown, fault.New(fault.Internal, "rule.failed")
		}
	}()
	return r.root.eval(f.vals), nil
}
