package app

import (
	"context"
	"os"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
)

// Backup copies a SQLite store, while it is being served, into a new file: one moment of
// it, checked for integrity. It returns the file's size. The key file is not part of it
// and is kept apart on purpose.
func Backup(ctx context.Context, c Config, file string) (int64, error) {
	if !strings.HasPrefix(c.Store, "sqlite:") {
		return 0, fault.New(fault.Invalid, "backup.sqlite_only")
	}
	if _, err := os.Stat(file); err == nil {
		return 0, fault.New(fault.Conflict, "backup.exists", "file", file)
	}
	d, err := db.Open(ctx, db.Config{Store: c.Store, Connections: 1, MustExist: true})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	if err := d.CheckVersion(ctx); err != nil {
		return 0, err
	}
	part := file + ".part"
	_ = os.Remove(part)
	if err := d.CopyTo(ctx, part); err != nil {
		_ = os.Remove(part)
		return 0, err
	}
	if err := db.CheckFile(ctx, part); err != nil {
		_ = os.Remove(part)
		return 0, err
	}
	if err := os.Rename(part, file); err != nil {
		return 0, fault.Wrap(err, fault.Unavailable, "backup.target", "file", file)
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, fault.Wrap(err, fault.Unavailable, "backup.target", "file", file)
	}
	return info.Size(), nil
}
