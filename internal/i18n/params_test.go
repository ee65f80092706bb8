package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// filledLater are the parameters that the edge gives to a fault on its way out.
var filledLater = []string{"fault.internal {trace}"}

// TestNoFaultKeepsAPlaceholder compares what each call gives a fault with what its message
// speaks of, in the sources: whatever isn't given would be shown as {name}.
func TestNoFaultKeepsAPlaceholder(t *testing.T) {
	found := 0
	for _, top := range []string{"../../internal", "../../cmd"} {
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				code, names, ok := given(call)
				if !ok {
					return true
				}
				found++
				for _, key := range []string{"fault." + code, "terminal." + code} {
					for _, p := range param.FindAllString(messages[ZH][key], -1) {
						if !slices.Contains(names, p) && !slices.Contains(filledLater, key+" "+p) {
							t.Errorf("%s:%d: %s speaks of %s, which isn't given", filepath.ToSlash(path), fset.Position(call.Pos()).Line, key, p)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 300 {
		t.Errorf("only %d faults were found: this test no longer finds them", found)
	}
}

// given tells the code of the fault that a call makes and, as {name}, what it gives it;
// false for other calls and for those whose code or names aren't written there.
func given(call *ast.CallExpr) (code string, names []string, ok bool) {
	at := -1
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		if fn.Name == "refuse" {
			at = 0
		}
	case *ast.SelectorExpr:
		pkg, _ := fn.X.(*ast.Ident)
		switch {
		case fn.Sel.Name == "At", pkg != nil && pkg.Name == "fault" && fn.Sel.Name == "New":
			at = 1
		case pkg != nil && pkg.Name == "fault" && fn.Sel.Name == "Wrap":
			at = 2
		}
	}
	if at < 0 || len(call.Args) <= at || call.Ellipsis.IsValid() {
		return "", nil, false
	}
	if code, ok = text(call.Args[at]); !ok || !codeForm.MatchString(code) {
		return "", nil, false
	}
	for i := at + 1; i < len(call.Args); i += 2 {
		name, ok := text(call.Args[i])
		if !ok {
			return "", nil, false
		}
		// A sentence is given in both languages and stands in the message without its ending.
		for _, lang := range []string{".zh", ".en"} {
			name = strings.TrimSuffix(name, lang)
		}
		names = append(names, "{"+name+"}")
	}
	return code, names, true
}

func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}
