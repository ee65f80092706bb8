package ui

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCoverIsItsIdsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		a := Cover(id)
		if !bytes.Equal(a, Cover(id)) {
			t.Fatal("the same id has two covers")
		}
		if len(a) > 24<<10 {
			t.Fatalf("%d bytes", len(a))
		}
		d := xml.NewDecoder(bytes.NewReader(a))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("not well-formed: %v\n%s", err, a)
			}
		}
		if i := bytes.Index(a, []byte("%!")); i >= 0 {
			t.Fatalf("a number is missing: %s", a[i:min(i+40, len(a))])
		}
	})
}

func TestCoversDiffer(t *testing.T) {
	seen := map[string]bool{}
	for i := range 500 {
		seen[string(Cover(strings.Repeat("x", i)))] = true
	}
	if len(seen) != 500 {
		t.Errorf("500 ids have %d covers", len(seen))
	}
}

// A cover that has been shown must stay: its URL is kept for ever by browsers. Raise
// coverVersion with any change that turns this test red.
func TestCoverHandler(t *testing.T) {
	for path, want := range map[string]int{
		CoverURL("ofr_1"): 200, CoverURL("a/b"): 404, CoverPrefix + "0/ofr_1.svg": 404, CoverPrefix + coverVersion + "/.svg": 404,
		CoverPrefix + coverVersion + "/" + strings.Repeat("x", 200) + ".svg": 404, CoverPrefix + coverVersion + "/x.png": 404,
	} {
		w := httptest.NewRecorder()
		CoverHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		if want == 200 && (w.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable")) {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

func TestMonogram(t *testing.T) {
	for name, want := range map[string]string{"极光影视": "极", "orca": "O", "  《长夜》": "长", "7天": "7", "": "·", "!": "!"} {
		if got := Initial(name); got != want {
			t.Errorf("Initial(%q) = %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		if h := Hue(rapid.String().Draw(t, "id")); h < 0 || h >= Hues {
			t.Fatalf("hue %d", h)
		}
	})
}
