package arch

import (
	"slices"
	"strings"
	"testing"
)

// TestRulesArePure: what the language of rules may reach.
func TestRulesArePure(t *testing.T) {
	all := packages(t)
	p, ok := all[module+"rule"]
	if !ok {
		t.Fatal("no package rule")
	}
	for banned, reason := range map[string]string{
		"context": "an answer takes no time worth cancelling", "database/sql": "facts are loaded by who asks", "net/http": "an answer depends on its facts alone",
		"os/exec": "an answer depends on its facts alone",
	} {
		if slices.Contains(p.Imports, banned) || banned != "context" && slices.Contains(p.Deps, banned) {
			t.Errorf("rule reaches %s: %s", banned, reason)
		}
	}
	for _, imported := range p.Imports {
		if rest, ok := strings.CutPrefix(imported, module); ok && !slices.Contains([]string{"clock", "fault", "i18n", "money"}, rest) {
			t.Errorf("rule imports %s: it is asked by islands and flows, and knows none", imported)
		}
	}
	for _, p := range all {
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "github.com/expr-lang/expr") && p.ImportPath != module+"rule" {
				t.Errorf("%s imports %s: rules are compiled and asked in package rule alone", p.ImportPath, imported)
			}
		}
	}
}

// TestRulesAskNoClock: the time is a fact.
func TestRulesAskNoClock(t *testing.T) {
	sources(t, "internal/rule", func(path string, src []byte) {
		if strings.Contains(string(src), "time.Now(") || strings.Contains(string(src), "time.Since(") {
			t.Errorf("%s asks the clock: the time is a fact of the case", path)
		}
	})
}
