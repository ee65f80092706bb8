// Package id mints and parses the identifiers of everything Hufu stores.
//
// An identifier is a UUIDv7 (RFC 9562) written as a TypeID: a prefix that names the
// kind, an underscore, and 26 letters of lower-case Crockford base 32, for example
// "ord_01jd8x3vx8f8ps6v4p2h4k7q9e". Identifiers of one kind sort by the time they were
// minted, so rows that are written together lie together on disk.
package id

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

// Kind is implemented by every identifier type; the prefix is part of the text.
type Kind interface {
	~string
	Prefix() string
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const bodyLen = 26

var decode = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	return t
}()

// New mints an identifier. Within one process identifiers are strictly increasing, also
// when the wall clock steps back.
func New[K Kind]() K {
	var k K
	u := next()
	prefix := k.Prefix()
	b := make([]byte, 0, len(prefix)+1+bodyLen)
	b = append(b, prefix...)
	b = append(b, '_')
	return K(appendBase32(b, u))
}

// Parse checks that s is a well-formed identifier of kind K. It says nothing about
// whether such a thing exists.
func Parse[K Kind](s string) (K, error) {
	var k K
	prefix := k.Prefix()
	if len(s) != len(prefix)+1+bodyLen || s[:len(prefix)] != prefix || s[len(prefix)] != '_' {
		return "", fmt.Errorf("id: %q is not a %s_ identifier", clip(s), prefix)
	}
	body := s[len(prefix)+1:]
	if body[0] > '7' {
		return "", fmt.Errorf("id: %q is not a %s_ identifier", clip(s), prefix)
	}
	for i := range len(body) {
		if decode[body[i]] < 0 {
			return "", fmt.Errorf("id: %q is not a %s_ identifier", clip(s), prefix)
		}
	}
	return K(s), nil
}

// Time returns the moment at which the identifier was minted, to the millisecond, or the
// zero time when k is malformed.
func Time[K Kind](k K) time.Time {
	s, err := Parse[K](string(k))
	if err != nil {
		return time.Time{}
	}
	var ms uint64
	// The first 10 letters carry the 2 padding bits and the 48 bits of the time stamp.
	for _, c := range []byte(string(s)[len(s.Prefix())+1:])[:10] {
		ms = ms<<5 | uint64(decode[c])
	}
	return time.UnixMilli(int64(ms)).UTC()
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// generator keeps the last UUIDv7 so that identifiers minted within one millisecond, or
// after the clock stepped back, still increase (RFC 9562, section 6.2, method 2).
var generator struct {
	sync.Mutex
	ms   int64
	hi   uint16 // 12 bits of rand_a
	lo   uint64 // 62 bits of rand_b
	pool [512]byte
	used int
}

func init() { generator.used = len(generator.pool) }

func random(n int) []byte {
	g := &generator
	if g.used+n > len(g.pool) {
		if _, err := rand.Read(g.pool[:]); err != nil {
			panic("id: the system's random source failed: " + err.Error())
		}
		g.used = 0
	}
	b := g.pool[g.used : g.used+n]
	g.used += n
	return b
}

func next() (u [16]byte) {
	g := &generator
	g.Lock()
	defer g.Unlock()
	now := time.Now().UnixMilli()
	if now > g.ms {
		g.ms = now
		r := random(10)
		// The top bit starts clear so that increments within the millisecond can't overflow.
		g.hi = binary.BigEndian.Uint16(r) & 0x7ff
		g.lo = binary.BigEndian.Uint64(r[2:]) & (1<<62 - 1)
	} else {
		g.lo += 1 + uint64(binary.BigEndian.Uint32(random(4)))
		if g.lo >= 1<<62 {
			g.lo &= 1<<62 - 1
			g.hi++
			if g.hi > 0xfff {
				g.hi = 0
				g.ms++
			}
		}
	}
	binary.BigEndian.PutUint64(u[0:], uint64(g.ms)<<16|0x7000|uint64(g.hi))
	binary.BigEndian.PutUint64(u[8:], g.lo|1<<63)
	return u
}

// appendBase32 writes 128 bits as 26 letters, the first holding 3 of them.
func appendBase32(b []byte, u [16]byte) []byte {
	hi, lo := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	for i := bodyLen - 1; i >= 0; i-- {
		shift := uint(i * 5)
		var v uint64
		switch {
		case shift >= 64:
			v = hi >> (shift - 64)
		case shift > 59:
			v = hi<<(64-shift) | lo>>shift
		default:
			v = lo >> shift
		}
		b = append(b, alphabet[v&31])
	}
	return b
}
