package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/flow/terms"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/paygate"
)

// each runs a test on both databases.
func each(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) })
}

// one runs a test on SQLite alone.
func one(t testing.TB, change ...func(*Options)) *rig {
	return newRig(t, dbtest.Open(t, "sqlite"), change...)
}

// coded puts an offer of n codes on sale.
func (r *rig) coded(n int64) (flowtest.Offer, id.Stock) {
	r.t.Helper()
	stock := r.Stock(r.t, inventory.Codes)
	r.Codes(r.t, stock, n)
	return r.Sell(r.t, 1990, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1}), stock
}

func TestAPurchaseOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(3)
		list := r.do(request{method: "GET", path: "/offers?limit=10"}).want(200, "")
		if list.at("items.0.stock.left") != 3.0 || list.at("items.0.price.minor") != 1990.0 {
			t.Error(list.text)
		}
		seen := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "")
		quote := r.do(request{method: "POST", path: "/quotes", body: map[string]any{"lines": []any{map[string]any{"offer": offer.ID, "quantity": 2}}}}).want(200, "")
		if quote.at("total.minor") != 3980.0 || quote.str("lines.0.terms") != seen.str("terms") {
			t.Error(quote.text)
		}
		if terms.Hash(seen.str("terms_text")) != seen.str("terms") || !strings.Contains(seen.str("terms_text"), seen.str("parts.0.disclosure.refund")) {
			t.Errorf("the hash isn't of the text: %s", seen.text)
		}
		key := r.key()
		body := map[string]any{"gateway": flowtest.Channel, "phone": "13800001234", "lines": []any{map[string]any{"offer": offer.ID, "quantity": 1, "version": seen.str("version"), "unit_price": 1990, "terms": seen.str("terms")}}}
		placed := r.do(request{method: "POST", path: "/orders", key: key, body: body}).want(201, "")
		again := r.do(request{method: "POST", path: "/orders", key: key, body: body}).want(201, "")
		if again.text != placed.text || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("the same request is answered\n%s\nand\n%s", placed.text, again.text)
		}
		r.in(func(ctx context.Context, tx *db.Tx) error {
			kept, err := r.Orders.Terms(ctx, tx, []string{seen.str("terms")})
			if kept[seen.str("terms")].Body != seen.str("terms_text") {
				t.Errorf("%+v is kept", kept)
			}
			return err
		})
		body["email"] = "a@example.com"
		if c := r.changes(func() {
			r.do(request{method: "POST", path: "/orders", key: key, body: body}).want(409, "idempotency.reused")
		}); c != "" {
			t.Errorf("another body changed %s", c)
		}
		o, token := placed.str("id"), placed.str("token")
		looked := r.do(request{method: "GET", path: "/orders/" + o, token: token}).want(200, "")
		if fmt.Sprint(looked.at("lines.0.price_steps")) != fmt.Sprint(seen.at("price_steps")) || looked.at("lines.0.price_steps.0.name") == nil {
			t.Errorf("the order keeps the price as %v, the offer said %v", looked.at("lines.0.price_steps"), seen.at("price_steps"))
		}
		r.do(request{method: "POST", path: "/orders/" + o + "/reveal", token: token, body: `{"confirm":true}`}).want(404, "right.none")
		r.pay(id.Order(o))
		paid := r.do(request{method: "POST", path: "/orders/" + o + "/poll", token: token}).want(200, "")
		if paid.str("state") != "fulfilled" || paid.at("rights.0.coded") != true || strings.Contains(paid.text, `"code":`) {
			t.Error(paid.text)
		}
		if c := r.changes(func() {
			r.do(request{method: "POST", path: "/orders/" + o + "/reveal", token: token, body: `{"confirm":false}`}).want(400, "right.confirm")
		}); c != "" {
			t.Errorf("without a confirmation: %s", c)
		}
		shown := r.do(request{method: "POST", path: "/orders/" + o + "/reveal", token: token, body: `{"confirm":true}`}).want(200, "")
		if len(shown.str("rights.0.code")) < 16 || shown.header.Get("Cache-Control") != "no-store" {
			t.Error(shown.text)
		}
		right := shown.str("rights.0.id")
		path := r.do(request{method: "GET", path: "/orders/" + o + "/rights/" + right, token: token}).want(200, "")
		if path.at("intact") != true || path.str("steps.0.kind") != "granted" || path.str("steps.1.kind") != "revealed" {
			t.Error(path.text)
		}
		r.do(request{method: "POST", path: "/orders/" + o + "/cancel", token: token}).want(409, "order.paid")
		if got := len(r.do(request{method: "GET", path: "/orders/" + o + "/rights", token: token}).want(200, "").items()); got != 1 {
			t.Errorf("%d rights", got)
		}
	})
}

