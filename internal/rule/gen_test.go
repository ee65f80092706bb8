package rule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var shanghai = func() *time.Location {
	z, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return z
}()

// words is the vocabulary of the tests: all kinds, closed and open, private and not.
var words = func() *Vocabulary {
	v, err := Issuing(shanghai, map[string][]Choice{
		"customer.level": {{Value: "plain", ZH: "普通", EN: "Plain"}, {Value: "silver", ZH: "银卡", EN: "Silver"}, {Value: "gold", ZH: "金卡", EN: "Gold"}},
	})
	if err != nil {
		panic(err)
	}
	return v
}()

func compiled(t interface{ Fatalf(string, ...any) }, text string) *Rule {
	r, err := words.Compile(Source{Text: text})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

func answer(t interface{ Fatalf(string, ...any) }, r *Rule, f *Facts) Truth {
	got, err := r.Eval(f)
	if err != nil {
		t.Fatalf("%s: %v", r.Source().Text, err)
	}
	return got
}

// The values are few, so that comparisons meet their bounds often.
var (
	someNumbers = []string{"0", "1", "2", "3", "5", "-1", "0.5", "100"}
	someTexts   = []string{"", "a", "ab", "b", "vip", "quote\"d", "back\\slash", "两字", "line\nbreak", "tab\t\u007f"}
	someTimes   = []string{"2026-11-10", "2026-11-11", "2026-11-11 00:00", "2026-11-11 10:00", "2026-11-11 23:59:59", "2026-11-12", "2026-11-11T10:00:00.000001+08:00"}
	someAmounts = []string{"0.00 CNY", "99.00 CNY", "99.01 CNY", "99.00 USD", "-1.00 CNY", "99 JPY"}
)

func valuesFor(f Fact) []string {
	switch {
	case f.Closed:
		var all []string
		for _, c := range f.Choices {
			all = append(all, c.Value)
		}
		return all
	case f.Kind == KindNumber:
		return someNumbers
	case f.Kind == KindTime:
		return someTimes
	case f.Kind == KindAmount:
		return someAmounts
	}
	return someTexts
}

func genFact(t *rapid.T) Fact { return rapid.SampledFrom(words.facts).Draw(t, "fact") }

func genCondition(t *rapid.T) Condition {
	f := genFact(t)
	c := Condition{Fact: f.Name, Op: rapid.SampledFrom(f.Kind.Ops()).Draw(t, "op")}
	low, high := c.Op.Values()
	for range rapid.IntRange(low, min(high, low+11)).Draw(t, "values") {
		c.Values = append(c.Values, rapid.SampledFrom(valuesFor(f)).Draw(t, "value"))
	}
	return c
}

func genBuilder(t *rapid.T, depth int) Builder {
	b := Builder{Mode: rapid.SampledFrom(Modes).Draw(t, "mode")}
	for range rapid.IntRange(0, 3).Draw(t, "items") {
		if depth > 0 && rapid.IntRange(0, 2).Draw(t, "nest") == 0 {
			g := genBuilder(t, depth-1)
			b.Items = append(b.Items, Item{Group: &g})
		} else {
			b.Items = append(b.Items, Item{Condition: genCondition(t)})
		}
	}
	return b
}

// genLeaf writes a condition in ways the builder doesn't.
func genLeaf(t *rapid.T) string {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	number := func() string {
		return pick("number", append([]string{"customer.orders", "customer.age_days", "stock.available"}, someNumbers...)...)
	}
	order := func() string { return pick("order", "==", "!=", "<", "<=", ">", ">=") }
	switch rapid.IntRange(0, 9).Draw(t, "leaf") {
	case 0:
		return "customer.orders " + order() + " " + number()
	case 1:
		return number() + " " + order() + " customer.age_days"
	case 2:
		sign, calc, by := pick("sign", "", "-"), pick("calc", "+", "-", "*", "/"), number()
		if calc == "/" && by == "0" {
			by = "stock.available"
		}
		return sign + "customer.orders " + calc + " " + by + " " + order() + " " + number()
	case 3:
		return pick("bool", "customer.signed_in", "!customer.signed_in", "customer.signed_in != true", "false == customer.signed_in")
	case 4:
		return "now " + order() + " " + quoted(pick("time", someTimes...))
	case 5:
		return "now " + order() + " today"
	case 6:
		return pick("member", "region", `"a"`) + pick("in", " in ", " not in ") + "customer.tags"
	case 7:
		return number() + " <= customer.orders " + pick("order2", "<", "<=") + " " + number()
	case 8:
		return "order.amount " + order() + " " + quoted(pick("amount", someAmounts...))
	}
	s, err := words.Text(Builder{Items: []Item{{Condition: genCondition(t)}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// genText writes a rule nested at most so deep, often less.
func genText(t *rapid.T, depth int) string {
	return genNested(t, rapid.IntRange(0, depth).Draw(t, "depth"))
}

func genNested(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "flat") == 0 {
		return genLeaf(t)
	}
	switch rapid.IntRange(0, 5).Draw(t, "join") {
	case 0, 1:
		return "(" + genNested(t, depth-1) + ") and (" + genNested(t, depth-1) + ")"
	case 2:
		return genNested(t, depth-1) + " && " + genLeaf(t)
	case 3:
		return "(" + genNested(t, depth-1) + ") or " + genLeaf(t)
	case 4:
		return "not (" + genNested(t, depth-1) + ")"
	}
	return genLeaf(t) + " or " + rapid.SampledFrom([]string{"true", "false", genLeaf(t)}).Draw(t, "last")
}

// genRule writes a rule, by hand or by the builder.
func genRule(t *rapid.T) string {
	if rapid.Bool().Draw(t, "by hand") {
		return genText(t, 4)
	}
	text, err := words.Text(genBuilder(t, 2))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func genValue(t *rapid.T, f Fact) Value {
	switch f.Kind {
	case KindBool:
		return Bool(rapid.Bool().Draw(t, "bool"))
	case KindSet:
		return Set(rapid.SliceOfN(rapid.SampledFrom(valuesFor(f)), 0, 4).Draw(t, "set")...)
	}
	v, ok := words.Value(f.Name, rapid.SampledFrom(valuesFor(f)).Draw(t, "value"))
	if !ok {
		t.Fatalf("no value for %s", f.Name)
	}
	return v
}

// genFacts sets each fact with a chance of known in 4.
func genFacts(t *rapid.T, known int) *Facts {
	f := words.Facts()
	for _, fact := range words.facts {
		if rapid.IntRange(1, 4).Draw(t, "known") <= known {
			if err := f.Set(fact.Name, genValue(t, fact)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

// facts reads a case written as lines of name = value; a set's values are separated by commas.
func facts(t *testing.T, lines string) *Facts {
	t.Helper()
	f := words.Facts()
	for line := range strings.Lines(lines) {
		name, written, _ := strings.Cut(strings.TrimSpace(line), " = ")
		if name == "" {
			continue
		}
		fact, ok := words.Fact(name)
		if !ok {
			t.Fatalf("no fact %q", name)
		}
		var v Value
		switch fact.Kind {
		case KindBool:
			v = Bool(written == "true")
		case KindSet:
			v = Set(strings.Split(written, ",")...)
		default:
			if v, ok = words.Value(name, written); !ok {
				t.Fatalf("%s is not a value of %s", written, name)
			}
		}
		if err := f.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *Facts) String() string {
	var b strings.Builder
	for i, v := range f.vals {
		if v.kind != 0 {
			fmt.Fprintf(&b, "%s = %s\n", f.v.facts[i].Name, v.written(f.v.zone))
		}
	}
	return b.String()
}
