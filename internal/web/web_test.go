package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
	"hufu/internal/web/ui"
)

var (
	inline  = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|\sstyle="|\son[a-z]+="|javascript:`)
	missing = "⟦"
)

// sound checks what holds for every page in every language.
func sound(t *testing.T, path string, r reply, lang string) {
	t.Helper()
	h := r.Header
	if !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		t.Fatalf("%s: %d %s", path, r.StatusCode, h.Get("Content-Type"))
	}
	if strings.Contains(r.body, missing) {
		at := strings.Index(r.body, missing)
		t.Errorf("%s: a message is missing: %s", path, r.body[at:min(at+60, len(r.body))])
	}
	if !strings.Contains(r.body, `<html lang="`+lang+`"`) || h.Get("Content-Language") != lang {
		t.Errorf("%s: not in %s", path, lang)
	}
	if m := inline.FindString(r.body); m != "" {
		t.Errorf("%s: inline script or style: %q", path, m)
	}
	if h.Get("Content-Security-Policy") != ui.CSP || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Request-Id") == "" || h.Get("Referrer-Policy") == "" {
		t.Errorf("%s: headers are missing: %v", path, h)
	}
	if n := strings.Count(r.body, "<h1"); n != 1 {
		t.Errorf("%s: %d headings of the first level", path, n)
	}
}

// private checks what holds for pages that show somebody's own (S15).
func private(t *testing.T, path string, r reply) {
	t.Helper()
	if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: may be stored or leaves its address: %q %q", path, r.Header.Get("Cache-Control"), r.Header.Get("Referrer-Policy"))
	}
}

func TestEveryPageInBothLanguages(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	for _, lang := range []string{"zh-CN", "en"} {
		b := s.browser(lang)
		for _, path := range []string{"/", "/?c=video", "/?p=9", "/search", "/search?q=offer", "/search?q=nothing-like-it", "/offers/duo", "/offers/hostile", "/offers/soon", "/offers/paused", "/offers/out",
			"/checkout/duo", "/checkout/duo?n=3", "/checkout/out", "/checkout/soon", "/orders", "/wallet", "/wallet?s=used", "/wallet?s=nonsense", "/me", "/help", "/sign-in", "/sign-in?for=look_up"} {
			r := b.get(path)
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", path, r.StatusCode)
			}
			sound(t, path, r, lang)
		}
		for _, path := range []string{"/nothing", "/?c=nonsense", "/offers/none", "/checkout/none", "/orders/ord_x", "/rights/rgt_x", "/orders/ord_x/pay", "/orders/ord_x/paying", "/orders/ord_x/reveal", "/orders/ord_x/events"} {
			r := b.get(path)
			if r.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d", path, r.StatusCode)
			}
			sound(t, path, r, lang)
			if !strings.Contains(r.body, r.Header.Get("X-Request-Id")) {
				t.Errorf("%s: the trace number isn't on the error page", path)
			}
		}

		o := string(b.place("duo", "2"))
		for _, path := range []string{"/orders", "/orders/" + o, "/orders/" + o + "/pay", "/orders/" + o + "/paying", "/orders/" + o + "/paying?since=1", "/checkout/duo"} {
			r := b.get(path)
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", path, r.StatusCode)
			}
			sound(t, path, r, lang)
			private(t, path, r)
		}
		s.pay(s.Look(t, b.place("duo", "1")).ID)
		r := b.get("/orders/" + o)
		sound(t, "pending order", r, lang)
		done := string(b.place("hostile", "1"))
		s.pay(s.Look(t, b.lastOrder()).ID)
		right := string(s.Held(t, s.Look(t, b.lastOrder()).ID)[0].ID)
		for _, path := range []string{"/orders", "/orders/" + done, "/orders/" + done + "/reveal", "/orders/" + done + "/reveal?right=" + right, "/wallet", "/rights/" + right, "/me"} {
			r := b.get(path)
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s: %d", path, r.StatusCode)
			}
			sound(t, path, r, lang)
			private(t, path, r)
		}
		codes := b.post("/orders/"+done+"/reveal", map[string][]string{"agree": {"1"}})
		if codes.StatusCode != http.StatusOK {
			t.Fatalf("codes: %d", codes.StatusCode)
		}
		sound(t, "codes", codes, lang)
		private(t, "codes", codes)
	}
	if strings.Contains(s.log.String(), "13800138000") || strings.Contains(s.log.String(), "138 0013") {
		t.Error("a phone number is in the log (S14)")
	}
}

// What operators write is text everywhere (S44).
func TestHostileTextsAreShownAsText(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	o := b.place("hostile", "1")
	s.pay(o)
	right := string(s.Held(t, o)[0].ID)
	pages := map[string]reply{"codes": b.post("/orders/"+string(o)+"/reveal", map[string][]string{"agree": {"1"}}), "errors": b.post("/checkout/hostile", b.wrong("hostile"))}
	for _, path := range []string{"/", "/search?q=" + "%3Cimg", "/search?q=%3Cscript%3Ealert(2)%3C/script%3E", "/search/suggest?q=%3Cimg", "/offers/hostile", "/checkout/hostile", "/orders", "/orders/" + string(o), "/orders/" + string(o) + "/reveal", "/wallet", "/rights/" + right} {
		pages[path] = b.get(path)
	}
	for path, r := range pages {
		if strings.Contains(r.body, "<img src=x") || strings.Contains(r.body, "<script>alert") || strings.Contains(r.body, `"'><`) {
			t.Errorf("%s: what an operator wrote became markup", path)
		}
		if !strings.Contains(r.body, "&lt;img src=x") && !strings.Contains(r.body, "&lt;script&gt;") {
			t.Errorf("%s: the text isn't there at all", path)
		}
	}
}

// A form that another site sends in the shopper's name does nothing (S43).
func TestCrossSiteFormsAreRefused(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	o := b.place("duo", "1")
	form := b.checkout("duo", "1")
	orders := s.count()
	for _, path := range []string{"/checkout/duo", "/orders/find", "/orders/" + string(o) + "/cancel", "/orders/" + string(o) + "/reveal", "/orders/" + string(o) + "/balance", "/me/forget", "/-/prefs", "/sign-in", "/sign-in/code", "/sign-out"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r, err := http.NewRequest(http.MethodPost, s.server.URL+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			if res := b.do(r); res.StatusCode != http.StatusForbidden || len(res.Cookies()) > 0 {
				t.Errorf("%s with %s: %d %v", path, name, res.StatusCode, res.Cookies())
			}
		}
	}
	if s.count() != orders || s.Look(t, o).State != "pending" {
		t.Error("a cross-site form had an effect")
	}
}

func TestPrefsReturnToThisSiteOnly(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	b := s.browser("zh-CN")
	for back, want := range map[string]string{"/help": "/help", "//evil.example": "/", "https://evil.example/": "/", "/\\evil": "/"} {
		if r := b.post("/-/prefs", map[string][]string{"lang": {"en"}, "back": {back}}); r.Header.Get("Location") != want {
			t.Errorf("%q leads to %q", back, r.Header.Get("Location"))
		}
	}
	if r := b.get("/help"); !strings.Contains(r.body, `<html lang="en"`) {
		t.Error("the choice of language isn't kept")
	}
}

func TestFormsHaveALimit(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	r := s.browser("en").post("/orders/find", map[string][]string{"link": {strings.Repeat("x", 70<<10)}})
	if r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 70 KB: %d", r.StatusCode)
	}
}
