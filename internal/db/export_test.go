package db

import "context"

// Truncate empties the write-ahead log of SQLite, and reports whether it could.
func (d *DB) Truncate(ctx context.Context) bool {
	w := <-d.writer
	defer func() { d.writer <- w }()
	return w.truncate(ctx)
}
