package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"hufu/internal/app"
	"hufu/internal/fault"
)

// backedUp is a store and a backup of it.
func backedUp(t *testing.T) (folder, backup string) {
	t.Helper()
	folder = t.TempDir()
	c := app.Config{Store: "sqlite:" + filepath.Join(folder, "shop.db")}
	if _, err := app.Migrate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	backup = filepath.Join(folder, "backup.db")
	if _, err := app.Backup(t.Context(), c, backup); err != nil {
		t.Fatal(err)
	}
	return folder, backup
}

func restore(ctx context.Context, path, from string) error {
	return app.Restore(ctx, app.Config{Store: "sqlite:" + path}, from)
}

// What SQLite has left beside a database that is gone would be read into the restored one.
func TestRestoreLeavesNoRoomForAnothersLog(t *testing.T) {
	folder, backup := backedUp(t)
	path := filepath.Join(folder, "new.db")
	for _, end := range []string{"-wal", "-shm", "-journal"} {
		if err := os.WriteFile(path+end, []byte("another's"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := restore(t.Context(), path, backup); fault.CodeOf(err) != "restore.leftover" {
			t.Errorf("beside a %s: %v", end, err)
		}
		if b, err := os.ReadFile(path + end); string(b) != "another's" {
			t.Errorf("%s is now %q, %v", end, b, err)
		}
		if err := os.Rename(path+end, backup+end); err != nil {
			t.Fatal(err)
		}
		if err := restore(t.Context(), path, backup); fault.CodeOf(err) != "restore.in_use" {
			t.Errorf("from a file with a %s: %v", end, err)
		}
		if err := os.Remove(backup + end); err != nil {
			t.Fatal(err)
		}
		nothingAt(t, path)
	}
	if err := restore(t.Context(), path, backup); err != nil {
		t.Fatal(err)
	}
	if err := restore(t.Context(), path, backup); fault.CodeOf(err) != "restore.exists" {
		t.Errorf("over a database: %v", err)
	}
}

// What is no whole database of ours is refused, and nothing of it is left.
func TestRestoreRefusesWhatIsNotWhole(t *testing.T) {
	folder, backup := backedUp(t)
	whole, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	made := func(name string, statements ...string) string {
		file := filepath.Join(folder, name)
		if len(statements) == 0 {
			return file
		}
		if name == "newer.db" {
			if err := os.WriteFile(file, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		pool, err := sql.Open("sqlite", file)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		for _, s := range statements {
			if _, err := pool.ExecContext(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		return file
	}
	short, torn := made("short.db"), made("torn.db")
	if err := os.WriteFile(short, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(whole)
	for i := len(bad) / 2; i < len(bad)/2+8192; i++ {
		bad[i] ^= 0xff
	}
	if err := os.WriteFile(torn, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, want string }{
		{short, "backup.damaged"},
		{torn, "backup.damaged"},
		{made("other.db", "CREATE TABLE notes (body TEXT)"), "backup.damaged"},
		{made("newer.db", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, 1)"), "db.newer"},
		{filepath.Join(folder, "nowhere.db"), "restore.no_file"},
	} {
		path := filepath.Join(folder, "new.db")
		if err := restore(t.Context(), path, c.file); fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", filepath.Base(c.file), err, c.want)
		}
		nothingAt(t, path)
	}
}

func nothingAt(t *testing.T, path string) {
	t.Helper()
	for _, end := range []string{"", ".part", ".part-wal", ".part-shm"} {
		if _, err := os.Stat(path + end); err == nil {
			t.Errorf("%s%s was left", filepath.Base(path), end)
		}
	}
}
