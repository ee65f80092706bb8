package order

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/db"
)

// Under is what the units of a line count under (限购): each tally by name, with the most it
// may reach. A line keeps it, so that what it counted is given back exactly, and counted
// again when it is paid late.
type Under map[string]int64

// Names are the tallies in order.
func (u Under) Names() []string { return slices.Sorted(maps.Keys(u)) }

// text is how a line keeps it: what each tally may reach and its name, a line of text each in
// the order of the names; "" for none.
func (u Under) text() string {
	var b []byte
	for _, name := range u.Names() {
		b = append(append(append(strconv.AppendInt(b, u[name], 10), ' '), name...), '\n')
	}
	return string(b)
}

// ParseUnder reads what a line keeps.
func ParseUnder(text string) (Under, error) {
	if text == "" {
		return nil, nil
	}
	u := make(Under, strings.Count(text, "\n"))
	for one := range strings.Lines(text) {
		most, rest, _ := strings.Cut(one, " ")
		n, err := strconv.ParseInt(most, 10, 64)
		name, whole := strings.CutSuffix(rest, "\n")
		if err != nil || !whole || name == "" {
			return nil, fmt.Errorf("order: what a line counts under can't be read: %q", text)
		}
		u[name] = n
	}
	return u, nil
}

// Tallies are counts of units in memory, locked in the database until the transaction ends.
type Tallies struct {
	was, is map[string]int64
}

// Full gives the tally of u that has least room, if that is not room for so many more units,
// and what it has reached.
func (t *Tallies) Full(u Under, units int64) (tally string, reached int64, full bool) {
	if units <= 0 {
		return "", 0, false // what counts already stays, also when another version's limit let more in
	}
	least := units
	for _, name := range u.Names() {
		if room := u[name] - t.is[name]; room < least {
			tally, reached, full, least = name, t.is[name], true, room
		}
	}
	return tally, reached, full
}

// Count has so many units of l count from now on.
func (t *Tallies) Count(l *Line, units int64) {
	if len(l.Under) == 0 {
		return
	}
	for name := range l.Under {
		t.is[name] += units - l.Counted
	}
	l.Counted = units
}

// Join has l, which is to be saved, count under more tallies from now on, with all of its units that count.
func (t *Tallies) Join(l *Line, more Under) {
	if len(more) == 0 {
		return
	}
	all := maps.Clone(l.Under)
	if all == nil {
		all = Under{}
	}
	for name, most := range more {
		if _, there := all[name]; !there {
			t.is[name] += l.Counted
			all[name] = most
		}
	}
	l.Under = all
}

// OpenTallies locks tallies, and begins those that are new with nothing. None cost nothing;
// otherwise it waits once, and what it asks then is answered by the transaction's next Flush.
//
// New ones are added before any is locked, both in order: whoever adds waits for nobody that
// it holds up, and whoever locks waits only for others that lock. On SQLite, whose writer is
// alone, those that are new are added when they are saved, and one that counts nothing never.
func (s *Service) OpenTallies(ctx context.Context, tx *db.Tx, names []string) (*Tallies, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if tx.Dialect() == db.SQLite {
		return s.LockTallies(ctx, tx, names)
	}
	if _, err := tx.Write(ctx, insertTally, len(names), func(i int, b *db.Binder) { b.Text(names[i]).Int(0) }); err != nil {
		return nil, err
	}
	return s.LockTallies(ctx, tx, names)
}

// LockTallies is OpenTallies for those that are there. It asks only.
func (*Service) LockTallies(ctx context.Context, tx *db.Tx, names []string) (*Tallies, error) {
	t := &Tallies{was: map[string]int64{}, is: map[string]int64{}}
	if len(names) == 0 {
		return t, nil
	}
	return t, tx.Ask(ctx, lockTallies, func(scan func(...any) error) error {
		var name string
		var n int64
		err := scan(&name, &n)
		t.was[name], t.is[name] = n, n
		return err
	}, db.Texts(names))
}

// SaveTallies writes the tallies that have changed.
func (*Service) SaveTallies(ctx context.Context, tx *db.Tx, t *Tallies) error {
	var changed, added []string
	for name, n := range t.is {
		if was, there := t.was[name]; !there && n > 0 {
			added = append(added, name)
		} else if n != was {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	slices.Sort(added)
	if err := tx.WriteAll(ctx, insertTally, len(added), func(i int, b *db.Binder) { b.Text(added[i]).Int(t.is[added[i]]) }); err != nil {
		return err
	}
	return tx.WriteAll(ctx, saveTally, len(changed), func(i int, b *db.Binder) {
		b.Text(changed[i]).Int(t.was[changed[i]]).Int(t.is[changed[i]])
	})
}

// Reached tells what tallies have reached. Those that nothing counted under are left out.
func (*Service) Reached(ctx context.Context, tx *db.Tx, names []string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(names) == 0 {
		return out, nil
	}
	return out, tx.Query(ctx, readTallies, func(scan func(...any) error) error {
		var name string
		var n int64
		err := scan(&name, &n)
		out[name] = n
		return err
	}, db.Texts(names))
}

var (
	insertTally = db.Rows("order.insert_tally", `INSERT INTO order_tallies {{values name text, taken bigint}} ON CONFLICT DO NOTHING`)
	lockTallies = db.SQL("order.lock_tallies", `SELECT name, taken FROM order_tallies WHERE name {{in $1 text}} ORDER BY name {{for update}}`)
	readTallies = db.SQL("order.tallies", `SELECT name, taken FROM order_tallies WHERE name {{in $1 text}}`)
	saveTally   = db.Rows("order.save_tally", `UPDATE order_tallies SET taken = r.taken FROM {{rows name text, old bigint, taken bigint}} WHERE order_tallies.name = r.name AND order_tallies.taken = r.old`)
)
