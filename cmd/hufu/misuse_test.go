package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/i18n"
)

// TestWrongLinesAreToldInOneSentence gives lines that can't be carried out and looks for
// what is said of each: one sentence that names what is wrong, and where to read on.
func TestWrongLinesAreToldInOneSentence(t *testing.T) {
	t.Chdir(t.TempDir())
	file := filepath.Join(t.TempDir(), "hufu.conf")
	if err := os.WriteFile(file, []byte("log-level = loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, names, help string }{
		{"nonsense", "nonsense", "hufu help"},
		{"import", "import catalogue", "hufu help"},
		{"--store sqlite:a.db serve", "--store", "hufu help"},
		{"help nonsense", "nonsense", "hufu help help"},
		{"serve extra", `extra`, "hufu help serve"},
		{"serve --bogus", "--bogus", "hufu help serve"},
		{"serve --store", "--store", "hufu help serve"},
		{"serve --worker=perhaps", "perhaps", "hufu help serve"},
		{"serve --connections many", "many", "hufu help serve"},
		{"serve --connections -3", "-3", "hufu help serve"},
		{"serve --rate-limit -5", "-5", "hufu help serve"},
		{"serve --rate-limit NaN", "NaN", "hufu help serve"},
		{"serve --gateway-patience 5", "5", "hufu help serve"},
		{"serve --gateway-patience 10ms", "500ms", "hufu help serve"},
		{"worker --gateway-patience 11s", "10s", "hufu help worker"},
		{"serve --gateway-calls 0", "1000", "hufu help serve"},
		{"worker --gateway-calls 1001", "1001", "hufu help worker"},
		{"serve --log-level loud", "debug, info, warn, error", "hufu help serve"},
		{"serve --log-format xml", "text, json", "hufu help serve"},
		{"serve --config " + file, file, "hufu help serve"},
		{"import catalogue", "FILE", "hufu help import catalogue"},
		{"import catalogue a b", `b`, "hufu help import catalogue"},
		{"import codes --stock s", "FILE", "hufu help import codes"},
		{"import codes a.txt", "--stock", "hufu help import codes"},
		{"import codes a.txt --resume imp_1", "a.txt", "hufu help import codes"},
		{"import codes --undo imp_1 --resume imp_1", "--undo", "hufu help import codes"},
		{"import codes a.txt --stock s --heading perhaps", "yes, no", "hufu help import codes"},
		{"import codes a.txt --stock s --code-column 0", "--code-column", "hufu help import codes"},
		{"codes generate --stock s --count 0", "--count", "hufu help codes generate"},
		{"codes generate --stock s --count -1", "--count", "hufu help codes generate"},
		{"codes generate --count 3", "--stock", "hufu help codes generate"},
		{"bench purchase --clients 0", "--clients", "hufu help bench purchase"},
		{"bench purchase --clients none", "none", "hufu help bench purchase"},
		{"bench purchase --orders -1", "--orders", "hufu help bench purchase"},
		{"bench purchase --duration -1s", "--duration", "hufu help bench purchase"},
		{"bench purchase --duration long", "long", "hufu help bench purchase"},
		{"bench codes --count 0", "--count", "hufu help bench codes"},
		{"admin", "setup", "hufu help admin"},
		{"admin bogus", "bogus", "hufu help admin"},
		{"admin reset", "EMAIL", "hufu help admin"},
		{"admin setup now", "now", "hufu help admin"},
		{"sandbox --speed 0", "--speed", "hufu help sandbox"},
		{"demo --listen nowhere", "nowhere", "hufu help demo"},
		{"keys rotate --key-file", "--key-file", "hufu help keys rotate"},
		{"keys create --store sqlite:a.db", "--store", "hufu help keys create"},
		{"migrate --rate-limit 3", "--rate-limit", "hufu help migrate"},
	} {
		for _, lang := range i18n.Langs {
			status, out, errs := hufu(t, lang, strings.Fields(c.line)...)
			if status != 2 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.names) || !strings.Contains(errs, c.help) ||
				strings.ContainsAny(errs, "⟦{") {
				t.Errorf("hufu %s in %s: status %d, %q%q", c.line, lang, status, out, errs)
			}
		}
	}
	if left, _ := filepath.Glob("*"); len(left) > 0 {
		t.Errorf("lines that were not understood left %v", left)
	}
}

// TestFlagsMayFollowWords gives flags after the words, where they must count.
func TestFlagsMayFollowWords(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"admin", "list", "--store", "sqlite:/no/such/place.db"},
		{"backup", "copy.db", "--store", "sqlite:/no/such/place.db"},
		{"import", "codes", "-", "--stock", "s", "--store=sqlite:/no/such/place.db"},
	} {
		if status, _, errs := hufu(t, i18n.EN, args...); status != 1 || !strings.Contains(errs, "/no/such") {
			t.Errorf("hufu %v: status %d, %q", args, status, errs)
		}
	}
	if status, _, errs := hufu(t, i18n.EN, "backup", "--store", "sqlite:a.db", "--", "--odd"); status != 1 || strings.Contains(errs, "no flag") {
		t.Errorf("a file named --odd: status %d, %q", status, errs)
	}
}

// TestHelpShowsACommandsOwnFlags looks for flags that mean something to a command, and for
// those that don't.
func TestHelpShowsACommandsOwnFlags(t *testing.T) {
	for _, c := range []struct{ line, has, not string }{
		{"serve", "--rate-limit", "--stock"},
		{"worker", "--sandbox-url", "--rate-limit"},
		{"worker", "--gateway-patience", "--rate-limit"},
		{"migrate", "--store", "--gateway-calls"},
		{"migrate", "--store", "--listen"},
		{"verify", "--audit-checkpoint", "--key-file"},
		{"backup", "--store", "--key-file"},
		{"restore", "--store", "--sandbox-url"},
		{"admin", "--public-url", "--sandbox-url"},
		{"admin invite", "invite EMAIL", "--worker"},
		{"keys create", "--key-file", "--store"},
		{"keys rotate", "--master", "--listen"},
		{"import codes", "--errors", "--trust-proxy"},
		{"import", "hufu import catalogue", "hufu help"},
		{"codes", "hufu codes generate", "hufu help"},
		{"keys", "hufu keys rotate", "hufu help"},
		{"bench", "hufu bench purchase", "hufu help"},
	} {
		status, out, errs := hufu(t, i18n.EN, append([]string{"help"}, strings.Fields(c.line)...)...)
		if status != 0 || errs != "" || !strings.Contains(out, c.has) || strings.Contains(out, c.not) {
			t.Errorf("hufu help %s: status %d\n%s%s", c.line, status, out, errs)
		}
	}
}

// TestAFileMayHoldEverySetting reads one file for a command that needs few of its settings.
func TestAFileMayHoldEverySetting(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "hufu.conf")
	if err := os.WriteFile(file, []byte("store = sqlite:"+filepath.Join(dir, "a.db")+"\nlisten = 127.0.0.1:1\nrate-limit = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errs := hufu(t, i18n.EN, "migrate", "--config", file); status != 0 {
		t.Errorf("status %d, %q", status, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.db")); err != nil {
		t.Error(err)
	}
}
