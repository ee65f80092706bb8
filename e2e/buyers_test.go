package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// purchase is what one buyer knows of one purchase: only what was answered.
type purchase struct {
	key   string
	offer id.Offer

	refused string   // the problem that ended it before there was an order
	order   id.Order // "" while unknown
	token   string
	intent  string
	total   int64
	told    bool // the gateway's notice was answered with success
	codes   []string
}

// market is buyers at work on a shop whose servers come and go, and their common log.
type market struct {
	t    *testing.T
	shop *shop
	http *http.Client

	// where gives an address to send the next request to, and a function to call when that is
	// over; it waits while there is none.
	where func(ctx context.Context) (addr string, over func(), err error)

	mu   sync.Mutex
	log  []*purchase
	lies []string
	acks chan struct{} // one for each fact that was acknowledged
}

func newMarket(t *testing.T, s *shop) *market {
	return &market{t: t, shop: s, http: newHTTP(), acks: make(chan struct{}, 1<<20)}
}

func (m *market) lie(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lies = append(m.lies, fmt.Sprintf(format, args...))
}

// insist repeats a request under its key until the answer is definite, as the API's
// document tells clients to. It gives nil when the buyer stops asking: after the first
// failure of who has no patience, or when ctx ends.
func (m *market) insist(ctx context.Context, patient bool, send func(addr string) (*answer, error)) *answer {
	pause := time.NewTicker(3 * time.Millisecond)
	defer pause.Stop()
	for {
		addr, over, err := m.where(ctx)
		if err != nil {
			return nil
		}
		a, err := send(addr)
		over()
		if err == nil && a.status < 500 {
			return a
		}
		if err == nil && a.status != 503 {
			m.lie("an answer with status %d: %s", a.status, a.raw)
		}
		if !patient {
			return nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// buy places, pays and reads one purchase. Some buyers walk away when an answer is lost.
func (m *market) buy(ctx context.Context, rng *rand.Rand, n int) {
	p := &purchase{key: fmt.Sprintf("buyer-%d-%d", n, rng.Uint64()), offer: m.shop.offers[0]}
	if k := rng.IntN(2 * len(m.shop.offers)); k < len(m.shop.offers) { // half of all buy the hot offer
		p.offer = m.shop.offers[k]
	}
	m.mu.Lock()
	m.log = append(m.log, p)
	m.mu.Unlock()
	if !m.order(ctx, p, rng.IntN(5) > 0) {
		return
	}
	if rng.IntN(4) == 0 { // a double click
		m.order(ctx, p, true)
	}
	if !m.tell(ctx, p, rng.IntN(4) > 0) {
		return
	}
	if rng.IntN(6) > 0 {
		m.read(ctx, p)
	}
}

// order places p, or asks for it again; it reports whether there is an order.
func (m *market) order(ctx context.Context, p *purchase, patient bool) bool {
	a := m.insist(ctx, patient, func(addr string) (*answer, error) { return place(ctx, m.http, addr, p.key, p.offer) })
	switch {
	case a == nil:
		return p.order != ""
	case a.status == 409 && a.Code == "order.sold_out" && p.order == "":
		p.refused = a.Code
		return false
	case a.status != 200 && a.status != 201:
		m.lie("order %s was answered %d: %s", p.key, a.status, a.raw)
		return false
	case p.order != "" && a.ID != p.order:
		m.lie("the key %s made the orders %s and %s (I18)", p.key, p.order, a.ID)
	case p.order == "":
		p.order, p.token, p.total = a.ID, a.Token, a.Total.Minor
		m.acks <- struct{}{}
	}
	if a.Payment.Intent != "" {
		p.intent = a.Payment.Intent
	}
	return p.intent != ""
}

// tell delivers the gateway's notice; it reports whether it was taken.
func (m *market) tell(ctx context.Context, p *purchase, patient bool) bool {
	a := m.insist(ctx, patient, func(addr string) (*answer, error) {
		return paid(ctx, m.http, addr, p.intent, p.key, p.total)
	})
	if a == nil {
		return false
	}
	if !a.taken() {
		m.lie("the notice of %s was answered %d: %s", p.order, a.status, a.raw)
		return false
	}
	if !p.told {
		p.told = true
		m.acks <- struct{}{}
	}
	return true
}

// read reveals the codes of p; shown again they are the same.
func (m *market) read(ctx context.Context, p *purchase) {
	a := m.insist(ctx, true, func(addr string) (*answer, error) {
		return reveal(ctx, m.http, addr, p.order, p.token, "reveal-"+p.key)
	})
	if a == nil {
		return
	}
	var codes []string
	for _, r := range a.Rights {
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	switch {
	case a.status != 200 || len(codes) == 0 || codes[0] == "":
		m.lie("the notice of %s was taken, and its codes are %d: %s", p.order, a.status, a.raw)
	case p.codes != nil && !slices.Equal(p.codes, codes):
		m.lie("order %s showed %v and then %v", p.order, p.codes, codes)
	case p.codes == nil:
		p.codes = codes
		m.acks <- struct{}{}
	}
}

// work has n buyers buy until stop is closed, and waits for them.
func (m *market) work(ctx context.Context, rng *rand.Rand, n int, stop <-chan struct{}) *sync.WaitGroup {
	var all sync.WaitGroup
	for i := range n {
		mine := rand.New(rand.NewPCG(rng.Uint64(), uint64(i)))
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-ctx.Done():
					return
				default:
					m.buy(ctx, mine, i)
				}
			}
		})
	}
	return &all
}

