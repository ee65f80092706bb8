package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
)

// beside are the ends of the names of files that SQLite keeps beside a database. It reads
// them into whatever database it then finds there.
var beside = []string{"-wal", "-shm", "-journal"}

// Restore puts a backup in the place of a SQLite store that doesn't exist yet. Nothing is
// in that place before the copy has been read through, and nothing when it fails: but a
// backup of an older version is restored, and the fault db.older says what is next. What was
// delivered after the backup is unknown to it: the documents say what to compare before
// serving again.
func Restore(ctx context.Context, c Config, file string) error {
	path, ok := strings.CutPrefix(c.Store, "sqlite:")
	if !ok {
		return fault.New(fault.Invalid, "backup.sqlite_only")
	}
	if there(path) {
		return fault.New(fault.Conflict, "restore.exists", "file", path)
	}
	for _, end := range beside {
		if there(path + end) {
			return fault.New(fault.Conflict, "restore.leftover", "file", path+end)
		}
	}
	if _, err := os.Stat(file); err != nil {
		return fault.Wrap(err, fault.NotFound, "restore.no_file", "file", file)
	}
	for _, end := range beside {
		if there(file + end) { // a part of it may be in there
			return fault.New(fault.Invalid, "restore.in_use", "file", file, "beside", file+end)
		}
	}
	if err := db.CheckFile(ctx, file); err != nil {
		return err
	}
	part := path + ".part"
	older, err := readThrough(ctx, file, part, path)
	if err != nil {
		_ = os.Remove(part)
		return err
	}
	if err := errors.Join(os.Rename(part, path), syncFolder(path)); err != nil {
		_ = os.Remove(part)
		return fault.Wrap(err, fault.Unavailable, "restore.target", "file", path)
	}
	return older
}

func there(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// readThrough copies a backup and reads the copy: it is whole, and a database of ours that
// isn't newer than the program. Of one that is older it tells with the first error.
func readThrough(ctx context.Context, file, part, path string) (older, err error) {
	if err := copyDurably(file, part); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "restore.target", "file", path)
	}
	if err := db.CheckFile(ctx, part); err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, db.Config{Store: "sqlite:" + part, Connections: 1, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	has, needs, err := d.Version(ctx)
	if err != nil || has == 0 {
		return nil, fault.Wrap(err, fault.Invalid, "backup.damaged", "file", file)
	}
	if older = d.CheckVersion(ctx); has > needs {
		return nil, older
	}
	return older, nil
}

func copyDurably(from, to string) error {
	raw, err := os.Open(from)
	if err != nil {
		return err
	}
	defer raw.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := out.ReadFrom(raw); err != nil {
		out.Close()
		return err
	}
	return errors.Join(out.Sync(), out.Close())
}

// syncFolder has the name of a file last.
func syncFolder(file string) error {
	d, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
