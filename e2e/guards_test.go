package e2e

import (
	"bytes"
	"context"
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
takes them out (` + "`-guard TEXT`" + ` only those whose name holds the text). It builds each package's tests
once, from a copy of the files in which every guard has a switch; with none out the tests must
pass, and then they run once for each guard, without that one. The program itself has no such
switch. The ids are those of payment cases (P), invariants (I), faults (F), security statements
(S) and requirements.

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

// switchedTests are the test binaries of packages, in which guards are taken out by name.
type switchedTests struct{ dir, bin, cluster string }

// build makes the binary of a package.
func (s switchedTests) build(ctx context.Context, plan, pkg string) error {
	c := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", plan, "-o", s.path(pkg), "./"+pkg)
	c.Dir = s.dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s with its guards switched does not build: %w\n%s", pkg, err, out)
	}
	return nil
}

func (s switchedTests) path(pkg string) string {
	return filepath.Join(s.bin, strings.ReplaceAll(pkg, "/", "_")+".test")
}

// run runs tests of a package without the guard named, and gives what they print; err is nil
// when they pass.
func (s switchedTests) run(ctx context.Context, without, pkg, tests string, more ...string) (string, error) {
	c := exec.CommandContext(ctx, s.path(pkg), append([]string{"-test.timeout", "100s", "-test.run", tests}, more...)...)
	c.Dir = filepath.Join(s.dir, pkg)
	c.Env = append(os.Environ(), "HUFU_TEST_POSTGRES="+s.cluster, guardOff+"="+without)
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
	s := switchedTests{root(t), t.TempDir(), u.String()}
	chosen := slices.DeleteFunc(slices.Clone(guards), func(g guard) bool { return !strings.Contains(g.name, *onlyGuard) })
	plan, err := overlay(s.dir, t.TempDir(), chosen)
	if err != nil {
		t.Fatal(err)
	}
	work := map[string][]guard{}
	for _, g := range chosen {
		pkg, _ := g.split()
		work[pkg] = append(work[pkg], g)
	}
	two := make(chan struct{}, 2) // at once: the machine's cores
	var all sync.WaitGroup
	limited := func(f func()) {
		all.Go(func() {
			two <- struct{}{}
			defer func() { <-two }()
			f()
		})
	}
	for pkg, held := range work {
		limited(func() {
			if err := s.build(t.Context(), plan, pkg); err != nil {
				t.Error(err)
				return
			}
			limited(func() { s.intact(t, pkg, held) })
			for _, g := range held {
				limited(func() { s.missed(t, g) })
			}
		})
	}
	all.Wait()
}

// intact requires that the tests of guards pass, and that there are such tests.
func (s switchedTests) intact(t *testing.T, pkg string, held []guard) {
	var names, tops []string
	for _, g := range held {
		_, test := g.split()
		for alone := range strings.SplitSeq(test, "|") {
			top, _, _ := strings.Cut(alone, "/")
			names, tops = append(names, alone), append(tops, top)
		}
	}
	slices.Sort(tops)
	out, err := s.run(t.Context(), "", pkg, pattern(strings.Join(slices.Compact(tops), "|")), "-test.v")
	if err != nil {
		t.Errorf("with every guard in place, %s fails: %v\n%s", pkg, err, out)
		return
	}
	for _, name := range names {
		if !strings.Contains(out, "--- PASS: "+name+" (") {
			t.Errorf("%s has no test %s", pkg, name)
		}
	}
}

// missed requires that the guard's test fails without the guard.
func (s switchedTests) missed(t *testing.T, g guard) {
	start := time.Now()
	pkg, test := g.split()
	out, err := s.run(t.Context(), g.name, pkg, pattern(test), "-test.failfast")
	switch {
	case err == nil:
		t.Errorf("nothing misses %q: %s passes without it (%s)", g.name, test, g.protects)
	case !strings.Contains(out, "--- FAIL: "):
		t.Errorf("without %q no test failed, but: %v\n%s", g.name, err, out)
	default:
		t.Logf("%5.1fs %s", time.Since(start).Seconds(), g.name)
	}
}
