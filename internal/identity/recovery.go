package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Recovery codes: ten, of 16 letters in groups of four, 80 random bits each, so that their
// plain hash can't be searched.
const (
	recoveryCount   = 10
	recoveryLetters = 16
	recoverySet     = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32
)

// newRecovery makes recovery codes and the list of their hashes that is stored.
func newRecovery() (codes []string, stored string) {
	hashes := make([]string, recoveryCount)
	for i := range recoveryCount {
		b := make([]byte, recoveryLetters)
		_, _ = rand.Read(b)
		for j := range b {
			b[j] = recoverySet[b[j]&31]
		}
		code := string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:12]) + "-" + string(b[12:])
		codes = append(codes, code)
		hashes[i] = recoveryHash(string(b))
	}
	return codes, strings.Join(hashes, ",")
}

func recoveryHash(letters string) string {
	h := sha256.Sum256([]byte("hufu.recovery\x00" + letters))
	return hex.EncodeToString(h[:])
}

// recoveryText is a typed recovery code in its one spelling, "" when it can't be one.
func recoveryText(typed string) string {
	if len(typed) > 64 {
		return ""
	}
	t := strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(typed))
	if len(t) != recoveryLetters || strings.Trim(t, recoverySet) != "" {
		return ""
	}
	return t
}

// useRecovery takes a code off a stored list and tells whether it was on it.
func useRecovery(stored, typed string) (rest string, ok bool) {
	t := recoveryText(typed)
	if t == "" || stored == "" {
		return stored, false
	}
	list := strings.Split(stored, ",")
	i := slices.Index(list, recoveryHash(t))
	if i < 0 {
		return stored, false
	}
	return strings.Join(slices.Delete(list, i, i+1), ","), true
}

// recoveryLeft is how many codes a stored list holds.
func recoveryLeft(stored string) int {
	if stored == "" {
		return 0
	}
	return strings.Count(stored, ",") + 1
}
