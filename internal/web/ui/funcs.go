package ui

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"time"

	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/web/assets"
)

// funcs are the functions that templates may call, bound to one language.
//
//	T key [name value]...   the message          fault err        a fault in words
//	pick zh en              one of two texts     lang             "zh-CN" or "en"
//	money amount            "¥19.90"             num n            "1,234"
//	when t, ago t, day t    <time> elements      span duration    "5 分钟"
//	code s                  groups of four       mask s           "**** 4F7K" from the end of s
//	digits s                s with its digits marked
//	asset name              URL of an asset      cover id         URL of a cover
//	icon name [class]       inline picture       tally [class]    the tiger tally
//	hue id, initial name    of a monogram        idem             a fresh idempotency key
//	nb text                 text whose numbers stay with their units
//	dict k v ..., list ...  values for partials  seq n            0 .. n-1
//	options, now, brand     of the installation  unixms t         for countdowns
func (rd *Renderer) funcs(lang i18n.Lang) template.FuncMap {
	local := func(t time.Time) time.Time { return t.In(rd.opt.Zone) }
	now := func() time.Time { return local(rd.opt.Clock.Now()) }
	zone := func(t time.Time) string { return local(t).Format("2006-01-02 15:04:05 MST") }
	return template.FuncMap{
		"T":     func(key string, kv ...any) string { return lang.T(key, texts(kv)...) },
		"fault": faultText(lang),
		"pick":  lang.Pick,
		"lang":  func() string { return string(lang) },
		"brand": func() string { return lang.Pick(rd.opt.BrandZH, rd.opt.BrandEN) },
		"money": func(a money.Amount) string { return a.String() },
		"parts": splitPrice,
		"off":   func(now, list money.Amount) string { return discount(lang, now, list) },
		"num":   func(n any) string { return FormatInt(toInt(n)) },
		"when": func(t time.Time) template.HTML {
			return orDash(t, func() template.HTML { return timeTag(t, "", FormatTime(lang, local(t), now()), zone(t)) })
		},
		"day": func(t time.Time) template.HTML {
			return orDash(t, func() template.HTML { return timeTag(t, "", FormatDay(lang, local(t), now()), zone(t)) })
		},
		"ago": func(t time.Time) template.HTML {
			return orDash(t, func() template.HTML { return timeTag(t, " data-rel", FormatAgo(lang, local(t), now()), zone(t)) })
		},
		"span":    func(d time.Duration) string { return FormatDuration(lang, d) },
		"now":     now,
		"unixms":  func(t time.Time) int64 { return t.UnixMilli() },
		"code":    GroupCode,
		"digits":  markDigits,
		"mask":    func(s string) string { return "**** " + lastRunes(s, 4) },
		"asset":   assets.URL,
		"cover":   CoverURL,
		"icon":    icon,
		"tally":   tally,
		"art":     emptyArt,
		"hue":     Hue,
		"initial": Initial,
		"idem":    rand.Text,
		"nb":      keepTogether,
		"dict":    dict,
		"list":    func(v ...any) []any { return v },
		"seq":     func(n int) []int { return make([]int, n) },
		"bar":     func(parts []Part) template.HTML { return shareBar(parts) },
		"options": func() Options { return rd.opt },
		"toneicon": func(t Tone) string {
			switch t {
			case OK:
				return "check"
			case Warn:
				return "warn"
			case Stop:
				return "stop"
			case Info:
				return "info"
			}
			return "dot"
		},
		"inc":       func(n int) int { return n + 1 },
		"hasprefix": strings.HasPrefix,
		"fail": func(format string, args ...any) (string, error) {
			return "", fmt.Errorf(format, args...)
		},
		"percent": func(part, whole any) int64 {
			if w := toInt(whole); w > 0 {
				return toInt(part) * 100 / w
			}
			return 0
		},
	}
}

func orDash(t time.Time, f func() template.HTML) template.HTML {
	if t.IsZero() {
		return "–"
	}
	return f()
}

// dict makes the properties of a partial: name, value, name, value.
func dict(kv ...any) (map[string]any, error) {
	if len(kv)%2 != 0 {
		return nil, fmt.Errorf("dict needs names and values in pairs, got %d", len(kv))
	}
	m := make(map[string]any, len(kv)/2)
	for i := 0; i < len(kv); i += 2 {
		k, ok := kv[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", kv[i])
		}
		if _, twice := m[k]; twice {
			return nil, fmt.Errorf("dict: %s is given twice", k)
		}
		m[k] = kv[i+1]
	}
	return m, nil
}

func texts(kv []any) []string {
	out := make([]string, len(kv))
	for i, v := range kv {
		switch v := v.(type) {
		case string:
			out[i] = v
		case int, int8, int16, int32, int64, uint8, uint16, uint32, uint64, uint:
			out[i] = FormatInt(toInt(v))
		default:
			out[i] = fmt.Sprint(v)
		}
	}
	return out
}

func toInt(v any) int64 {
	r := reflect.ValueOf(v)
	switch {
	case r.CanInt():
		return r.Int()
	case r.CanUint():
		return int64(r.Uint())
	}
	return 0
}

func lastRunes(s string, n int) string {
	r := []rune(s)
	if len(r) > n {
		r = r[len(r)-n:]
	}
	return string(r)
}
