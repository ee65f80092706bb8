package vault

import "hufu/internal/id"

// Place is where a generated code may be: a counter of a generator key. What is there must
// still be compared by its blind index, as anybody can type a text that leads somewhere.
type Place struct {
	Key     id.Key
	Counter uint64
}

// Locate undoes the permutation of a canonical code under every live generator key. So
// ten million generated codes need no index in random order, whose upkeep would cost more
// than all the rest of storing them, and finding one takes a microsecond.
func (k *Keyring) Locate(f Format, canonical string) []Place {
	if c, err := f.Parse(canonical); err != nil || c != canonical {
		return nil
	}
	keys := k.set.Load().generator
	places := make([]Place, 0, len(keys))
	for _, key := range keys {
		g, err := newGenerator(f, key.secret.Bytes(), Range{})
		if err != nil {
			continue // no batch has such a format
		}
		left, _ := g.unpermute(g.read(canonical))
		places = append(places, Place{key.id, left.shr(g.leftBits - CounterBits).lo})
	}
	return places
}

// unpermute runs the network backwards.
func (g *Generator) unpermute(left, right half) (half, half) {
	for i := rounds - 2; i >= 0; i -= 2 {
		right = right.xor(g.round(byte(i+1), left).and(g.rightMask))
		left = left.xor(g.round(byte(i), right).and(g.leftMask))
	}
	return left, right
}

// read is the inverse of write.
func (g *Generator) read(canonical string) (left, right half) {
	for _, c := range []byte(canonical[len(g.format.Prefix) : len(canonical)-g.checks]) {
		left = left.shl(5).or(right.shr(g.rightBits - 5)).and(g.leftMask)
		right = right.shl(5).or(half{lo: uint64(symbolValue[c])}).and(g.rightMask)
	}
	return left, right
}
