package flow

import (
	"context"

	"hufu/internal/catalogue"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/naming"
)

// importStocks is the part of ImportCatalogue that makes stocks, receives units and numbers them.
func (in *importing) importStocks(ctx context.Context) error {
	present, err := in.Inventory.All(ctx, in.tx)
	if err != nil {
		return err
	}
	in.stocks = map[string]catalogue.StockRef{}
	for _, s := range present {
		ref := catalogue.StockRef{ID: s.ID, Kind: s.Kind, Received: s.Received, LowMark: s.LowMark, Sold: s.Delivered > 0, Free: s.Available - s.Allotted}
		if ref.Edition, err = in.edition(ctx, in.tx, s); err != nil {
			return err
		}
		if ref.Allotments, err = in.allotments(ctx, in.tx, s); err != nil {
			return err
		}
		in.stocks[naming.Key(s.Name)] = ref
	}
	for i, s := range in.file.Stocks {
		var was *catalogue.StockRef
		if ref, known := in.stocks[naming.Key(s.Name)]; known {
			was = &ref
		}
		if row := in.file.DecideStock(i, was); !in.add(row) {
			continue
		}
		if err := in.saveStock(ctx, s, was); err != nil {
			return err
		}
	}
	return nil
}

func (in *importing) saveStock(ctx context.Context, s catalogue.FileStock, was *catalogue.StockRef) error {
	if was == nil {
		made, err := in.Inventory.Create(ctx, in.tx, s.Name, s.Kind, s.LowMark, in.now)
		if err != nil {
			return err
		}
		was = &catalogue.StockRef{ID: made.ID, Kind: made.Kind, LowMark: made.LowMark}
		in.stocks[naming.Key(s.Name)] = *was
	}
	numbered := s.Edition != nil && was.Edition == nil
	if n := s.ToReceive(*was); n > 0 || numbered || len(s.AllotOrder(*was)) > 0 {
		book, err := in.Inventory.Open(ctx, in.tx, []id.Stock{was.ID}, nil)
		if err != nil {
			return err
		}
		book.Sign(string(in.by), "catalogue")
		if n > 0 {
			book.Receive(was.ID, n)
		}
		for _, channel := range s.AllotOrder(*was) {
			if err := book.Resize(was.ID, channel, s.Allotments[channel], string(in.by), "catalogue"); err != nil {
				return err
			}
		}
		if e := s.Edition; numbered {
			if err := book.BeginEdition(inventory.Edition{Stock: was.ID, Size: e.Size, First: e.First, Gapless: e.Gapless, ByLot: e.ByLot, CreatedBy: string(in.by), CreatedAt: in.now}); err != nil {
				return err
			}
		}
		if err := in.Inventory.Save(ctx, in.tx, book, in.now); err != nil {
			return err
		}
	}
	return in.Inventory.SetLowMark(ctx, in.tx, was.ID, s.LowMark, in.now)
}
