package flow

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/tabular"
)

// wholeCatalogue has everything that a catalogue file can say.
var wholeCatalogue = strings.Replace(smallCatalogue, `    {"slug": "idea",`, `    {"slug": "year", "state": "live", "category": "video", "title": {"zh": "年卡", "en": "Year"}, "summary": {"zh": "每月一份", "en": "One a month"},
     "description": {"zh": "第一行\n=第二行", "en": "'=1+1, \"quoted\"; \tand more"}, "badge": {"zh": "省", "en": "Save"}, "price": "99.00", "list_price": "199.00", "floor": "88.00", "max_per_order": 3,
     "parts": [
       {"benefit": "month", "quantity": 2, "share": "49.00", "validity": {"from": "activation", "days": 31, "within": 90}},
       {"benefit": "seat", "choice": "pick", "validity": {"from": "first_use", "days": 7}},
       {"benefit": "gift", "choice": "pick"}],
     "choices": [{"key": "pick", "name": {"zh": "每月一选", "en": "One each month"}, "pick": 1, "later": true, "days": 20, "release": {"every": "month", "count": 12, "from": "2027-01-01T00:00:00+08:00", "catch_up": true, "until": "2028-01-01T00:00:00+08:00"}, "share": "50.00"}],
     "limits": [{"max": 2, "window": "month"}, {"max": 500, "window": "day", "of": "everybody", "channel": "web"}],
     "rules": [{"name": {"zh": "新客", "en": "New customers"}, "text": "customer.orders == 0", "refusal": {"zh": "仅限新客。", "en": "For new customers only."}}],
     "room": {"per_minute": 600, "minutes": 5}, "starts_at": "2026-11-01T10:00:00+08:00", "ends_at": "2029-01-01T00:00:00+08:00"},
    {"slug": "window", "category": "video", "title": {"zh": "窗口", "en": "Window"}, "price": "5.00", "parts": [{"benefit": "seat", "validity": {"from": "window", "start": "2027-01-01T00:00:00+08:00", "end": "2027-02-01T00:00:00+08:00"}}]},
    {"slug": "idea",`, 1)

func init() {
	wholeCatalogue = strings.Replace(wholeCatalogue, `"units": 200}`, `"units": 200, "edition": {"size": 250, "first": 0, "gapless": true, "by_lot": true}, "allotments": {"web": 120, "api": 0, "shop-2.a": 80}}`, 1)
	wholeCatalogue = strings.Replace(wholeCatalogue, `"stock": "seats",
     "disclosure"`, `"stock": "seats", "worth": "40.00",
     "disclosure"`, 1)
	wholeCatalogue = strings.Replace(wholeCatalogue, "  ],\n  \"offers\"", `    ,{"slug": "gift", "kind": "physical", "provider": "tv", "name": {"zh": "礼物", "en": "Gift"}, "worth": "9.90", "currency": "USD", "valid_days": 30, "attributes": {"sku": "007"},
     "disclosure": {"account_type": {"use": "t"}, "scope": {"use": "t"}, "devices": {"use": "t"}, "validity": {"use": "t"}, "how_to_use": {"use": "t"}, "refund": {"use": "t"}}}
  ],
  "relations": [{"key": "tv", "kind": "needs", "name": {"zh": "电视", "en": "TV"}, "from": {"provider": "tv", "kind": "voucher", "tier": "x"}, "to": {"provider": "tv", "slug": "month"}, "severity": "acknowledge"}],
  "offers"`, 1)
}

const wholeItems = 12

func (r importRig) export(format string, lang i18n.Lang, slugs ...string) []byte {
	r.t.Helper()
	out, err := r.f.ExportCatalogue(r.t.Context(), CatalogueExport{Format: format, Offers: slugs, Lang: lang})
	if err != nil {
		r.t.Fatal(err)
	}
	return out.Data
}

