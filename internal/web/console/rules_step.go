package console

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"hufu/internal/catalogue"
	"hufu/internal/rule"
)

// rulePrefix begins the names of the buttons that change the rules of a form without saving it.
const rulePrefix = "rules."

// stepRules does what a button of the rules asks for, to the form alone: it works the same
// with and without script. It is false for a button of somebody else.
func (v *visit) stepRules(f url.Values) bool {
	op, mine := strings.CutPrefix(single(f, "op"), rulePrefix)
	if !mine {
		return false
	}
	words := catalogue.RuleWords()
	act, arg, _ := strings.Cut(op, ":")
	drafts := readDrafts(f)
	tidy(words, f, drafts)
	focus := ""
	switch act {
	case "add":
		if len(drafts) < maxRuleRows {
			drafts = append(drafts, v.newRule(words, arg))
			focus = ruleName(len(drafts)-1) + ".name.zh"
		}
	case "preview":
		f.Set("rules.previewed", "1")
		focus = "rules-preview"
	default:
		i, trail, ok := locate(arg, drafts)
		if ok {
			drafts, focus = stepRule(words, f, drafts, act, i, trail, arg)
		}
	}
	setDrafts(f, drafts)
	f.Set("rules.focus", focus)
	return true
}

// stepRule does what a button asks for of one rule, and tells where to go on.
func stepRule(words *rule.Vocabulary, f url.Values, drafts []ruleDraft, act string, i int, trail []int, arg string) (after []ruleDraft, focus string) {
	d := &drafts[i]
	d.Open = true
	swap := func(j int) string {
		if j >= 0 && j < len(drafts) {
			drafts[i], drafts[j] = drafts[j], drafts[i]
			drafts[j].Open = false
		}
		return ruleName(max(0, min(j, len(drafts)-1))) + ".move"
	}
	switch act {
	case "remove":
		d.Gone, d.Open = true, false
		return drafts, ruleName(i) + ".back"
	case "restore":
		d.Gone = false
		return drafts, ruleName(i) + ".name.zh"
	case "up":
		return drafts, swap(i - 1)
	case "down":
		return drafts, swap(i + 1)
	case "text":
		text, err := (&ruleDraft{Text: d.Text, Form: d.Form}).source(words)
		if err != nil {
			f.Set("rules.checked", strconv.Itoa(i))
			return drafts, ""
		}
		d.Text, d.AsText = text, true
		return drafts, ruleName(i) + ".text"
	case "form":
		b, ok := showable(words, d.Text)
		if !ok {
			f.Set("rules.checked", strconv.Itoa(i))
			return drafts, ruleName(i) + ".text"
		}
		d.Form, d.AsText = b, false
		return drafts, ruleName(i) + ".mode"
	case "insert":
		_, name, _ := strings.Cut(arg, ":")
		if fact, ok := words.Fact(name); ok {
			d.Text = inserted(d.Text, snippet(fact))
		}
		return drafts, ruleName(i) + ".text"
	case "fix":
		_, at, _ := strings.Cut(arg, ":")
		d.Text = mended(words, d.Text, at)
		return drafts, ruleName(i) + ".text"
	case "check":
		f.Set("rules.checked", strconv.Itoa(i))
		return drafts, ""
	}
	path, _, _ := strings.Cut(arg, ":")
	switch g := group(&d.Form, trail); act {
	case "condition":
		if g != nil && len(g.Items) < maxRuleItems {
			g.Items = append(g.Items, rule.Item{Condition: blank(words)})
			focus = itemName(path, len(g.Items)-1) + ".fact"
		}
	case "group":
		if g != nil && len(g.Items) < maxRuleItems && len(trail) < rule.MaxDepth-1 {
			g.Items = append(g.Items, rule.Item{Group: &rule.Builder{Mode: otherMode(g.Mode), Items: []rule.Item{{Condition: blank(words)}}}})
			focus = itemName(path, len(g.Items)-1) + ".items[0].fact"
		}
	case "drop":
		dropItem(&d.Form, trail)
		focus = ruleName(i) + ".mode"
	case "change":
		focus = path + ".fact"
	}
	return drafts, focus
}

var (
	rulePath = regexp.MustCompile(`^rules\[(\d{1,3})\]((?:\.items\[\d{1,3}\])*)(?::|$)`)
	itemPath = regexp.MustCompile(`\d+`)
)

