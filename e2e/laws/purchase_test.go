package laws

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
)

// TestJudge: each way in which a message can be no payment of its order has its verdict.
func TestJudge(t *testing.T) {
	intent := &payment.Intent{ID: id.New[id.Intent](), Gateway: "g", Amount: money.Of(1990, money.CNY), State: payment.Pending}
	good := payment.Message{Provider: "g", Event: "e", Intent: intent.ID, Txn: "t", Paid: true, Amount: intent.Amount, Account: true}
	other := func(change func(m *payment.Message)) payment.Message { m := good; change(&m); return m }
	for _, c := range []struct {
		name               string
		m                  payment.Message
		intent             *payment.Intent
		paid, open, booked bool
		want               payment.Verdict
	}{
		{"as it should be", good, intent, false, true, false, payment.Apply},
		{"after the end", good, intent, false, false, false, payment.Late},
		{"booked before", good, intent, true, false, true, payment.Duplicate},
		{"paid before", good, intent, true, false, false, payment.Second},
		{"about nothing we know", good, nil, false, false, false, payment.Unknown},
		{"by another gateway", other(func(m *payment.Message) { m.Provider = "h" }), intent, false, true, false, payment.Unknown},
		{"unpaid", other(func(m *payment.Message) { m.Paid = false }), intent, false, true, false, payment.Ignored},
		{"to another account", other(func(m *payment.Message) { m.Account = false }), intent, false, true, false, payment.Mismatch},
		{"too little", other(func(m *payment.Message) { m.Amount = money.Of(1989, money.CNY) }), intent, false, true, false, payment.Mismatch},
		{"too much", other(func(m *payment.Message) { m.Amount = money.Of(1991, money.CNY) }), intent, false, true, false, payment.Mismatch},
		{"in another currency", other(func(m *payment.Message) { m.Amount = money.Of(1990, money.USD) }), intent, false, true, false, payment.Mismatch},
	} {
		if got := payment.Judge(c.m, c.intent, c.paid, c.open, c.booked); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
	c := payment.Capture{ID: "c", Amount: money.Of(100, money.CNY)}
	before := []payment.Refund{{Capture: "c", Amount: money.Of(60, money.CNY), State: payment.RefundWaiting}, {Capture: "c", Amount: money.Of(99, money.CNY), State: payment.RefundFailed}}
	for amount, want := range map[int64]string{40: "", 41: "refund.exceeds", 0: "refund.exceeds", -1: "refund.exceeds"} {
		if got := fault.CodeOf(payment.Check(c, before, amount)); got != want {
			t.Errorf("a refund of %d out of 40: %q", amount, got)
		}
	}
}

// TestAPurchaseLeavesEverything: what a purchase must leave behind is there, and holds.
func TestAPurchaseLeavesEverything(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		p := s.Buy(t, flowtest.Want{Offer: single(t, s, 5), Quantity: 2})
		if _, err := s.Reveal(ctx, flow.Reveal{Order: p.Order.ID, Actor: "holder", Data: "{}"}); err != nil {
			t.Fatal(err)
		}
		holds(t, s)
		right := s.Held(t, p.Order.ID)[0]
		if _, _, err := s.RevealCode(ctx, flow.RevealCode{Code: right.Code, Reason: "the shopper asks", By: "pty_ops", Origin: "console"}); err != nil {
			t.Fatal(err)
		}
		var rows []audit.Row
		if err := s.DB.View(ctx, func(tx *db.Tx) (err error) { rows, err = audit.Of(ctx, tx, string(right.Code)); return err }); err != nil || len(rows) != 1 {
			t.Errorf("a code was shown to staff, and the trail has %d rows of it, %v", len(rows), err)
		}
		if s.Keys.CheckLink(string(p.Order.ID), s.Keys.LinkSecret("another")) || s.Keys.CheckLink(string(p.Order.ID), "") {
			t.Error("another secret opens the order")
		}
	})
}