// What is exported imports to no change, and into an empty shop to the same catalogue.
func TestAnExportedCatalogueIsTheSame(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		whole := r.export("json", i18n.EN)
		for _, format := range CatalogueFormats {
			for _, lang := range i18n.Langs {
				r.load(string(r.export(format, lang)), false, 0, 0, wholeItems)
			}
		}
		eachImport(t, func(other importRig) {
			for _, format := range CatalogueFormats {
				file := r.export(format, i18n.ZH)
				got, err := other.f.ImportCatalogue(t.Context(), file, ImportOptions{DryRun: true})
				if err != nil || len(got.Problems) > 0 || got.Count(catalogue.Created) != wholeItems {
					t.Fatalf("%s into an empty shop: %v %+v", format, err, got.Problems)
				}
			}
			other.load(string(whole), false, wholeItems, 0, 0)
			if again := other.export("json", i18n.EN); !bytes.Equal(again, whole) {
				t.Errorf("another shop exports\n%s\nwant\n%s", again, whole)
			}
		})
	})
}

// A working copy that isn't published yet stays one, and a benefit that was edited since
// isn't taken up by importing what was exported.
func TestAnExportPublishesNothing(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		err := r.f.DB.Do(t.Context(), func(tx *db.Tx) error {
			o, err := r.f.Catalogue.OfferBySlug(t.Context(), tx, "card")
			if err != nil {
				return err
			}
			o.Draft.Price.Minor = 1500
			if _, err = r.f.Catalogue.Save(t.Context(), tx, o, r.c.Now()); err != nil {
				return err
			}
			found, err := r.f.Catalogue.BenefitsBySlug(t.Context(), tx, []string{"seat"})
			if err != nil {
				return err
			}
			b := found["seat"]
			b.Name.EN, b.Provider.Name.EN = "A seat", "Television"
			_, err = r.f.Catalogue.PutBenefit(t.Context(), tx, b, "", r.c.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		before := r.shop()
		for _, format := range CatalogueFormats {
			r.load(string(r.export(format, i18n.EN)), false, 0, 0, wholeItems)
		}
		if after := r.shop(); after.versions != before.versions || after.offers["card"].Draft.Price.Minor != 1500 || after.offers["card"].Version != 1 {
			t.Errorf("%d versions, the card %+v", after.versions, after.offers["card"])
		}
	})
}

func TestSomeOffersAreExportedWithWhatTheyNeed(t *testing.T) {
	eachImport(t, func(r importRig) {
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		f := catalogue.ParseFile(r.export("json", i18n.EN, "window"))
		if len(f.Offers) != 1 || len(f.Benefits) != 1 || f.Benefits[0].Benefit.Slug != "seat" || len(f.Stocks) != 1 || len(f.Relations) != 0 {
			r.t.Errorf("%d offers, %+v, %+v, %+v", len(f.Offers), f.Benefits, f.Stocks, f.Relations)
		}
		for code, opt := range map[string]CatalogueExport{"catalogue.format": {Format: "pdf"}, "catalogue.no_offer": {Format: "json", Offers: []string{"sofa"}}} {
			if _, err := r.f.ExportCatalogue(r.t.Context(), opt); fault.CodeOf(err) != code {
				r.t.Errorf("%v, want %s", err, code)
			}
		}
	})
}

// tables imports a file of tables and reads the result file of it.
func (r importRig) tables(data []byte, name string, dry bool) (CatalogueImport, tabular.Book) {
	r.t.Helper()
	got, err := r.f.ImportCatalogue(r.t.Context(), data, ImportOptions{DryRun: dry, Source: name})
	if err != nil && fault.CodeOf(err) != "catalogue.file" {
		r.t.Fatal(err)
	}
	file, err := got.Result(i18n.EN)
	if err != nil {
		r.t.Fatal(err)
	}
	book, _, err := tabular.ReadBook(file.Data, file.Name, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	return got, book
}

// A table of a few columns changes these, and leaves the rest as the shop has it.
func TestATableChangesTheColumnsItHas(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		before := r.shop()
		chinese, err := simplifiedchinese.GBK.NewEncoder().String("slug,标题（中文） [title.zh],list_price,备注\r\nyear,大年卡,189,好\r\ncard,月卡,25,\r\n")
		if err != nil {
			t.Fatal(err)
		}
		got, result := r.tables([]byte(chinese), "涨价.csv", true)
		if len(got.Problems) != 1 || got.Problems[0].Code != "catalogue.file_column" || got.Problems[0].Field().Path != "涨价!D1" {
			t.Errorf("%+v", got.Problems)
		}
		if cells := result.Sheets[0].Lines[0].Cells; !strings.Contains(cells[4], "There is no column") {
			t.Errorf("the heading of the result says %q", cells)
		}
		chinese = strings.ReplaceAll(chinese, ","+string([]byte{0xb1, 0xb8, 0xd7, 0xa2}), ",")
		if got, _ := r.tables([]byte(strings.Replace(chinese, "year,", "year,\"a\",2,3,4,", 1)), "涨价.csv", true); len(got.Problems) == 0 || got.Problems[0].Code != "catalogue.file_no_heading" || got.Problems[0].Field().Path != "涨价!E2" {
			t.Errorf("cells right of the headings: %+v", got.Problems)
		}
		got, result = r.tables([]byte(chinese), "涨价.csv", false)
		if len(got.Problems) != 0 || got.Count(catalogue.Changed) != 1 || got.Count(catalogue.Unchanged) != 1 {
			t.Fatalf("%+v %+v", got.Problems, got.Rows)
		}
		want := [][]string{{"year", "changed: title, list price"}, {"card", "same"}}
		for i, w := range want {
			line := result.Sheets[0].Lines[i+1]
			if line.Cells[0] != w[0] || line.Cells[4] != w[1] {
				t.Errorf("the result says %q, want %q", line.Cells, w)
			}
		}
		after := r.shop()
		year, was := after.offers["year"], before.offers["year"]
		if year.Version != 2 || year.Draft.List.Minor != 18900 || year.Draft.Title.ZH != "大年卡" || year.Draft.Title.EN != "Year" || len(year.Draft.Parts) != 3 || len(year.Draft.Choices) != 1 ||
			len(year.Draft.Rules) != 1 || year.Draft.Room != was.Draft.Room || !year.StartsAt.Equal(was.StartsAt) || year.Position != was.Position || year.State != was.State {
			t.Errorf("the year is now %+v", year)
		}
		// A result file imports again: its own column is skipped.
		file, err := got.Result(i18n.ZH)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := r.tables(file.Data, file.Name, false); len(again.Problems) != 0 || again.Count(catalogue.Unchanged) != 2 {
			t.Errorf("the result file imports as %+v %+v", again.Problems, again.Rows)
		}
	})
}

