package vault

import (
	"encoding/binary"
	"math/bits"
)

// Seen remembers blind indexes and the rows they came from, to find what a file repeats.
// It keeps 88 of their 128 bits, in about 20 bytes an entry: 20 MB for a million rows and
// 200 MB for ten million. That two different codes look alike to it has a chance of
// 2·10^-15 among a million rows and 2·10^-13 among ten million; more rows than memory
// holds are for several files, between which the store's unique index finds repetitions.
//
// The indexes are keyed, so what a dump of memory shows of them tells no code.
type Seen struct {
	shards [256]seenShard
	n      int
}

// seenShard is a table with open addressing. It grows by a quarter, on its own, so that
// no moment needs twice the memory.
type seenShard struct {
	hi   []uint64
	lo   []uint16
	row  []uint32 // 0 is an empty place
	used int
}

// Len is the number of different entries.
func (s *Seen) Len() int { return s.n }

// Bytes is the memory taken by the tables.
func (s *Seen) Bytes() int {
	n := 0
	for i := range s.shards {
		n += 14 * cap(s.shards[i].hi)
	}
	return n
}

// Add remembers x as row, which counts from 1 to 2^32-1. When x was there already it
// changes nothing and gives the row it came from first.
func (s *Seen) Add(x Index, row int64) (first int64, repeated bool) {
	t := &s.shards[x[0]]
	if t.used*10 >= len(t.hi)*8 {
		t.grow()
	}
	hi, lo := binary.BigEndian.Uint64(x[1:]), binary.BigEndian.Uint16(x[9:])
	i := t.find(hi, lo)
	if t.row[i] != 0 {
		return int64(t.row[i]), true
	}
	t.hi[i], t.lo[i], t.row[i] = hi, lo, uint32(row)
	t.used++
	s.n++
	return 0, false
}

// find is the place of an entry, or the empty one where it belongs.
func (t *seenShard) find(hi uint64, lo uint16) int {
	// The high half of the product spreads a uniform hash over any length evenly.
	at, _ := bits.Mul64(hi, uint64(len(t.hi)))
	i := int(at)
	for t.row[i] != 0 && (t.hi[i] != hi || t.lo[i] != lo) {
		if i++; i == len(t.hi) {
			i = 0
		}
	}
	return i
}

func (t *seenShard) grow() {
	old := *t
	size := len(old.hi) + len(old.hi)/4 + 16
	t.hi, t.lo, t.row = make([]uint64, size), make([]uint16, size), make([]uint32, size)
	for i, row := range old.row {
		if row != 0 {
			j := t.find(old.hi[i], old.lo[i])
			t.hi[j], t.lo[j], t.row[j] = old.hi[i], old.lo[i], row
		}
	}
}
