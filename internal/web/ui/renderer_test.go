package ui

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/web/templates"
)

func quiet(t *testing.T, more ...fs.FS) *Renderer {
	t.Helper()
	rd, err := New(Options{Log: slog.New(slog.DiscardHandler)}, more...)
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

// Each message that a template names exists, and each partial says what it takes.
func TestTemplatesKeepTheirPromises(t *testing.T) {
	message := regexp.MustCompile(`\(?\bT "([^"]+)"`)
	define := regexp.MustCompile(`\{\{define "(ui/[^"]+)"`)
	helpers := map[string]bool{"ui/field-head": true, "ui/field-foot": true, "ui/field-attrs": true, "ui/stat-in": true, "ui/cell": true}
	inline := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	names, err := fs.Glob(templates.FS, "*/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(templates.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range message.FindAllStringSubmatch(string(raw), -1) {
			if !i18n.Has(m[1]) {
				t.Errorf("%s speaks of %s, which has no text", name, m[1])
			}
		}
		if hit := inline.FindString(string(raw)); hit != "" {
			t.Errorf("%s holds %q, which the content security policy forbids", name, hit)
		}
		for _, m := range define.FindAllStringSubmatch(string(raw), -1) {
			if !helpers[m[1]] && !strings.Contains(string(raw), "/* "+m[1]+":") {
				t.Errorf("%s: %s does not say what it takes", name, m[1])
			}
		}
	}
}

type sayView struct {
	Page
	Text string
}

func TestRender(t *testing.T) {
	rd := quiet(t, fstest.MapFS{
		"shop/say.html":    {Data: []byte(`{{define "content"}}<p title="{{.Text}}">{{.Text}}</p>{{template "ui/banner" dict "Tone" "stop" "Title" .Text}}{{end}}{{define "dock"}}<b>dock</b>{{end}}`)},
		"shop/broken.html": {Data: []byte(`{{define "content"}}half{{.Nothing}}{{end}}`)},
	})
	r := httptest.NewRequest(http.MethodGet, "/x?y=1", nil)
	r.AddCookie(&http.Cookie{Name: LangCookie, Value: "en"})
	r.AddCookie(&http.Cookie{Name: ThemeCookie, Value: "dark"})
	w := httptest.NewRecorder()
	rd.Render(w, r, http.StatusTeapot, "shop/say", &sayView{Text: `<img src=x onerror="alert(1)">`, Page: Page{Private: true}})
	body := w.Body.String()
	if w.Code != http.StatusTeapot || w.Header().Get("Content-Language") != "en" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{`lang="en" data-theme="dark"`, "has-dock", "<b>dock</b>", `href="#main"`, `name="back" value="/x?y=1"`, "&lt;img"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, "<img src=x") {
		t.Error("foreign text became markup")
	}
	for _, name := range []string{"shop/broken", "shop/none"} {
		w = httptest.NewRecorder()
		rd.Render(w, r, http.StatusOK, name, &sayView{})
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "half") || strings.Contains(w.Body.String(), "Nothing") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	w = httptest.NewRecorder()
	rd.Fragment(w, r, http.StatusOK, "shop/say", "content", &sayView{Text: "hello"})
	if got := w.Body.String(); !strings.HasPrefix(got, `<p title="hello">`) || strings.Contains(got, "<html") {
		t.Errorf("the fragment is %s", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, text := range map[string]string{"unclosed": `{{define "content"}}`, "no content": `{{define "dock"}}x{{end}}`, "unknown function": `{{define "content"}}{{nosuch}}{{end}}`} {
		if _, err := New(Options{}, fstest.MapFS{"shop/x.html": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
}

func TestErrorSaysWhatToDoAndHidesTheCause(t *testing.T) {
	rd := quiet(t)
	for _, shell := range []string{"shop", "console", "plain"} {
		for lang, word := range map[i18n.Lang]string{i18n.ZH: "出了点问题", i18n.EN: "Something went wrong"} {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.AddCookie(&http.Cookie{Name: LangCookie, Value: string(lang)})
			w := httptest.NewRecorder()
			rd.Error(w, r, shell, "trace-17", errors.New("secret-cause"))
			body := w.Body.String()
			if w.Code != 500 || !strings.Contains(body, word) || !strings.Contains(body, "trace-17") || strings.Contains(body, "secret-cause") || strings.Contains(body, "{trace}") || strings.Contains(body, "⟦") {
				t.Errorf("%s %s: %d %s", shell, lang, w.Code, body)
			}
		}
	}
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if !i18n.Has("ui.error." + kind.String()) {
			t.Errorf("%s has no heading", kind)
		}
	}
}

func TestPrefs(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/-/prefs", strings.NewReader(url.Values{"lang": {"en"}, "theme": {"purple"}, "back": {"//evil.example"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	Prefs(w, r)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("%d to %s", w.Code, w.Header().Get("Location"))
	}
	if cookies := w.Result().Cookies(); len(cookies) != 1 || cookies[0].Name != LangCookie || cookies[0].Value != "en" {
		t.Errorf("cookies %v", w.Result().Cookies())
	}
	w = httptest.NewRecorder()
	Prefs(w, httptest.NewRequest(http.MethodGet, "/-/prefs?lang=en", nil))
	if w.Code != http.StatusMethodNotAllowed || len(w.Result().Cookies()) != 0 {
		t.Errorf("a GET changed something: %d", w.Code)
	}
}

func TestDict(t *testing.T) {
	for _, kv := range [][]any{{"a"}, {1, 2}, {"a", 1, "a", 2}} {
		if m, err := dict(kv...); err == nil {
			t.Errorf("dict(%v) = %v", kv, m)
		}
	}
}
