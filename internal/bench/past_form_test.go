package bench

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/payment"
)

// forms are the columns of every table that a purchase leaves rows in, those apart whose
// texts are random: the name of the ledger's chain.
var forms = []struct {
	columns string
	stmt    *db.Stmt
}{
	form("orders", "id, state, party_id, phone, email, lang, channel, currency, total, idem_scope, idem_key, request_hash, created_at, expires_at, paid_at, closed_at, history", "id"),
	form("order_lines", "id, order_id, offer_id, version_id, quantity, unit_price, amount, quote, acknowledged, picks, delivered, refunded, counted, under", "order_id"),
	form("reservations", "id, stock_id, line_id, quantity, state, expires_at, ended_at, right_id", "line_id IN (SELECT id FROM order_lines WHERE order_id = $1) AND '' <>"),
	form("payment_intents", "id, order_id, gateway, amount, currency, state, created_at, expires_at, polled_at", "order_id"),
	form("payment_captures", "id, provider, txn_id, intent_id, order_id, amount, currency, state, reason, occurred_at, booked_at", "order_id"),
	form("payment_notices", "id, provider, event_id, intent_id, outcome, header, body, received_at", "intent_id IN (SELECT id FROM payment_intents WHERE order_id = $1) AND '' <>"),
	form("rights", "id, order_id, line_id, part, benefit_id, version_id, party_id, kind, state, code_id, starts_at, ends_at, steps, head, granted_at, unit, nth, share, waits, due_at, clock", "order_id"),
	form("right_events", "right_id, step, kind, actor, data, at, hash", "right_id IN (SELECT id FROM rights WHERE order_id = $1) AND '' <>"),
	form("ledger_transfers", "entry_id, leg, debit, credit, amount, currency, kind, order_id, at", "order_id"),
	form("codes", "id, batch_id, stock_id, blind, key_id, sealed, expires_at, state, right_id, delivered_at", "right_id IN (SELECT id FROM rights WHERE order_id = $1) AND '' <>"),
	form("jobs", "id, kind, subject, payload, state, run_at, attempts, lease_until, fence, error, created_at, done_at", "subject"),
	form("notifications", "id, channel, target, template, lang, subject, body, order_id, state, at", "order_id"),
}

func form(table, columns, where string) struct {
	columns string
	stmt    *db.Stmt
} {
	order, _, _ := strings.Cut(columns, ",")
	if table == "right_events" {
		order = "step"
	}
	if strings.HasSuffix(where, "<>") {
		where += " $1"
	} else {
		where += " = $1"
	}
	return struct {
		columns string
		stmt    *db.Stmt
	}{columns, db.SQL("bench.test_"+table, "SELECT "+columns+" FROM "+table+" WHERE "+where+" ORDER BY "+order)}
}

var (
	newestOrder = db.SQL("bench.test_newest", `SELECT id FROM orders ORDER BY id DESC LIMIT 1`)
	anID        = regexp.MustCompile(`([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}`)
	aKey        = regexp.MustCompile(`[0-9a-z]{12}-[0-9a-z]{6}`)
	aMoment     = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	aSignature  = regexp.MustCompile(`[0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?`)
	aNumber     = regexp.MustCompile(`\d{10,}`)
)

