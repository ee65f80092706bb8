// Package dbtest gives tests real databases: SQLite in a file of the test's own, and a
// database of its own in a PostgreSQL cluster, named by HUFU_TEST_POSTGRES or started on
// the spot from the system's binaries with fsync on.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers, as internal/app has them
	_ "modernc.org/sqlite"

	"hufu/internal/db"
)

// Stores are the kinds of store each test runs on.
var Stores = []string{"sqlite", "postgres"}

// Each runs fn once on a fresh, migrated database of each kind.
func Each(t *testing.T, fn func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, kind := range Stores {
		t.Run(kind, func(t *testing.T) { fn(t, Open(t, kind)) })
	}
}

// Open gives a fresh, migrated database that is closed and removed with the test.
func Open(t testing.TB, kind string) *db.DB {
	t.Helper()
	return OpenStore(t, Store(t, kind))
}

// OpenStore opens the database at a store address, migrates it, and closes it with the test.
func OpenStore(t testing.TB, store string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// Store gives the address of an empty database of a kind, removed with the test.
func Store(t testing.TB, kind string) string {
	t.Helper()
	if kind == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "hufu.db")
	}
	return postgres(t)
}

var (
	clusterOnce sync.Once
	clusterURL  string
	clusterErr  error
	sequence    atomic.Int64
)

func postgres(t testing.TB) string {
	clusterOnce.Do(func() {
		if clusterURL = os.Getenv("HUFU_TEST_POSTGRES"); clusterURL == "" {
			// The cluster outlives this function; its own watchdog ends it with the process.
			clusterURL, _, clusterErr = StartCluster(context.Background())
		}
	})
	if clusterErr != nil {
		t.Fatalf("no PostgreSQL to test on: %v", clusterErr)
	}
	admin, err := sql.Open("pgx", clusterURL)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("hufu_test_%d_%d", os.Getpid(), sequence.Add(1))
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("PostgreSQL at %s: %v", clusterURL, err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	u, err := url.Parse(clusterURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}
