package flow_test

import (
	"context"
	"sync"
	"testing"

	"hufu/internal/audit"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/exception"
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

// owing is a shop that was paid for what it hasn't any more, and whose refund failed.
type owing struct {
	*flowtest.Shop
	t     testing.TB
	order id.Order
}

// paidLate has an order of two paid late, with nothing left, at a gateway that refuses to
// give anything back.
func paidLate(t testing.TB, d *db.DB) (*owing, payment.Refund) {
	t.Helper()
	s := &owing{Shop: flowtest.New(t, d), t: t}
	offer := single(t, s.Shop, 2)
	p := placed(t, s.Shop, flowtest.Want{Offer: offer, Quantity: 2})
	s.order = p.Order.ID
	notice := s.Gateway.PayTwice(p.Intent)
	if err := s.Cancel(t.Context(), s.order); err != nil {
		t.Fatal(err)
	}
	s.Buy(t, flowtest.Want{Offer: offer, Quantity: 2})
	if got, err := s.Confirm(t.Context(), notice); err != nil || got.Verdict != payment.Late {
		t.Fatal(got, err)
	}
	s.Gateway.RefuseRefunds(true)
	s.send(1)
	refunds := s.refunds()
	if len(refunds) != 1 || refunds[0].State != payment.RefundFailed || !refunds[0].FailedAt.Equal(s.Clock.Now()) {
		t.Fatalf("%+v", refunds)
	}
	return s, refunds[0]
}

// send has refunds that are due sent, and expects so many.
func (s *owing) send(want int) {
	s.t.Helper()
	if n, err := s.SendRefunds(s.t.Context(), 10); n != want || err != nil {
		s.t.Fatalf("%d refunds sent, want %d: %v", n, want, err)
	}
}

func (s *owing) view(fn func(tx *db.Tx) error) {
	s.t.Helper()
	if err := s.DB.View(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

func (s *owing) refunds() (out []payment.Refund) {
	s.t.Helper()
	s.view(func(tx *db.Tx) (err error) {
		out, err = s.Payments.RefundsOf(s.t.Context(), tx, []id.Order{s.order})
		return err
	})
	return out
}

// cases are the open cases of the order, by kind, and the closed ones after "closed ".
func (s *owing) cases() map[string]exception.Case {
	s.t.Helper()
	out := map[string]exception.Case{}
	s.view(func(tx *db.Tx) error {
		all, err := exception.Of(s.t.Context(), tx, s.order)
		for _, x := range all {
			name := x.Kind
			if !x.Open {
				name = "closed " + name
			}
			out[name] = x
		}
		return err
	})
	return out
}

func (s *owing) balance(a id.Account) (n int64) {
	s.t.Helper()
	s.view(func(tx *db.Tx) error {
		of, err := s.Ledger.Balances(s.t.Context(), tx, []id.Account{a})
		n = of[a].Net().Minor
		return err
	})
	return n
}

func (s *owing) close(x exception.Case) error {
	return s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		_, err := s.CloseCase(s.t.Context(), tx, x.ID, "done", "pty_x")
		return err
	})
}

func (s *owing) again(r payment.Refund) (payment.Refund, error) {
	return s.RefundAgain(s.t.Context(), flow.RefundAgain{Refund: r.ID, Reason: "again", By: "pty_x", Origin: "192.0.2.1"})
}

func (s *owing) byHand(r payment.Refund, way payment.Way, reference string) (payment.Refund, error) {
	return s.RefundByHand(s.t.Context(), flow.RefundByHand{Refund: r.ID, Way: way, Reference: reference, Reason: "phoned", By: "pty_x", Origin: "192.0.2.1"})
}

// told has the gateway tell of a refund.
func (s *owing) told(r payment.Refund, event string, state paygate.RefundState) payment.Verdict {
	s.t.Helper()
	v, err := s.TakeNews(s.t.Context(), flow.News{Provider: r.Provider, Notice: paygate.Notice{EventID: event, Kind: paygate.NoticeRefund, TxnID: "t",
		Refund: paygate.RefundNews{RefundNo: string(r.ID), State: state, Amount: r.Amount}}})
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *owing) acts() (names []string) {
	s.t.Helper()
	s.view(func(tx *db.Tx) error {
		all, err := audit.Of(s.t.Context(), tx, string(s.order))
		for _, a := range all {
			names = append(names, a.Action+" "+a.Data["reason"])
		}
		return err
	})
	return names
}

// A refund that failed is sent again under a new number, once however often it is asked for;
// until the money has gone back none of its cases can be closed (I7, I15, P3, P11).
func TestAFailedRefundIsSentAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, first := paidLate(t, d)
		open := s.cases()
		for _, kind := range []string{exception.LateRefund, exception.RefundFailed} {
			if err := s.close(open[kind]); fault.CodeOf(err) != "exception.owed" {
				t.Errorf("closing %s: %v", kind, err)
			}
		}
		clean(t, s.Shop)
		if _, err := s.RefundAgain(t.Context(), flow.RefundAgain{Refund: first.ID, By: "pty_x"}); fault.CodeOf(err) != "refund.reason" {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := s.again(payment.Refund{ID: id.New[id.Refund]()}); fault.CodeOf(err) != "refund.not_found" {
			t.Errorf("of nothing: %v", err)
		}
		second, err := s.again(first)
		if err != nil || second.ID == first.ID || second.Again != first.ID || second.Amount != first.Amount || second.State != payment.RefundWaiting {
			t.Fatalf("%+v, %v", second, err)
		}
		if x := s.cases(); x["closed "+exception.RefundFailed].Note != "again "+string(second.ID) || x[exception.LateRefund].ID == "" {
			t.Errorf("under way: %+v", x)
		}
		clean(t, s.Shop)
		if twice, err := s.again(first); err != nil || twice.ID != second.ID {
			t.Errorf("pressed twice: %+v, %v", twice, err)
		}
		if err := s.close(open[exception.LateRefund]); fault.CodeOf(err) != "exception.owed" {
			t.Errorf("closing while it is under way: %v", err)
		}
		s.send(1) // in vain
		if x := s.cases()[exception.RefundFailed]; x.Subject != string(second.ID) {
			t.Errorf("the second failed: %+v", x)
		}
		if _, err := s.byHand(first, payment.ByBank, "B1"); fault.CodeOf(err) != "refund.replaced" {
			t.Errorf("by hand, of one in whose stead another is: %v", err)
		}
		clean(t, s.Shop)
		third, err := s.again(second)
		if err != nil {
			t.Fatal(err)
		}
		s.Gateway.RefuseRefunds(false)
		s.send(1)
		for name, x := range s.cases() {
			if x.Open {
				t.Errorf("%s is open", name)
			}
		}
		if o := s.Look(t, s.order); o.State != order.Refunded || o.Lines[0].Refunded != 2 {
			t.Errorf("the order: %+v", o)
		}
		if due, held := s.balance(ledger.RefundsDue(money.CNY)), s.Gateway.Refunded(); due != 0 || held != first.Amount.Minor {
			t.Errorf("due %d, paid back %d", due, held)
		}
		if at, err := s.again(third); err != nil || at.State != payment.RefundDone || at.ID != third.ID {
			t.Errorf("of one that is done: %+v, %v", at, err)
		}
		if acts := s.acts(); len(acts) != 2 || acts[0] != "refund.again again" {
			t.Errorf("on record: %v", acts)
		}
		clean(t, s.Shop)
	})
}

