package waiting

import (
	"crypto/sha256"
	"time"
)

// mostPlaces is how many devices of a room a process remembers at least, once so many came: two
// maps of as many take some 10 MB.
const mostPlaces = 100_000

// places are those of devices, so that who asks again doesn't stand in a room twice. The older
// half is forgotten when the newer is full.
type places struct {
	newer, older map[[16]byte]time.Time
}

// deviceKey is what is remembered of a device: 128 bits of the SHA-256 of its secret.
func deviceKey(device string) [16]byte {
	sum := sha256.Sum256([]byte(device))
	return [16]byte(sum[:16])
}

func (p *places) of(who [16]byte) (time.Time, bool) {
	if at, ok := p.newer[who]; ok {
		return at, true
	}
	at, ok := p.older[who]
	return at, ok
}

func (p *places) keep(who [16]byte, at time.Time) {
	if p.newer == nil || len(p.newer) >= mostPlaces {
		p.newer, p.older = map[[16]byte]time.Time{}, p.newer
	}
	p.newer[who] = at
}
