package entitlement

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

const columns = `id, order_id, line_id, part, benefit_id, version_id, party_id, kind, state, code_id, starts_at, ends_at, steps, head, granted_at, unit, nth, share, waits, due_at, clock`

var (
	insertRight = db.Rows("entitlement.insert", `INSERT INTO rights {{values id text, order_id text, line_id text, part bigint, benefit_id text, version_id text, party_id text, kind text, state text, code_id text, starts_at bigint, ends_at bigint, steps bigint, head bytes, granted_at bigint, unit bigint, nth bigint, share bigint, waits text, due_at bigint, clock text}}`)
	insertStep  = db.Rows("entitlement.insert_step", `INSERT INTO right_events {{values right_id text, step bigint, kind text, actor text, data text, at bigint, hash bytes}}`)
	moveRight   = db.Rows("entitlement.move", `UPDATE rights SET part = r.part, benefit_id = r.benefit_id, kind = r.kind, state = r.state, code_id = r.code_id, starts_at = r.starts_at, ends_at = r.ends_at, steps = r.steps, head = r.head, waits = r.waits, due_at = r.due_at, clock = r.clock
FROM {{rows id text, old bigint, part bigint, benefit_id text, kind text, state text, code_id text, starts_at bigint, ends_at bigint, steps bigint, head bytes, waits text, due_at bigint, clock text}} WHERE rights.id = r.id AND rights.steps = r.old`)
	ofOrders   = db.SQL("entitlement.of_orders", `SELECT `+columns+` FROM rights WHERE order_id {{in $1 text}} ORDER BY id`)
	lockOrders = db.SQL("entitlement.lock_of_orders", `SELECT `+columns+` FROM rights WHERE order_id {{in $1 text}} ORDER BY id {{for update}}`)
	byID       = db.SQL("entitlement.by_id", `SELECT `+columns+` FROM rights WHERE id {{in $1 text}} ORDER BY id`)
	ofParty    = db.SQL("entitlement.of_party", `SELECT `+columns+` FROM rights WHERE party_id = $1 AND party_id <> '' AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	ofGuest    = db.SQL("entitlement.of_guest", `SELECT `+columns+` FROM rights WHERE order_id IN (SELECT id FROM orders WHERE phone = $1 AND phone <> '' AND party_id = '') AND (id < $2 OR $2 = '') ORDER BY id DESC LIMIT $3`)
	notYet     = db.SQL("entitlement.not_yet", `SELECT DISTINCT order_id FROM rights WHERE order_id {{in $1 text}} AND (state = 'waiting' OR starts_at > $2 AND state IN ('held', 'revealed'))`)
	lockDue    = db.SQL("entitlement.lock_due", `SELECT `+columns+` FROM rights WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $2 {{skip locked}}`)
	postpone   = db.Rows("entitlement.postpone", `UPDATE rights SET due_at = r.due_at FROM {{rows id text, due_at bigint}} WHERE rights.id = r.id`)
	stepsOf    = db.SQL("entitlement.steps", `SELECT right_id, step, kind, actor, data, at, hash FROM right_events WHERE right_id {{in $1 text}} ORDER BY right_id, step`)
)

// Service reads and writes rights.
type Service struct {
	many sync.Map // id.Party: who has been seen to have more than HadDepth rights
}

// Grant is a right to be given, with what its path's first step records.
type Grant struct {
	Right Right // its ID is set by the caller
	Actor string
	Data  string
	Waits string    // what it waits for before it is held; "" when it is held at once
	Due   time.Time // when that ends by itself; zero is never
}

// Grant gives rights.
func (*Service) Grant(ctx context.Context, tx *db.Tx, grants []Grant, at time.Time) error {
	steps := make([]Step, 0, len(grants))
	for i := range grants {
		r := &grants[i].Right
		r.GrantedAt = at
		steps = append(steps, r.take(StepGranted, grants[i].Actor, grants[i].Data, at))
		if wait := grants[i].Waits; wait != "" {
			steps = append(steps, r.wait(wait, grants[i].Due, at))
		}
	}
	if err := tx.WriteAll(ctx, insertRight, len(grants), func(i int, b *db.Binder) {
		r := grants[i].Right
		b.Text(string(r.ID)).Text(string(r.Order)).Text(string(r.Line)).Int(r.Part).Text(string(r.Benefit)).Text(string(r.Version)).Text(string(r.Party)).
			Text(r.Kind).Text(string(r.State)).Text(string(r.Code)).Time(r.StartsAt).Time(r.EndsAt).Int(r.Steps).Bytes(r.Head).Time(r.GrantedAt).
			Int(r.Unit).Int(r.Nth).Int(r.Share).Text(r.Waits).Time(r.DueAt).Text(r.Clock.text())
	}); err != nil {
		return err
	}
	return writeSteps(ctx, tx, steps)
}

// wait puts the step on the path that says what the right waits for.
func (r *Right) wait(wait string, due, at time.Time) Step {
	r.Waits, r.DueAt = wait, due
	return r.take(StepWaiting, "system", waitData(wait), at)
}

func waitOf(data string) string {
	var d map[string]string
	if json.Unmarshal([]byte(data), &d) != nil {
		return ""
	}
	return d["for"]
}

func waitData(wait string) string {
	b, err := json.Marshal(map[string]string{"for": wait})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}

func writeSteps(ctx context.Context, tx *db.Tx, steps []Step) error {
	return tx.WriteAll(ctx, insertStep, len(steps), func(i int, b *db.Binder) {
		s := steps[i]
		b.Text(string(s.Right)).Int(s.N).Text(s.Kind).Text(s.Actor).Text(s.Data).Time(s.At).Bytes(s.Hash)
	})
}

// Take is a step to be put on a right's path. Before a step of StepReleased or StepChosen the
// caller sets what the right has become: part, benefit, kind, code, time and clock.
type Take struct {
	Right *Right
	Kind  string
	Actor string
	Data  string
	Waits string    // what it waits for, of StepWaiting
	Due   time.Time // when that ends by itself, of StepWaiting; zero is never
}

// Postpone has what is due to rights, which the caller has locked, be due at a later moment.
func (*Service) Postpone(ctx context.Context, tx *db.Tx, rights []*Right, until time.Time) error {
	return tx.WriteAll(ctx, postpone, len(rights), func(i int, b *db.Binder) {
		b.Text(string(rights[i].ID)).Time(until)
	})
}

// LockDue locks and loads rights to which something is due by a moment, the earliest first, at
// most n. Those that somebody else has locked are passed over.
func (*Service) LockDue(ctx context.Context, tx *db.Tx, by time.Time, n int) ([]*Right, error) {
	return load(ctx, tx, lockDue, db.Micros(by), n)
}

// Take puts steps on the paths of rights the caller has locked and whose state allows
// them. A right takes its steps in the order they stand in.
func (*Service) Take(ctx context.Context, tx *db.Tx, takes []Take, at time.Time) error {
	steps := make([]Step, len(takes))
	old := make(map[*Right]int64, len(takes))
	moved := make([]*Right, 0, len(takes))
	for i, t := range takes {
		if _, again := old[t.Right]; !again {
			old[t.Right], moved = t.Right.Steps, append(moved, t.Right)
		}
		if t.Kind == StepWaiting {
			steps[i] = t.Right.wait(t.Waits, t.Due, at)
		} else {
			steps[i] = t.Right.take(t.Kind, t.Actor, t.Data, at)
		}
	}
	if err := tx.WriteAll(ctx, moveRight, len(moved), func(i int, b *db.Binder) {
		r := moved[i]
		b.Text(string(r.ID)).Int(old[r]).Int(r.Part).Text(string(r.Benefit)).Text(r.Kind).Text(string(r.State)).Text(string(r.Code)).Time(r.StartsAt).Time(r.EndsAt).
			Int(r.Steps).Bytes(r.Head).Text(r.Waits).Time(r.DueAt).Text(r.Clock.text())
	}); err != nil {
		return err
	}
	return writeSteps(ctx, tx, steps)
}

func load(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Right, error) {
	var out []*Right
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		r, err := scanRight(scan)
		out = append(out, r)
		return err
	}, args...)
	return out, err
}

func scanRight(scan func(...any) error, more ...any) (*Right, error) {
	r := new(Right)
	var clock string
	err := scan(append([]any{&r.ID, &r.Order, &r.Line, &r.Part, &r.Benefit, &r.Version, &r.Party, &r.Kind, &r.State, &r.Code,
		db.Time(&r.StartsAt), db.Time(&r.EndsAt), &r.Steps, &r.Head, db.Time(&r.GrantedAt), &r.Unit, &r.Nth, &r.Share, &r.Waits, db.Time(&r.DueAt), &clock}, more...)...)
	if err == nil {
		r.Clock, err = parseClock(clock)
	}
	return r, err
}

func grouped(found []*Right, err error) (map[id.Order][]*Right, error) {
	out := make(map[id.Order][]*Right, len(found))
	for _, r := range found {
		out[r.Order] = append(out[r.Order], r)
	}
	return out, err
}

// OfOrders loads the rights of orders.
func (*Service) OfOrders(ctx context.Context, tx *db.Tx, orders []id.Order) (map[id.Order][]*Right, error) {
	return grouped(load(ctx, tx, ofOrders, db.Texts(orders)))
}

// LockOf locks and loads the rights of orders. It asks only: the map is filled by the
// transaction's next Flush or answer.
func (*Service) LockOf(ctx context.Context, tx *db.Tx, orders []id.Order) (map[id.Order][]*Right, error) {
	out := make(map[id.Order][]*Right, len(orders))
	return out, tx.Ask(ctx, lockOrders, func(scan func(...any) error) error {
		r, err := scanRight(scan)
		out[r.Order] = append(out[r.Order], r)
		return err
	}, db.Texts(orders))
}

// Rights loads rights by id. Unknown ones are left out.
func (*Service) Rights(ctx context.Context, tx *db.Tx, ids []id.Right) ([]*Right, error) {
	return load(ctx, tx, byID, db.Texts(ids))
}

// OfParty lists what a member holds, the newest first, from before the right named ("" for
// all), at most n.
func (*Service) OfParty(ctx context.Context, tx *db.Tx, p id.Party, before id.Right, n int) ([]*Right, error) {
	return load(ctx, tx, ofParty, p, before, n)
}

// OfMember lists, as OfParty does, what a member holds, also by orders placed without signing in
// with the phone number that is the member's ("" for none).
func (*Service) OfMember(ctx context.Context, tx *db.Tx, p id.Party, phone string, before id.Right, n int) ([]*Right, error) {
	found, err := load(ctx, tx, ofParty, p, before, n)
	if err != nil || phone == "" {
		return found, err
	}
	more, err := load(ctx, tx, ofGuest, phone, before, n)
	found = append(found, more...)
	slices.SortFunc(found, func(a, b *Right) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return found[:min(len(found), n)], err
}

// NotYet tells which orders have a right that can't be used yet: it waits, or begins later.
func (*Service) NotYet(ctx context.Context, tx *db.Tx, orders []id.Order, now time.Time) (map[id.Order]bool, error) {
	out := map[id.Order]bool{}
	return out, tx.Query(ctx, notYet, func(scan func(...any) error) error {
		var o id.Order
		err := scan(&o)
		out[o] = true
		return err
	}, db.Texts(orders), db.Micros(now))
}

// Path gives the steps of rights, in order.
func (*Service) Path(ctx context.Context, tx *db.Tx, ids []id.Right) (map[id.Right][]Step, error) {
	out := make(map[id.Right][]Step, len(ids))
	err := tx.Query(ctx, stepsOf, func(scan func(...any) error) error {
		var s Step
		err := scan(&s.Right, &s.N, &s.Kind, &s.Actor, &s.Data, db.Time(&s.At), &s.Hash)
		out[s.Right] = append(out[s.Right], s)
		return err
	}, db.Texts(ids))
	return out, err
}
