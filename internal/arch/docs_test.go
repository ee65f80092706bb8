package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// plain are methods whose interface says what they do.
var plain = map[string]bool{"String": true, "Error": true, "Unwrap": true, "Prefix": true, "ServeHTTP": true, "Write": true, "Len": true, "Less": true, "Swap": true}

// TestCommentsStandOnTheirThings: every exported function has a comment that begins with
// its name, and no comment that begins with the name of a function stands elsewhere, as it
// does when a file was split and its comments stayed.
func TestCommentsStandOnTheirThings(t *testing.T) {
	names := map[string]map[string]bool{} // functions, by folder
	files := map[string]*ast.File{}
	fset := token.NewFileSet()
	sources(t, "internal", func(path string, src []byte) {
		f, err := parser.ParseFile(fset, path, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = f
		dir := filepath.Dir(path)
		if names[dir] == nil {
			names[dir] = map[string]bool{}
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				names[dir][fn.Name.Name] = true
			}
		}
	})
	for path, f := range files {
		known := names[filepath.Dir(path)]
		docs := map[*ast.CommentGroup]bool{f.Doc: true}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				docs[d.Doc] = true
			case *ast.FuncDecl:
				docs[d.Doc] = true
				word, name := firstWord(d.Doc), d.Name.Name
				switch {
				case d.Doc == nil && d.Name.IsExported() && visible(d) && !plain[name]:
					t.Errorf("%s: %s has no comment", path, name)
				case d.Doc != nil && d.Name.IsExported() && visible(d) && word != name:
					t.Errorf("%s: the comment of %s begins with %q", path, name, word)
				case word != name && known[word]:
					t.Errorf("%s: the comment of %s stands above %s", path, word, name)
				}
			}
		}
		for _, c := range f.Comments {
			if w := firstWord(c); !docs[c] && c.Pos() > f.Package && !within(f, c) && known[w] {
				t.Errorf("%s: the comment of %s stands on nothing", path, w)
			}
		}
	}
}

// visible reports whether a function can be called from outside its package.
func visible(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	if s, ok := t.(*ast.StarExpr); ok {
		t = s.X
	}
	if g, ok := t.(*ast.IndexExpr); ok {
		t = g.X
	}
	if g, ok := t.(*ast.IndexListExpr); ok {
		t = g.X
	}
	n, ok := t.(*ast.Ident)
	return ok && n.IsExported()
}

func within(f *ast.File, c *ast.CommentGroup) bool {
	for _, d := range f.Decls {
		if c.Pos() >= d.Pos() && c.End() <= d.End() {
			return true
		}
	}
	return false
}

func firstWord(c *ast.CommentGroup) string {
	w, _, _ := strings.Cut(c.Text(), " ")
	return strings.TrimRight(w, ",.:;\n")
}
