package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/i18n"
)

// What can't be is refused with what can, in both languages.
func TestRefusalsNameWhatMayBeChosen(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, lang := range i18n.Langs {
		status, out, errs := hufu(t, lang, "demo", "--listen", "127.0.0.1:0", "--data", filepath.Join(blocked, "shop"))
		if status != 1 || out != "" || !strings.Contains(errs, blocked) || !strings.Contains(errs, "--data") {
			t.Errorf("a folder that can't be made, in %s: status %d, %q", lang, status, errs)
		}
	}
	eachTill(t, func(w *till) {
		w.createKeys()
		const roles = "owner, operator, finance, support, auditor"
		w.refused(roles, roles, "admin", "invite", "a@example.com", "A", "owner,boss")
		w.refused("128", "128", "codes", "generate", "--stock", "s", "--create-stock", "--count", "1", "--machine", "--bits", "80")
		if out := w.done("codes", "generate", "--stock", "s", "--create-stock", "--count", "1", "--machine"); !strings.Contains(out, "1 code") {
			t.Errorf("said %q", out)
		}
	})
}
