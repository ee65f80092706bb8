package db

import (
	"context"
	"database/sql"
	"net/url"
	"os"

	"hufu/internal/fault"
)

// CopyTo writes one moment of a SQLite database into a new file, while it is in use.
func (d *DB) CopyTo(ctx context.Context, file string) error {
	if d.dialect != SQLite {
		return fault.New(fault.Invalid, "backup.sqlite_only")
	}
	if _, err := d.reading.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil {
		return asFault(err)
	}
	if _, err := d.reading.ExecContext(ctx, "VACUUM INTO ?", file); err != nil {
		if sqliteCode(err)&0xff == sqliteCantOpen { // the database is open, so it is the new file
			return fault.Wrap(err, fault.Invalid, "backup.target", "file", file)
		}
		return asFault(err)
	}
	f, err := os.Open(file)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "backup.target", "file", file)
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	return f.Sync()
}

// CheckFile has SQLite check a database file that nobody uses, page by page.
func CheckFile(ctx context.Context, file string) error {
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: "mode=ro&immutable=1"}).String())
	if err != nil {
		return err
	}
	defer pool.Close()
	var verdict string
	if err := pool.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		return fault.Wrap(err, fault.Invalid, "backup.damaged", "file", file)
	}
	return nil
}
