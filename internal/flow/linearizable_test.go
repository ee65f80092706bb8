package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
)

// stockOp is something done to one stock, and what the caller was told.
type stockOp struct {
	what string // "place", "cancel", "late", "receive"
	n    int64
}

// stockModel is a counter of available units. A refusal must be true at some moment between
// question and answer, unless stale is allowed: what is sold out on one node another learns
// a moment later.
func stockModel(begin int64, stale bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return begin },
		Step: func(state, input, output any) (bool, any) {
			free, op, ok := state.(int64), input.(stockOp), output.(bool)
			switch op.what {
			case "place", "late":
				if !ok {
					return stale || free < op.n, free
				}
				return free >= op.n, free - op.n
			default:
				return true, free + op.n
			}
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprint(input, output) },
	}
}

// recorder keeps what clients saw, for porcupine.
type recorder struct {
	mu    sync.Mutex
	begin time.Time
	ops   []porcupine.Operation
}

func (r *recorder) do(client int, input any, call func() any) {
	from := time.Since(r.begin).Nanoseconds()
	output := call()
	to := time.Since(r.begin).Nanoseconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: input, Call: from, Output: output, Return: to})
}

// TestStockIsLinearizable has clients place, cancel, pay late and receive at once, and asks
// porcupine whether one counter could have given all the answers (I8).
func TestStockIsLinearizable(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		for round := range scale(2, 6) {
			nodes := all
			if round%2 == 0 {
				nodes = all[:1] // one process: a refusal is as true as a sale
			}
			stock := s.Stock(t, "counted")
			s.Receive(t, stock, 6)
			offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
			r := &recorder{begin: time.Now()}
			together(8, func(i int) {
				f, rng := nodes[i%len(nodes)], rand.New(rand.NewPCG(uint64(round), uint64(i)))
				for range 12 {
					n := 1 + rng.Int64N(3)
					var p flow.Placed
					var err error
					r.do(i, stockOp{"place", n}, func() any {
						p, err = f.Place(ctx, flowtest.Order(flowtest.Want{Offer: offer, Quantity: n}))
						return err == nil
					})
					switch {
					case fault.CodeOf(err) == "order.sold_out":
						if rng.IntN(4) == 0 {
							r.do(i, stockOp{"receive", 1}, func() any { s.Receive(t, stock, 1); return true })
						}
						continue
					case err != nil:
						t.Errorf("place: %v", err)
						continue
					}
					if rng.IntN(3) == 0 {
						continue // pays in time or never: nothing changes what is available
					}
					notice := s.Gateway.PayTwice(p.Intent)
					r.do(i, stockOp{"cancel", n}, func() any {
						if err := f.Cancel(ctx, p.Order.ID); err != nil {
							t.Errorf("cancel: %v", err)
						}
						return true
					})
					if rng.IntN(2) == 0 {
						r.do(i, stockOp{"late", n}, func() any {
							if _, err := f.Confirm(ctx, notice); err != nil {
								t.Errorf("confirm: %v", err)
							}
							return len(s.Held(t, p.Order.ID)) > 0
						})
					}
				}
			})
			if result, _ := porcupine.CheckOperationsVerbose(stockModel(6, len(nodes) > 1), r.ops, 20*time.Second); result != porcupine.Ok {
				t.Errorf("round %d with %d processes: the answers of %d operations are %s", round, len(nodes), len(r.ops), result)
			}
		}
		clean(t, s)
	})
}

// codesModel is a pool: each code can be given once, and "none left" is true only when all
// were.
func codesModel(pool int) porcupine.Model {
	type given = string // the sorted codes, joined: a state must compare
	return porcupine.Model{
		Init: func() any { return given("") },
		Step: func(state, input, output any) (bool, any) {
			have, want, got := state.(string), input.(int), output.([]id.Code)
			taken := 0
			if have != "" {
				taken = len(have) / len(id.New[id.Code]())
			}
			if len(got) == 0 {
				return pool-taken < want, have
			}
			if len(got) != want {
				return false, have
			}
			size := len(got[0])
			all := make([]string, 0, taken+want)
			for i := range taken {
				all = append(all, have[i*size:(i+1)*size])
			}
			for _, c := range got {
				if slices.Contains(all, string(c)) {
					return false, have
				}
				all = append(all, string(c))
			}
			slices.Sort(all)
			joined := ""
			for _, c := range all {
				joined += c
			}
			return true, joined
		},
	}
}

// TestCodesAreGivenOnce has orders whose units are gone paid at once, more than there are
// codes, each of them twice: every code is given once, and a shortage is true (I5, P15).
func TestCodesAreGivenOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		ctx := t.Context()
		for range scale(2, 6) {
			const pool = 8
			offer := single(t, s, pool)
			var ps []flow.Placed
			var notices []flow.Confirm
			var wants []int
			for i := range 12 {
				n := 1 + i%2
				p := placed(t, s, flowtest.Want{Offer: offer, Quantity: int64(n)})
				notices = append(notices, s.Gateway.PayTwice(p.Intent))
				if err := s.Cancel(ctx, p.Order.ID); err != nil {
					t.Fatal(err)
				}
				ps, wants = append(ps, p), append(wants, n)
			}
			r := &recorder{begin: time.Now()}
			together(len(ps), func(i int) {
				r.do(i, wants[i], func() any {
					for n := range 2 {
						if _, err := all[(i+n)%len(all)].Confirm(ctx, notices[i]); err != nil {
							t.Errorf("confirm: %v", err)
						}
					}
					var codes []id.Code
					for _, h := range s.Held(t, ps[i].Order.ID) {
						codes = append(codes, h.Code)
					}
					return codes
				})
			})
			if result, _ := porcupine.CheckOperationsVerbose(codesModel(pool), r.ops, 20*time.Second); result != porcupine.Ok {
				t.Errorf("the codes given are %s", result)
			}
		}
		clean(t, s)
	})
}
