package ui

import (
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"

	"hufu/internal/i18n"
	"hufu/internal/money"
)

// months are written out for English only; Chinese has numbers.
const (
	enDay, enDayYear = "2 Jan", "2 Jan 2006"
	zhDay, zhDayYear = "1月2日", "2006年1月2日"
)

// FormatDay is the date of t as people write it, without the year when it is now's.
func FormatDay(lang i18n.Lang, t, now time.Time) string {
	if lang == i18n.EN {
		if t.Year() == now.Year() {
			return t.Format(enDay)
		}
		return t.Format(enDayYear)
	}
	if t.Year() == now.Year() {
		return t.Format(zhDay)
	}
	return t.Format(zhDayYear)
}

// FormatTime is the moment t as people write it: "11月22日 20:15", "22 Nov, 20:15".
func FormatTime(lang i18n.Lang, t, now time.Time) string {
	sep := " "
	if lang == i18n.EN {
		sep = ", "
	}
	return FormatDay(lang, t, now) + sep + t.Format("15:04")
}

// FormatAgo is t relative to now when within a week, else the moment itself.
func FormatAgo(lang i18n.Lang, t, now time.Time) string {
	d := now.Sub(t)
	dir := "ago"
	if d < 0 {
		d, dir = -d, "in"
	}
	var unit string
	var n int
	switch {
	case d < time.Minute:
		return lang.T("ui.time.now")
	case d < time.Hour:
		unit, n = "minute", int(d/time.Minute)
	case d < 24*time.Hour:
		unit, n = "hour", int(d/time.Hour)
	case d < 7*24*time.Hour:
		unit, n = "day", int(d/(24*time.Hour))
	default:
		return FormatTime(lang, t, now)
	}
	if n != 1 {
		unit += "s"
	}
	return lang.T("ui.time."+dir+"."+unit, "n", strconv.Itoa(n))
}

// FormatDuration is a length of time in its two largest units: "1 小时 5 分钟".
func FormatDuration(lang i18n.Lang, d time.Duration) string {
	if d < 0 {
		d = 0
	}
	if d < time.Second {
		return lang.T("ui.time.span.seconds", "n", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
	}
	units := []struct {
		key string
		len time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}}
	var parts []string
	for _, u := range units {
		n := d / u.len
		d -= n * u.len
		if n == 0 {
			if len(parts) > 0 {
				break
			}
			continue
		}
		key := "ui.time.span." + u.key
		if n != 1 {
			key += "s"
		}
		if parts = append(parts, lang.T(key, "n", strconv.Itoa(int(n)))); len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// FormatInt writes n with thousands separated.
func FormatInt(n int64) string {
	s := strconv.FormatInt(n, 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}

// GroupCode splits a code in groups of four; a code that has its own groups keeps them.
func GroupCode(code string) []string {
	if parts := strings.FieldsFunc(code, func(r rune) bool { return r == '-' || r == ' ' }); len(parts) > 1 {
		return parts
	}
	var parts []string
	runes := []rune(code)
	for len(runes) > 4 {
		parts = append(parts, string(runes[:4]))
		runes = runes[4:]
	}
	return append(parts, string(runes))
}

// priceParts splits an amount so that its symbol and its cents can be set smaller.
type priceParts struct{ Sign, Currency, Whole, Fraction string }

func splitPrice(a money.Amount) priceParts {
	s, neg := strings.CutPrefix(a.String(), "-")
	p := priceParts{Currency: a.Currency.Symbol()}
	if neg {
		p.Sign = "-"
	}
	p.Whole, p.Fraction, _ = strings.Cut(strings.TrimPrefix(s, p.Currency), ".")
	if p.Fraction != "" {
		p.Fraction = "." + p.Fraction
	}
	return p
}

// discount is how a lower price is said: "3.9 折" in Chinese, "-61%" in English; "" when
// it isn't lower.
func discount(lang i18n.Lang, now, list money.Amount) string {
	if list.Minor <= 0 || now.Minor < 0 || now.Minor >= list.Minor || now.Currency != list.Currency {
		return ""
	}
	if lang == i18n.EN {
		if off := 100 - (now.Minor*100+list.Minor-1)/list.Minor; off > 0 {
			return "-" + strconv.FormatInt(off, 10) + "%"
		}
		return ""
	}
	// A discount is never made to look larger than it is: tenths are rounded up.
	tenths := (now.Minor*100 + list.Minor - 1) / list.Minor
	if tenths >= 100 {
		return ""
	}
	if tenths < 1 {
		tenths = 1
	}
	return strings.TrimSuffix(fmt.Sprintf("%d.%d", tenths/10, tenths%10), ".0") + " 折"
}

func timeTag(t time.Time, attr, text, title string) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `"` + attr + ` title="` + template.HTMLEscapeString(title) + `">` + template.HTMLEscapeString(text) + `</time>`)
}

// measure is a number with what it counts, or a date: what a line must not break.
var measure = regexp.MustCompile(`(?:[¥$€£]\s?)?(?:\d[\d,.:*–-]*\s?(?:个月|小时|分钟|年|月|日|天|秒|元|张|件|次|份|人|台|折|%|GB|MB|KB)?)+`)

// keepTogether escapes text and keeps each number on one line with its unit.
func keepTogether(text string) template.HTML {
	var b strings.Builder
	at := 0
	for _, m := range measure.FindAllStringIndex(text, -1) {
		b.WriteString(template.HTMLEscapeString(text[at:m[0]]))
		part := strings.TrimRight(text[m[0]:m[1]], " ")
		if at = m[0] + len(part); len([]rune(part)) > 20 {
			b.WriteString(template.HTMLEscapeString(part)) // too long to keep on one line of a phone
			continue
		}
		b.WriteString(`<span class="num">` + template.HTMLEscapeString(part) + `</span>`)
	}
	b.WriteString(template.HTMLEscapeString(text[at:]))
	return template.HTML(b.String())
}

// markDigits escapes a part of a code and marks its digits, which the style sheet sets in
// another colour: 0 and O stay apart also in a font that draws them alike.
func markDigits(s string) template.HTML {
	var b strings.Builder
	in := false
	for _, r := range s {
		digit := r >= '0' && r <= '9'
		if digit != in {
			if in = digit; in {
				b.WriteString("<i>")
			} else {
				b.WriteString("</i>")
			}
		}
		b.WriteString(template.HTMLEscapeString(string(r)))
	}
	if in {
		b.WriteString("</i>")
	}
	return template.HTML(b.String())
}