// What a client says of price, total or user is refused or compared, never used (S17, S18,
// S36); what is refused leaves nothing behind.
func TestAnOrderThatCantBe(t *testing.T) {
	r := one(t)
	offer, _ := r.coded(5)
	limited := r.Stock(t, inventory.Counted)
	gone := r.Sell(t, 500, limited, flowtest.Part{Quantity: 1})
	accepted := `"terms":"` + r.terms(offer.ID) + `"`
	line := func(more string) string {
		return `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `",` + accepted + `,` + more + `}]}`
	}
	whole := func(more string) string {
		return `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,` + accepted + `}],` + more + `}`
	}
	for _, c := range []struct {
		name   string
		body   string
		status int
		code   string
		wrong  string
	}{
		{"quantity 0", line(`"quantity":0`), 400, "request.invalid", "lines[0].quantity request.minimum"},
		{"quantity -1", line(`"quantity":-1`), 400, "request.invalid", "lines[0].quantity request.minimum"},
		{"quantity 1.5", line(`"quantity":1.5`), 400, "request.invalid", "lines[0].quantity request.integer"},
		{"quantity 1e9", line(`"quantity":1e9`), 400, "request.invalid", "lines[0].quantity request.integer"},
		{"quantity large", line(`"quantity":1000000000`), 400, "request.invalid", "lines[0].quantity request.maximum"},
		{"quantity huge", line(`"quantity":99999999999999999999`), 400, "request.invalid", "lines[0].quantity request.range"},
		{"quantity array", line(`"quantity":[1]`), 400, "request.invalid", "lines[0].quantity request.integer"},
		{"quantity text", line(`"quantity":"1"`), 400, "request.invalid", "lines[0].quantity request.integer"},
		{"quantity null", line(`"quantity":null`), 400, "request.invalid", "lines[0].quantity request.null"},
		{"quantity twice", line(`"quantity":1,"quantity":2`), 400, "request.invalid", "lines[0].quantity request.twice"},
		{"quantity missing", line(`"version":""`), 400, "request.invalid", "lines[0].quantity request.required"},
		{"quantity over the offer's", line(`"quantity":11`), 400, "order.quantity", "lines[0].quantity order.quantity"},
		{"total", whole(`"total":1`), 400, "request.invalid", "total request.unknown"},
		{"user", whole(`"party":"pty_x"`), 400, "request.invalid", "party request.unknown"},
		{"state", whole(`"state":"fulfilled"`), 400, "request.invalid", "state request.unknown"},
		{"currency", whole(`"currency":"JPY"`), 400, "request.invalid", "currency request.unknown"},
		{"line price", line(`"quantity":1,"price":1`), 400, "request.invalid", "lines[0].price request.unknown"},
		{"other price shown", line(`"quantity":1,"version":"ofv_01jd8x3vx8f8ps6v4p2h4k7q9e","unit_price":1`), 409, "order.terms", "lines[0].version order.terms"},
		{"other terms", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,"terms":"` + strings.Repeat("a", 64) + `"}]}`, 409, "order.terms", "lines[0].terms order.terms"},
		{"terms nobody accepted", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `","quantity":1}]}`, 400, "request.invalid", "lines[0].terms request.required"},
		{"empty terms", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,"terms":""}]}`, 400, "request.invalid", "lines[0].terms request.required"},
		{"balance of a guest", `{"gateway":"balance","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,` + accepted + `}]}`, 400, "order.gateway", "gateway order.gateway"},
		{"no such gateway", `{"gateway":"x","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,` + accepted + `}]}`, 400, "order.gateway", "gateway order.gateway"},
		{"no lines", `{"gateway":"x","lines":[]}`, 400, "request.invalid", "lines request.too_few_items"},
		{"the same twice", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(offer.ID) + `","quantity":1,` + accepted + `},{"offer":"` + string(offer.ID) + `","quantity":1,` + accepted + `}]}`, 400, "order.offer_twice", ""},
		{"no such offer", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"ofr_01jd8x3vx8f8ps6v4p2h4k7q9e","quantity":1,` + accepted + `}]}`, 404, "order.no_offer", "lines[0].offer order.no_offer"},
		{"sold out", `{"gateway":"` + flowtest.Channel + `","lines":[{"offer":"` + string(gone.ID) + `","quantity":1,"terms":"` + r.terms(gone.ID) + `"}]}`, 409, "order.sold_out", ""},
		{"bad phone", whole(`"phone":"12"`), 400, "identity.phone", "phone identity.phone"},
		{"bad e-mail", whole(`"email":"x"`), 400, "identity.email", "email identity.email"},
		{"empty", ``, 400, "request.empty", ""},
		{"no object", `[]`, 400, "request.invalid", " request.object"},
		{"no JSON", `{"lines":`, 400, "request.invalid", "lines request.json"},
		{"more behind", whole(`"phone":"13800001234"`) + `{}`, 400, "request.invalid", " request.trailing"},
		{"NUL", whole(`"phone":"\u0000"`), 400, "request.invalid", "phone request.text"},
		{"half a surrogate", whole(`"phone":"\ud800"`), 400, "request.invalid", "phone request.text"},
		{"not UTF-8", whole("\"phone\":\"\xff\""), 400, "request.invalid", "phone request.text"},
		{"deep", whole(`"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), 400, "request.invalid", "x request.depth"},
		{"large", whole(`"phone":"` + strings.Repeat("1", maxBody) + `"`), 413, "request.too_large", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			for _, lang := range []string{"zh-CN", "en"} {
				var got answer
				changed := r.changes(func() {
					got = r.do(request{method: "POST", path: "/orders", body: c.body, lang: lang}).want(c.status, c.code)
				})
				if changed != "" {
					t.Errorf("changed %s", changed)
				}
				if wrong := strings.Join(got.wrong(), "; "); wrong != c.wrong {
					t.Errorf("wrong: %q, want %q", wrong, c.wrong)
				}
				if chinese := strings.ContainsFunc(got.text, func(c rune) bool { return c >= 0x4e00 && c <= 0x9fff }); chinese != (lang == "zh-CN") && c.name != "sold out" {
					t.Errorf("in %s: %s", lang, got.text)
				}
			}
		})
	}
}

