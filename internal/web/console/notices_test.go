package console

import (
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/notify"
)

// Whoever reads a one-time code, or an order's link, can be the one it was sent to. Where
// messages leave the house nobody reads them here; where this page is the inbox, the owner.
func TestNoticesKeepSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		owner := r.owner()
		stock := r.shop.Stock(r, inventory.Codes)
		r.shop.Codes(r, stock, 1)
		o := r.shop.Buy(r, flowtest.Want{Offer: r.shop.Sell(r, 1990, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1}), Quantity: 1})
		link := r.shop.Keys.LinkSecret(string(o.Order.ID))
		for i, purpose := range []identity.Purpose{identity.ForSignIn, identity.ForLookUp} {
			if _, err := r.shop.SendCode(t.Context(), r.people, identity.SendCode{To: []string{"13800009876", "13800009877"}[i], Purpose: purpose}, "en"); err != nil {
				t.Fatal(err)
			}
		}
		var codes []string
		r.do(func(tx *db.Tx) error {
			all, err := notify.Newest(t.Context(), tx, "", 2)
			if err != nil {
				return err
			}
			for _, m := range all {
				for w := range strings.FieldsFuncSeq(m.Body, func(c rune) bool { return c < '0' || c > '9' }) {
					if len(w) == 6 {
						codes = append(codes, w)
					}
				}
			}
			return notify.Write(t.Context(), tx, r.shop.Clock.Now(), notify.Message{Channel: "sms", Target: "13800001234", Template: "shop.paid", Lang: "en", Body: "Paid.", Order: o.Order.ID})
		})
		if len(codes) != 2 {
			t.Fatal(codes)
		}
		who := map[identity.Role]*browser{identity.Owner: owner}
		for _, role := range identity.AllRoles[1:] {
			who[role] = r.member(string(role)+"@example.com", role)
		}
		for _, inbox := range []bool{false, true} {
			r.console.ShowMessages = inbox
			for role, b := range who {
				b.get("/console/notices")
				if !role.May(identity.NoticeView) {
					b.want(403)
					continue
				}
				body := b.want(200, "Paid.")
				for _, secret := range append(codes, link, "13800009876") {
					if strings.Contains(body, secret) != (inbox && role == identity.Owner) {
						t.Errorf("inbox %t: %s and %q", inbox, role, secret)
					}
				}
			}
		}
	})
}
