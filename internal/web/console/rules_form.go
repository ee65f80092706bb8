package console

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/rule"
)

// The bounds of what a form reads: more than rules may have, so that what is too much is told
// and not cut off.
const (
	maxRuleRows   = 50
	maxRuleItems  = 100 // of a group
	maxRuleValues = 200 // of a condition
)

// ruleDraft is an issuing rule as it stands in a form, right or not yet.
type ruleDraft struct {
	Name, Refusal catalogue.Text
	// AsText is set when the rule is edited as Text, else it is edited as Form.
	AsText bool
	// Text is what the author wrote. Beside a form it is what the form was made from, and is
	// kept as long as the form asks the same.
	Text string
	Form rule.Builder
	Open bool
	Gone bool // taken away, and kept until the form is saved
}

func ruleName(i int) string { return "rules[" + strconv.Itoa(i) + "]" }

// setRules puts issuing rules into a form.
func (v *visit) setRules(f url.Values, rules []catalogue.Issuing) {
	words := catalogue.RuleWords()
	drafts := make([]ruleDraft, len(rules))
	for i, r := range rules {
		drafts[i] = ruleDraft{Name: r.Name, Refusal: catalogue.Text{ZH: r.Source.RefusalZH, EN: r.Source.RefusalEN}, Text: r.Source.Text, AsText: true}
		if b, ok := showable(words, r.Source.Text); ok {
			drafts[i].AsText, drafts[i].Form = false, b
		}
	}
	setDrafts(f, drafts)
}

// readRules reads the issuing rules of a form, and moves those that stay up over those that
// were taken away, so that what is said of the n-th rule stands beside the n-th.
func (v *visit) readRules(f url.Values, bad func(field, code string, params ...string)) []catalogue.Issuing {
	words := catalogue.RuleWords()
	drafts := slices.DeleteFunc(readDrafts(f), func(d ruleDraft) bool { return d.Gone })
	var out []catalogue.Issuing
	for i := range drafts {
		d := &drafts[i]
		text, err := d.source(words)
		for _, field := range ruleFaults(d, err) {
			d.Open = true
			bad(ruleName(i)+"."+field.Path, field.Code, pairs(field.Params)...)
		}
		out = append(out, catalogue.Issuing{Name: d.Name, Source: rule.Source{Text: text, RefusalZH: d.Refusal.ZH, RefusalEN: d.Refusal.EN}})
	}
	setDrafts(f, drafts)
	return out
}

// source is the rule's text. What it isn't right for is a fault.
func (d *ruleDraft) source(words *rule.Vocabulary) (string, error) {
	text := strings.TrimRightFunc(d.Text, unicode.IsSpace)
	if !d.AsText {
		n, err := words.Normal(d.Form)
		if err != nil {
			return text, err
		}
		if was, ok := words.Parse(text); !ok || !sameRule(was, n) {
			if text, err = words.Text(n); err != nil {
				return text, err
			}
		}
	}
	_, err := words.Compile(rule.Source{Text: text, RefusalZH: d.Refusal.ZH, RefusalEN: d.Refusal.EN})
	return text, err
}

// ruleFaults are the fields of a rule, by their paths in it, that a refusal is about.
func ruleFaults(d *ruleDraft, err error) []fault.Field {
	if err == nil {
		return nil
	}
	e := fault.From(err)
	switch {
	case e.Code == "rule.builder":
		out := slices.Clone(e.Fields)
		for i := range out {
			if out[i].Path == "" {
				out[i].Path = "items"
			}
		}
		return out
	case strings.HasPrefix(e.Code, "rule.refusal"):
		path := "refusal.zh"
		if d.Refusal.ZH != "" {
			path = "refusal.en"
		}
		return []fault.Field{{Path: path, Code: e.Code, Params: e.Params}}
	case len(e.Fields) == 0:
		return []fault.Field{{Path: "text", Code: e.Code, Params: e.Params}}
	}
	path := "text"
	if !d.AsText {
		path = "items"
	}
	return []fault.Field{{Path: path, Code: e.Fields[0].Code, Params: e.Fields[0].Params}}
}

// pairs are parameters as a list of names and values.
func pairs(m map[string]string) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k, m[k])
	}
	return out
}

// ruleField is the field of the form for a path that the catalogue complains about.
func ruleField(path string) string {
	if path == "rules" {
		return "offer-rules"
	}
	name, after, _ := strings.Cut(path, ".")
	switch {
	case after == "name" || after == "refusal":
		return path + ".zh"
	case after == "":
		return name + ".text"
	}
	return path
}

