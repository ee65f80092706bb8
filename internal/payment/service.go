package payment

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Service reads and writes payments.
type Service struct{}

// AddIntents writes new intents.
func (*Service) AddIntents(ctx context.Context, tx *db.Tx, intents []*Intent) error {
	return tx.WriteAll(ctx, insertIntent, len(intents), func(i int, b *db.Binder) {
		p := intents[i]
		b.Text(string(p.ID)).Text(string(p.Order)).Text(p.Gateway).Int(p.Amount.Minor).Text(string(p.Amount.Currency)).Text(string(p.State)).
			Time(p.CreatedAt).Time(p.ExpiresAt).Int(0)
	})
}

// Intents loads intents. Unknown ones are left out.
func (*Service) Intents(ctx context.Context, tx *db.Tx, ids []id.Intent) (map[id.Intent]*Intent, error) {
	found, err := loadIntents(ctx, tx, intentsByID, db.Texts(ids))
	out := make(map[id.Intent]*Intent, len(found))
	for _, p := range found {
		out[p.ID] = p
	}
	return out, err
}

// LockOf locks and loads the intents of orders, whose rows the caller has locked.
func (*Service) LockOf(ctx context.Context, tx *db.Tx, orders []id.Order) (map[id.Order][]*Intent, error) {
	return grouped(loadIntents(ctx, tx, lockByOrder, db.Texts(orders)))
}

// LockBeside locks and loads all intents of the orders that intents are to pay, whose rows
// the caller has locked. It asks only: the map is filled by the transaction's next Flush or
// answer.
func (*Service) LockBeside(ctx context.Context, tx *db.Tx, intents []id.Intent) (map[id.Intent]*Intent, error) {
	out := make(map[id.Intent]*Intent, len(intents))
	return out, tx.Ask(ctx, lockBeside, func(scan func(...any) error) error {
		p, err := scanIntent(scan)
		out[p.ID] = p
		return err
	}, db.Texts(intents))
}

// IntentsOf loads the intents of orders, each order's in the order they were made.
func (*Service) IntentsOf(ctx context.Context, tx *db.Tx, orders []id.Order) (map[id.Order][]*Intent, error) {
	return grouped(loadIntents(ctx, tx, ofOrderStmt, db.Texts(orders)))
}

func grouped(found []*Intent, err error) (map[id.Order][]*Intent, error) {
	out := make(map[id.Order][]*Intent, len(found))
	for _, p := range found {
		out[p.Order] = append(out[p.Order], p)
	}
	return out, err
}

// IntentMove is a change of an intent's state.
type IntentMove struct {
	Intent   *Intent
	From, To IntentState
}

// MoveIntents writes changes of state.
func (*Service) MoveIntents(ctx context.Context, tx *db.Tx, moves []IntentMove) error {
	return tx.WriteAll(ctx, moveIntent, len(moves), func(i int, b *db.Binder) {
		b.Text(string(moves[i].Intent.ID)).Text(string(moves[i].From)).Text(string(moves[i].To))
	})
}

// ToPoll lists open intents of which no message has come and whose next moment of AskAfter
// has passed; at most n.
//
// They come in the order of payment_intents_live, which holds the pending ones alone: by id
// SQLite would walk past every intent that was ever paid.
func (*Service) ToPoll(ctx context.Context, tx *db.Tx, now time.Time, n int) ([]*Intent, error) {
	return loadIntents(ctx, tx, toPoll, db.Micros(now), n)
}

// Polled records that the gateway is asked about intents. When somebody else has begun to
// ask since they were read, the transaction starts again: one process asks at a time.
func (*Service) Polled(ctx context.Context, tx *db.Tx, intents []*Intent, at time.Time) error {
	return tx.WriteAll(ctx, markPolled, len(intents), func(i int, b *db.Binder) {
		b.Text(string(intents[i].ID)).Time(intents[i].PolledAt).Time(at)
	})
}

