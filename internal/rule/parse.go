package rule

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// The bounds of a rule.
const (
	// MaxBytes is the longest text of a rule.
	MaxBytes = 4000
	// MaxNodes is how many names, values and operators it may have.
	MaxNodes = 600
)

// source reads the text of a rule into the parser's tree. What isn't one is reported.
func source(text string) (tree ast.Node, r *report) {
	r = &report{}
	switch {
	case len(text) > MaxBytes:
		r.blame(0, 0, "rule.too_long", "max", fmt.Sprint(MaxBytes))
		return nil, r
	case !utf8.ValidString(text):
		r.blame(0, 0, "rule.encoding")
		return nil, r
	}
	r.runes = []rune(text)
	if strings.TrimSpace(text) == "" {
		r.blame(0, len(r.runes), "rule.empty")
		return nil, r
	}
	defer func() {
		if p := recover(); p != nil {
			r.blame(0, len(r.runes), "rule.syntax")
			tree = nil
		}
	}()
	c := conf.CreateNew()
	c.MaxNodes = MaxNodes
	parsed, err := parser.ParseWithConfig(text, c)
	if err != nil {
		r.syntax(err)
		return nil, r
	}
	return parsed.Node, r
}

// syntax says in our words what the parser stumbled over. Its own words are told apart by
// how they begin; those that aren't known become the general one, at the same place.
func (r *report) syntax(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		r.blame(0, len(r.runes), "rule.syntax")
		return
	}
	from, to := e.From, max(e.To, e.From+1)
	piece := r.at(from, to).Piece
	begins := func(s string) bool { return strings.HasPrefix(e.Message, s) }
	switch {
	case begins("unexpected token EOF"), begins("unexpected end"):
		r.blame(len(r.runes), len(r.runes), "rule.unfinished")
	case begins("unexpected token"):
		for _, at := range [][2]int{{from, to + 1}, {from - 1, to}, {from, to}} { // => is two words to the parser
			if meant := operatorMeant[strings.ToLower(r.at(at[0], at[1]).Piece)]; meant != "" {
				r.blame(at[0], at[1], "rule.unexpected_near", "near", meant)
				return
			}
		}
		r.blame(from, to, "rule.unexpected")
	case begins("invalid char escape"), begins("unable to unescape"):
		r.blame(r.backslash(from), to, "rule.escape")
	case begins("literal not terminated"):
		r.blame(r.opening(from), to, "rule.quote")
	case begins("unrecognized character"):
		if meant := characterMeant[piece]; meant != "" {
			r.blame(from, to, "rule.unexpected_near", "near", meant)
			return
		}
		r.blame(from, to, "rule.unexpected")
	case begins("bad number"), begins("invalid integer"), begins("invalid float"), begins("invalid hex"),
		begins("invalid binary"), begins("invalid octal"), begins("integer literal"), begins("float literal"):
		from, to = r.numeral(from)
		r.blame(from, to, "rule.number")
	case begins("unclosed comment"):
		r.blame(from, to, "rule.comment")
	case begins("compilation failed: expression exceeds"):
		r.blame(from, to, "rule.too_complex", "max", fmt.Sprint(MaxNodes))
	default:
		r.blame(from, to, "rule.syntax")
	}
}

// opening finds the quotation mark that was never closed: the last one of the line before
// the place where the text ran out.
func (r *report) opening(at int) int {
	at = max(0, min(at, len(r.runes)-1))
	for i := at; i >= 0 && i < len(r.runes); i-- {
		if c := r.runes[i]; c == '"' || c == '\'' || c == '`' {
			return i
		}
	}
	return at
}

// backslash finds the one that begins an escape.
func (r *report) backslash(at int) int {
	for i := min(at, len(r.runes)-1); i >= max(0, at-10); i-- {
		if r.runes[i] == '\\' {
			return i
		}
	}
	return at
}

// numeral finds the whole of a number at a character of it or just behind it.
func (r *report) numeral(at int) (from, to int) {
	part := func(i int) bool {
		return i >= 0 && i < len(r.runes) && (r.runes[i] == '.' || r.runes[i] == '_' || unicode.IsLetter(r.runes[i]) || unicode.IsDigit(r.runes[i]))
	}
	for from = at; from > 0 && !part(from); from-- {
	}
	for to = from; part(to); to++ {
	}
	for ; part(from - 1); from-- {
	}
	return from, to
}

// operatorMeant tells what people write who know another language.
var operatorMeant = map[string]string{
	"=": "==", "and": "and", "or": "or", "not": "not", "in": "in", "<>": "!=", "><": "!=", "=<": "<=", "=>": ">=", "===": "==", "&": "and",
	"且": "and", "并且": "and", "而且": "and", "和": "and", "或": "or", "或者": "or", "等于": "==", "大于": ">", "小于": "<", "不等于": "!=",
	"是": "==", "is": "==", "between": "1 <= x <= 5", "like": "contains", "包含": "contains",
}

// characterMeant tells which character of the language a full-width one stands for.
var characterMeant = map[string]string{
	"“": `"`, "”": `"`, "„": `"`, "«": `"`, "»": `"`, "‘": "'", "’": "'", "（": "(", "）": ")", "【": "[", "】": "]", "［": "[", "］": "]", "，": ",", "、": ",", "。": ".",
	"＝": "==", "＞": ">", "＜": "<", "！": "!", "≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "＋": "+", "－": "-", "−": "-", "＂": `"`, "\u3000": " ",
}
