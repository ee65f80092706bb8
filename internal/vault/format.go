package vault

import (
	"strconv"
	"strings"

	"hufu/internal/fault"
)

// alphabet is Crockford's base 32: no I, L, O (they read as 1 and 0) and no U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

const (
	// CounterBits is the width of the counter within each code: 34 thousand million codes
	// a generator key.
	CounterBits = 35
	// MinSecretBits is the least of random bits in a code that people type, behind limits
	// on guesses.
	MinSecretBits = 80
	// MachineSecretBits is the least of random bits in a code that nobody types: one that
	// travels in links and between systems, where no limit on guesses may stand before it.
	MachineSecretBits = 128
	// MaxSecretBits fills 33 symbols.
	MaxSecretBits = 130

	maxPrefix    = 12
	maxGroup     = 12
	maxTyped     = 256 // bytes of text that Parse looks at
	checkedSpots = 31  // the order of the multiplicative group of GF(32)
	maxChecks    = 2
	maxSpots     = (CounterBits+MaxSecretBits)/5 + maxChecks
)

// Format is how the codes of a batch are written: an optional brand prefix in clear, then
// a body of symbols and its check symbols, shown in groups.
type Format struct {
	// Prefix is the brand, of A to Z and 0 to 9; it is no part of the secret.
	Prefix string
	// Group is the number of symbols between two dashes; 0 shows no dashes.
	Group int
	// SecretBits is the number of random bits in a code, at least. It is rounded up to
	// fill the last symbol.
	SecretBits int
	// Machine says that nobody types the codes, so that they need MachineSecretBits.
	Machine bool
}

// DefaultFormat is six groups of four with 80 random bits and no prefix.
var DefaultFormat = Format{Group: 4, SecretBits: MinSecretBits}

// MachineFormat is 35 symbols in one piece with 130 random bits and no prefix.
var MachineFormat = Format{SecretBits: MachineSecretBits, Machine: true}

// Validate says what is wrong with the format.
func (f Format) Validate() error {
	bad := func(part string) error {
		return fault.New(fault.Invalid, "vault.format_"+part, "min_bits", strconv.Itoa(MinSecretBits),
			"max_bits", strconv.Itoa(MaxSecretBits), "machine_bits", strconv.Itoa(MachineSecretBits), "max_prefix", strconv.Itoa(maxPrefix), "max_group", strconv.Itoa(maxGroup))
	}
	if len(f.Prefix) > maxPrefix {
		return bad("prefix")
	}
	for _, c := range []byte(f.Prefix) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return bad("prefix")
		}
	}
	if f.Group < 0 || f.Group > maxGroup {
		return bad("group")
	}
	if f.SecretBits < MinSecretBits || f.SecretBits > MaxSecretBits {
		return bad("bits")
	}
	if f.Machine && f.SecretBits < MachineSecretBits {
		return bad("machine")
	}
	return nil
}

// Symbols is the number of symbols in the body, without the check symbols.
func (f Format) Symbols() int { return (CounterBits + f.SecretBits + 4) / 5 }

// checks is the number of check symbols: one tells any two positions apart as long as
// there are no more than checkedSpots.
func (f Format) checks() int {
	if f.Symbols()+1 > checkedSpots {
		return maxChecks
	}
	return 1
}

// Length is the number of bytes of a canonical code: prefix, body and check symbols.
func (f Format) Length() int { return len(f.Prefix) + f.Symbols() + f.checks() }

// Display is a canonical code as people see it: "HUFU-7KQ2-…". A text of another length
// comes back as it is.
func (f Format) Display(canonical string) string {
	if len(canonical) != f.Length() {
		return canonical
	}
	return string(f.AppendDisplay(nil, []byte(canonical)))
}

// AppendDisplay appends what Display gives to dst. The code must have f.Length() bytes.
func (f Format) AppendDisplay(dst, canonical []byte) []byte {
	if f.Group == 0 {
		return append(dst, canonical...)
	}
	dst = append(dst, canonical[:len(f.Prefix)]...)
	for i, c := range canonical[len(f.Prefix):] {
		if i%f.Group == 0 && (i > 0 || f.Prefix != "") {
			dst = append(dst, '-')
		}
		dst = append(dst, c)
	}
	return dst
}

