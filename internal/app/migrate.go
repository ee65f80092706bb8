package app

import (
	"context"

	"hufu/internal/db"
)

// Migrate brings a store's schema to what the program needs and returns the versions
// applied.
func Migrate(ctx context.Context, c Config) ([]int64, error) {
	d, err := db.Open(ctx, db.Config{Store: c.Store, Waiting: c.Waiting})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Migrate(ctx)
}
