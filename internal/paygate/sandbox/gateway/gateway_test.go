package gateway

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"hufu/internal/clock"
	"hufu/internal/fault"
)

const secret = "4e0a1c55b9d7f2836e1f0d2c7ab84593"

var start = time.Date(2026, 11, 22, 12, 15, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func config(file string, c clock.Clock) Config {
	return Config{File: file, Clock: c, Merchants: []Merchant{{ID: "m_hufu", AppID: "app_1", Name: "<b>虎符</b>", Secrets: []string{secret}, FeeBasis: 60}}}
}

func open(t testing.TB, c Config) *Server {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// link is a signed cashier link, made as docs/sandbox-gateway.md says.
func link(no, amount, notify string, expires time.Time) url.Values {
	q := url.Values{
		"amount": {amount}, "app_id": {"app_1"}, "currency": {"CNY"}, "expires_at": {itoa(expires.Unix())}, "merchant_id": {"m_hufu"},
		"notify_url": {notify}, "out_trade_no": {no}, "return_url": {"http://127.0.0.1:1/back"}, "subject": {"<script>x</script>"},
	}
	text := "CASHIER\n"
	for _, k := range slices.Sorted(maps.Keys(q)) {
		text += k + "=" + q.Get(k) + "\n"
	}
	q.Set("sign", hexOf(mac(secret, []byte(text))))
	return q
}

func itoa(n int64) string { raw, _ := json.Marshal(n); return string(raw) }

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, c := range b {
		s.WriteByte(digits[c>>4])
		s.WriteByte(digits[c&15])
	}
	return s.String()
}

func do(s *Server, method, target, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if method == "POST" && strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func pay(t testing.TB, s *Server, no string) {
	t.Helper()
	target := "/cashier?" + link(no, "1990", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode()
	if w := do(s, "POST", target, "do=pay"); w.Code != http.StatusSeeOther {
		t.Fatalf("paying answers %d: %s", w.Code, w.Body)
	}
}

// The fast writer of notices writes what encoding/json reads back.
func TestSignNoticeWritesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		n := Notice{
			ID: text.Draw(t, "id"), Type: rapid.SampledFrom([]string{"trade", "refund"}).Draw(t, "type"), MerchantID: text.Draw(t, "m"),
			AppID: text.Draw(t, "a"), OutTradeNo: text.Draw(t, "no"), TransactionID: text.Draw(t, "txn"), State: text.Draw(t, "state"),
			Amount: rapid.Int64().Draw(t, "amount"), Currency: text.Draw(t, "currency"),
			OccurredAt: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC(),
		}
		if n.Type == "refund" {
			n.RefundNo, n.RefundID, n.RefundState = text.Draw(t, "rno"), text.Draw(t, "rid"), text.Draw(t, "rs")
			n.RefundAmount, n.Refunded = rapid.Int64().Draw(t, "ra"), rapid.Int64().Draw(t, "rt")
		}
		sig, body := SignNotice(secret, start, n)
		var back Notice
		if err := json.Unmarshal(body, &back); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if back != n {
			t.Fatalf("%+v, then %+v", n, back)
		}
		if _, ok := admits([]string{secret}, sig, start, "NOTICE", body); !ok {
			t.Fatal("its own signature is wrong")
		}
	})
}

func BenchmarkSignNotice(b *testing.B) {
	n := Notice{ID: "ev_0123456789abcdef0123456789ab", Type: "trade", MerchantID: "m_hufu", AppID: "app_1", OutTradeNo: "pay_01jd8x3vx8f8ps6v4p2h4k7q9e",
		TransactionID: "sb0123456789abcdef0123456789ab", State: "PAID", Amount: 1990, Currency: "CNY", OccurredAt: start}
	b.ReportAllocs()
	for b.Loop() {
		SignNotice(secret, start, n)
	}
}

