// Package limit counts acts against limits that hold across processes and restarts: guesses
// of a password, messages sent to a phone, reveals by one person. An act is counted in the
// transaction that carries it, so two at once can't both take the last place.
//
// Law: in any span of time as long as the window, at most Max acts of a bucket pass. The
// window is counted in eighths; a place is free again after at most nine eighths of it.
//
// A refused act counts nowhere. So who keeps knocking doesn't lengthen the wait of the one
// who has a right to enter.
package limit

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
)

// Limit lets Max acts of a bucket pass in any span as long as Window.
type Limit struct {
	// Bucket names what is counted, e.g. "reveal:pty_…". It must hold no text that came
	// from outside as it is: hash that first.
	Bucket string
	Max    int64
	Window time.Duration
}

// key is the bucket's row. Its window is part of it, since slices are counted in windows.
func (l Limit) key() string {
	return l.Bucket + "/" + strconv.FormatInt(int64(l.Window/time.Second), 10)
}

// Verdict is what an act is told.
type Verdict struct {
	OK bool
	// Wait is how long until there is room again, if nobody else takes it.
	Wait time.Duration
	// Bucket is the one that refused, or "".
	Bucket string
	// First is set on the first refusal since the bucket filled up: what is worth a line in
	// the audit trail, where each further one would let a flood fill it.
	First bool
}

// Fault is the refusal as a fault with the seconds to wait, nil when the act may go on.
func (v Verdict) Fault() error {
	if v.OK {
		return nil
	}
	return fault.New(fault.TooMany, "too_many", "seconds", strconv.FormatInt(int64((v.Wait+time.Second-1)/time.Second), 10))
}

var (
	lockBuckets  = db.SQL("limit.lock", `SELECT bucket, hits, told_until FROM attempts WHERE bucket {{in $1 text}} ORDER BY bucket {{for update}}`)
	readHits     = db.SQL("limit.read", `SELECT bucket, hits FROM attempts WHERE bucket {{in $1 text}}`)
	insertBucket = db.Rows("limit.insert", `INSERT INTO attempts {{values bucket text, hits text, told_until bigint, ends_at bigint}} ON CONFLICT DO NOTHING`)
	saveBucket   = db.Rows("limit.save", `UPDATE attempts SET hits = r.hits, told_until = r.told_until, ends_at = r.ends_at FROM {{rows bucket text, hits text, told_until bigint, ends_at bigint}} WHERE attempts.bucket = r.bucket`)
	forget       = db.SQL("limit.forget", `DELETE FROM attempts WHERE bucket = $1`)
	prune        = db.SQL("limit.prune", `DELETE FROM attempts WHERE bucket IN (SELECT bucket FROM attempts WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)`)
)

// Allow judges one act that is under several limits: it passes, and counts in each, when
// each has room.
func Allow(ctx context.Context, tx *db.Tx, now time.Time, limits ...Limit) (Verdict, error) {
	v, err := Take(ctx, tx, now, limits)
	if err != nil {
		return Verdict{}, err
	}
	return v[0], nil
}

// Take judges many acts in order, each under its own limits. The refusal of one leaves the
// others alone.
func Take(ctx context.Context, tx *db.Tx, now time.Time, acts ...[]Limit) ([]Verdict, error) {
	names := map[string]bool{}
	for _, limits := range acts {
		for _, l := range limits {
			names[l.key()] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(names))
	buckets := make(map[string]*bucket, len(sorted))
	err := tx.Query(ctx, lockBuckets, func(scan func(...any) error) error {
		var name, hits string
		b := &bucket{stored: true}
		if err := scan(&name, &hits, db.Time(&b.told)); err != nil {
			return err
		}
		b.hits = parseHits(hits)
		buckets[name] = b
		return nil
	}, db.Texts(sorted))
	if err != nil {
		return nil, err
	}
	for _, name := range sorted {
		if buckets[name] == nil {
			buckets[name] = new(bucket)
		}
	}
	verdicts := make([]Verdict, len(acts))
	for i, limits := range acts {
		verdicts[i] = judge(buckets, limits, now)
	}
	return verdicts, save(ctx, tx, sorted, buckets)
}

func save(ctx context.Context, tx *db.Tx, sorted []string, buckets map[string]*bucket) error {
	var fresh, known []string
	for _, name := range sorted {
		switch b := buckets[name]; {
		case !b.changed:
		case b.stored:
			known = append(known, name)
		default:
			fresh = append(fresh, name)
		}
	}
	bind := func(names []string) func(int, *db.Binder) {
		return func(i int, to *db.Binder) {
			b := buckets[names[i]]
			to.Text(names[i]).Text(formatHits(b.hits)).Time(b.told).Time(b.ends)
		}
	}
	// A row that another transaction made meanwhile makes this one run again on it.
	if err := tx.WriteAll(ctx, insertBucket, len(fresh), bind(fresh)); err != nil {
		return err
	}
	return tx.WriteAll(ctx, saveBucket, len(known), bind(known))
}

// Left tells how many acts more pass now under each limit, for a person to see. It counts
// nothing and locks nothing, so an act must still be allowed by itself.
func Left(ctx context.Context, tx *db.Tx, now time.Time, limits ...Limit) ([]int64, error) {
	names := make([]string, len(limits))
	for i, l := range limits {
		names[i] = l.key()
	}
	hits := make(map[string]string, len(limits))
	err := tx.Query(ctx, readHits, func(scan func(...any) error) error {
		var name, h string
		err := scan(&name, &h)
		hits[name] = h
		return err
	}, db.Texts(names))
	out := make([]int64, len(limits))
	for i, l := range limits {
		b := bucket{hits: parseHits(hits[names[i]])}
		out[i] = max(l.Max-b.within(l, now), 0)
	}
	return out, err
}

// Forget empties a bucket: as many acts as at first pass again.
func Forget(ctx context.Context, tx *db.Tx, l Limit) error {
	_, err := tx.Exec(ctx, forget, l.key())
	return err
}

// Prune forgets up to n buckets whose acts are all out of their windows.
func Prune(ctx context.Context, tx *db.Tx, now time.Time, n int) (int64, error) {
	return tx.Exec(ctx, prune, db.Micros(now), n)
}
