package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var appendOnlyToken = regexp.MustCompile(`\{\{append only ([^}]+)\}\}`)

// appendOnlyTables are the tables whose rows the migrations protect, each with its keys.
func appendOnlyTables() ([]string, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	var tables []string
	for _, e := range entries {
		raw, err := migrations.ReadFile("migrations/" + e.Name())
		if err != nil {
			return nil, err
		}
		for _, m := range appendOnlyToken.FindAllStringSubmatch(string(raw), -1) {
			tables = append(tables, m[1])
		}
	}
	slices.Sort(tables)
	return tables, nil
}

// Each query gives the name of a trigger, whether it is in force for every row that is to be
// changed, and what it does.
var guardsIn = map[Dialect]string{
	SQLite: `SELECT name, 1, sql FROM sqlite_master WHERE type = 'trigger'`,
	// 58 is BEFORE UPDATE, DELETE or TRUNCATE, once for each statement (pg_trigger.tgtype).
	Postgres: `SELECT t.tgname, (t.tgenabled IN ('O', 'A') AND t.tgtype = 58 AND t.tgqual IS NULL AND t.tgattr = '')::int, p.prosrc
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace AND t.tgname = c.relname || '_append_only'`,
}

// guards are the triggers of an append-only table, named with its keys, by their names, with
// what each does.
func (d Dialect) guards(arg string) map[string]string {
	text := d.appendOnly(arg)
	if d == Postgres {
		table, _, _ := strings.Cut(arg, " ")
		return map[string]string{table + "_append_only": strings.Split(text, "$body$")[1]}
	}
	out := map[string]string{}
	for s := range strings.Lines(text) {
		out[strings.Fields(s)[2]] = strings.TrimSuffix(strings.TrimSpace(s), ";")
	}
	return out
}

// Protection gives the statements that protect an append-only table, as the migrations have
// it, a line each.
func (d Dialect) Protection(table string) (string, error) {
	tables, err := appendOnlyTables()
	for _, arg := range tables {
		if name, _, _ := strings.Cut(arg, " "); name == table {
			return d.appendOnly(arg), nil
		}
	}
	return "", errors.Join(err, fmt.Errorf("db: %s is no append-only table", table))
}

// Unguarded names what no longer protects the tables that are only ever added to: each of
// their triggers that is gone, switched off, or does something else than the program's.
func (tx *Tx) Unguarded(ctx context.Context) ([]string, error) {
	tables, err := appendOnlyTables()
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	err = tx.query(ctx, "db.guards", guardsIn[tx.dialect], func(scan func(...any) error) error {
		var name, does string
		var on int64
		err := scan(&name, &on, &does)
		if on == 0 {
			does = "" // as good as none
		}
		found[name] = does
		return err
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("db: the triggers can't be read: %w", err)
	}
	var bad []string
	for _, table := range tables {
		for name, does := range tx.dialect.guards(table) {
			if found[name] != does {
				bad = append(bad, name)
			}
		}
	}
	slices.Sort(bad)
	return bad, nil
}