func TestWhatStandsBeforeEveryOperation(t *testing.T) {
	r := one(t)
	for _, c := range []struct {
		name   string
		q      request
		status int
		code   string
	}{
		{"no key", request{method: "POST", path: "/orders", key: "-", body: `{}`}, 400, "request.no_key"},
		{"a bad key", request{method: "POST", path: "/orders", key: "two words and more", body: `{}`}, 400, "idempotency.key"},
		{"a key that can be guessed", request{method: "POST", path: "/orders", key: "order-1", body: r.placeBody("ofr_01jd8x3vx8f8ps6v4p2h4k7q9e", 1)}, 400, "request.short_key"},
		{"a form", request{method: "POST", path: "/orders", kind: "application/x-www-form-urlencoded", body: `a=b`}, 415, "request.media_type"},
		{"another charset", request{method: "POST", path: "/orders", kind: "application/json; charset=gbk", body: `{}`}, 415, "request.media_type"},
		{"an image wanted", request{method: "GET", path: "/offers", headers: map[string]string{"Accept": "image/png"}}, 406, "request.accept"},
		{"another method", request{method: "DELETE", path: "/offers"}, 405, "request.method"},
		{"no operation", request{method: "GET", path: "/nothing/here"}, 404, "request.no_operation"},
		{"no gateway", request{method: "POST", path: "/gateways/nobody/notices", body: "{}"}, 404, "request.no_operation"},
		{"a parameter unknown", request{method: "GET", path: "/offers?price=1"}, 400, "request.invalid"},
		{"a parameter twice", request{method: "GET", path: "/offers?limit=1&limit=2"}, 400, "request.invalid"},
		{"a limit too large", request{method: "GET", path: "/offers?limit=201"}, 400, "request.invalid"},
		{"a limit like no number", request{method: "GET", path: "/offers?limit=%2B5"}, 400, "request.invalid"},
		{"a bad query", request{method: "GET", path: "/offers?limit=%zz"}, 400, "request.invalid"},
		{"a strange cursor", request{method: "GET", path: "/offers?cursor=abc"}, 400, "request.invalid"},
		{"NUL in a path", request{method: "GET", path: "/offers/%00"}, 400, "request.invalid"},
		{"a body for nothing", request{method: "DELETE", path: "/member/session", token: "x", body: `{}`}, 401, "identity.session_ended"},
		{"basic authorization", request{method: "GET", path: "/member", headers: map[string]string{"Authorization": "Basic eDp5"}}, 401, "request.authorization"},
		{"no authorization", request{method: "GET", path: "/member"}, 401, "unauthenticated"},
		{"staff without a session", request{method: "GET", path: "/staff/audit"}, 401, "unauthenticated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			if changed := r.changes(func() { r.do(c.q).want(c.status, c.code) }); changed != "" {
				t.Errorf("changed %s", changed)
			}
		})
	}
	r.t = t
	if got := r.do(request{method: "DELETE", path: "/offers"}).header.Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow: %q", got)
	}
}

