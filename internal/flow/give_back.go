package flow

import (
	"hufu/internal/delivery"
	"hufu/internal/id"
)

// giveBack returns the units of planned items that could not be delivered: there was no
// code behind them, so they are voided, and the codes picked for their unit are freed.
func (b *confirming) giveBack(version id.OfferVersion, planned, whole []delivery.Item) {
	if len(planned) == len(whole) {
		return
	}
	kept := map[id.Right]bool{}
	for _, it := range whole {
		kept[it.Right] = true
	}
	broken := map[int64]bool{}
	for _, it := range planned {
		if kept[it.Right] {
			continue
		}
		broken[it.Unit] = true
		if it.Part.Stock == "" {
			continue
		}
		_, had := b.codes[it.Right]
		delete(b.codes, it.Right)
		b.book.Return(it.Part.Stock, 1, !had)
	}
	coded := map[id.Stock]int64{}
	for _, p := range b.versions[version] {
		if p.Stock != "" {
			coded[p.Stock] += p.Quantity
		}
	}
	for stock, each := range b.supplies[version] {
		if n := (each - coded[stock]) * int64(len(broken)); n > 0 {
			b.book.Return(stock, n, false)
		}
	}
}