// readDrafts reads the rules of a form as they were typed.
func readDrafts(f url.Values) []ruleDraft {
	n, _ := whole(single(f, "rules"), 0, maxRuleRows)
	out := make([]ruleDraft, n)
	for i := range out {
		name := ruleName(i)
		out[i] = ruleDraft{Name: words(f, name+".name"), Refusal: words(f, name+".refusal"), AsText: single(f, name+".as") == "text", Text: plainLines(f.Get(name + ".text")),
			Open: single(f, name+".open") != "", Gone: single(f, name+".gone") != "", Form: readGroup(f, name, 0)}
	}
	return out
}

func readGroup(f url.Values, path string, depth int) rule.Builder {
	b := rule.Builder{Mode: rule.Mode(single(f, path+".mode"))}
	n, _ := whole(single(f, path+".items"), 0, maxRuleItems)
	for k := range int(n) {
		at := itemName(path, k)
		if f.Has(at + ".mode") {
			if depth < rule.MaxDepth {
				g := readGroup(f, at, depth+1)
				b.Items = append(b.Items, rule.Item{Group: &g})
			}
			continue
		}
		b.Items = append(b.Items, rule.Item{Condition: readCondition(f, at)})
	}
	return b
}

func itemName(path string, k int) string { return path + ".items[" + strconv.Itoa(k) + "]" }

func readCondition(f url.Values, at string) rule.Condition {
	c := rule.Condition{Fact: single(f, at+".fact"), Op: rule.Op(single(f, at+".op"))}
	for j := range maxRuleValues {
		k := "[" + strconv.Itoa(j) + "]"
		s := single(f, at+".values"+k)
		if clock := single(f, at+".clock"+k); clock != "" {
			s += " " + clock
		}
		if unit := single(f, at+".unit"+k); unit != "" && s != "" {
			s += " " + unit
		}
		if s != "" {
			c.Values = append(c.Values, s)
		}
	}
	return c
}

// setDrafts puts rules into a form in the place of those that are there.
func setDrafts(f url.Values, drafts []ruleDraft) {
	for name := range f {
		if strings.HasPrefix(name, "rules[") {
			delete(f, name)
		}
	}
	flag := func(name string, set bool) {
		if set {
			f.Set(name, "1")
		}
	}
	f.Set("rules", strconv.Itoa(len(drafts)))
	for i, d := range drafts {
		name := ruleName(i)
		setWords(f, name+".name", d.Name)
		setWords(f, name+".refusal", d.Refusal)
		f.Set(name+".text", d.Text)
		f.Set(name+".as", "form")
		if d.AsText {
			f.Set(name+".as", "text")
		}
		flag(name+".open", d.Open)
		flag(name+".gone", d.Gone)
		setGroup(f, name, d.Form)
	}
}

func setGroup(f url.Values, path string, b rule.Builder) {
	f.Set(path+".mode", string(b.Mode))
	f.Set(path+".items", strconv.Itoa(len(b.Items)))
	for k, item := range b.Items {
		at := itemName(path, k)
		if item.Group != nil {
			setGroup(f, at, *item.Group)
			continue
		}
		f.Set(at+".fact", item.Fact)
		f.Set(at+".op", string(item.Op))
		for j, s := range item.Values {
			f.Set(at+".values["+strconv.Itoa(j)+"]", s)
		}
	}
}

// showable gives a text as a form that shows it whole and gives it back unchanged; false for
// a text that has to stay one.
func showable(words *rule.Vocabulary, text string) (rule.Builder, bool) {
	b, ok := words.Parse(text)
	return b, ok && fits(words, b)
}

func fits(words *rule.Vocabulary, b rule.Builder) bool {
	if len(b.Items) > maxRuleItems {
		return false
	}
	for _, item := range b.Items {
		if item.Group != nil {
			if !fits(words, *item.Group) {
				return false
			}
			continue
		}
		fact, _ := words.Fact(item.Fact)
		if len(item.Values) > maxRuleValues-1 {
			return false
		}
		for _, s := range item.Values {
			// An empty field is one that isn't filled in yet, and a line of text holds no line end.
			if s == "" || s != strings.TrimSpace(s) || strings.ContainsFunc(s, unicode.IsControl) || fact.Kind == rule.KindTime && strings.Contains(s, "T") {
				return false
			}
		}
	}
	return true
}

// sameRule reports whether two builders in their normal form ask the same.
func sameRule(a, b rule.Builder) bool {
	return a.Mode == b.Mode && slices.EqualFunc(a.Items, b.Items, func(x, y rule.Item) bool {
		if x.Group != nil || y.Group != nil {
			return x.Group != nil && y.Group != nil && sameRule(*x.Group, *y.Group)
		}
		if x.Fact != y.Fact || x.Op != y.Op {
			return false
		}
		if x.Op == rule.OpBetween {
			return slices.Equal(x.Values, y.Values)
		}
		// A list of values has no order; boxes to tick give it theirs.
		return slices.Equal(slices.Sorted(slices.Values(x.Values)), slices.Sorted(slices.Values(y.Values)))
	})
}
