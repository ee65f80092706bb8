package order

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

const (
	columns     = `id, state, party_id, phone, email, lang, channel, currency, total, idem_scope, idem_key, request_hash, created_at, expires_at, paid_at, closed_at, history`
	lineColumns = `id, order_id, offer_id, version_id, quantity, unit_price, amount, quote, acknowledged, picks, delivered, refunded, counted, under`
)

var (
	insertOrder = db.Rows("order.insert", `INSERT INTO orders {{values id text, state text, party_id text, phone text, email text, lang text, channel text, currency text, total bigint, idem_scope text, idem_key text, request_hash bytes, created_at bigint, expires_at bigint, paid_at bigint, closed_at bigint, history text}}`)
	insertLine  = db.Rows("order.insert_line", `INSERT INTO order_lines {{values id text, order_id text, offer_id text, version_id text, quantity bigint, unit_price bigint, amount bigint, quote text, acknowledged text, picks text, delivered bigint, refunded bigint, counted bigint, under text}}`)
	byKey       = db.SQL("order.by_key", `SELECT `+columns+` FROM orders WHERE idem_key {{in $1 text}}`)
	linesByKey  = db.SQL("order.lines_by_key", `SELECT `+lineColumns+` FROM order_lines WHERE order_id IN (SELECT id FROM orders WHERE idem_key {{in $1 text}}) ORDER BY id`)
	byID        = db.SQL("order.by_id", `SELECT `+columns+` FROM orders WHERE id {{in $1 text}} ORDER BY id`)
	statesOf    = db.SQL("order.states", `SELECT id, state FROM orders WHERE id {{in $1 text}}`)
	lockByID    = db.SQL("order.lock", `SELECT `+columns+` FROM orders WHERE id {{in $1 text}} ORDER BY id {{for update}}`)
	lockPaid    = db.SQL("order.lock_paid", `SELECT `+columns+` FROM orders WHERE id IN (SELECT order_id FROM payment_intents WHERE id {{in $1 text}}) ORDER BY id {{for update}}`)
	linesPaid   = db.SQL("order.lines_paid", `SELECT `+lineColumns+` FROM order_lines WHERE order_id IN (SELECT order_id FROM payment_intents WHERE id {{in $1 text}}) ORDER BY id`)
	linesOf     = db.SQL("order.lines", `SELECT `+lineColumns+` FROM order_lines WHERE order_id {{in $1 text}} ORDER BY id`)
	move        = db.Rows("order.move", `UPDATE orders SET state = r.state, paid_at = r.paid_at, closed_at = r.closed_at, history = orders.history || r.step
FROM {{rows id text, old text, state text, paid_at bigint, closed_at bigint, step text}} WHERE orders.id = r.id AND orders.state = r.old`)
	saveLine = db.Rows("order.save_line", `UPDATE order_lines SET delivered = r.delivered, refunded = r.refunded, counted = r.counted, under = r.under FROM {{rows id text, delivered bigint, refunded bigint, counted bigint, under text}} WHERE order_lines.id = r.id`)
	due      = db.SQL("order.due", `SELECT id FROM orders WHERE state = 'pending' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`)
	ofParty  = db.SQL("order.of_party", `SELECT `+columns+` FROM orders WHERE party_id = $1 AND party_id <> '' AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	ofGuest  = db.SQL("order.of_guest", `SELECT `+columns+` FROM orders WHERE phone = $1 AND phone <> '' AND party_id = '' AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	ofPhone  = db.SQL("order.of_phone", `SELECT `+columns+` FROM orders WHERE phone = $1 AND phone <> '' AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	since    = db.SQL("order.since", `SELECT id, idem_scope, idem_key FROM orders WHERE id > $1 ORDER BY id LIMIT $2`)
	newest   = db.SQL("order.newest", `SELECT `+columns+` FROM orders WHERE (id < $1 OR $1 = '') AND (state = $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	// Of the states few orders are in, the newest may lie far back: these go by indexes, and
	// not along the keys.
	newestPending = db.SQL("order.newest_pending", `SELECT `+columns+` FROM orders WHERE (id < $1 OR $1 = '') AND state = 'pending' AND expires_at > 0 ORDER BY id || '' DESC LIMIT $2`)
	newestUnusual = db.SQL("order.newest_unusual", `SELECT `+columns+` FROM orders WHERE (id < $1 OR $1 = '') AND state = $2
AND state IN ('part','shortage','refunded','cancelled','expired') ORDER BY id DESC LIMIT $3`)
)

func loadOrders(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Order, error) {
	var out []*Order
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		o, err := scanOrder(scan)
		out = append(out, o)
		return err
	}, args...)
	return out, err
}

func scanOrder(scan func(...any) error) (*Order, error) {
	o := new(Order)
	var history string
	err := scan(&o.ID, &o.State, &o.Party, &o.Phone, &o.Email, &o.Lang, &o.Channel, &o.Total.Currency, &o.Total.Minor, &o.Scope, &o.Key, &o.RequestHash,
		db.Time(&o.CreatedAt), db.Time(&o.ExpiresAt), db.Time(&o.PaidAt), db.Time(&o.ClosedAt), &history)
	o.History, _ = ParseHistory(history)
	return o, err
}

// scanLine adds a line to its order.
func scanLine(scan func(...any) error, at map[id.Order]*Order) error {
	var l Line
	var under, picks string
	err := scan(&l.ID, &l.Order, &l.Offer, &l.Version, &l.Quantity, &l.UnitPrice, &l.Amount, &l.Quote, &l.Acknowledged, &picks, &l.Delivered, &l.Refunded, &l.Counted, &under)
	if err == nil {
		l.Under, err = ParseUnder(under)
	}
	if err == nil {
		l.Picks, err = ParsePicks(picks)
	}
	if o := at[l.Order]; o != nil {
		o.Lines = append(o.Lines, l)
	}
	return err
}

// withLines loads the lines of orders into them.
func withLines(ctx context.Context, tx *db.Tx, orders []*Order) error {
	if len(orders) == 0 {
		return nil
	}
	ids, at := make([]id.Order, len(orders)), make(map[id.Order]*Order, len(orders))
	for i, o := range orders {
		ids[i], at[o.ID] = o.ID, o
	}
	return tx.Query(ctx, linesOf, func(scan func(...any) error) error { return scanLine(scan, at) }, db.Texts(ids))
}

func writeOrders(ctx context.Context, tx *db.Tx, orders []*Order) error {
	if err := tx.WriteAll(ctx, insertOrder, len(orders), func(i int, b *db.Binder) {
		o := orders[i]
		b.Text(string(o.ID)).Text(string(o.State)).Text(string(o.Party)).Text(o.Phone).Text(o.Email).Text(o.Lang).Text(o.Channel).
			Text(string(o.Total.Currency)).Int(o.Total.Minor).Text(o.Scope).Text(o.Key).Bytes(o.RequestHash).
			Time(o.CreatedAt).Time(o.ExpiresAt).Int(0).Int(0).Text(step(o.State, o.CreatedAt))
	}); err != nil {
		return err
	}
	var lines []*Line
	for _, o := range orders {
		for i := range o.Lines {
			lines = append(lines, &o.Lines[i])
		}
	}
	return tx.WriteAll(ctx, insertLine, len(lines), func(i int, b *db.Binder) {
		l := lines[i]
		b.Text(string(l.ID)).Text(string(l.Order)).Text(string(l.Offer)).Text(string(l.Version)).Int(l.Quantity).Int(l.UnitPrice).Int(l.Amount).
			Text(l.Quote).Text(l.Acknowledged).Text(l.Picks.Text()).Int(l.Delivered).Int(l.Refunded).Int(l.Counted).Text(l.Under.text())
	})
}

func writeMoves(ctx context.Context, tx *db.Tx, moves []Move, now time.Time) error {
	return tx.WriteAll(ctx, move, len(moves), func(i int, b *db.Binder) {
		o := moves[i].Order
		b.Text(string(o.ID)).Text(string(moves[i].from)).Text(string(o.State)).Time(o.PaidAt).Time(o.ClosedAt).Text(step(o.State, now))
	})
}

func writeLines(ctx context.Context, tx *db.Tx, lines []Line) error {
	return tx.WriteAll(ctx, saveLine, len(lines), func(i int, b *db.Binder) {
		b.Text(string(lines[i].ID)).Int(lines[i].Delivered).Int(lines[i].Refunded).Int(lines[i].Counted).Text(lines[i].Under.text())
	})
}
