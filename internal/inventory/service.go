package inventory

import (
	"context"
	"maps"
	"slices"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
)

// Service reads and writes stocks.
type Service struct {
	// Gate remembers what is sold out, so that saying so needs no database.
	Gate *Gate
}

// NewService makes a service.
func NewService() *Service { return &Service{Gate: newGate()} }

// Open locks the stocks and loads them, with the live reservations of the lines. Unknown
// stocks are left out and so have nothing available.
func (s *Service) Open(ctx context.Context, tx *db.Tx, stocks []id.Stock, lines []id.Line) (*Book, error) {
	b, err := s.Ask(ctx, tx, stocks, lines)
	if err != nil {
		return nil, err
	}
	return b, s.Complete(ctx, tx, b)
}

// Ask is the part of Open that waits for no answer, so that others can be asked for beside
// it. The book may be worked on after Complete.
func (*Service) Ask(ctx context.Context, tx *db.Tx, stocks []id.Stock, lines []id.Line) (*Book, error) {
	b := newBook()
	if err := b.lock(ctx, tx, stocks); err != nil || len(lines) == 0 {
		return b, err
	}
	return b, tx.Ask(ctx, liveOfLines, func(scan func(...any) error) error {
		r, err := scanReservation(scan)
		b.held[r.Line] = append(b.held[r.Line], r)
		return err
	}, db.Texts(lines))
}

