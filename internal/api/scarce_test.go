package api

import (
	"context"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow/flowtest"
	"hufu/internal/inventory"
)

// Whoever reads a right reads its number in an edition.
func TestRightsHaveNumbers(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		stock := r.Stock(t, inventory.Counted)
		r.Receive(t, stock, 5)
		r.in(func(ctx context.Context, tx *db.Tx) error {
			_, err := r.Inventory.Begin(ctx, tx, inventory.Edition{Stock: stock, Size: 1000, First: 42, CreatedBy: "ops"}, r.Clock.Now())
			return err
		})
		owner, member := r.owner(), r.member("13800138000")
		mine := r.buy(r.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}).ID, member.token)
		right, at := string(r.Held(t, mine.id)[0].ID), "/orders/"+string(mine.id)
		for path, where := range map[string]string{at: "rights.0", at + "/rights": "items.0", at + "/rights/" + right: "right", "/member/rights": "items.0", "/staff" + at: "rights.0", "/staff/rights/" + right: "right"} {
			token := member.token
			if len(path) > 6 && path[:6] == "/staff" {
				token = owner.token
			}
			a := r.do(request{method: "GET", path: path, token: token}).want(200, "")
			if a.str(where+".numbers.0.text") != "0042 / 1000" || a.at(where+".numbers.0.number") != 42.0 || a.str(where+".numbers.0.stock") != string(stock) {
				t.Errorf("%s: %s", path, a.text)
			}
		}
		later := r.Change(t, r.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}, flowtest.Part{Stock: stock, Quantity: 1}, flowtest.Part{Quantity: 1}), func(c *catalogue.Content) {
			c.Choices = []catalogue.Choice{{Key: "later", Name: catalogue.Text{ZH: "任选", EN: "Your pick"}, Pick: 1, Later: true, Days: 9}}
			c.Parts[0].Validity = catalogue.Validity{From: catalogue.FromActivation, Days: 30, Within: 60}
			c.Parts[1].Choice, c.Parts[2].Choice = "later", "later"
		})
		mine = r.buy(later.ID, member.token)
		for _, right := range r.Held(t, mine.id) {
			act, where, body := "activate", "", any(nil)
			if right.Waits == entitlement.WaitChoice {
				act, where, body = "choose", "items.0.", map[string]any{"parts": []int{1}}
			}
			a := r.do(request{method: "POST", path: "/orders/" + string(mine.id) + "/rights/" + string(right.ID) + "/" + act, token: member.token, body: body}).want(200, "")
			if a.str(where+"numbers.0.stock") != string(stock) {
				t.Errorf("%s: %s", act, a.text)
			}
		}
	})
}

// What the API shows as left is what it may sell.
func TestTheAPIShowsItsChannelsUnits(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		stock := r.Stock(t, inventory.Counted)
		r.Receive(t, stock, 5)
		offer := r.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
		for _, c := range []struct {
			to    string
			n     int64
			state string
			left  any
		}{{"web", 2, "in_stock", 3.0}, {"web", 3, "sold_out", nil}} {
			r.in(func(ctx context.Context, tx *db.Tx) error {
				return r.Inventory.Allot(ctx, tx, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, To: c.to, Units: c.n, Reason: "r", Actor: "ops"}, r.Clock.Now())
			})
			if a := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, ""); a.str("stock.state") != c.state || c.left != nil && a.at("stock.left") != c.left {
				t.Errorf("%+v: %s", c, a.text)
			}
		}
	})
}
