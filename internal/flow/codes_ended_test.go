package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
)

// ending puts n codes into a stock that end so long after now.
func ending(t testing.TB, s *flow.Flows, stock id.Stock, n int64, after time.Duration) {
	t.Helper()
	if _, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: stock, Name: "ending", Issuer: "hufu", Format: vault.DefaultFormat, Count: n,
		Expires: s.Clock.Now().Add(after), By: "ops"}, nil); err != nil {
		t.Fatal(err)
	}
}

// balanced checks that a stock counts what codes there are.
func balanced(t testing.TB, s *flowtest.Shop, stock id.Stock) inventory.Stock {
	t.Helper()
	(&codeShop{Flows: s.Flows, stock: stock}).conserved(t)
	return s.Units(t, stock)
}

// A code whose time is over is sold to nobody, also before the duty that retires it has run.
func TestAnEndedCodeIsNeverPicked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Codes)
		ending(t, s.Flows, stock, 3, time.Hour)
		s.Codes(t, stock, 1)
		picked := func() map[id.Right]vault.Given {
			var given map[id.Right]vault.Given
			if err := d.Do(t.Context(), func(tx *db.Tx) error {
				var wants []vault.Want
				for range 4 {
					wants = append(wants, vault.Want{Right: id.New[id.Right](), Stock: stock})
				}
				var err error
				given, err = flowtest.Pick(t.Context(), tx, s.Flows.Codes, wants, s.Clock.Now())
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return given
		}
		s.Time.Advance(time.Hour - time.Microsecond)
		if n := len(picked()); n != 4 {
			t.Errorf("%d of 4 codes are picked before their end", n)
		}
		s.Time.Advance(time.Microsecond)
		given := picked()
		if len(given) != 1 {
			t.Errorf("%d codes are picked, one is good", len(given))
		}
		for _, g := range given {
			if !g.ExpiresAt.IsZero() {
				t.Errorf("a code that ended at %v is picked at %v", g.ExpiresAt, s.Clock.Now())
			}
		}
	})
}

// The stock promises no code that can't be picked: as many orders are taken as there are
// good codes, and each of them gets one.
func TestEndedCodesAreNotPromised(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
		ending(t, s.Flows, stock, 5, time.Hour)
		s.Codes(t, stock, 2)
		s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1}) // one of those that will end
		s.Time.Advance(time.Hour)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 3})); fault.CodeOf(err) != "order.sold_out" {
			t.Errorf("three are promised, two are good: %v", err)
		}
		for range 2 {
			p := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
			if o := s.Look(t, p.Order.ID); o.State != order.Fulfilled {
				t.Errorf("an order that was taken is %s", o.State)
			}
		}
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})); fault.CodeOf(err) != "order.sold_out" {
			t.Errorf("an ended code is promised: %v", err)
		}
		balanced(t, s, stock)
		if n, err := s.ExpireCodes(t.Context(), 100); err != nil || n != 4 {
			t.Errorf("%d codes are retired, %v", n, err)
		}
		if st := balanced(t, s, stock); st.Available != 0 || st.Voided != 4 || st.Delivered != 3 {
			t.Errorf("%+v", st)
		}
	})
}

// A late payment takes no unit whose code is promised to another: with one good code and
// one hold, the money of who comes late goes back.
func TestALatePaymentLeavesTheGoodCodeToTheHold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
		want := flowtest.Want{Offer: offer, Quantity: 1}
		place := func() flow.Placed {
			p, err := s.Place(t.Context(), flowtest.Order(want))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		pay := func(p flow.Placed) *order.Order {
			notice, ok := s.Gateway.Pay(p.Intent, p.Intent.Amount)
			if !ok {
				t.Fatal("the charge is closed")
			}
			if _, err := s.Confirm(t.Context(), notice); err != nil {
				t.Fatal(err)
			}
			return s.Look(t, p.Order.ID)
		}
		ending(t, s.Flows, stock, 1, flow.HoldFor+flow.GatewayGrace+2*time.Minute)
		s.Codes(t, stock, 1)
		late := place()
		notice, _ := s.Gateway.Pay(late.Intent, late.Intent.Amount) // paid in time, told late
		s.Time.Advance(flow.HoldFor + flow.GatewayGrace + time.Minute)
		s.Gateway.Down(true)
		_, _ = s.ExpireDue(t.Context(), 10)
		s.Gateway.Down(false)
		if o := s.Look(t, late.Order.ID); o.State != order.Expired {
			t.Fatalf("the order that nobody answers for is %s", o.State)
		}
		held := place()
		s.Time.Advance(time.Minute)
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if o := s.Look(t, late.Order.ID); o.State != order.Shortage {
			t.Errorf("the late order is %s", o.State)
		}
		if o := pay(held); o.State != order.Fulfilled {
			t.Errorf("the order that held a unit is %s", o.State)
		}
		balanced(t, s, stock)
	})
}