// OpenFor is Open with what is promised to rights, which the caller has locked.
func (s *Service) OpenFor(ctx context.Context, tx *db.Tx, stocks []id.Stock, rights []id.Right) (*Book, error) {
	b := newBook()
	if err := tx.Query(ctx, liveOfRights, func(scan func(...any) error) error {
		r, err := scanReservation(scan)
		b.due[r.Right] = r
		stocks = append(stocks, r.Stock)
		return err
	}, db.Texts(rights)); err != nil {
		return nil, err
	}
	if err := b.lock(ctx, tx, stocks); err != nil {
		return nil, err
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	return b, b.details(ctx, tx)
}

// Complete waits for a book that was asked for, and locks and loads what the reservations
// hold of other stocks.
func (*Service) Complete(ctx context.Context, tx *db.Tx, b *Book) error {
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	var others []id.Stock
	for _, held := range b.held {
		for _, r := range held {
			if b.stocks[r.Stock] == nil {
				others = append(others, r.Stock)
			}
		}
	}
	if len(others) > 0 {
		if err := b.lock(ctx, tx, others); err != nil {
			return err
		}
		if err := tx.Flush(ctx); err != nil {
			return err
		}
	}
	return b.details(ctx, tx)
}

// lock asks for stocks.
func (b *Book) lock(ctx context.Context, tx *db.Tx, stocks []id.Stock) error {
	if len(stocks) == 0 {
		return nil
	}
	slices.Sort(stocks)
	return tx.Ask(ctx, lockStocks, func(scan func(...any) error) error {
		st, err := scanStock(scan)
		b.stocks[st.ID] = st
		return err
	}, db.Texts(slices.Compact(stocks)))
}

// Save writes what was decided on the book. A reservation that ended meanwhile makes the
// transaction start again.
func (s *Service) Save(ctx context.Context, tx *db.Tx, b *Book, now time.Time) error {
	if err := saveBook(ctx, tx, b, now); err != nil {
		return err
	}
	turn := s.Gate.turn()
	tx.AfterCommit(func() { s.Gate.note(b, turn) })
	return nil
}

// Receipts lists what a counted stock has received and voided, the newest first, at most n.
func (s *Service) Receipts(ctx context.Context, tx *db.Tx, stock id.Stock, n int) ([]Receipt, error) {
	var out []Receipt
	err := tx.Query(ctx, receiptsOf, func(scan func(...any) error) error {
		var r Receipt
		err := scan(&r.ID, &r.Stock, &r.Quantity, &r.Reason, &r.Actor, db.Time(&r.At))
		out = append(out, r)
		return err
	}, stock, n)
	return out, err
}

// Stocks lists stocks by id.
func (s *Service) Stocks(ctx context.Context, tx *db.Tx, ids []id.Stock) (map[id.Stock]*Stock, error) {
	found, err := loadStocks(ctx, tx, selectStocks, db.Texts(ids))
	out := make(map[id.Stock]*Stock, len(found))
	for _, st := range found {
		out[st.ID] = st
	}
	return out, err
}

// StocksFor is Stocks as a channel sees them: what is available is what it may sell. Stocks
// without allotments and editions cost no more than in Stocks.
func (s *Service) StocksFor(ctx context.Context, tx *db.Tx, channel string, ids []id.Stock) (map[id.Stock]*Stock, error) {
	b, err := s.seen(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	room := b.forSale(channel)
	for k, st := range b.stocks {
		seen := *st
		seen.Available = room(k)
		b.stocks[k] = &seen
	}
	return b.stocks, nil
}

// FreeFor tells how many units of each of some stocks a channel may sell, at the moment of the
// reading; none of those that aren't there.
func (s *Service) FreeFor(ctx context.Context, tx *db.Tx, ids []id.Stock) (func(channel string) func(id.Stock) int64, error) {
	b, err := s.seen(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	return b.forSale, nil
}

// seen is a book that isn't locked, to be read only.
func (s *Service) seen(ctx context.Context, tx *db.Tx, ids []id.Stock) (*Book, error) {
	b := newBook()
	b.reading = true
	var err error
	if b.stocks, err = s.Stocks(ctx, tx, ids); err != nil {
		return nil, err
	}
	return b, b.details(ctx, tx)
}

func (b *Book) forSale(channel string) func(id.Stock) int64 {
	return func(stock id.Stock) int64 {
		st := b.stocks[stock]
		if st == nil || st.Channels == 0 && !st.Edition {
			return Free(b.stocks)(stock)
		}
		return max(b.room(channel, st), 0)
	}
}

// Free tells how many units are available of each of some stocks; none of those that aren't
// there.
func Free(stocks map[id.Stock]*Stock) func(id.Stock) int64 {
	return func(stock id.Stock) int64 {
		if s := stocks[stock]; s != nil {
			return s.Available
		}
		return 0
	}
}

// ByName finds stocks by name, however it is written; see naming.Key. Unknown names are left
// out.
func (s *Service) ByName(ctx context.Context, tx *db.Tx, names []string) (map[string]*Stock, error) {
	asked := make(map[string][]string, len(names))
	for _, n := range names {
		asked[naming.Key(n)] = append(asked[naming.Key(n)], n)
	}
	found, err := loadStocks(ctx, tx, selectByName, db.Texts(slices.Sorted(maps.Keys(asked))))
	out := make(map[string]*Stock, len(found))
	for _, st := range found {
		for _, n := range asked[naming.Key(st.Name)] {
			out[n] = st
		}
	}
	return out, err
}

// All lists every stock by name.
func (s *Service) All(ctx context.Context, tx *db.Tx) ([]*Stock, error) {
	return loadStocks(ctx, tx, listStocks)
}

// Create adds an empty stock. Names are unique, however they are written; see
// stock.name_taken.
func (s *Service) Create(ctx context.Context, tx *db.Tx, name, kind string, lowMark int64, now time.Time) (*Stock, error) {
	name, ok := naming.Name(name)
	if !ok {
		return nil, fault.New(fault.Invalid, "naming.hidden")
	}
	if name == "" || len(name) > 120 || (kind != Counted && kind != Codes) || lowMark < 0 {
		return nil, fault.New(fault.Invalid, "stock.invalid")
	}
	taken, err := s.ByName(ctx, tx, []string{name})
	if err != nil {
		return nil, err
	}
	if taken[name] != nil {
		return nil, fault.New(fault.Conflict, "stock.name_taken", "name", name)
	}
	st := &Stock{ID: id.New[id.Stock](), Name: name, Kind: kind, LowMark: lowMark, UpdatedAt: now}
	return st, tx.WriteAll(ctx, insertStock, 1, func(_ int, w *db.Binder) {
		w.Text(string(st.ID)).Text(st.Name).Text(naming.Key(st.Name)).Text(st.Kind).Int(0).Int(0).Int(0).Int(0).Int(0).Int(lowMark).Time(now)
	})
}

// SetLowMark changes below how many available units an operator is told.
func (s *Service) SetLowMark(ctx context.Context, tx *db.Tx, stock id.Stock, lowMark int64, now time.Time) error {
	if lowMark < 0 {
		return fault.New(fault.Invalid, "stock.invalid")
	}
	return tx.ExecOne(ctx, setLowMark, lowMark, db.Micros(now), stock)
}
