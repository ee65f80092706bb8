package waiting

import (
	"context"
	"encoding/hex"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

var (
	insertRoom = db.SQL("waiting.insert_room", `INSERT INTO waiting_rooms (offer_id, frontier, admitted, per_minute, paused, moved_at, saved) VALUES ($1, $2, 0, 0, 0, $3, 0) ON CONFLICT DO NOTHING`)
	lockRoom   = db.SQL("waiting.lock_room", `SELECT frontier, admitted, per_minute, paused, moved_at, saved FROM waiting_rooms WHERE offer_id = $1 {{for update}}`)
	readRoom   = db.SQL("waiting.room", `SELECT frontier, admitted, per_minute, paused, moved_at, saved FROM waiting_rooms WHERE offer_id = $1`)
	moveRoom   = db.SQL("waiting.move_room", `UPDATE waiting_rooms SET frontier = $1, admitted = $2, moved_at = $3, saved = $4 WHERE offer_id = $5`)
	steerRoom  = db.SQL("waiting.steer_room", `UPDATE waiting_rooms SET per_minute = $1, paused = $2 WHERE offer_id = $3`)
	addCounts  = db.Rows("waiting.add_counts", `INSERT INTO waiting_counts {{values offer_id text, node text, bucket bigint, tickets bigint}} ON CONFLICT (offer_id, node, bucket) DO UPDATE SET tickets = excluded.tickets`)
	readCounts = db.SQL("waiting.counts", `SELECT bucket, SUM(tickets) FROM waiting_counts WHERE offer_id = $1 AND bucket > $2 GROUP BY bucket`)
	dropCounts = db.SQL("waiting.drop_counts", `DELETE FROM waiting_counts WHERE offer_id = $1 AND bucket <= $2`)
	insertStep = db.SQL("waiting.insert_step", `INSERT INTO waiting_steps (offer_id, at, frontier) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`)
	readSteps  = db.SQL("waiting.steps", `SELECT at, frontier FROM waiting_steps WHERE offer_id = $1 AND at > $2 ORDER BY frontier`)
	dropSteps  = db.SQL("waiting.drop_steps", `DELETE FROM waiting_steps WHERE offer_id = $1 AND at <= $2`)
	insertUse  = db.Rows("waiting.insert_use", `INSERT INTO waiting_uses {{values ticket text, offer_id text, order_id text, at bigint}}`)
	readUses   = db.SQL("waiting.uses", `SELECT ticket, order_id FROM waiting_uses WHERE ticket {{in $1 text}}`)
)

// keepSteps is for how long it is known since when a ticket is let in: longer than any room
// lets somebody stay.
const keepSteps = 3 * time.Hour

// MaxStay is the longest that an offer may let somebody stay.
const MaxStay = time.Hour

// Sync tells the other nodes of the tickets given here, moves the frontiers as far as time
// allows, and reads how the rooms stand. It is to be called about once a second. Nobody is let
// in to what is out of stock, as far as out knows.
func (s *Service) Sync(ctx context.Context, d *db.DB, out func(id.Offer) bool, now time.Time) error {
	for offer, r := range s.known(now) {
		if err := s.sync(ctx, d, offer, r, out(offer), now); err != nil {
			return err
		}
	}
	return nil
}

// fresh takes what others don't know of yet, with what this node has given in each bucket in all.
func (r *room) fresh() (at []int64, all map[int64]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all = make(map[int64]int64, len(r.given))
	for b, n := range r.given {
		at, all[b] = append(at, b), r.told[b]+n
	}
	return at, all
}

// acknowledge notes that others know by now, and forgets what the frontier has passed.
func (r *room) acknowledge(all map[int64]int64, frontier int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for b, n := range all {
		if left := r.given[b] - (n - r.told[b]); left > 0 {
			r.given[b] = left
		} else {
			delete(r.given, b)
		}
		r.told[b] = n
	}
	for b := range r.told {
		if b <= frontier {
			delete(r.told, b)
		}
	}
}

func (s *Service) sync(ctx context.Context, d *db.DB, offer id.Offer, r *room, out bool, now time.Time) error {
	at, all := r.fresh()
	known := r.seen.Load()
	r.mu.Lock()
	rate, opened := r.rate, r.opened
	r.mu.Unlock()
	if out {
		rate = 0
	}
	var q *queue
	err := d.Do(ctx, func(tx *db.Tx) error {
		// Time before the opening gives no places.
		begins := opened
		if begins.IsZero() || begins.Before(now.Add(-burst)) {
			begins = now.Add(-burst)
		}
		if _, err := tx.Exec(ctx, insertRoom, offer, db.Micros(begins.Add(-time.Microsecond)), db.Micros(begins)); err != nil {
			return err
		}
		row, _, err := scanRoom(ctx, tx, lockRoom, offer)
		if err != nil {
			return err
		}
		if err := tx.WriteAll(ctx, addCounts, len(at), func(i int, b *db.Binder) {
			b.Text(string(offer)).Text(s.node).Int(at[i]).Int(all[at[i]])
		}); err != nil {
			return err
		}
		counts := map[int64]int64{}
		if err := tx.Query(ctx, readCounts, func(scan func(...any) error) error {
			var b, n int64
			err := scan(&b, &n)
			counts[b] = n
			return err
		}, offer, bucketOf(row.Frontier)); err != nil {
			return err
		}
		shut := row
		if out {
			shut.PerMinute = 0
		}
		moved, changed := advance(shut, counts, rate, now)
		moved.PerMinute = row.PerMinute
		if changed {
			if _, err := tx.Exec(ctx, moveRoom, db.Micros(moved.Frontier), moved.Admitted, db.Micros(moved.MovedAt), moved.Saved.Microseconds(), offer); err != nil {
				return err
			}
		}
		if moved.Frontier.After(row.Frontier) {
			if _, err := tx.Exec(ctx, insertStep, offer, db.Micros(now), db.Micros(moved.Frontier)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, dropSteps, offer, db.Micros(now.Add(-keepSteps))); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, dropCounts, offer, bucketOf(moved.Frontier)); err != nil {
				return err
			}
		}
		// Steps of other nodes may have been written after a later one of this node's clock.
		since := now.Add(-keepSteps)
		steps := known.stepsAfter(since)
		if len(steps) > 0 {
			since = steps[len(steps)-1].At.Add(-keepSteps / 100)
			steps = upTo(steps, since)
		}
		if err := tx.Query(ctx, readSteps, func(scan func(...any) error) error {
			var st Step
			err := scan(db.Time(&st.At), db.Time(&st.Frontier))
			steps = append(steps, st)
			return err
		}, offer, db.Micros(since)); err != nil {
			return err
		}
		q = newQueue(moved, steps, counts)
		return nil
	})
	if err != nil {
		return err
	}
	r.acknowledge(all, bucketOf(q.row.Frontier))
	r.seen.Store(q)
	return nil
}

