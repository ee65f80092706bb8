package web

import (
	"hufu/internal/catalogue"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/web/ui"
)

// termGroup is what a shopper must know of one part of an offer.
type termGroup struct {
	Name       string
	Provider   string
	ProviderID string
	Terms      []ui.Term
}

var topicIcons = map[terms.Topic]string{terms.Delivery: "bolt", terms.Limit: "tag", terms.Accounts: "users", terms.Choice: "layers", terms.Arrives: "clock", terms.Release: "calendar", terms.Counts: "clock",
	terms.Account: "user", terms.Scope: "pin", terms.Devices: "phone", terms.Validity: "calendar", terms.HowToUse: "key", terms.Refund: "refund"}

// termsOf is what a shopper accepts (see terms.Of), as pages show it.
func termsOf(lang i18n.Lang, c catalogue.Content) []termGroup {
	var out []termGroup
	for _, g := range terms.Of(lang, c) {
		one := termGroup{Name: g.Name, Provider: g.Provider, ProviderID: g.ProviderKey}
		for _, t := range g.Terms {
			one.Terms = append(one.Terms, ui.Term{Icon: topicIcons[t.Topic], Label: t.Label, Text: t.Text})
		}
		out = append(out, one)
	}
	return out
}
