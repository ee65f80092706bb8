package order

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Service reads and writes orders.
type Service struct{}

// KeyOf names a request: who sent it and its idempotency key. The scope is one person's, or
// shared by everybody who doesn't sign in.
type KeyOf struct{ Scope, Key string }

// Member names a request of a person who is signed in.
func Member(party id.Party, key string) KeyOf { return KeyOf{members + string(party), key} }

const members = "member:"

// leastShared is how long the key of a scope that people share must be, in bytes: it is all
// that tells one's request, and so the way to what was bought, from another's.
const leastShared = 12

// Check fails with request.short_key when the key could be another's by chance.
func (k KeyOf) Check() error {
	if len(k.Key) < leastShared && !strings.HasPrefix(k.Scope, members) {
		return fault.New(fault.Invalid, "request.short_key", "min", strconv.Itoa(leastShared))
	}
	return nil
}

// ByKeys finds orders by the requests that made them, with their lines. It asks only: the
// map is filled by the transaction's next Flush or answer.
func (*Service) ByKeys(ctx context.Context, tx *db.Tx, keys []KeyOf) (map[KeyOf]*Order, error) {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = k.Key
	}
	out, at := map[KeyOf]*Order{}, map[id.Order]*Order{}
	if err := tx.Ask(ctx, byKey, func(scan func(...any) error) error {
		o, err := scanOrder(scan)
		out[KeyOf{o.Scope, o.Key}], at[o.ID] = o, o
		return err
	}, db.Texts(texts)); err != nil {
		return nil, err
	}
	return out, tx.Ask(ctx, linesByKey, func(scan func(...any) error) error { return scanLine(scan, at) }, db.Texts(texts))
}

// KeysAfter names the requests that made the first n orders after an id, and the last of
// these orders; all of them when there are fewer than n.
func (*Service) KeysAfter(ctx context.Context, tx *db.Tx, after id.Order, n int) (keys []KeyOf, last id.Order, err error) {
	err = tx.Query(ctx, since, func(scan func(...any) error) error {
		var k KeyOf
		err := scan(&last, &k.Scope, &k.Key)
		keys = append(keys, k)
		return err
	}, after, n)
	return keys, last, err
}

// Add writes new orders with their lines.
func (*Service) Add(ctx context.Context, tx *db.Tx, orders []*Order) error {
	return writeOrders(ctx, tx, orders)
}

// Lock locks orders and loads them with their lines. Unknown ones are left out.
func (*Service) Lock(ctx context.Context, tx *db.Tx, ids []id.Order) (map[id.Order]*Order, error) {
	return mapped(ctx, tx, lockByID, db.Texts(ids))
}

// LockByIntents is Lock for the orders that intents are to pay. It asks only: the map is
// filled by the transaction's next Flush or answer.
func (*Service) LockByIntents(ctx context.Context, tx *db.Tx, intents []id.Intent) (map[id.Order]*Order, error) {
	out := make(map[id.Order]*Order, len(intents))
	if err := tx.Ask(ctx, lockPaid, func(scan func(...any) error) error {
		o, err := scanOrder(scan)
		out[o.ID] = o
		return err
	}, db.Texts(intents)); err != nil {
		return nil, err
	}
	return out, tx.Ask(ctx, linesPaid, func(scan func(...any) error) error { return scanLine(scan, out) }, db.Texts(intents))
}

// Get loads orders with their lines. Unknown ones are left out.
func (*Service) Get(ctx context.Context, tx *db.Tx, ids []id.Order) (map[id.Order]*Order, error) {
	return mapped(ctx, tx, byID, db.Texts(ids))
}

func mapped(ctx context.Context, tx *db.Tx, stmt *db.Stmt, set db.Set) (map[id.Order]*Order, error) {
	found, err := loadOrders(ctx, tx, stmt, set)
	if err != nil {
		return nil, err
	}
	if err := withLines(ctx, tx, found); err != nil {
		return nil, err
	}
	out := make(map[id.Order]*Order, len(found))
	for _, o := range found {
		out[o.ID] = o
	}
	return out, nil
}