// What a person paid is booked once, out of where they paid it from; told by the gateway
// that it paid as well, a person hears of it and nothing is booked.
func TestARefundIsPaidByHand(t *testing.T) {
	for way, account := range map[payment.Way]id.Account{payment.ByBank: ledger.Bank(money.CNY), payment.ByGateway: ledger.Gateway(flowtest.Channel, money.CNY)} {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			s, first := paidLate(t, d)
			for field, c := range map[string]flow.RefundByHand{"reason": {Way: way, Reference: "B1"}, "reference": {Way: way, Reason: "r"}, "way": {Way: "cash", Reason: "r", Reference: "B1"}} {
				c.Refund = first.ID
				if _, err := s.RefundByHand(t.Context(), c); fault.CodeOf(err) != "refund."+field {
					t.Errorf("without a %s: %v", field, err)
				}
			}
			before, due := s.balance(account), s.balance(ledger.RefundsDue(money.CNY))
			s.Gateway.Down(true) // whether the gateway answers or not
			for range 2 {
				if r, err := s.byHand(first, way, "B1"); err != nil || r.State != payment.RefundDone || r.ByHand != way || r.Reference != "B1" {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			s.Gateway.Down(false)
			if _, err := s.byHand(first, way, "B2"); fault.CodeOf(err) != "refund.done" {
				t.Errorf("with another reference: %v", err)
			}
			if r, err := s.again(first); err != nil || r.State != payment.RefundDone || len(s.refunds()) != 1 {
				t.Errorf("sent again once it is paid: %+v, %v", r, err)
			}
			s.send(0)
			if got, left := s.balance(account)-before, s.balance(ledger.RefundsDue(money.CNY))-due; got != -first.Amount.Minor || left != -first.Amount.Minor {
				t.Errorf("%s: paid %d, still due %d", way, got, left)
			}
			if o := s.Look(t, s.order); o.State != order.Refunded {
				t.Errorf("the order is %s", o.State)
			}
			if acts := s.acts(); len(acts) != 1 || acts[0] != "refund.by_hand phoned" {
				t.Errorf("on record: %v", acts)
			}
			for name, x := range s.cases() {
				if x.Open {
					t.Errorf("%s is open", name)
				}
			}
			if v := s.told(first, "evt-failed-"+string(way), paygate.RefundFailed); v != payment.Foreign && v != payment.Refunding {
				t.Errorf("told that it failed: %s", v)
			}
			if v := s.told(first, "evt-late-"+string(way), paygate.RefundDone); v != payment.Foreign {
				t.Errorf("told that it was paid as well: %s", v)
			}
			s.send(0)
			if x := s.cases()[exception.ForeignRefund]; x.Subject != flowtest.Channel+":"+string(first.ID) {
				t.Errorf("told that it was paid as well: %+v", s.cases())
			}
			if got := s.balance(account) - before; got != -first.Amount.Minor {
				t.Errorf("booked twice: %d", got)
			}
			clean(t, s.Shop)
		})
	}
}

