package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"hufu/internal/fault"
)

// The schema: one set of files for both databases, named VERSION_what.sql. Tokens of
// Dialect stand where the two differ. A file that has been released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

func (d *DB) provider() (*goose.Provider, error) {
	entries, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for _, name := range entries {
		raw, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("db: %s has no version", name)
		}
		text, _ := d.dialect.Expand(string(raw))
		steps = append(steps, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			for _, s := range statements(text) {
				if _, err := tx.ExecContext(ctx, s); err != nil {
					return fmt.Errorf("%s: %w\n%s", name, err, s)
				}
			}
			return nil
		}}, nil))
	}
	dialect := map[Dialect]database.Dialect{SQLite: database.DialectSQLite3, Postgres: database.DialectPostgres}[d.dialect]
	return goose.NewProvider(dialect, d.pool, nil, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(steps...))
}

// statements cuts a script at the semicolons that end a line, leaving the bodies of
// triggers (BEGIN ... END) and of functions ($body$ ... $body$) whole.
func statements(script string) []string {
	var out []string
	var cur strings.Builder
	for line := range strings.Lines(script) {
		if t := strings.TrimSpace(line); t == "" || strings.HasPrefix(t, "--") {
			continue
		}
		cur.WriteString(line)
		s := strings.TrimSpace(cur.String())
		if !strings.HasSuffix(s, ";") || strings.Count(s, "$body$")%2 == 1 {
			continue
		}
		out = append(out, s)
		cur.Reset()
	}
	if s := strings.TrimSpace(cur.String()); s != "" {
		out = append(out, s)
	}
	return out
}

// Version is the schema the database has, 0 for none, and the one this program needs. It
// writes nothing.
func (d *DB) Version(ctx context.Context) (has, needs int64, err error) {
	p, err := d.provider()
	if err != nil {
		return 0, 0, err
	}
	sources := p.ListSources()
	needs = sources[len(sources)-1].Version
	names, err := d.tables(ctx)
	if err != nil || !slices.Contains(names, history) {
		return 0, needs, asFault(err)
	}
	err = d.asking().QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+history).Scan(&has)
	return has, needs, asFault(err)
}

// history is the table that holds which versions were applied, and ofOurs one that is as
// old as the first of them.
const (
	history = "goose_db_version"
	ofOurs  = "audit_heads"
)

// asking is where questions are asked that no Stmt holds.
func (d *DB) asking() *sql.DB {
	if d.dialect == SQLite {
		return d.reading
	}
	return d.pool
}

// tables are the tables of the database that no extension brought.
func (d *DB) tables(ctx context.Context) ([]string, error) {
	text := map[Dialect]string{
		SQLite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name",
		Postgres: "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') " +
			"AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname",
	}[d.dialect]
	rows, err := d.asking().QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// refuseForeign fails with db.foreign when the database is another program's: it holds
// tables, and none of ours.
func (d *DB) refuseForeign(ctx context.Context) error {
	names, err := d.tables(ctx)
	if err != nil {
		return asFault(err)
	}
	if slices.Contains(names, history) && slices.Contains(names, ofOurs) {
		return nil
	}
	for _, name := range names {
		if name != history { // made, but the first version wasn't
			return fault.New(fault.Conflict, "db.foreign", "store", redact(d.config.Store), "table", name)
		}
	}
	return nil
}

// CheckVersion fails with a fault that says what to do when the schema is older or newer
// than the program.
func (d *DB) CheckVersion(ctx context.Context) error {
	has, needs, err := d.Version(ctx)
	switch {
	case err != nil:
		return err
	case has < needs:
		return fault.New(fault.Conflict, "db.older", "has", strconv.FormatInt(has, 10), "needs", strconv.FormatInt(needs, 10))
	case has > needs:
		return fault.New(fault.Conflict, "db.newer", "has", strconv.FormatInt(has, 10), "needs", strconv.FormatInt(needs, 10))
	}
	return nil
}

// Migrate brings the schema to what the program needs and returns the versions applied.
// A database that is newer than the program is refused, and so is another program's.
func (d *DB) Migrate(ctx context.Context) ([]int64, error) {
	if err := d.refuseForeign(ctx); err != nil {
		return nil, err
	}
	if err := d.CheckVersion(ctx); fault.CodeOf(err) == "db.newer" {
		return nil, err
	}
	p, err := d.provider()
	if err != nil {
		return nil, err
	}
	if d.dialect == SQLite { // the writer's connection must not hold a read view of the old schema
		w := <-d.writer
		defer func() { d.writer <- w }()
	}
	results, err := p.Up(ctx)
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](asFault(err)); ok {
			return nil, f
		}
		return nil, fmt.Errorf("db: migrate: %w", err)
	}
	var applied []int64
	for _, r := range results {
		applied = append(applied, r.Source.Version)
	}
	return applied, nil
}

// Script runs statements outside the schema's history, tokens expanded: tables of a
// measurement or a test.
func (d *DB) Script(ctx context.Context, script string) error {
	text, _ := d.dialect.Expand(script)
	return d.Do(ctx, func(tx *Tx) error {
		for _, s := range statements(text) {
			var err error
			if tx.lite != nil {
				_, err = tx.lite.c.ExecContext(ctx, s)
			} else {
				_, err = tx.pg.send(ctx, &pgStmt{name: "script", text: s})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
