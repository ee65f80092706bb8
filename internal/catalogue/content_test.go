package catalogue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

func both(s string) Text { return Text{ZH: s + "（中文）", EN: s} }

// aBenefit is one that can be promised.
func aBenefit(slug string) Benefit {
	return Benefit{
		Slug: slug, Kind: "membership", Provider: Provider{Key: "tv", Name: both("TV")}, Name: both("Month"), Attributes: map[string]string{"days": "31"},
		Disclosure: Disclosure{AccountType: both("account"), Scope: both("scope"), Devices: both("devices"), Validity: both("validity"), HowToUse: both("use"), Refund: both("refund")},
	}
}

// aContent is one that can be published.
func aContent() Content {
	b := aBenefit("month")
	b.ID = "ben_1"
	return Content{Title: both("Month card"), Price: money.Of(1990, money.CNY), List: money.Of(2500, money.CNY), MaxPerOrder: 5, Parts: []Part{{Benefit: b, Quantity: 1}}}
}

func TestContentIsJudgedFieldByField(t *testing.T) {
	part := func(c *Content) *Benefit { return &c.Parts[0].Benefit }
	for name, c := range map[string]struct {
		spoil func(c *Content)
		path  string
		code  string
	}{
		"good":                   {func(c *Content) {}, "", ""},
		"no list price":          {func(c *Content) { c.List = money.Amount{} }, "", ""},
		"list price is price":    {func(c *Content) { c.List = c.Price }, "", ""},
		"longest title":          {func(c *Content) { c.Title.ZH = strings.Repeat("影", 200) }, "", ""},
		"no Chinese title":       {func(c *Content) { c.Title.ZH = "" }, "title.zh", "catalogue.required"},
		"no English title":       {func(c *Content) { c.Title.EN = "" }, "title.en", "catalogue.required"},
		"long title":             {func(c *Content) { c.Title.ZH = strings.Repeat("影", 201) }, "title", "catalogue.too_long"},
		"long summary":           {func(c *Content) { c.Summary.EN = strings.Repeat("x", 501) }, "summary", "catalogue.too_long"},
		"long badge":             {func(c *Content) { c.Badge.EN = strings.Repeat("x", 41) }, "badge", "catalogue.too_long"},
		"long description":       {func(c *Content) { c.Description.EN = strings.Repeat("x", 20001) }, "description", "catalogue.too_long"},
		"no currency":            {func(c *Content) { c.Price.Currency, c.List.Currency = "", "" }, "currency", "catalogue.currency"},
		"unknown currency":       {func(c *Content) { c.Price.Currency, c.List.Currency = "XAU", "XAU" }, "currency", "catalogue.currency"},
		"free":                   {func(c *Content) { c.Price.Minor = 0 }, "price", "catalogue.price"},
		"negative price":         {func(c *Content) { c.Price.Minor = -1 }, "price", "catalogue.price"},
		"absurd price":           {func(c *Content) { c.Price.Minor, c.List.Minor = 1e11+1, 1e11+1 }, "price", "catalogue.price"},
		"list price below":       {func(c *Content) { c.List.Minor = 1989 }, "list_price", "catalogue.list_price"},
		"list price elsewhere":   {func(c *Content) { c.List.Currency = money.USD }, "list_price", "catalogue.list_price"},
		"none per order":         {func(c *Content) { c.MaxPerOrder = 0 }, "max_per_order", "catalogue.max_per_order"},
		"too many per order":     {func(c *Content) { c.MaxPerOrder = 1001 }, "max_per_order", "catalogue.max_per_order"},
		"no parts":               {func(c *Content) { c.Parts = nil }, "parts", "catalogue.no_parts"},
		"none of a part":         {func(c *Content) { c.Parts[0].Quantity = 0 }, "parts[0].quantity", "catalogue.quantity"},
		"too many of a part":     {func(c *Content) { c.Parts[0].Quantity = 1001 }, "parts[0].quantity", "catalogue.quantity"},
		"a part twice":           {func(c *Content) { c.Parts = append(c.Parts, c.Parts[0]) }, "parts[1]", "catalogue.part_twice"},
		"its own stock twice":    {func(c *Content) { c.Stock, part(c).Stock = "stk_a", "stk_a" }, "stock", "catalogue.stock_twice"},
		"bidi in the title":      {func(c *Content) { c.Title.EN = "card\u202eeerF" }, "title.en", "catalogue.hidden"},
		"control in the summary": {func(c *Content) { c.Summary.ZH = "a\x07b" }, "summary.zh", "catalogue.hidden"},
		"zero width in a badge":  {func(c *Content) { c.Badge.ZH = "新\u200b" }, "badge.zh", "catalogue.hidden"},
		"bidi in a description":  {func(c *Content) { c.Description.EN = "one\ntwo\u2066" }, "description.en", "catalogue.hidden"},
		"lines and pictures":     {func(c *Content) { c.Description.EN = "one\n\ttwo 👨\u200d👩\u200d👧" }, "", ""},
		"bidi in a name":         {func(c *Content) { part(c).Name.ZH = "\u202e卡" }, "parts[0].benefit.name.zh", "catalogue.hidden"},
		"bidi in a provider":     {func(c *Content) { part(c).Provider.Name.ZH = "\u202e卡" }, "parts[0].benefit.provider.name.zh", "catalogue.hidden"},
		"bidi in a disclosure":   {func(c *Content) { part(c).Disclosure.Refund.EN = "none\u202e" }, "parts[0].benefit.disclosure.refund.en", "catalogue.hidden"},
		"provider by no slug":    {func(c *Content) { part(c).Provider.Key = "Tv " }, "parts[0].benefit.provider.key", "catalogue.slug"},
		"bad slug":               {func(c *Content) { part(c).Slug = "Month_1" }, "parts[0].benefit.slug", "catalogue.slug"},
		"long slug":              {func(c *Content) { part(c).Slug = strings.Repeat("a", 81) }, "parts[0].benefit.slug", "catalogue.slug"},
		"no provider":            {func(c *Content) { part(c).Provider = Provider{} }, "parts[0].benefit.provider", "catalogue.required"},
		"no name":                {func(c *Content) { part(c).Name.EN = "" }, "parts[0].benefit.name.en", "catalogue.required"},
		"refund in one language": {func(c *Content) { part(c).Disclosure.Refund.EN = "" }, "parts[0].benefit.disclosure.refund.en", "catalogue.disclosure"},
		"no account type":        {func(c *Content) { part(c).Disclosure.AccountType.ZH = "" }, "parts[0].benefit.disclosure.account_type.zh", "catalogue.disclosure"},
		"negative validity":      {func(c *Content) { part(c).ValidDays = -1 }, "parts[0].benefit.valid_days", "catalogue.days"},
		"unknown kind":           {func(c *Content) { part(c).Kind = "magic" }, "parts[0].benefit.kind", "catalogue.kind"},
		"code without codes":     {func(c *Content) { part(c).Kind, part(c).Attributes = "code", nil }, "parts[0].benefit.coded", "catalogue.needs_code"},
		"coded without stock":    {func(c *Content) { part(c).Coded = true }, "parts[0].benefit.stock", "catalogue.needs_stock"},
		"attribute missing":      {func(c *Content) { part(c).Attributes = nil }, "parts[0].benefit.attributes.days", "catalogue.required"},
		"attribute no number":    {func(c *Content) { part(c).Attributes = map[string]string{"days": "-3"} }, "parts[0].benefit.attributes.days", "catalogue.number"},
		"attribute unknown":      {func(c *Content) { part(c).Attributes = map[string]string{"days": "3", "x": "1"} }, "parts[0].benefit.attributes.x", "catalogue.unknown_attribute"},
	} {
		content := aContent()
		c.spoil(&content)
		err := content.Validate()
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f := fault.From(err)
		if f == nil || f.Kind != fault.Invalid || f.Code != "catalogue.content" || len(f.Fields) != 1 || f.Fields[0].Path != c.path || f.Fields[0].Code != c.code {
			t.Errorf("%s: %v, want %s at %s alone", name, err, c.code, c.path)
		}
	}
}

