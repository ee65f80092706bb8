// Package pinyin finds Chinese text by how it is said: what somebody types on a keyboard of
// Latin letters.
package pinyin

import (
	"strings"
	"unicode"

	readings "github.com/mozillazg/go-pinyin"
)

// How a character is read, without its tone: all its readings, since a title doesn't say
// which is meant.
var plain = readings.Args{Style: readings.Normal, Heteronym: true}

// Matches reports whether a part of text is said as word: each character by one of its
// readings or by its first letter, the last one begun at least, and Latin letters as they
// are; lines are texts of their own. 腾讯视频 is "tengxun", "txsp" and "tengxsp". A word of one letter, or of other signs
// than a to z and digits, matches nothing.
func Matches(text, word string) bool {
	word = strings.ToLower(word)
	if len(word) < 2 || strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		return false
	}
	// at[i] says that the characters so far may have said word[:i]; a match begins anywhere.
	at, next := make([]bool, len(word)), make([]bool, len(word))
	for _, r := range text {
		switch {
		case r == '\n': // another text
			clear(at)
			continue
		case unicode.IsSpace(r):
			continue
		}
		said := []string{strings.ToLower(string(r))}
		if unicode.Is(unicode.Han, r) {
			said = readings.SinglePinyin(r, plain)
		}
		clear(next)
		at[0] = true
		for i, reached := range at {
			if !reached {
				continue
			}
			rest := word[i:]
			for _, s := range said {
				switch {
				case s == "":
				case strings.HasPrefix(s, rest):
					return true
				case strings.HasPrefix(rest, s):
					next[i+len(s)] = true
				}
				if s != "" && s[0] == rest[0] {
					next[i+1] = true // not the whole rest: that is a prefix of s
				}
			}
		}
		at, next = next, at
	}
	return false
}