// I18: N of the same request at once have one effect and one answer, whoever sends them.
func TestTheSameRequestAtOnce(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, stock := r.coded(50)
		owner := r.owner()
		counted := r.Stock(t, inventory.Counted)
		for _, q := range []request{
			{method: "POST", path: "/orders", key: r.key(), body: r.placeBody(offer.ID, 2)},
			{method: "POST", path: "/staff/stocks", key: r.key(), token: owner.token, body: map[string]any{"name": "at once", "kind": "counted"}},
			{method: "POST", path: "/staff/stocks/" + string(counted) + "/receive", key: r.key(), token: owner.token, body: map[string]any{"units": 7}},
			{method: "POST", path: "/staff/members", key: r.key(), token: owner.token, body: map[string]any{"email": "new@shop.example", "name": "New", "roles": []string{"support"}}},
			{method: "POST", path: "/staff/batches", key: r.key(), token: owner.token, body: map[string]any{"stock": stock, "name": "b", "issuer": "hufu", "count": 3}},
		} {
			const n = 24
			texts, others := make([]string, n), make([]int, n)
			var all sync.WaitGroup
			send := func(q request) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				r.front.ServeHTTP(w, q.http(r))
				return w
			}
			for i := range n {
				all.Go(func() {
					w := send(q)
					texts[i] = w.Body.String()
					if w.Code/100 != 2 {
						t.Errorf("%s: %d %s", q.path, w.Code, w.Body)
					}
					if i%6 == 0 {
						other := q
						other.body = `{"other":true}`
						others[i] = send(other).Code
					}
				})
			}
			all.Wait()
			slices.Sort(texts)
			if got := slices.Compact(texts); len(got) != 1 {
				t.Errorf("%s: %d answers: %q", q.path, len(got), got)
			}
			for i := 0; i < n; i += 6 {
				if others[i] != 400 {
					t.Errorf("%s: another body: %d", q.path, others[i])
				}
			}
		}
		if got := r.Units(t, counted).Received; got != 7 {
			t.Errorf("%d units received", got)
		}
		if got := r.Units(t, stock).Reserved; got != 2 {
			t.Errorf("%d units reserved", got)
		}
		if got := r.rows(); got["orders"] != 1 || got["invitations"] != 1 || got["code_batches"] != 2 {
			t.Errorf("%v", got)
		}
	})
}

