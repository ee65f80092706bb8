package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestJourneyEyes shows a page with every fault to what watches the journeys' pages: a
// journey that is green has been looked at.
func TestJourneyEyes(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "style-src 'none'")
		_, _ = io.WriteString(w, `<!doctype html><html lang="fr"><title></title><h1>One</h1><h1>Two 二</h1>
<img src="http://localhost:9/elsewhere.png" width="2000" height="10"><input id="same"><button id="same"></button><button style="color:red">Go</button>
<script>console.error('said'); throw new Error('thrown')</script></html>`)
	}))
	defer page.Close()
	b := open(t, browser(t), true, desk, strings.TrimPrefix(page.URL, "http://"))
	if status := b.status(page.URL); status != 200 {
		t.Fatalf("the page is answered %d", status)
	}
	found := strings.Join(b.findings(), "\n")
	until(t, "the last complaint", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return strings.Contains(strings.Join(b.bad, "\n"), "ERR_")
	})
	b.mu.Lock()
	found += "\n" + strings.Join(b.bad, "\n")
	b.bad = nil
	b.mu.Unlock()
	for _, want := range []string{"no alt", "no label", "no name", "twice the id same", "smaller than 24 px", "2 h1", "no title", "px wide", `in "fr"`, "another language: Two 二",
		"another host: http://localhost:9/", "Content Security Policy", "console.error", "exception"} {
		if !strings.Contains(found, want) {
			t.Errorf("nobody noticed %q in\n%s", want, found)
		}
	}
}
