package console

import (
	"net/http"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/web"
	"hufu/internal/web/ui"
)

type evidenceView struct {
	ui.Page
	Evidence *web.Evidence
}

// evidencePage shows staff what a buyer was shown and accepted, to be printed.
func evidencePage(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return fault.New(fault.NotFound, "order.not_found")
	}
	d := &evidenceView{}
	if err := v.view(func(tx *db.Tx) error {
		d.Evidence, err = web.EvidenceOf(v.r.Context(), tx, c.Flows, k, v.lang)
		return err
	}); err != nil {
		return err
	}
	v.page(&d.Page, "orders", v.t("shop.evidence"))
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.all_orders"), Href: "/console/orders"}, {Label: short(k), Href: "/console/orders/" + string(k)}, {Label: d.Title}}
	return v.render(http.StatusOK, "evidence", d)
}