// One loads an order with its lines, or fails with order.not_found.
func (s *Service) One(ctx context.Context, tx *db.Tx, order id.Order) (*Order, error) {
	found, err := s.Get(ctx, tx, []id.Order{order})
	if err != nil {
		return nil, err
	}
	if o := found[order]; o != nil {
		return o, nil
	}
	return nil, fault.New(fault.NotFound, "order.not_found")
}

// Move is a change of state that has been decided.
type Move struct {
	Order *Order
	from  State
}

// MoveTo changes the state of o in memory and returns what Save needs to write it. An edge
// that the machine doesn't have is a mistake of the program.
func MoveTo(o *Order, to State, now time.Time) (Move, error) {
	if !o.State.MayBecome(to) {
		return Move{}, fmt.Errorf("order: %s can't go from %s to %s", o.ID, o.State, to)
	}
	m := Move{Order: o, from: o.State}
	o.State = to
	o.History = append(o.History, Step{to, now})
	switch to {
	case Cancelled, Expired:
		o.ClosedAt = now
	case Fulfilled, Part, Shortage:
		if o.PaidAt.IsZero() {
			o.PaidAt = now
		}
	}
	return m, nil
}

// Save writes changes of state and the progress of lines.
func (*Service) Save(ctx context.Context, tx *db.Tx, moves []Move, lines []Line, now time.Time) error {
	if err := writeMoves(ctx, tx, moves, now); err != nil {
		return err
	}
	return writeLines(ctx, tx, lines)
}

// Due lists pending orders whose time is over, at most n.
func (*Service) Due(ctx context.Context, tx *db.Tx, now time.Time, n int) ([]id.Order, error) {
	var out []id.Order
	err := tx.Query(ctx, due, func(scan func(...any) error) error {
		var o id.Order
		err := scan(&o)
		out = append(out, o)
		return err
	}, db.Micros(now), n)
	return out, err
}

// OfParty lists a member's orders, the newest first, from before the one named ("" for
// all), at most n.
func (*Service) OfParty(ctx context.Context, tx *db.Tx, p id.Party, before id.Order, n int) ([]*Order, error) {
	return listed(ctx, tx, ofParty, p, before, n)
}

// OfMember lists, as OfParty does, a member's orders and those that were placed, without signing
// in, with the phone number that is the member's ("" for none).
func (*Service) OfMember(ctx context.Context, tx *db.Tx, p id.Party, phone string, before id.Order, n int) ([]*Order, error) {
	found, err := listed(ctx, tx, ofParty, p, before, n)
	if err != nil || phone == "" {
		return found, err
	}
	more, err := listed(ctx, tx, ofGuest, phone, before, n)
	found = append(found, more...)
	slices.SortFunc(found, func(a, b *Order) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return found[:min(len(found), n)], err
}

// OfPhone lists the orders placed with a phone number. The caller has made sure that the
// asker holds that number.
func (*Service) OfPhone(ctx context.Context, tx *db.Tx, phone string, before id.Order, n int) ([]*Order, error) {
	return listed(ctx, tx, ofPhone, phone, before, n)
}

// Newest lists orders, the newest first, of one state or of all ("").
func (*Service) Newest(ctx context.Context, tx *db.Tx, state State, before id.Order, n int) ([]*Order, error) {
	switch state {
	case "", Fulfilled:
		return listed(ctx, tx, newest, before, state, n)
	case Pending:
		return listed(ctx, tx, newestPending, before, n)
	}
	return listed(ctx, tx, newestUnusual, before, state, n)
}

func listed(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*Order, error) {
	found, err := loadOrders(ctx, tx, stmt, args...)
	if err != nil {
		return nil, err
	}
	return found, withLines(ctx, tx, found)
}

// States tells how orders stand. Unknown ones are left out.
func (*Service) States(ctx context.Context, tx *db.Tx, ids []id.Order) (map[id.Order]State, error) {
	out := make(map[id.Order]State, len(ids))
	err := tx.Query(ctx, statesOf, func(scan func(...any) error) error {
		var o id.Order
		var st State
		err := scan(&o, &st)
		out[o] = st
		return err
	}, db.Texts(ids))
	return out, err
}
