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
	Delivered    int64
	Refunded     int64
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
