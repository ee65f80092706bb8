package console

import (
	"hufu/internal/catalogue"
	"hufu/internal/db"
)

// starved is a channel in which nothing of a live offer can be sold, because what a stock has
// is all allotted to others.
type starved struct{ Title, Text, Href string }

func (v *visit) starved(tx *db.Tx, o catalogue.Offer, versions []*catalogue.Version) ([]starved, error) {
	now := v.c.now()
	var c *catalogue.Content
	for _, x := range versions {
		if x.ID == o.VersionID {
			c = &x.Content
		}
	}
	if c == nil || o.At(now) != catalogue.Live {
		return nil, nil
	}
	inventory := v.c.Flows.Inventory
	stocks, err := inventory.Stocks(v.r.Context(), tx, c.Stocks())
	if err != nil {
		return nil, err
	}
	free, err := inventory.FreeFor(v.r.Context(), tx, c.Stocks())
	if err != nil {
		return nil, err
	}
	var out []starved
	for _, channel := range catalogue.Channels {
		need := c.Supplies(c.Plentiful(free(channel)), now)
		for _, k := range c.Stocks() {
			s := stocks[k]
			if need[k] > 0 && s != nil && s.Available > 0 && s.Allotted >= s.Available && free(channel)(k) == 0 {
				out = append(out, starved{v.t("allotment.starved", "channel", v.known("console.channel."+channel, channel)), v.t("allotment.starved.text", "stock", s.Name), "/console/stocks/" + string(k)})
			}
		}
	}
	return out, nil
}
