package payment

import (
	"context"

	"hufu/internal/db"
)

const (
	intentColumns  = `id, order_id, gateway, amount, currency, state, created_at, expires_at, polled_at`
	captureColumns = `id, provider, txn_id, intent_id, order_id, amount, currency, state, reason, occurred_at, booked_at`
	noticeColumns  = `id, provider, event_id, intent_id, outcome, header, body, received_at`
	refundColumns  = `id, order_id, line_id, capture_id, provider, quantity, amount, currency, state, reason, attempts, next_at, fence, note, created_by, created_at, done_at, failed_at, again_of, by_hand, reference`
)

var (
	insertIntent  = db.Rows("payment.insert_intent", `INSERT INTO payment_intents {{values id text, order_id text, gateway text, amount bigint, currency text, state text, created_at bigint, expires_at bigint, polled_at bigint}}`)
	intentsByID   = db.SQL("payment.intents", `SELECT `+intentColumns+` FROM payment_intents WHERE id {{in $1 text}} ORDER BY id`)
	lockByOrder   = db.SQL("payment.lock_intents", `SELECT `+intentColumns+` FROM payment_intents WHERE order_id {{in $1 text}} ORDER BY id {{for update}}`)
	lockBeside    = db.SQL("payment.lock_beside", `SELECT `+intentColumns+` FROM payment_intents WHERE order_id IN (SELECT order_id FROM payment_intents WHERE id {{in $1 text}}) ORDER BY id {{for update}}`)
	ofOrderStmt   = db.SQL("payment.intents_of", `SELECT `+intentColumns+` FROM payment_intents WHERE order_id {{in $1 text}} ORDER BY id`)
	moveIntent    = db.Rows("payment.move_intent", `UPDATE payment_intents SET state = r.state FROM {{rows id text, old text, state text}} WHERE payment_intents.id = r.id AND payment_intents.state = r.old`)
	toPoll        = db.SQL("payment.to_poll", `SELECT `+intentColumns+` FROM payment_intents WHERE state = 'pending' AND gateway <> 'balance' AND expires_at > $1 AND (`+silentTooLong()+`) ORDER BY order_id LIMIT $2`)
	markPolled    = db.Rows("payment.mark_polled", `UPDATE payment_intents SET polled_at = r.at FROM {{rows id text, before bigint, at bigint}} WHERE payment_intents.id = r.id AND payment_intents.polled_at = r.before`)
	insertCapture = db.Rows("payment.insert_capture", `INSERT INTO payment_captures {{values id text, provider text, txn_id text, intent_id text, order_id text, amount bigint, currency text, state text, reason text, occurred_at bigint, booked_at bigint}}`)
	capturesByTxn = db.SQL("payment.captures_by_txn", `SELECT `+captureColumns+` FROM payment_captures WHERE provider = $1 AND txn_id {{in $2 text}}`)
	capturesOf    = db.SQL("payment.captures_of", `SELECT `+captureColumns+` FROM payment_captures WHERE order_id {{in $1 text}} ORDER BY id`)
	capturesByID  = db.SQL("payment.captures", `SELECT `+captureColumns+` FROM payment_captures WHERE id {{in $1 text}}`)
	insertNotice  = db.Rows("payment.insert_notice", `INSERT INTO payment_notices {{values id text, provider text, event_id text, intent_id text, outcome text, header text, body bytes, received_at bigint}}`)
	noticesSeen   = db.SQL("payment.notices_seen", `SELECT event_id, outcome FROM payment_notices WHERE provider = $1 AND event_id {{in $2 text}}`)
	noticesOf     = db.SQL("payment.notices_of", `SELECT `+noticeColumns+` FROM payment_notices WHERE intent_id {{in $1 text}} ORDER BY id`)
	noticeReplay  = db.Rows("payment.notice_outcome", `UPDATE payment_notices SET outcome = r.outcome FROM {{rows provider text, event_id text, outcome text}} WHERE payment_notices.provider = r.provider AND payment_notices.event_id = r.event_id`)
	insertRefund  = db.Rows("payment.insert_refund", `INSERT INTO refunds {{values id text, order_id text, line_id text, capture_id text, provider text, quantity bigint, amount bigint, currency text, state text, reason text, attempts bigint, next_at bigint, lease_until bigint, fence bigint, note text, created_by text, created_at bigint, done_at bigint, failed_at bigint, again_of text, by_hand text, reference text}}`)
	refundsOf     = db.SQL("payment.refunds_of", `SELECT `+refundColumns+` FROM refunds WHERE order_id {{in $1 text}} ORDER BY id`)
	refundsByID   = db.SQL("payment.refunds", `SELECT `+refundColumns+` FROM refunds WHERE id {{in $1 text}} ORDER BY id {{for update}}`)
	dueRefunds    = db.SQL("payment.due_refunds", `SELECT `+refundColumns+` FROM refunds WHERE state IN ('waiting','sent') AND next_at <= $1 ORDER BY next_at LIMIT $2 {{skip locked}}`)
	claimRefund   = db.Rows("payment.claim_refund", `UPDATE refunds SET state = 'sent', attempts = attempts + 1, fence = refunds.fence + 1, next_at = r.lease, lease_until = r.lease FROM {{rows id text, fence bigint, lease bigint}} WHERE refunds.id = r.id AND refunds.fence = r.fence`)
	hurryRefund   = db.SQL("payment.hurry_refund", `UPDATE refunds SET next_at = $1 WHERE id = $2 AND provider = $3 AND state IN ('waiting','sent') AND next_at > $1`)
	finishRefund  = db.Rows("payment.finish_refund", `UPDATE refunds SET state = r.state, next_at = r.next_at, note = r.note, done_at = r.done_at, failed_at = r.failed_at, lease_until = 0 FROM {{rows id text, fence bigint, state text, next_at bigint, note text, done_at bigint, failed_at bigint}} WHERE refunds.id = r.id AND refunds.fence = r.fence AND refunds.state = 'sent'`)
	reviveRefund  = db.Rows("payment.revive_refund", `UPDATE refunds SET state = r.state, next_at = r.next_at, done_at = r.done_at, by_hand = r.by_hand, reference = r.reference FROM {{rows id text, state text, next_at bigint, done_at bigint, by_hand text, reference text}} WHERE refunds.id = r.id AND refunds.state = 'failed'`)
)

