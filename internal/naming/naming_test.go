package naming

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNamesThatPeopleTakeForOne(t *testing.T) {
	for _, s := range []string{"iss", "iss ", " iss", "ISS", "Iss", "ｉｓｓ", "ＩＳＳ", "iss\u3000", "\u00a0iss\t"} {
		if got := Key(s); got != "iss" {
			t.Errorf("the key of %q is %q", s, got)
		}
	}
	for _, pair := range [][2]string{{"Tencent  Video", "tencent video"}, {"腾讯 视频", "腾讯\u3000视频"}, {"\u212a", "k"}, {"Ａ①", "a1"}, {"ΟΔΟΣ", "οδος"}} {
		if !Same(pair[0], pair[1]) {
			t.Errorf("%q and %q are told apart: %q, %q", pair[0], pair[1], Key(pair[0]), Key(pair[1]))
		}
	}
	for _, pair := range [][2]string{{"iss", "issa"}, {"腾讯", "腾迅"}, {"a b", "ab"}, {"a-b", "ab"}} {
		if Same(pair[0], pair[1]) {
			t.Errorf("%q and %q are one", pair[0], pair[1])
		}
	}
}

func TestWhatNobodySeesIsRefused(t *testing.T) {
	for _, s := range []string{"\u200biss", "is\u200ds", "iss\u202e", "i\u00adss", "iss\x00", "a\u2066b", "\ufeffiss", "a\u3164", "a\nb", "a\xff", "\ue000", "a\u2028b", "a\u034fb"} {
		if !Hidden(s) {
			t.Errorf("%q passes", s)
		}
	}
	for _, s := range []string{"", "iss", "腾讯视频", "Ünïcode", "a b", "№ 1", "👍🏽", "❤️"} {
		if Hidden(s) || HiddenText(s) {
			t.Errorf("%q is refused", s)
		}
	}
	if name, ok := Name(" 腾讯 \t视频\u3000"); name != "腾讯 视频" || !ok {
		t.Errorf("%q %v", name, ok)
	}
	if _, ok := Name("a\u200b"); ok {
		t.Error("a name may hide a character")
	}
	for _, s := range []string{"one\r\ntwo\tthree", "👨‍👩‍👧", "❤️‍🔥"} {
		if HiddenText(s) {
			t.Errorf("the text %q is refused", s)
		}
	}
	for _, s := range []string{"a\u202eb", "a\u200db", "a\x00", "\u200d👧", "a\xff"} {
		if !HiddenText(s) {
			t.Errorf("the text %q passes", s)
		}
	}
}

func TestKeyLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		key := Key(s)
		if Key(key) != key {
			t.Fatalf("the key of the key of %q is %q, not %q", s, Key(key), key)
		}
		if utf8.ValidString(s) && !utf8.ValidString(key) {
			t.Fatalf("%q", key)
		}
		if name, ok := Name(s); ok && Key(name) != key {
			t.Fatalf("%q and its name %q differ", s, name)
		}
	})
}
