package httpx

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// A forged X-Forwarded-For counts for nothing unless a configured proxy sent it, and then
// only as far as proxies wrote it (S49).
func TestClientIP(t *testing.T) {
	proxies, err := ParseProxies("10.0.0.0/8, 192.0.2.7,fd00::/8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, remote, header, want string }{
		{"straight", "203.0.113.9:1", "", "203.0.113.9"},
		{"forged by a stranger", "203.0.113.9:1", "1.2.3.4", "203.0.113.9"},
		{"one proxy", "10.1.1.1:1", "198.51.100.2", "198.51.100.2"},
		{"forged before a proxy", "10.1.1.1:1", "1.2.3.4, 198.51.100.2", "198.51.100.2"},
		{"two proxies", "10.1.1.1:1", "198.51.100.2, 192.0.2.7", "198.51.100.2"},
		{"all proxies", "10.1.1.1:1", "10.2.2.2", "10.2.2.2"},
		{"nothing sent", "10.1.1.1:1", "", "10.1.1.1"},
		{"garbage", "10.1.1.1:1", "198.51.100.2, x'; DROP", "10.1.1.1"},
		{"IPv6", "[fd00::1]:1", "2001:db8::5", "2001:db8::5"},
		{"mapped", "[::ffff:10.0.0.1]:1", "198.51.100.2", "198.51.100.2"},
		{"with port", "10.1.1.1:1", "198.51.100.2:9999", "198.51.100.2"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		r.Header.Set("X-Real-Ip", "9.9.9.9")
		if got := ClientIP(r, proxies).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := ClientIP(r, nil); got != address(c.remote) {
			t.Errorf("%s: without proxies it is %s", c.name, got)
		}
	}
	if _, err := ParseProxies("10.0.0.0/8,all"); fault.CodeOf(err) != "http.proxies" {
		t.Errorf("a range that is none: %v", err)
	}
}

func TestTrace(t *testing.T) {
	const trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, c := range []struct {
		parent, id string
		proxy      bool
		want       string // "" is a fresh one
	}{
		{"00-" + trace + "-" + span + "-01", "", false, trace},
		{"cc-" + trace + "-" + span + "-01-more", "", false, trace},
		{"00-" + trace + "-" + span + "-01-more", "", false, ""},
		{"ff-" + trace + "-" + span + "-01", "", false, ""},
		{"00-" + strings.Repeat("0", 32) + "-" + span + "-01", "", false, ""},
		{"00-" + strings.ToUpper(trace) + "-" + span + "-01", "", false, ""},
		{"00-" + trace + "-" + strings.Repeat("0", 16) + "-01", "", false, ""},
		{"", "req-12345678", true, "req-12345678"},
		{"", "req-12345678", false, ""},
		{"", "<script>alert(1)</script>", true, ""},
		{"", "a\nb=\"forged\"", true, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Traceparent"], r.Header["X-Request-Id"] = []string{c.parent}, []string{c.id}
		got := traceOf(r, c.proxy)
		if c.want != "" && got != c.want {
			t.Errorf("%q %q: %q", c.parent, c.id, got)
		}
		if c.want == "" && (len(got) != 32 || got == trace || !lowerHex(got)) {
			t.Errorf("%q %q: %q isn't fresh", c.parent, c.id, got)
		}
	}
}

func FuzzTrace(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "req-12345678", "1.2.3.4, 10.0.0.1")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, parent, id, forwarded string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.9:1"
		r.Header["Traceparent"], r.Header["X-Request-Id"], r.Header["X-Forwarded-For"] = []string{parent}, []string{id}, []string{forwarded}
		if got := traceOf(r, true); !plain(got) {
			t.Fatalf("the trace is %q", got)
		}
		if !ClientIP(r, proxies).IsValid() {
			t.Fatal("no address")
		}
	})
}

// served runs a handler behind Handler and gives the answer and the log.
func served(t *testing.T, o Options, next http.HandlerFunc, r *http.Request) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	if o.Fail == nil {
		o.Fail = func(w http.ResponseWriter, r *http.Request, err error) {
			f := fault.From(err)
			w.WriteHeader(map[fault.Kind]int{fault.Internal: 500, fault.TooMany: 429}[f.Kind])
			_, _ = io.WriteString(w, CallerOf(r.Context()).Lang.Fault(f))
		}
	}
	w := httptest.NewRecorder()
	Handler(next, o).ServeHTTP(w, r)
	return w, log.String()
}