// What the gateway said before it was stopped, it says after, whatever happened.
func TestAnythingSurvivesARestart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "sandbox")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := clock.NewFake(start)
		cfg := config(filepath.Join(dir, "f"), c)
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { s.Close() }()
		m := s.merchants["m_hufu"]
		captured, given := map[string]int64{}, map[string]int64{}
		no := rapid.SampledFrom([]string{"order-1", "order-2"})
		t.Repeat(map[string]func(*rapid.T){
			"pay": func(t *rapid.T) {
				n := no.Draw(t, "no")
				// It need not succeed: the trade may be over.
				do(s, "POST", "/cashier?"+link(n, "1990", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode(), rapid.SampledFrom([]string{"do=pay", "do=fail", ""}).Draw(t, "do"))
				s.mu.Lock()
				defer s.mu.Unlock()
				if x := s.trades[tradeKey{"m_hufu", n}]; x.State == statePaid {
					captured[n] = x.Payments[0].Amount
				}
			},
			"close": func(t *rapid.T) {
				n := no.Draw(t, "no")
				s.mu.Lock()
				defer s.mu.Unlock()
				a := s.closeTrade(m, request{OutTradeNo: n}, c.Now(), Faults{})
				if (a.Code == "ALREADY_PAID") != (captured[n] > 0) {
					t.Fatalf("close of %s, of which %d was captured: %+v", n, captured[n], a)
				}
			},
			"refund": func(t *rapid.T) {
				n := no.Draw(t, "no")
				q := request{OutTradeNo: n, RefundNo: rapid.SampledFrom([]string{"refund-1", "refund-2", "refund-3"}).Draw(t, "rno"),
					Amount: rapid.SampledFrom([]int64{1, 500, 990, 1000, 1990, 1991}).Draw(t, "amount"), Currency: "CNY"}
				s.mu.Lock()
				defer s.mu.Unlock()
				s.refund(m, q, c.Now(), Faults{RefundFails: rapid.Bool().Draw(t, "fails"), RefundSeconds: 60})
				sum := int64(0)
				if x := s.trades[tradeKey{"m_hufu", n}]; x != nil {
					for _, r := range x.Refunds {
						if r.State != stateFailed {
							sum += r.Amount
						}
					}
				}
				given[n] = sum
			},
			"later": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(1, 4000).Draw(t, "s")) * time.Second)
				s.mu.Lock()
				defer s.mu.Unlock()
				s.settle(c.Now())
			},
			"faults": func(t *rapid.T) {
				if err := s.SetFaults("m_hufu", Faults{Copies: rapid.IntRange(0, 9).Draw(t, "copies")}); err != nil {
					t.Fatal(err)
				}
			},
			"restart": func(t *rapid.T) {
				before := s.snapshot()
				s.Close()
				if rapid.Bool().Draw(t, "torn") {
					f, err := os.OpenFile(cfg.File, os.O_APPEND|os.O_WRONLY, 0)
					if err != nil {
						t.Fatal(err)
					}
					io.WriteString(f, `{"trade":{"seq":99,"mer`)
					f.Close()
				}
				if s, err = New(cfg); err != nil {
					t.Fatal(err)
				}
				if after := s.snapshot(); !reflect.DeepEqual(asJSON(before), asJSON(after)) {
					t.Fatalf("before\n%v\nafter\n%v", asJSON(before), asJSON(after))
				}
			},
			"": func(t *rapid.T) {
				for n, sum := range given {
					if sum > captured[n] {
						t.Fatalf("%d given back of %d", sum, captured[n])
					}
				}
			},
		})
	})
}

func asJSON(all []record) (lines []string) {
	for _, r := range all {
		raw, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		lines = append(lines, string(raw))
	}
	return lines
}

func TestTheFile(t *testing.T) {
	c := clock.NewFake(start)
	path := filepath.Join(t.TempDir(), "f")
	s := open(t, config(path, c))
	pay(t, s, "order-1")
	_, err := New(config(path, c))
	wantCode(t, err, "sandbox.file_in_use")
	s.Close()
	if w := do(s, "POST", "/cashier?"+link("order-2", "1", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode(), "do=pay"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a closed gateway answers %d", w.Code)
	}

	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	lines[1] = "{\"trade\":nonsense\n"
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = New(config(path, c))
	wantCode(t, err, "sandbox.file_damaged")
	if got := fault.From(err).Params["line"]; got != "2" {
		t.Errorf("line %s", got)
	}
	_, err = New(config(filepath.Join(path, "below a file"), c))
	wantCode(t, err, "sandbox.file_unusable")
}

// A file that is mostly history is written anew, with the same content.
func TestTheFileIsCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	c := config(path, clock.NewFake(start))
	s := open(t, c)
	pay(t, s, "order-1")
	for range 1300 {
		s.note(exchange{MerchantID: "m_hufu", OutTradeNo: "order-1", Name: "query"})
	}
	before := asJSON(s.snapshot())
	s.Close()
	s = open(t, c)
	if after := asJSON(s.snapshot()); !reflect.DeepEqual(before, after) {
		t.Error("compaction changed something")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(raw), "\n"); n != len(before) {
		t.Errorf("%d lines for %d records", n, len(before))
	}
	pay(t, s, "order-2") // the new file can be added to
	s.Close()
	if s = open(t, c); len(s.list) != 2 {
		t.Error("what was added to the compacted file is gone")
	}
}