func scanRoom(ctx context.Context, tx *db.Tx, stmt *db.Stmt, offer id.Offer) (Row, bool, error) {
	var row Row
	var paused, saved int64
	found, err := tx.One(ctx, stmt, []any{db.Time(&row.Frontier), &row.Admitted, &row.PerMinute, &paused, db.Time(&row.MovedAt), &saved}, offer)
	row.Paused, row.Saved = paused != 0, time.Duration(saved)*time.Microsecond
	return row, found, err
}

// Room reads the state of a room; false when nobody has waited in it.
func (s *Service) Room(ctx context.Context, tx *db.Tx, offer id.Offer) (Row, bool, error) {
	return scanRoom(ctx, tx, readRoom, offer)
}

// Look reads how a room stands, with who waits; false when nobody has waited in it.
func (s *Service) Look(ctx context.Context, tx *db.Tx, offer id.Offer) (Numbers, bool, error) {
	var n Numbers
	var found bool
	var err error
	if n.Row, found, err = s.Room(ctx, tx, offer); err != nil || !found {
		return n, false, err
	}
	return n, true, tx.Query(ctx, readCounts, func(scan func(...any) error) error {
		var bucket, tickets int64
		err := scan(&bucket, &tickets)
		n.Waiting += tickets
		return err
	}, offer, bucketOf(n.Frontier))
}

// Steer changes how many are let in a minute (zero is as the offer says), or pauses a room, from
// the next move of its frontier on.
func (s *Service) Steer(ctx context.Context, tx *db.Tx, offer id.Offer, perMinute int64, paused bool, now time.Time) error {
	if _, err := tx.Exec(ctx, insertRoom, offer, db.Micros(now.Add(-burst)), db.Micros(now)); err != nil {
		return err
	}
	stop := int64(0)
	if paused {
		stop = 1
	}
	_, err := tx.Exec(ctx, steerRoom, perMinute, stop, offer)
	return err
}

// Use is a ticket that placed an order.
type Use struct {
	Ticket Ticket
	Order  id.Order
}

// key names a ticket among the uses: of the offer and the device, whatever its place.
func (t Ticket) key() string { return string(t.Offer) + "/" + hex.EncodeToString(t.ID[:]) }

// Uses tells which tickets have placed which orders. It asks only: the map is filled by the
// transaction's next Flush or answer.
func (s *Service) Uses(ctx context.Context, tx *db.Tx, tickets []Ticket) (map[string]id.Order, error) {
	out := map[string]id.Order{}
	if len(tickets) == 0 {
		return out, nil
	}
	keys := make([]string, len(tickets))
	for i, t := range tickets {
		keys[i] = t.key()
	}
	return out, tx.Ask(ctx, readUses, func(scan func(...any) error) error {
		var k string
		var o id.Order
		err := scan(&k, &o)
		out[k] = o
		return err
	}, db.Texts(keys))
}

// Used reports whether a ticket is among uses.
func (t Ticket) Used(uses map[string]id.Order) bool { _, ok := uses[t.key()]; return ok }

// Note puts a ticket among uses.
func (t Ticket) Note(uses map[string]id.Order, o id.Order) { uses[t.key()] = o }

// Record keeps that tickets placed orders. A ticket that another transaction recorded meanwhile
// makes this one fail, and start again.
func (s *Service) Record(ctx context.Context, tx *db.Tx, uses []Use, now time.Time) error {
	return tx.WriteAll(ctx, insertUse, len(uses), func(i int, b *db.Binder) {
		b.Text(uses[i].Ticket.key()).Text(string(uses[i].Ticket.Offer)).Text(string(uses[i].Order)).Time(now)
	})
}
