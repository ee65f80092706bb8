package db

import (
	"context"
	"fmt"
)

// QueryMade is Query for a statement that is made while the program runs, such as one of a
// rule. Its text holds the program's own words and parameters alone, never what somebody
// wrote; it is in no list of statements, and no connection keeps it prepared.
func (tx *Tx) QueryMade(ctx context.Context, name, text string, each eachRow, args ...any) error {
	if err := tx.db.hooks.stmt(name); err != nil {
		return err
	}
	text, _ = tx.dialect.Expand(text)
	args = tx.prepareArgs(args)
	if tx.pg != nil {
		return tx.query(ctx, name, text, each, args)
	}
	ctx = tx.within(ctx)
	rows, err := tx.lite.c.QueryContext(ctx, positional(text), args...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
