// Package arch tests the shape of the program: who may import whom, and why.
package arch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// islands are the packages that each own one domain.
var islands = []string{"catalogue", "pricing", "inventory", "vault", "order", "payment", "delivery", "entitlement", "ledger", "identity"}

const module = "hufu/internal/"

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) map[string]pkg {
	t.Helper()
	c := exec.Command("go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "hufu/...")
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]pkg{}
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	if len(all) < 20 {
		t.Fatalf("only %d packages were found", len(all))
	}
	return all
}

// of reports whether a package is one of these islands or lies below one, and which.
func of(path string, names []string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	if !ok {
		return "", false
	}
	first, _, _ := strings.Cut(rest, "/")
	return first, slices.Contains(names, first)
}

func TestIslandsImportNoIsland(t *testing.T) {
	const reason = "no cycles by construction, and each can be read, tested and owned alone"
	for _, p := range packages(t) {
		self, ok := of(p.ImportPath, islands)
		if !ok {
			continue
		}
		for _, imported := range p.Imports {
			if other, ok := of(imported, islands); ok && other != self {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
	}
}

func TestOnlyTheTopImportsIslands(t *testing.T) {
	const reason = "what writes in two islands goes through flow"
	allowed := []string{"flow", "api", "web", "app", "insight", "bench"}
	for _, p := range packages(t) {
		if _, ok := of(p.ImportPath, append(allowed, islands...)); ok || !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		for _, imported := range p.Imports {
			if _, ok := of(imported, islands); ok {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
	}
}

func TestNoNetworkInsideATransaction(t *testing.T) {
	const reason = "a network call inside a transaction can't be written by accident"
	for _, p := range packages(t) {
		if _, ok := of(p.ImportPath, append([]string{"flow", "job", "audit", "exception", "idem"}, islands...)); !ok {
			continue
		}
		if slices.Contains(p.Deps, "net/http") {
			t.Errorf("%s reaches net/http: %s", p.ImportPath, reason)
		}
	}
}

func TestOnlyDBTalksToDatabases(t *testing.T) {
	const reason = "one place knows two databases"
	for _, p := range packages(t) {
		name, _ := of(p.ImportPath, nil)
		for _, imported := range p.Imports {
			if imported == "database/sql" && name != "db" {
				t.Errorf("%s imports database/sql: %s", p.ImportPath, reason)
			}
			driver := imported == "modernc.org/sqlite" || strings.HasPrefix(imported, "github.com/jackc/pgx/v5/stdlib")
			if driver && name != "app" && !strings.HasPrefix(p.ImportPath, module+"db/dbtest") {
				t.Errorf("%s imports the driver %s: drivers are chosen in app alone", p.ImportPath, imported)
			}
		}
	}
}

// sources calls visit for each Go file of the program below dir that isn't a test.
func sources(t *testing.T, dir string, visit func(path string, src []byte)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err == nil {
			visit(strings.TrimPrefix(path, "../../"), src)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDomainTypesHaveNoJSONTags(t *testing.T) {
	for _, island := range islands {
		sources(t, "internal/"+island, func(path string, src []byte) {
			file, err := parser.ParseFile(token.NewFileSet(), path, src, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok || !spec.Name.IsExported() {
					return true
				}
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						if f.Tag != nil && strings.Contains(f.Tag.Value, "json:") {
							t.Errorf("%s: %s has JSON tags: requests and responses live in api, view models in web", path, spec.Name)
						}
					}
				}
				return true
			})
		})
	}
}

func TestFlowsAreThin(t *testing.T) {
	const most = 200 // lines of code
	sources(t, "internal/flow", func(path string, src []byte) {
		if strings.HasPrefix(path, "internal/flow/flowtest/") {
			return
		}
		lines := 0
		for s := bufio.NewScanner(bytes.NewReader(src)); s.Scan(); {
			if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
		if lines > most {
			t.Errorf("%s has %d lines of code, more than %d: a rule is in the wrong place", path, lines, most)
		}
		if bytes.Contains(src, []byte("db.SQL(")) || bytes.Contains(src, []byte("db.Rows(")) {
			t.Errorf("%s holds SQL: statements belong to islands", path)
		}
	})
}

func TestDialectsMeetInDBAlone(t *testing.T) {
	for _, word := range []string{"SKIP LOCKED", "FOR UPDATE", "json_each", "unnest(", "BYTEA", "pg_", "PRAGMA", "sqlite_master"} {
		sources(t, "internal", func(path string, src []byte) {
			if !strings.HasPrefix(path, "internal/db/") && bytes.Contains(src, []byte(word)) {
				t.Errorf("%s says %q: what only one database understands is a token of db.Dialect", path, word)
			}
		})
	}
}

func TestNoSQLIsPutTogetherFromValues(t *testing.T) {
	const reason = "values are parameters (S50)"
	sources(t, "internal", func(path string, src []byte) {
		if strings.HasPrefix(path, "internal/db/") {
			return
		}
		for line := range bytes.Lines(src) {
			has := func(s string) bool { return bytes.Contains(line, []byte(s)) }
			if has("Sprintf(") && (has("SELECT ") || has("INSERT INTO") || has("UPDATE ") || has("DELETE FROM")) {
				t.Errorf("%s puts a statement together: %s\n%s", path, bytes.TrimSpace(line), reason)
			}
		}
	})
}
