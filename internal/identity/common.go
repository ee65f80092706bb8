package identity

import (
	_ "embed"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// commonText holds, lower case and by length, the words that head the published lists of
// breached passwords, in English and in pinyin, and the rows of the keyboard.
//
//go:embed common.txt
var commonText string

var commonWords = func() map[string]bool {
	words := map[string]bool{}
	for w := range strings.FieldsSeq(commonText) {
		words[w] = true
	}
	return words
}()

// spelling undoes the letters that people replace by look-alikes.
var spelling = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// padding is how many characters around a common word make it no harder to guess: a year, a
// "123!", an initial.
const padding = 4

// isCommon reports whether a guesser would try the password early.
func isCommon(password string, about []string) bool {
	p := strings.ToLower(norm.NFKC.String(password))
	p = strings.Join(strings.Fields(p), "")
	if unit := period(p); unit < len(p) {
		p = p[:unit] // "abcabcabc" is worth "abc"
	}
	if len([]rune(p)) < MinPassword-padding || isRow(p) || isDate(p) || isChinaMobile(p) {
		return true
	}
	words := []string{"hufu"}
	for _, a := range about {
		for _, w := range strings.FieldsFunc(strings.ToLower(a), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len([]rune(w)) >= 4 {
				words = append(words, w)
			}
		}
	}
	for _, form := range []string{p, spelling.Replace(p)} {
		rest := form
		for _, w := range words {
			rest = strings.Replace(rest, w, "", 1)
		}
		if rest != form && weak(rest) {
			return true
		}
		if hasCommonCore(form) {
			return true
		}
	}
	return false
}

// weak reports whether what stands beside a common word adds little.
func weak(rest string) bool {
	return len([]rune(rest)) <= padding || isRow(rest) || isDate(rest) || period(rest) < len(rest) || commonWords[rest]
}

// hasCommonCore reports whether the text is a common word with something weak around it.
func hasCommonCore(p string) bool {
	for from := range len(p) {
		for to := len(p); to-from >= 4; to-- {
			if commonWords[p[from:to]] && weak(p[:from]+p[to:]) {
				return true
			}
		}
		if from > 2*padding {
			return false
		}
	}
	return false
}

// period is the length of the shortest piece whose repetition is the text.
func period(s string) int {
	for n := 1; n <= len(s)/2; n++ {
		if len(s)%n == 0 && strings.Repeat(s[:n], len(s)/n) == s {
			return n
		}
	}
	return len(s)
}

var rows = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "!@#$%^&*()_+", "147258369", "123654789", "112233445566778899", "0246813579"}

// isRow reports whether the text runs along the alphabet, the numbers or the keyboard, to
// and fro.
func isRow(s string) bool {
	if len(s) < 3 {
		return false
	}
	back := []byte(s)
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	for _, r := range rows {
		if strings.Contains(r, s) || strings.Contains(r, string(back)) {
			return true
		}
	}
	return false
}

// isDate reports whether the text is eight digits that are a day somebody living was born or
// married on.
func isDate(s string) bool {
	for _, form := range []string{"20060102", "02012006", "01022006"} {
		if d, err := time.Parse(form, s); err == nil && d.Year() >= 1920 && d.Year() <= 2050 {
			return true
		}
	}
	return false
}
