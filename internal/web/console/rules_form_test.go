package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/rule"
)

// bare is a visit of nobody, for what needs no request.
func bare(t *testing.T) *visit {
	t.Helper()
	return &visit{c: &Console{Options: Options{Flows: &flow.Flows{Clock: clock.System{}}}}, lang: i18n.ZH}
}

// written are values of each kind as people write them.
var written = map[rule.Kind][]string{
	rule.KindNumber: {"0", "3", "-1", "0.5", "100"},
	rule.KindText:   {"CN-31", "a b", `quote"d`, `back\slash`, "<b>&amp;</b>", "两字"},
	rule.KindSet:    {"vip", "a,b", "[x]", "'", "标签"},
	rule.KindTime:   {"2026-11-11", "2026-11-11 10:00", "2026-11-11 10:00:30"},
	rule.KindAmount: {"99.00 CNY", "0.01 USD", "-1.00 CNY", "99 JPY"},
}

func drawBuilder(t *rapid.T, words *rule.Vocabulary, depth int) rule.Builder {
	b := rule.Builder{Mode: rapid.SampledFrom(rule.Modes).Draw(t, "mode")}
	for range rapid.IntRange(1, 4).Draw(t, "items") {
		if depth > 0 && rapid.IntRange(0, 2).Draw(t, "nest") == 0 {
			g := drawBuilder(t, words, depth-1)
			b.Items = append(b.Items, rule.Item{Group: &g})
			continue
		}
		f := rapid.SampledFrom(words.All()).Draw(t, "fact")
		c := rule.Condition{Fact: f.Name, Op: rapid.SampledFrom(f.Kind.Ops()).Draw(t, "op")}
		values := written[f.Kind]
		if f.Closed {
			values = nil
			for _, choice := range f.Choices {
				values = append(values, choice.Value)
			}
		}
		low, high := c.Op.Values()
		n := rapid.IntRange(low, min(high, low+2)).Draw(t, "values")
		if len(values) > 0 {
			c.Values = rapid.SliceOfNDistinct(rapid.SampledFrom(values), min(n, len(values)), min(n, len(values)), rapid.ID[string]).Draw(t, "value")
		}
		if low == 2 && len(c.Values) < 2 {
			continue
		}
		b.Items = append(b.Items, rule.Item{Condition: c})
	}
	return b
}

