package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// placing are the functions, besides those of package fault, that are given a code among
// their arguments.
var placing = map[string]bool{"At": true, "need": true, "blame": true, "report": true, "refuse": true, "want": true, "refused": true, "fail": true}

var (
	codeForm = regexp.MustCompile(`^[a-z]+(_[a-z]+)*(\.[a-z0-9]+(_[a-z0-9]+)*)*$`)
	codeHead = regexp.MustCompile(`^[a-z]+(\.[a-z0-9]+(_[a-z0-9]+)*)*[._]$`) // of one put together
)

// TestEveryCodeHasItsMessage looks for the codes of faults in the sources: whole ones must
// have a message, and the beginnings of those put together at least one.
func TestEveryCodeHasItsMessage(t *testing.T) {
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
			for code, at := range codesOf(file) {
				found++
				where := filepath.ToSlash(path) + ":" + strconv.Itoa(fset.Position(at).Line)
				switch {
				case codeForm.MatchString(code):
					if !Has("fault." + code) {
						t.Errorf("%s: fault.%s has no message", where, code)
					}
				case codeHead.MatchString(code):
					if !anyHas("fault." + code) {
						t.Errorf("%s: no message begins with fault.%s", where, code)
					}
				default:
					t.Errorf("%s: %q is not how a code is written", where, code)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("only %d codes were found: this test no longer finds them", found)
	}
}

// TestEveryProblemOfACatalogueFileHasARemedy looks at the codes that are given in the files
// that read it. What a fault says itself to do isn't said again.
func TestEveryProblemOfACatalogueFileHasARemedy(t *testing.T) {
	files, err := filepath.Glob("../catalogue/file*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources", err)
	}
	literal, advice := regexp.MustCompile(`"(catalogue\.[a-z_]+)"`), regexp.MustCompile(`(^|[.;] )(Please|Choose|Take|Write|leave) `)
	for key, text := range messages[EN] {
		code, ok := strings.CutPrefix(key, "fault.")
		if ok && strings.HasPrefix(code, "catalogue.") && Has("remedy."+code) && (advice.MatchString(text) || strings.Contains(messages[ZH][key], "请")) {
			t.Errorf("what to do about %s is said twice", code)
		}
	}
	for _, name := range append(files, "../catalogue/benefit.go", "../catalogue/relation.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			if m := literal.FindStringSubmatch(l.Value); m != nil && m[1] != "catalogue.content" && Has("remedy."+m[1]) == advice.MatchString(messages[EN]["fault."+m[1]]) {
				t.Errorf("%s: what to do about %s is said twice or never", name, m[1])
			}
			return true
		})
	}
}

func anyHas(prefix string) bool {
	for key := range messages[ZH] {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// codesOf gives the codes, or the beginnings of codes, in the calls of a file.
func codesOf(file *ast.File) map[string]token.Pos {
	codes := map[string]token.Pos{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		var args []ast.Expr
		certain := false
		switch fn := call.Fun.(type) {
		case *ast.Ident:
			if placing[fn.Name] {
				args = call.Args
			}
		case *ast.SelectorExpr:
			pkg, _ := fn.X.(*ast.Ident)
			switch {
			case pkg != nil && pkg.Name == "fault" && fn.Sel.Name == "New" && len(call.Args) > 1:
				args, certain = call.Args[1:2], true
			case pkg != nil && pkg.Name == "fault" && fn.Sel.Name == "Wrap" && len(call.Args) > 2:
				args, certain = call.Args[2:3], true
			case fn.Sel.Name == "At" && len(call.Args) > 1:
				args, certain = call.Args[1:2], true
			case placing[fn.Sel.Name]:
				args = call.Args
			}
		}
		for _, a := range args {
			if sum, ok := a.(*ast.BinaryExpr); ok {
				a = sum.X
			}
			l, ok := a.(*ast.BasicLit)
			if !ok || l.Kind != token.STRING {
				continue
			}
			code, err := strconv.Unquote(l.Value)
			if err == nil && code != "" && (certain || (strings.Contains(code, ".") && codeForm.MatchString(code) && anyHas("fault."+code[:strings.Index(code, ".")+1]))) {
				codes[code] = l.Pos()
			}
		}
		return true
	})
	return codes
}
