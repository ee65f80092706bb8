package console

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/money"
)

// A preview is the page a shopper would see: what is picked and released when, for how much
// and of whom, and nothing on it buys.
func TestAPreviewIsTheOffersPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		one := flowtest.Part{Quantity: 1}
		o := r.shop.Change(t, r.shop.Sell(t, 9000, "", one, one, one), func(c *catalogue.Content) {
			c.Choices = []catalogue.Choice{{Key: "now", Name: catalogue.Text{ZH: "任选其一", EN: "Your pick"}, Pick: 1}}
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryMonth, Count: 3}
			c.Parts[1].Choice, c.Parts[2].Choice = "now", "now"
			c.List, c.Limits = money.Of(12000, money.CNY), []catalogue.Limit{{Max: 2, Window: catalogue.Ever, Of: catalogue.Person}}
		})
		b := r.owner()
		b.get("/console/offers/" + string(o.ID) + "/preview")
		body := b.want(200, i18n.ZH.T("console.preview.title"), "任选其一", "每月发放一次", "120.00", i18n.ZH.T("shop.limits"), i18n.ZH.T("shop.terms.title"), `name="pick.now"`, "/console/offers/"+string(o.ID))
		if strings.Contains(body, "/checkout/") || strings.Contains(body, `form="buy"`) || !strings.Contains(body, "disabled") {
			t.Error("something can be bought in a preview")
		}
	})
}