// AddCaptures writes money that has arrived.
func (*Service) AddCaptures(ctx context.Context, tx *db.Tx, captures []Capture) error {
	return tx.WriteAll(ctx, insertCapture, len(captures), func(i int, b *db.Binder) {
		c := captures[i]
		state := "suspense"
		if c.Applied {
			state = "applied"
		}
		b.Text(string(c.ID)).Text(c.Provider).Text(c.Txn).Text(string(c.Intent)).Text(string(c.Order)).Int(c.Amount.Minor).Text(string(c.Amount.Currency)).
			Text(state).Text(c.Reason).Time(c.OccurredAt).Time(c.BookedAt)
	})
}

// CapturesByTxn finds the captures of a provider's transactions. It asks only: the map is
// filled by the transaction's next Flush or answer.
func (*Service) CapturesByTxn(ctx context.Context, tx *db.Tx, provider string, txns []string) (map[string]Capture, error) {
	out := make(map[string]Capture)
	return out, tx.Ask(ctx, capturesByTxn, func(scan func(...any) error) error {
		c, err := scanCapture(scan)
		out[c.Txn] = c
		return err
	}, provider, db.Texts(txns))
}

// CapturesOf lists the captures of orders.
func (*Service) CapturesOf(ctx context.Context, tx *db.Tx, orders []id.Order) ([]Capture, error) {
	return loadCaptures(ctx, tx, capturesOf, db.Texts(orders))
}

// Captures loads captures.
func (*Service) Captures(ctx context.Context, tx *db.Tx, ids []id.Capture) ([]Capture, error) {
	return loadCaptures(ctx, tx, capturesByID, db.Texts(ids))
}

// AddNotices keeps messages.
func (*Service) AddNotices(ctx context.Context, tx *db.Tx, notices []Notice) error {
	return tx.WriteAll(ctx, insertNotice, len(notices), func(i int, b *db.Binder) {
		n := notices[i]
		b.Text(string(n.ID)).Text(n.Provider).Text(n.Event).Text(string(n.Intent)).Text(n.Outcome).Text(n.Header).Bytes(n.Body).Time(n.ReceivedAt)
	})
}

// Seen tells what came of messages received before, by event. It asks only: the map is
// filled by the transaction's next Flush or answer.
func (*Service) Seen(ctx context.Context, tx *db.Tx, provider string, events []string) (map[string]string, error) {
	out := map[string]string{}
	return out, tx.Ask(ctx, noticesSeen, func(scan func(...any) error) error {
		var event, outcome string
		err := scan(&event, &outcome)
		out[event] = outcome
		return err
	}, provider, db.Texts(events))
}

// SetOutcome records what came of a kept message when it was handled again.
func (*Service) SetOutcome(ctx context.Context, tx *db.Tx, provider, event, outcome string) error {
	return tx.WriteAll(ctx, noticeReplay, 1, func(_ int, b *db.Binder) { b.Text(provider).Text(event).Text(outcome) })
}

// NoticesOf lists the messages about intents.
func (*Service) NoticesOf(ctx context.Context, tx *db.Tx, intents []id.Intent) ([]Notice, error) {
	var out []Notice
	err := tx.Query(ctx, noticesOf, func(scan func(...any) error) error {
		var n Notice
		err := scan(&n.ID, &n.Provider, &n.Event, &n.Intent, &n.Outcome, &n.Header, &n.Body, db.Time(&n.ReceivedAt))
		out = append(out, n)
		return err
	}, db.Texts(intents))
	return out, err
}

