package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// till is a store and its key file, worked on by command lines.
type till struct {
	*testing.T
	store, keys string
}

func eachTill(t *testing.T, fn func(t *till)) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			w := &till{T: t, store: dbtest.Store(t, kind), keys: filepath.Join(t.TempDir(), "keys")}
			if status, _, errs := hufu(t, i18n.EN, "migrate", "--store", w.store); status != 0 {
				t.Fatal(errs)
			}
			fn(w)
		})
	}
}

// run gives a line, and where it works.
func (w *till) run(lang i18n.Lang, line ...string) (int, string, string) {
	words := 0
	for words < len(line) && !strings.HasPrefix(line[words], "-") {
		words++
	}
	where := []string{"--store", w.store}
	if line[0] != "verify" { // which needs no keys
		where = append(where, "--key-file", w.keys)
	}
	return hufu(w.T, lang, slices.Insert(line, words, where...)...)
}

// done gives a line that must be carried out, and returns what it says.
func (w *till) done(line ...string) string {
	w.Helper()
	status, out, errs := w.run(i18n.EN, line...)
	if status != 0 {
		w.Fatalf("hufu %q: status %d, %s", line, status, errs)
	}
	return out
}

// refused gives a line that must fail, in each language with its words.
func (w *till) refused(zh, en string, line ...string) {
	w.Helper()
	for lang, want := range map[i18n.Lang]string{i18n.ZH: zh, i18n.EN: en} {
		if status, out, errs := w.run(lang, line...); status != 1 || out != "" || !strings.Contains(errs, want) {
			w.Errorf("hufu %q in %s: status %d, %q, want %q; %s", line, lang, status, errs, want, out)
		}
	}
}

func (w *till) createKeys() {
	w.Helper()
	if status, _, errs := hufu(w.T, i18n.EN, "keys", "create", "--key-file", w.keys); status != 0 {
		w.Fatal(errs)
	}
}

// flows does something with the store as the program has it.
func (w *till) flows(fn func(a *app.App) error) {
	w.Helper()
	a, err := app.Open(w.Context(), app.Config{Store: w.store, KeyFile: w.keys}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		w.Fatal(err)
	}
	defer a.Close()
	if err := fn(a); err != nil {
		w.Fatal(err)
	}
}

