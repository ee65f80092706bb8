package gallery

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var (
	id      = regexp.MustCompile(`\sid="([^"]+)"`)
	refers  = regexp.MustCompile(`(?:aria-describedby|aria-labelledby|for)="([^"]+)"`)
	inline  = regexp.MustCompile(`(?i)<script>|<style|\sstyle="|\son[a-z]+="`)
	unnamed = regexp.MustCompile(`<(?:button|a)[^>]*>\s*(?:<span class="spin" aria-hidden="true"></span>)?<svg[^>]*>(?:<[^/a-z]*[a-z][^>]*/>)*</svg>\s*</(?:button|a)>`)
	asset   = regexp.MustCompile(`(?:href|src)="(/(?:assets|covers)/[^"]+)"`)
)

func TestEveryComponentInBothLanguages(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	seen := map[string]bool{}
	for _, name := range Pages {
		for _, query := range []string{"?lang=zh-CN&theme=light", "?lang=en&theme=dark"} {
			w := get("/" + name + query)
			body := w.Body.String()
			if w.Code >= 500 {
				t.Fatalf("%s%s: %d %s", name, query, w.Code, body)
			}
			for _, bad := range []string{"⟦", "ZgotmplZ", "&lt;no value&gt;", "<no value>", "&lt;nil&gt;", "%!"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s%s shows %q", name, query, bad)
				}
			}
			if hit := inline.FindString(body); hit != "" {
				t.Errorf("%s%s holds %q", name, query, hit)
			}
			ids := map[string]bool{}
			for _, m := range id.FindAllStringSubmatch(body, -1) {
				if ids[m[1]] {
					t.Errorf("%s%s has the id %s twice", name, query, m[1])
				}
				ids[m[1]] = true
			}
			for _, m := range refers.FindAllStringSubmatch(body, -1) {
				for _, to := range strings.Fields(m[1]) {
					if !ids[to] {
						t.Errorf("%s%s refers to %s, which isn't there", name, query, to)
					}
				}
			}
			for _, hit := range unnamed.FindAllString(body, -1) {
				if !strings.Contains(hit, "aria-label=") {
					t.Errorf("%s%s has a control without a name: %s", name, query, hit)
				}
			}
			for _, m := range asset.FindAllStringSubmatch(body, -1) {
				if !seen[m[1]] {
					seen[m[1]] = true
					if w := get(m[1]); w.Code != http.StatusOK {
						t.Errorf("%s%s needs %s: %d", name, query, m[1], w.Code)
					}
				}
			}
		}
	}
}