// AddRefunds writes refunds that are to be made. The caller has locked the order and made
// sure, with Refundable, that they don't exceed their captures.
func (*Service) AddRefunds(ctx context.Context, tx *db.Tx, refunds []Refund) error {
	return tx.WriteAll(ctx, insertRefund, len(refunds), func(i int, b *db.Binder) {
		r := refunds[i]
		b.Text(string(r.ID)).Text(string(r.Order)).Text(string(r.Line)).Text(string(r.Capture)).Text(r.Provider).Int(r.Quantity).
			Int(r.Amount.Minor).Text(string(r.Amount.Currency)).Text(string(r.State)).Text(r.Reason).Int(0).Time(r.NextAt).Int(0).Int(0).
			Text(r.Note).Text(r.CreatedBy).Time(r.CreatedAt).Time(r.DoneAt).Time(r.FailedAt).Text(string(r.Again)).Text(string(r.ByHand)).Text(r.Reference)
	})
}

// RefundsOf lists the refunds of orders.
func (*Service) RefundsOf(ctx context.Context, tx *db.Tx, orders []id.Order) ([]Refund, error) {
	return loadRefunds(ctx, tx, refundsOf, db.Texts(orders))
}

// Refundable is what is left of a capture after its refunds; failed ones don't count.
func Refundable(c Capture, refunds []Refund) int64 {
	left := c.Amount.Minor
	for _, r := range refunds {
		if r.Capture == c.ID && r.State != RefundFailed {
			left -= r.Amount.Minor
		}
	}
	return left
}

// Check fails with refund.exceeds when a new refund would exceed what is left.
func Check(c Capture, refunds []Refund, amount int64) error {
	if amount <= 0 || amount > Refundable(c, refunds) {
		return fault.New(fault.Conflict, "refund.exceeds")
	}
	return nil
}

// ClaimRefunds leases up to n refunds that are due.
func (*Service) ClaimRefunds(ctx context.Context, tx *db.Tx, now time.Time, n int, lease time.Duration) ([]Refund, error) {
	dueNow, err := loadRefunds(ctx, tx, dueRefunds, db.Micros(now), n)
	if err != nil {
		return nil, err
	}
	if err := tx.WriteAll(ctx, claimRefund, len(dueNow), func(i int, b *db.Binder) {
		b.Text(string(dueNow[i].ID)).Int(dueNow[i].Fence).Time(now.Add(lease))
	}); err != nil {
		return nil, err
	}
	for i := range dueNow {
		dueNow[i].Fence++
		dueNow[i].Attempts++
		dueNow[i].State = RefundSent
	}
	return dueNow, nil
}

// HurryRefund makes a refund under way due now, because its provider has told of it.
func (*Service) HurryRefund(ctx context.Context, tx *db.Tx, provider string, r id.Refund, now time.Time) error {
	_, err := tx.Exec(ctx, hurryRefund, db.Micros(now), string(r), provider)
	return err
}

// LockRefunds locks and loads refunds by id.
func (*Service) LockRefunds(ctx context.Context, tx *db.Tx, ids []id.Refund) ([]Refund, error) {
	return loadRefunds(ctx, tx, refundsByID, db.Texts(ids))
}

// FinishRefund writes what came of a claimed refund; it reports false when another worker
// has claimed it since.
func (*Service) FinishRefund(ctx context.Context, tx *db.Tx, r Refund) (bool, error) {
	n, err := tx.Write(ctx, finishRefund, 1, func(_ int, b *db.Binder) {
		b.Text(string(r.ID)).Int(r.Fence).Text(string(r.State)).Time(r.NextAt).Text(r.Note).Time(r.DoneAt).Time(r.FailedAt)
	})
	return n == 1, err
}

// ReviveRefund writes what became of a failed refund after all. The caller has locked its
// order; when it isn't failed any more, the transaction starts again.
func (*Service) ReviveRefund(ctx context.Context, tx *db.Tx, r Refund) error {
	return tx.WriteAll(ctx, reviveRefund, 1, func(_ int, b *db.Binder) {
		b.Text(string(r.ID)).Text(string(r.State)).Time(r.NextAt).Time(r.DoneAt).Text(string(r.ByHand)).Text(r.Reference)
	})
}
