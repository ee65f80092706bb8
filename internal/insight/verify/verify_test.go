package verify_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/insight/verify"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/payment"
	"hufu/internal/vault"
)

// lived is a shop in which everything has happened that can.
type lived struct {
	*flowtest.Shop
	paid, bundled, pending, late, mismatched flow.Placed
}

const party = id.Party("pty_00000000000000000000000001")

func live(t *testing.T, d *db.DB) *lived {
	t.Helper()
	s := &lived{Shop: flowtest.New(t, d)}
	ctx := t.Context()
	outside := s.Stock(t, "codes")
	s.imported(t, outside, "卡密,密码\nCARD-0001,a\nCARD-0002,b\nCARD-0003,c\n")
	codes, more, seats := s.Stock(t, "codes"), s.Stock(t, "codes"), s.Stock(t, "counted")
	s.Codes(t, codes, 40)
	s.Codes(t, codes, 10)
	s.Codes(t, more, 3)
	s.Receive(t, seats, 20)
	single := s.Sell(t, 1990, "", flowtest.Part{Stock: codes, Coded: true, Quantity: 1})
	bundle := s.Sell(t, 5000, seats, flowtest.Part{Stock: codes, Coded: true, Quantity: 2}, flowtest.Part{Quantity: 1})
	scarce := s.Sell(t, 700, "", flowtest.Part{Stock: more, Coded: true, Quantity: 1})
	place := func(c flow.Place) flow.Placed {
		t.Helper()
		p, err := s.Place(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	confirm := func(c flow.Confirm, want payment.Verdict) {
		t.Helper()
		got, err := s.Confirm(ctx, c)
		if err != nil || got.Verdict != want {
			t.Fatalf("verdict %q, %v; want %q", got.Verdict, err, want)
		}
	}
	s.paid = s.Buy(t, flowtest.Want{Offer: single, Quantity: 2})
	var sold map[id.OfferVersion]*catalogue.Version
	if err := d.View(ctx, func(tx *db.Tx) (err error) {
		sold, err = s.Catalogue.Versions(ctx, tx, []id.OfferVersion{single.Version})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	accepted := flowtest.Order(flowtest.Want{Offer: single, Quantity: 1})
	accepted.Lines[0].Acknowledged = terms.In(i18n.ZH, sold[single.Version].Content).Hash
	notice, _ := s.Gateway.Pay(place(accepted).Intent, money.Of(1990, money.CNY))
	confirm(notice, payment.Apply)
	s.bundled = s.Buy(t, flowtest.Want{Offer: bundle, Quantity: 1}, flowtest.Want{Offer: single, Quantity: 1})
	if _, err := s.Reveal(ctx, flow.Reveal{Order: s.paid.Order.ID, Actor: "guest", Data: "{}"}); err != nil {
		t.Fatal(err)
	}
	// Paid twice, by two transactions; one refund goes out, another waits.
	confirm(s.Gateway.PayTwice(s.paid.Intent), payment.Second)
	if _, err := s.SendRefunds(ctx, 10); err != nil {
		t.Fatal(err)
	}
	confirm(s.Gateway.PayTwice(s.bundled.Intent), payment.Second)
	// Too much was paid.
	s.mismatched = place(flowtest.Order(flowtest.Want{Offer: single, Quantity: 1}))
	wrong := s.Gateway.PayTwice(s.mismatched.Intent)
	wrong.Amount = money.Of(1991, money.CNY)
	confirm(wrong, payment.Mismatch)
	unpaid := s.Gateway.PayTwice(s.mismatched.Intent)
	unpaid.Paid, unpaid.Event = false, "evt-unpaid"
	confirm(unpaid, payment.Ignored)
	// Cancelled, then paid late, while another has taken the units.
	s.late = place(flowtest.Order(flowtest.Want{Offer: scarce, Quantity: 2}))
	lateNotice := s.Gateway.PayTwice(s.late.Intent)
	if err := s.Cancel(ctx, s.late.Order.ID); err != nil {
		t.Fatal(err)
	}
	s.Buy(t, flowtest.Want{Offer: scarce, Quantity: 2})
	confirm(lateNotice, payment.Late)
	// Paid out of a balance.
	if err := s.Credit(ctx, party, money.Of(9000, money.CNY), true, "ref-1", "paid in", "pty_ops", "console"); err != nil {
		t.Fatal(err)
	}
	byBalance := flowtest.Order(flowtest.Want{Offer: single, Quantity: 1})
	byBalance.Gateway, byBalance.Party = payment.Balance, party
	if err := s.PayBalance(ctx, place(byBalance).Order.ID, party); err != nil {
		t.Fatal(err)
	}
	s.Buy(t, flowtest.Want{Offer: s.Sell(t, 900, "", flowtest.Part{Stock: outside, Coded: true, Quantity: 1}), Quantity: 1})
	if _, err := s.WorkJobs(ctx, 2); err != nil {
		t.Fatal(err)
	}
	// Bought within a limit, and given back under it.
	few := s.Limit(t, s.Sell(t, 300, "", flowtest.Part{Quantity: 1}), catalogue.Limit{Max: 3, Window: catalogue.Ever, Of: catalogue.Person}, catalogue.Limit{Max: 9, Window: catalogue.Day, Of: catalogue.Everybody})
	s.Buy(t, flowtest.Want{Offer: few, Quantity: 1})
	if err := s.Cancel(ctx, place(flowtest.Order(flowtest.Want{Offer: few, Quantity: 2})).Order.ID); err != nil {
		t.Fatal(err)
	}
	// Given month by month, and picked later.
	promised := s.Change(t, s.Sell(t, 1200, "", flowtest.Part{Stock: seats, Quantity: 1}, flowtest.Part{Quantity: 1}, flowtest.Part{Stock: seats, Quantity: 1}), func(c *catalogue.Content) {
		c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 2}
		c.Parts[1].Choice, c.Parts[2].Choice = "one", "one"
		c.Choices = []catalogue.Choice{{Key: "one", Name: catalogue.Text{ZH: "一", EN: "One"}, Pick: 1, Later: true, Days: 3}}
	})
	s.Buy(t, flowtest.Want{Offer: promised, Quantity: 1})
	expired := place(flowtest.Order(flowtest.Want{Offer: bundle, Quantity: 2}))
	s.Time.Advance(flow.HoldFor)
	if _, err := s.ExpireDue(ctx, 100); err != nil {
		t.Fatal(err)
	}
	if o := s.Look(t, expired.Order.ID); o.State != "expired" {
		t.Fatalf("the order is %s", o.State)
	}
	s.scarce(t)
	s.pending = place(flowtest.Order(flowtest.Want{Offer: bundle, Quantity: 1}))
	return s
}

// scarce sells out of an allotment, and numbers of an edition by lot.
func (s *lived) scarce(t *testing.T) {
	t.Helper()
	seats := s.Stock(t, "counted")
	s.Receive(t, seats, 10)
	offer := s.Sell(t, 800, "", flowtest.Part{Stock: seats, Quantity: 1})
	now := s.Clock.Now()
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		if err := s.Inventory.Allot(t.Context(), tx, inventory.Allotting{Stock: seats, Act: inventory.AllotMove, To: "shop", Units: 6, Reason: "r", Actor: "ops"}, now); err != nil {
			return err
		}
		_, err := s.Inventory.Begin(t.Context(), tx, inventory.Edition{Stock: seats, Size: 100, First: 1, Gapless: true, ByLot: true, CreatedBy: "ops"}, now)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.Buy(t, flowtest.Want{Offer: offer, Quantity: 2})
}

// imported takes a supplier's file into a stock.
func (s *lived) imported(t *testing.T, stock id.Stock, file string) {
	t.Helper()
	ctx, o, by := t.Context(), vault.ImportOptions{Issuer: "video", Supplier: "wholesale"}, flow.Act{By: "ops", Origin: "test"}
	i, err := s.ReceiveImport(ctx, flow.NewImport{Stock: stock, File: strings.NewReader(file), FileName: "codes.csv", Options: o, By: by.By})
	for _, step := range []func() (err error){
		func() (err error) { _, err = s.CheckImport(ctx, i.ID, o, by); return },
		func() error { return s.RunImports(ctx) },
		func() (err error) { _, err = s.StartImport(ctx, i.ID, by); return },
		func() error { return s.RunImports(ctx) },
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

var errUndo = errors.New("undo")

// tamper runs fn and a verification in a transaction that is then undone, and gives the ids
// that fail.
func (s *lived) tamper(t *testing.T, fn func(tx *db.Tx) error) (failed []string, rows []verify.Row) {
	t.Helper()
	err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		failed, rows = nil, nil
		if err := fn(tx); err != nil {
			return err
		}
		results, err := verify.Within(t.Context(), tx, verify.Options{Now: s.Clock.Now()})
		if err != nil {
			return err
		}
		for _, r := range results {
			if !r.OK() {
				failed, rows = append(failed, r.ID), append(rows, r.Rows...)
			}
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	return failed, rows
}

var statements int

// raw runs statements that the product doesn't have, and leaves the database's own
// protection as it was, as somebody would who knows what is looked at.
func raw(ctx context.Context, tx *db.Tx, text string, args ...any) error {
	var after []string
	for part := range strings.SplitSeq(text, ";\n") {
		if table, ok := strings.CutPrefix(part, "unprotect "); ok {
			after = append(after, "protect "+table)
		}
		if err := protectedAway(ctx, tx, part, args...); err != nil {
			return err
		}
	}
	for _, part := range after {
		if err := protectedAway(ctx, tx, part); err != nil {
			return err
		}
	}
	return nil
}

// protectedAway runs one statement; "unprotect TABLE", "unindex NAME" and "unlinked TABLE
// COLUMN" take a guard of the database away first, "protect TABLE" puts it back, and
// "unguard TABLE" leaves it away.
func protectedAway(ctx context.Context, tx *db.Tx, text string, args ...any) error {
	pg := tx.Dialect() == db.Postgres
	f := strings.Fields(text)
	exec := func(s string, args ...any) error {
		statements++
		_, err := tx.Exec(ctx, db.SQL(fmt.Sprintf("tamper.%d", statements), s), args...)
		return err
	}
	switch f[0] {
	case "unprotect", "unguard":
		if pg {
			return exec("DROP TRIGGER " + f[1] + "_append_only ON " + f[1])
		}
		return errors.Join(exec("DROP TRIGGER "+f[1]+"_no_update"), exec("DROP TRIGGER "+f[1]+"_no_delete"), exec("DROP TRIGGER "+f[1]+"_no_replace"))
	case "protect":
		text, err := tx.Dialect().Protection(f[1])
		if err != nil {
			return err
		}
		if pg {
			return exec(text[strings.Index(text, "CREATE TRIGGER"):]) // the function is still there
		}
		for line := range strings.Lines(text) {
			if err := exec(line); err != nil {
				return err
			}
		}
		return nil
	case "unindex":
		return exec("DROP INDEX " + f[1])
	case "unlinked":
		if pg {
			return exec("ALTER TABLE " + f[1] + " DROP CONSTRAINT " + f[1] + "_" + f[2] + "_fkey")
		}
		return exec("PRAGMA defer_foreign_keys = ON")
	}
	return exec(text, args...)
}

// TestALivedInShopHolds shows that nothing the product does breaks an invariant.
func TestALivedInShopHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := live(t, d)
		results, err := verify.Verify(t.Context(), d, verify.Options{Now: s.Clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			for _, row := range r.Rows {
				t.Errorf("%s %s: %s: %s %s", r.ID, r.Title(i18n.EN), row.Text(i18n.EN), row.Subject, row.Detail)
			}
		}
		if len(results) != len(verify.IDs()) {
			t.Errorf("%d results", len(results))
		}
	})
}

// TestHandsSideBySide has several connections find what one finds, and tell of each invariant
// in order.
func TestHandsSideBySide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := live(t, d)
		ctx := t.Context()
		if err := d.Do(ctx, func(tx *db.Tx) error {
			return raw(ctx, tx, `UPDATE rights SET granted_at = granted_at - 1;
UPDATE order_lines SET quote = 'offer=1' WHERE id = (SELECT MIN(id) FROM order_lines);
UPDATE stocks SET delivered = delivered + 1, available = available - 1 WHERE kind = 'counted';
UPDATE reservations SET quantity = quantity + 1 WHERE id = (SELECT MIN(id) FROM reservations WHERE state = 'live')`)
		}); err != nil {
			t.Fatal(err)
		}
		var first []string
		for _, hands := range []int{1, 2, 3} {
			var told, found []string
			var at, of int64
			results, err := verify.Verify(ctx, d, verify.Options{Now: s.Clock.Now(), Rows: 1000, Connections: hands,
				Each: func(r verify.Result) { told = append(told, r.ID) },
				Progress: func(done, total int64) {
					if done < at || done > total {
						t.Errorf("%d of %d after %d", done, total, at)
					}
					at, of = done, total
				}})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(told, verify.IDs()) || at != of || at == 0 {
				t.Errorf("%d hands: told of %v, %d of %d", hands, told, at, of)
			}
			for _, r := range results {
				for _, row := range r.Rows {
					found = append(found, fmt.Sprint(row))
				}
			}
			slices.Sort(found)
			if first == nil {
				first = found
			}
			if len(found) < 5 || !slices.Equal(found, first) {
				t.Errorf("%d hands found %d rows, one %d:\n%v\n%v", hands, len(found), len(first), found, first)
			}
		}
	})
}

func TestEveryRuleHasItsText(t *testing.T) {
	for _, name := range append(verify.IDs(), verify.Rules()...) {
		if !i18n.Has("verify." + name) {
			t.Errorf("verify.%s has no message", name)
		}
	}
}

// tampers are the ways in which somebody with the database in hand could break each
// invariant, and which of them then fail.
var tampers = []struct {
	name string
	want string // invariants, in order
	rule string // the first rule told of
	sql  string
	do   func(ctx context.Context, s *lived, tx *db.Tx) error
}{
	{name: "an account in another currency", want: "I1", rule: "I1.account", sql: `UPDATE ledger_accounts SET currency = 'USD' WHERE id = 'income:sales:CNY'`},
	{name: "an account under a false name", want: "I1", sql: `UPDATE ledger_accounts SET kind = 'asset' WHERE id = 'income:sales:CNY'`},

	{name: "a capture booked twice", want: "I2", rule: "I2.capture", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		return s.post(ctx, tx, "(SELECT MIN(id) FROM payment_captures WHERE provider = 'fake')", ledger.Gateway("fake", money.CNY), ledger.Sales(money.CNY), 5)
	}},
	{name: "a refund booked before it is done", want: "I2", rule: "I2.refund", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		return s.post(ctx, tx, "(SELECT MIN(id) FROM refunds WHERE state = 'waiting')", ledger.RefundsDue(money.CNY), ledger.Gateway("fake", money.CNY), 5)
	}},
	{name: "money out of nothing", want: "I2", rule: "I2.cause", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		return s.post(ctx, tx, "'cap_nothing'", ledger.Gateway("fake", money.CNY), ledger.Sales(money.CNY), 5)
	}},

	{name: "a balance below zero", want: "I3", rule: "I3.overdrawn", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		t := ledger.Transfer{Entry: "forged", Leg: 1, Debit: ledger.Prepaid(party, money.CNY), Credit: ledger.Sales(money.CNY), Amount: money.Of(1_000_000, money.CNY), Kind: "sale", At: s.Clock.Now()}
		return errors.Join(
			raw(ctx, tx, `INSERT INTO ledger_transfers (entry_id, leg, debit, credit, amount, currency, kind, order_id, at, chain, seal) VALUES ($1, 1, $2, $3, $4, 'CNY', 'sale', '', $5, 'forged', 1)`,
				t.Entry, t.Debit, t.Credit, t.Amount.Minor, db.Micros(t.At)),
			raw(ctx, tx, `INSERT INTO ledger_seals (chain, seal, transfers, hash, at) VALUES ('forged', 1, 1, $1, 1)`, ledger.Seal(nil, []ledger.Transfer{t})))
	}},
	{name: "a balance without its guard", want: "I3", rule: "I3.unguarded", sql: `UPDATE ledger_accounts SET overdraft = 1 WHERE id LIKE 'liability:prepaid:%'`},

	{name: "a step rewritten", want: "I4", rule: "I4.path", sql: "unprotect right_events;\nUPDATE right_events SET data = '{}' WHERE right_id = (SELECT MIN(id) FROM rights) AND step = 1"},
	{name: "a path cut at its end", want: "I4", rule: "I4.path", sql: "unprotect right_events;\nDELETE FROM right_events WHERE kind = 'revealed'"},
	{name: "a right moved without a step", want: "I4", rule: "I4.path", sql: `UPDATE rights SET state = 'used' WHERE id = (SELECT MIN(id) FROM rights)`},
	{name: "a transfer rewritten", want: "I4", rule: "I4.seal", sql: "unprotect ledger_transfers;\nUPDATE ledger_transfers SET kind = 'x' WHERE entry_id = (SELECT MIN(entry_id) FROM ledger_transfers)"},
	{name: "a transfer added", want: "I4", rule: "I4.seal", sql: `INSERT INTO ledger_transfers (entry_id, leg, debit, credit, amount, currency, kind, order_id, at, chain, seal)
SELECT 'added', 1, debit, credit, amount, currency, kind, order_id, at, chain, seal FROM ledger_transfers WHERE entry_id = (SELECT MIN(entry_id) FROM ledger_transfers) AND leg = 1`},
	{name: "a transfer taken out", want: "I3 I4", rule: "I4.gap", sql: "unprotect ledger_transfers;\nDELETE FROM ledger_transfers WHERE kind = 'credit'"},
	{name: "a seal taken out of the middle", want: "I4", rule: "I4.seal", sql: "unprotect ledger_seals;\nDELETE FROM ledger_seals WHERE seal = 2"},
	{name: "an empty seal", want: "I4", rule: "I4.gap", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		return raw(ctx, tx, `INSERT INTO ledger_seals (chain, seal, transfers, hash, at) VALUES ('ghost', 2, 0, $1, 1)`, ledger.Seal(nil, nil))
	}},

	{name: "a table that may be changed", want: "I4", rule: "I4.guard", sql: "unguard audit_rows"},
	{name: "a table that may be changed once more", want: "I4", rule: "I4.guard", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		if tx.Dialect() == db.Postgres {
			return raw(ctx, tx, "ALTER TABLE payment_captures DISABLE TRIGGER payment_captures_append_only")
		}
		return raw(ctx, tx, "DROP TRIGGER payment_captures_no_replace")
	}},
	{name: "a guard that lets everything through", want: "I4", rule: "I4.guard", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		if tx.Dialect() == db.Postgres {
			return raw(ctx, tx, "CREATE OR REPLACE FUNCTION offer_versions_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
		}
		return raw(ctx, tx, "DROP TRIGGER offer_versions_no_delete;\nCREATE TRIGGER offer_versions_no_delete BEFORE DELETE ON offer_versions BEGIN SELECT 1; END")
	}},
	{name: "a guard that looks away", want: "I4", rule: "I4.guard", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		if tx.Dialect() == db.Postgres {
			return raw(ctx, tx, "DROP TRIGGER ledger_seals_append_only ON ledger_seals;\nCREATE TRIGGER ledger_seals_append_only BEFORE UPDATE OF chain ON ledger_seals FOR EACH STATEMENT EXECUTE FUNCTION ledger_seals_append_only()")
		}
		return raw(ctx, tx, "DROP TRIGGER ledger_seals_no_update;\nCREATE TRIGGER ledger_seals_no_update BEFORE UPDATE OF chain ON ledger_seals BEGIN SELECT RAISE(ABORT, 'rows of ledger_seals are never changed'); END")
	}},

	{name: "two rights with one code", want: "I5", rule: "I5.right", sql: `UPDATE rights SET code_id = (SELECT MAX(code_id) FROM rights WHERE line_id = (SELECT MIN(line_id) FROM rights)) WHERE line_id = (SELECT MIN(line_id) FROM rights)`},
	{name: "a free code with an owner", want: "I5", rule: "I5.code", sql: `UPDATE codes SET right_id = 'rgt_none' WHERE id = (SELECT MIN(id) FROM codes WHERE state = 'available')`},
	{name: "an index that leads nowhere", want: "I5", rule: "I5.index", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		return raw(ctx, tx, `INSERT INTO code_index (blind, code_id) VALUES ($1, 'cod_none')`, []byte("blind"))
	}},
	{name: "a delivered code that can't be found any more", want: "I5", rule: "I5.unindexed", sql: `DELETE FROM code_index WHERE code_id = (SELECT MIN(c.id) FROM codes c JOIN code_index x ON x.code_id = c.id WHERE c.state = 'delivered')`},
	{name: "a free code that can't be found any more", want: "I5", rule: "I5.unindexed", sql: `DELETE FROM code_index WHERE code_id = (SELECT MIN(c.id) FROM codes c JOIN code_index x ON x.code_id = c.id WHERE c.state = 'available')`},
	{name: "a code in another's place of the index", want: "I5", rule: "I5.index", sql: `UPDATE code_index SET code_id = (SELECT MAX(code_id) FROM code_index)`},
	{name: "counters used twice", want: "I5", rule: "I5.counters", sql: `UPDATE code_batches SET first_counter = 0 WHERE source = 'generated'`},

	{name: "a right of an unpaid order", want: "I6 I8", rule: "I6.unpaid", do: func(ctx context.Context, s *lived, tx *db.Tx) error { return s.grant(ctx, tx, s.pending) }},
	{name: "a right too many", want: "I6 I8", rule: "I6.count", do: func(ctx context.Context, s *lived, tx *db.Tx) error { return s.grant(ctx, tx, s.paid) }},
	{name: "a right without its code", want: "I5 I6", sql: `UPDATE rights SET code_id = '' WHERE id = (SELECT MIN(id) FROM rights)`},
	{name: "a code of another stock", want: "I6 I8 I29", sql: `UPDATE codes SET stock_id = (SELECT MAX(id) FROM stocks WHERE kind = 'codes') WHERE right_id = (SELECT MIN(id) FROM rights)`},

	{name: "money in suspense, unseen", want: "I7", rule: "I7.suspense", sql: `DELETE FROM exceptions WHERE kind = 'mismatch'`},
	{name: "money in suspense, its case closed by hand", want: "I7", rule: "I7.suspense", sql: `UPDATE exceptions SET state = 'closed', closed_at = opened_at, closed_by = 'pty_x' WHERE kind = 'mismatch'`},
	{name: "money in suspense, its refund failed and closed", want: "I7", rule: "I7.suspense", sql: `UPDATE exceptions SET state = 'closed', closed_at = opened_at, closed_by = 'pty_x' WHERE kind = 'second_capture';
UPDATE refunds SET state = 'failed' WHERE line_id = '' AND state = 'waiting'`},
	{name: "a shortage without its refund", want: "I7", rule: "I7.silent", sql: `DELETE FROM refunds WHERE line_id <> '' AND state = 'waiting'`},
	{name: "a failed refund, its case closed by hand", want: "I7", rule: "I7.silent", sql: `UPDATE refunds SET state = 'failed', failed_at = created_at WHERE line_id <> '' AND state = 'waiting';
INSERT INTO exceptions (id, kind, subject, order_id, detail, amount, currency, state, owner, note, opened_at, closed_at, closed_by) SELECT 'exc_failed', 'refund_failed', id, order_id, '', amount, currency, 'closed', '', '', created_at, created_at, 'pty_x' FROM refunds WHERE line_id <> '' AND state = 'failed'`},
	{name: "a refund under way for long, its case closed", want: "I7", rule: "I7.stuck", sql: `UPDATE refunds SET created_at = 1 WHERE line_id <> '' AND state = 'waiting';
INSERT INTO exceptions (id, kind, subject, order_id, detail, amount, currency, state, owner, note, opened_at, closed_at, closed_by) SELECT 'exc_stuck', 'refund_failed', id, order_id, '', amount, currency, 'closed', '', '', 1, 2, 'pty_x' FROM refunds WHERE created_at = 1`},
	{name: "a refund that nobody hears of", want: "I7", rule: "I7.stuck", sql: `UPDATE refunds SET created_at = 1 WHERE state = 'waiting'`},
	{name: "money taken, order closed", want: "I7 I10 I19", sql: `UPDATE orders SET state = 'expired', closed_at = created_at, paid_at = 0, history = 'pending@' || CAST(created_at AS TEXT) || ';expired@' || CAST(created_at AS TEXT) || ';' WHERE id = (SELECT MIN(id) FROM orders)`},

	{name: "units held for nobody", want: "I8", rule: "I8.reserved", sql: `UPDATE reservations SET quantity = quantity + 1 WHERE id = (SELECT MIN(id) FROM reservations WHERE state = 'live')`},
	{name: "a code gone", want: "I5 I8", rule: "I8.codes", sql: `DELETE FROM codes WHERE id = (SELECT MIN(id) FROM codes WHERE state = 'available')`},
	{name: "a batch that counts wrong", want: "I8", rule: "I8.batch", sql: `UPDATE code_batches SET available = available - 1, voided = voided + 1 WHERE id = (SELECT MIN(id) FROM code_batches)`},
	{name: "seats out of nowhere", want: "I8", rule: "I8.receipts", sql: `UPDATE stocks SET received = received + 5, available = available + 5 WHERE kind = 'counted'`},
	{name: "seats voided by nobody", want: "I8", rule: "I8.receipts", sql: `UPDATE stocks SET voided = voided + 1, available = available - 1 WHERE kind = 'counted'`},
	{name: "a receipt of nothing", want: "I8", rule: "I8.receipts", sql: `INSERT INTO stock_receipts (id, stock_id, quantity, reason, actor, at) SELECT 'rcp_x', MIN(stock_id), 1, '', 'ops', MIN(at) FROM stock_receipts`},
	{name: "a receipt taken out", want: "I8", rule: "I8.receipts", sql: "unprotect stock_receipts;\nDELETE FROM stock_receipts"},
	{name: "seats sold and not delivered", want: "I8", rule: "I8.units", sql: `UPDATE stocks SET delivered = delivered + 1, available = available - 1 WHERE kind = 'counted'`},

	{name: "more allotted than there is", want: "I8", rule: "I8.allotted", sql: `UPDATE allotments SET size = size + 1, available = available + 1 WHERE open = 1`},
	{name: "an allotment that sold what nobody bought", want: "I8", rule: "I8.allotment", sql: `UPDATE allotments SET size = size + 1, delivered = delivered + 1 WHERE open = 1`},
	{name: "an allotment that grew by itself", want: "I8", rule: "I8.moves", sql: "unprotect allotment_moves;\nDELETE FROM allotment_moves"},
	{name: "an edition that forgot a number", want: "I8", rule: "I8.edition", sql: `DELETE FROM edition_numbers WHERE number = (SELECT MIN(number) FROM edition_numbers)`},
	{name: "a number that is nobody's right", want: "I8", rule: "I8.number", sql: `UPDATE edition_numbers SET right_id = 'rgt_none' WHERE number = (SELECT MIN(number) FROM edition_numbers)`},
	{name: "a lot drawn again", want: "I8", rule: "I8.lot", sql: `UPDATE editions SET commitment = 'x' WHERE by_lot = 1`},
	{name: "numbers exchanged", want: "I8", rule: "I8.lot", sql: `UPDATE edition_numbers SET position = position + 500;
UPDATE edition_numbers SET position = CASE position WHEN 500 THEN 1 ELSE 0 END`},

	{name: "a limit that counts what was not bought", want: "I9", rule: "I9.tally", sql: `UPDATE order_tallies SET taken = taken + 1 WHERE name = (SELECT MIN(name) FROM order_tallies)`},
	{name: "a limit that forgot", want: "I9", rule: "I9.tally", sql: `DELETE FROM order_tallies WHERE name = (SELECT MAX(name) FROM order_tallies)`},
	{name: "one person's units on another's limit", want: "I9", rule: "I9.tally", sql: `UPDATE order_tallies SET name = name || 'x' WHERE name LIKE '%phone:%'`},
	{name: "a paid line that doesn't count", want: "I9", rule: "I9.line", sql: `UPDATE order_lines SET counted = 0 WHERE counted > 0;
UPDATE order_tallies SET taken = 0`},
	{name: "a cancelled line that counts", want: "I9", rule: "I9.line", sql: `UPDATE order_lines SET counted = quantity WHERE under <> '' AND delivered = 0;
UPDATE order_tallies SET taken = taken + 2`},
	{name: "a limit that nobody can read", want: "I9", rule: "I9.line", sql: `UPDATE order_lines SET under = '{' WHERE under <> '' AND counted = 0`},

	{name: "a share too large", want: "I31", rule: "I31.shares", sql: `UPDATE rights SET share = share + 1 WHERE id = (SELECT MIN(id) FROM rights)`},
	{name: "an option that isn't there", want: "I6 I8", rule: "I6.picks", sql: `UPDATE order_lines SET picks = 'x:0' WHERE id = (SELECT MIN(line_id) FROM rights)`},
	{name: "picks that nobody can read", want: "I6", rule: "I6.picks", sql: `UPDATE order_lines SET picks = 'x' WHERE id = (SELECT MIN(id) FROM order_lines WHERE delivered = 0)`},
	{name: "a promise without its unit", want: "I10", rule: "I10.kept", sql: `UPDATE reservations SET right_id = '' WHERE right_id <> ''`},
	{name: "a right given more than it waits for", want: "I4 I8 I10", rule: "I10.promised", sql: `UPDATE rights SET waits = 'top_up' WHERE waits = 'release'`},
	{name: "an option that its choice hasn't", want: "I6 I10", rule: "I6.count", sql: `UPDATE rights SET part = 0 WHERE waits = 'choice'`},
	{name: "a unit kept for a right that has all", want: "I10", rule: "I10.promised", sql: `UPDATE reservations SET right_id = (SELECT MIN(id) FROM rights) WHERE id = (SELECT MIN(id) FROM reservations WHERE state = 'live')`},
	{name: "a right due for ever", want: "I20", rule: "I20.right", sql: `UPDATE rights SET due_at = 1 WHERE id = (SELECT MIN(id) FROM rights)`},
	{name: "a right that is due when it has ended", want: "I4 I20", rule: "I20.right", sql: `UPDATE rights SET state = 'used', due_at = 9000000000000000 WHERE id = (SELECT MIN(id) FROM rights)`},
	{name: "a reservation past its end", want: "I10", rule: "I10.overdue", sql: `UPDATE reservations SET expires_at = 1 WHERE state = 'live'`},
	{name: "a reservation ended and live", want: "I10", rule: "I10.ended", sql: `UPDATE reservations SET ended_at = 1 WHERE state = 'live'`},
	{name: "units delivered to nobody", want: "I10", rule: "I10.order", sql: `UPDATE reservations SET state = 'consumed' WHERE state = 'expired'`},

	{name: "the code of a right in force voided", want: "I8 I12", sql: `UPDATE codes SET state = 'void' WHERE right_id = (SELECT MIN(id) FROM rights)`},
	{name: "the code of a refunded right for sale again", want: "I5 I6 I8 I12 I31", rule: "I12.refunded", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		rights, err := s.Rights.LockOf(ctx, tx, []id.Order{s.bundled.Order.ID})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return err
		}
		for _, r := range rights[s.bundled.Order.ID] {
			if r.Code != "" {
				return errors.Join(s.Rights.Take(ctx, tx, []entitlement.Take{{Right: r, Kind: entitlement.StepRefunded, Actor: "x", Data: "{}"}}, s.Clock.Now()),
					raw(ctx, tx, `UPDATE codes SET state = 'available' WHERE id = $1`, r.Code))
			}
		}
		return errors.New("no right with a code")
	}},

	{name: "an event taken twice", want: "I13", rule: "I13.event", sql: `unindex payment_notices_event;
INSERT INTO payment_notices (id, provider, event_id, intent_id, outcome, header, body, received_at) SELECT 'ntc_copy', provider, event_id, intent_id, 'duplicate', header, body, received_at FROM payment_notices WHERE id = (SELECT MIN(id) FROM payment_notices)`},
	{name: "a transaction booked twice", want: "I2 I7 I13 I17", sql: `unprotect payment_captures;
unindex payment_captures_txn;
INSERT INTO payment_captures (id, provider, txn_id, intent_id, order_id, amount, currency, state, reason, occurred_at, booked_at) SELECT 'cap_copy', provider, txn_id, intent_id, order_id, amount, currency, 'suspense', 'x', occurred_at, booked_at FROM payment_captures WHERE id = (SELECT MIN(id) FROM payment_captures)`},

	{name: "two payments applied to an order", want: "I7 I13", rule: "I13.applied", sql: "unprotect payment_captures;\nUPDATE payment_captures SET state = 'applied', reason = '' WHERE reason <> '' AND order_id = (SELECT MIN(order_id) FROM payment_captures WHERE state = 'applied')"},
	{name: "another amount than asked for", want: "I14", rule: "I14.capture", sql: `UPDATE payment_intents SET amount = amount + 1 WHERE id = (SELECT MIN(id) FROM payment_intents WHERE state = 'captured')`},
	{name: "captured without money", want: "I14", rule: "I14.captured", sql: `UPDATE payment_intents SET state = 'captured' WHERE id = (SELECT MIN(id) FROM payment_intents WHERE state = 'pending')`},
	{name: "money without captured", want: "I14", rule: "I14.uncaptured", sql: `UPDATE payment_intents SET state = 'closed' WHERE id = (SELECT MIN(id) FROM payment_intents WHERE state = 'captured')`},

	{name: "a refund above its payment", want: "I15", rule: "I15.exceeds", sql: `UPDATE refunds SET amount = amount + 1 WHERE line_id = '' AND state = 'waiting'`},
	{name: "a refund of somebody else's payment", want: "I15", rule: "I15.capture", sql: `UPDATE refunds SET order_id = (SELECT MIN(id) FROM orders) WHERE line_id = '' AND state = 'waiting'`},
	{name: "a line refunded beyond what it lacks", want: "I15", rule: "I15.line", sql: `UPDATE refunds SET quantity = quantity + 1 WHERE line_id <> '' AND state = 'waiting'`},
	{name: "a line refunded without a refund", want: "I15", rule: "I15.done", sql: `UPDATE order_lines SET refunded = 1 WHERE id = (SELECT MIN(line_id) FROM refunds WHERE line_id <> '' AND state = 'waiting')`},

	{name: "sent again for what never failed", want: "I15", rule: "I15.again", sql: `UPDATE refunds SET again_of = (SELECT MIN(id) FROM refunds WHERE state = 'done') WHERE line_id <> '' AND state = 'waiting'`},

	{name: "a refund done and not on its line", want: "I2 I15", rule: "I15.done", sql: `UPDATE refunds SET state = 'done' WHERE line_id <> '' AND state = 'waiting'`},

	{name: "a history with a jump", want: "I16", rule: "I16.path", sql: `UPDATE orders SET history = 'fulfilled@1;' WHERE id = (SELECT MIN(id) FROM orders)`},
	{name: "a state outside its history", want: "I10 I16", sql: `UPDATE orders SET state = 'cancelled' WHERE state = 'pending'`},

	{name: "a notice answered and lost", want: "I17", rule: "I17.notice", sql: `UPDATE payment_notices SET intent_id = (SELECT MAX(id) FROM payment_intents WHERE state = 'closed' AND gateway = 'fake') WHERE outcome = 'second_capture'`},

	{name: "accepted terms that nobody kept", want: "I17", rule: "I17.terms", sql: "unprotect order_terms;\nDELETE FROM order_terms"},
	{name: "kept terms rewritten", want: "I17", rule: "I17.text", sql: "unprotect order_terms;\nUPDATE order_terms SET body = body || 'x'"},
	{name: "a payment's notice deleted", want: "I17", rule: "I17.kept", sql: `DELETE FROM payment_notices WHERE outcome = 'late'`},
	{name: "the notice of money in suspense deleted", want: "I17", rule: "I17.kept", sql: `DELETE FROM payment_notices WHERE outcome = 'mismatch'`},
	{name: "the notice of a payment out of a balance deleted", want: "I17", rule: "I17.kept", sql: `DELETE FROM payment_notices WHERE provider = 'balance'`},
	{name: "all notices deleted", want: "I17", rule: "I17.kept", sql: `DELETE FROM payment_notices`},

	{name: "a request carried out twice", want: "I18", rule: "I18.order", sql: `unindex orders_idempotent;
UPDATE orders SET idem_key = 'same', idem_scope = 'same' WHERE paid_at > 0`},

	{name: "a paid order without its job", want: "I19", rule: "I19.lost", sql: `DELETE FROM jobs WHERE id = (SELECT MIN(id) FROM jobs)`},
	{name: "a job without its cause", want: "I19", rule: "I19.causeless", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		return raw(ctx, tx, `INSERT INTO jobs (id, kind, subject, payload, state, run_at, attempts, lease_until, fence, error, created_at, done_at) SELECT 'job_copy', kind, $1, payload, state, run_at, attempts, lease_until, fence, error, created_at, done_at FROM jobs WHERE id = (SELECT MIN(id) FROM jobs)`, s.pending.Order.ID)
	}},

	{name: "a dead lease", want: "I20", rule: "I20.lease", sql: `UPDATE jobs SET state = 'running', lease_until = 1`},
	{name: "tried for ever", want: "I20", rule: "I20.attempts", sql: `UPDATE jobs SET attempts = 99 WHERE state = 'ready'`},
	{name: "failed and not counted", want: "I20", rule: "I20.uncounted", sql: `UPDATE jobs SET state = 'ready', attempts = 0, error = 'no handler'`},
	{name: "due and left alone", want: "I20", rule: "I20.waiting", sql: `UPDATE jobs SET state = 'ready', attempts = 0, error = '', run_at = 1`},

	{name: "an act rewritten", want: "I25", rule: "I25.trail", sql: "unprotect audit_rows;\nUPDATE audit_rows SET actor = 'somebody' WHERE seq = 1"},
	{name: "an act taken out", want: "I25", sql: "unprotect audit_rows;\nDELETE FROM audit_rows WHERE seq = 2"},
	{name: "a person's refund without an act", want: "I25", rule: "I25.refund", sql: `UPDATE refunds SET created_by = 'pty_somebody' WHERE state = 'waiting'`},

	{name: "paid by hand without an act", want: "I2 I25", rule: "I25.by_hand", sql: `UPDATE refunds SET by_hand = 'bank', reference = 'B1' WHERE state = 'done'`},

	{name: "a code delivered at another moment", want: "I27", rule: "I27.code", sql: `UPDATE codes SET delivered_at = delivered_at + 1 WHERE state = 'delivered'`},
	{name: "a right granted at another moment", want: "I27", sql: `UPDATE rights SET granted_at = granted_at - 1`},
	{name: "an order paid at another moment", want: "I27", rule: "I27.order", sql: `UPDATE orders SET paid_at = paid_at + 1 WHERE state = 'fulfilled'`},

	{name: "an order that can't be paid", want: "I29", rule: "I29.unpayable", sql: `DELETE FROM payment_intents WHERE state = 'pending'`},
	{name: "an order without lines", want: "I29", rule: "I29.empty", do: func(ctx context.Context, s *lived, tx *db.Tx) error {
		return raw(ctx, tx, `INSERT INTO orders (id, state, party_id, phone, email, lang, channel, currency, total, idem_scope, idem_key, request_hash, created_at, expires_at, paid_at, closed_at, history)
SELECT 'ord_empty', state, party_id, phone, email, lang, channel, currency, 0, 'e', 'e', request_hash, created_at, expires_at, paid_at, closed_at, history FROM orders WHERE id = $1;
INSERT INTO payment_intents (id, order_id, gateway, amount, currency, state, created_at, expires_at, polled_at) SELECT 'pay_empty', 'ord_empty', gateway, 0, currency, state, created_at, expires_at, polled_at FROM payment_intents WHERE order_id = $1`, s.pending.Order.ID)
	}},
	{name: "a line of another version", want: "I29", rule: "I29.version", sql: `UPDATE order_lines SET version_id = 'ofv_none' WHERE order_id = (SELECT id FROM orders WHERE state = 'pending' ORDER BY id LIMIT 1)`},
	{name: "units of no order", want: "I29", rule: "I29.reservation", sql: `UPDATE reservations SET line_id = 'lin_none' WHERE state = 'expired'`},
	{name: "a step of no right", want: "I29", rule: "I29.step", do: func(ctx context.Context, _ *lived, tx *db.Tx) error {
		return raw(ctx, tx, `INSERT INTO right_events (right_id, step, kind, actor, data, at, hash) VALUES ('rgt_none', 1, 'granted', 'x', '{}', 1, $1)`, []byte("x"))
	}},
	{name: "an offer without its version", want: "I29", rule: "I29.offer", sql: `UPDATE offers SET version_id = 'ofv_none' WHERE id = (SELECT MIN(id) FROM offers)`},
	{name: "a line of no order", want: "I29 I31", sql: `unlinked order_lines order_id;
UPDATE order_lines SET order_id = 'ord_none' WHERE order_id = (SELECT id FROM orders WHERE state = 'expired' ORDER BY id LIMIT 1)`},
	{name: "a row without a name", want: "I29", rule: "I29.unnamed", sql: `INSERT INTO payment_notices (id, provider, event_id, intent_id, outcome, header, body, received_at) SELECT '', provider, 'evt-none', intent_id, 'ignored', header, body, received_at FROM payment_notices WHERE id = (SELECT MIN(id) FROM payment_notices)`},
	{name: "keys of another kind", want: "I4 I8 I10 I29", rule: "I29.step", sql: `UPDATE rights SET id = 'zzz' || id WHERE code_id = ''`},
	{name: "a batch of no stock", want: "I8 I29", sql: `UPDATE code_batches SET stock_id = 'stk_none' WHERE id = (SELECT MIN(id) FROM code_batches)`},

	{name: "a quote that leads elsewhere", want: "I31", rule: "I31.quote", sql: `UPDATE order_lines SET quote = 'offer=1' WHERE id = (SELECT MIN(id) FROM order_lines)`},
	{name: "a total that isn't the sum", want: "I14 I31", sql: `UPDATE orders SET total = total + 1 WHERE id = (SELECT MIN(id) FROM orders)`},
	{name: "another price than the version's", want: "I31", rule: "I31.version", sql: "unprotect offer_versions;\nUPDATE offer_versions SET body = REPLACE(body, '1990', '1991')"},
}

