package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/db/dbtest"
)

var (
	update    = flag.Bool("update", false, "write docs/GUARDS.md")
	onlyGuard = flag.String("guard", "", "try the guards whose name holds this text")
)

// split gives the package of a guard's test and the test.
func (g guard) split() (pkg, test string) {
	pkg, test, _ = strings.Cut(g.test, " ")
	return pkg, test
}

// pattern is what -run takes for exactly the tests named: "A|B", or "A/sqlite/part".
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^(" + p + ")$"
	}
	return strings.Join(parts, "/")
}

// root is the module's folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// without gives the guard's file with the guard taken out.
func (g guard) without(dir string) ([]byte, error) {
	src, err := os.ReadFile(filepath.Join(dir, g.file))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(src), g.old); n != 1 || g.old == g.new {
		return nil, fmt.Errorf("%s: %q stands %d times in %s, not once, or nothing is taken out", g.name, g.old, n, g.file)
	}
	return bytes.Replace(src, []byte(g.old), []byte(g.new), 1), nil
}

// TestGuardsAreListed: each guard of the table stands in its file, and docs/GUARDS.md is the
// table. `go test ./e2e -run TestGuardsAreListed -update` writes it.
func TestGuardsAreListed(t *testing.T) {
	var doc bytes.Buffer
	doc.WriteString(`# Guards

What holds each wrong back in Hufu: a lock, a predicate, a constraint, a comparison, a row.
Each is taken out alone, by machine, and a test must go red: a guard that nothing misses is
either not needed or not tested. The table is that of ` + "`e2e/guards_table_test.go`" + `, from which this
file is written (` + "`go test ./e2e -run TestGuardsAreListed -update`" + `); ` + "`go test ./e2e -run TestEachGuardIsMissed`" + `
takes them out (` + "`-guard TEXT`" + ` only those whose name holds the text). The ids are those of
payment cases (P), invariants (I), faults (F), security statements (S) and requirements.

| guard | without it | where | the test that goes red |
|---|---|---|---|
`)
	names := map[string]bool{}
	for _, g := range guards {
		if _, err := g.without(root(t)); err != nil {
			t.Error(err)
		}
		if names[g.name] {
			t.Errorf("two guards are called %q", g.name)
		}
		names[g.name] = true
		pkg, test := g.split()
		fmt.Fprintf(&doc, "| %s | %s | `%s` | `%s` in `%s` |\n", g.name, g.protects, g.file, strings.ReplaceAll(test, "|", "`, `"), pkg)
	}
	path := filepath.Join(root(t), "docs", "GUARDS.md")
	if *update {
		if err := os.WriteFile(path, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, doc.Bytes()) {
		t.Errorf("docs/GUARDS.md differs from the table (%v): go test ./e2e -run TestGuardsAreListed -update", err)
	}
}

// goTest runs tests of a package and gives what they print; err is nil when they pass.
func goTest(ctx context.Context, dir, cluster, pkg, run string, more ...string) (string, error) {
	args := append([]string{"test", "-vet=off", "-count=1", "-timeout", "100s", "-run", run}, more...)
	c := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	c.Dir = dir
	c.Env = append(os.Environ(), "HUFU_TEST_POSTGRES="+cluster)
	c.WaitDelay = 10 * time.Second
	out, err := c.CombinedOutput()
	return string(out), err
}

// TestEachGuardIsMissed takes out one guard at a time and runs the test that needs it, which
// must fail; with all guards in place it must pass. With -short it tries none: the guards
// are then listed only.
func TestEachGuardIsMissed(t *testing.T) {
	if testing.Short() {
		return
	}
	u, err := url.Parse(dbtest.Store(t, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/postgres"
	cluster, dir := u.String(), root(t)
	chosen := slices.DeleteFunc(slices.Clone(guards), func(g guard) bool { return !strings.Contains(g.name, *onlyGuard) })
	needed := map[string]map[string]bool{}
	for _, g := range chosen {
		pkg, test := g.split()
		if needed[pkg] == nil {
			needed[pkg] = map[string]bool{}
		}
		needed[pkg][test] = true
	}
	var work []func()
	for pkg, tests := range needed {
		work = append(work, func() { intact(t, dir, cluster, pkg, tests) })
	}
	for _, g := range chosen {
		work = append(work, func() { g.missed(t, dir, cluster) })
	}
	var all sync.WaitGroup
	next := make(chan func(), len(work))
	for _, w := range work {
		next <- w
	}
	close(next)
	for range 2 { // the machine's cores: each is a build
		all.Go(func() {
			for w := range next {
				w()
			}
		})
	}
	all.Wait()
}

// intact requires that tests pass, and that there are such tests.
func intact(t *testing.T, dir, cluster, pkg string, tests map[string]bool) {
	tops := map[string]bool{}
	for test := range tests {
		for alone := range strings.SplitSeq(test, "|") {
			top, _, _ := strings.Cut(alone, "/")
			tops[top] = true
		}
	}
	var names []string
	for top := range tops {
		names = append(names, top)
	}
	slices.Sort(names)
	out, err := goTest(t.Context(), dir, cluster, pkg, pattern(strings.Join(names, "|")), "-v")
	if err != nil {
		t.Errorf("with every guard in place, %s fails: %v\n%s", pkg, err, out)
		return
	}
	for test := range tests {
		for alone := range strings.SplitSeq(test, "|") {
			if !strings.Contains(out, "--- PASS: "+alone+" (") {
				t.Errorf("%s has no test %s", pkg, alone)
			}
		}
	}
}

// missed requires that the guard's test fails without the guard: a test, not the build.
func (g guard) missed(t *testing.T, dir, cluster string) {
	start := time.Now()
	work, err := os.MkdirTemp("", "hufu-guard-")
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(work)
	mutant, overlay := filepath.Join(work, filepath.Base(g.file)), filepath.Join(work, "overlay.json")
	plan, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(dir, g.file): mutant}})
	src, bad := g.without(dir)
	if err = errors.Join(err, bad, os.WriteFile(mutant, src, 0o600), os.WriteFile(overlay, plan, 0o600)); err != nil {
		t.Error(err)
		return
	}
	pkg, test := g.split()
	out, err := goTest(t.Context(), dir, cluster, pkg, pattern(test), "-overlay", overlay)
	switch {
	case err == nil:
		t.Errorf("nothing misses %q: %s passes without it (%s)", g.name, test, g.protects)
	case !strings.Contains(out, "--- FAIL: "):
		t.Errorf("without %q no test failed, but: %s", g.name, out)
	default:
		t.Logf("%5.1fs %s", time.Since(start).Seconds(), g.name)
	}
}