// The gateway is asked before money goes out a second time: what it made after all is booked
// and not sent again, and while it is silent nothing is sent.
func TestARefundThatWasMadeAfterAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, first := paidLate(t, d)
		s.Gateway.Down(true)
		if _, err := s.again(first); fault.CodeOf(err) != "refund.silent" {
			t.Errorf("the gateway is silent: %v", err)
		}
		s.Gateway.Down(false)
		if v := s.told(first, "evt-late", paygate.RefundDone); v != payment.Foreign {
			t.Errorf("told that it was made: %s", v)
		}
		foreign := s.cases()[exception.ForeignRefund]
		if foreign.Order != s.order {
			t.Errorf("the case isn't the order's: %+v", foreign)
		}
		if _, err := s.again(first); fault.CodeOf(err) != "refund.told" {
			t.Errorf("told so, and asked, it denies: %v", err)
		}
		if _, err := s.byHand(first, payment.ByBank, "B1"); fault.CodeOf(err) != "refund.told" {
			t.Errorf("by hand, told that it was made: %v", err)
		}
		s.Gateway.MakeRefund(first)
		if _, err := s.byHand(first, payment.ByBank, "B1"); fault.CodeOf(err) != "refund.told" {
			t.Errorf("by hand, made already: %v", err)
		}
		if r, err := s.again(first); err != nil || r.ID != first.ID || r.State != payment.RefundDone || r.ByHand != "" || len(s.refunds()) != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		for name, x := range s.cases() {
			if x.Open {
				t.Errorf("%s is open", name)
			}
		}
		if o := s.Look(t, s.order); o.State != order.Refunded || s.Gateway.Refunded() != first.Amount.Minor {
			t.Errorf("the order is %s, %d paid back", o.State, s.Gateway.Refunded())
		}
		clean(t, s.Shop)
	})
}