// post writes a transfer, well sealed, whose cause is what entry selects.
func (s *lived) post(ctx context.Context, tx *db.Tx, entry string, debit, credit id.Account, minor int64) error {
	statements++
	var cause string
	if _, err := tx.One(ctx, db.SQL(fmt.Sprintf("tamper.%d", statements), "SELECT "+entry), []any{&cause}); err != nil {
		return err
	}
	return s.Ledger.Post(ctx, tx, []ledger.Transfer{{Entry: cause, Leg: 9, Debit: debit, Credit: credit, Amount: money.Of(minor, money.CNY), Kind: "x", At: s.Clock.Now()}})
}

// grant gives a right more to an order, with a path that fits.
func (s *lived) grant(ctx context.Context, tx *db.Tx, p flow.Placed) error {
	at := s.Clock.Now()
	held, err := s.Rights.OfOrders(ctx, tx, []id.Order{p.Order.ID})
	if err != nil {
		return err
	}
	for _, r := range held[p.Order.ID] {
		at = r.GrantedAt
	}
	l := p.Order.Lines[0]
	return s.Rights.Grant(ctx, tx, []entitlement.Grant{{Actor: "x", Data: "{}", Right: entitlement.Right{
		ID: id.New[id.Right](), Order: p.Order.ID, Line: l.ID, Version: l.Version, Kind: "membership", StartsAt: at}}}, at)
}