func TestBadConfigurationsDoNotStart(t *testing.T) {
	good := Merchant{ID: "m", AppID: "a", Secrets: []string{secret}}
	for code, list := range map[string][]Merchant{
		"sandbox.no_merchant":        nil,
		"sandbox.merchant_malformed": {{ID: "m", AppID: "a"}},
		"sandbox.merchant_twice":     {good, good},
		"sandbox.timetable_unknown":  {{ID: "m", AppID: "a", Secrets: []string{secret}, Timetable: "daily"}},
	} {
		_, err := New(Config{Merchants: list})
		wantCode(t, err, code)
	}
	wantCode(t, Run(t.Context(), Config{Merchants: []Merchant{good}, Listen: "127.0.0.1:-1"}), "sandbox.listen")
}

func TestFaultsAreReadStrictly(t *testing.T) {
	for _, bad := range []string{
		``, `[]`, `{"copy":1}`, `{"copies":-1}`, `{"copies":1}{}`, `{"signature":"no"}`, `{"answers":{"query":"x"}}`, `{"answers":{"x":"hang"}}`,
		`{"chances":{"x":0.5}}`, `{"chances":{"lose":1.5}}`, `{"delay_seconds":-1}`, `{"lose":-2}`, `{"bill":"x"}`, `{"notify_url":"x"}`, `{"copies":"1"}`,
	} {
		if _, err := ParseFaults([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// Each switch can be tempered by a chance; with none of a chance it never works.
func TestEverySwitchTakesAChance(t *testing.T) {
	full := Faults{1, true, 1, true, 1, 1, "CNY", "x", "x", "x", "http://x/", "stale", "x", true, true, 1, true, true, map[string]string{"all": "hang"}, 1, "cut", map[string]float64{}, 7}
	for _, name := range switchNames {
		full.Chances[name] = 0
	}
	if err := full.check(); err != nil {
		t.Fatal(err)
	}
	f := full.rolled("e")
	f.Chances, f.Seed = nil, 0
	if f.any() {
		t.Errorf("%+v", f)
	}
	for _, name := range switchNames {
		full.Chances[name] = 1
	}
	if f := full.rolled("e"); !reflect.DeepEqual(f, full) {
		t.Errorf("%+v", f)
	}
}

// The die is fair enough and falls the same in every replay.
func TestTheDie(t *testing.T) {
	f := Faults{Copies: 1, Chances: map[string]float64{"copies": 0.2}, Seed: 42}
	hits := 0
	for i := range 10_000 {
		e := itoa(int64(i))
		first, again := f.rolled(e).Copies, f.rolled(e).Copies
		if first == 1 {
			hits++
		}
		if first != again {
			t.Fatal("the die falls otherwise the second time")
		}
	}
	if hits < 1800 || hits > 2200 {
		t.Errorf("%d of 10000 at one in five", hits)
	}
}

func TestFee(t *testing.T) {
	for _, c := range []struct{ amount, basis, want int64 }{{1990, 60, 12}, {990, 60, 6}, {1, 60, 0}, {84, 60, 1}, {83, 60, 0}, {1 << 60, 10_000, 1 << 60}, {100, 0, 0}} {
		if got := fee(c.amount, c.basis); got != c.want {
			t.Errorf("fee(%d, %d) = %d, want %d", c.amount, c.basis, got, c.want)
		}
	}
}

func TestPagesInBothLanguages(t *testing.T) {
	s := open(t, config("", clock.NewFake(start)))
	if w := do(s, "GET", "/?lang=en", ""); !strings.Contains(w.Body.String(), "No transaction yet") {
		t.Error("the empty list says nothing")
	}
	pay(t, s, "order-1")
	s.Step(t.Context())
	s.mu.Lock()
	s.refund(s.merchants["m_hufu"], request{OutTradeNo: "order-1", RefundNo: "refund-1", Amount: 5, Currency: "CNY"}, start, Faults{})
	s.mu.Unlock()
	cashier := "/cashier?" + link("order-2", "500", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode()
	over := "/cashier?" + link("order-3", "500", "http://127.0.0.1:1/n", start).Encode()
	for target, status := range map[string]int{
		"/?a=1": 200, "/trade?merchant=m_hufu&no=order-1": 200, "/faults?merchant=m_hufu": 200, cashier: 200, over: 200,
		"/trade?merchant=m_hufu&no=none": 404, "/nowhere?a=1": 404, "/faults?merchant=x": 404, "/cashier?a=1": 403,
	} {
		for _, lang := range []string{"zh-CN", "en"} {
			w := do(s, "GET", target+"&lang="+lang, "")
			page := w.Body.String()
			if w.Code != status || strings.Contains(page, "⟦") || !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s in %s: %d\n%s", target, lang, w.Code, page)
			}
			if strings.Contains(page, "<script>") || strings.Contains(page, "<b>虎符") {
				t.Errorf("%s shows markup of others", target)
			}
			if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: %q", target, csp)
			}
		}
	}
	if w := do(s, "GET", "/style.css", ""); w.Code != 200 || !strings.Contains(w.Header().Get("Content-Type"), "text/css") {
		t.Error("no style sheet")
	}
}

func TestFaultsByPageAndByAPI(t *testing.T) {
	s := open(t, config("", clock.NewFake(start)))
	w := do(s, "POST", "/faults?merchant=m_hufu", `copies=3&reorder=true&currency=USD&answers={"query":"hang"}&chances={"copies":0.5}&seed=7&lose=`)
	want := Faults{Copies: 3, Reorder: true, Currency: "USD", Answers: map[string]string{"query": "hang"}, Chances: map[string]float64{"copies": 0.5}, Seed: 7}
	if got := s.Faults("m_hufu"); w.Code != 200 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d, %+v", w.Code, got)
	}
	w = do(s, "POST", "/faults?merchant=m_hufu&lang=en", `copies=many&currency=JPY`)
	if !reflect.DeepEqual(s.Faults("m_hufu"), want) || w.Code != 400 || !strings.Contains(w.Body.String(), "JPY") || !strings.Contains(w.Body.String(), "can&#39;t be read") {
		t.Errorf("bad input: %d %s", w.Code, w.Body)
	}
	do(s, "POST", "/faults?merchant=m_hufu", `copies=3&clear=1`)
	if s.Faults("m_hufu").any() {
		t.Error("clear leaves something")
	}

	w = do(s, "POST", "/control/faults", `{"merchant_id":"m_hufu","faults":{"lose":-1}}`)
	if got := s.Faults("m_hufu"); w.Code != 200 || got.Lose != -1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w = do(s, "GET", "/control/faults?merchant=m_hufu", ""); !strings.Contains(w.Body.String(), `{"lose":-1}`) {
		t.Error(w.Body)
	}
	for _, bad := range []string{``, `{`, `{"merchant_id":"m_hufu"}`, `{"merchant_id":"m_hufu","faults":{"x":1}}`, `{"merchant_id":"x","faults":{}}`} {
		if w = do(s, "POST", "/control/faults", bad); w.Code != 400 {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}

	pay(t, s, "order-1")
	s.Step(t.Context())
	w = do(s, "GET", "/control/journal?merchant=m_hufu", "")
	var list []struct {
		State     string     `json:"state"`
		Notices   []delivery `json:"notices"`
		Exchanges []exchange `json:"exchanges"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != 1 || list[0].State != "PAID" || list[0].Notices[0].Tries != 1 || list[0].Exchanges[0].Problem == "" {
		t.Errorf("%v %s", err, w.Body)
	}
	if w = do(s, "POST", "/control/resend", `{"event_id":"`+list[0].Notices[0].Notice.ID+`"}`); w.Code != 200 {
		t.Error(w.Code)
	}
	if next, some := s.nextDue(); !some || !next.Equal(start) {
		t.Error("resend makes nothing due")
	}
	for _, path := range []string{"/control/resend", "/control/dispute", "/resend", "/dispute"} {
		if w = do(s, "POST", path, `{}`); w.Code != 404 {
			t.Errorf("%s of nothing: %d", path, w.Code)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	cfg := config("", clock.NewFake(start))
	cfg.Password = "open sesame"
	s := open(t, cfg)
	for _, target := range []string{"/", "/trade", "/faults", "/control/faults", "/control/journal"} {
		if w := do(s, "GET", target, ""); w.Code != 401 {
			t.Errorf("%s without a password: %d", target, w.Code)
		}
		if w := do(s, "GET", target, "", func(r *http.Request) { r.SetBasicAuth("sandbox", "open") }); w.Code != 401 {
			t.Errorf("%s with a wrong one: %d", target, w.Code)
		}
	}
	if w := do(s, "GET", "/", "", func(r *http.Request) { r.SetBasicAuth("sandbox", "open sesame") }); w.Code != 200 {
		t.Errorf("with the right one: %d", w.Code)
	}
	pay(t, s, "order-1") // shoppers need none
	foreign := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	target := "/cashier?" + link("order-2", "5", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode()
	if w := do(s, "POST", target, "do=pay", foreign); w.Code != 403 {
		t.Errorf("another site's form pays: %d", w.Code)
	}
	for _, body := range []string{``, `{}`, `{"merchant_id":"m_hufu","app_id":"app_1"}`, strings.Repeat("x", maxRequest+1)} {
		if w := do(s, "POST", "/v1/query", body); w.Code != 401 && w.Code != 400 {
			t.Errorf("an unsigned call: %d", w.Code)
		}
	}
}

// Run delivers by itself, comes back after a restart with what it had, and ends without leaving anything.
func TestRun(t *testing.T) {
	cfg := config(filepath.Join(t.TempDir(), "f"), nil)
	cfg.Listen, cfg.Speed = "127.0.0.1:0", 1e5
	told := make(chan Notice, 64)
	var mu sync.Mutex
	seen := map[string]int{}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n Notice
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			t.Error(err)
		}
		mu.Lock()
		seen[n.ID]++
		first := seen[n.ID] == 1
		mu.Unlock()
		told <- n
		if first { // near enough is not the word
			io.WriteString(w, "success\n")
			return
		}
		io.WriteString(w, "success")
	}))
	defer shop.Close()
	for i := range 2 {
		ctx, stop := context.WithCancel(t.Context())
		ready, ended := make(chan string, 1), make(chan error, 1)
		cfg.Ready = func(addr string) { ready <- addr }
		go func() { ended <- Run(ctx, cfg) }()
		addr := <-ready
		no := "order-" + itoa(int64(i+10))
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{}}
		res, err := c.PostForm("http://"+addr+"/cashier?"+link(no, "1990", shop.URL, time.Now().Add(time.Hour)).Encode(), url.Values{"do": {"pay"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		c.CloseIdleConnections()
		// A stop in the middle of a try makes the notice of the run before come once more.
		for tries := 0; tries < 2; {
			if n := <-told; n.OutTradeNo == no && n.State == "PAID" {
				tries++
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	s := open(t, cfg)
	if len(s.list) != 2 {
		t.Errorf("%d trades after two runs", len(s.list))
	}
}

func FuzzLinkSigned(f *testing.F) {
	f.Add(link("order-1", "1990", "http://127.0.0.1:1/n", start).Encode())
	f.Add("merchant_id=m_hufu&sign=")
	s, err := New(config("", clock.NewFake(start)))
	if err != nil {
		f.Fatal(err)
	}
	good := link("order-1", "1990", "http://127.0.0.1:1/n", start)
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if linkSigned([]string{secret}, q) {
			q.Del("lang")
			if !reflect.DeepEqual(q, good) {
				t.Errorf("a link nobody signed is accepted: %q", raw)
			}
			s.enter(s.merchants["m_hufu"], q)
		}
	})
}

func FuzzAdmits(f *testing.F) {
	f.Add(stamp([]string{secret}, start, "POST /v1/query", []byte("{}")), "POST /v1/query", []byte("{}"))
	f.Fuzz(func(t *testing.T, header, scope string, body []byte) {
		if _, ok := admits([]string{secret}, header, start, scope, body); ok && (scope != "POST /v1/query" || string(body) != "{}") {
			t.Errorf("%q is accepted", header)
		}
	})
}

// What is saved on the cashier page's fold keeps what was set elsewhere: the page shows it all.
func TestTheFaultFormShowsWhatIsOn(t *testing.T) {
	s := open(t, config("", clock.NewFake(start)))
	if err := s.SetFaults("m_hufu", Faults{Lose: -1, Signature: "stale", LatePay: true, Answers: map[string]string{"query": "hang"}, Chances: map[string]float64{"lose": 0.5}, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/faults?merchant=m_hufu", "/cashier?" + link("order-1", "5", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode()} {
		page := do(s, "GET", target, "").Body.String()
		for _, want := range []string{`name="lose" value="-1"`, `<option selected>stale`, `name="late_pay" value="true" checked`, `{&#34;query&#34;:&#34;hang&#34;}`, `{&#34;lose&#34;:0.5}`, `name="seed" value="7"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%.20s lacks %s", target, want)
			}
		}
	}
}

func TestPayable(t *testing.T) {
	before, end := start.Add(-time.Second), start
	for _, c := range []struct {
		state      string
		amount     int64
		at         time.Time
		late, want bool
	}{
		{stateOpen, 1, before, false, true}, {statePayError, 1, before, false, true}, {stateOpen, 1, end, false, false},
		{stateClosed, 1, before, false, false}, {statePaid, 1, before, true, false}, {stateOpen, 1, end, true, true},
		{stateClosed, 1, end, true, true}, {stateClosed, 0, before, true, false},
	} {
		if got := (&trade{State: c.state, Amount: c.amount, ExpiresAt: end}).payable(c.at, c.late); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A long line that a crash cut leaves nothing behind a shorter one written in its place.
func TestATornLineIsCutOff(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "f"), clock.NewFake(start))
	if err := os.WriteFile(c.File, []byte(`{"exchange":{"body":"`+strings.Repeat("x", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		s := open(t, c)
		if got := s.Faults("m_hufu").Copies; got != i {
			t.Errorf("start %d: %d copies", i, got)
		}
		if err := s.SetFaults("m_hufu", Faults{Copies: i + 1}); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}

// P1, P8: only HTTP 200 with the exact word takes a notice.
func TestP8OnlyTheExactWordTakesANotice(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		taken  bool
	}{
		{200, "success", true}, {200, "SUCCESS", false}, {200, "success\n", false}, {200, " success", false}, {200, `"success"`, false},
		{200, "", false}, {200, "fail", false}, {204, "", false}, {201, "success", false}, {500, "success", false}, {302, "success", false},
	} {
		shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		s := open(t, config("", clock.NewFake(start)))
		do(s, "POST", "/cashier?"+link("order-1", "1990", shop.URL, start.Add(time.Hour)).Encode(), "do=pay")
		if _, some := s.Step(t.Context()); some == c.taken {
			t.Errorf("%d %q: taken is %v", c.status, c.body, !some)
		}
		s.Close()
		shop.Close()
	}
}

// The cashier speaks the language of its link, else the browser's, whatever was chosen
// before on a page of the sandbox.
func TestLanguageOfTheCashier(t *testing.T) {
	s := open(t, config("", clock.NewFake(start)))
	cashier := "/cashier?" + link("order-1", "5", "http://127.0.0.1:1/n", start.Add(time.Hour)).Encode()
	for _, c := range []struct{ target, accept, cookie, want string }{
		{cashier + "&lang=en", "zh-CN", "zh-CN", "en"},
		{cashier, "en-GB,en;q=0.9", "zh-CN", "en"},
		{cashier, "zh-CN", "en", "zh-CN"},
		{"/", "zh-CN", "en", "en"},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		r.Header.Set("Accept-Language", c.accept)
		r.AddCookie(&http.Cookie{Name: "lang", Value: c.cookie})
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `<html lang="`+c.want+`">`) {
			t.Errorf("%+v: %.60s", c, w.Body)
		}
		if chosen := strings.Contains(c.target, "lang="); chosen != (w.Header().Get("Set-Cookie") != "") {
			t.Errorf("%+v sets %q", c, w.Header().Get("Set-Cookie"))
		}
	}
}
