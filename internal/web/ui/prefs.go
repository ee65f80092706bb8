package ui

import (
	"net/http"
	"net/url"
	"strings"

	"hufu/internal/i18n"
)

// Names of the cookies that hold what a person chose. They are no secrets.
const (
	LangCookie  = "hufu_lang"
	ThemeCookie = "hufu_theme"
)

// LangOf is the language for a request: what was chosen, else what the browser asks for.
func LangOf(r *http.Request) i18n.Lang {
	if c, err := r.Cookie(LangCookie); err == nil {
		for _, l := range i18n.Langs {
			if c.Value == string(l) {
				return l
			}
		}
	}
	return i18n.Match(r.Header.Get("Accept-Language"))
}

// ThemeOf is the theme that was chosen, "auto" when none was.
func ThemeOf(r *http.Request) string {
	if c, err := r.Cookie(ThemeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return "auto"
}

// Prefs stores the choice of language or theme (form fields lang, theme) and returns to
// the page it came from (field back). It works without script.
func Prefs(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	set := func(name, value string) {
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
			SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
		})
	}
	for _, l := range i18n.Langs {
		if r.PostFormValue("lang") == string(l) {
			set(LangCookie, string(l))
		}
	}
	switch t := r.PostFormValue("theme"); t {
	case "light", "dark", "auto":
		set(ThemeCookie, t)
	}
	http.Redirect(w, r, LocalPath(r.PostFormValue("back")), http.StatusSeeOther)
}

// LocalPath is s when it leads to a page of this site, else "/": a link that returns must
// not lead elsewhere.
func LocalPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return s
}
