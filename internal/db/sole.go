package db

import (
	"errors"
	"os"

	"hufu/internal/fault"
)

// Sole makes this process the one that serves from a SQLite file: two would each hold the
// writer against the other, and each believe its own memory of what is on sale. It fails
// with db.locked while another process serves; commands that work beside it don't ask. The
// system lets go when the process ends, however it ends. PostgreSQL serves any number.
func (d *DB) Sole() (release func(), err error) {
	if d.dialect != SQLite {
		return func() {}, nil
	}
	// A file of its own: closing the database's would drop the locks that SQLite has on it.
	f, err := os.OpenFile(d.path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		if err = lockFile(f); err != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "db.locked", "path", d.path)
	}
	return func() { f.Close() }, nil
}
