package vault

import (
	"bytes"
	"math"
	"testing"

	"hufu/internal/fault"

	"pgregory.net/rapid"
)

func testKey(b byte) []byte { return bytes.Repeat([]byte{b}, keySize) }

func mustGenerator(t testing.TB, f Format, key []byte, r Range) *Generator {
	t.Helper()
	g, err := newGenerator(f, key, r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Whatever the format, the key and the random source, a code gives back its counter: so
// two counters can't give one code.
func TestCodeHoldsItsCounter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFormat(t)
		from := rapid.Uint64Range(0, 1<<CounterBits-20).Draw(t, "from")
		g, err := newGenerator(f, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"), Range{from, from + 20})
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "broken random source") {
			g.random = func(b []byte) { clear(b) }
		}
		for i := range uint64(20) {
			code, ok := g.Next(nil)
			if !ok || len(code) != f.Length() {
				t.Fatalf("%q, %v", code, ok)
			}
			if got, err := f.Parse(string(code)); err != nil || got != string(code) {
				t.Fatalf("own code %q is refused: %v", code, err)
			}
			left, _ := g.unpermute(g.read(string(code)))
			if counter := left.shr(g.leftBits - CounterBits).lo; counter != from+i {
				t.Fatalf("counter %d, want %d", counter, from+i)
			}
		}
		if _, ok := g.Next(nil); ok || g.Remaining() != 0 {
			t.Fatal("a code beyond the range")
		}
	})
}

// S1: no sequence shows. With a broken random source, so that the permutation alone hides
// the counter, each position of consecutive codes has all symbols about equally often, and
// neighbours agree at a position no more often than chance has it.
func TestNoSequenceShows(t *testing.T) {
	const n = 40_000
	for _, f := range []Format{DefaultFormat, MachineFormat} {
		g := mustGenerator(t, f, testKey(7), Range{0, n})
		g.random = func(b []byte) { clear(b) }
		counts := make([][32]int, f.Length())
		agree := make([]int, f.Length())
		var before []byte
		for {
			code, ok := g.Next(nil)
			if !ok {
				break
			}
			for i, c := range code {
				counts[i][symbolValue[c]]++
				if before != nil && before[i] == c {
					agree[i]++
				}
			}
			before = code
		}
		for i := range counts {
			chi := 0.0
			for _, c := range counts[i] {
				d := float64(c) - n/32
				chi += d * d / (n / 32)
			}
			// 31 degrees of freedom: mean 31, deviation 7.9; 80 is beyond six deviations.
			if chi > 80 {
				t.Errorf("position %d: chi-square %.1f", i, chi)
			}
			mean := float64(n) / 32
			if d := math.Abs(float64(agree[i]) - mean); d > 6*math.Sqrt(mean) {
				t.Errorf("position %d: neighbours agree %d times of %d", i, agree[i], n)
			}
		}
	}
}

// The same counter, key and format never gives the same code again: the random bits are in it.
func TestSameCounterOtherCode(t *testing.T) {
	a, _ := mustGenerator(t, DefaultFormat, testKey(1), Range{5, 6}).Next(nil)
	b, _ := mustGenerator(t, DefaultFormat, testKey(1), Range{5, 6}).Next(nil)
	if bytes.Equal(a, b) {
		t.Fatal("the code is a function of the counter alone")
	}
}

// Every bit of a code that isn't counter comes from the random source, in every length, and
// they are at least as many as the format promises.
func TestEveryOtherBitIsRandom(t *testing.T) {
	for bits := MinSecretBits; bits <= MaxSecretBits; bits++ {
		g := mustGenerator(t, Format{SecretBits: bits}, testKey(4), Range{0, 1})
		g.random = func(b []byte) {
			for i := range b {
				b[i] = 0xff
			}
		}
		code, _ := g.Next(nil)
		left, right := g.unpermute(g.read(string(code)))
		if right != g.rightMask || left != maskOf(g.leftBits-CounterBits) {
			t.Errorf("%d bits: %x, %x", bits, left, right)
		}
		if got := int(g.leftBits+g.rightBits) - CounterBits; got < bits {
			t.Errorf("%d random bits, %d promised", got, bits)
		}
	}
}

func TestFillEqualsNext(t *testing.T) {
	f := Format{Prefix: "HUFU", Group: 4, SecretBits: 80}
	g, h := mustGenerator(t, f, testKey(2), Range{0, 10}), mustGenerator(t, f, testKey(2), Range{0, 10})
	g.random = func(b []byte) { clear(b) }
	h.random = g.random
	buf := make([]byte, 7*f.Length()+3)
	var all []byte
	for n := g.Fill(buf); n > 0; n = g.Fill(buf) {
		all = append(all, buf[:n*f.Length()]...)
	}
	var want []byte
	for {
		var ok bool
		if want, ok = h.Next(want); !ok {
			break
		}
	}
	if !bytes.Equal(all, want) || len(all) != 10*f.Length() {
		t.Fatalf("%q\n%q", all, want)
	}
}

func TestGeneratorRefusesCountersBeyondItsWidth(t *testing.T) {
	for _, r := range []Range{{0, 1<<CounterBits + 1}, {3, 2}} {
		if _, err := newGenerator(DefaultFormat, testKey(0), r); fault.CodeOf(err) != "vault.counter_spent" {
			t.Errorf("%v: %v", r, err)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	g := mustGenerator(b, DefaultFormat, testKey(3), Range{0, 1 << CounterBits})
	buf := make([]byte, 1000*DefaultFormat.Length())
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n += g.Fill(buf)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "codes/s")
}

func BenchmarkParse(b *testing.B) {
	code, _ := mustGenerator(b, DefaultFormat, testKey(3), Range{0, 1}).Next(nil)
	text := DefaultFormat.Display(string(code))
	for b.Loop() {
		if _, err := DefaultFormat.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