// batches are all that the store has.
func (w *till) batches(a *app.App) map[id.Batch]*vault.Batch {
	w.Helper()
	all := map[id.Batch]*vault.Batch{}
	if err := a.DB.View(w.Context(), func(tx *db.Tx) error {
		found, err := vault.Batches(w.Context(), tx, "", "", 100)
		for _, b := range found {
			all[b.ID] = b
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
	return all
}

var batchID = regexp.MustCompile(`bat_[0-9a-z]+`)

func TestCodesAreGeneratedAtTheTerminal(t *testing.T) {
	eachTill(t, func(w *till) {
		generate := func(more ...string) []string {
			return append([]string{"codes", "generate", "--stock", "gift cards", "--count", "7"}, more...)
		}
		w.refused("主密钥文件", "key file "+w.keys+" is missing", generate()...)
		w.createKeys()
		w.refused("gift cards", "gift cards", generate()...)
		for _, bad := range []struct{ zh, en, flag, value string }{
			{"80 到 130", "between 80 and 130", "--bits", "79"},
			{"80 到 130", "between 80 and 130", "--bits", "131"},
			{"品牌前缀", "brand prefix", "--prefix", "shop"},
			{"0（不分组）", "0 (no groups)", "--group", "13"},
			{"", "", "--expires", "2001-01-01"},
			{"", "", "--expires", "someday"},
			{"CNY", "CNY", "--cost", "cheap"},
		} {
			w.refused(bad.zh, bad.en, generate("--create-stock", bad.flag, bad.value)...)
		}
		out := w.done(generate("--create-stock", "--prefix", "GIFT", "--cost", "1.50", "--expires", "2190-01-01")...)
		first := batchID.FindString(out)
		if first == "" || !strings.HasPrefix(out, "7 codes generated") {
			w.Fatalf("said %q", out)
		}
		machine := batchID.FindString(w.done(generate("--machine")...))
		w.flows(func(a *app.App) error {
			for batch, f := range map[string]vault.Format{first: {Prefix: "GIFT", Group: 4, SecretBits: 80}, machine: {Group: 4, SecretBits: 128, Machine: true}} {
				b := w.batches(a)[id.Batch(batch)]
				if b == nil || b.Format != f || b.State != vault.Ready || b.Counts.Available != 7 {
					w.Errorf("%s: %+v", batch, b)
				}
			}
			return nil
		})
		w.refused("", "", "codes", "generate", "--resume", first)
		w.refused("", "", "codes", "generate", "--undo", "bat_none")
		if out := w.done("codes", "generate", "--undo", first); !strings.Contains(out, first) {
			w.Errorf("said %q", out)
		}
		w.refused("", "", "codes", "generate", "--undo", first)
		if out := w.done("verify"); strings.Contains(out, "FAILED") {
			w.Errorf("afterwards\n%s", out)
		}
	})
}

// A batch whose making ended early is gone on with.
func TestGenerationIsResumedAtTheTerminal(t *testing.T) {
	eachTill(t, func(w *till) {
		w.createKeys()
		w.done("codes", "generate", "--stock", "s", "--create-stock", "--count", "1")
		var batch *vault.Batch
		w.flows(func(a *app.App) error {
			var stock id.Stock
			for _, b := range w.batches(a) {
				stock = b.Stock
			}
			var err error
			batch, err = a.Flows.BeginGenerate(w.Context(), flow.Generate{Stock: stock, Name: "early", Issuer: "hufu", Format: vault.DefaultFormat, Count: 30, By: "ops"})
			return err
		})
		if out := w.done("codes", "generate", "--resume", string(batch.ID)); !strings.HasPrefix(out, "30 codes generated") {
			w.Errorf("said %q", out)
		}
	})
}

// Through every change of keys the codes can be found, and verify holds.
func TestKeysAreChangedAtTheTerminal(t *testing.T) {
	was := settle
	settle = func(context.Context) error { return nil }
	t.Cleanup(func() { settle = was })
	eachTill(t, func(w *till) {
		w.createKeys()
		if info, err := os.Stat(w.keys); err != nil || info.Mode().Perm() != 0o600 {
			w.Errorf("the key file: %v, %v", info, err)
		}
		if status, _, errs := hufu(w.T, i18n.EN, "keys", "create", "--key-file", w.keys); status != 1 || !strings.Contains(errs, "exists and was left as it is") {
			w.Errorf("made twice: %d, %s", status, errs)
		}
		file := filepath.Join(w.TempDir(), "codes.csv")
		if err := os.WriteFile(file, []byte("SUPPLIER-CODE-0001\nSUPPLIER-CODE-0002\n"), 0o600); err != nil {
			w.Fatal(err)
		}
		w.done("import", "codes", "--stock", "s", "--create-stock", "--issuer", "supplier", "--heading", "no", "--code-column", "1", file)
		w.done("codes", "generate", "--stock", "s", "--count", "3")
		sealedBy := func() (key id.Key) {
			w.flows(func(a *app.App) error {
				found, err := a.Flows.FindCode(w.Context(), " SUPPLIER-CODE-0002")
				if err != nil || len(found) != 1 {
					w.Fatalf("the code is found as %+v, %v", found, err)
				}
				key = a.Flows.Keys.ActiveData()
				return nil
			})
			return key
		}
		before := sealedBy()
		w.refused("", "nonsense", "keys", "rotate", "--only", "nonsense")
		if out := w.done("keys", "rotate", "--only", "data, index, generator"); !strings.Contains(out, "data, index, generator") {
			w.Errorf("said %q", out)
		}
		after := sealedBy()
		if after == before {
			w.Error("the data key is the one before")
		}
		old, err := os.ReadFile(w.keys)
		if err != nil {
			w.Fatal(err)
		}
		if out := w.done("keys", "rotate", "--master", "--only", "", "--drop-old-masters"); !strings.Contains(out, "new master key") || !strings.Contains(out, "was removed") {
			w.Errorf("said %q", out)
		}
		if sealedBy() != after {
			w.Error("a new master key changed the data key")
		}
		if out := w.done("verify"); strings.Contains(out, "FAILED") {
			w.Errorf("afterwards\n%s", out)
		}
		if err := os.WriteFile(w.keys, old, 0o600); err != nil {
			w.Fatal(err)
		}
		w.refused("主密钥", "which is not in "+w.keys, "keys", "rotate")
	})
}