// heard waits until n more facts were acknowledged.
func (m *market) heard(ctx context.Context, n int) {
	m.t.Helper()
	for range n {
		select {
		case <-m.acks:
		case <-ctx.Done():
			m.t.Fatalf("nothing is acknowledged any more; lies so far: %v", m.lies)
		}
	}
}

// settle does what the world does once the faults are over: the gateway repeats its notices
// until they are taken, and who paid reads their codes.
func (m *market) settle(ctx context.Context) {
	for _, p := range m.log {
		if p.intent != "" && !p.told {
			m.tell(ctx, p, true)
		}
		if p.told {
			m.read(ctx, p)
		}
	}
}

var (
	ordersThere = db.SQL("e2e.orders", `SELECT idem_key, id, state FROM orders`)
	codesGiven  = db.SQL("e2e.codes", `SELECT r.order_id, COUNT(*) FROM codes c JOIN rights r ON r.id = c.right_id WHERE c.state = 'delivered' GROUP BY r.order_id`)
	captures    = db.SQL("e2e.captures", `SELECT order_id, COUNT(*), SUM(amount) FROM payment_captures WHERE state = 'applied' GROUP BY order_id`)
)

// check compares the buyers' log with the database (I17): acknowledged ⊆ present ⊆
// acknowledged ∪ unknown, and the same of money and codes.
func (m *market) check() {
	t := m.t
	t.Helper()
	for _, l := range m.lies {
		t.Error(l)
	}
	type row struct {
		order id.Order
		state string
	}
	present, given, money := map[string]row{}, map[id.Order]int{}, map[id.Order][2]int64{}
	m.shop.look(func(ctx context.Context, tx *db.Tx) error {
		if err := tx.Query(ctx, ordersThere, func(scan func(...any) error) error {
			var key string
			var r row
			err := scan(&key, &r.order, &r.state)
			if was, twice := present[key]; twice {
				t.Errorf("the key %s made the orders %s and %s (I18)", key, was.order, r.order)
			}
			present[key] = r
			return err
		}); err != nil {
			return err
		}
		if err := tx.Query(ctx, codesGiven, func(scan func(...any) error) error {
			var o id.Order
			var n int
			err := scan(&o, &n)
			given[o] = n
			return err
		}); err != nil {
			return err
		}
		return tx.Query(ctx, captures, func(scan func(...any) error) error {
			var o id.Order
			var m [2]int64
			err := scan(&o, &m[0], &m[1])
			money[o] = m
			return err
		})
	})
	asked := map[string]*purchase{}
	seen := map[string]id.Order{}
	var acked, told, read int
	for _, p := range m.log {
		asked[p.key] = p
		there, ok := present[p.key]
		if p.order != "" {
			acked++
			if !ok || there.order != p.order {
				t.Errorf("order %s was acknowledged and is not there (I17)", p.order)
			}
		}
		if p.refused != "" && ok {
			t.Errorf("%s was refused with %s, and order %s is there", p.key, p.refused, there.order)
		}
		if p.told {
			told++
			if there.state != "fulfilled" || money[p.order] != [2]int64{1, p.total} {
				t.Errorf("the payment of %s was acknowledged; it is %s with %v booked (I7)", p.order, there.state, money[p.order])
			}
			if len(p.codes) != 1 {
				t.Errorf("order %s is paid and its codes were never read", p.order)
			}
		}
		for _, code := range p.codes {
			read++
			if other, twice := seen[code]; twice {
				t.Errorf("orders %s and %s got the same code (I5)", p.order, other)
			}
			seen[code] = p.order
		}
		if n := given[p.order]; p.order != "" && n != len(p.codes) {
			t.Errorf("order %s has %d codes delivered and %d read", p.order, n, len(p.codes))
		}
		delete(given, p.order)
	}
	for key, r := range present {
		if asked[key] == nil {
			t.Errorf("order %s is there and nobody asked for it (I17)", r.order)
		}
	}
	for o, n := range given {
		t.Errorf("%d codes went to %s, which nobody paid", n, o)
	}
	t.Logf("%d purchases begun, %d orders acknowledged, %d there, %d payments acknowledged, %d codes read", len(m.log), acked, len(present), told, read)
	if told == 0 {
		t.Error("nobody bought anything")
	}
}
