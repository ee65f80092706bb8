package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/i18n"
	"hufu/internal/vault"
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

// What can't be read is refused before anything is kept, and never guessed; no file is
// overwritten.
func TestAnImportThatCantGoOnLeavesNothing(t *testing.T) {
	eachTill(t, func(w *till) {
		w.createKeys()
		w.done("codes", "generate", "--stock", "s", "--create-stock", "--count", "1")
		good, unsure, which := w.file("Voucher Code\nAB12-CD34\nEF56-GH78\n"), w.file("Gift\nAB12-CD34\nEF56-GH78\n"), w.file("name,price\nfoo,1\nbar,2\n")
		twice := w.file("AAAA-0001\nAAAA-0001\nAAAA-0002\n")
		w.refused("--heading yes", "--heading no", "import", "codes", unsure, "--stock", "s")
		w.refused("--code-column", "--code-column", "import", "codes", which, "--stock", "s", "--heading", "yes")
		w.refused("9", "9", "import", "codes", good, "--stock", "s", "--code-column", "9")
		w.refused("Asia/Shanghai", "Asia/Shanghai", "import", "codes", good, "--stock", "s", "--zone", "Mars/X")
		w.refused("已存在", "already", "import", "codes", twice, "--stock", "s", "--errors", twice)
		if text, err := os.ReadFile(twice); err != nil || string(text) != "AAAA-0001\nAAAA-0001\nAAAA-0002\n" {
			t.Errorf("the file is now %q, %v", text, err)
		}
		if status, _, errs := w.run(i18n.EN, "import", "codes", twice, "--stock", "s", "--whole"); status != 1 {
			t.Errorf("a whole import with a problem: %d %s", status, errs)
		}
		w.flows(func(a *app.App) error {
			return a.DB.View(w.Context(), func(tx *db.Tx) error {
				all, err := vault.Imports(w.Context(), tx, "", 50)
				for _, i := range all {
					if i.State != vault.ImportCancelled {
						t.Errorf("an import is left %s", i.State)
					}
				}
				return err
			})
		})
		if out := w.done("import", "codes", good, "--stock", "s", "--dry-run"); !strings.Contains(out, "••••Code") || !strings.Contains(out, "--heading no") || !strings.Contains(out, "2 new") {
			t.Errorf("a dry run says %q", out)
		}
		if out := w.done("import", "codes", good, "--stock", "s"); !strings.Contains(out, "2 codes imported") {
			t.Errorf("said %q", out)
		}
		if out := w.done("import", "codes", unsure, "--stock", "s", "--heading", "no", "--issuer", "x"); !strings.Contains(out, "3 codes imported") {
			t.Errorf("said %q", out)
		}
		catalogue := w.file(`{"format": "hufu-catalogue/1", "use": 1, "stocks": [{"name": "n", "kind": "codes", "low_mark": 0}]}`)
		w.refused("这里可用：", "the fields here are", "import", "catalogue", catalogue) // the remedy
		if out := w.done("import", "catalogue", w.file(`{"format": "hufu-catalogue/1", "stocks": [{"name": "n", "kind": "codes"}]}`)); strings.Contains(out, "[]") {
			t.Errorf("said %q", out)
		}
	})
}