func TestEveryRequestHasACallerAndALine(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/orders/x?k=SECRET", nil)
	r.Header.Set("Accept-Language", "en-GB")
	var c Caller
	w, log := served(t, Options{HTTPS: true}, func(w http.ResponseWriter, r *http.Request) {
		c = CallerOf(r.Context())
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "hello")
	}, r)
	if c.Lang != i18n.EN || c.Trace == "" || c.IP.String() != "192.0.2.1" {
		t.Errorf("the caller is %+v", c)
	}
	if w.Header().Get("X-Request-Id") != c.Trace || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Strict-Transport-Security") == "" {
		t.Errorf("headers: %v", w.Header())
	}
	if !strings.Contains(log, "status=418") || !strings.Contains(log, "bytes=5") || !strings.Contains(log, "trace="+c.Trace) || strings.Contains(log, "SECRET") {
		t.Errorf("the log: %s", log)
	}
}

// A panic gives words and a trace number, and its cause only to the log (S52).
func TestPanics(t *testing.T) {
	w, log := served(t, Options{}, func(http.ResponseWriter, *http.Request) { panic("SELECT secret FROM cellar") }, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != 500 || strings.Contains(w.Body.String(), "cellar") || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) || !strings.Contains(log, "cellar") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("half an answer isn't cut off: %v", p)
		}
	}()
	served(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "half"); panic("x") }, httptest.NewRequest(http.MethodGet, "/", nil))
}

func TestRate(t *testing.T) {
	r := NewRate(2)
	now := time.Unix(1_000_000, 0)
	a, b := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("203.0.113.10")
	passed := 0
	for range 100 {
		if r.Take(a, now) == 0 {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d at once, want ten seconds' worth: 20", passed)
	}
	if wait := r.Take(a, now); wait != 500*time.Millisecond {
		t.Errorf("the wait is %v", wait)
	}
	if r.Take(a, now.Add(500*time.Millisecond)) != 0 || r.Take(a, now.Add(500*time.Millisecond)) == 0 {
		t.Error("after the wait one passes, and one only")
	}
	if r.Take(b, now) != 0 {
		t.Error("another address waits too")
	}
	// An IPv6 subscriber has 2^64 addresses and one share.
	passed = 0
	for i := range 100 {
		v6 := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		if r.Take(v6, now) == 0 {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d from one /64", passed)
	}
	for i := range r.shards {
		r.sweep(&r.shards[i], now.Add(time.Hour))
		if len(r.shards[i].of) != 0 {
			t.Fatal("idle addresses are remembered for ever")
		}
	}
	if NewRate(0).Take(a, now) != 0 {
		t.Error("no limit limits")
	}
	one := NewRate(0.1)
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	ok := func(w http.ResponseWriter, _ *http.Request) {}
	served(t, Options{Rate: one}, ok, req)
	if w, _ := served(t, Options{Rate: one}, ok, req); w.Code != 429 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), w.Header().Get("Retry-After")) {
		t.Errorf("the refusal: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w, _ := served(t, Options{Rate: one, Free: func(*http.Request) bool { return true }}, ok, req); w.Code != 200 {
		t.Error("what is free is counted")
	}
}

func TestGzip(t *testing.T) {
	long := strings.Repeat("虎符 hufu ", 500)
	for _, c := range []struct {
		name, accept, kind, cache, body string
		method                          string
		zipped                          bool
	}{
		{"page", "gzip, br", "text/html; charset=utf-8", "private, no-cache", long, "GET", true},
		{"secret", "gzip", "text/html; charset=utf-8", "no-store", long, "GET", false},
		{"refused", "gzip;q=0, br", "text/html", "", long, "GET", false},
		{"not asked", "", "text/html", "", long, "GET", false},
		{"picture", "gzip", "image/png", "", long, "GET", false},
		{"short", "gzip", "text/html", "", "short", "GET", false},
		{"events", "gzip", "text/event-stream", "", long, "GET", false},
		{"head", "gzip", "text/html", "", "", "HEAD", false},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Header.Set("Accept-Encoding", c.accept)
		w := httptest.NewRecorder()
		Gzip(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Header().Set("Cache-Control", c.cache)
			if c.body == "short" {
				w.Header().Set("Content-Length", "5")
			}
			_, _ = io.WriteString(w, c.body)
		})).ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != c.zipped {
			t.Errorf("%s: zipped is %v", c.name, got)
			continue
		}
		body := io.Reader(w.Body)
		if c.zipped {
			if !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding") || w.Header().Get("Content-Length") != "" {
				t.Errorf("%s: headers %v", c.name, w.Header())
			}
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != c.body {
			t.Errorf("%s: the body is another", c.name)
		}
	}
}
