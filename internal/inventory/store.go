package inventory

import (
	"cmp"
	"context"
	"time"

	"hufu/internal/db"
)

const stockColumns = `id, name, kind, received, available, reserved, delivered, voided, low_mark, channels, allotted, edition, updated_at`

const reservationColumns = `id, stock_id, line_id, quantity, state, expires_at, right_id, allotment`

var (
	lockStocks   = db.SQL("inventory.lock_stocks", `SELECT `+stockColumns+` FROM stocks WHERE id {{in $1 text}} ORDER BY id {{for update}}`)
	selectStocks = db.SQL("inventory.stocks", `SELECT `+stockColumns+` FROM stocks WHERE id {{in $1 text}} ORDER BY id`)
	selectByName = db.SQL("inventory.stock_by_name", `SELECT `+stockColumns+` FROM stocks WHERE name_key {{in $1 text}} ORDER BY name`)
	listStocks   = db.SQL("inventory.list_stocks", `SELECT `+stockColumns+` FROM stocks ORDER BY name`)
	soldOut      = db.SQL("inventory.sold_out", `SELECT s.id, s.available - s.allotted, COALESCE(a.channel, ''), COALESCE(a.available, 0)
FROM stocks s LEFT JOIN allotments a ON a.stock_id = s.id AND a.open = 1 WHERE s.id {{in $1 text}}`)
	insertStock = db.Rows("inventory.insert_stock", `INSERT INTO stocks {{values id text, name text, name_key text, kind text, received bigint, available bigint, reserved bigint, delivered bigint, voided bigint, low_mark bigint, updated_at bigint}}`)
	updateStock = db.Rows("inventory.update_stock", `UPDATE stocks SET received = r.received, available = r.available, reserved = r.reserved, delivered = r.delivered, voided = r.voided, channels = r.channels, allotted = r.allotted, edition = r.edition, updated_at = r.updated_at
FROM {{rows id text, received bigint, available bigint, reserved bigint, delivered bigint, voided bigint, channels bigint, allotted bigint, edition bigint, updated_at bigint}} WHERE stocks.id = r.id`)
	setLowMark        = db.SQL("inventory.set_low_mark", `UPDATE stocks SET low_mark = $1, updated_at = $2 WHERE id = $3`)
	liveOfLines       = db.SQL("inventory.live_of_lines", `SELECT `+reservationColumns+` FROM reservations WHERE line_id {{in $1 text}} AND state = 'live' AND right_id = ''`)
	liveOfRights      = db.SQL("inventory.live_of_rights", `SELECT `+reservationColumns+` FROM reservations WHERE right_id {{in $1 text}} AND right_id <> '' AND state = 'live'`)
	insertReservation = db.Rows("inventory.insert_reservation", `INSERT INTO reservations {{values id text, stock_id text, line_id text, quantity bigint, state text, expires_at bigint, ended_at bigint, right_id text, allotment text}}`)
	insertReceipt     = db.Rows("inventory.insert_receipt", `INSERT INTO stock_receipts {{values id text, stock_id text, quantity bigint, reason text, actor text, at bigint}}`)
	receiptsOf        = db.SQL("inventory.receipts", `SELECT id, stock_id, quantity, reason, actor, at FROM stock_receipts WHERE stock_id = $1 ORDER BY id DESC LIMIT $2`)
	endReservation    = db.Rows("inventory.end_reservation", `UPDATE reservations SET state = r.state, ended_at = r.ended_at FROM {{rows id text, state text, ended_at bigint}} WHERE reservations.id = r.id AND reservations.state = 'live'`)
)

func loadStocks(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Stock, error) {
	var out []*Stock
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		s, err := scanStock(scan)
		out = append(out, s)
		return err
	}, args...)
	return out, err
}

func scanStock(scan func(...any) error) (*Stock, error) {
	s, edition := new(Stock), int64(0)
	err := scan(&s.ID, &s.Name, &s.Kind, &s.Received, &s.Available, &s.Reserved, &s.Delivered, &s.Voided, &s.LowMark, &s.Channels, &s.Allotted, &edition, db.Time(&s.UpdatedAt))
	s.Edition = edition == 1
	return s, err
}

func scanReservation(scan func(...any) error) (*Reservation, error) {
	r := new(Reservation)
	return r, scan(&r.ID, &r.Stock, &r.Line, &r.Quantity, &r.State, db.Time(&r.ExpiresAt), &r.Right, &r.Allotment)
}

func saveBook(ctx context.Context, tx *db.Tx, b *Book, now time.Time) error {
	var moved []*Stock
	for k := range b.moved {
		moved = append(moved, b.stocks[k])
	}
	if err := tx.WriteAll(ctx, updateStock, len(moved), func(i int, w *db.Binder) {
		s := moved[i]
		w.Text(string(s.ID)).Int(s.Received).Int(s.Available).Int(s.Reserved).Int(s.Delivered).Int(s.Voided).Int(s.Channels).Int(s.Allotted).Flag(s.Edition).Time(now)
	}); err != nil {
		return err
	}
	if err := tx.WriteAll(ctx, insertReceipt, len(b.receipts), func(i int, w *db.Binder) {
		r := b.receipts[i]
		w.Text(string(r.ID)).Text(string(r.Stock)).Int(r.Quantity).Text(b.reason).Text(cmp.Or(b.actor, "system")).Time(now)
	}); err != nil {
		return err
	}
	if err := tx.WriteAll(ctx, insertReservation, len(b.fresh), func(i int, w *db.Binder) {
		r := b.fresh[i]
		var ended time.Time
		if r.State != Live {
			ended = now
		}
		w.Text(string(r.ID)).Text(string(r.Stock)).Text(string(r.Line)).Int(r.Quantity).Text(string(r.State)).Time(r.ExpiresAt).Time(ended).Text(string(r.Right)).Text(r.Allotment)
	}); err != nil {
		return err
	}
	if err := saveAllotments(ctx, tx, b, now); err != nil {
		return err
	}
	if err := saveEditions(ctx, tx, b); err != nil {
		return err
	}
	return tx.WriteAll(ctx, endReservation, len(b.ended), func(i int, w *db.Binder) {
		w.Text(string(b.ended[i].ID)).Text(string(b.ended[i].State)).Time(now)
	})
}
