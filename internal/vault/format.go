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
	// MinSecretBits is the least of random bits in a code.
	MinSecretBits = 80
	// MaxSecretBits keeps a code within the 31 positions for which one check symbol can
	// tell any two apart.
	MaxSecretBits = 115

	maxPrefix    = 12
	maxGroup     = 12
	maxTyped     = 256 // bytes of text that Parse looks at
	checkedSpots = 31  // the order of the multiplicative group of GF(32)
)

// Format is how the codes of a batch are written: an optional brand prefix in clear, then
// a body of symbols and one check symbol, shown in groups.
type Format struct {
	// Prefix is the brand, of A to Z and 0 to 9; it is no part of the secret.
	Prefix string
	// Group is the number of symbols between two dashes; 0 shows no dashes.
	Group int
	// SecretBits is the number of random bits in a code, at least. It is rounded up to
	// fill the last symbol.
	SecretBits int
}

// DefaultFormat is six groups of four with 80 random bits and no prefix.
var DefaultFormat = Format{Group: 4, SecretBits: MinSecretBits}

// Validate says what is wrong with the format.
func (f Format) Validate() error {
	bad := func(part string) error {
		return fault.New(fault.Invalid, "vault.format_"+part, "min_bits", strconv.Itoa(MinSecretBits),
			"max_bits", strconv.Itoa(MaxSecretBits), "max_prefix", strconv.Itoa(maxPrefix), "max_group", strconv.Itoa(maxGroup))
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
	return nil
}

// Symbols is the number of symbols in the body, without the check symbol.
func (f Format) Symbols() int { return (CounterBits + f.SecretBits + 4) / 5 }

// Length is the number of bytes of a canonical code: prefix, body and check symbol.
func (f Format) Length() int { return len(f.Prefix) + f.Symbols() + 1 }

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
// but the check symbol says that some symbol is wrong). Neither holds any of the text.
func (f Format) Parse(text string) (string, error) {
	var folded [maxPrefix + checkedSpots]byte
	n := 0
	form := func() error {
		return fault.New(fault.Invalid, "vault.code_form", "length", strconv.Itoa(f.Symbols()+1))
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
	if len(body) != f.Symbols()+1 {
		return "", form()
	}
	var sum byte
	for _, c := range body {
		v := symbolValue[c]
		if v < 0 {
			return "", fault.New(fault.Invalid, "vault.code_typo")
		}
		sum = times2(sum) ^ byte(v)
	}
	if sum != 0 {
		return "", fault.New(fault.Invalid, "vault.code_typo")
	}
	return f.Prefix + string(body), nil
}

// checkSymbol is the value that makes the sum of all symbols, each times the power of g
// that belongs to its position, zero in GF(32). Powers of g at up to 31 positions differ,
// so one changed symbol and any two exchanged symbols always change the sum.
func checkSymbol(body []byte) byte {
	var sum byte
	for _, v := range body {
		sum = times2(sum) ^ v
	}
	// The check symbol stands at position 0, whose power is 1; subtraction is XOR.
	return times2(sum)
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