func TestTooManyParts(t *testing.T) {
	c := aContent()
	for i := range maxParts {
		b := aBenefit("b")
		b.ID = id.Benefit(strings.Repeat("x", i+1))
		c.Parts = append(c.Parts, Part{Benefit: b, Quantity: 1})
	}
	if f := fault.From(c.Validate()); f == nil || len(f.Fields) != 1 || f.Fields[0].Code != "catalogue.too_many_parts" {
		t.Errorf("51 parts: %v", f)
	}
}

func TestSuppliesAddUp(t *testing.T) {
	c := aContent()
	other := c.Parts[0]
	c.Stock, c.Parts[0].Benefit.Stock, c.Parts[0].Quantity = "stk_a", "stk_b", 2
	other.Benefit.Stock, other.Quantity = "stk_b", 3
	c.Parts = append(c.Parts, other, Part{Benefit: aBenefit("free"), Quantity: 9})
	need := c.Supplies(nil, time.Now())
	if len(need) != 2 || need["stk_a"] != 1 || need["stk_b"] != 5 {
		t.Errorf("supplies: %v", need)
	}
	c.Parts[1].Benefit.Provider.Key = "radio"
	var keys []string
	for _, p := range c.Providers() {
		keys = append(keys, p.Key)
	}
	if !slices.Equal(keys, []string{"tv", "radio"}) {
		t.Errorf("providers: %v", keys)
	}
}
