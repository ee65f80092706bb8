package id

import "time"

// From is the least identifier of a kind that can have been minted at a moment or later: the
// lower end of a range over things that sort by their identifiers.
func From[K Kind](t time.Time) K {
	var k K
	ms := uint64(max(t.UnixMilli(), 0))
	b := append([]byte(k.Prefix()), '_')
	return K(appendBase32(b, [16]byte{byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms)}))
}
