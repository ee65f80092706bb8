package rule

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/clock"
	"hufu/internal/money"
)

// Kind is the type of a fact and of the values it is compared with. The zero Kind is that
// of a value nobody gave.
type Kind uint8

// The kinds of facts.
const (
	// KindNumber is a finite number; whole ones are exact to 2^53.
	KindNumber Kind = iota + 1
	// KindText is one text, compared exactly: by letter case, without trimming.
	KindText
	// KindBool is true or false.
	KindBool
	// KindSet is a set of texts, such as the tags of a customer.
	KindSet
	// KindTime is a moment, to the microsecond.
	KindTime
	// KindAmount is a sum of money in a currency. Sums in two currencies can't be compared.
	KindAmount
)

var kindNames = [...]string{"none", "number", "text", "bool", "set", "time", "amount"}

// String is the kind's word in message keys: "number", "text", "bool", "set", "time", "amount".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// The bounds of one value, so that no comparison takes long.
const (
	// MaxTextBytes is the longest text a fact may have.
	MaxTextBytes = 4096
	// MaxSetSize is how many texts a set may have.
	MaxSetSize = 1000
)

// Value is one value of a fact. The zero Value is an unknown one.
type Value struct {
	kind Kind
	num  float64  // KindNumber
	int  int64    // KindBool: 1; KindTime: Unix microseconds; KindAmount: minor units
	till int64    // KindTime in a rule's text: the microsecond after it, a day later for a day
	text string   // KindText; KindAmount: the currency
	set  []string // KindSet
}

// Number makes a number. NaN and infinities make an unknown value.
func Number(x float64) Value {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Value{}
	}
	return Value{kind: KindNumber, num: x + 0} // + 0 takes the sign from a negative zero
}

// Int makes a number of a whole one.
func Int(n int64) Value { return Number(float64(n)) }

// Text makes a text.
func Text(s string) Value { return Value{kind: KindText, text: s} }

// Bool makes true or false.
func Bool(b bool) Value {
	v := Value{kind: KindBool}
	if b {
		v.int = 1
	}
	return v
}

// Set makes a set of texts. It keeps the slice, which must not change while the value is used.
func Set(members ...string) Value { return Value{kind: KindSet, set: members} }

// Time makes a moment.
func Time(t time.Time) Value {
	us := t.UnixMicro()
	return Value{kind: KindTime, int: us, till: us + 1}
}

// Amount makes a sum of money.
func Amount(a money.Amount) Value {
	return Value{kind: KindAmount, int: a.Minor, text: string(a.Currency)}
}

// day is the whole day that begins at t: what a date stands for in a rule.
func day(t time.Time) Value {
	return Value{kind: KindTime, int: t.UnixMicro(), till: t.AddDate(0, 0, 1).UnixMicro()}
}

// Kind is the kind of v, 0 when it is unknown.
func (v Value) Kind() Kind { return v.kind }

// Number is v as a number.
func (v Value) Number() float64 { return v.num }

// Text is v as a text.
func (v Value) Text() string { return v.text }

// Bool is v as true or false.
func (v Value) Bool() bool { return v.int != 0 }

// Members are the texts of a set.
func (v Value) Members() []string { return v.set }

// Time is v as a moment, in UTC.
func (v Value) Time() time.Time { return clock.FromMicros(v.int) }

// Amount is v as a sum of money.
func (v Value) Amount() money.Amount { return money.Of(v.int, money.Currency(v.text)) }

// within reports whether v keeps the bounds of a value.
func (v Value) within() bool {
	return len(v.text) <= MaxTextBytes && len(v.set) <= MaxSetSize &&
		!slices.ContainsFunc(v.set, func(s string) bool { return len(s) > MaxTextBytes })
}

// The ways a time is written in a rule; the date alone stands for the whole day.
const (
	layoutDay    = "2006-01-02"
	layoutMinute = "2006-01-02 15:04"
	layoutSecond = "2006-01-02 15:04:05"
)

var numberForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// typed reads a value as a person writes it: in a rule between quotation marks, in the
// builder as it is.
func typed(k Kind, s string, zone *time.Location) (Value, bool) {
	switch k {
	case KindNumber:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || !numberForm.MatchString(s) || tooLarge(x) {
			return Value{}, false
		}
		return Number(x), true
	case KindText:
		return Text(s), true
	case KindTime:
		if t, err := time.ParseInLocation(layoutDay, s, zone); err == nil {
			return day(t), sane(t)
		}
		for _, layout := range []string{layoutMinute, layoutSecond, time.RFC3339Nano} {
			if t, err := time.ParseInLocation(layout, s, zone); err == nil {
				return Time(t), sane(t)
			}
		}
	case KindAmount:
		number, currency, _ := strings.Cut(s, " ")
		if a, err := money.Parse(number, money.Currency(currency)); err == nil {
			return Amount(a), true
		}
	}
	return Value{}, false
}

// tooLarge reports whether x lies where whole numbers are no longer told apart.
func tooLarge(x float64) bool { return math.Abs(x) > 1<<53 }

// sane keeps times where microseconds and the written year hold.
func sane(t time.Time) bool { return t.Year() >= 1 && t.Year() < 9999 }

// written is the shortest way to write v that typed reads as v again.
func (v Value) written(zone *time.Location) string {
	switch v.kind {
	case KindNumber:
		return numeral(v.num)
	case KindBool:
		return strconv.FormatBool(v.Bool())
	case KindTime:
		t := time.UnixMicro(v.int).In(zone)
		for _, layout := range []string{layoutDay, layoutMinute, layoutSecond} {
			s := t.Format(layout)
			if back, ok := typed(KindTime, s, zone); ok && back.int == v.int && back.till == v.till {
				return s
			}
		}
		return t.Format(time.RFC3339Nano)
	case KindAmount:
		return v.Amount().Decimal() + " " + v.text
	case KindSet:
		return strings.Join(v.set, ", ")
	}
	return v.text
}

func numeral(x float64) string {
	if s := strconv.FormatFloat(x, 'f', -1, 64); len(s) <= 24 {
		return s
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
