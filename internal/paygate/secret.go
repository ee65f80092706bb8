package paygate

import (
	"strconv"

	"hufu/internal/fault"
)

// CheckSecret refuses a signing secret that is empty, shorter than min bytes, or so regular
// that somebody typed it rather than drew it (P6, S26). It can't prove a secret good: it
// keeps the placeholder of a manual from guarding real money.
func CheckSecret(secret string, min int) error {
	if secret == "" {
		return fault.New(fault.Invalid, "paygate.key_missing")
	}
	if len(secret) < min {
		return fault.New(fault.Invalid, "paygate.key_short", "length", strconv.Itoa(len(secret)), "least", strconv.Itoa(min))
	}
	if weak(secret) {
		return fault.New(fault.Invalid, "paygate.key_weak")
	}
	return nil
}

// weak finds text with few different bytes, text that repeats itself, and text that mostly
// walks up or down the alphabet. 32 random hexadecimal digits hold fewer than 8 different
// ones less than once in 10^7 draws.
func weak(s string) bool {
	var seen [256]bool
	distinct, steps := 0, 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			distinct++
		}
		if i > 0 {
			if d := int(s[i]) - int(s[i-1]); d >= -1 && d <= 1 {
				steps++
			}
		}
	}
	return distinct < 8 || 2*steps > len(s) || 2*period(s) <= len(s)
}

// period is the length of the shortest unit whose repetition is s, its last copy perhaps
// cut: the length less the longest border (Knuth, Morris and Pratt's failure function).
func period(s string) int {
	border := make([]int, len(s))
	for i, k := 1, 0; i < len(s); i++ {
		for k > 0 && s[i] != s[k] {
			k = border[k-1]
		}
		if s[i] == s[k] {
			k++
		}
		border[i] = k
	}
	return len(s) - border[len(s)-1]
}