// A formula that was not calculated, or failed, clears nothing: it is told at its cell, and stays
// told when the result file is imported. A number is what its spreadsheet shows.
func TestFormulasOfTables(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		f, err := excelize.OpenReader(bytes.NewReader(r.export("xlsx", i18n.EN)))
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]string{}
		rows, err := f.GetRows("offers")
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows[1:] {
			for k := range row {
				if row[0] == "year" {
					at[catalogue.ColumnName(rows[0][k])], _ = excelize.CoordinatesToCellName(k+1, i+2)
				}
			}
		}
		if err := errors.Join(f.SetCellValue("offers", at["list_price"], nil), f.SetCellFormula("offers", at["list_price"], "SUM(Z1:Z2)"), f.SetCellValue("offers", at["badge.zh"], nil), f.SetCellFormula("offers", at["badge.zh"], "A1"),
			f.SetCellValue("offers", at["badge.en"], "#REF!"), f.SetCellValue("offers", at["floor"], 88.500000000000014)); err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := f.Write(&file); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"offers!" + at["list_price"]: "catalogue.file_not_calculated", "offers!" + at["badge.zh"]: "catalogue.file_not_calculated", "offers!" + at["badge.en"]: "catalogue.file_cell_error"}
		got, _ := r.tables(file.Bytes(), "shop.xlsx", false)
		for _, p := range got.Problems {
			if path := strings.SplitN(p.Field().Path, ",", 2)[0]; want[path] != p.Code {
				t.Errorf("%s: %s", path, p.Code)
			} else {
				delete(want, path)
			}
		}
		if len(want) > 0 || r.shop().offers["year"].Draft.List.IsZero() {
			t.Errorf("not told: %v", want)
		}
		result, err := got.Result(i18n.EN)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := r.tables(result.Data, result.Name, true)
		if told := slices.DeleteFunc(again.Problems, func(p catalogue.Problem) bool { return p.Code != "catalogue.file_cell_error" }); len(told) != 3 {
			t.Errorf("of the result file is told: %+v", told)
		}
		if err := errors.Join(f.SetCellValue("offers", at["list_price"], 199.00000000000003), f.SetCellValue("offers", at["badge.zh"], "省"), f.SetCellValue("offers", at["badge.en"], "Save")); err != nil {
			t.Fatal(err)
		}
		file.Reset()
		if err := f.Write(&file); err != nil {
			t.Fatal(err)
		}
		if got, _ = r.tables(file.Bytes(), "shop.xlsx", false); len(got.Problems) > 0 || r.shop().offers["year"].Draft.Floor != money.Of(8850, money.CNY) || r.shop().offers["year"].Draft.List != money.Of(19900, money.CNY) {
			t.Errorf("%+v, %+v", got.Problems, r.shop().offers["year"].Draft)
		}
	})
}

