package laws

import (
	"context"
	"errors"
	"maps"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/flow/flowtest"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
)

// TestAStaleDecisionIsNotWritten: what was decided on a state that is gone makes the
// transaction start again, for every state machine of the purchase.
func TestAStaleDecisionIsNotWritten(t *testing.T) {
	decisions := map[string]func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, offer flowtest.Offer, pending, bought id.Order, lines []id.Line) error{
		"reservation": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, _ flowtest.Offer, _, _ id.Order, lines []id.Line) error {
			var books [2]*inventory.Book
			for i := range books {
				var err error
				if books[i], err = s.Inventory.Open(ctx, tx, nil, lines); err != nil {
					return err
				}
			}
			books[0].Release(lines[0], inventory.Released)
			books[1].Release(lines[0], inventory.Expired)
			return errors.Join(s.Inventory.Save(ctx, tx, books[0], s.Clock.Now()), s.Inventory.Save(ctx, tx, books[1], s.Clock.Now()))
		},
		"order": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, _ flowtest.Offer, pending, _ id.Order, _ []id.Line) error {
			var all []order.Move
			for _, to := range []order.State{order.Cancelled, order.Expired} {
				o, err := s.Orders.One(ctx, tx, pending)
				if err != nil {
					return err
				}
				m, err := order.MoveTo(o, to, s.Clock.Now())
				if err != nil {
					return err
				}
				all = append(all, m)
			}
			return errors.Join(s.Orders.Save(ctx, tx, all[:1], nil, s.Clock.Now()), s.Orders.Save(ctx, tx, all[1:], nil, s.Clock.Now()))
		},
		"intent": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, _ flowtest.Offer, pending, _ id.Order, _ []id.Line) error {
			all, err := s.Payments.IntentsOf(ctx, tx, []id.Order{pending})
			if err != nil {
				return err
			}
			for _, to := range []payment.IntentState{payment.Closed, payment.Captured} {
				err = errors.Join(err, s.Payments.MoveIntents(ctx, tx, []payment.IntentMove{{Intent: all[pending][0], From: payment.Pending, To: to}}))
			}
			return err
		},
		"refund": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, _ flowtest.Offer, pending, _ id.Order, _ []id.Line) error {
			r := payment.Refund{ID: id.New[id.Refund](), Order: pending, Provider: flowtest.Channel, Quantity: 1, Amount: money.Of(1, money.CNY), State: payment.RefundFailed, CreatedBy: "system"}
			if err := s.Payments.AddRefunds(ctx, tx, []payment.Refund{r}); err != nil {
				return err
			}
			r.State, r.DoneAt = payment.RefundDone, s.Clock.Now()
			err := s.Payments.ReviveRefund(ctx, tx, r)
			r.ByHand, r.Reference = payment.ByBank, "B1"
			return errors.Join(err, s.Payments.ReviveRefund(ctx, tx, r))
		},
		"right": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, _ flowtest.Offer, _, bought id.Order, _ []id.Line) error {
			var all [2]*entitlement.Right
			for i := range all {
				found, err := s.Rights.OfOrders(ctx, tx, []id.Order{bought})
				if err != nil {
					return err
				}
				all[i] = found[bought][0]
			}
			all[1].Steps += 5 // a step number that is free, on a head that is not the last
			var err error
			for _, r := range all {
				err = errors.Join(err, s.Rights.Take(ctx, tx, []entitlement.Take{{Right: r, Kind: entitlement.StepRevealed, Actor: "holder", Data: "{}"}}, s.Clock.Now()))
			}
			return err
		},
		"code": func(ctx context.Context, s *flowtest.Shop, tx *db.Tx, offer flowtest.Offer, _, _ id.Order, _ []id.Line) error {
			first, second := id.New[id.Right](), id.New[id.Right]()
			given, err := flowtest.Pick(ctx, tx, s.Flows.Codes, []vault.Want{{Right: first, Stock: offer.Parts[0].Stock}}, s.Clock.Now())
			if err != nil || len(given) != 1 {
				return errors.Join(err, errors.New("no code was picked"))
			}
			return errors.Join(s.Flows.Codes.Deliver(ctx, tx, given, s.Clock.Now()), s.Flows.Codes.Deliver(ctx, tx, map[id.Right]vault.Given{second: given[first]}, s.Clock.Now()))
		},
	}
	each(t, func(t *testing.T, s *flowtest.Shop) {
		offer := single(t, s, 5)
		pending := placed(t, s, offer)
		bought := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
		for name, twice := range decisions {
			t.Run(name, func(t *testing.T) {
				ctx := t.Context()
				err := s.DB.Do(ctx, func(tx *db.Tx) error {
					if err := twice(ctx, s, tx, offer, pending.Order.ID, bought.Order.ID, lines(pending)); err != nil {
						return err
					}
					// What was written may be sent with the next question only.
					_, err := s.Orders.States(ctx, tx, []id.Order{pending.Order.ID})
					return errors.Join(err, errUndo)
				})
				if !errors.Is(err, db.ErrStale) {
					t.Errorf("the second decision: %v", err)
				}
			})
		}
	})
}