// pending is a gateway at which a refund is under way.
type pending struct{ *flowtest.Gateway }

func (pending) QueryRefund(_ context.Context, r paygate.RefundRef) paygate.RefundResult {
	return paygate.RefundResult{State: paygate.RefundPending, RefundNo: r.RefundNo}
}

// One that is under way after all is followed, with its case open until it ends.
func TestARefundThatIsUnderWayAfterAll(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, first := paidLate(t, d)
		s.Gateways[flowtest.Channel] = pending{s.Gateway}
		if _, err := s.byHand(first, payment.ByBank, "B1"); fault.CodeOf(err) != "refund.told" {
			t.Errorf("by hand: %v", err)
		}
		r, err := s.again(first)
		if err != nil || r.ID != first.ID || r.State != payment.RefundSent {
			t.Fatalf("%+v, %v", r, err)
		}
		if x := s.cases(); x[exception.RefundFailed].ID == "" {
			t.Errorf("%+v", x)
		}
		s.send(1) // it fails once more
		clean(t, s.Shop)
		if at := s.refunds()[0]; at.State != payment.RefundFailed {
			t.Errorf("%+v", at)
		}
		if _, err := s.again(first); err != nil {
			t.Fatal(err)
		}
		s.Gateway.RefuseRefunds(false)
		s.send(1)
		if at := s.refunds(); len(at) != 1 || at[0].State != payment.RefundDone {
			t.Errorf("%+v", at)
		}
		clean(t, s.Shop)
	})
}

// No refund is sent again beyond what was captured, whatever else is on record (I15).
func TestSendingAgainStaysWithinThePayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, first := paidLate(t, d)
		if err := d.Do(t.Context(), func(tx *db.Tx) error { // behind the product's back
			other := first
			other.ID, other.State, other.NextAt, other.Amount.Minor = id.New[id.Refund](), payment.RefundSent, s.Clock.Now().AddDate(1, 0, 0), 1
			return s.Payments.AddRefunds(t.Context(), tx, []payment.Refund{other})
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.again(first); fault.CodeOf(err) != "refund.exceeds" {
			t.Errorf("sent again: %v", err)
		}
		if _, err := s.byHand(first, payment.ByBank, "B1"); fault.CodeOf(err) != "refund.exceeds" {
			t.Errorf("paid by hand: %v", err)
		}
	})
}

// Whoever presses at once, and whatever the worker and the gateway do meanwhile, the money
// goes back once.
func TestAFailedRefundIsActedOnOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, first := paidLate(t, d)
		s.Gateway.RefuseRefunds(false)
		var wait sync.WaitGroup
		for i := range 4 {
			wait.Go(func() {
				if _, err := s.again(first); err != nil && fault.CodeOf(err) != "refund.told" {
					t.Error(err)
				}
			})
			wait.Go(func() {
				way := []payment.Way{payment.ByBank, payment.ByGateway}[i%2]
				switch _, err := s.byHand(first, way, "B1"); fault.CodeOf(err) {
				case "", "refund.done", "refund.replaced", "refund.told", "refund.under_way":
				default:
					t.Error(err)
				}
			})
			wait.Go(func() {
				if _, err := s.SendRefunds(t.Context(), 10); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Go(func() { s.told(first, "evt-late", paygate.RefundDone) })
		wait.Wait()
		for range 3 {
			if _, err := s.SendRefunds(t.Context(), 10); err != nil {
				t.Fatal(err)
			}
		}
		var gone int64
		for _, r := range s.refunds() {
			if r.State == payment.RefundDone {
				gone += r.Amount.Minor
			}
		}
		if open := s.cases()[exception.RefundFailed]; gone > first.Amount.Minor || gone == 0 && open.ID == "" {
			t.Errorf("%d gone back of %d; %+v", gone, first.Amount.Minor, s.refunds())
		}
		clean(t, s.Shop)
	})
}
