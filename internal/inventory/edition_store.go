package inventory

import (
	"context"
	"maps"
	"slices"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

const (
	editionColumns = `stock_id, size, first, gapless, by_lot, seed, commitment, next, retired, state, created_by, created_at, closed_at`
	numberColumns  = `n.stock_id, n.number, n.position, n.right_id, n.state, n.given_at, e.size, e.first + e.size - 1 FROM edition_numbers n JOIN editions e ON e.stock_id = n.stock_id`
)

var (
	// The lock on a stock is the lock on its edition and the numbers.
	selectEditions = db.SQL("inventory.editions", `SELECT `+editionColumns+` FROM editions WHERE stock_id {{in $1 text}}`)
	insertEdition  = db.Rows("inventory.insert_edition", `INSERT INTO editions {{values stock_id text, size bigint, first bigint, gapless bigint, by_lot bigint, seed bytes, commitment text, next bigint, retired bigint, state text, created_by text, created_at bigint, closed_at bigint}}`)
	updateEdition  = db.Rows("inventory.update_edition", `UPDATE editions SET next = r.next, retired = r.retired, state = r.state, closed_at = r.closed_at
FROM {{rows stock_id text, next bigint, retired bigint, state text, closed_at bigint}} WHERE editions.stock_id = r.stock_id AND (editions.state = 'open' OR r.state = 'closed' AND editions.next = r.next)`)
	freeNumbers  = db.SQL("inventory.free_numbers", `SELECT `+numberColumns+` WHERE n.stock_id {{in $1 text}} AND n.state = 'free' ORDER BY n.stock_id, n.number`)
	heldNumbers  = db.SQL("inventory.held_numbers", `SELECT `+numberColumns+` WHERE n.right_id {{in $1 text}} AND n.right_id <> '' ORDER BY n.right_id, n.stock_id`)
	numbersAfter = db.SQL("inventory.numbers_after", `SELECT `+numberColumns+` WHERE n.stock_id = $1 AND n.number > $2 ORDER BY n.number LIMIT $3`)
	historyOf    = db.SQL("inventory.number_history", `SELECT id, stock_id, number, right_id, what, at FROM edition_history WHERE stock_id = $1 AND number = $2 ORDER BY id`)
	insertNumber = db.Rows("inventory.insert_number", `INSERT INTO edition_numbers {{values stock_id text, number bigint, position bigint, right_id text, state text, given_at bigint}}`)
	updateNumber = db.Rows("inventory.update_number", `UPDATE edition_numbers SET right_id = r.right_id, state = r.state, given_at = r.given_at
FROM {{rows stock_id text, number bigint, right_id text, state text, given_at bigint}} WHERE edition_numbers.stock_id = r.stock_id AND edition_numbers.number = r.number AND edition_numbers.state <> 'retired'`)
	insertNumbering = db.Rows("inventory.insert_numbering", `INSERT INTO edition_history {{values id text, stock_id text, number bigint, right_id text, what text, at bigint}}`)
)

func scanEdition(scan func(...any) error) (*Edition, error) {
	e, state := new(Edition), ""
	var gapless, lot int64
	err := scan(&e.Stock, &e.Size, &e.First, &gapless, &lot, &e.Seed, &e.Commitment, &e.Next, &e.Retired, &state, &e.CreatedBy, db.Time(&e.CreatedAt), db.Time(&e.ClosedAt))
	e.Gapless, e.ByLot, e.Closed = gapless == 1, lot == 1, state == "closed"
	return e, err
}

func scanNumber(scan func(...any) error) (*Number, error) {
	n := new(Number)
	return n, scan(&n.Stock, &n.Number, &n.Position, &n.Right, &n.State, db.Time(&n.At), &n.Of, &n.Last)
}

func (b *Book) askEditions(ctx context.Context, tx *db.Tx, stocks []id.Stock) error {
	if len(stocks) == 0 {
		return nil
	}
	if err := tx.Ask(ctx, selectEditions, func(scan func(...any) error) error {
		e, err := scanEdition(scan)
		b.editions[e.Stock] = e
		return err
	}, db.Texts(stocks)); err != nil || b.reading {
		return err
	}
	return tx.Ask(ctx, freeNumbers, func(scan func(...any) error) error {
		n, err := scanNumber(scan)
		b.free[n.Stock] = append(b.free[n.Stock], n)
		return err
	}, db.Texts(stocks))
}

func saveEditions(ctx context.Context, tx *db.Tx, b *Book) error {
	for k, e := range b.editions {
		if s := b.stocks[k]; b.moved[k] && s.Received-s.Voided > e.Size-e.Retired {
			return fault.New(fault.Conflict, "edition.size", "units", text(s.Received-s.Voided), "size", text(e.Size-e.Retired))
		}
	}
	state := map[bool]string{false: "open", true: "closed"}
	if err := tx.WriteAll(ctx, insertEdition, len(b.begun), func(i int, w *db.Binder) {
		e := b.begun[i]
		w.Text(string(e.Stock)).Int(e.Size).Int(e.First).Flag(e.Gapless).Flag(e.ByLot).Bytes(e.Seed).Text(e.Commitment).Int(e.Next).Int(e.Retired).
			Text(state[e.Closed]).Text(e.CreatedBy).Time(e.CreatedAt).Time(e.ClosedAt)
	}); err != nil {
		return err
	}
	given := slices.Sorted(maps.Keys(b.given))
	if err := tx.WriteAll(ctx, updateEdition, len(given), func(i int, w *db.Binder) {
		e := b.editions[given[i]]
		w.Text(string(e.Stock)).Int(e.Next).Int(e.Retired).Text(state[e.Closed]).Time(e.ClosedAt)
	}); err != nil {
		return err
	}
	if err := tx.WriteAll(ctx, insertNumber, len(b.numbers), func(i int, w *db.Binder) {
		n := b.numbers[i]
		w.Text(string(n.Stock)).Int(n.Number).Int(n.Position).Text(string(n.Right)).Text(n.State).Time(n.At)
	}); err != nil {
		return err
	}
	for _, n := range b.numbers {
		delete(b.renumbered, n)
	}
	again := slices.Collect(maps.Keys(b.renumbered))
	if err := tx.WriteAll(ctx, updateNumber, len(again), func(i int, w *db.Binder) {
		n := again[i]
		w.Text(string(n.Stock)).Int(n.Number).Text(string(n.Right)).Text(n.State).Time(n.At)
	}); err != nil {
		return err
	}
	return tx.WriteAll(ctx, insertNumbering, len(b.history), func(i int, w *db.Binder) {
		h := b.history[i]
		w.Text(string(h.ID)).Text(string(h.Stock)).Int(h.Number).Text(string(h.Right)).Text(h.What).Time(h.At)
	})
}

// OpenReturn is Open for units that rights of lines give back: with the numbers that the
// rights have, and the allotments that the lines' units are of. The rights are locked.
func (s *Service) OpenReturn(ctx context.Context, tx *db.Tx, stocks []id.Stock, lines []id.Line, rights []id.Right) (*Book, error) {
	b := newBook()
	if err := b.lock(ctx, tx, stocks); err != nil {
		return nil, err
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	if err := tx.Ask(ctx, heldNumbers, func(scan func(...any) error) error {
		n, err := scanNumber(scan)
		b.numbered = append(b.numbered, n)
		return err
	}, db.Texts(rights)); err != nil {
		return nil, err
	}
	if err := tx.Ask(ctx, takenOf, func(scan func(...any) error) error {
		var line id.Line
		var stock id.Stock
		var pool string
		var n int64
		err := scan(&line, &stock, &pool, &n)
		b.take(line, stock, pool, n)
		return err
	}, db.Texts(lines)); err != nil {
		return nil, err
	}
	if err := b.details(ctx, tx); err != nil {
		return nil, err
	}
	return b, tx.Flush(ctx)
}

// Edition is what numbers the units of a stock, nil when nothing does.
func (*Service) Edition(ctx context.Context, tx *db.Tx, stock id.Stock) (*Edition, error) {
	var out *Edition
	err := tx.Query(ctx, selectEditions, func(scan func(...any) error) error {
		e, err := scanEdition(scan)
		out = e
		return err
	}, db.Texts([]id.Stock{stock}))
	return out, err
}

// NumbersOf lists the numbers that rights have. Most have none.
func (*Service) NumbersOf(ctx context.Context, tx *db.Tx, rights []id.Right) (map[id.Right][]Number, error) {
	out := map[id.Right][]Number{}
	if len(rights) == 0 {
		return out, nil
	}
	err := tx.Query(ctx, heldNumbers, func(scan func(...any) error) error {
		n, err := scanNumber(scan)
		out[n.Right] = append(out[n.Right], *n)
		return err
	}, db.Texts(rights))
	return out, err
}

// Numbers lists the numbers of an edition that were given, above one, in their order, at most n.
func (*Service) Numbers(ctx context.Context, tx *db.Tx, stock id.Stock, after int64, n int) ([]Number, error) {
	var out []Number
	err := tx.Query(ctx, numbersAfter, func(scan func(...any) error) error {
		one, err := scanNumber(scan)
		out = append(out, *one)
		return err
	}, stock, after, n)
	return out, err
}

// NumberHistory tells what happened to a number of an edition, in order.
func (*Service) NumberHistory(ctx context.Context, tx *db.Tx, stock id.Stock, number int64) ([]Numbering, error) {
	var out []Numbering
	err := tx.Query(ctx, historyOf, func(scan func(...any) error) error {
		var h Numbering
		err := scan(&h.ID, &h.Stock, &h.Number, &h.Right, &h.What, db.Time(&h.At))
		out = append(out, h)
		return err
	}, stock, number)
	return out, err
}
