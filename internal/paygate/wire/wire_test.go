package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hufu/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// F18, S53: whatever a stranger's server does, a call ends, in time and with little read.
func TestF18S53CallsAreBounded(t *testing.T) {
	quit := make(chan struct{})
	reached := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			w.WriteHeader(418)
			w.Write([]byte("0123456789"))
		case "/endless":
			for _, err := w.Write([]byte("x")); err == nil; _, err = w.Write([]byte(strings.Repeat("x", 1<<16))) {
			}
		case "/redirect":
			http.Redirect(w, r, "/inside", http.StatusTemporaryRedirect)
		case "/inside":
			reached = true
		case "/hang":
			<-quit
		case "/drip":
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			<-quit
		case "/cut":
			panic(http.ErrAbortHandler)
		}
	}))
	defer srv.Close()
	defer close(quit)
	get := func(c *Client, path string, limit int64) (Answer, string) {
		req, err := http.NewRequest("GET", srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Do(t.Context(), req, limit)
		return a, fault.CodeOf(err)
	}
	c, hasty := New(0), New(50*time.Millisecond)
	defer c.Close()
	defer hasty.Close()
	if a, code := get(c, "/ok", 10); code != "" || a.Status != 418 || string(a.Body) != "0123456789" {
		t.Errorf("%+v %s", a, code)
	}
	for _, x := range []struct {
		c          *Client
		path, code string
		limit      int64
	}{
		{c, "/ok", "paygate.answer_too_large", 9}, {c, "/endless", "paygate.answer_too_large", 1 << 20}, {c, "/redirect", "paygate.answer_redirect", 10},
		{hasty, "/hang", "paygate.timeout", 10}, {hasty, "/drip", "paygate.timeout", 10}, {c, "/cut", "paygate.unreachable", 10},
	} {
		a, code := get(x.c, x.path, x.limit)
		if code != x.code || a.Body != nil {
			t.Errorf("%s: %s, want %s", x.path, code, x.code)
		}
	}
	if reached {
		t.Error("a redirect was followed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequest("GET", srv.URL+"/ok", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(ctx, req, 10); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}
