package flow

import (
	"context"

	"hufu/internal/db"
)

// PlaceTogether places orders in one transaction, in their order.
func (f *Flows) PlaceTogether(ctx context.Context, commands []Place) (answers []db.Answer[Placed], err error) {
	err = f.DB.Do(ctx, func(tx *db.Tx) error {
		answers, err = f.placeAll(ctx, tx, commands)
		return err
	})
	return answers, err
}
