package order

import (
	"time"

	"hufu/internal/id"
	"hufu/internal/money"
)

// Order is a purchase.
type Order struct {
	ID          id.Order
	State       State
	Party       id.Party // "" for a guest
	Phone       string
	Email       string
	Lang        string
	Channel     string
	Total       money.Amount
	Scope       string // of the idempotency key: who sent it
	Key         string
	RequestHash []byte
	CreatedAt   time.Time
	ExpiresAt   time.Time // unpaid, it expires then
	PaidAt      time.Time
	ClosedAt    time.Time // cancelled or expired then
	History     []Step
	Lines       []Line
}

// Line is an offer in an order.
type Line struct {
	ID        id.Line
	Order     id.Order
	Offer     id.Offer
	Version   id.OfferVersion
	Quantity  int64
	UnitPrice int64 // minor units of the order's currency
	Amount    int64
	// Quote explains the unit price: "list=3000;offer=1990".
	Quote string
	// Acknowledged is the hash of the terms the buyer was shown and accepted.
	Acknowledged string
	// Picks are the options picked when ordering.
	Picks     Picks
	Delivered int64
	Refunded  int64
	Counted   int64 // units that count under Under now
	Under     Under
}

// Open is how many units are neither delivered nor refunded.
func (l Line) Open() int64 { return l.Quantity - l.Delivered - l.Refunded }

// Settle is the state of a paid order whose lines stand as they do.
func Settle(lines []Line) State {
	var quantity, delivered int64
	for _, l := range lines {
		quantity += l.Quantity
		delivered += l.Delivered
	}
	switch {
	case delivered == quantity:
		return Fulfilled
	case delivered > 0:
		return Part
	default:
		return Shortage
	}
}

// Refund records that so many units of a line were paid back, and moves the order on: it
// is Refunded once nothing of it is delivered or open.
func Refund(o *Order, line id.Line, quantity int64, now time.Time) ([]Move, []Line, error) {
	var changed []Line
	for i := range o.Lines {
		if l := &o.Lines[i]; l.ID == line {
			l.Refunded += quantity
			changed = append(changed, *l)
		}
	}
	for _, l := range o.Lines {
		if l.Refunded != l.Quantity {
			return nil, changed, nil
		}
	}
	if o.State == Refunded || len(changed) == 0 {
		return nil, changed, nil
	}
	m, err := MoveTo(o, Refunded, now)
	return []Move{m}, changed, err
}
