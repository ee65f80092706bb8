package inventory

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Allotting is the command to change the allotments of a stock.
type Allotting struct {
	Stock  id.Stock
	Act    string // AllotMove, AllotSize or AllotClose
	From   string // of AllotMove
	To     string // whose allotment it is; of AllotMove where the units go
	Units  int64  // how many go, or how large it is to be
	Reason string
	Actor  string
}

// What can be done to allotments.
const (
	AllotMove  = "move"
	AllotSize  = "size"
	AllotClose = "close"
)

// Allot changes the allotments of a stock while it sells; see Book.Allot, Resize and Close. A
// reason is needed.
func (s *Service) Allot(ctx context.Context, tx *db.Tx, c Allotting, now time.Time) error {
	if c.Reason == "" || len([]rune(c.Reason)) > 200 {
		return fault.New(fault.Invalid, "allotment.reason").At("reason", "allotment.reason")
	}
	book, err := s.Open(ctx, tx, []id.Stock{c.Stock}, nil)
	if err != nil {
		return err
	}
	if book.Stock(c.Stock) == nil {
		return fault.New(fault.NotFound, "stock.not_found")
	}
	switch c.Act {
	case AllotMove:
		err = book.Allot(c.Stock, c.From, c.To, c.Units, c.Actor, c.Reason)
	case AllotSize:
		err = book.Resize(c.Stock, c.To, c.Units, c.Actor, c.Reason)
	case AllotClose:
		err = book.Close(c.Stock, c.To, c.Actor, c.Reason)
	default:
		err = fault.New(fault.Invalid, "allotment.invalid")
	}
	if err != nil {
		return err
	}
	return s.Save(ctx, tx, book, now)
}

// Begin makes a stock an edition; see Book.BeginEdition.
func (s *Service) Begin(ctx context.Context, tx *db.Tx, e Edition, now time.Time) (*Edition, error) {
	book, err := s.Open(ctx, tx, []id.Stock{e.Stock}, nil)
	if err != nil {
		return nil, err
	}
	e.CreatedAt = now
	if err := book.BeginEdition(e); err != nil {
		return nil, err
	}
	return book.Edition(e.Stock), s.Save(ctx, tx, book, now)
}

// End closes an edition for good; see Book.CloseEdition.
func (s *Service) End(ctx context.Context, tx *db.Tx, stock id.Stock, now time.Time) (*Edition, error) {
	book, err := s.Open(ctx, tx, []id.Stock{stock}, nil)
	if err != nil {
		return nil, err
	}
	if err := book.CloseEdition(stock, now); err != nil {
		return nil, err
	}
	return book.Edition(stock), s.Save(ctx, tx, book, now)
}
