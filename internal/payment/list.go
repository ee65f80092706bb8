package payment

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	newestRefunds  = db.SQL("payment.newest_refunds", `SELECT `+refundColumns+` FROM refunds WHERE (state = $1 OR $1 = '') AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	newestCaptures = db.SQL("payment.newest_captures", `SELECT `+captureColumns+` FROM payment_captures WHERE (state = $1 OR $1 = '') AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	refundsRead    = db.SQL("payment.refunds_read", `SELECT `+refundColumns+` FROM refunds WHERE id {{in $1 text}} ORDER BY id`)
)

// Refunds lists refunds in a state ("" for all), the newest first, from before the one named,
// at most n.
func (*Service) Refunds(ctx context.Context, tx *db.Tx, state RefundState, before id.Refund, n int) ([]Refund, error) {
	return loadRefunds(ctx, tx, newestRefunds, string(state), before, n)
}

// RefundsByID loads refunds, without a lock.
func (*Service) RefundsByID(ctx context.Context, tx *db.Tx, ids []id.Refund) ([]Refund, error) {
	return loadRefunds(ctx, tx, refundsRead, db.Texts(ids))
}

// Received lists money that arrived, the newest first, from before the capture named, at most
// n. In suspense it is only what has no place yet.
func (*Service) Received(ctx context.Context, tx *db.Tx, suspense bool, before id.Capture, n int) ([]Capture, error) {
	state := ""
	if suspense {
		state = "suspense"
	}
	return loadCaptures(ctx, tx, newestCaptures, state, before, n)
}
