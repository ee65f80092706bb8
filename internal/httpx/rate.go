package httpx

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"hufu/internal/fault"
)

// Rate keeps one address from taking the whole process: each may make so many requests a
// second, and ten seconds' worth at once. It is a fence for this process alone; limits that
// must hold for the whole shop are counted in the database (package limit).
type Rate struct {
	per    float64
	burst  float64
	seed   maphash.Seed
	shards [64]rateShard
}

type rateShard struct {
	sync.Mutex
	of    map[netip.Prefix]*tokens
	swept time.Time
}

type tokens struct {
	left float64
	at   time.Time
}

// NewRate makes a limit of so many requests a second and address; 0 gives nil, which
// limits nothing.
func NewRate(perSecond float64) *Rate {
	if perSecond <= 0 {
		return nil
	}
	r := &Rate{per: perSecond, burst: max(10*perSecond, 1), seed: maphash.MakeSeed()}
	for i := range r.shards {
		r.shards[i].of = map[netip.Prefix]*tokens{}
	}
	return r
}

// network is what counts as one caller: an IPv4 address, or the /64 that an IPv6
// subscriber has to himself.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// Take lets a request of an address pass (0), or says how long it should wait.
func (r *Rate) Take(a netip.Addr, now time.Time) time.Duration {
	if r == nil {
		return 0
	}
	key := network(a)
	s := &r.shards[maphash.Comparable(r.seed, key)%uint64(len(r.shards))]
	s.Lock()
	defer s.Unlock()
	r.sweep(s, now)
	t := s.of[key]
	if t == nil {
		t = &tokens{left: r.burst, at: now}
		s.of[key] = t
	}
	if d := now.Sub(t.at).Seconds(); d > 0 {
		t.left, t.at = min(r.burst, t.left+d*r.per), now
	}
	if t.left < 1 {
		return time.Duration((1 - t.left) / r.per * float64(time.Second))
	}
	t.left--
	return 0
}

// sweep forgets, every burst's length, the addresses that have their whole burst again.
func (r *Rate) sweep(s *rateShard, now time.Time) {
	full := time.Duration(r.burst / r.per * float64(time.Second))
	if now.Sub(s.swept) < full {
		return
	}
	s.swept = now
	for k, t := range s.of {
		if now.Sub(t.at) >= full {
			delete(s.of, k)
		}
	}
}

// TooMany is the fault for who must wait, and sets Retry-After.
func TooMany(h http.Header, wait time.Duration) error {
	seconds := strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10)
	h.Set("Retry-After", seconds)
	return fault.New(fault.TooMany, "too_many", "seconds", seconds)
}
