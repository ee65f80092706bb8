package flow

import (
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// reserve holds the units of every line, or of none: it returns the offer that is short,
// "" when all are held.
func reserve(book *inventory.Book, w *placing) id.Offer {
	var total = map[id.Stock]int64{}
	for i, l := range w.order.Lines {
		for s, each := range w.need[i] {
			total[s] += each * l.Quantity
		}
		if !book.Has(total, 1) {
			return l.Offer
		}
	}
	for i, l := range w.order.Lines {
		book.Reserve(l.ID, w.need[i], l.Quantity, w.order.ExpiresAt)
	}
	return ""
}
