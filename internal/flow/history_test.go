package flow_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/insight/verify"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
)

// model is the small shop that the big one must behave like: one variable for each thing,
// no database, no batches.
type model struct {
	*flowtest.Shop
	t      *testing.T
	offers []flowtest.Offer
	stocks map[id.Stock]*units
	orders []*bought
	pool   []*message // notices that may come, any number of times, in any order
	down   bool
	refuse bool
}

type units struct {
	kind                                   string
	available, reserved, delivered, voided int64
	// Of codes: when those on sale end (zero: never), as of the last look, and how many good
	// and ended ones have gone since.
	ends          []time.Time
	given, ceased int64
}

// good is how many codes may be picked, over how many have ended and are still on sale.
func (u *units) good(now time.Time) (n int64) {
	for _, e := range u.ends {
		if e.IsZero() || e.After(now) {
			n++
		}
	}
	return n - u.given
}

func (u *units) over(now time.Time) int64 {
	if u.kind != "codes" {
		return 0
	}
	return int64(len(u.ends)) - u.given - u.ceased - u.good(now)
}

type bought struct {
	command   flow.Place
	placed    flow.Placed
	lines     []flowtest.Want
	state     order.State
	paid      bool
	atGateway string // what the channel's own books say: "", "paid", "wrong" or "closed"
	delivered []int64
	refunds   []*owed
}

type owed struct {
	line int // -1: the whole of a capture
	sum  int64
	done bool
	lost bool // the gateway refused it; a person sees to it
}

type message struct {
	flow.Confirm
	of *bought
}

func newModel(t *testing.T, s *flowtest.Shop) *model {
	m := &model{Shop: s, t: t, stocks: map[id.Stock]*units{}}
	stock := func(kind string, n int64) id.Stock {
		st := s.Stock(t, kind)
		m.stocks[st] = &units{kind: kind}
		if n > 0 {
			m.receive(st, n)
		}
		return st
	}
	codes, scarce, seats := stock("codes", 0), stock("codes", 0), stock("counted", 4)
	for _, stock := range []id.Stock{codes, scarce} { // the first to be picked end while they are held
		m.receiveEnding(stock, 2, 4*time.Minute)
	}
	m.receive(codes, 4)
	m.receive(scarce, 1)
	m.offers = []flowtest.Offer{
		s.Sell(t, 1990, "", flowtest.Part{Stock: codes, Coded: true, Quantity: 1}),
		s.Sell(t, 4500, seats, flowtest.Part{Stock: codes, Coded: true, Quantity: 2}, flowtest.Part{Stock: scarce, Coded: true, Quantity: 1}, flowtest.Part{Quantity: 1}),
		s.Sell(t, 10, "", flowtest.Part{Quantity: 2}),
		s.Sell(t, 300, seats, flowtest.Part{Quantity: 1}),
		s.Sell(t, 700, "", flowtest.Part{Stock: scarce, Coded: true, Quantity: 1}),
	}
	return m
}

func (m *model) receive(stock id.Stock, n int64) {
	if m.stocks[stock].kind == "codes" {
		m.Codes(m.t, stock, n)
		m.stocks[stock].ends = append(m.stocks[stock].ends, make([]time.Time, n)...)
	} else {
		m.Receive(m.t, stock, n)
	}
	m.stocks[stock].available += n
}

// receiveEnding puts codes on sale that end after a while.
func (m *model) receiveEnding(stock id.Stock, n int64, after time.Duration) {
	ending(m.t, m.Flows, stock, n, after)
	u := m.stocks[stock]
	u.available += n
	for range n {
		u.ends = append(u.ends, m.Clock.Now().Add(after))
	}
}

func (m *model) codeStocks() []id.Stock {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.stocks)), func(s id.Stock) bool { return m.stocks[s].kind != "codes" })
}

// expireCodes retires what has ended, but for the codes behind held units.
func (m *model) expireCodes(t *rapid.T) {
	if _, err := m.ExpireCodes(m.ctx(), 1000); err != nil {
		t.Fatalf("codes that ended: %v", err)
	}
	for _, u := range m.stocks {
		n := min(u.over(m.Clock.Now()), u.available)
		u.available -= n
		u.voided += n
		u.ceased += n
	}
}

var codesOnSale = db.SQL("test.history_codes", `SELECT expires_at FROM codes WHERE stock_id = $1 AND state = 'available' ORDER BY id`)

