package flow

import (
	"time"

	"hufu/internal/delivery"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
)

// Numbered is a number of an edition, as the path of the right that has it records it.
type Numbered struct {
	Stock  id.Stock `json:"stock"`
	Number int64    `json:"number"`
	Of     int64    `json:"of"`
}

// number numbers the units that a right was delivered: its own and, for the first right of
// a unit of the offer, the offer's. Nothing is done for stocks that are no edition.
func (b *confirming) number(l order.Line, it delivery.Item, first bool) []Numbered {
	var stocks []id.Stock
	if !it.Part.Promised {
		stocks = append(stocks, it.Part.Stock)
	}
	if offer := b.versions[l.Version].Content.Stock; first && offer != it.Part.Stock {
		stocks = append(stocks, offer)
	}
	return numbered(b.book, it.Right, b.now, stocks...)
}

func numbered(book *inventory.Book, right id.Right, now time.Time, stocks ...id.Stock) []Numbered {
	var out []Numbered
	for _, stock := range stocks {
		if n, ok := book.Give(stock, right, now); ok {
			out = append(out, Numbered{n.Stock, n.Number, n.Of})
		}
	}
	return out
}
