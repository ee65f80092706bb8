package vault

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"hufu/internal/naming"
	"hufu/internal/tabular"
)

// GuessRows is how many rows of a file are looked at for what its first row is.
const GuessRows = 50

// Guess is what a file's first row, and so its columns, seem to be.
type Guess struct {
	// Heading says that the first row names the columns, and isn't itself what is sold.
	Heading bool
	// Sure says that nothing speaks for the contrary: else somebody has to say it.
	Sure bool
	// Mapping is what the columns hold, as far as anything says so.
	Mapping Mapping
}

// Reading is the guess as an option of reading.
func (g Guess) Reading() tabular.Heading {
	if g.Heading {
		return tabular.WithHeading
	}
	return tabular.WithoutHeading
}

// GuessFirst judges the first row of a file by the rows that follow it. It names columns for
// sure when a cell has a known word and those below haven't, or when it has letters of
// another kind than everything below; it is surely none when nothing tells it from the rows
// below. Whatever lies between is for a person to say: a code must not be thrown away, and
// a text is never a code.
func GuessFirst(rows [][]string) Guess {
	if len(rows) == 0 {
		return Guess{Mapping: nothing}
	}
	first, below := rows[0], rows[1:]
	g := Guess{Sure: true}
	for c, cell := range first {
		var column []string
		for _, row := range below {
			if c < len(row) && trim(row[c]) != "" {
				column = append(column, trim(row[c]))
			}
		}
		switch judge(trim(cell), column) {
		case named:
			g = Guess{Heading: true, Sure: true, Mapping: GuessMapping(first, len(first))}
			return g
		case doubtful:
			g.Heading, g.Sure = true, false
		}
	}
	if g.Heading {
		g.Mapping = GuessMapping(first, len(first))
	} else {
		g.Mapping = labelled(first)
	}
	return g
}

type verdict int

const (
	alike verdict = iota
	doubtful
	named
)

// judge tells what the first cell of a column is beside those below it.
func judge(cell string, below []string) verdict {
	if cell == "" || unlabel(cell) != cell {
		return alike
	}
	s := lettersOf(cell)
	if len(below) == 0 {
		switch {
		case contained(cell) >= 0 && !s.digit:
			return named
		case contained(cell) >= 0 || !s.digit:
			return doubtful
		}
		return alike
	}
	var all letters
	least, most, digits, words := utf8.RuneCountInString(below[0]), 0, 0, 0
	for _, b := range below {
		o := lettersOf(b)
		all = letters{all.digit || o.digit, all.upper || o.upper, all.lower || o.lower, all.other || o.other, all.space || o.space}
		least, most = min(least, utf8.RuneCountInString(b)), max(most, utf8.RuneCountInString(b))
		if o.digit {
			digits++
		}
		if contained(b) >= 0 {
			words++
		}
	}
	n := utf8.RuneCountInString(cell)
	switch {
	case contained(cell) >= 0 && words*2 < len(below):
		return named
	case s.other && !all.other && !s.digit:
		return named
	case s.other && !all.other, s.space && !all.space, s.upper && !all.upper && !all.lower, s.lower && !all.lower,
		!s.digit && digits == len(below), n*2 < least || n > most*2:
		return doubtful
	}
	return alike
}

// letters are which kinds of characters a cell has; other are letters beyond ASCII.
type letters struct{ digit, upper, lower, other, space bool }

func lettersOf(cell string) (s letters) {
	for _, r := range CanonicalUpstream(cell) {
		switch {
		case r >= '0' && r <= '9':
			s.digit = true
		case r >= 'A' && r <= 'Z':
			s.upper = true
		case r >= 'a' && r <= 'z':
			s.lower = true
		case unicode.IsSpace(r):
			s.space = true
		case r >= utf8.RuneSelf && unicode.IsLetter(r):
			s.other = true
		}
	}
	return s
}

// plainWords is a cell as it is compared with names: folded, and with one space for what
// only separates.
func plainWords(cell string) string {
	return strings.Join(strings.FieldsFunc(naming.Key(cell), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("_-./:;,\"'#*（）()[]【】《》<>{}「」“”：；，。、·", r)
	}), " ")
}

// contained finds which of names a cell has in it, -1 for none. What is said last counts, as
// "有效期" in "激活码有效期"; what stands in brackets counts only if nothing before them does.
func contained(cell string) int {
	folded := naming.Key(cell)
	if i := strings.IndexAny(folded, "([【《<{「"); i > 0 {
		if k := lastName(plainWords(folded[:i])); k >= 0 {
			return k
		}
	}
	words := plainWords(folded)
	if k := lastName(words); k >= 0 || strings.IndexFunc(words, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return k
	}
	return lastName(strings.ReplaceAll(words, " ", "")) // "卡 密"
}

func lastName(text string) int {
	found, end, long := -1, 0, 0
	for k, words := range plainNames {
		for _, w := range words {
			i := strings.LastIndex(text, w)
			if i < 0 || w[0] < utf8.RuneSelf && (letterBefore(text[:i]) || letterAfter(text[i+len(w):])) {
				continue
			}
			if e := i + len(w); e > end || e == end && len(w) > long {
				found, end, long = k, e, len(w)
			}
		}
	}
	return found
}

// plainNames are names as plainWords has them.
var plainNames = func() (out [7][]string) {
	for k, words := range names {
		for _, w := range words {
			if p := plainWords(w); !slices.Contains(out[k], p) {
				out[k] = append(out[k], p)
			}
		}
	}
	return out
}()

func latin(r rune) bool { return r >= 'a' && r <= 'z' }

func letterBefore(s string) bool { r, _ := utf8.DecodeLastRuneInString(s); return latin(r) }

func letterAfter(s string) bool {
	if strings.HasPrefix(s, "s") && !letterAfter(s[1:]) { // codes
		return false
	}
	r, _ := utf8.DecodeRuneInString(s)
	return latin(r)
}

// labelled is the mapping that labels as "卡号：" in the cells themselves give. Without any, the
// only column is what is sold, and of more nothing is known.
func labelled(first []string) Mapping {
	heading := make([]string, len(first))
	for c, cell := range first {
		if cell = trim(cell); unlabel(cell) != cell {
			heading[c] = cell[:strings.IndexAny(cell, ":：")]
		}
	}
	return GuessMapping(heading, len(first))
}
