package flow

import (
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/delivery"
	"hufu/internal/entitlement"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
)

// promised lists the rights that one unit of a line gives when it is paid: those of today, and
// those that are released or picked later, which wait from the purchase on.
func promised(v *catalogue.Version, l order.Line, placed, paid time.Time) ([]delivery.Part, error) {
	gifts := v.Content.Gifts(l.Picks, placed)
	shares, err := v.Content.Shares(gifts, money.Of(l.UnitPrice, v.Content.Price.Currency))
	if err != nil {
		return nil, err
	}
	out := make([]delivery.Part, 0, len(shares))
	for _, g := range gifts {
		for nth, at := range g.Times {
			for range g.Quantity {
				p := become(v, g.Part)
				p.Nth, p.Share = int64(nth), shares[len(out)]
				switch {
				case at.After(paid):
					p.Promised, p.Waits, p.Due, p.StartsAt = true, entitlement.WaitRelease, at, at
				case g.Later():
					p.Promised, p.Waits, p.Due, p.StartsAt = true, entitlement.WaitChoice, paid.AddDate(0, 0, int(g.Choice.Days)), paid
				default:
					begin(&p, v, paid, paid)
				}
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// become is a right to a part, of which nothing is said yet but what it is.
func become(v *catalogue.Version, part int) delivery.Part {
	b := v.Content.Parts[part].Benefit
	return delivery.Part{N: int64(part), Benefit: b.ID, Kind: b.Kind, Stock: b.Stock, Coded: b.Coded}
}

// begin says of a right given at a moment what it waits for next, and when it counts.
func begin(p *delivery.Part, v *catalogue.Version, paid, given time.Time) {
	part := v.Content.Parts[p.N]
	p.Waits = string(part.Benefit.Waits())
	p.StartsAt, p.EndsAt, _ = part.Validity.Span(part.Benefit.ValidDays, paid, given)
	if part.Validity.Begun() {
		p.Clock = delivery.Clock{From: clocks[part.Validity.From], Days: part.Validity.Days, Within: part.Validity.Within}
	}
}

var clocks = map[catalogue.ValidFrom]string{catalogue.FromActivation: entitlement.ClockActivation, catalogue.FromFirstUse: entitlement.ClockUse}

// needsOf adds up the codes that rights need now, by stock.
func needsOf(parts []delivery.Part, units int64, codes map[id.Stock]int64) {
	for _, p := range parts {
		if p.NeedsCode() {
			codes[p.Stock] += units
		}
	}
}