// TestAMessageCountsOnce: repeated, replayed on another order, and repeated after nobody
// knew what it was about.
func TestAMessageCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		offer := single(t, s, 9)
		confirm := func(what string, c flow.Confirm, want payment.Verdict) {
			t.Helper()
			got, err := s.Confirm(ctx, c)
			if err != nil || got.Verdict != want {
				t.Errorf("%s: %q, %v; want %q", what, got.Verdict, err, want)
			}
		}
		a, b := placed(t, s, offer), placed(t, s, offer)
		notice := s.Gateway.PayTwice(a.Intent)
		confirm("a payment", notice, payment.Apply)
		confirm("its notice again", notice, payment.Duplicate)
		replay := notice
		replay.Event, replay.Intent = "evt-replay", b.Intent.ID
		confirm("its transaction for another order", replay, payment.Duplicate)
		confirm("a second payment", s.Gateway.PayTwice(a.Intent), payment.Second)
		early := s.Gateway.PayTwice(b.Intent)
		if err := s.DB.Do(ctx, func(tx *db.Tx) error { // it came before the order was there
			return s.Payments.AddNotices(ctx, tx, []payment.Notice{{ID: id.New[id.Notice](), Provider: early.Provider, Event: early.Event, Intent: early.Intent,
				Outcome: string(payment.Unknown), Body: []byte("{}"), ReceivedAt: s.Clock.Now()}})
		}); err != nil {
			t.Fatal(err)
		}
		confirm("a notice that came too early", early, payment.Apply)
		var kept []payment.Notice
		if err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
			kept, err = s.Payments.NoticesOf(ctx, tx, []id.Intent{a.Intent.ID})
			return err
		}); err != nil || len(kept) != 2 || kept[0].Outcome != string(payment.Apply) || kept[1].Outcome != string(payment.Second) {
			t.Errorf("what is kept of the messages: %+v, %v", kept, err)
		}
		for _, p := range []flow.Placed{a, b} {
			if held := s.Held(t, p.Order.ID); len(held) != 1 {
				t.Errorf("the order has %d rights", len(held))
			}
		}
		holds(t, s)
	})
}

// TestAnOrderEndsOnce: what is paid can't be cancelled, what isn't over can't expire, and
// money for what has ended gets what is left or goes back.
func TestAnOrderEndsOnce(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		offer := single(t, s, 2)
		stock := offer.Parts[0].Stock
		paid := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
		if err := s.Cancel(ctx, paid.Order.ID); fault.CodeOf(err) != "order.paid" {
			t.Errorf("a paid order is cancelled: %v", err)
		}
		open := placed(t, s, offer)
		if _, err := s.Place(ctx, flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})); fault.CodeOf(err) != "order.sold_out" {
			t.Errorf("nothing is left, and an order is answered with %v", err)
		}
		due := func() (out []id.Order) {
			t.Helper()
			if err := s.DB.View(ctx, func(tx *db.Tx) (err error) { out, err = s.Orders.Due(ctx, tx, s.Clock.Now(), 10); return err }); err != nil {
				t.Fatal(err)
			}
			return out
		}
		if got := due(); len(got) != 0 {
			t.Errorf("%v are over before their time", got)
		}
		s.Time.Advance(flow.HoldFor)
		if got := due(); len(got) != 1 || got[0] != open.Order.ID {
			t.Errorf("%v are over", got)
		}
		late := s.Gateway.PayTwice(open.Intent) // the channel, asked, knows nothing of it yet
		if _, err := s.ExpireDue(ctx, 10); err != nil {
			t.Fatal(err)
		}
		if u := s.Units(t, stock); u.Available != 1 || u.Reserved != 0 || u.Delivered != 1 {
			t.Errorf("stock %+v", u)
		}
		s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1}) // somebody else takes it
		if got, err := s.Confirm(ctx, late); err != nil || got.Verdict != payment.Late {
			t.Errorf("a late payment: %q, %v", got.Verdict, err)
		}
		if o := s.Look(t, open.Order.ID); o.State != order.Shortage {
			t.Errorf("the order is %s", o.State)
		}
		holds(t, s)
	})
}

// TestARequestIsWhatItWas: a key that came with another body is refused, also when both
// travel in one batch, and a price that isn't the one shown is told.
func TestARequestIsWhatItWas(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		offer := single(t, s, 500)
		c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
		if _, err := s.Place(ctx, c); err != nil {
			t.Fatal(err)
		}
		c.RequestHash = []byte("another body")
		if _, err := s.Place(ctx, c); fault.CodeOf(err) != "idempotency.reused" {
			t.Errorf("another body under a used key: %v", err)
		}
		c = flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
		c.Lines[0].ExpectPrice = 1
		if _, err := s.Place(ctx, c); fault.CodeOf(err) != "order.price_changed" {
			t.Errorf("at another price than shown: %v", err)
		}
		for range 20 {
			two := [2]flow.Place{flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})}
			two[1] = two[0]
			two[1].RequestHash = []byte("another body")
			var codes [2]string
			inOneBatch(t, s, 2, func(i int) {
				_, err := s.Place(ctx, two[i])
				codes[i] = fault.CodeOf(err)
			})
			if codes != [2]string{"", "idempotency.reused"} && codes != [2]string{"idempotency.reused", ""} {
				t.Fatalf("two bodies under one key: %q", codes)
			}
		}
		holds(t, s)
	})
}

