package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/httpx"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

// wrong puts errors beside their fields and above the form, in its order.
func (v *checkoutView) wrong(errors map[string]string) {
	v.Errors, v.Problems = errors, nil
	v.Bundle.errors(errors)
	fields := []string{}
	for _, c := range v.Bundle.Now {
		fields = append(fields, c.Field)
	}
	for _, field := range append(fields, "phone", "email", "conflicts", "agree", "pay", "accounts") {
		if text := errors[field]; text != "" {
			v.Problems = append(v.Problems, problem{field, text})
		}
	}
}

// unpicked says beside each choice what is still to be picked of it.
func (v *checkoutView) unpicked(g goods, picks order.Picks) {
	f := fault.New(fault.Invalid, "shop.form")
	unpicked(g.Version.Content, picks, f)
	v.wrong(ui.FieldErrors(v.lang, f))
}

// goneFields tells an option's being sold out beside the choices it was picked of; when none
// is known to be, beside all that were made.
func (v *checkoutView) goneFields(g goods, picks order.Picks, text string) map[string]string {
	out, all := map[string]string{}, map[string]string{}
	for _, c := range v.Bundle.Now {
		all[c.Field] = text
		for _, n := range picks[strings.TrimPrefix(c.Field, pickField)] {
			if slices.Contains(g.Gone, n) {
				out[c.Field] = text
			}
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// refusals tells on an offer's page which of its rules don't let the shopper, before they try.
func (s *Web) refusals(r *http.Request, v *offerView, e *identity.Session, g goods) error {
	if len(g.Version.Content.Rules) == 0 {
		return nil
	}
	buyer := flow.Buyer{Device: s.device(r)}
	if e != nil {
		buyer.Party, buyer.OwnPhone = e.Party.ID, e.Party.Phone
	}
	lang := ui.LangOf(r)
	return s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		all, err := s.Flows.Qualifies(r.Context(), tx, []flow.Wanted{{Version: g.Version, Quantity: 1}}, buyer, flow.Visit{Channel: "web", Device: httpx.DeviceKind(r.UserAgent())}, s.now())
		v.Rules, v.SignIn = nil, ""
		for _, one := range all {
			v.Rules = append(v.Rules, lang.T("shop.rules.one", "rule", pick(lang, one.Rule.Name), "why", pick(lang, one.Why)))
			if one.SignIn && s.People != nil {
				v.SignIn = "/sign-in?to=" + url.QueryEscape(v.Card.Href)
			}
		}
		return err
	})
}