// locate reads the path of a rule, or of a group or condition in it.
func locate(arg string, drafts []ruleDraft) (i int, trail []int, ok bool) {
	m := rulePath.FindStringSubmatch(arg)
	if m == nil {
		return 0, nil, false
	}
	i, _ = strconv.Atoi(m[1])
	for _, s := range itemPath.FindAllString(m[2], -1) {
		k, _ := strconv.Atoi(s)
		trail = append(trail, k)
	}
	return i, trail, i < len(drafts)
}

// group is the group at the end of a trail, nil when there is none.
func group(b *rule.Builder, trail []int) *rule.Builder {
	for _, k := range trail {
		if k >= len(b.Items) || b.Items[k].Group == nil {
			return nil
		}
		b = b.Items[k].Group
	}
	return b
}

// dropItem takes away what stands at the end of a trail, and the groups that are empty then.
func dropItem(b *rule.Builder, trail []int) {
	for len(trail) > 0 {
		last := len(trail) - 1
		g := group(b, trail[:last])
		if g == nil || trail[last] >= len(g.Items) {
			return
		}
		g.Items = slices.Delete(g.Items, trail[last], trail[last]+1)
		if len(g.Items) > 0 {
			return
		}
		trail = trail[:last]
	}
}

func otherMode(m rule.Mode) rule.Mode {
	if m == rule.Any {
		return rule.All
	}
	return rule.Any
}

// blank is a condition that nothing has been said in yet.
func blank(words *rule.Vocabulary) rule.Condition {
	fact := words.All()[0]
	if f, ok := words.Fact("customer.orders"); ok {
		fact = f
	}
	return rule.Condition{Fact: fact.Name, Op: fact.Kind.Ops()[0]}
}

// tidy gives conditions whose fact was changed an operator that it has, and drops values of
// the fact before.
func tidy(words *rule.Vocabulary, f url.Values, drafts []ruleDraft) {
	var walk func(path string, b *rule.Builder)
	walk = func(path string, b *rule.Builder) {
		for k := range b.Items {
			at, item := itemName(path, k), &b.Items[k]
			if item.Group != nil {
				walk(at, item.Group)
				continue
			}
			fact, ok := words.Fact(item.Fact)
			if !ok {
				continue
			}
			if was := single(f, at+".was"); was != "" && was != item.Fact {
				item.Values = nil
			}
			if !slices.Contains(fact.Kind.Ops(), item.Op) {
				item.Op = fact.Kind.Ops()[0]
			}
			if _, high := item.Op.Values(); len(item.Values) > high {
				item.Values = item.Values[:high]
			}
		}
	}
	for i := range drafts {
		walk(ruleName(i), &drafts[i].Form)
	}
}

// inserted joins a condition to a text.
func inserted(text, condition string) string {
	text = strings.TrimRightFunc(text, unicode.IsSpace)
	if text == "" {
		return condition
	}
	return text + " and " + condition
}

// snippet is a condition of a fact for an author to go on from.
func snippet(f rule.Fact) string {
	example := ""
	switch {
	case len(f.Choices) > 0:
		example = f.Choices[0].Value
	case len(f.Examples) > 0:
		example = f.Examples[0]
	}
	quoted := strconv.Quote(example)
	switch f.Kind {
	case rule.KindNumber:
		return f.Name + " >= " + example
	case rule.KindBool:
		return f.Name
	case rule.KindSet:
		return quoted + " in " + f.Name
	case rule.KindText:
		return f.Name + " == " + quoted
	}
	return f.Name + " >= " + quoted
}

// mended puts what was probably meant in the place of what was written, when the text still
// has that problem there.
func mended(words *rule.Vocabulary, text, at string) string {
	_, err := words.Compile(rule.Source{Text: text})
	for _, p := range rule.Problems(err) {
		meant, ok := meantBy(p)
		if ok && strconv.Itoa(p.From) == at {
			r := []rune(text)
			return string(r[:p.From]) + meant + string(r[p.To:])
		}
	}
	return text
}

// meantBy is what stands in the place of a problem when its suggestion is taken.
func meantBy(p rule.Problem) (string, bool) {
	near := p.Params["near"]
	switch {
	case near == "" || strings.Contains(near, " "):
		return "", false
	case p.Code == "rule.value_near":
		return strconv.Quote(near), true
	}
	return near, true
}

// newRule is what a button adds: one of the templates, or a rule of one empty condition.
func (v *visit) newRule(words *rule.Vocabulary, key string) ruleDraft {
	for _, t := range ruleTemplates {
		if t.key == key {
			return t.draft(words)
		}
	}
	return ruleDraft{Open: true, Name: catalogue.Text{}, Form: rule.Builder{Mode: rule.All, Items: []rule.Item{{Condition: blank(words)}}}}
}
