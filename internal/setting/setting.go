// Package setting keeps what an operator may change while the shop runs: small typed values
// with a default, declared at package level by whoever reads them. A change writes its
// audit row, with the value before and after, in the same transaction.
//
// No secret is a setting: values are shown to staff and stand in the audit trail.
package setting

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/naming"
)

// Of is a setting with values of type T.
type Of[T any] struct {
	name   string
	value  T // the default
	parse  func(string) (T, error)
	format func(T) string
}

// Name is the setting's name, "area.what". Its label is the message "setting." + name.
func (s *Of[T]) Name() string { return s.name }

type definition struct {
	name     string
	fallback string
	// canonical checks a text and gives it in the one spelling that is stored.
	canonical func(string) (string, error)
}

var registry = struct {
	sync.Mutex
	byName map[string]definition
}{byName: map[string]definition{}}

func declare[T any](s *Of[T]) *Of[T] {
	registry.Lock()
	defer registry.Unlock()
	if _, twice := registry.byName[s.name]; twice {
		panic("setting: two settings are named " + s.name)
	}
	registry.byName[s.name] = definition{s.name, s.format(s.value), func(text string) (string, error) {
		v, err := s.parse(text)
		if err != nil {
			return "", err
		}
		return s.format(v), nil
	}}
	return s
}

func invalid(name, code string, params ...string) error {
	return fault.New(fault.Invalid, "setting.value").At(name, code, params...)
}

// Int declares a whole number from min to max.
func Int(name string, value, min, max int64) *Of[int64] {
	return declare(&Of[int64]{name, value, func(text string) (int64, error) {
		v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil || v < min || v > max {
			return 0, invalid(name, "setting.int", "min", strconv.FormatInt(min, 10), "max", strconv.FormatInt(max, 10))
		}
		return v, nil
	}, func(v int64) string { return strconv.FormatInt(v, 10) }})
}

// Text declares a line of at most max characters, without any that nobody sees.
func Text(name, value string, max int) *Of[string] {
	return declare(&Of[string]{name, value, func(text string) (string, error) {
		text = strings.TrimSpace(text)
		if utf8.RuneCountInString(text) > max || naming.Hidden(text) {
			return "", invalid(name, "setting.text", "max", strconv.Itoa(max))
		}
		return text, nil
	}, func(v string) string { return v }})
}

// Flag declares a switch; its texts are "true" and "false".
func Flag(name string, value bool) *Of[bool] {
	return declare(&Of[bool]{name, value, func(text string) (bool, error) {
		v, err := strconv.ParseBool(strings.TrimSpace(text))
		if err != nil {
			return false, invalid(name, "setting.flag")
		}
		return v, nil
	}, strconv.FormatBool})
}

var (
	readOne   = db.SQL("setting.read", `SELECT value FROM settings WHERE name = $1`)
	lockOne   = db.SQL("setting.lock", `SELECT value FROM settings WHERE name = $1 {{for update}}`)
	readAll   = db.SQL("setting.all", `SELECT name, value, updated_at FROM settings ORDER BY name`)
	insertOne = db.SQL("setting.insert", `INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`)
	updateOne = db.SQL("setting.update", `UPDATE settings SET value = $1, updated_at = $2 WHERE name = $3`)
)

// Get is the present value. One that an older or newer program stored and this one can't
// read counts as the default.
func (s *Of[T]) Get(ctx context.Context, tx *db.Tx) (T, error) {
	var text string
	found, err := tx.One(ctx, readOne, []any{&text}, s.name)
	if err != nil || !found {
		return s.value, err
	}
	if v, err := s.parse(text); err == nil {
		return v, nil
	}
	return s.value, nil
}

// Set changes the value. See Change.
func (s *Of[T]) Set(ctx context.Context, tx *db.Tx, by By, v T, now time.Time) error {
	_, err := Change(ctx, tx, by, s.name, s.format(v), now)
	return err
}

// By is who changes a setting, for the audit trail.
type By struct {
	Actor  string // a party's id, or "system"
	Origin string
}

// Entry is a setting as the console shows it.
type Entry struct {
	Name      string
	Value     string
	Default   string
	ChangedAt time.Time // zero: never
}

// All lists every declared setting with its value, by name.
func All(ctx context.Context, tx *db.Tx) ([]Entry, error) {
	registry.Lock()
	defs := maps.Clone(registry.byName)
	registry.Unlock()
	values := map[string]Entry{}
	err := tx.Query(ctx, readAll, func(scan func(...any) error) error {
		var e Entry
		err := scan(&e.Name, &e.Value, db.Time(&e.ChangedAt))
		values[e.Name] = e
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(defs))
	for _, name := range slices.Sorted(maps.Keys(defs)) {
		e := Entry{Name: name, Value: defs[name].fallback, Default: defs[name].fallback}
		if v, ok := values[name]; ok {
			if text, err := defs[name].canonical(v.Value); err == nil {
				e.Value, e.ChangedAt = text, v.ChangedAt
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// Change sets a declared setting from text and reports whether that changed anything. Its
// faults are setting.unknown and setting.value, which says at the setting's name what a
// value must be.
func Change(ctx context.Context, tx *db.Tx, by By, name, text string, now time.Time) (bool, error) {
	registry.Lock()
	def, ok := registry.byName[name]
	registry.Unlock()
	if !ok {
		return false, fault.New(fault.NotFound, "setting.unknown")
	}
	after, err := def.canonical(text)
	if err != nil {
		return false, err
	}
	inserted, err := tx.Exec(ctx, insertOne, name, after, db.Micros(now))
	if err != nil {
		return false, err
	}
	before := def.fallback
	if inserted == 0 {
		if _, err := tx.One(ctx, lockOne, []any{&before}, name); err != nil {
			return false, err
		}
		if before == after {
			return false, nil
		}
		if err := tx.ExecOne(ctx, updateOne, after, db.Micros(now), name); err != nil {
			return false, err
		}
	} else if before == after {
		return false, nil
	}
	return true, audit.Write(ctx, tx, audit.Row{At: now, Actor: by.Actor, Action: "setting.change", Subject: name, Origin: by.Origin,
		Data: map[string]string{"before": before, "after": after}})
}
