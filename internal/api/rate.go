package api

import (
	"hash/maphash"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"hufu/internal/fault"
)

// rates limits how often one address, and one session, may ask this process. Limits that
// must hold for the whole shop are counted in the database (package limit).
type rates struct {
	per    rate.Limit
	burst  int
	policy string
	seed   maphash.Seed
	shards [32]rateShard
}

type rateShard struct {
	sync.Mutex
	of    map[string]*limited
	swept time.Time
}

type limited struct {
	*rate.Limiter
	at time.Time
}

// burstSeconds is how many seconds' worth of requests may come at once.
const burstSeconds = 10

func newRates(perSecond float64) *rates {
	if perSecond <= 0 {
		return nil
	}
	l := &rates{per: rate.Limit(perSecond), burst: max(int(burstSeconds*perSecond), 1), seed: maphash.MakeSeed()}
	l.policy = `"default";q=` + strconv.Itoa(l.burst) + ";w=" + strconv.Itoa(burstSeconds)
	for i := range l.shards {
		l.shards[i].of = map[string]*limited{}
	}
	return l
}

// network is what counts as one caller: an IPv4 address, or the /64 that an IPv6
// subscriber has to himself.
func network(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.Unmap().String()
}

// take lets a request of a caller pass, or is the fault too_many. It tells in the headers
// how much is left (draft-ietf-httpapi-ratelimit-headers).
func (l *rates) take(h http.Header, who string, now time.Time) error {
	if l == nil {
		return nil
	}
	s := &l.shards[maphash.String(l.seed, who)%uint64(len(l.shards))]
	s.Lock()
	l.sweep(s, now)
	one := s.of[who]
	if one == nil {
		one = &limited{Limiter: rate.NewLimiter(l.per, l.burst)}
		s.of[who] = one
	}
	one.at = now
	ok := one.AllowN(now, 1)
	left := one.TokensAt(now)
	s.Unlock()
	full := int(math.Ceil((float64(l.burst) - left) / float64(l.per)))
	h.Set("RateLimit-Policy", l.policy)
	h.Set("RateLimit", `"default";r=`+strconv.Itoa(max(int(left), 0))+";t="+strconv.Itoa(max(full, 0)))
	if ok {
		return nil
	}
	wait := int(math.Ceil((1 - left) / float64(l.per)))
	return fault.New(fault.TooMany, "too_many", "seconds", strconv.Itoa(max(wait, 1)))
}

// sweep forgets the callers that have their whole burst again.
func (l *rates) sweep(s *rateShard, now time.Time) {
	full := burstSeconds * time.Second
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
