package catalogue

import (
	"strings"
	"testing"

	"hufu/internal/fault"
)

func TestAttributesAreJudgedByTheirForm(t *testing.T) {
	for name, c := range map[string]struct {
		a     Attribute
		value string
		want  string
	}{
		"nothing":           {Attribute{Form: FormWords}, "", ""},
		"nothing, required": {Attribute{Form: FormWords, Required: true}, "", "catalogue.required"},
		"words":             {Attribute{Form: FormWords}, "主演见面会", ""},
		"longest words":     {Attribute{Form: FormWords}, strings.Repeat("影", 200), ""},
		"long words":        {Attribute{Form: FormWords}, strings.Repeat("影", 201), "catalogue.too_long"},
		"whole":             {Attribute{Form: FormWhole}, "31", ""},
		"zero":              {Attribute{Form: FormWhole}, "0", "catalogue.number"},
		"a fraction":        {Attribute{Form: FormMinor}, "19.90", "catalogue.number"},
		"absurd":            {Attribute{Form: FormMinor}, "100000000001", "catalogue.number"},
		"a day":             {Attribute{Form: FormDate}, "2028-02-29", ""},
		"no such day":       {Attribute{Form: FormDate}, "2027-02-29", "catalogue.date"},
		"a moment":          {Attribute{Form: FormDate}, "2027-02-28T10:00:00Z", "catalogue.date"},
		"a link":            {Attribute{Form: FormLink}, "https://example.com/r?a=1", ""},
		"an open link":      {Attribute{Form: FormLink}, "http://example.com", "catalogue.link"},
		"a script":          {Attribute{Form: FormLink}, "javascript:alert(1)", "catalogue.link"},
		"a link to nobody":  {Attribute{Form: FormLink}, "https:///r", "catalogue.link"},
		"somebody's link":   {Attribute{Form: FormLink}, "https://a:b@example.com", "catalogue.link"},
		"a choice":          {Attribute{Form: FormChoice, Choices: []string{"qq", "phone"}}, "qq", ""},
		"none of them":      {Attribute{Form: FormChoice, Choices: []string{"qq", "phone"}}, "QQ", "catalogue.choice"},
	} {
		if got, _ := c.a.check(c.value); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A kind that waits says what for, and one that is a code already waits for nothing.
func TestKindsAreWhole(t *testing.T) {
	for _, name := range Kinds() {
		k, _ := KindOf(name)
		if k.Use == "" || k.Final == "" {
			t.Errorf("%s doesn't say where it is used or when it is final", name)
		}
		if k.NeedsCode && (k.Waits != WaitNothing || k.Asks != AskNothing) {
			t.Errorf("%s is a code and waits", name)
		}
		if k.Asks == AskAccount && k.Waits == WaitNothing || k.Asks == AskAddress && k.Waits != WaitShipment || k.Asks == AskSlot && k.Waits != WaitSlot {
			t.Errorf("%s asks for %s and waits for %q", name, k.Asks, k.Waits)
		}
		for _, a := range k.Fields {
			if a.Form == "" || (a.Form == FormChoice) != (len(a.Choices) > 0) {
				t.Errorf("%s.%s has no form", name, a.Name)
			}
		}
	}
	b := aBenefit("goods")
	b.Kind, b.Attributes = "physical", map[string]string{"sku": "A-1"}
	if b.Waits() != WaitShipment || b.Asks() != AskAddress {
		t.Error("goods don't wait for their parcel")
	}
	if b.Coded, b.Stock = true, "stk_1"; b.Waits() != WaitNothing || b.Asks() != AskNothing {
		t.Error("a code for goods waits")
	}
	f := fault.New(fault.Invalid, "catalogue.content")
	if b.Validate("", f); len(f.Fields) != 0 {
		t.Errorf("a code for goods can't be promised: %v", f)
	}
}
