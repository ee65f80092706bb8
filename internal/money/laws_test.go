package money

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSplitAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Of(rapid.Int64Range(-1<<60, 1<<60).Draw(t, "minor"), CNY)
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 12).Draw(t, "weights")
		var total int64
		for _, w := range weights {
			total += w
		}
		parts, err := a.Split(weights...)
		if total == 0 {
			if err == nil {
				t.Fatal("a split over no weight must fail")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		sum := Of(0, CNY)
		for i, p := range parts {
			if weights[i] == 0 && p.Minor != 0 {
				t.Fatalf("part %d has no weight and got %d", i, p.Minor)
			}
			if (p.Minor < 0) != (a.Minor < 0) && p.Minor != 0 {
				t.Fatalf("part %d has the other sign", i)
			}
			if sum, err = sum.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		if sum != a {
			t.Fatalf("%v split into %v, which is %v", a, parts, sum)
		}
	})
}

func TestParseInvertsDecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom([]Currency{CNY, JPY, USD}).Draw(t, "currency")
		a := Of(rapid.Int64Range(-1e15, 1e15).Draw(t, "minor"), c)
		if b, err := Parse(a.Decimal(), c); err != nil || a != b {
			t.Fatalf("%s came back as %v, %v", a.Decimal(), b, err)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{"", "-", ".5", "1.", "1.234", "1e3", "+1", " 1", "1 ", "1,000.00", "0x10", "NaN", "Inf", "１", "--1", "1.2.3", "9999999999999999"} {
		if a, err := Parse(s, CNY); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, a)
		}
	}
	if _, err := Parse("1", "ZZZ"); err == nil {
		t.Error("an unknown currency was taken")
	}
	if _, err := Parse("1.5", JPY); err == nil {
		t.Error("half a yen was taken")
	}
}

func TestStringIsWhatPeopleWrite(t *testing.T) {
	for want, a := range map[string]Amount{
		"¥19.90": Of(1990, CNY), "-¥0.05": Of(-5, CNY), "¥1,234,567.00": Of(123456700, CNY), "JP¥980": Of(980, JPY), "$0.00": Of(0, USD),
	} {
		if got := a.String(); got != want {
			t.Errorf("%d %s is written %q, want %q", a.Minor, a.Currency, got, want)
		}
	}
}

func TestOverflowIsAnError(t *testing.T) {
	big := Of(1<<62, CNY)
	if _, err := big.Add(big); err == nil {
		t.Error("Add overflowed silently")
	}
	if _, err := big.Times(3); err == nil {
		t.Error("Times overflowed silently")
	}
	if _, err := big.Add(Of(1, USD)); err == nil {
		t.Error("two currencies were added")
	}
}