// rowsOf tells what an order's rows are like: ids by their kind, moments and what is random
// by their form, everything else as it is.
func rowsOf(t *testing.T, d *db.DB, o id.Order) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := d.View(t.Context(), func(tx *db.Tx) error {
		for _, f := range forms {
			names := strings.Split(f.columns, ", ")
			n := 0
			if err := tx.Query(t.Context(), f.stmt, func(scan func(...any) error) error {
				values, into := make([]any, len(names)), make([]any, len(names))
				for i := range values {
					into[i] = &values[i]
				}
				err := scan(into...)
				for i, v := range values {
					out[fmt.Sprintf("%s.%d.%s", f.stmt.Name(), n, names[i])] = like(v)
				}
				n++
				return err
			}, o); err != nil {
				return err
			}
			if n == 0 {
				out[f.stmt.Name()] = "no row"
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func like(v any) string {
	switch v := v.(type) {
	case int64:
		if v > 1e15 {
			return "a moment"
		}
		return strconv.FormatInt(v, 10)
	case []byte:
		if !json.Valid(v) { // a hash may begin as a record does
			return fmt.Sprintf("%d bytes", len(v))
		}
		return like(string(v))
	case string:
		v = anID.ReplaceAllString(v, "$1")
		v = aKey.ReplaceAllString(v, "KEY")
		v = aSignature.ReplaceAllString(v, "SIGNATURE")
		return aNumber.ReplaceAllString(aMoment.ReplaceAllString(v, "MOMENT"), "NUMBER")
	}
	return fmt.Sprintf("%T", v)
}

// What a filling writes and what the flows leave differ in nothing but what must differ.
func TestThePastIsAsTheFlowsLeaveIt(t *testing.T) {
	eachStore(t, func(t *testing.T, store, keyFile string) {
		if _, err := fillPast(t.Context(), store, keyFile, 2000, func(string) {}); err != nil {
			t.Fatal(err)
		}
		a, err := open(t.Context(), store, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		var filled id.Order
		sale, _, err := pastOffer(t.Context(), a)
		if err == nil {
			err = a.DB.View(t.Context(), func(tx *db.Tx) error {
				_, err := tx.One(t.Context(), newestOrder, []any{&filled})
				return err
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		now := a.Clock.Now()
		key := strconv.FormatInt(now.UnixNano(), 36) + "-abcdef"
		p, err := a.Flows.Place(t.Context(), flow.Place{Request: order.KeyOf{Scope: "guest", Key: key}, RequestHash: make([]byte, 32), Phone: "13800001234", Lang: string(pastLang),
			Channel: "api", Gateway: provider, Lines: []flow.PlaceLine{{Offer: sale.ID, Quantity: 1, Acknowledged: terms.In(pastLang, sale.Draft).Hash}}})
		if err != nil {
			t.Fatal(err)
		}
		signature, body := gateway.SignNotice(secret, now, gateway.Notice{ID: "evt-" + key, Type: "trade", MerchantID: "hufu", AppID: "shop", OutTradeNo: string(p.Intent.ID),
			TransactionID: "txn-" + key, State: "PAID", Amount: p.Intent.Amount.Minor, Currency: "CNY", OccurredAt: now})
		c, err := a.Flows.Confirm(t.Context(), flow.Confirm{Message: payment.Message{Provider: provider, Event: "evt-" + key, Intent: p.Intent.ID, Txn: "txn-" + key, Paid: true,
			Amount: p.Intent.Amount, Account: true}, OccurredAt: now, Header: "Content-Type: application/json\n" + gateway.SignatureHeader + ": " + signature + "\n", Body: body})
		if err != nil || c.Verdict != payment.Apply {
			t.Fatal(c, err)
		}
		if _, err := a.Flows.Reveal(t.Context(), flow.Reveal{Order: p.Order.ID, Actor: "holder", Data: `{"confirmed":true}`}); err != nil {
			t.Fatal(err)
		}
		if n, err := a.Flows.WorkJobs(t.Context(), 10); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		made, sold := rowsOf(t, a.DB, filled), rowsOf(t, a.DB, p.Order.ID)
		if age := now.Sub(id.Time(filled)); age < pastEnds-time.Minute || len(sold) < 100 {
			t.Fatalf("the newest of the past is %s old, and %d columns were compared", age, len(sold))
		}
		for at, want := range sold {
			if got := made[at]; got != want {
				t.Errorf("%s: filled %q, sold %q", at, got, want)
			}
		}
		if len(made) != len(sold) {
			t.Errorf("%d columns filled, %d sold", len(made), len(sold))
		}
	})
}
