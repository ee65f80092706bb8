package rule

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/i18n"
)

var update = flag.Bool("update", false, "write what is said now into testdata")

// golden runs each file of a folder of testdata. A file has parts between lines of "---";
// the last is what say makes of the others.
func golden(t *testing.T, folder string, parts int, say func(t *testing.T, parts []string) string) {
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil || len(files) < 5 {
		t.Fatal("too few cases", files, err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			given := strings.SplitN(string(raw), "\n---\n", parts+1)
			if len(given) < parts {
				t.Fatalf("%d parts, want %d", len(given), parts)
			}
			got := strings.Join(given[:parts], "\n---\n") + "\n---\n" + say(t, given)
			switch {
			case *update:
				if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			case got != string(raw):
				t.Errorf("got\n%s\nwant\n%s", got, raw)
			}
		})
	}
}

// TestRefusals says, for texts that are no rules, what and where, in both languages.
func TestRefusals(t *testing.T) {
	golden(t, "refused", 1, func(t *testing.T, parts []string) string {
		_, err := words.Compile(Source{Text: parts[0]})
		if err == nil {
			t.Fatal("it compiles")
		}
		var b strings.Builder
		for _, p := range Problems(err) {
			fmt.Fprintf(&b, "line %d, column %d, characters %d to %d: %s\n", p.Line, p.Column, p.From, p.To, p.Code)
			for _, l := range i18n.Langs {
				fmt.Fprintln(&b, sentence(l, p))
			}
		}
		return b.String()
	})
}

// TestExplanations says, for rules and cases, what isn't met.
func TestExplanations(t *testing.T) {
	golden(t, "explained", 2, func(t *testing.T, parts []string) string {
		r := compiled(t, parts[0])
		e, err := r.Explain(facts(t, parts[1]))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s; unknown: %v\n", e.Truth, e.Unknown())
		for _, l := range i18n.Langs {
			for _, s := range r.Describe(l) {
				fmt.Fprintln(&b, "rule:   ", s)
			}
			for _, s := range e.Staff(l) {
				fmt.Fprintln(&b, "staff:  ", s)
			}
			for _, s := range e.Shopper(l) {
				fmt.Fprintln(&b, "shopper:", s)
			}
		}
		return b.String()
	})
}
