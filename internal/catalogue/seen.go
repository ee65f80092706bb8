package catalogue

import (
	"strconv"

	"hufu/internal/fault"
	"hufu/internal/naming"
)

// seen reports, below path, the languages in which characters hide that nobody sees, or that
// turn round what stands beside them.
func (t Text) seen(path string, f *fault.Error) {
	for _, in := range []struct{ lang, text string }{{"zh", t.ZH}, {"en", t.EN}} {
		if naming.HiddenText(in.text) {
			f.At(join(path, in.lang), "catalogue.hidden")
		}
	}
}

// seen reports what hides in the texts of the content itself.
func (c Content) seen(f *fault.Error) {
	c.Title.seen("title", f)
	c.Summary.seen("summary", f)
	c.Badge.seen("badge", f)
	c.Description.seen("description", f)
	for i, r := range c.Rules {
		r.seen("rules["+strconv.Itoa(i)+"]", f)
	}
}

// seen reports what hides in the texts of the benefit.
func (b Benefit) seen(path string, f *fault.Error) {
	b.Name.seen(join(path, "name"), f)
	b.Provider.Name.seen(join(path, "provider.name"), f)
	d := b.Disclosure
	d.AccountType.seen(join(path, "disclosure.account_type"), f)
	d.Scope.seen(join(path, "disclosure.scope"), f)
	d.Devices.seen(join(path, "disclosure.devices"), f)
	d.Validity.seen(join(path, "disclosure.validity"), f)
	d.HowToUse.seen(join(path, "disclosure.how_to_use"), f)
	d.Refund.seen(join(path, "disclosure.refund"), f)
	for _, name := range sortedKeys(b.Attributes) {
		if naming.HiddenText(b.Attributes[name]) {
			f.At(join(path, "attributes."+name), "catalogue.hidden")
		}
	}
}

// legible refuses a working copy in which something hides, before anybody is shown it.
func (o Offer) legible() error {
	f := fault.New(fault.Invalid, "catalogue.content")
	if o.Draft.seen(f); len(f.Fields) > 0 {
		return f
	}
	return nil
}
