package catalogue

import (
	"slices"
	"strings"
	"testing"

	"hufu/internal/fault"
	"hufu/internal/rule"
)

func newcomers(text string) Issuing {
	return Issuing{Name: Text{ZH: "新客专享", EN: "Newcomers"}, Source: rule.Source{Text: text}}
}

func TestIssuingRulesAreChecked(t *testing.T) {
	other := func(zh, en, text string) Issuing {
		return Issuing{Name: Text{zh, en}, Source: rule.Source{Text: text}}
	}
	many := make([]Issuing, MaxRules+1)
	for i := range many {
		n := strings.Repeat("x", i+1)
		many[i] = other("规则"+n, "rule "+n, "true")
	}
	refusal := newcomers("customer.orders == 0")
	refusal.Source.RefusalZH = "仅限新客"
	hidden := newcomers("customer.orders == 0")
	hidden.Name.EN = "New\u202ecomers"
	for _, c := range []struct {
		name  string
		rules []Issuing
		want  []string // path code
	}{
		{"right", []Issuing{newcomers(`customer.orders == 0 and channel in ["web", "api"]`)}, nil},
		{"a fact that isn't", []Issuing{newcomers("customer.order == 0")}, []string{"rules[0].text rule.unknown_fact_near"}},
		{"a channel that isn't", []Issuing{newcomers(`channel == "app"`)}, []string{"rules[0].text rule.value"}},
		{"two problems", []Issuing{other("一", "one", "true"), newcomers("foo == 1 and bar == 2")}, []string{"rules[1].text rule.unknown_fact", "rules[1].text rule.unknown_fact"}},
		{"no name", []Issuing{other("一", "", "true")}, []string{"rules[0].name.en catalogue.required"}},
		{"one name", []Issuing{newcomers("true"), other("老客", "newcomers", "true")}, []string{"rules[1].name issuing.named_twice"}},
		{"a refusal in one language", []Issuing{refusal}, []string{"rules[0].refusal rule.refusal_both"}},
		{"a name that turns round", []Issuing{hidden}, []string{"rules[0].name.en catalogue.hidden"}},
		{"too many", many, []string{"rules issuing.too_many"}},
	} {
		content := aContent()
		content.Rules = c.rules
		var got []string
		if err := content.Validate(); err != nil {
			for _, f := range fault.From(err).Fields {
				got = append(got, f.Path+" "+f.Code)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What is wrong in a text says where it is.
func TestAProblemOfARuleHasItsPlace(t *testing.T) {
	content := aContent()
	content.Rules = []Issuing{newcomers("customer.signed_in\nand customer.order == 0")}
	f := fault.From(content.Validate()).Fields[0]
	if f.Params["line"] != "2" || f.Params["column"] != "5" || f.Params["piece"] != "customer.order" {
		t.Fatal(f)
	}
}

// A version's rules are compiled once, and one that can't be read lets nobody through.
func TestRulesOfAVersion(t *testing.T) {
	v := &Version{Content: aContent(), compiled: new(compiled)}
	if all, err := v.Rules(); err != nil || all != nil {
		t.Fatal(all, err)
	}
	v.Content.Rules = []Issuing{newcomers("customer.orders == 0")}
	a, err := v.Rules()
	if err != nil || len(a) != 1 {
		t.Fatal(a, err)
	}
	if b, _ := v.Rules(); b[0] != a[0] {
		t.Error("the rule was compiled twice")
	}
	broken := &Version{Content: aContent()}
	broken.Content.Rules = []Issuing{newcomers("customer.shoe_size == 43")}
	if _, err := broken.Rules(); fault.CodeOf(err) != "issuing.stored" {
		t.Error(err)
	}
}
