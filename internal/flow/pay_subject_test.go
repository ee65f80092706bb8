package flow

import (
	"strings"
	"testing"
	"unicode/utf8"

	"hufu/internal/catalogue"
	"hufu/internal/order"
)

func TestPaySubject(t *testing.T) {
	long := strings.Repeat("长", 60)
	for _, c := range []struct {
		zh, en, lang string
		quantities   []int64
		want         string
	}{
		{"月卡", "Month", "zh-CN", []int64{1}, "月卡"},
		{"月卡", "Month", "en", []int64{1}, "Month"},
		{"月卡", "", "en", []int64{1}, "月卡"},
		{"月卡", "Month", "en", []int64{3, 1, 1}, "Month × 3 +2"},
		{"a\r\nb  c", "", "zh-CN", []int64{1}, "a b c"},
		{"\n", "", "zh-CN", []int64{1}, "ord_x"},
		{long, "", "zh-CN", []int64{2}, strings.Repeat("长", 37) + "… × 2"},
	} {
		o := &order.Order{ID: "ord_x", Lang: c.lang}
		for _, n := range c.quantities {
			o.Lines = append(o.Lines, order.Line{Quantity: n})
		}
		v := &catalogue.Version{Content: catalogue.Content{Title: catalogue.Text{ZH: c.zh, EN: c.en}}}
		got := paySubject(o, v)
		if got != c.want {
			t.Errorf("%q %s %v: %q, want %q", c.zh, c.lang, c.quantities, got, c.want)
		}
		if len(got) > maxSubject || !utf8.ValidString(got) {
			t.Errorf("%q has %d bytes", got, len(got))
		}
	}
}
