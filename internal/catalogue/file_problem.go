package catalogue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// maxProblems is how many problems of one file are told; the rest are only counted.
const maxProblems = 1000

// Problem is what is wrong at one place of a catalogue file. What happened is its Cause,
// what to do about it its Remedy.
type Problem struct {
	Sheet        string // of tables: the sheet, of which Line is the row and Column the column
	Line, Column int    // from 1; the column counts characters
	Path         string // "offers[3].parts[0].benefit"; "" for the file as a whole
	Code         string // "catalogue.…"
	Params       map[string]string
	at           int
}

func problem(path, code string, params ...string) Problem {
	f := fault.New(fault.Invalid, "").At(path, code, params...).Fields[0]
	return Problem{Path: f.Path, Code: f.Code, Params: f.Params}
}

// Field is the problem as a part of a fault.
func (p Problem) Field() fault.Field {
	path := fmt.Sprintf("line %d, column %d", p.Line, p.Column)
	if p.Sheet != "" {
		path = Ref(p.Sheet, p.Line, p.Column)
	}
	if p.Path != "" {
		path += ", " + p.Path
	}
	return fault.Field{Path: path, Code: p.Code, Params: p.Params}
}

// Name is the field of an item that the problem is in: "title.zh"; "" for an item as a whole.
func (p Problem) Name() string {
	return strings.TrimPrefix(p.Path[strings.LastIndexByte(p.Path, ']')+1:], ".")
}

// Cause says what is wrong.
func (p Problem) Cause(l i18n.Lang) string { return l.Field(p.Field()) }

// Remedy says what to do; it is "" of a file that can't be read, whose cause says it all.
func (p Problem) Remedy(l i18n.Lang) string {
	key := "remedy." + p.Code
	switch {
	case strings.HasPrefix(p.Code, "tabular."):
		return ""
	case !i18n.Has(key):
		key = "remedy.catalogue.file_here"
	}
	return l.T(key, p.params()...)
}

func (p Problem) params() []string {
	var out []string
	for k, v := range p.Params {
		out = append(out, k, v)
	}
	return out
}

// problems collects what is wrong with a file.
type problems struct {
	all     []Problem
	omitted int
	exact   map[string]bool // paths that have a problem
	below   map[string]bool // paths that have one at or below them
}

func (ps *problems) report(path, code string, params ...string) {
	if ps.exact == nil {
		ps.exact, ps.below = map[string]bool{}, map[string]bool{}
	}
	if len(ps.all) < maxProblems {
		ps.all = append(ps.all, problem(path, code, params...))
	} else {
		ps.omitted++
	}
	ps.exact[path] = true
	for {
		ps.below[path] = true
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return
		}
		path = path[:i]
	}
}

// told reports whether path, or what it lies in, has a problem already: what else is wrong
// there follows from it.
func (ps *problems) told(path string) bool {
	for {
		if ps.exact[path] {
			return true
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return false
		}
		path = path[:i]
	}
}

// take reports the fields of a fault of the domain, each at the path that at makes of its
// own, but for those at "" and where something is told already.
func (ps *problems) take(f *fault.Error, at func(string) string) {
	for _, field := range f.Fields {
		path := at(field.Path)
		if path == "" || ps.told(path) || ps.below[path] {
			continue
		}
		ps.report(path, field.Code, Problem{Params: field.Params}.params()...)
	}
}

// Problems gives what is wrong so far in the order of the file, and how many more there are.
func (f *File) Problems() (told []Problem, more int) {
	told = slices.Clone(f.found.all)
	for i := range told {
		if told[i].Line == 0 {
			told[i].at = f.root.locate(told[i].Path)
		}
	}
	slices.SortStableFunc(told, func(a, b Problem) int { return cmp.Compare(a.at, b.at) })
	for i := range told {
		switch p := &told[i]; {
		case p.Line != 0:
		case f.tables != nil:
			p.Sheet, p.Line, p.Column = f.tables.place(p.Path, p.at)
		default:
			p.Line, p.Column = f.position(p.at)
		}
	}
	return withoutFollowing(told), f.found.omitted
}

// withoutFollowing leaves out what else is wrong with cells that hold no value.
func withoutFollowing(all []Problem) []Problem {
	type cell struct {
		sheet        string
		line, column int
	}
	none := func(p Problem) bool {
		return p.Code == "catalogue.file_not_calculated" || p.Code == "catalogue.file_cell_error"
	}
	without := map[cell]bool{}
	for _, p := range all {
		if none(p) {
			without[cell{p.Sheet, p.Line, p.Column}] = true
		}
	}
	return slices.DeleteFunc(all, func(p Problem) bool { return !none(p) && without[cell{p.Sheet, p.Line, p.Column}] })
}