// Codes that end while an order holds their units leave it short: that is a state with a
// refund, the code is retired with its unit, and the books say so.
func TestACodeThatEndsWhileItIsHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
		ending(t, s.Flows, stock, 2, 5*time.Minute)
		s.Codes(t, stock, 1)
		p, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 3}))
		if err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(6 * time.Minute)
		if n, err := s.ExpireCodes(t.Context(), 100); err != nil || n != 0 {
			t.Errorf("%d codes behind held units are retired, %v", n, err)
		}
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		if c, err := s.Confirm(t.Context(), notice); err != nil || c.Verdict != payment.Apply {
			t.Fatalf("%+v, %v", c, err)
		}
		o := s.Look(t, p.Order.ID)
		if o.State != order.Part || o.Lines[0].Delivered != 1 {
			t.Errorf("%s, %d delivered", o.State, o.Lines[0].Delivered)
		}
		if st := balanced(t, s, stock); st.Voided != 2 || st.Delivered != 1 || st.Available != 0 || st.Reserved != 0 {
			t.Errorf("%+v", st)
		}
		if n, err := s.SendRefunds(t.Context(), 10); err != nil || n == 0 {
			t.Errorf("%d refunds were sent, %v", n, err)
		}
		if got := s.Gateway.Refunded(); got != 200 {
			t.Errorf("%d went back for two units at 100", got)
		}
		if n, err := s.ExpireCodes(t.Context(), 100); err != nil || n != 0 {
			t.Errorf("%d codes are retired twice, %v", n, err)
		}
	})
}

// Units that are held in one stock don't keep the ended codes of another, nor the rest of
// their own, from being retired.
func TestHeldUnitsKeepNoOtherCodeFromRetiring(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		held, other := s.Stock(t, inventory.Codes), s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: held, Coded: true, Quantity: 1})
		ending(t, s.Flows, held, 3, 5*time.Minute)
		ending(t, s.Flows, other, 4, 5*time.Minute)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 2})); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(5 * time.Minute)
		if n, err := s.ExpireCodes(t.Context(), 100); err != nil || n != 5 {
			t.Errorf("%d codes are retired of 1 and 4, %v", n, err)
		}
		if st := balanced(t, s, held); st.Available != 0 || st.Reserved != 2 || st.Voided != 1 {
			t.Errorf("%+v", st)
		}
		if st := balanced(t, s, other); st.Available != 0 || st.Voided != 4 {
			t.Errorf("%+v", st)
		}
	})
}

// However many ended codes stand behind held units, a piece of the duty finds what it may
// retire.
func TestEndedCodesBehindHeldUnitsFillNoPiece(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		held, other := s.Stock(t, inventory.Codes), s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: held, Coded: true, Quantity: 1})
		ending(t, s.Flows, held, 3, 4*time.Minute)
		ending(t, s.Flows, other, 3, 5*time.Minute)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 3})); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(5 * time.Minute)
		for _, want := range []int{2, 1, 0} {
			if n, err := s.ExpireCodes(t.Context(), 2); err != nil || n != want {
				t.Errorf("%d codes are retired, %v; want %d", n, err, want)
			}
			balanced(t, s, held)
			balanced(t, s, other)
		}
	})
}