// look compares the codes on sale: which of the good ones were given is the shop's choice,
// that as many good ones and as many ended ones have gone is not.
func (m *model) look(t *rapid.T) {
	now := m.Clock.Now()
	if err := m.DB.View(m.ctx(), func(tx *db.Tx) error {
		for _, s := range m.codeStocks() {
			u := m.stocks[s]
			fresh := &units{kind: u.kind}
			if err := tx.Query(m.ctx(), codesOnSale, func(scan func(...any) error) error {
				var end time.Time
				err := scan(db.Time(&end))
				fresh.ends = append(fresh.ends, end)
				return err
			}, s); err != nil {
				return err
			}
			if fresh.good(now) != u.good(now) || fresh.over(now) != u.over(now) {
				t.Fatalf("%d codes are good and %d are over; want %d and %d", fresh.good(now), fresh.over(now), u.good(now), u.over(now))
			}
			u.ends, u.given, u.ceased = fresh.ends, 0, 0
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (m *model) advance(t *rapid.T, d time.Duration) {
	m.look(t)
	m.Time.Advance(d)
}

// need is what a wanted line takes.
func need(w flowtest.Want) map[id.Stock]int64 {
	out := map[id.Stock]int64{}
	for s, n := range w.Offer.Needs() {
		out[s] += n * w.Quantity
	}
	return out
}

func (m *model) has(need map[id.Stock]int64) bool {
	for s, n := range need {
		if m.stocks[s].available-m.stocks[s].over(m.Clock.Now()) < n {
			return false
		}
	}
	return true
}

// ctx ends with the test, not with one of its runs.
func (m *model) ctx() context.Context { return m.t.Context() }

func (m *model) place(t *rapid.T) {
	var wants []flowtest.Want
	total := map[id.Stock]int64{}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(m.offers)-1), 1, 2, rapid.ID[int]).Draw(t, "offers") {
		w := flowtest.Want{Offer: m.offers[i], Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity")}
		wants = append(wants, w)
		for s, n := range need(w) {
			total[s] += n
		}
	}
	b := &bought{command: flowtest.Order(wants...), lines: wants, state: order.Pending, delivered: make([]int64, len(wants))}
	var err error
	b.placed, err = m.Place(m.ctx(), b.command)
	if !m.has(total) {
		if fault.CodeOf(err) != "order.sold_out" {
			t.Fatalf("too little for %v, and the answer is %v", total, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("place: %v", err)
	}
	for s, n := range total {
		m.stocks[s].available -= n
		m.stocks[s].reserved += n
	}
	m.orders = append(m.orders, b)
}

// placeAgain repeats a request (I18): same answer, no effect; with another body, a refusal.
func (m *model) placeAgain(t *rapid.T) {
	b := m.draw(t)
	again, err := m.Place(m.ctx(), b.command)
	if err != nil || again.Order.ID != b.placed.Order.ID || again.Intent.ID != b.placed.Intent.ID || !again.Repeated {
		// What is known to be sold out is refused without the database, a repetition too.
		if fault.CodeOf(err) != "order.sold_out" {
			t.Fatalf("a repeated request got %v, %v", again, err)
		}
	}
	other := b.command
	other.RequestHash = []byte("other")
	if _, err := m.Place(m.ctx(), other); fault.CodeOf(err) != "idempotency.reused" && fault.CodeOf(err) != "order.sold_out" {
		t.Fatalf("a used key with another body got %v", err)
	}
}

func (m *model) draw(t *rapid.T) *bought {
	if len(m.orders) == 0 {
		t.Skip("no orders") // rapid draws another action
	}
	return m.orders[rapid.IntRange(0, len(m.orders)-1).Draw(t, "order")]
}

// pay has a shopper pay; the notice may come at once, later, or never.
func (m *model) pay(t *rapid.T) {
	b := m.draw(t)
	amount := b.placed.Intent.Amount
	kind := rapid.SampledFrom([]string{"paid", "paid", "paid", "wrong"}).Draw(t, "amount")
	if kind == "wrong" {
		amount = rapid.SampledFrom([]money.Amount{money.Of(amount.Minor+1, money.CNY), money.Of(amount.Minor-1, money.CNY), money.Of(amount.Minor, money.USD)}).Draw(t, "wrong")
	}
	notice, ok := m.Gateway.Pay(b.placed.Intent, amount)
	if ok != (b.atGateway != "closed") {
		t.Fatalf("the charge takes payment=%t and is %q", ok, b.atGateway)
	}
	if !ok {
		return
	}
	if b.atGateway == "" {
		b.atGateway = kind
	}
	m.pool = append(m.pool, &message{notice, b})
	if rapid.Bool().Draw(t, "at once") {
		m.confirm(t, m.pool[len(m.pool)-1])
	}
}

// odd has a message come that isn't one plain payment.
func (m *model) odd(t *rapid.T) {
	b := m.draw(t)
	c := m.Gateway.PayTwice(b.placed.Intent)
	switch rapid.SampledFrom([]string{"second", "forged account", "unpaid", "unknown", "other channel"}).Draw(t, "kind") {
	case "forged account":
		c.Message.Account = false
	case "unpaid":
		c.Paid = false
	case "unknown":
		c.Intent = id.New[id.Intent]()
	case "other channel":
		c.Provider = "another"
	}
	m.pool = append(m.pool, &message{c, b})
	m.confirm(t, m.pool[len(m.pool)-1])
}

// notice has any message of the past come, perhaps again (P1, P3, P11).
func (m *model) notice(t *rapid.T) {
	if len(m.pool) == 0 {
		t.Skip("no notices") // rapid draws another action
	}
	m.confirm(t, m.pool[rapid.IntRange(0, len(m.pool)-1).Draw(t, "notice")])
}

func (m *model) confirm(t *rapid.T, n *message) {
	want := m.judge(n.Confirm, n.of)
	got, err := m.Confirm(m.ctx(), n.Confirm)
	if err != nil || got.Verdict != want {
		t.Fatalf("a notice got %q, %v; want %q", got.Verdict, err, want)
	}
	m.apply(n.Confirm, n.of, want)
}

// taken are the transactions and events that had their effect.
var taken = map[string]bool{}

func (m *model) judge(c flow.Confirm, b *bought) payment.Verdict {
	intent := b.placed.Intent
	switch {
	case taken[c.Provider+c.Event], taken[c.Provider+c.Txn]:
		return payment.Duplicate
	case c.Intent != intent.ID || c.Provider != flowtest.Channel:
		return payment.Unknown
	case !c.Paid:
		return payment.Ignored
	case !c.Message.Account || c.Amount != intent.Amount:
		return payment.Mismatch
	case b.paid:
		return payment.Second
	case b.state == order.Pending:
		return payment.Apply
	}
	return payment.Late
}

func (m *model) apply(c flow.Confirm, b *bought, v payment.Verdict) {
	if v != payment.Unknown {
		taken[c.Provider+c.Event] = true
	}
	switch v {
	case payment.Mismatch:
		taken[c.Provider+c.Txn] = true
	case payment.Second:
		taken[c.Provider+c.Txn] = true
		b.refunds = append(b.refunds, &owed{line: -1, sum: c.Amount.Minor})
	case payment.Apply, payment.Late:
		taken[c.Provider+c.Txn] = true
		b.paid = true
		var allocated []int
		for i, w := range b.lines {
			n := need(w)
			switch {
			case v == payment.Apply:
				for s, q := range n {
					m.stocks[s].reserved -= q
					m.stocks[s].delivered += q
				}
			case m.has(n):
				for s, q := range n {
					m.stocks[s].available -= q
					m.stocks[s].delivered += q
				}
			default:
				b.refunds = append(b.refunds, &owed{line: i, sum: w.Quantity * w.Offer.Price})
				continue
			}
			allocated = append(allocated, i)
		}
		m.deliver(b, allocated)
		b.state = b.settled()
	}
}

// deliver gives the units of lines their codes, line by line and unit by unit. Of a unit
// that finds one too few nothing is delivered: what it has goes back on sale, and what it
// lacks is an ended code, that is retired.
func (m *model) deliver(b *bought, lines []int) {
	left := map[id.Stock]int64{}
	for _, s := range m.codeStocks() {
		left[s] = m.stocks[s].good(m.Clock.Now())
	}
	for _, i := range lines {
		w := b.lines[i]
		for range w.Quantity {
			had, lacked := map[id.Stock]int64{}, map[id.Stock]int64{}
			for _, p := range w.Offer.Parts {
				for range p.Quantity {
					switch {
					case !p.Coded:
					case left[p.Stock] > 0:
						left[p.Stock]--
						had[p.Stock]++
					default:
						lacked[p.Stock]++
					}
				}
			}
			if len(lacked) == 0 {
				b.delivered[i]++
				for s, n := range had {
					m.stocks[s].given += n
				}
				continue
			}
			for s, n := range w.Offer.Needs() {
				u, lost := m.stocks[s], lacked[s]
				u.delivered -= n
				u.available += n - lost
				u.voided += lost
				u.ceased += lost
			}
		}
		if short := w.Quantity - b.delivered[i]; short > 0 {
			b.refunds = append(b.refunds, &owed{line: i, sum: short * w.Offer.Price})
		}
	}
}

func (b *bought) settled() order.State {
	var all, given int64
	for i, w := range b.lines {
		all, given = all+w.Quantity, given+b.delivered[i]
	}
	switch given {
	case all:
		return order.Fulfilled
	case 0:
		return order.Shortage
	}
	return order.Part
}

// ask is what happens when the channel is asked about an order: it reports whether the
// order may be closed.
func (m *model) ask(b *bought, now time.Time) bool {
	if m.down {
		return !now.Before(b.placed.Intent.ExpiresAt.Add(flow.GatewayGrace))
	}
	if b.atGateway == "paid" || b.atGateway == "wrong" {
		m.booked(b)
		return true
	}
	b.atGateway = "closed"
	return true
}

// booked books what the channel says of a payment.
func (m *model) booked(b *bought) {
	q := m.Gateway.Query(m.ctx(), flowtest.Ref(b.placed.Intent))
	c := flow.Confirm{Message: payment.Message{Provider: flowtest.Channel, Event: "query:" + q.TxnID, Intent: b.placed.Intent.ID, Txn: q.TxnID, Paid: true, Amount: q.Amount, Account: true}}
	m.apply(c, b, m.judge(c, b))
}

func (m *model) release(b *bought, as order.State) {
	b.state = as
	for _, w := range b.lines {
		for s, n := range need(w) {
			m.stocks[s].reserved -= n
			m.stocks[s].available += n
		}
	}
}

// expire lets time pass and ends what is over (P2, P9, P18).
func (m *model) expire(t *rapid.T) {
	m.advance(t, time.Duration(rapid.IntRange(1, 12).Draw(t, "minutes"))*time.Minute)
	now := m.Clock.Now()
	// The real shop asks about what is due first, the oldest before the others.
	due := slices.Clone(m.orders)
	slices.SortStableFunc(due, func(a, b *bought) int { return a.placed.Order.ExpiresAt.Compare(b.placed.Order.ExpiresAt) })
	if _, err := m.ExpireDue(m.ctx(), 1000); err != nil {
		t.Fatalf("expire: %v", err)
	}
	var over []*bought
	for _, b := range due {
		if b.state == order.Pending && !b.placed.Order.ExpiresAt.After(now) && m.ask(b, now) {
			over = append(over, b)
		}
	}
	for _, b := range over {
		if b.state == order.Pending {
			m.release(b, order.Expired)
		}
	}
}

func (m *model) cancel(t *rapid.T) {
	b := m.draw(t)
	err := m.Cancel(m.ctx(), b.placed.Order.ID)
	want := ""
	switch {
	case b.state == order.Pending && !m.ask(b, m.Clock.Now()):
		want = "order.unknown"
	case b.paid:
		want = "order.paid"
	case b.state == order.Pending:
		m.release(b, order.Cancelled)
	default:
		want = "order.closed"
	}
	if fault.CodeOf(err) != want {
		t.Fatalf("cancel of an order that is %s and at the channel %q: %v, want %q", b.state, b.atGateway, err, want)
	}
}

func (m *model) poll(t *rapid.T) {
	b := m.draw(t)
	if err := m.Poll(m.ctx(), b.placed.Order.ID); err != nil {
		t.Fatalf("poll: %v", err)
	}
	if !m.down && b.state == order.Pending && (b.atGateway == "paid" || b.atGateway == "wrong") {
		m.booked(b)
	}
}

func (m *model) reveal(t *rapid.T) {
	b := m.draw(t)
	codes := int64(0)
	for i, w := range b.lines {
		for _, p := range w.Offer.Parts {
			if p.Coded {
				codes += b.delivered[i] * p.Quantity
			}
		}
	}
	shown, err := m.Reveal(m.ctx(), flow.Reveal{Order: b.placed.Order.ID, Actor: "guest", Data: "{}"})
	if codes == 0 {
		if fault.CodeOf(err) != "right.none" {
			t.Fatalf("nothing to reveal, and the answer is %v", err)
		}
		return
	}
	seen := map[string]bool{}
	for _, r := range shown {
		seen[string(r.Secret.Code)] = true
	}
	if err != nil || int64(len(shown)) != codes || int64(len(seen)) != codes {
		t.Fatalf("%d codes, %d of them different, %v; want %d", len(shown), len(seen), err, codes)
	}
}

// sendRefunds has every refund that is due go out, whatever the channel makes of it (P11).
func (m *model) sendRefunds(t *rapid.T) {
	m.advance(t, 2*time.Hour) // longer than any pause between two attempts
	m.expireQuietly(t)
	for n := 1; n > 0; {
		var err error
		if n, err = m.SendRefunds(m.ctx(), 50); err != nil {
			t.Fatalf("refunds: %v", err)
		}
	}
	for _, b := range m.orders {
		for _, r := range b.refunds {
			switch {
			case m.down || r.done || r.lost:
			case m.refuse:
				r.lost = true
			default:
				r.done = true
			}
		}
		b.refunded()
	}
}

// refunded moves an order on when everything of it has gone back.
func (b *bought) refunded() {
	for i, w := range b.lines {
		back := slices.ContainsFunc(b.refunds, func(r *owed) bool { return r.line == i && r.done })
		if w.Quantity > 0 && !back {
			return
		}
	}
	if b.state == order.Shortage {
		b.state = order.Refunded
	}
}

// expireQuietly is expire for a clock that has been moved for another reason.
func (m *model) expireQuietly(t *rapid.T) {
	now := m.Clock.Now()
	if _, err := m.ExpireDue(m.ctx(), 1000); err != nil {
		t.Fatalf("expire: %v", err)
	}
	for _, b := range m.orders {
		if b.state == order.Pending && !b.placed.Order.ExpiresAt.After(now) && m.ask(b, now) && b.state == order.Pending {
			m.release(b, order.Expired)
		}
	}
}

// same compares the two shops.
func (m *model) same(t *rapid.T) {
	m.look(t)
	err := m.DB.View(m.ctx(), func(tx *db.Tx) error {
		stocks, err := m.Inventory.Stocks(m.ctx(), tx, slices.Collect(maps.Keys(m.stocks)))
		if err != nil {
			return err
		}
		for s, u := range m.stocks {
			if got := stocks[s]; got.Available != u.available || got.Reserved != u.reserved || got.Delivered != u.delivered || got.Voided != u.voided {
				t.Fatalf("stock of %s: %+v, want %+v", u.kind, *got, *u)
			}
		}
		ids := make([]id.Order, len(m.orders))
		for i, b := range m.orders {
			ids[i] = b.placed.Order.ID
		}
		orders, err := m.Orders.Get(m.ctx(), tx, ids)
		if err != nil {
			return err
		}
		rights, err := m.Rights.OfOrders(m.ctx(), tx, ids)
		if err != nil {
			return err
		}
		refunds, err := m.Payments.RefundsOf(m.ctx(), tx, ids)
		if err != nil {
			return err
		}
		sums := map[id.Order][2]int64{}
		for _, r := range refunds {
			s := sums[r.Order]
			s[0] += r.Amount.Minor
			if r.State == payment.RefundDone {
				s[1] += r.Amount.Minor
			}
			sums[r.Order] = s
		}
		for _, b := range m.orders {
			b.compare(t, orders[b.placed.Order.ID], rights[b.placed.Order.ID], sums[b.placed.Order.ID])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bought) compare(t *rapid.T, o *order.Order, rights []*entitlement.Right, refunds [2]int64) {
	if o.State != b.state || o.PaidAt.IsZero() == b.paid {
		t.Fatalf("order %s is %s, paid=%t; want %s, %t", o.ID, o.State, !o.PaidAt.IsZero(), b.state, b.paid)
	}
	var held, sum, done int64
	for i, w := range b.lines {
		if o.Lines[i].Delivered != b.delivered[i] {
			t.Fatalf("order %s line %d has %d delivered; want %d", o.ID, i, o.Lines[i].Delivered, b.delivered[i])
		}
		for _, p := range w.Offer.Parts {
			held += p.Quantity * b.delivered[i]
		}
	}
	for _, r := range b.refunds {
		sum += r.sum
		if r.done {
			done += r.sum
		}
	}
	if int64(len(rights)) != held || refunds != [2]int64{sum, done} {
		t.Fatalf("order %s has %d rights and refunds %v; want %d and %v", o.ID, len(rights), refunds, held, [2]int64{sum, done})
	}
}

// settle brings everything to an end (I30): no order waits, no refund is under way.
func (m *model) settle(t *rapid.T) {
	m.setDown(false)
	m.setRefuse(false)
	m.advance(t, flow.HoldFor)
	m.expireQuietly(t)
	m.sendRefunds(t)
	m.expireCodes(t)
	for n := 1; n > 0; {
		var err error
		if n, err = m.WorkJobs(m.ctx(), 1000); err != nil {
			t.Fatalf("jobs: %v", err)
		}
	}
	for _, b := range m.orders {
		if b.state == order.Pending {
			t.Fatalf("order %s still waits", b.placed.Order.ID)
		}
	}
	m.same(t)
}

func (m *model) setDown(down bool)     { m.down = down; m.Gateway.Down(down) }
func (m *model) setRefuse(refuse bool) { m.refuse = refuse; m.Gateway.RefuseRefunds(refuse) }

// runs sets how many histories rapid tries.
func runs(t *testing.T, short, long int) {
	t.Helper()
	n := long
	if testing.Short() {
		n = short
	}
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(n), "rapid.shrinktime": "15s", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
}

// clean fails unless every invariant holds.
func clean(t testing.TB, s *flowtest.Shop) {
	t.Helper()
	results, err := verify.Verify(t.Context(), s.DB, verify.Options{Now: s.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, row := range r.Rows {
			t.Errorf("%s %s %s", row.Rule, row.Subject, row.Detail)
		}
	}
}

// TestHistories plays random histories against the model (P1 to P5, P7 to P11, P15, P17,
// P18) and then checks every invariant.
func TestHistories(t *testing.T) {
	runs(t, 8, 60)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		s.Asking = 1 // in the model's order
		rapid.Check(t, func(rt *rapid.T) {
			m := newModel(t, s)
			defer m.setDown(false)
			defer m.setRefuse(false)
			rt.Repeat(map[string]func(*rapid.T){
				"place": m.place, "place more": m.place, "place again": m.placeAgain, "pay": m.pay, "pay more": m.pay, "odd": m.odd, "notice": m.notice,
				"expire": m.expire, "cancel": m.cancel, "poll": m.poll, "reveal": m.reveal, "refunds": m.sendRefunds,
				"receive": func(t *rapid.T) {
					s := rapid.SampledFrom(slices.Sorted(maps.Keys(m.stocks))).Draw(t, "stock")
					m.receive(s, rapid.Int64Range(1, 3).Draw(t, "units"))
				},
				"receive ending": func(t *rapid.T) {
					s := rapid.SampledFrom(m.codeStocks()).Draw(t, "stock")
					m.receiveEnding(s, rapid.Int64Range(1, 3).Draw(t, "units"), time.Duration(rapid.IntRange(1, 12).Draw(t, "ends in"))*time.Minute)
				},
				"codes end":    m.expireCodes,
				"gateway down": func(*rapid.T) { m.setDown(!m.down) },
				"refuse":       func(*rapid.T) { m.setRefuse(!m.refuse) },
				"jobs": func(t *rapid.T) {
					if _, err := m.WorkJobs(m.ctx(), 10); err != nil {
						t.Fatalf("jobs: %v", err)
					}
				},
				"": m.same,
			})
			m.settle(rt)
			results, err := verify.Verify(t.Context(), d, verify.Options{Now: s.Clock.Now()})
			if err != nil || !verify.OK(results) {
				rt.Fatalf("verify: %v %s", err, broken(results))
			}
		})
	})
}

func broken(results []verify.Result) (out string) {
	for _, r := range results {
		for _, row := range r.Rows {
			out += fmt.Sprintln(row.Rule, row.Subject, row.Detail)
		}
	}
	return out
}
