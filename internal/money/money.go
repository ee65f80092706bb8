// Package money holds amounts exactly: int64 minor units beside an ISO 4217 currency.
// Nothing in it rounds silently; whatever divides says where the remainder goes.
package money

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// Currency is an upper-case ISO 4217 code.
type Currency string

// The currencies Hufu trades in, with the number of decimal digits of their minor unit.
const (
	CNY Currency = "CNY"
	USD Currency = "USD"
	EUR Currency = "EUR"
	GBP Currency = "GBP"
	HKD Currency = "HKD"
	JPY Currency = "JPY"
)

var exponents = map[Currency]int{CNY: 2, USD: 2, EUR: 2, GBP: 2, HKD: 2, JPY: 0}

var symbols = map[Currency]string{CNY: "¥", USD: "$", EUR: "€", GBP: "£", HKD: "HK$", JPY: "JP¥"}

// Known reports whether Hufu trades in c.
func (c Currency) Known() bool { _, ok := exponents[c]; return ok }

// Digits is the number of decimal digits of the minor unit: 2 for CNY, 0 for JPY.
func (c Currency) Digits() int { return exponents[c] }

// Symbol is how people write the currency before a number.
func (c Currency) Symbol() string {
	if s, ok := symbols[c]; ok {
		return s
	}
	return string(c) + " "
}

// Amount is a sum in one currency. The zero value is no money in no currency.
type Amount struct {
	Minor    int64 // minor units: fen, cents; yen
	Currency Currency
}

// Of makes an amount of minor units.
func Of(minor int64, c Currency) Amount { return Amount{Minor: minor, Currency: c} }

// IsZero reports whether there is nothing.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// Add is a + b. It fails on two currencies and on overflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("money: %s and %s can't be added", a.Currency, b.Currency)
	}
	s := a.Minor + b.Minor
	if (a.Minor > 0 && b.Minor > 0 && s < 0) || (a.Minor < 0 && b.Minor < 0 && s >= 0) {
		return Amount{}, fmt.Errorf("money: %d + %d overflows", a.Minor, b.Minor)
	}
	return Amount{s, a.Currency}, nil
}

// Neg is -a.
func (a Amount) Neg() Amount { return Amount{-a.Minor, a.Currency} }

// Times is a × n. It fails on overflow.
func (a Amount) Times(n int64) (Amount, error) {
	if n == 0 || a.Minor == 0 {
		return Amount{0, a.Currency}, nil
	}
	p := a.Minor * n
	if p/n != a.Minor || (a.Minor == math.MinInt64 && n == -1) {
		return Amount{}, fmt.Errorf("money: %d × %d overflows", a.Minor, n)
	}
	return Amount{p, a.Currency}, nil
}

// Split divides a by weights into parts that add up to a exactly, by the largest
// remainder (Hamilton's method); equal remainders go to the earlier part. Weights must be
// zero or more and not all zero.
func (a Amount) Split(weights ...int64) ([]Amount, error) {
	var total uint64
	for _, w := range weights {
		if w < 0 {
			return nil, fmt.Errorf("money: weight %d is negative", w)
		}
		if total += uint64(w); total > math.MaxInt64 {
			return nil, fmt.Errorf("money: the weights are too large")
		}
	}
	if total == 0 {
		return nil, fmt.Errorf("money: a split needs a weight above zero")
	}
	neg := a.Minor < 0
	whole := uint64(a.Minor)
	if neg {
		whole = -whole
	}
	parts := make([]Amount, len(weights))
	rest := make([]uint64, len(weights))
	left := whole
	for i, w := range weights {
		hi, lo := bits.Mul64(whole, uint64(w))
		q, r := bits.Div64(hi, lo, total)
		parts[i] = Amount{int64(q), a.Currency}
		rest[i] = r
		left -= q
	}
	for ; left > 0; left-- {
		best := -1
		for i := range rest {
			if rest[i] > 0 && (best < 0 || rest[i] > rest[best]) {
				best = i
			}
		}
		parts[best].Minor++
		rest[best] = 0
	}
	if neg {
		for i := range parts {
			parts[i].Minor = -parts[i].Minor
		}
	}
	return parts, nil
}

// maxDigits is how many digits of minor units Parse takes: what an int64 holds with room to add a few.
const maxDigits = 17

// Parse reads a decimal number such as "19.90" strictly: digits, at most one point,
// no more decimal digits than the currency has, no sign but a leading minus, no exponent,
// no separators, at most maxDigits digits counted in minor units. It is meant for amounts that come over a wire.
func Parse(s string, c Currency) (Amount, error) {
	if !c.Known() {
		return Amount{}, fmt.Errorf("money: unknown currency %q", c)
	}
	bad := func() (Amount, error) { return Amount{}, fmt.Errorf("money: %.32q is not an amount of %s", s, c) }
	t, neg := strings.CutPrefix(s, "-")
	whole, frac, point := strings.Cut(t, ".")
	digits := c.Digits()
	if whole == "" || (point && frac == "") || len(frac) > digits || len(whole)+digits > maxDigits {
		return bad()
	}
	var v int64
	for _, d := range []byte(whole + frac + strings.Repeat("0", digits-len(frac))) {
		if d < '0' || d > '9' {
			return bad()
		}
		v = v*10 + int64(d-'0')
	}
	if neg {
		v = -v
	}
	return Amount{v, c}, nil
}

// Decimal writes a as a plain decimal number, "19.90": the inverse of Parse.
func (a Amount) Decimal() string {
	digits := a.Currency.Digits()
	u := uint64(a.Minor)
	sign := ""
	if a.Minor < 0 {
		u, sign = -u, "-"
	}
	if digits == 0 {
		return fmt.Sprintf("%s%d", sign, u)
	}
	scale := uint64(math.Pow10(digits))
	return fmt.Sprintf("%s%d.%0*d", sign, u/scale, digits, u%scale)
}

// String writes a as people read it: "¥19.90", "-¥1,234.50".
func (a Amount) String() string {
	d := a.Decimal()
	d, neg := strings.CutPrefix(d, "-")
	whole, frac, point := strings.Cut(d, ".")
	var b strings.Builder
	if neg {
		b.WriteByte('-')
	}
	b.WriteString(a.Currency.Symbol())
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if point {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	return b.String()
}