// The good code that a held unit counts on is neither voided nor taken back while the other
// one of its stock has ended; the ended one is, once nobody holds a unit.
func TestTheGoodCodeBehindAHeldUnitStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Codes)
		offer := s.Sell(t, 100, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1})
		ending(t, s.Flows, stock, 1, 5*time.Minute)
		good := s.Codes(t, stock, 1)
		placed, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1}))
		if err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(6 * time.Minute)
		void := func(b id.Batch) error {
			var codes []vault.Shown
			if err := d.View(t.Context(), func(tx *db.Tx) error {
				batch, err := vault.BatchByID(t.Context(), tx, b)
				if err == nil {
					codes, err = vault.CodesOf(t.Context(), tx, batch, "", 1)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return s.VoidCodes(t.Context(), flow.VoidCodes{Codes: []id.Code{codes[0].ID}, Reason: "leaked", By: "ops"})
		}
		if err := void(good.ID); fault.CodeOf(err) != "vault.code_reserved" {
			t.Errorf("the good code is voided: %v", err)
		}
		if err := s.UndoBatch(t.Context(), good.ID, "ops", ""); fault.CodeOf(err) != "vault.code_reserved" {
			t.Errorf("the good code's batch is undone: %v", err)
		}
		balanced(t, s, stock)
		if n, err := s.ExpireCodes(t.Context(), 10); err != nil || n != 1 {
			t.Errorf("%d codes are retired, %v", n, err)
		}
		if err := void(good.ID); fault.CodeOf(err) != "vault.code_reserved" {
			t.Errorf("the good code is voided: %v", err)
		}
		notice, _ := s.Gateway.Pay(placed.Intent, placed.Intent.Amount)
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if o := s.Look(t, placed.Order.ID); o.State != order.Fulfilled {
			t.Errorf("the order that held a unit is %s", o.State)
		}
		balanced(t, s, stock)
	})
}

// The statements of a sale walk an index, however many codes there are.
func TestPicksKeepToTheirIndex(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		s.generate(t, 5000)
		sold := s.stock
		s.newStock(t, "ending")
		ending(t, s.Flows, s.stock, 10_000, time.Hour)
		s.sell(t, 9000)
		s.stock = sold
		if d.Dialect() == db.Postgres {
			if err := d.Script(t.Context(), "ANALYZE codes"); err != nil {
				t.Fatal(err)
			}
		}
		now := db.Micros(codesNow.Add(time.Hour))
		for name, q := range map[string]struct {
			index string
			args  []any
		}{
			"vault.free":         {"codes_free", []any{s.stock, "", now, 50}},
			"vault.free_waiting": {"codes_free", []any{s.stock, "", now, 50}},
			"vault.first_end":    {"codes_ending", nil},
			"vault.overdue":      {"codes_ending", []any{now, 1000}},
			"vault.ended_of":     {"codes_ending", []any{s.stock, now, 5}},
		} {
			plan := planOf(t, d, name, q.args...)
			if !strings.Contains(plan, q.index) {
				t.Errorf("%s doesn't use %s:\n%s", name, q.index, plan)
			}
			if strings.Contains(plan, "Sort") || strings.Contains(plan, "ORDER BY") {
				t.Errorf("%s sorts:\n%s", name, plan)
			}
		}
	})
}

// planOf is what the database says of how it will run a statement.
func planOf(t testing.TB, d *db.DB, name string, args ...any) string {
	t.Helper()
	for _, s := range db.Registered() {
		if s.Name() != name {
			continue
		}
		explain := map[db.Dialect]string{db.SQLite: "EXPLAIN QUERY PLAN ", db.Postgres: "EXPLAIN (COSTS OFF) "}[d.Dialect()]
		stmt := db.SQL(fmt.Sprintf("test.plan.%s.%s.%d", d.Dialect(), name, time.Now().UnixNano()), explain+s.Text(d.Dialect()))
		var plan strings.Builder
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			return tx.Query(t.Context(), stmt, func(scan func(...any) error) error {
				var line string
				dest := []any{&line}
				if d.Dialect() == db.SQLite {
					dest = []any{new(int64), new(int64), new(int64), &line}
				}
				err := scan(dest...)
				plan.WriteString(line + "\n")
				return err
			}, args...)
		}); err != nil {
			t.Fatal(err)
		}
		return plan.String()
	}
	t.Fatalf("no statement is named %s", name)
	return ""
}
