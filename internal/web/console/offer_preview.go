package console

import (
	"net/http"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/web"
	"hufu/internal/web/ui"
)

// previewGroup is what a shopper must know of a part.
type previewGroup struct {
	Name, Provider, ProviderID string
	Terms                      []ui.Term
}

// previewOffer shows the working copy as the page that a shopper would see.
func previewOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	var d ui.Data
	if err := v.view(func(tx *db.Tx) (err error) {
		d, err = web.OfferPreview(v.r.Context(), tx, c.Flows, o, v.lang, "/console/offers/"+string(o.ID), c.now())
		return err
	}); err != nil {
		return err
	}
	page := d.Base()
	v.page(page, "", page.Title)
	page.Shell, page.User, page.Counts, page.Crumbs = "shop", nil, nil, nil
	c.ui.Render(v.w, v.r, http.StatusOK, web.OfferPage, d)
	return nil
}

func (v *visit) terms(x catalogue.Disclosure) []ui.Term {
	return []ui.Term{{Icon: "user", Label: v.t("console.disclosure.account_type"), Text: v.pick(x.AccountType)}, {Icon: "pin", Label: v.t("console.disclosure.scope"), Text: v.pick(x.Scope)}, {Icon: "phone", Label: v.t("console.disclosure.devices"), Text: v.pick(x.Devices)},
		{Icon: "calendar", Label: v.t("console.disclosure.validity"), Text: v.pick(x.Validity)}, {Icon: "key", Label: v.t("console.disclosure.how_to_use"), Text: v.pick(x.HowToUse)},
		{Icon: "refund", Label: v.t("console.disclosure.refund"), Text: v.pick(x.Refund)}}
}
