package id

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Series is 2^32 consecutive identifiers that are set aside at once, for things that come
// by the million: they lie together on disk, the n-th is computed, and the first names
// them all.
type Series[K Kind] struct{ hi, lo uint64 }

// SeriesSize is how many identifiers a series has.
const SeriesSize = 1 << 32

// NewSeries sets a series aside. Its identifiers sort after all that were minted before in
// this process and before all that will be.
func NewSeries[K Kind]() Series[K] {
	const room = SeriesSize - 1
	next()
	g := &generator
	g.Lock()
	defer g.Unlock()
	g.lo = (g.lo | room) + 1
	if g.lo >= 1<<62 {
		g.lo = 0
		g.hi++
		if g.hi > 0xfff {
			g.hi = 0
			g.ms++
		}
	}
	s := Series[K]{hi: uint64(g.ms)<<16 | 0x7000 | uint64(g.hi), lo: g.lo | 1<<63}
	g.lo |= room
	return s
}

// SeriesAt is one of the many series of a moment, chosen at random, for things that are
// written down long after they came about and are to lie where they would have lain.
func SeriesAt[K Kind](t time.Time) Series[K] {
	g := &generator
	g.Lock()
	r := binary.BigEndian.Uint64(random(8))
	g.Unlock()
	return Series[K]{hi: uint64(max(t.UnixMilli(), 0))<<16 | 0x7000 | r>>52, lo: 1<<63 | r<<32&(1<<62-1)}
}

// SeriesFrom is the series that begins with an identifier.
func SeriesFrom[K Kind](first K) (Series[K], error) {
	k, err := Parse[K](string(first))
	if err != nil {
		return Series[K]{}, err
	}
	var s Series[K]
	for _, c := range []byte(k[len(k.Prefix())+1:]) {
		s.hi = s.hi<<5 | s.lo>>59
		s.lo = s.lo<<5 | uint64(decode[c])
	}
	if s.lo%SeriesSize != 0 {
		return Series[K]{}, fmt.Errorf("id: %q begins no series", string(first))
	}
	return s, nil
}

// At is the n-th identifier, from 0.
func (s Series[K]) At(n uint32) K { return K(s.Append(nil, n)) }

// Append appends the n-th identifier to dst.
func (s Series[K]) Append(dst []byte, n uint32) []byte {
	var k K
	dst = append(dst, k.Prefix()...)
	dst = append(dst, '_')
	var u [16]byte
	for i, v := range []uint64{s.hi, s.lo | uint64(n)} {
		for j := range 8 {
			u[8*i+j] = byte(v >> (56 - 8*j))
		}
	}
	return appendBase32(dst, u)
}

// Len is the length of each identifier in bytes.
func (s Series[K]) Len() int {
	var k K
	return len(k.Prefix()) + 1 + bodyLen
}
