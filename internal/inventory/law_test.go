package inventory

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/fault"
	"hufu/internal/id"
)

// TestALotIsAPermutation holds for any size: every position has a place of its own, and with
// another seed another one.
func TestALotIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Lot{Seed: rapid.SliceOfN(rapid.Byte(), SeedSize, SeedSize).Draw(t, "seed"), Size: rapid.Int64Range(1, 700).Draw(t, "size")}
		seen := make([]bool, l.Size)
		for i := range l.Size {
			at := l.At(i)
			if at < 0 || at >= l.Size || seen[at] {
				t.Fatalf("position %d of %d is at %d", i, l.Size, at)
			}
			seen[at] = true
		}
	})
	// What was committed to stays what it was: whoever checks a lot computes these.
	l := Lot{Seed: make([]byte, SeedSize), Size: 1000}
	if got := fmt.Sprint(l.At(0), l.At(1), l.At(2), l.At(999)); got != lotOfZeros {
		t.Errorf("the lot of zeros is %s", got)
	}
	if got := Commitment("stk_x", 1000, 1, l.Seed); got != commitmentOfZeros {
		t.Errorf("its commitment is %s", got)
	}
}

// Computed apart from this program, after the comments of Lot.At and Commitment.
const (
	lotOfZeros        = "987 855 688 930"
	commitmentOfZeros = "a3753a10d2350f8074a5a012b4259a0173e8c8fd7779e929be40a1a831551970"
)

// TestAllotmentsNeverExceed plays any sequence of what can happen to a stock with allotments:
// nothing is below zero, the allotments' units and what isn't allotted are the whole, and each
// channel sells what is its own.
func TestAllotmentsNeverExceed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, stock, now := newBook(), id.Stock("stk_x"), time.Now()
		b.stocks[stock] = &Stock{ID: stock, Kind: Codes}
		channel := rapid.SampledFrom([]string{"", "web", "api", "partner"})
		units := rapid.Int64Range(0, 12)
		var lines, paid []id.Line
		rights := map[id.Right]bool{}
		need := map[id.Stock]int64{stock: 1}
		left := func(c string) int64 { return b.room(c, b.stocks[stock]) }
		draw := func(of *[]id.Line) (id.Line, bool) {
			if len(*of) == 0 {
				return "", false
			}
			i := rapid.IntRange(0, len(*of)-1).Draw(t, "line")
			l := (*of)[i]
			*of = append((*of)[:i:i], (*of)[i+1:]...)
			return l, true
		}
		t.Repeat(map[string]func(*rapid.T){
			"receive": func(t *rapid.T) { b.Receive(stock, units.Draw(t, "n")) },
			"undo": func(t *rapid.T) {
				if n := units.Draw(t, "n"); n <= b.stocks[stock].Available {
					b.Receive(stock, -n)
				}
			},
			"void": func(t *rapid.T) { b.Void(stock, units.Draw(t, "n")) },
			"ended": func(t *rapid.T) {
				b.SetAside(stock, rapid.Int64Range(0, b.stocks[stock].Available).Draw(t, "n"))
			},
			"move": func(t *rapid.T) {
				from, to, n := channel.Draw(t, "from"), channel.Draw(t, "to"), units.Draw(t, "n")
				free := b.stocks[stock].Available - b.stocks[stock].Allotted
				if a := b.allots[stock][from]; a != nil {
					free = a.Available
				}
				if err := b.Allot(stock, from, to, n, "ops", "r"); (err == nil) && n > free {
					t.Fatalf("%d of %d went from %q to %q", n, free, from, to)
				}
			},
			"size": func(t *rapid.T) {
				c, n := channel.Draw(t, "channel"), units.Draw(t, "n")
				if err := b.Resize(stock, c, n, "ops", "r"); err == nil && b.allots[stock][c].Size != n {
					t.Fatalf("sized %d: %+v", n, b.allots[stock][c])
				} else if fault.CodeOf(err) == "allotment.below_out" && b.allots[stock][c].Out() <= n {
					t.Fatal(err)
				}
			},
			"close": func(t *rapid.T) { _ = b.Close(stock, channel.Draw(t, "channel"), "ops", "r") },
			"reserve": func(t *rapid.T) {
				c, n, l := channel.Draw(t, "channel"), rapid.Int64Range(1, 5).Draw(t, "n"), id.New[id.Line]()
				had := left(c)
				if ok := b.Reserve(c, l, need, n, now); ok != (n <= had) {
					t.Fatalf("%d of %d for %q: %v", n, had, c, ok)
				} else if ok {
					b.held[l] = []*Reservation{b.fresh[len(b.fresh)-1]}
					lines = append(lines, l)
				}
			},
			"take": func(t *rapid.T) {
				c, n, l := channel.Draw(t, "channel"), rapid.Int64Range(1, 5).Draw(t, "n"), id.New[id.Line]()
				had := left(c)
				if ok := b.Take(c, l, need, n); ok != (n <= had) {
					t.Fatalf("%d of %d for %q: %v", n, had, c, ok)
				}
			},
			"release": func(t *rapid.T) {
				if l, ok := draw(&lines); ok {
					b.Release(l, Released)
				}
			},
			"consume": func(t *rapid.T) {
				if l, ok := draw(&lines); ok {
					b.Consume(l)
					paid = append(paid, l)
				}
			},
			"promise": func(t *rapid.T) {
				if l, ok := draw(&paid); ok {
					r := id.New[id.Right]()
					b.Promise(l, r, stock)
					b.due[r], rights[r] = b.fresh[len(b.fresh)-1], true
				}
			},
			"fulfil": func(t *rapid.T) {
				for r := range rights {
					if !b.Fulfil(r, stock) {
						t.Fatal("not promised")
					}
					delete(rights, r)
					return
				}
			},
			"swap": func(t *rapid.T) {
				for r := range rights {
					b.Swap(r)
					delete(rights, r)
					return
				}
			},
			"return": func(t *rapid.T) {
				if l, ok := draw(&paid); ok {
					b.Return(l, stock, 1, rapid.Bool().Draw(t, "void"))
				}
			},
			"": func(t *rapid.T) { conserved(t, b, stock) },
		})
	})
}

