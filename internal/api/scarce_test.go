package api

import (
	"context"
	"testing"

	"hufu/internal/db"
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
	})
}
