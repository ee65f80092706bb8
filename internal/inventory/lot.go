package inventory

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strconv"

	"hufu/internal/id"
)

// Lot is a permutation of 0..Size-1 that nobody can tell without its seed, and anybody can
// check with it: a Feistel network over the next even number of bits, walked along its cycle
// until the result is below Size (J. Black and P. Rogaway, "Ciphers with Arbitrary Finite
// Domains", CT-RSA 2002, method 2; M. Luby and C. Rackoff, "How to Construct Pseudorandom
// Permutations from Pseudorandom Functions", 1988). The round function is HMAC-SHA256.
type Lot struct {
	Seed []byte
	Size int64
}

// lotRounds are the rounds of the network; four are proven to be enough for a small part of
// the domain to be seen, ten keep a margin where all of it is.
const lotRounds = 10

// SeedSize is the length of a lot's seed in bytes.
const SeedSize = 32

func newSeed() []byte {
	seed := make([]byte, SeedSize)
	if _, err := rand.Read(seed); err != nil {
		panic(err) // documented never to happen
	}
	return seed
}

// At is where the lot puts position i, with 0 <= i < Size.
//
// With half = ceil(bits(Size-1)/2), at least 1, left and right are the upper and lower half
// bits of i. A round r = 0..9 makes (left, right) of (right, left XOR f), where f is the first
// eight bytes, big-endian, of HMAC-SHA256 with the seed as the key over one byte r and right as
// eight bytes, big-endian, cut to its lower half bits. All rounds are repeated while the result
// isn't below Size.
func (l Lot) At(i int64) int64 {
	half := max((bits.Len64(uint64(l.Size-1))+1)/2, 1)
	mask := uint64(1)<<half - 1
	mac := hmac.New(sha256.New, l.Seed)
	var in [9]byte
	var sum [sha256.Size]byte
	for x := uint64(i); ; {
		left, right := x>>half, x&mask
		for r := range lotRounds {
			in[0] = byte(r)
			binary.BigEndian.PutUint64(in[1:], right)
			mac.Reset()
			mac.Write(in[:])
			left, right = right, left^binary.BigEndian.Uint64(mac.Sum(sum[:0]))&mask
		}
		if x = left<<half | right; x < uint64(l.Size) {
			return int64(x)
		}
	}
}

// Commitment is what is shown of a lot when its edition begins: the SHA-256, in hex, of the
// line "hufu lot 1 STOCK SIZE FIRST SEED", the seed in hex, without a line's end.
func Commitment(stock id.Stock, size, first int64, seed []byte) string {
	line := "hufu lot 1 " + string(stock) + " " + strconv.FormatInt(size, 10) + " " + strconv.FormatInt(first, 10) + " " + hex.EncodeToString(seed)
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:])
}

func text(n int64) string { return strconv.FormatInt(n, 10) }
