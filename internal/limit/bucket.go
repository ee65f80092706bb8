package limit

import (
	"strconv"
	"strings"
	"time"
)

// parts is how many slices a window is counted in.
const parts = 8

// bucket is what is remembered of one limit.
type bucket struct {
	hits    []hit     // ascending, of the present slice and the parts before it
	told    time.Time // until then a refusal isn't the first
	ends    time.Time // nothing is remembered after it
	stored  bool
	changed bool
}

// hit counts the acts that passed in one slice of time.
type hit struct {
	slice int64
	n     int64
}

// judge decides one act and counts it in all its buckets when each has room.
func judge(buckets map[string]*bucket, limits []Limit, now time.Time) Verdict {
	v := Verdict{OK: true}
	for _, l := range limits {
		b := buckets[l.key()]
		if wait := b.wait(l, now); wait > 0 && (v.OK || wait > v.Wait) {
			v = Verdict{Wait: wait, Bucket: l.Bucket}
		}
	}
	for _, l := range limits {
		b := buckets[l.key()]
		switch {
		case v.OK:
			b.count(l, now)
		case l.Bucket == v.Bucket && now.Add(v.Wait).After(b.told) && !now.Before(b.told):
			v.First, b.told, b.changed = true, now.Add(v.Wait), true
			b.ends = later(b.ends, b.told)
		}
	}
	return v
}

// present is the slice that now lies in. A clock that steps back finds itself in the last
// one counted.
func (b *bucket) present(l Limit, now time.Time) int64 {
	s := now.UnixMicro() / length(l)
	if n := len(b.hits); n > 0 {
		s = max(s, b.hits[n-1].slice)
	}
	return s
}

// length of a slice in microseconds, rounded up so that parts of them cover the window.
func length(l Limit) int64 {
	return max((l.Window.Microseconds()+parts-1)/parts, 1)
}

// wait is how long until one more act has room; 0: now. Acts within a window before now lie
// in the present slice or the parts before it.
func (b *bucket) wait(l Limit, now time.Time) time.Duration {
	present, sum := b.present(l, now), b.within(l, now)
	if sum < l.Max {
		return 0
	}
	for _, h := range b.hits {
		if h.slice < present-parts {
			continue
		}
		if sum -= h.n; sum < l.Max {
			return time.Duration((h.slice+parts+1)*length(l)-now.UnixMicro()) * time.Microsecond
		}
	}
	return l.Window
}

// within is how many acts count at now.
func (b *bucket) within(l Limit, now time.Time) int64 {
	present := b.present(l, now)
	var sum int64
	for _, h := range b.hits {
		if h.slice >= present-parts {
			sum += h.n
		}
	}
	return sum
}

func (b *bucket) count(l Limit, now time.Time) {
	present := b.present(l, now)
	kept := b.hits[:0]
	for _, h := range b.hits {
		if h.slice >= present-parts {
			kept = append(kept, h)
		}
	}
	if n := len(kept); n > 0 && kept[n-1].slice == present {
		kept[n-1].n++
	} else {
		kept = append(kept, hit{present, 1})
	}
	b.hits, b.changed = kept, true
	b.ends = later(time.UnixMicro((present+parts+1)*length(l)).UTC(), b.told)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func formatHits(hits []hit) string {
	var s []byte
	for i, h := range hits {
		if i > 0 {
			s = append(s, ',')
		}
		s = strconv.AppendInt(s, h.slice, 10)
		s = append(s, ':')
		s = strconv.AppendInt(s, h.n, 10)
	}
	return string(s)
}

// parseHits reads what formatHits wrote; a part that isn't of that form counts nothing.
func parseHits(s string) []hit {
	var hits []hit
	for part := range strings.SplitSeq(s, ",") {
		slice, n, _ := strings.Cut(part, ":")
		a, errA := strconv.ParseInt(slice, 10, 64)
		b, errB := strconv.ParseInt(n, 10, 64)
		if errA == nil && errB == nil {
			hits = append(hits, hit{a, b})
		}
	}
	return hits
}
