package order

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Acknowledgement is what a buyer said to have understood of what a purchase means for the
// rights they hold, apart from the terms of its lines.
type Acknowledgement struct {
	Order id.Order
	Hash  string // of the findings
	Text  string // as it was shown, a finding a line
	Lang  string
	At    time.Time
}

var (
	insertAck = db.Rows("order.acknowledge", `INSERT INTO order_acknowledgements {{values order_id text, hash text, body text, lang text, at bigint}}`)
	selectAck = db.SQL("order.acknowledged", `SELECT order_id, hash, body, lang, at FROM order_acknowledgements WHERE order_id = $1`)
)

// Acknowledge keeps what the buyers of new orders acknowledged.
func (*Service) Acknowledge(ctx context.Context, tx *db.Tx, all []Acknowledgement) error {
	return tx.WriteAll(ctx, insertAck, len(all), func(i int, b *db.Binder) {
		a := all[i]
		b.Text(string(a.Order)).Text(a.Hash).Text(a.Text).Text(a.Lang).Time(a.At)
	})
}

// Acknowledged gives what the buyer of an order acknowledged, false for nothing.
func (*Service) Acknowledged(ctx context.Context, tx *db.Tx, o id.Order) (Acknowledgement, bool, error) {
	var a Acknowledgement
	found, err := tx.One(ctx, selectAck, []any{&a.Order, &a.Hash, &a.Text, &a.Lang, db.Time(&a.At)}, o)
	return a, found, err
}
