package catalogue

import (
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

// Text is a text in both languages. Chinese is required wherever a text is; English falls
// back to it.
type Text struct {
	ZH string
	EN string
}

// Empty reports whether nothing is written.
func (t Text) Empty() bool { return t.ZH == "" && t.EN == "" }

// Param gives the text to a message as {name}, in the language it is read in.
func (t Text) Param(name string) []string { return []string{name + ".zh", t.ZH, name + ".en", t.EN} }

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
	Devices     Text // on which, and how many at once
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
	// Worth is what it costs by itself in the trade: shares of a price that aren't declared go
	// by it. Zero isn't known.
	Worth money.Amount
	// Stock counts the units there are; "" is without limit. A benefit delivered by a code
	// takes one from this stock's codes.
	Stock id.Stock
	// Coded says that a unit is delivered as a card code out of Stock.
	Coded bool
}

// Validate checks that b can be promised. Problems are placed below path.
func (b Benefit) Validate(path string, f *fault.Error) {
	need := func(ok bool, field, code string, params ...string) {
		if !ok {
			f.At(join(path, field), code, params...)
		}
	}
	need(slugForm.MatchString(b.Slug) && len(b.Slug) <= maxSlug, "slug", "catalogue.slug")
	need(b.Provider.Key != "" && b.Provider.Name.ZH != "", "provider", "catalogue.required")
	need(b.Provider.Key == "" || slugForm.MatchString(b.Provider.Key) && len(b.Provider.Key) <= maxSlug, "provider.key", "catalogue.slug")
	b.seen(path, f)
	need(b.Name.ZH != "", "name.zh", "catalogue.required")
	need(b.Name.EN != "", "name.en", "catalogue.required")
	need(b.Name.within(200), "name", "catalogue.too_long", "limit", "200")
	for _, d := range []struct {
		name string
		text Text
	}{{"account_type", b.Disclosure.AccountType}, {"scope", b.Disclosure.Scope}, {"devices", b.Disclosure.Devices}, {"validity", b.Disclosure.Validity}, {"how_to_use", b.Disclosure.HowToUse}, {"refund", b.Disclosure.Refund}} {
		need(d.text.ZH != "", "disclosure."+d.name+".zh", "catalogue.disclosure")
		need(d.text.EN != "", "disclosure."+d.name+".en", "catalogue.disclosure")
		need(d.text.within(5000), "disclosure."+d.name, "catalogue.too_long", "limit", "5000")
	}
	need(b.ValidDays >= 0 && b.ValidDays <= 36500, "valid_days", "catalogue.days")
	b.validateKind(path, f)
}
