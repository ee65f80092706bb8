package flow_test

import (
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
	"hufu/internal/payment"
)

// Money that doesn't match goes back by a person's decision, once however often and by how
// many it is asked for; its case can't be closed before, and closes by itself then.
func TestMoneyInSuspenseGoesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := flowtest.New(t, d)
		p := placed(t, s, flowtest.Want{Offer: single(t, s, 10), Quantity: 1})
		wrong := s.Gateway.PayTwice(p.Intent)
		wrong.Amount.Minor++
		if got, err := s.Confirm(ctx, wrong); err != nil || got.Verdict != payment.Mismatch {
			t.Fatal(got, err)
		}
		look := func() (c payment.Capture, r []payment.Refund, x exception.Case, acts []audit.Row, suspense int64) {
			t.Helper()
			if err := d.View(ctx, func(tx *db.Tx) error {
				captures, err := s.Payments.CapturesOf(ctx, tx, []id.Order{p.Order.ID})
				if err != nil {
					return err
				}
				for _, c = range captures {
					if !c.Applied {
						break
					}
				}
				if r, err = s.Payments.RefundsOf(ctx, tx, []id.Order{p.Order.ID}); err != nil {
					return err
				}
				cases, err := exception.Of(ctx, tx, p.Order.ID)
				if err != nil {
					return err
				}
				x = cases[0]
				balances, err := s.Ledger.Balances(ctx, tx, []id.Account{ledger.Suspense(money.CNY)})
				if err != nil {
					return err
				}
				suspense = balances[ledger.Suspense(money.CNY)].Net().Minor
				acts, err = audit.Of(ctx, tx, string(p.Order.ID))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return
		}
		closeBy := func(x id.Case) error {
			return d.Do(ctx, func(tx *db.Tx) error {
				_, err := s.CloseCase(ctx, tx, x, "seen", "pty_x")
				return err
			})
		}
		c, _, x, _, _ := look()
		if err := closeBy(x.ID); fault.CodeOf(err) != "exception.refund_first" {
			t.Errorf("closing the case of money in suspense: %v", err)
		}
		if _, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, By: "pty_x"}); fault.CodeOf(err) != "refund.reason" {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: id.New[id.Capture](), Reason: "r", By: "pty_x"}); fault.CodeOf(err) != "refund.no_capture" {
			t.Errorf("no such money: %v", err)
		}
		var all [4]payment.Refund
		var wait sync.WaitGroup
		for i := range all {
			wait.Go(func() {
				var err error
				if all[i], err = s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, Reason: "paid a fen more", By: "pty_x", Origin: "192.0.2.1"}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		for _, r := range all {
			if r.ID == "" || r.ID != all[0].ID || r.Amount != c.Amount {
				t.Errorf("asked for at once: %v", all)
			}
		}
		if err := closeBy(x.ID); fault.CodeOf(err) != "exception.refund_first" {
			t.Errorf("closing the case of money that is going back: %v", err)
		}
		if n, err := s.SendRefunds(ctx, 10); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		_, refunds, x, acts, suspense := look()
		if len(refunds) != 1 || refunds[0].State != payment.RefundDone || refunds[0].CreatedBy != "pty_x" || suspense != 0 {
			t.Errorf("%+v, in suspense %d", refunds, suspense)
		}
		if x.Open || x.ClosedBy != "system" {
			t.Errorf("the case: %+v", x)
		}
		if len(acts) != 1 || acts[0].Action != "capture.refund" || acts[0].Data["reason"] != "paid a fen more" || acts[0].Origin != "192.0.2.1" {
			t.Errorf("on record: %+v", acts)
		}
		if r, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, Reason: "again", By: "pty_x"}); err != nil || r.ID != all[0].ID {
			t.Errorf("asked for once it has gone back: %+v, %v", r, err)
		}
		right := s.Gateway.PayTwice(p.Intent)
		if got, err := s.Confirm(ctx, right); err != nil || got.Verdict != payment.Apply {
			t.Fatal(got, err)
		}
		if err := d.View(ctx, func(tx *db.Tx) error {
			captures, err := s.Payments.CapturesOf(ctx, tx, []id.Order{p.Order.ID})
			for _, paid := range captures {
				if !paid.Applied {
					continue
				}
				c = paid
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, Reason: "r", By: "pty_x"}); fault.CodeOf(err) != "refund.applied" {
			t.Errorf("money that paid its order: %v", err)
		}
		clean(t, s)
	})
}

// A refund that the gateway refuses leaves the money in suspense, in somebody's queue, and
// to be sent back again.
func TestRefusedRefundOfSuspenseStaysInTheQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		s := flowtest.New(t, d)
		p := placed(t, s, flowtest.Want{Offer: single(t, s, 10), Quantity: 1})
		wrong := s.Gateway.PayTwice(p.Intent)
		wrong.Amount.Minor++
		if _, err := s.Confirm(ctx, wrong); err != nil {
			t.Fatal(err)
		}
		var c payment.Capture
		if err := d.View(ctx, func(tx *db.Tx) error {
			captures, err := s.Payments.CapturesOf(ctx, tx, []id.Order{p.Order.ID})
			c = captures[0]
			return err
		}); err != nil {
			t.Fatal(err)
		}
		gateway := s.Gateways[flowtest.Channel]
		delete(s.Gateways, flowtest.Channel)
		first, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, Reason: "r", By: "pty_x"})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Do(ctx, func(tx *db.Tx) error {
			due, err := s.Payments.ClaimRefunds(ctx, tx, s.Clock.Now(), 1, 1)
			if err != nil || len(due) != 1 {
				t.Errorf("%v, %v", due, err)
				return err
			}
			due[0].State = payment.RefundFailed
			_, err = s.Payments.FinishRefund(ctx, tx, due[0])
			return err
		}); err != nil {
			t.Fatal(err)
		}
		s.Gateways[flowtest.Channel] = gateway
		again, err := s.RefundCapture(ctx, flow.RefundCapture{Capture: c.ID, Reason: "r", By: "pty_x"})
		if err != nil || again.ID == first.ID {
			t.Errorf("after a refused refund: %+v, %v", again, err)
		}
		if n, err := s.SendRefunds(ctx, 10); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		clean(t, s)
	})
}
