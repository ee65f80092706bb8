package inventory

import (
	"context"
	"maps"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

const allotmentColumns = `stock_id, channel, open, size, available, reserved, delivered, updated_at`

var (
	// The lock on a stock is the lock on its allotments.
	allotmentsOf    = db.SQL("inventory.allotments", `SELECT `+allotmentColumns+` FROM allotments WHERE stock_id {{in $1 text}} ORDER BY stock_id, channel`)
	insertAllotment = db.Rows("inventory.insert_allotment", `INSERT INTO allotments {{values stock_id text, channel text, open bigint, size bigint, available bigint, reserved bigint, delivered bigint, updated_at bigint}}`)
	updateAllotment = db.Rows("inventory.update_allotment", `UPDATE allotments SET open = r.open, size = r.size, available = r.available, reserved = r.reserved, delivered = r.delivered, updated_at = r.updated_at
FROM {{rows stock_id text, channel text, open bigint, size bigint, available bigint, reserved bigint, delivered bigint, updated_at bigint}} WHERE allotments.stock_id = r.stock_id AND allotments.channel = r.channel`)
	insertShift = db.Rows("inventory.insert_shift", `INSERT INTO allotment_moves {{values id text, stock_id text, from_channel text, to_channel text, quantity bigint, reason text, actor text, at bigint}}`)
	shiftsOf    = db.SQL("inventory.shifts", `SELECT id, stock_id, from_channel, to_channel, quantity, reason, actor, at FROM allotment_moves WHERE stock_id = $1 ORDER BY id DESC LIMIT $2`)
	takenOf     = db.SQL("inventory.taken", `SELECT line_id, stock_id, allotment, SUM(CASE state WHEN 'consumed' THEN quantity WHEN 'returned' THEN -quantity ELSE 0 END)
FROM reservations WHERE line_id {{in $1 text}} AND allotment <> '' GROUP BY line_id, stock_id, allotment`)
)

func scanAllotment(scan func(...any) error) (*Allotment, error) {
	a, open := new(Allotment), int64(0)
	err := scan(&a.Stock, &a.Channel, &open, &a.Size, &a.Available, &a.Reserved, &a.Delivered, db.Time(&a.UpdatedAt))
	a.Open = open == 1
	return a, err
}

// details asks for what stands beside the stocks that have allotments or are editions; of the
// others nothing is asked. The stocks are locked.
func (b *Book) details(ctx context.Context, tx *db.Tx) error {
	var channels, editions []id.Stock
	for _, k := range slices.Sorted(maps.Keys(b.stocks)) {
		if b.stocks[k].Channels > 0 && b.allots[k] == nil {
			b.allots[k] = map[string]*Allotment{}
			channels = append(channels, k)
		}
		if b.stocks[k].Edition && b.editions[k] == nil {
			editions = append(editions, k)
		}
	}
	if len(channels) > 0 {
		if err := tx.Ask(ctx, allotmentsOf, func(scan func(...any) error) error {
			a, err := scanAllotment(scan)
			if err == nil {
				b.allots[a.Stock][a.Channel] = a
			}
			return err
		}, db.Texts(channels)); err != nil {
			return err
		}
	}
	if err := b.askEditions(ctx, tx, editions); err != nil || len(channels)+len(editions) == 0 {
		return err
	}
	return tx.Flush(ctx)
}

func saveAllotments(ctx context.Context, tx *db.Tx, b *Book, now time.Time) error {
	bind := func(a *Allotment, w *db.Binder) {
		w.Text(string(a.Stock)).Text(a.Channel).Flag(a.Open).Int(a.Size).Int(a.Available).Int(a.Reserved).Int(a.Delivered).Time(now)
	}
	for _, a := range b.made {
		delete(b.changed, a)
	}
	if err := tx.WriteAll(ctx, insertAllotment, len(b.made), func(i int, w *db.Binder) { bind(b.made[i], w) }); err != nil {
		return err
	}
	changed := slices.Collect(maps.Keys(b.changed))
	if err := tx.WriteAll(ctx, updateAllotment, len(changed), func(i int, w *db.Binder) { bind(changed[i], w) }); err != nil {
		return err
	}
	return tx.WriteAll(ctx, insertShift, len(b.shifts), func(i int, w *db.Binder) {
		s := b.shifts[i]
		w.Text(string(s.ID)).Text(string(s.Stock)).Text(s.From).Text(s.To).Int(s.Quantity).Text(s.Reason).Text(s.Actor).Time(now)
	})
}

// Shifts lists the moves between a stock's allotments, the newest first, at most n.
func (*Service) Shifts(ctx context.Context, tx *db.Tx, stock id.Stock, n int) ([]Shift, error) {
	var out []Shift
	err := tx.Query(ctx, shiftsOf, func(scan func(...any) error) error {
		var s Shift
		err := scan(&s.ID, &s.Stock, &s.From, &s.To, &s.Quantity, &s.Reason, &s.Actor, db.Time(&s.At))
		out = append(out, s)
		return err
	}, stock, n)
	return out, err
}

// Allotments lists a stock's allotments by channel, closed ones with them.
func (*Service) Allotments(ctx context.Context, tx *db.Tx, stock id.Stock) ([]*Allotment, error) {
	var out []*Allotment
	err := tx.Query(ctx, allotmentsOf, func(scan func(...any) error) error {
		a, err := scanAllotment(scan)
		out = append(out, a)
		return err
	}, db.Texts([]id.Stock{stock}))
	return out, err
}
