package rule

import (
	"strconv"
	"unicode/utf8"

	"hufu/internal/fault"
)

// Place is a stretch of a rule's text. It lies within the text; at its end it is empty.
type Place struct {
	Line, Column int // of its beginning, counted from 1; a column is one character
	From, To     int // offsets in characters (runes), To exclusive
	Piece        string
}

// Problem is one thing for which a text can't be a rule.
type Problem struct {
	Place
	Code   string // of its message, "fault." before it
	Params map[string]string
}

// Problems tells what Compile refused a text for, in the order of the text; nil for other
// errors.
func Problems(err error) []Problem {
	e := fault.From(err)
	if e == nil || e.Code != codeText {
		return nil
	}
	var all []Problem
	for _, f := range e.Fields {
		n := func(key string) int { i, _ := strconv.Atoi(f.Params[key]); return i }
		all = append(all, Problem{
			Place: Place{Line: n("line"), Column: n("column"), From: n("from"), To: n("to"), Piece: f.Params["piece"]},
			Code:  f.Code, Params: f.Params,
		})
	}
	return all
}

const (
	codeText    = "rule.text"
	maxProblems = 8
	maxPiece    = 40 // characters
)

// report collects the problems of one text.
type report struct {
	runes    []rune
	problems []Problem
}

// at places the characters from..to, kept within the text.
func (r *report) at(from, to int) Place {
	from = max(0, min(from, len(r.runes)))
	to = max(from, min(to, len(r.runes)))
	p := Place{Line: 1, Column: 1, From: from, To: to, Piece: string(r.runes[from:to])}
	for _, c := range r.runes[:from] {
		p.Column++
		if c == '\n' {
			p.Line, p.Column = p.Line+1, 1
		}
	}
	if utf8.RuneCountInString(p.Piece) > maxPiece {
		p.Piece = string(r.runes[from:from+maxPiece-1]) + "…"
	}
	return p
}

// blame notes a problem once.
func (r *report) blame(from, to int, code string, params ...string) {
	p := Problem{Place: r.at(from, to), Code: code, Params: map[string]string{}}
	for _, other := range r.problems {
		if other.From == p.From && other.Code == code {
			return
		}
	}
	if len(r.problems) == maxProblems {
		return
	}
	for i := 0; i+1 < len(params); i += 2 {
		p.Params[params[i]] = params[i+1]
	}
	p.Params["line"], p.Params["column"] = strconv.Itoa(p.Line), strconv.Itoa(p.Column)
	p.Params["from"], p.Params["to"] = strconv.Itoa(p.From), strconv.Itoa(p.To)
	p.Params["piece"] = p.Piece
	r.problems = append(r.problems, p)
}

// fault is what all problems come to, nil when there are none.
func (r *report) fault() error {
	if len(r.problems) == 0 {
		return nil
	}
	e := fault.New(fault.Invalid, "rule.text")
	for _, p := range r.problems {
		e.Fields = append(e.Fields, fault.Field{Path: strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column), Code: p.Code, Params: p.Params})
	}
	return e
}
