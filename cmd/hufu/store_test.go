package main

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
	"hufu/internal/i18n"
)

// TestOnlyMigrateMakesADatabase mistypes the path of one: nothing is made, and it is said
// what to do.
func TestOnlyMigrateMakesADatabase(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, line := range []string{"verify", "serve --listen 127.0.0.1:0", "worker", "admin list", "backup copy.db", "keys rotate", "codes generate --stock s --count 1", "import codes - --stock s", "import catalogue -"} {
		status, _, errs := hufu(t, i18n.EN, append(strings.Fields(line), "--store", "sqlite:missing.db")...)
		if status != 1 || !strings.Contains(errs, "There is no database "+filepath.Join(dir, "missing.db")) || !strings.Contains(errs, "hufu migrate") {
			t.Errorf("hufu %s: status %d, %q", line, status, errs)
		}
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Errorf("%v was made", left)
	}
	if status, _, errs := hufu(t, i18n.EN, "migrate", "--store", "sqlite:missing.db"); status != 0 {
		t.Errorf("hufu migrate: status %d, %q", status, errs)
	}
	store := dbtest.Store(t, "postgres")
	if status, _, errs := hufu(t, i18n.EN, "verify", "--store", strings.Replace(store, "/hufu_test", "/none_hufu_test", 1)); status != 1 || !strings.Contains(errs, "createdb") {
		t.Errorf("a database the server doesn't have: status %d, %q", status, errs)
	}
}

// TestMigrateLeavesAnotherProgramsDatabaseAlone migrates a database with a table that isn't
// ours: it is left as it was.
func TestMigrateLeavesAnotherProgramsDatabaseAlone(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			store := dbtest.Store(t, kind)
			driver, dsn := "pgx", store
			if path, ok := strings.CutPrefix(store, "sqlite:"); ok {
				driver, dsn = "sqlite", path
			}
			other, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			for _, text := range []string{"CREATE TABLE goose_db_version (version_id BIGINT, is_applied BOOLEAN)", "INSERT INTO goose_db_version VALUES (1, TRUE)", "CREATE TABLE recipes (name TEXT)"} {
				if _, err := other.Exec(text); err != nil {
					t.Fatal(err)
				}
			}
			status, _, errs := hufu(t, i18n.EN, "migrate", "--store", store)
			if status != 1 || !strings.Contains(errs, "recipes") || !strings.Contains(errs, "another program") {
				t.Errorf("status %d, %q", status, errs)
			}
			if _, err := other.Exec("SELECT 1 FROM stocks"); err == nil {
				t.Error("our tables are in it")
			}
			if _, err := other.Exec("DROP TABLE recipes; DELETE FROM goose_db_version; DROP TABLE goose_db_version"); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if status, _, errs := hufu(t, i18n.EN, "migrate", "--store", store); status != 0 {
					t.Errorf("an empty database, and then one of ours: status %d, %q", status, errs)
				}
			}
		})
	}
}

// TestVerifyChecksWhatItCannotWrite verifies a store on PostgreSQL that takes no writes, and
// SQLite files whose owner is another user, in a folder that is another's as well.
func TestVerifyChecksWhatItCannotWrite(t *testing.T) {
	held := func(t *testing.T, status int, out, errs string) {
		t.Helper()
		if status != 0 || !strings.Contains(out, "I1   ok") || errs != "" {
			t.Errorf("status %d\n%s%s", status, out, errs)
		}
	}
	t.Run("postgres", func(t *testing.T) {
		store := dbtest.Store(t, "postgres")
		dbtest.OpenStore(t, store)
		u, err := url.Parse(store)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("default_transaction_read_only", "on")
		u.RawQuery = q.Encode()
		status, out, errs := hufu(t, i18n.EN, "verify", "--store", u.String())
		held(t, status, out, errs)
	})
	t.Run("sqlite", func(t *testing.T) {
		dir := openFolder(t)
		file := filepath.Join(dir, "hufu.db")
		for _, args := range [][]string{{"migrate"}, {"backup", filepath.Join(dir, "copy.db")}} {
			if status, _, errs := hufu(t, i18n.EN, append(args, "--store", "sqlite:"+file)...); status != 0 {
				t.Fatal(errs)
			}
		}
		for _, name := range []string{"hufu.db", "copy.db"} {
			if err := os.Chmod(filepath.Join(dir, name), 0o444); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"hufu.db", "copy.db"} {
			before, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			status, out, errs := asNobody(t, "verify", "--store", "sqlite:"+filepath.Join(dir, name))
			held(t, status, out, errs)
			if after, _ := os.ReadFile(filepath.Join(dir, name)); string(after) != string(before) {
				t.Errorf("%s was written", name)
			}
		}
	})
}

// TestWhatCannotBeOpenedIsNamed looks at what is said of a file that isn't a database, of
// one that can't be read, and of a place that can't be written.
func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("text.db", []byte("This is a letter, not a database. "), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := hufu(t, i18n.EN, "migrate", "--store", "sqlite:good.db"); status != 0 {
		t.Fatal(errs)
	}
	if status, _, errs := hufu(t, i18n.EN, "backup", "--store", "sqlite:good.db", "whole.db"); status != 0 {
		t.Fatal(errs)
	}
	for _, c := range []struct{ line, names, not string }{
		{"serve --store sqlite:folder", "(sqlite:folder)", "saved"},
		{"verify --store sqlite:folder", "(sqlite:folder)", "saved"},
		{"serve --store sqlite:text.db", "damaged", "saved"},
		{"backup --store sqlite:good.db /nonexist/x.db", "can't be written to /nonexist/x.db", "address"},
		{"restore --store sqlite:/nonexist/x.db whole.db", "/nonexist/x.db can't be written", "address"},
		{"restore --store sqlite:new.db none.db", "There is no backup file none.db", ""},
		{"import catalogue none.json --store sqlite:good.db", "There is no file none.json", ""},
		{"import catalogue folder --store sqlite:good.db", "folder is a folder", ""},
		{"import codes none.txt --stock s --create-stock --store sqlite:good.db", "There is no file none.txt", ""},
		{"import codes folder --stock s --create-stock --store sqlite:good.db", "folder is a folder", ""},
		{"serve --store sqlite:good.db --sandbox-url http://127.0.0.1:1", "--sandbox-secret", "save again"},
		{"serve --store sqlite:good.db --sandbox-url http://127.0.0.1:1 --sandbox-secret short", "--sandbox-secret", "channel"},
		{"sandbox --listen 127.0.0.1:0", "--secret", "hufu\u201d"},
	} {
		for _, lang := range i18n.Langs {
			if _, err := os.Stat("hufu.keys"); err != nil {
				if status, _, errs := hufu(t, lang, "keys", "create"); status != 0 {
					t.Fatal(errs)
				}
			}
			status, _, errs := hufu(t, lang, strings.Fields(c.line)...)
			wrong := lang == i18n.EN && (!strings.Contains(errs, c.names) || c.not != "" && strings.Contains(errs, c.not))
			if status != 1 || wrong || strings.ContainsAny(errs, "{⟦") || strings.Contains(errs, "open none") {
				t.Errorf("hufu %s in %s: status %d, %q", c.line, lang, status, errs)
			}
		}
	}
}