func TestMembersAndTheirBalance(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		offer, _ := r.coded(5)
		wei, lin := r.member("13800000001"), r.member("13800000002")
		body := r.placeBody(offer.ID, 1, "gateway", "balance")
		o := r.do(request{method: "POST", path: "/orders", token: wei.token, body: body}).want(201, "").str("id")
		if c := r.changes(func() {
			r.do(request{method: "POST", path: "/orders/" + o + "/pay", token: wei.token}).want(409, "ledger.insufficient")
		}); c != "" {
			t.Errorf("a payment that isn't covered changed %s", c)
		}
		credit := request{method: "POST", path: "/staff/customers/" + wei.id + "/credits", token: owner.token, body: map[string]any{"amount": map[string]any{"minor": 5000, "currency": "CNY"}, "received": true, "reference": "bank-1", "reason": "paid in"}}
		r.do(credit).want(201, "")
		r.do(credit).want(201, "")
		credit.body = map[string]any{"amount": map[string]any{"minor": 9000, "currency": "CNY"}, "received": true, "reference": "bank-1", "reason": "paid in"}
		r.do(credit).want(409, "ledger.reference")
		if got := r.do(request{method: "GET", path: "/member", token: wei.token}).at("balances.0.minor"); got != 5000.0 {
			t.Errorf("the balance is %v", got)
		}
		r.do(request{method: "POST", path: "/orders/" + o + "/pay", token: lin.token}).want(404, "order.not_found")
		if got := r.do(request{method: "POST", path: "/orders/" + o + "/pay", token: wei.token}).want(200, "").str("state"); got != "fulfilled" {
			t.Errorf("paid: %s", got)
		}
		r.do(request{method: "POST", path: "/orders/" + o + "/pay", token: wei.token}).want(200, "")
		if got := r.do(request{method: "GET", path: "/member", token: wei.token}).at("balances.0.minor"); got != 3010.0 {
			t.Errorf("the balance is %v", got)
		}
		r.do(request{method: "POST", path: "/orders/" + o + "/reveal", token: wei.token, body: `{"confirm":true}`}).want(200, "")
		if got := len(r.do(request{method: "GET", path: "/member/orders", token: wei.token}).items()); got != 1 {
			t.Errorf("%d orders", got)
		}
		right := r.do(request{method: "GET", path: "/member/rights", token: wei.token}).str("items.0.id")
		r.do(request{method: "GET", path: "/member/rights/" + right, token: wei.token}).want(200, "")
		r.do(request{method: "GET", path: "/member/rights/" + right, token: lin.token}).want(404, "right.not_found")
		r.do(request{method: "DELETE", path: "/member/session", token: wei.token}).want(204, "")
		r.do(request{method: "GET", path: "/member", token: wei.token}).want(401, "identity.session_ended")
	})
}

// counting is a gateway that counts how often it is asked.
type counting struct {
	*flowtest.Gateway
	asked *atomic.Int64
}

func (g counting) Query(ctx context.Context, r paygate.Ref) paygate.Payment {
	g.asked.Add(1)
	return g.Gateway.Query(ctx, r)
}

// However often an order is polled, its gateway is asked every two seconds at most; what has
// ended unpaid can't be cancelled, and the document says so.
func TestPollingAndCancelling(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		var asked atomic.Int64
		r.Flows.Gateways[flowtest.Channel] = counting{r.Gateway, &asked}
		offer, _ := r.coded(1)
		p := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1)}).want(201, "")
		poll := request{method: "POST", path: "/orders/" + p.str("id") + "/poll", token: p.str("token")}
		for range 20 {
			r.do(poll).want(200, "")
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("20 polls at once asked the gateway %d times", n)
		}
		r.Time.Advance(flow.PollEvery)
		r.do(poll).want(200, "")
		if n := asked.Load(); n != 2 {
			t.Errorf("a poll two seconds later: asked %d times in all", n)
		}
		r.Time.Advance(20 * time.Minute)
		if n, err := r.ExpireDue(t.Context(), 10); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		r.do(request{method: "POST", path: "/orders/" + p.str("id") + "/cancel", token: p.str("token")}).want(409, "order.closed")
		op := r.staff(r.owner(), identity.Operator)
		r.do(request{method: "POST", path: "/staff/orders/" + p.str("id") + "/cancel", token: op.token}).want(409, "order.closed")
	})
}

// A guest who holds the phone gets the orders back; the answer is the same shape for none,
// and nothing that isn't a code opens them (S32, S33).
func TestLookUp(t *testing.T) {
	r := one(t)
	offer, _ := r.coded(5)
	placed := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1, "phone", "13800009999")}).want(201, "")
	sent := r.do(request{method: "POST", path: "/lookups/codes", body: `{"to":"138 0000 9999"}`}).want(202, "")
	for _, code := range []string{`0`, `[]`, `null`, `"\u0000"`, `""`, `"000000"`, `{}`} {
		got := r.do(request{method: "POST", path: "/lookups", body: `{"ticket":"` + sent.str("ticket") + `","code":` + code + `}`})
		if got.status != 400 && got.status != 401 && got.status != 409 {
			t.Errorf("%s: %d %s", code, got.status, got.text)
		}
	}
	found := r.do(request{method: "POST", path: "/lookups", body: map[string]any{"ticket": sent.str("ticket"), "code": r.sentCode()}}).want(200, "")
	if found.str("items.0.token") != placed.str("token") {
		t.Error(found.text)
	}
	none := r.do(request{method: "POST", path: "/lookups/codes", body: `{"to":"13800008888"}`}).want(202, "")
	if got := r.do(request{method: "POST", path: "/lookups", body: map[string]any{"ticket": none.str("ticket"), "code": r.sentCode()}}).want(200, "").items(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// So does who holds the e-mail address: their own orders, with their lines, and no others'.
func TestLookUpByMail(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(5)
		place := func(contact ...any) answer {
			return r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1, contact...)}).want(201, "")
		}
		place("phone", "13800009999")
		placed := place("email", "Lin@Example.com", "phone", "13800007777")
		place("email", "wei@example.com")
		find := func(to string) []any {
			t.Helper()
			sent := r.do(request{method: "POST", path: "/lookups/codes", body: map[string]any{"to": to}}).want(202, "")
			return r.do(request{method: "POST", path: "/lookups", body: map[string]any{"ticket": sent.str("ticket"), "code": r.sentCode()}}).want(200, "").items()
		}
		got := find("lin@example.com")
		if len(got) != 1 || got[0].(map[string]any)["token"] != placed.str("token") || len(got[0].(map[string]any)["lines"].([]any)) != 1 {
			t.Errorf("found %v", got)
		}
		if got := find("nobody@example.com"); len(got) != 0 {
			t.Errorf("nobody has %v", got)
		}
	})
}

