// Package setting keeps what an operator may change while the shop runs: small typed values
// with a default, declared at package level by whoever reads them. A change writes its
// audit row, with the value before and after, in the same transaction.
//
// A setting that limits the staff is no limit for who may change it alone. Such a Limit is
// lowered at once and raised by two: what the first asks for waits until another asks for the
// same.
//
// No secret is a setting: values are shown to staff and stand in the audit trail.
package setting

import (
	"context"
	"errors"
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
	// raises tells of two canonical texts of a Limit whether the second is the higher; nil for
	// other settings.
	raises func(before, after string) bool
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
	registry.byName[s.name] = definition{name: s.name, fallback: s.format(s.value), canonical: func(text string) (string, error) {
		v, err := s.parse(text)
		if err != nil {
			return "", err
		}
		return s.format(v), nil
	}}
	return s
}

// Limit declares a whole number from min to max that bounds what a member of the staff may
// do. Who raised it alone would be bounded by nothing: see Change.
func Limit(name string, value, min, max int64) *Of[int64] {
	s := Int(name, value, min, max)
	registry.Lock()
	defer registry.Unlock()
	def := registry.byName[name]
	def.raises = func(before, after string) bool {
		b, errB := s.parse(before)
		a, errA := s.parse(after)
		return errors.Join(errB, errA) != nil || a > b
	}
	registry.byName[name] = def
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
	proposals = db.SQL("setting.proposals", `SELECT name, value, proposed_by, proposed_at FROM setting_proposals ORDER BY name`)
	proposal  = db.SQL("setting.proposal", `SELECT value, proposed_by FROM setting_proposals WHERE name = $1`)
	propose   = db.SQL("setting.propose", `INSERT INTO setting_proposals (name, value, proposed_by, proposed_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at`)
	withdraw = db.SQL("setting.withdraw", `DELETE FROM setting_proposals WHERE name = $1`)
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
	Limit     bool      // a raise takes two persons
	Proposal  *Proposal // of a Limit; nil when nothing waits
}

// Proposal is a raise that waits for a second person.
type Proposal struct {
	Value string
	By    string // a party's id
	At    time.Time
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
	waiting := map[string]*Proposal{}
	if err := tx.Query(ctx, proposals, func(scan func(...any) error) error {
		var name string
		p := new(Proposal)
		err := scan(&name, &p.Value, &p.By, db.Time(&p.At))
		waiting[name] = p
		return err
	}); err != nil {
		return nil, err
	}
	out := make([]Entry, 0, len(defs))
	for _, name := range slices.Sorted(maps.Keys(defs)) {
		e := Entry{Name: name, Value: defs[name].fallback, Default: defs[name].fallback, Limit: defs[name].raises != nil, Proposal: waiting[name]}
		if v, ok := values[name]; ok {
			if text, err := defs[name].canonical(v.Value); err == nil {
				e.Value, e.ChangedAt = text, v.ChangedAt
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// Outcome is what came of asking for a value.
type Outcome uint8

// What may come of it: the value was that already, it is now, or it waits for a second person.
const (
	Same Outcome = iota
	Changed
	Waiting
)

// Change sets a declared setting from text. Its faults are setting.unknown and
// setting.value, which says at the setting's name what a value must be.
//
// A Limit is raised by two persons: the first to ask for a value proposes it, and it counts
// when another asks for the same. Whoever asks for something else replaces the proposal; a
// lower value counts at once and, as does the present one, ends it.
func Change(ctx context.Context, tx *db.Tx, by By, name, text string, now time.Time) (Outcome, error) {
	registry.Lock()
	def, ok := registry.byName[name]
	registry.Unlock()
	if !ok {
		return Same, fault.New(fault.NotFound, "setting.unknown")
	}
	after, err := def.canonical(text)
	if err != nil {
		return Same, err
	}
	// There must be a row to lock.
	if _, err := tx.Exec(ctx, insertOne, name, def.fallback, db.Micros(time.Time{})); err != nil {
		return Same, err
	}
	before := def.fallback
	if _, err := tx.One(ctx, lockOne, []any{&before}, name); err != nil {
		return Same, err
	}
	record := func(action string, more ...string) error {
		row := audit.Row{At: now, Actor: by.Actor, Action: action, Subject: name, Origin: by.Origin, Data: map[string]string{"before": before, "after": after}}
		for i := 0; i < len(more); i += 2 {
			row.Data[more[i]] = more[i+1]
		}
		return audit.Write(ctx, tx, row)
	}
	var waits Proposal
	waiting, err := tx.One(ctx, proposal, []any{&waits.Value, &waits.By}, name)
	if err != nil {
		return Same, err
	}
	raised := def.raises != nil && def.raises(before, after)
	agreed := waiting && waits.Value == after && waits.By != by.Actor && by.Actor != "" && waits.By != ""
	if raised && !agreed {
		if waiting && waits.Value == after && waits.By == by.Actor {
			return Waiting, nil
		}
		if _, err := tx.Exec(ctx, propose, name, after, by.Actor, db.Micros(now)); err != nil {
			return Same, err
		}
		return Waiting, record("setting.propose")
	}
	if waiting {
		if _, err := tx.Exec(ctx, withdraw, name); err != nil {
			return Same, err
		}
	}
	switch {
	case before == after && waiting:
		return Same, record("setting.withdraw", "after", waits.Value)
	case before == after:
		return Same, nil
	}
	if err := tx.ExecOne(ctx, updateOne, after, db.Micros(now), name); err != nil {
		return Same, err
	}
	if raised {
		return Changed, record("setting.change", "proposed_by", waits.By)
	}
	return Changed, record("setting.change")
}
