package app

import (
	"context"
	"errors"
	"io/fs"
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

// Restore puts a backup in the place of a SQLite store that doesn't exist yet. What was
// delivered after the backup is unknown to it: the documents say what to compare before
// serving again.
func Restore(ctx context.Context, c Config, file string) error {
	path, ok := strings.CutPrefix(c.Store, "sqlite:")
	if !ok {
		return fault.New(fault.Invalid, "backup.sqlite_only")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Conflict, "restore.exists", "file", path)
	}
	if _, err := os.Stat(file); err != nil {
		return fault.Wrap(err, fault.NotFound, "restore.no_file", "file", file)
	}
	if err := db.CheckFile(ctx, file); err != nil {
		return err
	}
	if err := copyDurably(file, path); err != nil {
		return fault.Wrap(err, fault.Unavailable, "restore.target", "file", path)
	}
	d, err := db.Open(ctx, db.Config{Store: c.Store, Connections: 1})
	if err != nil {
		return err
	}
	defer d.Close()
	return d.CheckVersion(ctx)
}

func copyDurably(from, to string) error {
	raw, err := os.Open(from)
	if err != nil {
		return err
	}
	defer raw.Close()
	out, err := os.OpenFile(to+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := out.ReadFrom(raw); err != nil {
		out.Close()
		return err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(to+".part", to)
}