func TestEventsTellOfAPayment(t *testing.T) {
	r := one(t)
	offer, _ := r.coded(2)
	placed := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1)}).want(201, "")
	server := httptest.NewServer(r.front)
	defer server.Close()
	q, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+Prefix+"/orders/"+placed.str("id")+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+placed.str("token"))
	q.Header.Set("Accept", "text/event-stream")
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
	var states []string
	for lines := bufio.NewScanner(a.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var e struct{ State string }
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			states = append(states, e.State)
			if e.State == "pending" {
				r.pay(id.Order(placed.str("id")))
			}
		}
	}
	if !slices.Equal(states, []string{"pending", "fulfilled"}) {
		t.Errorf("%v", states)
	}
	r.do(request{method: "GET", path: "/orders/" + placed.str("id") + "/events", token: "wrong"}).want(404, "order.not_found")
}

func TestRates(t *testing.T) {
	r := one(t, func(o *Options) { o.RateLimit = 1 })
	for range burstSeconds {
		a := r.do(request{method: "GET", path: "/gateways"}).want(200, "")
		if a.header.Get("RateLimit") == "" || a.header.Get("RateLimit-Policy") != `"default";q=10;w=10` {
			t.Errorf("%v", a.header)
		}
	}
	a := r.do(request{method: "GET", path: "/gateways"}).want(429, "too_many")
	if a.header.Get("Retry-After") != "1" || !strings.HasPrefix(a.header.Get("RateLimit"), `"default";r=0;`) {
		t.Errorf("%v", a.header)
	}
	r.do(request{method: "GET", path: "/nothing"}).want(429, "too_many")
	r.Time.Advance(1e9)
	r.do(request{method: "GET", path: "/gateways"}).want(200, "")
}

// I18: a request to place an order has one answer for ever, word for word, whatever has
// become of the order since; what has become of it is get-order's to say.
func TestAPlacedOrderHasOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(5)
		for what, then := range map[string]func(o id.Order, token string){
			"fulfilled": func(o id.Order, _ string) { r.pay(o) },
			"cancelled": func(o id.Order, token string) {
				r.do(request{method: "POST", path: "/orders/" + string(o) + "/cancel", token: token}).want(200, "")
			},
			"expired": func(id.Order, string) {
				r.Time.Advance(2 * flow.HoldFor)
				if _, err := r.ExpireDue(t.Context(), 10); err != nil {
					t.Fatal(err)
				}
			},
		} {
			place := request{method: "POST", path: "/orders", key: r.key(), body: r.placeBody(offer.ID, 1)}
			first := r.do(place).want(201, "")
			if first.header.Get("Idempotent-Replayed") != "" || first.at("payment.intent") == nil {
				t.Errorf("the first answer: %v %s", first.header, first.text)
			}
			then(id.Order(first.str("id")), first.str("token"))
			if now := r.do(request{method: "GET", path: "/orders/" + first.str("id"), token: first.str("token")}).want(200, ""); now.str("state") != what {
				t.Errorf("the order is %s, want %s", now.str("state"), what)
			}
			if again := r.do(place); again.status != first.status || again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s: the same request is answered\n%d %s\nand\n%d %s", what, first.status, first.text, again.status, again.text)
			}
		}
	})
}
