package waiting

import (
	"cmp"
	"slices"
	"sort"
	"time"
)

// bucket is how many tickets have their place within a millisecond.
type bucket struct {
	at int64 // place in milliseconds since 1970
	n  int64
}

func bucketOf(place time.Time) int64 { return place.UnixMicro() / 1000 }

// queue is a room as it was last read: what is waiting, and where it has been let in to. It
// doesn't change.
type queue struct {
	row   Row
	steps []Step   // ascending
	wait  []bucket // those behind the frontier, ascending
	upTo  []int64  // of each, how many wait before it
	total int64
}

// Row is the state of a room that all nodes share.
type Row struct {
	Frontier  time.Time // tickets up to here are let in
	Admitted  int64     // how many that were
	PerMinute int64     // how many are let in a minute; zero is as the offer says
	Paused    bool
	MovedAt   time.Time     // when it was last looked after
	Saved     time.Duration // time that was not turned into places yet
}

// Step is a move of the frontier.
type Step struct {
	At       time.Time
	Frontier time.Time
}

// stepsAfter are the steps that were made after a moment, as they were last read.
func (q *queue) stepsAfter(t time.Time) []Step {
	if q == nil {
		return nil
	}
	i := sort.Search(len(q.steps), func(i int) bool { return q.steps[i].At.After(t) })
	return q.steps[i:]
}

// upTo are the steps made until a moment, in a slice of their own.
func upTo(steps []Step, t time.Time) []Step {
	i := sort.Search(len(steps), func(i int) bool { return steps[i].At.After(t) })
	return slices.Clone(steps[:i])
}

func newQueue(row Row, steps []Step, counts map[int64]int64) *queue {
	q := &queue{row: row, steps: steps}
	at := bucketOf(row.Frontier)
	for b, n := range counts {
		if b > at && n > 0 {
			q.wait = append(q.wait, bucket{b, n})
		}
	}
	slices.SortFunc(q.wait, func(a, b bucket) int { return cmp.Compare(a.at, b.at) })
	q.upTo = make([]int64, len(q.wait))
	for i, b := range q.wait {
		q.upTo[i] = q.total
		q.total += b.n
	}
	return q
}

// ahead is how many wait before a place; those of the same millisecond count half.
func (q *queue) ahead(place time.Time) int64 {
	b := bucketOf(place)
	i := sort.Search(len(q.wait), func(i int) bool { return q.wait[i].at >= b })
	switch {
	case i == len(q.wait):
		return q.total
	case q.wait[i].at == b:
		return q.upTo[i] + q.wait[i].n/2
	}
	return q.upTo[i]
}

// in reports whether a place has been let in, and since when.
func (q *queue) in(place time.Time) (since time.Time, ok bool) {
	if q == nil || place.After(q.row.Frontier) {
		return time.Time{}, false
	}
	i := sort.Search(len(q.steps), func(i int) bool { return !q.steps[i].Frontier.Before(place) })
	if i == len(q.steps) {
		return time.Time{}, true // longer ago than is remembered
	}
	return q.steps[i].At, true
}

// lag is how long a place waits at least: by then every node has told of the tickets it gave,
// and the opening second, in which places are drawn, is over.
const lag = 3 * time.Second

// burst is how much time may be saved up while nobody waits, and how much of a stretch counts in
// which no process looked after the room.
const burst = 5 * time.Second

// advance moves the frontier as far as the time since it was moved allows. It returns the row as
// it is then, and whether it has changed.
//
// Time is turned into places by whole buckets: what isn't enough for the next one is saved, so
// that over any stretch no more are let in than the rate gives, burst and one bucket.
func advance(row Row, counts map[int64]int64, perMinute int64, now time.Time) (Row, bool) {
	if row.PerMinute > 0 {
		perMinute = row.PerMinute
	}
	was := row
	passed := now.Sub(row.MovedAt)
	if passed <= 0 {
		return row, false
	}
	row.MovedAt = now
	if row.Paused || perMinute <= 0 {
		return row, true // time that a room is paused gives no places
	}
	row.Saved += min(passed, burst)
	each := time.Minute / time.Duration(perMinute)
	at := bucketOf(row.Frontier)
	var wait []bucket
	for b, n := range counts {
		if b > at && n > 0 && b <= bucketOf(now.Add(-lag)) {
			wait = append(wait, bucket{b, n})
		}
	}
	slices.SortFunc(wait, func(a, b bucket) int { return cmp.Compare(a.at, b.at) })
	for len(wait) > 0 {
		b := wait[0]
		cost := time.Duration(b.n) * each
		if cost > row.Saved {
			break
		}
		row.Saved -= cost
		row.Admitted += b.n
		row.Frontier = time.UnixMicro(b.at*1000 + 999).UTC()
		wait = wait[1:]
	}
	if len(wait) == 0 {
		row.Saved = min(row.Saved, burst)
	}
	return row, row != was
}
