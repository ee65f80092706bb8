package console

import (
	"slices"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
	"hufu/internal/rule"
)

// ruleTemplate is a rule that operators often want, to begin with. Its words are the messages
// console.rules.template.KEY and, to who isn't let in, console.rules.template.KEY.refusal.
type ruleTemplate struct {
	key  string
	when []rule.Condition
}

// ruleTemplates are offered in this order. A value that the store doesn't have is left for the
// operator to fill in.
var ruleTemplates = []ruleTemplate{
	{"newcomers", []rule.Condition{{Fact: "customer.orders", Op: rule.OpIs, Values: []string{"0"}}}},
	{"active", []rule.Condition{{Fact: "customer.active_days_30", Op: rule.OpAtLeast, Values: []string{"10"}}}},
	{"level", []rule.Condition{{Fact: "customer.level", Op: rule.OpOneOf}}},
	{"channel", []rule.Condition{{Fact: "channel", Op: rule.OpIs, Values: []string{"web"}}}},
	{"hours", []rule.Condition{{Fact: "hour", Op: rule.OpBetween, Values: []string{"10", "21"}}}},
	{"tags", []rule.Condition{{Fact: "customer.tags", Op: rule.OpHasAny}}},
	{"region", []rule.Condition{{Fact: "region", Op: rule.OpOneOf}}},
}

func (t ruleTemplate) draft(words *rule.Vocabulary) ruleDraft {
	in := func(key string) catalogue.Text { return catalogue.Text{ZH: i18n.ZH.T(key), EN: i18n.EN.T(key)} }
	d := ruleDraft{Open: true, Name: in("console.rules.template." + t.key), Refusal: in("console.rules.template." + t.key + ".refusal"), Form: rule.Builder{Mode: rule.All}}
	for _, c := range t.when {
		if _, ok := words.Fact(c.Fact); !ok {
			continue
		}
		c.Values = slices.DeleteFunc(slices.Clone(c.Values), func(s string) bool { _, ok := words.Value(c.Fact, s); return !ok })
		d.Form.Items = append(d.Form.Items, rule.Item{Condition: c})
	}
	return d
}
