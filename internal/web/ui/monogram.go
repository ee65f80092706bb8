package ui

import (
	"hash/fnv"
	"unicode"
	"unicode/utf8"
)

// Hues is the number of monogram hues the style sheet has.
const Hues = 16

// Hue is the hue of a provider's monogram, 0 to Hues-1: the same id always has the same.
func Hue(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	v := h.Sum32()
	return int((v ^ v>>15) % Hues)
}

// Initial is the letter of a name's monogram: its first letter or digit, in capitals.
func Initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	if r, _ := utf8.DecodeRuneInString(name); r != utf8.RuneError {
		return string(r)
	}
	return "·"
}
