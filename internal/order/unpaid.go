package order

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Unpaid is what a member ordered and may still pay for.
type Unpaid struct {
	Line      id.Line
	Version   id.OfferVersion
	Quantity  int64
	Picks     Picks
	CreatedAt time.Time
}

// unpaidWithin is how long ago an order was placed at most that still waits for its payment:
// longer than any is waited for.
const unpaidWithin = 48 * time.Hour

var unpaid = db.SQL("order.unpaid", `SELECT o.party_id, l.id, l.version_id, l.quantity, l.picks, o.created_at FROM orders o JOIN order_lines l ON l.order_id = o.id
WHERE o.party_id {{in $1 text}} AND o.party_id <> '' AND o.id >= $2 AND o.state = 'pending'`)

// AskUnpaid asks, without waiting, for the lines of members' orders that wait for payment: the
// map is filled once the transaction's next Flush has returned. Who decides by them locks the
// tallies of who orders first, or two orders side by side don't know of each other.
func (*Service) AskUnpaid(ctx context.Context, tx *db.Tx, parties []id.Party) (map[id.Party][]Unpaid, error) {
	out := map[id.Party][]Unpaid{}
	return out, tx.Ask(ctx, unpaid, func(scan func(...any) error) error {
		var u Unpaid
		var party id.Party
		var picks string
		err := scan(&party, &u.Line, &u.Version, &u.Quantity, &picks, db.Time(&u.CreatedAt))
		if err == nil {
			u.Picks, err = ParsePicks(picks)
		}
		out[party] = append(out[party], u)
		return err
	}, db.Texts(parties), string(id.From[id.Order](time.Now().Add(-unpaidWithin))))
}
