package console

import (
	"net/http"
	"strconv"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/web/ui"
)

type previewView struct {
	ui.Page
	Card   ui.Offer
	About  string
	Badge  string
	Groups []previewGroup
	Max    int64
	Back   string
}

type previewGroup struct {
	Name, Provider, ProviderID string
	Terms                      []ui.Term
}

// previewOffer shows the working copy as a shopper would see it.
func previewOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	d := &previewView{Max: o.Draft.MaxPerOrder, About: v.pick(o.Draft.Description), Badge: v.pick(o.Draft.Badge), Back: "/console/offers/" + string(o.ID)}
	d.Card = ui.Offer{ID: string(o.ID), Href: d.Back, Name: orSlug(v.pick(o.Draft.Title), o.Slug), Sub: v.pick(o.Draft.Summary), Price: o.Draft.Price, ListPrice: o.Draft.List, Ribbon: d.Badge, Stock: ui.Stock{Unlimited: true}}
	var present map[id.Benefit]catalogue.Benefit
	err = v.view(func(tx *db.Tx) error {
		ids := make([]id.Benefit, len(o.Draft.Parts))
		for i, p := range o.Draft.Parts {
			ids[i] = p.Benefit.ID
		}
		var stocks map[id.Stock]*inventory.Stock
		if present, err = c.Flows.Catalogue.Benefits(v.r.Context(), tx, ids); err != nil {
			return err
		}
		if stocks, err = c.Flows.Inventory.Stocks(v.r.Context(), tx, o.Draft.Stocks()); err != nil {
			return err
		}
		for s, each := range o.Draft.Supplies(o.Draft.Plentiful(inventory.Free(stocks)), c.Flows.Clock.Now()) {
			if st := stocks[s]; st != nil && each > 0 {
				if left := st.Available / each; d.Card.Stock.Unlimited || left < d.Card.Stock.Left {
					d.Card.Stock = ui.Stock{Left: left}
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, p := range o.Draft.Parts {
		b, ok := present[p.Benefit.ID]
		if !ok {
			b = p.Benefit
		}
		if i == 0 {
			d.Card.Provider, d.Card.ProviderID = v.pick(b.Provider.Name), b.Provider.Key
		}
		g := previewGroup{Name: v.pick(b.Name), Provider: v.pick(b.Provider.Name), ProviderID: b.Provider.Key, Terms: v.terms(b.Disclosure)}
		if p.Quantity > 1 {
			g.Name += " × " + strconv.FormatInt(p.Quantity, 10)
		}
		d.Groups = append(d.Groups, g)
	}
	v.page(&d.Page, "", d.Card.Name)
	d.Shell, d.User, d.Counts = "shop", nil, nil
	return v.render(http.StatusOK, "preview", d)
}

func (v *visit) terms(x catalogue.Disclosure) []ui.Term {
	return []ui.Term{{Icon: "user", Label: v.t("console.disclosure.account_type"), Text: v.pick(x.AccountType)}, {Icon: "pin", Label: v.t("console.disclosure.scope"), Text: v.pick(x.Scope)}, {Icon: "phone", Label: v.t("console.disclosure.devices"), Text: v.pick(x.Devices)},
		{Icon: "calendar", Label: v.t("console.disclosure.validity"), Text: v.pick(x.Validity)}, {Icon: "key", Label: v.t("console.disclosure.how_to_use"), Text: v.pick(x.HowToUse)},
		{Icon: "refund", Label: v.t("console.disclosure.refund"), Text: v.pick(x.Refund)}}
}