// Of an offer that a table has twice nothing else is told.
func TestAnOfferTwiceInATable(t *testing.T) {
	eachImport(t, func(r importRig) {
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		got, _ := r.tables([]byte("slug,price\nwindow,98.00\nwindow,97.00\n"), "prices.csv", true)
		if len(got.Problems) != 1 || got.Problems[0].Code != "catalogue.file_twice" || got.Problems[0].Line != 3 {
			r.t.Errorf("%+v", got.Problems)
		}
	})
}

// What is scheduled stays so: a file neither publishes it before its time nor takes it back, and
// says that only the working copy was changed.
func TestAnImportLeavesAScheduleAlone(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		sold, at := r.shop().offers["year"], r.f.Clock.Now().Add(48*time.Hour)
		if err := r.f.DB.Do(t.Context(), func(tx *db.Tx) error {
			o := sold
			o.Draft.MaxPerOrder = 2
			o, err := r.f.Catalogue.Save(t.Context(), tx, o, r.f.Clock.Now())
			if err == nil {
				_, _, err = r.f.Catalogue.Schedule(t.Context(), tx, o, at, "pty_1", r.f.Clock.Now())
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, format := range CatalogueFormats {
			got, err := r.f.ImportCatalogue(t.Context(), r.export(format, i18n.EN), ImportOptions{Source: "shop." + format})
			if err != nil || got.Count(catalogue.Unchanged) != len(got.Rows) {
				t.Errorf("%s: %v %+v", format, err, got.Rows)
			}
		}
		// One that doesn't say whether to publish would, if nothing were scheduled.
		silent := strings.Replace(string(r.export("json", i18n.EN)), `"publish": false`, `"publish": true`, 1)
		if got, err := r.f.ImportCatalogue(t.Context(), []byte(strings.Replace(silent, `"en": "Year"`, `"en": "The year"`, 1)), ImportOptions{Source: "shop.json"}); err != nil || got.Count(catalogue.Changed) != 1 {
			t.Errorf("%v %+v", err, got.Rows)
		}
		if now := r.shop().offers["year"]; now.Draft.Title.EN != "The year" || now.VersionID != sold.VersionID {
			t.Errorf("%+v, was %+v", now, sold)
		}
		got, result := r.tables([]byte("slug,title.en\nyear,Another\n"), "titles.csv", false)
		now := r.shop().offers["year"]
		if got.Count(catalogue.Changed) != 1 || !got.Rows[0].Held || !strings.Contains(result.Sheets[0].Lines[1].Cells[2], "Only the working copy") {
			t.Errorf("%+v %+v", got.Rows, result.Sheets)
		}
		if now.Draft.Title.EN != "Another" || now.VersionID != sold.VersionID || now.Next.ID == "" || !now.Next.At.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("%+v, was %+v", now, sold)
		}
	})
}