// Parse reads a code as people type and paste it: lower case, spaces, dashes, full-width
// characters, O for 0, I and L for 1, with or without the prefix. It returns the
// canonical text. The faults are vault.code_empty, vault.code_form (this can't be one of
// our codes: length, prefix or a foreign character) and vault.code_typo (it has the form,
// but a check symbol says that some symbol is wrong). Neither holds any of the text.
func (f Format) Parse(text string) (string, error) {
	var folded [maxPrefix + maxSpots]byte
	n := 0
	form := func() error {
		return fault.New(fault.Invalid, "vault.code_form", "length", strconv.Itoa(f.Symbols()+f.checks()))
	}
	if len(text) > maxTyped {
		return "", form()
	}
	for _, r := range text {
		if isFiller(r) {
			continue
		}
		c, ok := fold(r)
		if !ok || n == len(folded) {
			return "", form()
		}
		folded[n] = c
		n++
	}
	if n == 0 {
		return "", fault.New(fault.Invalid, "vault.code_empty")
	}
	body := folded[:n]
	if n == f.Length() {
		for i := range len(f.Prefix) {
			if c, _ := fold(rune(f.Prefix[i])); c != body[i] {
				return "", form()
			}
		}
		body = body[len(f.Prefix):]
	}
	checks := f.checks()
	if len(body) != f.Symbols()+checks {
		return "", form()
	}
	var sums [maxChecks]byte
	for i, c := range body {
		v := symbolValue[c]
		if v < 0 {
			return "", fault.New(fault.Invalid, "vault.code_typo")
		}
		sum := &sums[(len(body)-1-i)%checks]
		*sum = times2(*sum) ^ byte(v)
	}
	if sums != [maxChecks]byte{} {
		return "", fault.New(fault.Invalid, "vault.code_typo")
	}
	return f.Prefix + string(body), nil
}

// appendChecks appends the check symbols of a body. One makes the sum of all symbols, each
// times the power of g that belongs to its position, zero in GF(32). Powers of g at up to
// 31 positions differ, so one changed symbol and any two exchanged symbols always change
// the sum. A longer code has two such sums, of every other position each: an exchange
// within one changes that, and one across changes both.
func appendChecks(body []byte, checks int) []byte {
	var sums [maxChecks]byte
	for i, v := range body {
		sum := &sums[(len(body)-1-i)%checks]
		*sum = times2(*sum) ^ v
	}
	// The check symbols stand at the ends of their sums, where the power is 1; subtraction
	// is XOR.
	for i := checks - 1; i >= 0; i-- {
		body = append(body, times2(sums[i]))
	}
	return body
}

// times2 multiplies by the generator g = x of GF(32) = GF(2)[x]/(x^5 + x^2 + 1), whose
// polynomial is primitive, so that the powers of g run through all 31 units.
func times2(v byte) byte {
	v <<= 1
	return (v ^ v>>5*0b100101) & 31
}

var symbolValue = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = int8(i)
	}
	return t
}()

// fold brings a character to the upper-case ASCII letter or digit it stands for.
func fold(r rune) (byte, bool) {
	if r >= '！' && r <= '～' {
		r -= '！' - '!'
	}
	switch {
	case r >= 'a' && r <= 'z':
		r -= 'a' - 'A'
	case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
	default:
		return 0, false
	}
	switch r {
	case 'O':
		return '0', true
	case 'I', 'L':
		return '1', true
	}
	return byte(r), true
}

// isFiller reports whether r only sets a code apart or came along with copying it.
func isFiller(r rune) bool {
	return strings.ContainsRune(" \t\r\n\u00a0\u2007\u202f\u3000-_.‐‑‒–—―−－＿·•\u200b\u200c\u200d\u2060\ufeff", r)
}
