package e2e

import (
	"encoding/base64"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hufu/internal/app"
	shopfile "hufu/internal/app/demo"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/tabular"
)

// importCatalogue runs `hufu import catalogue` on a file and gives its result file.
func (s *shop) importCatalogue(store, file string, lang i18n.Lang, more ...string) tabular.Book {
	s.t.Helper()
	hufu, err := buildHufu()
	if err != nil {
		s.t.Fatal(err)
	}
	result := filepath.Join(s.t.TempDir(), "result")
	c := exec.CommandContext(s.t.Context(), hufu, append([]string{"import", "catalogue", "--store", store, "--key-file", s.keys, "--result", result}, append(more, file)...)...)
	c.Env = append(os.Environ(), "HUFU_LANG="+string(lang))
	said, _ := c.CombinedOutput()
	data, err := os.ReadFile(result)
	if err != nil {
		s.t.Fatalf("%v: %s", err, said)
	}
	return read(s.t, data, "result.csv")
}

func read(t *testing.T, data []byte, name string) tabular.Book {
	t.Helper()
	book, _, err := tabular.ReadBook(data, name, 8<<20)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// TestJourneyCatalogue edits the catalogue in tables, as an operator does in a spreadsheet:
// what is wrong is told at its cell, and what is right is in the shop (A7). The command does
// with each file what the page does.
func TestJourneyCatalogue(t *testing.T) {
	s := openShop(t, dbtest.Store(t, "sqlite"))
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if _, err := a.Flows.ImportCatalogue(t.Context(), shopfile.Catalogue, flow.ImportOptions{Source: "catalogue.json"}); err != nil {
		t.Fatal(err)
	}
	book, err := a.Flows.ExportCatalogue(t.Context(), flow.CatalogueExport{Format: "xlsx", Lang: i18n.ZH})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string]string{
		"whole.xlsx": string(book.Data),
		"whole.json": string(shopfile.Catalogue),
		"wrong.csv":  "slug,price\nkeep-month,cheap\nsofa,1.00\n",
		"offers.csv": "slug,价格 [price]\nkeep-month,15.50\nwps-super-year,139.00\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	home := freeAddr(t)
	setUp := s.serve("--listen", home).says(`(http://\S+/console/setup\?token=\S+)`)
	chromium := browser(t)
	d := desk
	d.dark, d.strict = false, false
	b := open(t, chromium, true, d, home)
	owner(b, setUp)
	upload := func(name string) {
		b.visit("http://" + home + "/console/catalogue-file")
		b.do(chromedp.SetUploadFiles(chromedp.CSS("input[name=file]"), []string{filepath.Join(dir, name)}))
		b.press("form[data-upload] button.btn-primary")
		b.await("the result", "document.readyState === 'complete' && document.querySelector('a[download]')")
		b.check()
		b.shot(strings.TrimSuffix(name, filepath.Ext(name)))
	}
	downloaded := func() tabular.Book {
		name := value[string](b, "document.querySelector('a[download]').download")
		_, packed, _ := strings.Cut(value[string](b, "document.querySelector('a[download]').href"), "base64,")
		data, err := base64.StdEncoding.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, data, name)
	}
	// alike fails unless the command gives the same result file as the page that is open.
	alike := func(store, name string, more ...string) {
		t.Helper()
		page := downloaded()
		command := s.importCatalogue(store, filepath.Join(dir, name), b.device.lang, more...)
		for _, book := range []*tabular.Book{&page, &command} {
			for i := range book.Sheets { // of a CSV it is the file's own, and they differ
				book.Sheets[i].Name = ""
			}
		}
		if !reflect.DeepEqual(page, command) {
			t.Errorf("%s: the page answers\n%+v\nthe command\n%+v", name, page, command)
		}
	}
	upload("whole.xlsx")
	alike(s.store, "whole.xlsx", "--dry-run")
	b.says("console.catalogue.same")
	upload("wrong.csv")
	b.shows("wrong!B2")
	b.says("fault.catalogue.file_amount", "currency", "CNY", "value", "cheap")
	alike(s.store, "wrong.csv", "--dry-run")
	upload("offers.csv")
	alike(s.store, "offers.csv", "--dry-run")
	twin := "sqlite:" + filepath.Join(dir, "twin.db") // another shop, the same before
	if _, err := app.Migrate(t.Context(), app.Config{Store: twin}); err != nil {
		t.Fatal(err)
	}
	s.importCatalogue(twin, filepath.Join(dir, "whole.json"), b.device.lang)
	b.says("console.catalogue.good")
	b.press("form[action='/console/catalogue-file/import'] button")
	b.says("console.catalogue.done")
	b.check()
	b.shot("done")
	if row := downloaded().Sheets[0].Lines[1].Cells; row[0] != "keep-month" || row[1] != "15.50" || row[2] == "" {
		t.Errorf("the result file has %q", row)
	}
	alike(twin, "offers.csv")
	exported := func(store string) string {
		a, err := app.Open(t.Context(), app.Config{Store: store, KeyFile: s.keys}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		out, err := a.Flows.ExportCatalogue(t.Context(), flow.CatalogueExport{Format: "json", Lang: i18n.ZH})
		if err != nil {
			t.Fatal(err)
		}
		return string(out.Data)
	}
	if exported(s.store) != exported(twin) {
		t.Error("the page and the command made other catalogues of the same files")
	}
	b.visit("http://" + home + "/offers/keep-month")
	b.shows("15.50")
	b.visit("http://" + home + "/console/catalogue-file")
	b.check()
	b.shot("page")
	for name, seen := range map[string]device{"phone": phone, "dark": desk} {
		seen.strict = false
		b.device = seen
		other := b.beside()
		other.visit("http://" + home + "/console/catalogue-file")
		other.shot("page-" + name)
	}
	s.verify()
}
