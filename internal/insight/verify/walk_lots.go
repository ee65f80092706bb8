package verify

import (
	"context"
	"fmt"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

var lotNumbers = db.SQL("verify.lots", `SELECT e.stock_id, e.size, e.first, e.seed, e.commitment, COALESCE(n.position, 0), COALESCE(n.number, -1)
FROM editions e LEFT JOIN edition_numbers n ON n.stock_id = e.stock_id WHERE e.by_lot = 1 ORDER BY e.stock_id, n.position`)

// lots draws the lots again: the numbers given are those of the seed, which is the one that
// was committed to.
func lots(ctx context.Context, h *hand) error {
	var last id.Stock
	return h.tx.Query(ctx, lotNumbers, func(scan func(...any) error) error {
		e := inventory.Edition{ByLot: true}
		var position, number int64
		if err := scan(&e.Stock, &e.Size, &e.First, &e.Seed, &e.Commitment, &position, &number); err != nil {
			return err
		}
		if e.Stock != last && inventory.Commitment(e.Stock, e.Size, e.First, e.Seed) != e.Commitment {
			h.bad("I8", "lot", string(e.Stock), "commitment="+e.Commitment)
		}
		last = e.Stock
		if number >= 0 && e.NumberAt(position) != number {
			h.bad("I8", "lot", string(e.Stock), fmt.Sprintf("position=%d number=%d", position, number))
		}
		return nil
	})
}
