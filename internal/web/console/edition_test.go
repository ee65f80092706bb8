package console

import (
	"net/http"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// edition makes a stock of units that are numbered from 42.
func (r *rig) edition(units int64, lot bool) id.Stock {
	r.Helper()
	stock := r.shop.Stock(r, inventory.Counted)
	r.shop.Receive(r, stock, units)
	r.do(func(tx *db.Tx) error {
		_, err := r.shop.Inventory.Begin(r.Context(), tx, inventory.Edition{Stock: stock, Size: 1000, First: 42, Gapless: true, ByLot: lot, CreatedBy: "ops"}, r.shop.Clock.Now())
		return err
	})
	return stock
}

// Staff see the number of an edition with the right and with its order.
func TestStaffSeeANumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock := r.edition(5, false)
		o := r.shop.Buy(t, flowtest.Want{Offer: r.shop.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}), Quantity: 1})
		right := r.shop.Held(t, o.Order.ID)[0].ID
		for _, path := range []string{"/console/rights/" + string(right), "/console/orders/" + string(o.Order.ID), "/console/orders/" + string(o.Order.ID) + "/evidence", "/console/stocks/" + string(stock)} {
			b.get(path)
			if got := tags.ReplaceAllString(b.want(http.StatusOK), ""); !strings.Contains(got, "第 0042 号 / 共 1000") {
				t.Errorf("%s: %s", path, got)
			}
		}
	})
}
