package console

import (
	"cmp"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/web/ui"
)

// supply is what the stocks of an offer still make: that of the stock which runs out first.
type supply struct {
	Counted              bool // false: it takes from no stock and never runs out
	Available, Delivered int64
	Low                  bool // a stock is at or below its low mark
}

// supplies reads how the stocks of offers stand, as they are sold, or drafted when they
// never were: two reads, however many offers there are. A stock that several offers share
// counts in full for each.
func (v *visit) supplies(tx *db.Tx, offers []catalogue.Offer) (map[id.Offer]supply, error) {
	ctx := v.r.Context()
	var published []id.OfferVersion
	for _, o := range offers {
		if sold := o.Settled(v.c.now()).VersionID; sold != "" {
			published = append(published, sold)
		}
	}
	versions, err := v.c.Flows.Catalogue.Versions(ctx, tx, published)
	if err != nil {
		return nil, err
	}
	contents := map[id.Offer]catalogue.Content{}
	var wanted []id.Stock
	for _, o := range offers {
		content := o.Draft
		if x := versions[o.Settled(v.c.now()).VersionID]; x != nil {
			content = x.Content
		}
		contents[o.ID] = content
		wanted = append(wanted, content.Stocks()...)
	}
	stocks, err := v.c.Flows.Inventory.Stocks(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	out := map[id.Offer]supply{}
	for offer, c := range contents {
		out[offer] = supplyOf(c.Supplies(c.Plentiful(inventory.Free(stocks)), v.c.Flows.Clock.Now()), stocks)
	}
	return out, nil
}

// supplyOf is what stocks make of something that needs so many units of each.
func supplyOf(need map[id.Stock]int64, stocks map[id.Stock]*inventory.Stock) supply {
	var sum supply
	for k, each := range need {
		s := stocks[k]
		if s == nil || each == 0 {
			continue
		}
		sum.Low = sum.Low || s.Available <= s.LowMark
		if n := s.Available / each; !sum.Counted || n < sum.Available || n == sum.Available && s.Delivered/each > sum.Delivered {
			sum.Counted, sum.Available, sum.Delivered = true, n, s.Delivered/each
		}
	}
	return sum
}

func (v *visit) available(s supply) ui.Cell {
	n := ui.FormatInt(s.Available)
	switch {
	case !s.Counted:
		return ui.Text(v.t("console.stock.unlimited"), "")
	case s.Available == 0:
		return ui.State(ui.Stop, v.t("console.stock.out"))
	case s.Low:
		return ui.State(ui.Warn, v.t("console.stock.low_left", "n", n))
	}
	return ui.Text(n, "")
}

func (v *visit) delivered(s supply) ui.Cell {
	if !s.Counted {
		return ui.Text("–", "")
	}
	return ui.Text(ui.FormatInt(s.Delivered), "")
}

// byAvailable orders by what is left; what never runs out has the most.
func byAvailable(a, b supply) int {
	if a.Counted != b.Counted {
		if a.Counted {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Available, b.Available)
}
