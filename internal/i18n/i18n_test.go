package i18n

import (
	"regexp"
	"slices"
	"testing"
)

var param = regexp.MustCompile(`\{[a-z_]+\}`)

func TestBothLanguagesSayTheSame(t *testing.T) {
	for key, zh := range messages[ZH] {
		en, ok := messages[EN][key]
		if !ok {
			t.Errorf("%s has no English", key)
			continue
		}
		a, b := param.FindAllString(zh, -1), param.FindAllString(en, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s speaks of %v in Chinese and of %v in English", key, a, b)
		}
	}
	for key := range messages[EN] {
		if _, ok := messages[ZH][key]; !ok {
			t.Errorf("%s has no Chinese", key)
		}
	}
}

func TestMatch(t *testing.T) {
	for header, want := range map[string]Lang{"": ZH, "en-GB,zh;q=0.9": EN, "fr, en;q=0.5": EN, "zh-TW": ZH, "de": ZH, "EN": EN} {
		if got := Match(header); got != want {
			t.Errorf("Match(%q) = %s, want %s", header, got, want)
		}
	}
}