func loadIntents(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Intent, error) {
	var out []*Intent
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		p, err := scanIntent(scan)
		out = append(out, p)
		return err
	}, args...)
	return out, err
}

func scanIntent(scan func(...any) error) (*Intent, error) {
	p := new(Intent)
	return p, scan(&p.ID, &p.Order, &p.Gateway, &p.Amount.Minor, &p.Amount.Currency, &p.State, db.Time(&p.CreatedAt), db.Time(&p.ExpiresAt), db.Time(&p.PolledAt))
}

func loadCaptures(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Capture, error) {
	var out []Capture
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		c, err := scanCapture(scan)
		out = append(out, c)
		return err
	}, args...)
	return out, err
}

func scanCapture(scan func(...any) error) (Capture, error) {
	var c Capture
	var state string
	err := scan(&c.ID, &c.Provider, &c.Txn, &c.Intent, &c.Order, &c.Amount.Minor, &c.Amount.Currency, &state, &c.Reason, db.Time(&c.OccurredAt), db.Time(&c.BookedAt))
	c.Applied = state == "applied"
	return c, err
}

func loadRefunds(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Refund, error) {
	var out []Refund
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var r Refund
		err := scan(&r.ID, &r.Order, &r.Line, &r.Capture, &r.Provider, &r.Quantity, &r.Amount.Minor, &r.Amount.Currency, &r.State, &r.Reason, &r.Attempts,
			db.Time(&r.NextAt), &r.Fence, &r.Note, &r.CreatedBy, db.Time(&r.CreatedAt), db.Time(&r.DoneAt), db.Time(&r.FailedAt), &r.Again, &r.ByHand, &r.Reference)
		out = append(out, r)
		return err
	}, args...)
	return out, err
}
