package main

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/vault"
)

var importID = regexp.MustCompile(`imp_[0-9a-z]+`)

func (w *till) file(text string) string {
	w.Helper()
	path := filepath.Join(w.TempDir(), "codes.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// An import is named before its work begins; what is in the store already makes no batch;
// costs below nothing are refused.
func TestImportsAreToldAtTheTerminal(t *testing.T) {
	eachTill(t, func(w *till) {
		w.createKeys()
		path := w.file("AAAA-0001\nAAAA-0002\nAAAA-0003\n")
		line := []string{"import", "codes", path, "--stock", "s", "--create-stock"}
		status, out, errs := w.run(i18n.EN, line...)
		run := importID.FindString(errs)
		if status != 0 || run == "" || !strings.Contains(errs, "--resume "+run) || !strings.Contains(out, "3 codes imported") {
			t.Fatalf("status %d\n%s%s", status, out, errs)
		}
		if out := w.done(line...); !strings.Contains(out, "no batch was made") {
			t.Errorf("the same file again: %s", out)
		}
		w.flows(func(a *app.App) error {
			if n := len(w.batches(a)); n != 1 {
				t.Errorf("%d batches", n)
			}
			return nil
		})
		if out := w.done("import", "codes", w.file("BBBB-0001-X\nBBBB-0002-X\nBBBB-00"), "--stock", "s"); !strings.Contains(out, "1 invalid") || !strings.Contains(out, "2 codes imported") {
			t.Errorf("a file that was cut: %s", out)
		}
		w.refused("不能小于零", "less than nothing", "import", "codes", path, "--stock", "s", "--cost", "-5")
		w.refused("不能小于零", "less than nothing", "codes", "generate", "--stock", "s", "--count", "1", "--cost", "-3")
		w.refused("--resume", "--resume", "import", "codes", "--resume", "imp_none")
		w.refused("已完成的可撤销", "one that is done can be undone", "import", "codes", "--cancel", run)
	})
}

// An import that ended before its check is checked when it is resumed.
func TestAnImportIsResumedBeforeItsCheck(t *testing.T) {
	eachTill(t, func(w *till) {
		w.createKeys()
		w.done("codes", "generate", "--stock", "s", "--create-stock", "--count", "1")
		var run id.Import
		w.flows(func(a *app.App) error {
			var stock id.Stock
			for _, b := range w.batches(a) {
				stock = b.Stock
			}
			i, err := a.Flows.ReceiveImport(w.Context(), flow.NewImport{Stock: stock, File: strings.NewReader("CCCC-1\nCCCC-2\n"), FileName: "c.txt", Options: vault.ImportOptions{Issuer: "x"}, By: "ops"})
			run = i.ID
			return err
		})
		if out := w.done("import", "codes", "--resume", string(run)); !strings.Contains(out, "2 codes imported") {
			t.Errorf("said %q", out)
		}
	})
}

// Where there is no terminal a line tells of progress now and then.
func TestProgressIsALineNowAndThen(t *testing.T) {
	for lang, want := range map[i18n.Lang]string{i18n.EN: "generating: 70 of 100\ngenerating: 90\n", i18n.ZH: "正在生成：70/100\n正在生成：90\n"} {
		var out bytes.Buffer
		b := newBar(&env{err: &out, lang: lang}, "cli.generating")
		b.at(10, 100) // too early
		b.last = b.last.Add(-2 * lineEvery)
		b.at(70, 100)
		b.at(80, 100)
		b.last = b.last.Add(-2 * lineEvery)
		b.at(90, -1)
		b.end()
		if out.String() != want {
			t.Errorf("%s: %q", lang, out.String())
		}
	}
}

// A command that meets a database in use says that it waits, and ends in time.
func TestALockedDatabaseIsWaitedForAloud(t *testing.T) {
	w := &till{T: t, store: "sqlite:" + filepath.Join(t.TempDir(), "hufu.db"), keys: filepath.Join(t.TempDir(), "keys")}
	if status, _, errs := hufu(t, i18n.EN, "migrate", "--store", w.store); status != 0 {
		t.Fatal(errs)
	}
	w.createKeys()
	w.done("codes", "generate", "--stock", "s", "--create-stock", "--count", "1")
	other, err := sql.Open("sqlite", strings.TrimPrefix(w.store, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = c.ExecContext(context.Background(), "ROLLBACK") }()
	began := time.Now()
	status, out, errs := w.run(i18n.EN, "codes", "generate", "--stock", "s", "--count", "1")
	if status != 1 || out != "" || !strings.Contains(errs, "waiting for up to ten seconds") || !strings.Contains(errs, "Another process kept the database") {
		t.Errorf("status %d, %q%q", status, out, errs)
	}
	if took := time.Since(began); took > 18*time.Second {
		t.Errorf("it took %v", took)
	}
}

var pageWords = regexp.MustCompile(`reload|save again|upload|same request|the page|trace number|the list of`)

// TestATerminalIsNoPage looks for faults that a command can end with and that speak of
// pages: each has other words for the terminal.
func TestATerminalIsNoPage(t *testing.T) {
	for key, text := range englishOf(t, "cli", "cli_codes", "config", "common", "db", "stock", "tabular", "vault") {
		code, fault := strings.CutPrefix(key, "fault.")
		_, terminal := strings.CutPrefix(key, "terminal.")
		switch {
		case !pageWords.MatchString(text):
		case terminal:
			t.Errorf("%s: %s", key, text)
		case fault && !i18n.Has("terminal."+code):
			t.Errorf("%s has no words for the terminal: %s", key, text)
		}
	}
}
