package flowtest

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// Pick has a pool give wants their codes, as a payment does.
func Pick(ctx context.Context, tx *db.Tx, pool *vault.Pool, wants []vault.Want, now time.Time) (map[id.Right]vault.Given, error) {
	most := map[id.Stock]int64{}
	for _, w := range wants {
		most[w.Stock]++
	}
	reach, err := pool.Reach(ctx, tx, most, now)
	if err != nil {
		return nil, err
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	return reach.Give(ctx, tx, wants)
}