// Rows of one sheet say everything of their offers: there, limits go when their rows do.
func TestASheetSaysAllOfItsOffers(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		got, result := r.tables([]byte("offer,max,window\nyear,7,ever\nsofa,1,ever\ncard,1,week\n"), "limits.csv", false)
		at := map[string]string{}
		for _, p := range got.Problems {
			at[p.Field().Path] = p.Code
		}
		if len(at) != 2 || at["limits!A3"] != "catalogue.file_no_owner" || at["limits!C4, offers[1].limits[0].window"] != "catalogue.limit_window" {
			t.Errorf("%+v", at)
		}
		if l := result.Sheets[0].Lines; l[1].Cells[3] != "would change: limits" || !strings.Contains(l[2].Cells[3], "sofa") || !strings.Contains(l[3].Cells[3], "ever") {
			t.Errorf("%+v", l)
		}
		if got, _ = r.tables([]byte("offer;max;window\nyear;7;ever\n"), "limits.csv", false); got.Count(catalogue.Changed) != 1 {
			t.Errorf("%+v", got.Rows)
		}
		if l := r.shop().offers["year"].Draft.Limits; len(l) != 1 || l[0].Max != 7 || l[0].Window != catalogue.Ever {
			t.Errorf("%+v", l)
		}
	})
}

// What is wrong in a workbook is told at its cell.
func TestProblemsOfTablesHaveTheirCell(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(wholeCatalogue, false, wholeItems, 0, 0)
		book, _, err := tabular.ReadBook(r.export("xlsx", i18n.EN), "", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct{ sheet, column, value, code string }{
			"price":        {"offers", "price", "cheap", "catalogue.file_amount"},
			"blank price":  {"offers", "price", "", "catalogue.price"},
			"time":         {"offers", "starts_at", "tomorrow", "catalogue.file_time"},
			"title":        {"offers", "title.en", "", "catalogue.required"},
			"number":       {"parts", "quantity", "1.5", "catalogue.file_range"},
			"benefit":      {"parts", "benefit", "sofa", "catalogue.file_no_part"},
			"flag":         {"benefits", "coded", "maybe", "catalogue.file_flag"},
			"attribute":    {"benefits", "attributes.days", "many", "catalogue.number"},
			"disclosure":   {"benefits", "disclosure.scope.zh", "", "catalogue.disclosure"},
			"relation":     {"relations", "kind", "hates", "catalogue.relation_kind"},
			"release":      {"choices", "release.every", "fortnight", "bundle.every"},
			"stock":        {"stocks", "kind", "seats", "catalogue.file_stock_kind"},
			"share":        {"choices", "share", "49.00", "bundle.shares"},
			"twice a slug": {"offers", "slug", "card", "catalogue.file_twice"},
		} {
			changed := tabular.Book{Form: book.Form}
			row, column := 0, 0
			for _, s := range book.Sheets {
				own := tabular.Sheet{Name: s.Name}
				for i, line := range s.Lines {
					cells := append([]string(nil), line.Cells...)
					if s.Name == c.sheet && i > 0 && row == 0 {
						for k, h := range s.Lines[0].Cells {
							if catalogue.ColumnName(h) == c.column && (len(cells) > k && cells[k] != "" && cells[k] != c.value || c.column == "starts_at") {
								for len(cells) <= k {
									cells = append(cells, "")
								}
								cells[k], row, column = c.value, i+1, k+1
							}
						}
					}
					own.Lines = append(own.Lines, tabular.Line{Number: line.Number, Cells: cells})
				}
				changed.Sheets = append(changed.Sheets, own)
			}
			var file bytes.Buffer
			if err := changed.Write(&file, nil); err != nil || row == 0 {
				t.Fatal(name, err)
			}
			got, _ := r.tables(file.Bytes(), "shop.xlsx", true)
			found := false
			for _, p := range got.Problems {
				exact := p.Sheet == c.sheet && p.Line == row && p.Column == column || c.code == "bundle.shares" && p.Sheet == "offers"
				found = found || p.Code == c.code && exact
			}
			if !found {
				t.Errorf("%s: %s isn't told at %s: %+v", name, c.code, catalogue.Ref(c.sheet, row, column), got.Problems)
			}
		}
	})
}
