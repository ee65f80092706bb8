package rule

import (
	"fmt"
	"slices"
	"strings"

	"hufu/internal/fault"
)

// Mode is how the items of a group count together.
type Mode string

// The modes of a group.
const (
	All  Mode = "all"  // every item holds
	Any  Mode = "any"  // at least one holds
	None Mode = "none" // none holds
)

// Modes lists them.
var Modes = []Mode{All, Any, None}

// Builder is a rule as a form shows it: a group of conditions and of further groups. The
// zero Builder asks for nothing, and everybody qualifies.
type Builder struct {
	Mode  Mode
	Items []Item
}

// Item is a condition, or a group when Group is set.
type Item struct {
	Condition
	Group *Builder
}

// Condition asks one thing of one fact. Values are written as a person writes them:
// 3, gold, 2026-11-11, 2026-11-11 10:00, 99.00 CNY.
type Condition struct {
	Fact   string
	Op     Op
	Values []string
}

// MaxDepth is how deeply groups may be nested in the builder.
const MaxDepth = 8

// Normal checks a builder and gives its one form that means the same: no group is empty,
// alone in its group or directly inside one that counts alike, and values are written in
// their shortest way. What is wrong is a fault of kind Invalid whose fields have paths such
// as items[0].items[2].values[1].
func (v *Vocabulary) Normal(b Builder) (Builder, error) {
	e := fault.New(fault.Invalid, "rule.builder")
	out := v.normal(b, "", 1, e)
	if len(e.Fields) > 0 {
		return Builder{}, e
	}
	return out, nil
}

func (v *Vocabulary) normal(b Builder, path string, depth int, e *fault.Error) Builder {
	out := Builder{Mode: b.Mode}
	if out.Mode == "" {
		out.Mode = All
	}
	if !slices.Contains(Modes, out.Mode) {
		e.At(path+"mode", "rule.item_mode")
	}
	if depth > MaxDepth {
		e.At(strings.TrimSuffix(path, "."), "rule.item_deep", "max", fmt.Sprint(MaxDepth))
		return Builder{Mode: All}
	}
	for i, item := range b.Items {
		at := fmt.Sprintf("%sitems[%d].", path, i)
		if item.Group == nil {
			out.Items = append(out.Items, Item{Condition: v.normalCondition(item.Condition, at, e)})
			continue
		}
		g := v.normal(*item.Group, at, depth+1, e)
		if g.Mode == out.Mode && g.Mode != None || g.Mode == Any && out.Mode == None || g.Mode == All && len(g.Items) < 2 {
			out.Items = append(out.Items, g.Items...)
		} else {
			out.Items = append(out.Items, Item{Group: &g})
		}
	}
	switch {
	case len(out.Items) == 0:
		return Builder{Mode: All}
	case len(out.Items) == 1 && out.Mode != None:
		if g := out.Items[0].Group; g != nil {
			return *g
		}
		out.Mode = All
	}
	return out
}

func (v *Vocabulary) normalCondition(c Condition, at string, e *fault.Error) Condition {
	f, ok := v.Fact(c.Fact)
	if !ok {
		e.At(at+"fact", "rule.item_fact", "fact", c.Fact)
		return c
	}
	if !slices.Contains(opsOf[f.Kind], c.Op) {
		e.At(at+"op", "rule.item_op", "fact", c.Fact)
		return c
	}
	if low, high := c.Op.Values(); len(c.Values) < low || len(c.Values) > high {
		e.At(at+"values", "rule.item_values", "count", fmt.Sprint(low))
		return c
	}
	out := Condition{Fact: c.Fact, Op: c.Op}
	for i, s := range c.Values {
		val, ok := v.Value(c.Fact, s)
		if !ok {
			path := fmt.Sprintf("%svalues[%d]", at, i)
			if near := f.nearValue(s); f.Closed && near != "" {
				e.At(path, "rule.item_value_near", "value", s, "near", near)
			} else {
				e.At(path, "rule.item_value_"+f.Kind.String(), "value", s)
			}
		}
		out.Values = append(out.Values, val.written(v.zone))
	}
	return out
}

// Text writes a builder in the language, in one canonical way. It fails as Normal does, and
// when the text would be over the bounds of a rule.
func (v *Vocabulary) Text(b Builder) (string, error) {
	n, err := v.Normal(b)
	if err != nil {
		return "", err
	}
	text := "true"
	if len(n.Items) > 0 {
		text = v.group(n)
	}
	if len(text) > MaxBytes {
		return "", fault.New(fault.Invalid, "rule.builder").At("items", "rule.too_long", "max", fmt.Sprint(MaxBytes))
	}
	if _, err := v.Compile(Source{Text: text}); err != nil {
		return "", err
	}
	return text, nil
}

func (v *Vocabulary) group(b Builder) string {
	parts := make([]string, len(b.Items))
	for i, item := range b.Items {
		switch {
		case item.Group == nil:
			parts[i] = v.conditionText(item.Condition)
		case item.Group.Mode == None:
			parts[i] = v.group(*item.Group)
		default:
			parts[i] = "(" + v.group(*item.Group) + ")"
		}
	}
	switch b.Mode {
	case Any:
		return strings.Join(parts, " or ")
	case None:
		if len(parts) == 1 { // a group brings its own brackets, but "not not" needs them too
			return "not (" + strings.TrimSuffix(strings.TrimPrefix(parts[0], bracket(b, "(")), bracket(b, ")")) + ")"
		}
		return "not (" + strings.Join(parts, " or ") + ")"
	}
	return strings.Join(parts, " and ")
}

// bracket is the bracket around the only item of a group, "" when it has none.
func bracket(b Builder, s string) string {
	if g := b.Items[0].Group; g == nil || g.Mode == None {
		return ""
	}
	return s
}

// infixOf is how the language writes an operator between a fact and a value.
var infixOf = map[Op]string{OpIs: "==", OpIsNot: "!=", OpAtLeast: ">=", OpAtMost: "<=", OpMoreThan: ">", OpLessThan: "<",
	OpContains: "contains", OpContainsNot: "not contains", OpStarts: "startsWith", OpStartsNot: "not startsWith",
	OpEnds: "endsWith", OpEndsNot: "not endsWith", OpOneOf: "in", OpNoneOf: "not in"}

func (v *Vocabulary) conditionText(c Condition) string {
	f, _ := v.Fact(c.Fact)
	values := make([]string, len(c.Values))
	for i, s := range c.Values {
		values[i] = s
		if f.Kind != KindNumber {
			values[i] = quoted(s)
		}
	}
	list := "[" + strings.Join(values, ", ") + "]"
	switch c.Op {
	case OpYes:
		return c.Fact + " == true"
	case OpNo:
		return c.Fact + " == false"
	case OpBetween:
		return values[0] + " <= " + c.Fact + " <= " + values[1]
	case OpHas:
		return values[0] + " in " + c.Fact
	case OpHasNot:
		return values[0] + " not in " + c.Fact
	case OpHasAny:
		return "hasAny(" + c.Fact + ", " + list + ")"
	case OpHasAll:
		return "hasAll(" + c.Fact + ", " + list + ")"
	case OpHasNone:
		return "hasNone(" + c.Fact + ", " + list + ")"
	case OpOneOf, OpNoneOf:
		return c.Fact + " " + infixOf[c.Op] + " " + list
	}
	return c.Fact + " " + infixOf[c.Op] + " " + values[0]
}

// quoted writes a text as the language reads it.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
