package console

import (
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/order"
)

// A relation is declared, read as shoppers will read it, edited by two, and taken away; and
// the offer whose parts it forbids can't be published.
func TestRelationsAreDeclaredInTheConsole(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		b.lang = i18n.EN
		ids := r.filled()
		declared := func() (out []catalogue.Relation) {
			t.Helper()
			r.do(func(tx *db.Tx) (err error) {
				out, err = r.shop.Catalogue.Relations(t.Context(), tx)
				return err
			})
			return out
		}
		fields := func(more ...string) []string {
			return append([]string{"op", "save", "version", "0", "key", "only-one", "name.zh", "会员", "name.en", "P membership", "kind", "excludes", "severity", "block", "from.provider", "p"}, more...)
		}
		b.get("/console/relations/new")
		b.post("/console/relations/new", fields("=op", "look")...)
		b.want(200, "can&#39;t be had together with your VIP", "1 benefits now: VIP")
		if len(declared()) != 1 {
			t.Error("looking declared it")
		}
		b.post("/console/relations/new", fields("=key", "line")...)
		b.want(409, "Another relation has the key line")
		b.post("/console/relations/new", fields("=from.provider", "")...)
		b.want(400, "key of a provider")
		b.post("/console/relations/new", fields()...)
		b.want(303)
		b.get("/console/relations")
		b.want(200, "P membership", "only-one", "Exclusive", "Can&#39;t be bought")
		b.get("/console/relations/only-one")
		b.post("/console/relations/only-one", fields("=version", "1", "=severity", "inform")...)
		b.want(303)
		b.get("/console/relations/only-one")
		b.post("/console/relations/only-one", fields("=version", "1", "=severity", "acknowledge")...)
		b.want(409, "Below is what you changed")
		b.post("/console/relations/only-one", fields("=version", "2", "=severity", "block")...)
		b.want(303)

		// The offer gives one of it: that is fine. Two are not.
		b.get("/console/offers/" + ids["ofr"])
		if body := b.want(200); strings.Contains(body, "can't be published") || strings.Contains(body, "can&#39;t be published") {
			t.Error("one part conflicts with itself")
		}
		r.do(func(tx *db.Tx) error {
			o, err := r.shop.Catalogue.Offer(t.Context(), tx, id.Offer(ids["ofr"]))
			if err != nil {
				return err
			}
			o.Draft.Parts[0].Quantity = 2
			_, err = r.shop.Catalogue.Save(t.Context(), tx, o, r.shop.Clock.Now())
			return err
		})
		b.get("/console/offers/" + ids["ofr"])
		b.want(200, "can&#39;t be published", "can&#39;t be had together")
		b.get("/console/offers/" + ids["ofr"] + "/edit")
		b.want(200, "can&#39;t be had together")
		b.get("/console/offers/" + ids["ofr"])
		b.post("/console/offers/"+ids["ofr"]+"/publish", "revision", "4")
		if b.last.Code == 303 {
			t.Error("it was published")
		}
		b.get("/console/relations/only-one")
		b.post("/console/relations/only-one/remove", "version", "1")
		b.want(409)
		b.get("/console/relations/only-one")
		b.post("/console/relations/only-one/remove", "version", "3")
		b.want(303)
		if all := declared(); len(all) != 1 || all[0].Key != "line" {
			t.Errorf("declared %+v", all)
		}
		r.do(func(tx *db.Tx) error {
			return r.shop.Orders.Acknowledge(t.Context(), tx, []order.Acknowledgement{{Order: id.Order(ids["ord"]), Hash: "5f5f", Text: "one\ntwo", Lang: "en", At: r.shop.Clock.Now()}})
		})
		b.get("/console/orders/" + ids["ord"])
		b.want(200, "What the buyer acknowledged", "one\ntwo", "5f5f")
		b.get("/console/audit?q=only-one")
		b.want(200, "Relation removed", "Relation saved")
	})
}