// TestTheDatabaseRefuses: what must never be is refused by the database itself, whoever asks.
func TestTheDatabaseRefuses(t *testing.T) {
	kept := []string{"ledger_transfers", "ledger_seals", "payment_captures", "right_events", "audit_rows", "benefit_versions", "offer_versions", "stock_receipts", "order_terms"}
	columns := map[string]string{"ledger_transfers": "amount", "ledger_seals": "hash", "payment_captures": "amount", "right_events": "data", "audit_rows": "actor",
		"benefit_versions": "body", "offer_versions": "body", "stock_receipts": "quantity", "order_terms": "body"}
	wrong := map[string]string{
		"less than nothing available": `UPDATE stocks SET available = -1, voided = voided + available + 1`,
		"units out of nowhere":        `UPDATE stocks SET available = available + 1`,
		"a transaction twice": `INSERT INTO payment_captures SELECT 'again', provider, txn_id, intent_id, order_id, amount, currency, state, reason, occurred_at, booked_at
FROM payment_captures`,
		"a message twice": `INSERT INTO payment_notices SELECT 'again', provider, event_id, intent_id, outcome, header, body, received_at FROM payment_notices`,
		"a request twice": `INSERT INTO orders SELECT 'again', state, party_id, phone, email, lang, channel, currency, total, idem_scope, idem_key, request_hash, created_at, expires_at, paid_at, closed_at, history
FROM orders WHERE state = 'pending'`,
		"two ways to pay at once":           `INSERT INTO payment_intents SELECT 'again', order_id, gateway, amount, currency, state, created_at, expires_at, polled_at FROM payment_intents WHERE state = 'pending'`,
		"two codes for a right":             `UPDATE codes SET right_id = (SELECT MIN(id) FROM rights) WHERE state = 'available'`,
		"more given back than bought":       `UPDATE order_lines SET refunded = quantity + 1`,
		"a price that is not its own":       `UPDATE order_lines SET amount = amount + 1`,
		"a batch with codes out of nowhere": `UPDATE code_batches SET available = available + 1`,
		"a posting of nothing": `INSERT INTO ledger_transfers SELECT 'again', leg, debit, credit, 0, currency, kind, order_id, at, chain, seal
FROM ledger_transfers`,
		"an entry twice":         `INSERT INTO ledger_transfers SELECT * FROM ledger_transfers`,
		"a step of a path twice": `INSERT INTO right_events SELECT * FROM right_events`,
		"a refund sent again twice": `INSERT INTO refunds (id, order_id, line_id, capture_id, provider, quantity, amount, currency, state, reason, attempts, next_at, lease_until, fence, note, created_by, created_at, done_at, failed_at, again_of, by_hand, reference)
SELECT x.id, '', '', '', '', 1, 1, 'CNY', 'failed', '', 0, 0, 0, 0, '', 'system', 0, 0, 0, 'rfd_first', '', '' FROM (SELECT 'rfd_a' AS id UNION ALL SELECT 'rfd_b' AS id) x`,
		"a state that is none":       `UPDATE orders SET state = 'paid'`,
		"a reservation that is none": `UPDATE reservations SET quantity = 0`,
	}
	for _, table := range kept {
		wrong["a change of "+table] = `UPDATE ` + table + ` SET ` + columns[table] + ` = ` + columns[table]
		wrong["rows taken from "+table] = `DELETE FROM ` + table
	}
	// SQLite can put a row in another's place, by any of its keys, without calling that a DELETE.
	replaced := map[string]string{
		"a payment replaced by its transaction": `INSERT OR REPLACE INTO payment_captures SELECT 'again', provider, txn_id, intent_id, order_id, amount, currency, state, reason, occurred_at, booked_at FROM payment_captures`,
		"a version replaced by its number":      `INSERT OR REPLACE INTO offer_versions SELECT 'again', offer_id, number, body, created_at, created_by FROM offer_versions`,
		"a row of the trail replaced by its id": `INSERT OR REPLACE INTO audit_rows SELECT chain, seq + 1000, id, at, actor, action, subject, origin, result, data, hash FROM audit_rows`,
	}
	for _, table := range kept {
		replaced["rows of "+table+" replaced"] = `REPLACE INTO ` + table + ` SELECT * FROM ` + table
	}
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			s := flowtest.New(t, dbtest.Open(t, kind))
			offer := single(t, s, 5)
			s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
			placed(t, s, offer)
			s.Receive(t, s.Stock(t, inventory.Counted), 1)
			if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
				return s.Orders.KeepTerms(t.Context(), tx, []order.Terms{{Hash: terms.Hash("read"), Lang: "en", Body: "read", KeptAt: s.Clock.Now()}})
			}); err != nil {
				t.Fatal(err)
			}
			wrong := maps.Clone(wrong)
			if s.DB.Dialect() == db.SQLite {
				maps.Copy(wrong, replaced)
			}
			for what, statement := range wrong {
				if err := s.DB.Script(t.Context(), statement+";"); err == nil {
					t.Errorf("%s: the database lets it happen", what)
				}
			}
			holds(t, s)
		})
	}
}
