package e2e

import (
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"hufu/internal/app"
	shopfile "hufu/internal/app/demo"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/i18n"
)

// TestJourneyCatalogue edits the catalogue in tables, as an operator does in a spreadsheet:
// what is wrong is told at its cell, and what is right is in the shop (A7).
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
	upload("whole.xlsx")
	b.says("console.catalogue.same")
	upload("wrong.csv")
	b.shows("wrong!B2")
	b.says("fault.catalogue.file_amount", "currency", "CNY")
	upload("offers.csv")
	b.says("console.catalogue.good")
	b.press("form[action='/console/catalogue-file/import'] button")
	b.says("console.catalogue.done")
	b.check()
	b.shot("done")
	_, packed, _ := strings.Cut(value[string](b, "document.querySelector('a[download]').href"), "base64,")
	if result, err := base64.StdEncoding.DecodeString(packed); err != nil || !strings.Contains(string(result), "keep-month,15.50,") {
		t.Errorf("the result file is %q, %v", result, err)
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