// TestTamperingShows breaks each invariant behind the product's back and sees exactly that
// one fail.
func TestTamperingShows(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range tampers {
		if !strings.Contains(c.want, " ") {
			covered[c.want] = true
		}
	}
	for _, id := range verify.IDs() {
		if !covered[id] && id != "I12" { // a code's state is also the stock's
			t.Errorf("nothing breaks %s alone", id)
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := live(t, d)
		for _, c := range tampers {
			t.Run(strings.ReplaceAll(c.want, " ", "+")+" "+c.name, func(t *testing.T) {
				failed, rows := s.tamper(t, func(tx *db.Tx) error {
					if c.do != nil {
						return c.do(t.Context(), s, tx)
					}
					return raw(t.Context(), tx, c.sql)
				})
				if got := strings.Join(failed, " "); got != c.want {
					t.Errorf("failed: %q, want %q\n%v", got, c.want, rows)
				}
				if c.rule != "" && !slices.ContainsFunc(rows, func(r verify.Row) bool { return r.Rule == c.rule }) {
					t.Errorf("rule %s says nothing: %v", c.rule, rows)
				}
			})
		}
	})
}

// TestACheckpointSeesACutTail shows what a chain alone can't (I25): a trail cut at its end.
func TestACheckpointSeesACutTail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := live(t, d)
		ctx := t.Context()
		var head audit.Head
		if err := d.View(ctx, func(tx *db.Tx) (err error) { head, err = audit.End(ctx, tx); return err }); err != nil {
			t.Fatal(err)
		}
		cut := func(tx *db.Tx) error {
			return raw(ctx, tx, `unprotect audit_rows;
DELETE FROM audit_rows WHERE seq = (SELECT MAX(seq) FROM audit_rows);
UPDATE audit_heads SET seq = seq - 1, hash = (SELECT hash FROM audit_rows ORDER BY seq DESC LIMIT 1)`)
		}
		if failed, rows := s.tamper(t, cut); len(failed) != 0 {
			t.Errorf("without a checkpoint: %v %v", failed, rows)
		}
		err := d.Do(ctx, func(tx *db.Tx) error {
			if err := cut(tx); err != nil {
				return err
			}
			results, err := verify.Within(ctx, tx, verify.Options{Now: s.Clock.Now(), Checkpoint: &head})
			for _, r := range results {
				if r.OK() == (r.ID == "I25") {
					t.Errorf("with the checkpoint: %s %v", r.ID, r.Rows)
				}
			}
			return errors.Join(err, errUndo)
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
	})
}

// TestOtherSchemaShows has a database of another version than the program (I29).
func TestOtherSchemaShows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		applied := map[db.Dialect]string{db.SQLite: "1", db.Postgres: "true"}[d.Dialect()]
		if err := d.Script(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, `+applied+`);`); err != nil {
			t.Fatal(err)
		}
		results, err := verify.Verify(t.Context(), d, verify.Options{Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.OK() == (r.ID == "I29") {
				t.Errorf("%s: %v", r.ID, r.Rows)
			}
		}
	})
}