// inOneBatch calls fn n times at once while the database is kept from committing, so that
// most calls meet in one batch.
func inOneBatch(t *testing.T, s *flowtest.Shop, n int, fn func(i int)) {
	t.Helper()
	var ready, all sync.WaitGroup
	ready.Add(n)
	err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		for i := range n {
			all.Go(func() {
				ready.Done()
				fn(i)
			})
		}
		ready.Wait()
		for range 20 { // gives them the time of some statements to queue up
			if _, err := s.Orders.States(t.Context(), tx, []id.Order{"ord_none"}); err != nil {
				return err
			}
		}
		return nil
	})
	all.Wait()
	if err != nil {
		t.Fatal(err)
	}
}

// TestABalanceIsCovered: no payment and no posting takes more than there is, and one that
// would doesn't send its neighbours round again.
func TestABalanceIsCovered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		ctx := t.Context()
		party := id.New[id.Party]()
		if err := s.Credit(ctx, party, money.Of(10, money.CNY), true, "ref", "paid in", "pty_ops", "console"); err != nil {
			t.Fatal(err)
		}
		err := d.Do(ctx, func(tx *db.Tx) error {
			return s.Ledger.Post(ctx, tx, []ledger.Transfer{{Entry: "entry", Leg: 1, Debit: ledger.Prepaid(party, money.CNY), Credit: ledger.Sales(money.CNY),
				Amount: money.Of(11, money.CNY), Kind: "sale", At: s.Clock.Now()}})
		})
		if fault.CodeOf(err) != "ledger.insufficient" {
			t.Errorf("11 out of 10: %v", err)
		}
		offer := single(t, s, 40)
		var orders []id.Order
		for range 20 {
			c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})
			c.Gateway, c.Party = payment.Balance, party
			p, err := s.Place(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			orders = append(orders, p.Order.ID)
		}
		for range 3 {
			inOneBatch(t, s, len(orders), func(i int) {
				if err := s.PayBalance(ctx, orders[i], party); fault.CodeOf(err) != "ledger.insufficient" {
					t.Errorf("19.90 out of 0.10: %v", err)
				}
			})
		}
		if lane := s.Lanes()["confirm"]; lane.Alone != 0 {
			t.Errorf("%d commands ran a second time", lane.Alone)
		}
		holds(t, s)
	})
}

// forgetful is a channel that pays a refund back and whose first answer is lost.
type forgetful struct {
	*flowtest.Gateway
	mu   sync.Mutex
	lost bool
}

// Refund implements paygate.Gateway.
func (g *forgetful) Refund(ctx context.Context, r paygate.RefundRequest) paygate.RefundResult {
	done := g.Gateway.Refund(ctx, r)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.lost {
		g.lost = true
		return paygate.RefundResult{Why: errors.New("no answer")}
	}
	return done
}

// TestARefundKeepsItsNumber: a refund whose answer was lost goes out again under its number,
// and the money goes back once.
func TestARefundKeepsItsNumber(t *testing.T) {
	each(t, func(t *testing.T, s *flowtest.Shop) {
		ctx := t.Context()
		s.Gateways[flowtest.Channel] = &forgetful{Gateway: s.Gateway}
		p := s.Buy(t, flowtest.Want{Offer: single(t, s, 5), Quantity: 1})
		if _, err := s.Confirm(ctx, s.Gateway.PayTwice(p.Intent)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := s.SendRefunds(ctx, 10); err != nil {
				t.Fatal(err)
			}
			s.Time.Advance(2 * time.Hour)
		}
		if back := s.Gateway.Refunded(); back != 1990 {
			t.Errorf("%d went back", back)
		}
		var refunds []payment.Refund
		if err := s.DB.View(ctx, func(tx *db.Tx) (err error) {
			refunds, err = s.Payments.RefundsOf(ctx, tx, []id.Order{p.Order.ID})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(refunds) != 1 || refunds[0].State != payment.RefundDone {
			t.Errorf("refunds %+v", refunds)
		}
		holds(t, s)
	})
}

var synchronous = db.SQL("laws.synchronous", `PRAGMA synchronous`)

// TestCommitsReachTheDisk: SQLite syncs its log at every commit, as FULL (2) means.
func TestCommitsReachTheDisk(t *testing.T) {
	var mode int64
	if err := dbtest.Open(t, "sqlite").Do(t.Context(), func(tx *db.Tx) error {
		_, err := tx.One(t.Context(), synchronous, []any{&mode})
		return err
	}); err != nil || mode != 2 {
		t.Errorf("synchronous is %d, %v", mode, err)
	}
}
