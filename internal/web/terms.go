package web

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
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

// termsOf is everything there is to know before paying (购前告知), in a language: what holds
// for the whole order, then each benefit.
func termsOf(lang i18n.Lang, c catalogue.Content) []termGroup {
	delivery := "shop.terms.delivery.text"
	if slices.ContainsFunc(c.Parts, func(p catalogue.Part) bool { return p.Benefit.Waits() != catalogue.WaitNothing }) {
		delivery = "shop.terms.delivery.waits"
	}
	whole := termGroup{Name: lang.T("shop.terms.order"), Terms: []ui.Term{
		{Icon: "bolt", Label: lang.T("shop.terms.delivery"), Text: lang.T(delivery)},
		{Icon: "tag", Label: lang.T("shop.terms.limit"), Text: lang.T("shop.terms.limit.text", "n", strconv.FormatInt(c.MaxPerOrder, 10))},
	}}
	if all := c.Providers(); len(all) > 1 {
		whole.Terms = append(whole.Terms, ui.Term{Icon: "users", Label: lang.T("shop.terms.accounts"), Text: separate(lang, all)})
	}
	whole.Terms = append(whole.Terms, composed(lang, c)...)
	out := []termGroup{whole}
	for _, p := range c.Parts {
		b := p.Benefit
		g := termGroup{Name: pick(lang, b.Name), Provider: pick(lang, b.Provider.Name), ProviderID: b.Provider.Key}
		if p.Quantity > 1 {
			g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
		}
		if w := b.Waits(); w != catalogue.WaitNothing {
			g.Terms = append(g.Terms, ui.Term{Icon: "clock", Label: lang.T("shop.terms.arrives"), Text: lang.T("kind.waits." + string(w) + ".terms")})
		}
		g.Terms = append(g.Terms, partTerms(lang, p)...)
		for _, t := range []struct {
			icon, label string
			text        catalogue.Text
		}{
			{"user", "shop.terms.account", b.Disclosure.AccountType}, {"pin", "shop.terms.scope", b.Disclosure.Scope}, {"phone", "shop.terms.devices", b.Disclosure.Devices}, {"calendar", "shop.terms.validity", b.Disclosure.Validity},
			{"key", "shop.terms.how", b.Disclosure.HowToUse}, {"refund", "shop.terms.refund", b.Disclosure.Refund},
		} {
			g.Terms = append(g.Terms, ui.Term{Icon: t.icon, Label: lang.T(t.label), Text: pick(lang, t.text)})
		}
		out = append(out, g)
	}
	return out
}

// separate says that the providers' accounts are apart; "" for a single provider.
func separate(lang i18n.Lang, all []catalogue.Provider) string {
	if len(all) < 2 {
		return ""
	}
	var names []string
	for _, p := range all {
		names = append(names, pick(lang, p.Name))
	}
	return lang.T("shop.terms.accounts.text", "n", strconv.Itoa(len(all)), "names", strings.Join(names, lang.T("shop.comma")))
}

// termsHash is SHA-256, in hexadecimal, of the terms as they are shown: group, label and
// text, one a line. An order line keeps it as what its buyer accepted.
func termsHash(groups []termGroup) string {
	var b strings.Builder
	for _, g := range groups {
		b.WriteString(g.Name + "\n" + g.Provider + "\n")
		for _, t := range g.Terms {
			b.WriteString(t.Label + "\n" + t.Text + "\n")
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
