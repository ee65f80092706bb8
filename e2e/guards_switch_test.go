package e2e

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// guardOff is the variable that names the one guard a switched test binary does without.
const guardOff = "HUFU_GUARD_OFF"

// switchSource is the package by which a switched file asks whether a guard is out. It and
// the switched files are laid over the tree for a build; the tree itself has none of it.
const switchSource = `package guardoff

import (
	"os"
	"strings"
)

var off = os.Getenv("` + guardOff + `")

// Is tells whether the guard of this name is out.
func Is(name string) bool { return off == name }

// Text is text, or what stands in its place when the guard named before it is out.
func Text(text string, without ...string) string {
	for i := 0; i < len(without); i += 2 {
		if Is(without[i]) {
			return without[i+1]
		}
	}
	return text
}

// Part is text without a part of it, for the guard that is out: name, old, new.
func Part(text string, guards ...string) string {
	for i := 0; i < len(guards); i += 3 {
		if Is(guards[i]) {
			return strings.Replace(text, guards[i+1], guards[i+2], 1)
		}
	}
	return text
}
`

// migrationText is where the migrations are read: the switch of a guard that stands in one.
const migrationFile, migrationText = "internal/db/migrate.go", "string(raw)"

// overlay writes, into work, the files of the guards with a switch for each guard and gives
// the plan for go build -overlay. A guard within a function makes a second body for that
// function; one in a text of a package's variable, a second text; one in a migration is
// taken out of what is read.
func overlay(dir, work string, guards []guard) (plan string, err error) {
	files := map[string][]guard{}
	var migration []guard
	for _, g := range guards {
		if strings.HasSuffix(g.file, ".sql") {
			migration = append(migration, g)
		} else {
			files[g.file] = append(files[g.file], g)
		}
	}
	if len(migration) > 0 && files[migrationFile] == nil {
		files[migrationFile] = []guard{}
	}
	replace := map[string]string{}
	lay := func(file, text string) error {
		replace[filepath.Join(dir, file)] = filepath.Join(work, fmt.Sprintf("%d.go", len(replace)))
		return os.WriteFile(replace[filepath.Join(dir, file)], []byte(text), 0o600)
	}
	if err := lay("internal/guardoff/guardoff.go", switchSource); err != nil {
		return "", err
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		src, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return "", err
		}
		text, err := switched(string(src), files[file])
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		if file == migrationFile && len(migration) > 0 {
			if strings.Count(text, migrationText) != 1 {
				return "", fmt.Errorf("%s reads no migration by %s, or more than one", file, migrationText)
			}
			var parts strings.Builder
			for _, g := range migration {
				fmt.Fprintf(&parts, ", %q, %q, %q", g.name, g.old, g.new)
			}
			text = strings.Replace(text, migrationText, "guardoff.Part("+migrationText+parts.String()+")", 1)
		}
		if err := lay(file, text); err != nil {
			return "", err
		}
	}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	plan = filepath.Join(work, "overlay.json")
	return plan, os.WriteFile(plan, raw, 0o600)
}

// switched gives a Go file with a switch for each of its guards.
func switched(src string, guards []guard) (string, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "", src, 0)
	if err != nil {
		return "", err
	}
	at := func(p token.Pos) int { return set.Position(p).Offset }
	type span struct{ from, to int }
	texts := map[span]bool{} // whether it is a text, and not a body
	held := map[span][]guard{}
	for _, g := range guards {
		from := strings.Index(src, g.old)
		to := from + len(g.old)
		var found *span
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil || found != nil || at(n.Pos()) > from || at(n.End()) < to {
				return false
			}
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil && at(n.Body.Pos()) <= from {
					found = &span{at(n.Body.Pos()), at(n.Body.End())}
				}
			case *ast.BasicLit:
				found = &span{at(n.Pos()), at(n.End())}
				texts[*found] = true
			}
			return true
		})
		if found == nil {
			return "", fmt.Errorf("%s: the text is neither within a function nor within a literal", g.name)
		}
		held[*found] = append(held[*found], g)
	}
	// From the last to the first, so that what is to be replaced stays where it was found.
	spans := slices.SortedFunc(maps.Keys(held), func(a, b span) int { return b.from - a.from })
	for _, s := range spans {
		var b strings.Builder
		was := src[s.from:s.to]
		for _, g := range held[s] {
			without := strings.Replace(was, g.old, g.new, 1)
			if texts[s] {
				fmt.Fprintf(&b, ", %q, %s", g.name, without)
			} else {
				fmt.Fprintf(&b, "if guardoff.Is(%q) %s else ", g.name, without)
			}
		}
		now := "{ " + b.String() + was + " }"
		if texts[s] {
			now = "guardoff.Text(" + was + b.String() + ")"
		}
		src = src[:s.from] + now + src[s.to:]
	}
	name := at(f.Name.End())
	return src[:name] + "; import " + strconv.Quote("hufu/internal/guardoff") + src[name:], nil
}
