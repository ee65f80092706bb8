package sandbox

import (
	"strings"
	"testing"
)

// F21: each way in which a bill can be damaged is seen.
func TestF21DamagedBills(t *testing.T) {
	head := strings.Join(billHead, ",") + "\n"
	pay := "payment,m,a,pay_123456,sb1,,,1990,CNY,12,PAID,2026-11-22T20:15:00+08:00\n"
	back := "refund,m,a,pay_123456,sb1,refund_1,rf1,990,CNY,-6,DONE,2026-11-22T20:15:00+08:00\n"
	total := func(n string) string { return "total,m,a,,,,," + n + ",,,,\n" }
	if lines, err := readBill([]byte(head + pay + back + total("2"))); err != nil || len(lines) != 2 || lines[1].Row != 3 {
		t.Fatal(lines, err)
	}
	for name, bill := range map[string]string{
		"nothing":           "",
		"no heading":        pay + total("1"),
		"another heading":   strings.Replace(head, "fee", "amount", 1) + pay + total("1"),
		"cut":               head + pay,
		"a row gone":        head + pay + total("2"),
		"a row too many":    head + pay + pay + total("1"),
		"twice":             head + pay + total("1") + head + pay + total("1"),
		"not UTF-8":         head + strings.Replace(pay, "PAID", "\xba\xcf", 1) + total("1"),
		"a column too few":  head + strings.Replace(pay, ",12", "", 1) + total("1"),
		"no amount":         head + strings.Replace(pay, "1990", "0", 1) + total("1"),
		"a broken amount":   head + strings.Replace(pay, "1990", "19.90", 1) + total("1"),
		"a broken fee":      head + strings.Replace(pay, ",12,", ",x,", 1) + total("1"),
		"a broken time":     head + strings.Replace(pay, "T20", " 20", 1) + total("1"),
		"a broken number":   head + strings.Replace(pay, "pay_123456", "=1+1", 1) + total("1"),
		"an unknown type":   head + strings.Replace(pay, "payment", "gift", 1) + total("1"),
		"a refund unnamed":  head + strings.Replace(back, "refund_1", "", 1) + total("1"),
		"a payment refunds": head + strings.Replace(back, "refund,", "payment,", 1) + total("1"),
	} {
		if lines, err := readBill([]byte(bill)); err == nil || lines != nil {
			t.Errorf("%s: %v, %v", name, lines, err)
		}
	}
}
