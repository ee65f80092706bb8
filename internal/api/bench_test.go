package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/paygate/sandbox"
	"hufu/internal/paygate/sandbox/gateway"
)

// sink is an answer that nobody reads.
type sink struct {
	h      http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// benchmark runs one request after the other through everything but the network.
func benchmark(b *testing.B, r *rig, status int, next func(i int) (path, key, token, body string)) {
	b.Helper()
	b.ReportAllocs()
	w := &sink{h: http.Header{}}
	for i := 0; b.Loop(); i++ {
		path, key, token, body := next(i)
		q := httptest.NewRequest("POST", Prefix+path, strings.NewReader(body))
		q.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "Idempotency-Key": {key}}
		if token != "" {
			q.Header["Authorization"] = []string{"Bearer " + token}
		}
		clear(w.h)
		r.front.ServeHTTP(w, q)
		if w.status != status {
			b.Fatalf("%d", w.status)
		}
	}
}

func (r *rig) bodyOf(offer id.Offer) string {
	return `{"lines":[{"offer":"` + string(offer) + `","quantity":1,"terms":"` + r.terms(offer) + `"}],"phone":"13800001234","gateway":"` + flowtest.Channel + `"}`
}

func BenchmarkPlace(b *testing.B) {
	r := one(b)
	offer := r.Sell(b, 500, "", flowtest.Part{Quantity: 1})
	body := r.bodyOf(offer.ID)
	benchmark(b, r, 201, func(int) (string, string, string, string) { return "/orders", string(id.New[id.Order]()), "", body })
}

func BenchmarkSoldOut(b *testing.B) {
	r := one(b)
	offer := r.Sell(b, 500, r.Stock(b, inventory.Counted), flowtest.Part{Quantity: 1})
	body := r.bodyOf(offer.ID)
	r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.sold_out")
	if err := r.Flows.RefreshGate(b.Context()); err != nil {
		b.Fatal(err)
	}
	benchmark(b, r, 409, func(int) (string, string, string, string) { return "/orders", "0123456789abcdef", "", body })
}

func BenchmarkRefused(b *testing.B) {
	r := one(b)
	benchmark(b, r, 400, func(int) (string, string, string, string) {
		return "/orders", "0123456789abcdef", "", `{"lines":[{"offer":"x","quantity":0}],"total":1}`
	})
}

func BenchmarkReveal(b *testing.B) {
	r := one(b)
	offer, _ := r.coded(5)
	o := r.buy(offer.ID, "")
	benchmark(b, r, 200, func(int) (string, string, string, string) {
		return "/orders/" + string(o.id) + "/reveal", "0123456789abcdef", o.token, `{"confirm":true}`
	})
}

// BenchmarkRequest is what the requests of the others cost by themselves.
func BenchmarkRequest(b *testing.B) {
	r := one(b)
	r.front = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { w.WriteHeader(200) })
	body := r.bodyOf("ofr_01jd8x3vx8f8ps6v4p2h4k7q9e")
	benchmark(b, r, 200, func(int) (string, string, string, string) { return "/orders", "0123456789abcdef", "", body })
}

// BenchmarkNotice takes the same notice again and again, as a gateway does that heard no
// answer; the first one delivers.
func BenchmarkNotice(b *testing.B) {
	const secret = "bench-secret-9f31c7d2a4e85b60c1d7f2a39e4b8c5d"
	r := one(b)
	g, err := sandbox.New(sandbox.Config{BaseURL: "http://127.0.0.1:9", MerchantID: "hufu", AppID: "shop", Secrets: []string{secret}, Clock: r.Time})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(g.Stop)
	r.Gateways[g.Name()] = g
	offer := r.Sell(b, 500, "", flowtest.Part{Quantity: 1})
	placed := r.do(request{method: "POST", path: "/orders", body: r.placeBody(offer.ID, 1, "gateway", g.Name())}).want(201, "")
	now := r.Clock.Now()
	signature, notice := gateway.SignNotice(secret, now, gateway.Notice{ID: "evt", Type: "trade", MerchantID: "hufu", AppID: "shop", OutTradeNo: placed.str("payment.intent"),
		TransactionID: "txn", State: "PAID", Amount: 500, Currency: "CNY", OccurredAt: now})
	b.ReportAllocs()
	w := &sink{h: http.Header{}}
	for b.Loop() {
		q := httptest.NewRequest("POST", Prefix+"/gateways/sandbox/notices", bytes.NewReader(notice))
		q.Header = http.Header{"Content-Type": {"application/json"}, gateway.SignatureHeader: {signature}}
		clear(w.h)
		r.front.ServeHTTP(w, q)
		if w.status != 200 {
			b.Fatalf("%d", w.status)
		}
	}
	if got := r.do(request{method: "GET", path: "/orders/" + placed.str("id"), token: placed.str("token")}).str("state"); got != "fulfilled" {
		b.Errorf("the order is %s", got)
	}
}
