package assets

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestServed(t *testing.T) {
	for _, name := range []string{"app.css", "shop.js", "console.js", "htmx.js", "favicon.svg"} {
		u := URL(name)
		if !regexp.MustCompile(`^/assets/[a-z]+\.[0-9a-f]{10}\.[a-z]+$`).MatchString(u) {
			t.Errorf("%s is served at %s", name, u)
		}
		res := get(t, u)
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", u, res.StatusCode, res.Header)
		}
		plain, _ := io.ReadAll(res.Body)
		res = get(t, u, "Accept-Encoding", "br, gzip;q=0.8")
		if res.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if unzipped, _ := io.ReadAll(z); string(unzipped) != string(plain) {
				t.Errorf("%s differs when compressed", name)
			}
		}
		if got := get(t, u, "If-None-Match", res.Header.Get("ETag")).StatusCode; got != http.StatusNotModified {
			t.Errorf("%s with its own ETag: %d", name, got)
		}
		if enc := get(t, u, "Accept-Encoding", "gzip;q=0").Header.Get("Content-Encoding"); enc != "" {
			t.Errorf("%s came as %s though it was refused", name, enc)
		}
	}
}

func TestUnknownIsNotFound(t *testing.T) {
	for _, u := range []string{"/assets/", "/assets/app.css", "/assets/app.0000000000.css", "/assets/../assets.go"} {
		if got := get(t, u).StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: %d", u, got)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("URL of an asset that was never built must panic")
		}
	}()
	URL("none.css")
}

// A shop page may weigh 60 KB without pictures; its style and script may take half.
func TestShopStaysLight(t *testing.T) {
	if n := Size("app.css") + Size("shop.js"); n > 30<<10 {
		t.Errorf("style and script of the shop weigh %d bytes compressed, at most %d are allowed", n, 30<<10)
	}
}

// What is allowed to run is what the program serves: nothing may reach for another host.
func TestNothingForeign(t *testing.T) {
	foreign := regexp.MustCompile(`(?:url\(|@import |import\(|fetch\()\s*["']?https?:`)
	for name, f := range all.files {
		if hit := foreign.Find(f.raw); hit != nil {
			t.Errorf("%s reaches out: %s", name, hit)
		}
	}
}
