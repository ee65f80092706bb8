// Package naming is the one place that says when two names people typed are the same, and what
// nobody can have meant to type.
package naming

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Name is a name as it is kept and shown: white space around it taken off, inner white
// space one space. It isn't ok when characters hide in it; see Hidden.
func Name(s string) (name string, ok bool) {
	name = strings.Join(strings.Fields(s), " ")
	return name, !Hidden(name)
}

// Key is what makes a name the same as another: its Name with compatible characters brought
// to one form (Unicode's NFKC, so full-width letters are plain ones) and without case
// (Unicode's simple folding). The key of a key is itself.
func Key(s string) string {
	if plain(s) {
		return s
	}
	// Folding may leave letters that compose, and compose to letters that fold.
	for range 4 {
		next := strings.Join(strings.Fields(strings.Map(fold, norm.NFKC.String(s))), " ")
		if next == s {
			break
		}
		s = next
	}
	return s
}

// Same reports whether two names are the same to people.
func Same(a, b string) bool { return a == b || Key(a) == Key(b) }

// plain reports whether a text is surely its own key.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return true
}

// fold is the letter that stands for all that differ from r by case.
func fold(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		least = min(least, x)
	}
	return unicode.ToLower(least)
}

// Unseen reports characters that show nothing or change how others are shown: controls,
// zero-width and bidirectional marks, fillers, private ones, and those that stand for
// unreadable text.
func Unseen(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	switch r {
	case utf8.RuneError, '\u034f', '\u115f', '\u1160', '\u17b4', '\u17b5', '\u3164', '\uffa0': // joiner and fillers that count as marks or letters
		return true
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// Hidden reports whether a text of one line has characters that nobody sees, by which
// two that look alike would differ.
func Hidden(s string) bool { return !utf8.ValidString(s) || strings.ContainsFunc(s, Unseen) }

// Visible is a text of one line without the characters that Hidden refuses, for names that
// come from machines and are nobody's to type again.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if Unseen(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// joiner makes one picture of several.
const joiner = '\u200d'

// HiddenText is Hidden for a text of several lines, which may have tabs and line ends and
// pictures that are joined out of others.
func HiddenText(s string) bool {
	before := rune(0)
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
		case r == joiner && (unicode.In(before, unicode.So, unicode.Sk) || before == '\ufe0f'):
		case Unseen(r):
			return true
		}
		before = r
	}
	return !utf8.ValidString(s)
}
