package flow

import (
	"context"

	"hufu/internal/db"
)

// soldOutAlready reports, without the database, whether a command asks for something that
// is known to be sold out.
func (f *Flows) soldOutAlready(c Place) error {
	for _, l := range c.Lines {
		if s, ok := f.Catalogue.LastSeen(l.Offer); ok && f.Inventory.Gate.Shut(s.Needs) {
			return soldOut(s.Sale)
		}
	}
	return nil
}

// RefreshGate learns of what came back to stock, and of offers that changed meanwhile. It
// costs nothing while nothing is sold out.
func (f *Flows) RefreshGate(ctx context.Context) error {
	if f.Inventory.Gate.Open() {
		return nil
	}
	if err := f.Inventory.Gate.Refresh(ctx, f.DB); err != nil {
		return err
	}
	return f.DB.View(ctx, func(tx *db.Tx) error {
		return f.Catalogue.RefreshSeen(ctx, tx, f.Clock.Now())
	})
}