// sent is what a browser sends of a rule as the page shows it.
func sent(t *rapid.T, v *visit, f url.Values) url.Values {
	d, err := v.rulesView(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := url.Values{"rules": {strconv.Itoa(d.Count)}}
	var group func(g ruleGroup)
	group = func(g ruleGroup) {
		for _, m := range g.Modes {
			if m.Selected {
				out.Set(g.Path+".mode", m.Value)
			}
		}
		out.Set(g.Path+".items", strconv.Itoa(len(g.Items)))
		for _, item := range g.Items {
			if item.Group != nil {
				group(*item.Group)
				continue
			}
			for _, of := range item.Facts {
				for _, o := range of.Options {
					if o.Selected {
						out.Set(item.Path+".fact", o.Value)
					}
				}
			}
			out.Set(item.Path+".was", item.Was)
			for _, o := range item.Ops {
				if o.Selected {
					out.Set(item.Path+".op", o.Value)
				}
			}
			for _, in := range item.Inputs {
				chosen := ""
				for _, o := range in.Options {
					if o.Selected {
						chosen = o.Value
					}
				}
				switch in.Kind {
				case "check":
					if in.Checked {
						out.Set(in.Name, in.Value)
					}
				case "choice":
					out.Set(in.Name, chosen)
				case "date":
					out.Set(in.Name, in.Value)
					out.Set(in.ClockName, in.Clock)
				case "amount":
					out.Set(in.Name, in.Value)
					out.Set(in.UnitName, chosen)
				default:
					out.Set(in.Name, in.Value)
				}
			}
		}
	}
	for _, r := range d.Rules {
		setWords(out, r.Name+".name", r.Named)
		setWords(out, r.Name+".refusal", r.Refusal)
		out.Set(r.Name+".text", strings.ReplaceAll(r.Text, "\n", "\r\n"))
		out.Set(r.Name+".as", "form")
		if r.AsText {
			out.Set(r.Name+".as", "text")
		} else {
			group(r.Root)
		}
	}
	return out
}

// What a builder asks is what the form that shows it asks, however it is nested and whatever
// stands in it.
func TestRulesGoThroughTheFormUnchanged(t *testing.T) {
	v := bare(t)
	rapid.Check(t, func(t *rapid.T) {
		text, err := catalogue.RuleWords().Text(drawBuilder(t, catalogue.RuleWords(), 2))
		if err != nil {
			t.Fatal(err)
		}
		want, ok := catalogue.RuleWords().Parse(text)
		if !ok {
			t.Fatalf("no form for %s", text)
		}
		rules := []catalogue.Issuing{{Name: catalogue.Text{ZH: "规则", EN: "Rule"}, Source: rule.Source{Text: text, RefusalZH: "不行", RefusalEN: "No"}}}
		f := url.Values{}
		v.setRules(f, rules)
		f = sent(t, v, f)
		drafts := readDrafts(f)
		if drafts[0].AsText {
			t.Fatalf("%s is shown as a text", text)
		}
		if got, err := catalogue.RuleWords().Normal(drafts[0].Form); err != nil || !sameRule(got, want) {
			t.Fatalf("%s came back as %+v, %v", text, got, err)
		}
		again := v.readRules(f, func(field, code string, _ ...string) { t.Fatalf("%s: %s", field, code) })
		if !slices.Equal(again, rules) {
			t.Fatalf("%+v came back as %+v", rules, again)
		}
		// Over the text and back.
		f.Set("op", "rules.text:rules[0]")
		v.stepRules(f)
		f.Set("op", "rules.form:rules[0]")
		v.stepRules(f)
		if d := readDrafts(f)[0]; d.AsText || !sameRule(d.Form, want) {
			t.Fatalf("%s came back over its text as %+v", text, d)
		}
	})
}

// A text that no form shows stays as it was written, to the character; so does one that the
// form shows and nobody changed.
func TestRuleTextsStayAsWritten(t *testing.T) {
	v := bare(t)
	for text, asText := range map[string]bool{
		"customer.orders==0&&channel in ['web']":    false,
		"customer.orders * 10 > customer.age_days":  true,
		"customer.orders == 0 // newcomers":         true,
		"  /* two\nlines */ customer.orders\n == 0": true,
		`region == ""`:                             true,
		`region == "a\nb"`:                         true,
		`region == " padded "`:                     true,
		`now < "2026-11-11T10:00:00.000001+08:00"`: true,
	} {
		rules := []catalogue.Issuing{{Source: rule.Source{Text: text}}}
		f := url.Values{}
		v.setRules(f, rules)
		if got := readDrafts(f)[0].AsText; got != asText {
			t.Errorf("%q is a text: %v", text, got)
		}
		if got := v.readRules(f, func(field, code string, _ ...string) { t.Errorf("%q: %s %s", text, field, code) }); got[0].Source.Text != text {
			t.Errorf("%q was saved as %q", text, got[0].Source.Text)
		}
	}
}

// Each button does what it says, to the form alone.
func TestStepsOfTheRules(t *testing.T) {
	v := bare(t)
	f := url.Values{}
	v.setRules(f, nil)
	step := func(op string, more ...string) []ruleDraft {
		t.Helper()
		for i := 0; i+1 < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		f.Set("op", op)
		if !v.stepRules(f) {
			t.Fatalf("%s is nobody's", op)
		}
		return readDrafts(f)
	}
	if d := step("rules.add:newcomers"); len(d) != 1 || d[0].Name.EN != "Newcomers only" || d[0].Form.Items[0].Values[0] != "0" {
		t.Fatalf("%+v", d)
	}
	step("rules.add")
	step("rules.condition:rules[1]")
	if d := step("rules.group:rules[1]"); len(d[1].Form.Items) != 3 || d[1].Form.Items[2].Group == nil {
		t.Fatalf("%+v", d[1].Form)
	}
	if d := step("rules.drop:rules[1].items[2].items[0]"); len(d[1].Form.Items) != 2 { // the group went with its last
		t.Fatalf("%+v", d[1].Form)
	}
	step("rules.drop:rules[1].items[1]")
	// Another fact takes another operator, and the value of the one before is no value of it.
	d := step("rules.change:rules[1].items[0]", "rules[1].items[0].values[0]", "7", "rules[1].items[0].was", "customer.orders", "rules[1].items[0].fact", "customer.tags")
	if c := d[1].Form.Items[0].Condition; c.Op != rule.OpHas || c.Values != nil {
		t.Fatalf("%+v", c)
	}
	if d := step("rules.text:rules[1]"); d[1].AsText { // a condition lacks its value
		t.Fatalf("%+v", d[1])
	}
	if d := step("rules.text:rules[1]", "rules[1].items[0].values[0]", "vip"); !d[1].AsText || d[1].Text != `"vip" in customer.tags` {
		t.Fatalf("%+v", d[1])
	}
	if d := step("rules.insert:rules[1]:hour"); d[1].Text != `"vip" in customer.tags and hour >= 10` {
		t.Fatal(d[1].Text)
	}
	if d := step("rules.fix:rules[1]:0", "rules[1].text", "custmer.orders == 0"); d[1].Text != "customer.orders == 0" {
		t.Fatal(d[1].Text)
	}
	if d := step("rules.fix:rules[1]:10", "rules[1].text", `device == "moble"`); d[1].Text != `device == "mobile"` {
		t.Fatal(d[1].Text)
	}
	if d := step("rules.form:rules[1]", "rules[1].text", "customer.orders > customer.age_days"); !d[1].AsText {
		t.Fatalf("%+v", d[1])
	}
	if d := step("rules.up:rules[1]"); d[0].Text != "customer.orders > customer.age_days" || d[1].Name.EN != "Newcomers only" {
		t.Fatalf("%+v", d)
	}
	step("rules.remove:rules[0]")
	if d := step("rules.restore:rules[0]"); d[0].Gone {
		t.Fatal("it is still gone")
	}
	step("rules.remove:rules[0]")
	if got := v.readRules(f, func(field, code string, _ ...string) { t.Errorf("%s: %s", field, code) }); len(got) != 1 || got[0].Source.Text != "customer.orders == 0" {
		t.Fatalf("%+v", got)
	}
	for _, op := range []string{"rules.drop:rules[9]", "rules.drop:rules[0].items[9]", "rules.condition:x", "rules.up:rules[0]", "rules.fix:rules[0]:x", "rules.insert:rules[0]:x", "rules.nothing:rules[0]", "rules."} {
		if d := step(op); len(d) != 1 {
			t.Errorf("%s left %+v", op, d)
		}
	}
}

// What is wrong is told at its place in the text, in the browser's units.
func TestProblemsOfARuleAreAtTheirPlaces(t *testing.T) {
	v := bare(t)
	s := v.ruleSaid(catalogue.RuleWords(), 0, &ruleDraft{AsText: true, Text: `region == "😀" and custmer.orders == 0`})
	if s.OK || len(s.Problems) != 1 {
		t.Fatalf("%+v", s)
	}
	p := s.Problems[0]
	if p.From != 19 || p.To != 33 || p.Meant != "customer.orders" { // the picture counts for two
		t.Errorf("%+v", p)
	}
	if len(s.Marks) != 3 || s.Marks[1].Text != "custmer.orders" || !s.Marks[1].Bad {
		t.Errorf("%+v", s.Marks)
	}
	s = v.ruleSaid(catalogue.RuleWords(), 0, &ruleDraft{AsText: true, Text: "customer.orders =="})
	if last := s.Marks[len(s.Marks)-2]; !last.Bad || last.Text != "\u00a0" {
		t.Errorf("%+v", s.Marks)
	}
}

// Every template is a rule, or waits only for values of the store.
func TestRuleTemplates(t *testing.T) {
	v := bare(t)
	for _, lang := range i18n.Langs {
		v.lang = lang
		for _, o := range v.ruleTemplates() {
			if strings.Contains(o.Label, "⟦") {
				t.Error(o.Label)
			}
		}
	}
	for _, tpl := range ruleTemplates {
		d := tpl.draft(catalogue.RuleWords())
		if strings.Contains(d.Name.ZH+d.Name.EN+d.Refusal.ZH+d.Refusal.EN, "⟦") || len(d.Form.Items) == 0 {
			t.Errorf("%s: %+v", tpl.key, d)
		}
		for i := range d.Form.Items {
			if c := &d.Form.Items[i].Condition; len(c.Values) == 0 {
				c.Values = []string{"x"}
			}
		}
		if _, err := d.source(catalogue.RuleWords()); err != nil {
			t.Errorf("%s: %v", tpl.key, err)
		}
	}
}
