package ui

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/i18n"
	"hufu/internal/money"
)

var cst = time.FixedZone("UTC+8", 8*3600)

func TestTimesAsPeopleWriteThem(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 15, 0, 0, cst)
	for _, c := range []struct {
		at           time.Time
		zh, en       string
		agoZH, agoEN string
	}{
		{now, "11月22日 20:15", "22 Nov, 20:15", "刚刚", "just now"},
		{now.Add(-time.Minute), "11月22日 20:14", "22 Nov, 20:14", "1 分钟前", "1 minute ago"},
		{now.Add(-3 * time.Hour), "11月22日 17:15", "22 Nov, 17:15", "3 小时前", "3 hours ago"},
		{now.Add(49 * time.Hour), "11月24日 21:15", "24 Nov, 21:15", "2 天后", "in 2 days"},
		{now.AddDate(-1, 0, 0), "2025年11月22日 20:15", "22 Nov 2025, 20:15", "2025年11月22日 20:15", "22 Nov 2025, 20:15"},
	} {
		for lang, want := range map[i18n.Lang][2]string{i18n.ZH: {c.zh, c.agoZH}, i18n.EN: {c.en, c.agoEN}} {
			if got := FormatTime(lang, c.at, now); got != want[0] {
				t.Errorf("FormatTime(%s) = %q, want %q", lang, got, want[0])
			}
			if got := FormatAgo(lang, c.at, now); got != want[1] {
				t.Errorf("FormatAgo(%s) = %q, want %q", lang, got, want[1])
			}
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0.0 秒", 400 * time.Millisecond: "0.4 秒", 61 * time.Second: "1 分钟 1 秒", 2 * time.Hour: "2 小时", 26*time.Hour + time.Second: "1 天 2 小时", -time.Hour: "0.0 秒",
	} {
		if got := FormatDuration(i18n.ZH, d); got != want {
			t.Errorf("FormatDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestGroupingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.StringMatching(`[0-9A-Z]{0,40}`).Draw(t, "code")
		groups := GroupCode(code)
		if strings.Join(groups, "") != code {
			t.Fatalf("%q became %v", code, groups)
		}
		for i, g := range groups {
			if len(g) > 4 || (i < len(groups)-1 && len(g) != 4) {
				t.Fatalf("%q became %v", code, groups)
			}
		}
	})
	if got := GroupCode("AB-123-4567"); len(got) != 3 || got[1] != "123" {
		t.Errorf("a code with groups of its own became %v", got)
	}
}

// A discount may be said smaller than it is, never larger.
func TestDiscountIsNeverOverstated(t *testing.T) {
	number := regexp.MustCompile(`[0-9.]+`)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.Int64Range(1, 1e9).Draw(t, "list")
		now := rapid.Int64Range(0, list).Draw(t, "now")
		zh := discount(i18n.ZH, money.Of(now, money.CNY), money.Of(list, money.CNY))
		if n := number.FindString(zh); n != "" {
			a, err := money.Parse(n, money.CNY)
			if err != nil {
				t.Fatal(err)
			}
			if a.Minor*list < now*1000 { // n/10 of the list price must not be below the price
				t.Fatalf("%d of %d is said to be %s", now, list, zh)
			}
		}
		en := discount(i18n.EN, money.Of(now, money.CNY), money.Of(list, money.CNY))
		if n := number.FindString(en); n != "" {
			a, err := money.Parse(n, money.JPY)
			if err != nil {
				t.Fatal(err)
			}
			if (100-a.Minor)*list < now*100 {
				t.Fatalf("%d of %d is said to be %s off", now, list, en)
			}
		}
	})
	if got := discount(i18n.ZH, money.Of(100, money.CNY), money.Of(100, money.CNY)); got != "" {
		t.Errorf("no discount is said as %q", got)
	}
}

var tag = regexp.MustCompile(`</?span[^>]*>`)

func TestKeepTogetherChangesNoWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9年月日元<>&"' ]{0,40}`)).Draw(t, "text")
		got := string(keepTogether(text))
		plain := tag.ReplaceAllString(got, "")
		if strings.ContainsAny(plain, `<>"'`) {
			t.Fatalf("%q is not escaped: %s", text, got)
		}
		if want := strings.ReplaceAll(text, "\x00", "\uFFFD"); html.UnescapeString(plain) != want {
			t.Fatalf("%q became %q", text, got)
		}
	})
	if got := keepTogether("卡密 2027年11月22日 前激活"); !strings.Contains(string(got), `<span class="num">2027年11月22日</span>`) {
		t.Errorf("a date may break: %s", got)
	}
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"/orders?x=1#y": "/orders?x=1#y", "": "/", "orders": "/", "//evil.example/x": "/", "https://evil.example": "/", `/\evil.example`: "/", "/a\nb": "/", "javascript:alert(1)": "/",
	} {
		if got := LocalPath(in); got != want {
			t.Errorf("LocalPath(%q) = %q, want %q", in, got, want)
		}
	}
}
