package api

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// Stock is a counted supply: received = available + reserved + delivered + voided.
type Stock struct {
	ID        id.Stock  `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind" enum:"counted,codes"`
	Received  int64     `json:"received"`
	Available int64     `json:"available"`
	Reserved  int64     `json:"reserved"`
	Delivered int64     `json:"delivered"`
	Voided    int64     `json:"voided"`
	LowMark   int64     `json:"low_mark" doc:"Somebody is told below this many available"`
	Low       bool      `json:"low"`
	UpdatedAt time.Time `json:"updated_at"`
}

// NewStock is a stock to be added.
type NewStock struct {
	Name    string `json:"name" minLength:"1" maxLength:"120"`
	Kind    string `json:"kind" enum:"counted,codes" doc:"counted: units are only counted; codes: behind each unit stands a code"`
	LowMark int64  `json:"low_mark,omitempty" minimum:"0" maximum:"1000000000"`
}

// Units is how many come in.
type Units struct {
	Units int64 `json:"units" minimum:"1" maximum:"1000000000"`
}

// LowMark is below how many units somebody is told.
type LowMark struct {
	LowMark int64 `json:"low_mark" minimum:"0" maximum:"1000000000"`
}

// StockRef names a stock.
type StockRef struct {
	Stock id.Stock `path:"stock" maxLength:"40"`
}

type newStockInput struct{ Body NewStock }

type receiveInput struct {
	StockRef
	Body Units
}

type lowMarkInput struct {
	StockRef
	Body LowMark
}

func (a *API) staffStock() {
	operation(a, "list-stocks", a.listStocks)
	operation(a, "get-stock", func(ctx context.Context, _ *Call, in *StockRef) (*Stock, error) {
		var out *Stock
		err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
			s, err := a.stock(ctx, tx, in.Stock)
			if err == nil {
				out = showStock(s)
			}
			return err
		})
		return out, err
	})
	once(a, "create-stock", a.createStock)
	once(a, "receive-stock", a.receiveStock)
	once(a, "set-low-mark", a.setLowMark)
	a.staffScarce()
}

func showStock(s *inventory.Stock) *Stock {
	return &Stock{s.ID, s.Name, s.Kind, s.Received, s.Available, s.Reserved, s.Delivered, s.Voided, s.LowMark, s.Available < s.LowMark, s.UpdatedAt}
}

func (a *API) stock(ctx context.Context, tx *db.Tx, stock id.Stock) (*inventory.Stock, error) {
	found, err := a.Flows.Inventory.Stocks(ctx, tx, []id.Stock{stock})
	if err == nil && found[stock] == nil {
		err = fault.New(fault.NotFound, "stock.not_found")
	}
	return found[stock], err
}

func (a *API) listStocks(ctx context.Context, _ *Call, _ *struct{}) (*Page[Stock], error) {
	out := &Page[Stock]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Inventory.All(ctx, tx)
		out.Items = make([]Stock, len(all))
		for i, s := range all {
			out.Items[i] = *showStock(s)
		}
		return err
	})
	return out, err
}

func (a *API) createStock(ctx context.Context, tx *db.Tx, c *Call, in *newStockInput) (*Stock, error) {
	s, err := a.Flows.Inventory.Create(ctx, tx, in.Body.Name, in.Body.Kind, in.Body.LowMark, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return showStock(s), a.record(ctx, tx, c, "stock.create", string(s.ID), map[string]string{"name": s.Name, "kind": s.Kind})
}

func (a *API) receiveStock(ctx context.Context, tx *db.Tx, c *Call, in *receiveInput) (*Stock, error) {
	book, err := a.Flows.Inventory.Open(ctx, tx, []id.Stock{in.Stock}, nil)
	if err != nil {
		return nil, err
	}
	s := book.Stock(in.Stock)
	switch {
	case s == nil:
		return nil, fault.New(fault.NotFound, "stock.not_found")
	case s.Kind != inventory.Counted:
		return nil, fault.New(fault.Conflict, "stock.counted")
	}
	book.Sign(c.party(), "")
	book.Receive(in.Stock, in.Body.Units)
	if err := a.Flows.Inventory.Save(ctx, tx, book, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return showStock(book.Stock(in.Stock)), a.record(ctx, tx, c, "stock.receive", string(in.Stock), map[string]string{"units": strconv.FormatInt(in.Body.Units, 10)})
}

func (a *API) setLowMark(ctx context.Context, tx *db.Tx, c *Call, in *lowMarkInput) (*Stock, error) {
	was, err := a.stock(ctx, tx, in.Stock)
	if err != nil {
		return nil, err
	}
	if err := a.Flows.Inventory.SetLowMark(ctx, tx, in.Stock, in.Body.LowMark, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	is, err := a.stock(ctx, tx, in.Stock)
	if err != nil {
		return nil, err
	}
	return showStock(is), a.record(ctx, tx, c, "stock.mark", string(in.Stock), map[string]string{"from": strconv.FormatInt(was.LowMark, 10), "to": strconv.FormatInt(is.LowMark, 10)})
}