func conserved(t *rapid.T, b *Book, stock id.Stock) {
	s := *b.stocks[stock]
	if s.Available < 0 || s.Reserved < 0 || s.Delivered < 0 || s.Received != s.Available+s.Reserved+s.Delivered+s.Voided {
		t.Fatalf("stock %+v", s)
	}
	var free, held, gone int64
	size := map[string]int64{}
	for _, m := range b.shifts {
		size[m.From] -= m.Quantity
		size[m.To] += m.Quantity
	}
	for channel, a := range b.allots[stock] {
		if a.Available < 0 || a.Reserved < 0 || a.Delivered < 0 || a.Size != a.Available+a.Reserved+a.Delivered || a.Size != size[channel] || !a.Open && a.Available > 0 {
			t.Fatalf("allotment %+v, moved %d", a, size[channel])
		}
		free, held, gone = free+a.Available, held+a.Reserved, gone+a.Delivered
		var live, consumed int64
		for _, r := range b.fresh {
			if r.Allotment != channel {
				continue
			}
			switch r.State {
			case Live:
				live += r.Quantity
			case Consumed:
				consumed += r.Quantity
			case Returned:
				consumed -= r.Quantity
			}
		}
		if live != a.Reserved || consumed != a.Delivered {
			t.Fatalf("allotment %+v, reservations %d and %d", a, live, consumed)
		}
	}
	if free != s.Allotted || free > s.Available || held > s.Reserved || gone > s.Delivered || int64(len(b.allots[stock])) != s.Channels {
		t.Fatalf("stock %+v, allotted %d %d %d", s, free, held, gone)
	}
}
