package catalogue

import (
	"strconv"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// Text is a text in both languages. Chinese is required wherever a text is; English falls
// back to it.
type Text struct {
	ZH string
	EN string
}

// Empty reports whether nothing is written.
func (t Text) Empty() bool { return t.ZH == "" && t.EN == "" }

// within reports whether neither language has more than n characters.
func (t Text) within(n int) bool {
	return utf8.RuneCountInString(t.ZH) <= n && utf8.RuneCountInString(t.EN) <= n
}

// Provider is who honours a benefit.
type Provider struct {
	Key  string // stable, lower case: "tencent-video"
	Name Text
}

// Disclosure is what a shopper must be told before paying (购前告知).
type Disclosure struct {
	AccountType Text // which account the benefit belongs to
	Scope       Text // what it covers and where
	Validity    Text // how long, from when
	HowToUse    Text
	Refund      Text // when money is given back
}

// Benefit is one promised right. Its kind decides which attributes it has.
type Benefit struct {
	ID         id.Benefit
	Slug       string
	Version    int64
	Kind       string
	Provider   Provider
	Name       Text
	Disclosure Disclosure
	Attributes map[string]string
	// ValidDays is how long the right lasts from its grant; 0 means as the disclosure says.
	ValidDays int64
	// Stock counts the units there are; "" is without limit. A benefit delivered by a code
	// takes one from this stock's codes.
	Stock id.Stock
	// Coded says that a unit is delivered as a card code out of Stock.
	Coded bool
}

// Kind is one kind of benefit. Each stands in a file of its own and registers itself.
type Kind struct {
	Name string
	// Fields are the attributes a benefit of this kind may carry.
	Fields []Attribute
	// NeedsCode says that it can only be delivered as a code.
	NeedsCode bool
	// Waits says that a granted right waits for a deliverer and isn't held at once.
	Waits bool
}

// Attribute is one property of a kind of benefit.
type Attribute struct {
	Name     string
	Required bool
	// Number says that the value is a whole number above zero.
	Number bool
}

var kinds = map[string]Kind{}

func register(k Kind) Kind {
	if _, twice := kinds[k.Name]; twice {
		panic("catalogue: two kinds are named " + k.Name)
	}
	kinds[k.Name] = k
	return k
}

// KindOf finds a kind by name.
func KindOf(name string) (Kind, bool) { k, ok := kinds[name]; return k, ok }

// Kinds lists the names of all kinds in a fixed order.
func Kinds() []string { return sortedKeys(kinds) }

// Validate checks that b can be promised. Problems are placed below path.
func (b Benefit) Validate(path string, f *fault.Error) {
	need := func(ok bool, field, code string, params ...string) {
		if !ok {
			f.At(join(path, field), code, params...)
		}
	}
	need(slugForm.MatchString(b.Slug) && len(b.Slug) <= maxSlug, "slug", "catalogue.slug")
	need(b.Provider.Key != "" && b.Provider.Name.ZH != "", "provider", "catalogue.required")
	need(b.Name.ZH != "", "name.zh", "catalogue.required")
	need(b.Name.EN != "", "name.en", "catalogue.required")
	need(b.Name.within(200), "name", "catalogue.too_long", "limit", "200")
	for _, d := range []struct {
		name string
		text Text
	}{{"account_type", b.Disclosure.AccountType}, {"scope", b.Disclosure.Scope}, {"validity", b.Disclosure.Validity}, {"how_to_use", b.Disclosure.HowToUse}, {"refund", b.Disclosure.Refund}} {
		need(d.text.ZH != "", "disclosure."+d.name+".zh", "catalogue.disclosure")
		need(d.text.EN != "", "disclosure."+d.name+".en", "catalogue.disclosure")
		need(d.text.within(5000), "disclosure."+d.name, "catalogue.too_long", "limit", "5000")
	}
	need(b.ValidDays >= 0 && b.ValidDays <= 36500, "valid_days", "catalogue.days")
	k, ok := KindOf(b.Kind)
	need(ok, "kind", "catalogue.kind", "kind", b.Kind)
	if !ok {
		return
	}
	need(!k.NeedsCode || b.Coded, "coded", "catalogue.needs_code")
	need(!b.Coded || b.Stock != "", "stock", "catalogue.needs_stock")
	known := map[string]bool{}
	for _, a := range k.Fields {
		known[a.Name] = true
		v := b.Attributes[a.Name]
		need(!a.Required || v != "", "attributes."+a.Name, "catalogue.required")
		if a.Number && v != "" {
			n, err := strconv.ParseInt(v, 10, 64)
			need(err == nil && n > 0, "attributes."+a.Name, "catalogue.number")
		}
	}
	for name := range b.Attributes {
		need(known[name], "attributes."+name, "catalogue.unknown_attribute", "name", name)
	}
}
