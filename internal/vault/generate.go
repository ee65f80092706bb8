package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"

	"hufu/internal/fault"
)

// rounds of the Feistel network. FFX and FF1 (NIST SP 800-38G) take 10; Luby and Rackoff
// (1988) prove 4 enough against a chosen-ciphertext adversary up to the birthday bound of
// a half, and more rounds carry the proof beyond it.
const rounds = 10

// Range is the counters [From, To) that one run of a generator may use up. The store
// hands out each counter once.
type Range struct{ From, To uint64 }

// Len is the number of counters in the range.
func (r Range) Len() uint64 { return r.To - r.From }

// Generator makes codes.
//
// A body of n symbols is P(counter ‖ random), where counter has 35 bits, random has the
// other 5n−35 (80 or more) bits from the system's random source, and P is a permutation
// of all 5n-bit strings: an alternating Feistel network as in FFX, with AES-256 under the
// generator key as its round function. P is one to one, so distinct counters give
// distinct codes; the random part makes each of them one of 2^80 or more, also for who
// holds the key; and P hides the counter from who doesn't.
//
// A Generator serves one goroutine. Run several over ranges that don't overlap to use
// more cores.
type Generator struct {
	format     Format
	block      cipher.Block
	next, end  uint64
	symbols    int
	checks     int
	leftBits   uint
	rightBits  uint
	leftMask   half
	rightMask  half
	in, out    [aes.BlockSize]byte
	random     func([]byte)
	pool       [4096]byte
	poolUsed   int
	randomSize int
}

// newGenerator makes a generator of codes of format f for the counters of r.
func newGenerator(f Format, key []byte, r Range) (*Generator, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	if r.From > r.To || r.To > 1<<CounterBits {
		return nil, fault.New(fault.Conflict, "vault.counter_spent")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "internal")
	}
	n := f.Symbols()
	g := &Generator{
		format: f, block: block, next: r.From, end: r.To, symbols: n, checks: f.checks(),
		leftBits: uint(5 * n / 2), rightBits: uint(5*n - 5*n/2),
		random: func(b []byte) { _, _ = rand.Read(b) }, // never fails: the program ends instead
	}
	g.leftMask, g.rightMask = maskOf(g.leftBits), maskOf(g.rightBits)
	g.randomSize = 24
	g.poolUsed = len(g.pool)
	// The head of each AES block parts the permutations of different lengths from one another.
	g.in[0] = byte(n)
	return g, nil
}

// String shows that this is a generator, and nothing of its key or its random bytes.
func (g *Generator) String() string { return "generator" }

// Format is the format of the codes made.
func (g *Generator) Format() Format { return g.format }

// Remaining is the number of codes that are still to come.
func (g *Generator) Remaining() uint64 { return g.end - g.next }

// Next appends the canonical text of the next code to dst. It reports false, and appends
// nothing, when the range is used up.
func (g *Generator) Next(dst []byte) ([]byte, bool) {
	if g.next == g.end {
		return dst, false
	}
	if g.poolUsed+g.randomSize > len(g.pool) {
		g.random(g.pool[:])
		g.poolUsed = 0
	}
	r := g.pool[g.poolUsed : g.poolUsed+g.randomSize]
	left := half{lo: g.next}.shl(g.leftBits - CounterBits)
	left.lo |= binary.LittleEndian.Uint64(r) & (1<<(g.leftBits-CounterBits) - 1)
	right := half{hi: binary.LittleEndian.Uint64(r[8:]), lo: binary.LittleEndian.Uint64(r[16:])}.and(g.rightMask)
	clear(r)
	g.poolUsed += g.randomSize
	g.next++

	left, right = g.permute(left, right)
	return g.write(dst, left, right), true
}

// Fill writes codes one after the other into dst, each of Format().Length() bytes, until
// dst or the range is full, and returns how many.
func (g *Generator) Fill(dst []byte) int {
	size := g.format.Length()
	n := 0
	for len(dst) >= size {
		if _, ok := g.Next(dst[:0:size]); !ok {
			break
		}
		dst = dst[size:]
		n++
	}
	return n
}

// permute runs the network: left has leftBits bits, right rightBits, before and after.
func (g *Generator) permute(left, right half) (half, half) {
	for i := byte(0); i < rounds; i += 2 {
		left = left.xor(g.round(i, right).and(g.leftMask))
		right = right.xor(g.round(i+1, left).and(g.rightMask))
	}
	return left, right
}

// round is the keyed function: AES of length, round number and 96 bits of input.
func (g *Generator) round(i byte, x half) half {
	g.in[1] = i
	binary.BigEndian.PutUint32(g.in[4:], uint32(x.hi))
	binary.BigEndian.PutUint64(g.in[8:], x.lo)
	g.block.Encrypt(g.out[:], g.in[:])
	return half{hi: binary.BigEndian.Uint64(g.out[:]), lo: binary.BigEndian.Uint64(g.out[8:])}
}

// write appends prefix, body and check symbols of the value left ‖ right.
func (g *Generator) write(dst []byte, left, right half) []byte {
	var values [maxSpots]byte
	n := g.symbols
	carry := left
	for i := n - 1; i >= 0; i-- {
		// The lowest five bits of carry ‖ right, and then both one symbol down.
		values[i] = byte(right.lo & 31)
		right = right.shr(5).or(half{lo: carry.lo & 31}.shl(g.rightBits - 5))
		carry = carry.shr(5)
	}
	dst = append(dst, g.format.Prefix...)
	for _, v := range appendChecks(values[:n], g.checks) {
		dst = append(dst, alphabet[v])
	}
	return dst
}

// half is one side of the network, up to 83 bits.
type half struct{ hi, lo uint64 }

func maskOf(bits uint) half {
	if bits > 64 {
		return half{hi: 1<<(bits-64) - 1, lo: ^uint64(0)}
	}
	return half{lo: 1<<bits - 1}
}

func (h half) xor(o half) half { return half{h.hi ^ o.hi, h.lo ^ o.lo} }
func (h half) and(o half) half { return half{h.hi & o.hi, h.lo & o.lo} }
func (h half) or(o half) half  { return half{h.hi | o.hi, h.lo | o.lo} }

// shl and shr shift by any number of bits; Go defines a shift by 64 or more as 0.
func (h half) shl(n uint) half {
	return half{hi: h.hi<<n | h.lo>>(64-n) | h.lo<<(n-64), lo: h.lo << n}
}
func (h half) shr(n uint) half {
	return half{hi: h.hi >> n, lo: h.lo>>n | h.hi<<(64-n) | h.hi>>(n-64)}
}
