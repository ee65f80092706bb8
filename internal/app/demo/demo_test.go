package demo

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

func TestTheCatalogueCanBeImported(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		// The shop of each year opens with it: what was scheduled may have begun or ended.
		for i, day := range []string{"2026-11-22", "2027-02-06", "2030-01-01"} {
			now, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			f := &flow.Flows{Islands: flow.Islands{Catalogue: catalogue.NewService(), Inventory: inventory.NewService()}, DB: d, Clock: clock.NewFake(now)}
			got, err := f.ImportCatalogue(t.Context(), Catalogue, flow.ImportOptions{Source: "demo"})
			if err != nil || len(got.Problems) > 0 {
				t.Fatalf("%v\n%+v", err, got.Problems)
			}
			for _, r := range got.Rows {
				if r.Kind == "offer" && r.Version != 1 && r.Name != "weekend-at-home" {
					t.Errorf("%s was not published", r.Name)
				}
			}
			if n := got.Count(catalogue.Created); (i == 0) != (n == len(got.Rows)) || (i > 0) != (got.Count(catalogue.Unchanged) == len(got.Rows)) {
				t.Errorf("on %s: %d created of %d: %+v", day, n, len(got.Rows), got.Rows)
			}
		}
	})
}

func TestTheShopShowsEverything(t *testing.T) {
	f := catalogue.ParseFile(Catalogue)
	states, kinds, categories := map[catalogue.State]int{}, map[string]int{}, map[string]int{}
	for _, o := range f.Offers {
		states[o.Offer.State]++
		categories[o.Offer.Category]++
		c := o.Offer.Draft
		for _, text := range []catalogue.Text{c.Title, c.Summary, c.Description} {
			checkText(t, o.Offer.Slug, text)
		}
		if c.Badge.ZH != "" || c.Badge.EN != "" {
			checkText(t, o.Offer.Slug, c.Badge)
		}
	}
	for _, b := range f.Benefits {
		kinds[b.Benefit.Kind]++
		d := b.Benefit.Disclosure
		for _, text := range []catalogue.Text{b.Benefit.Name, d.AccountType, d.Scope, d.Validity, d.HowToUse, d.Refund} {
			checkText(t, b.Benefit.Slug, text)
		}
	}
	providers, bundles := map[string]bool{}, 0
	for _, b := range f.Benefits {
		providers[b.Benefit.Provider.Key] = true
		if b.Benefit.Worth.IsZero() {
			t.Errorf("nobody knows what %s is worth", b.Benefit.Slug)
		}
	}
	for _, o := range f.Offers {
		c := o.Offer.Draft
		if released := len(o.Gives) > 0 && o.Gives[0].Part.Release.Every != catalogue.AtOnce; len(o.Gives) > 1 || released {
			bundles++
		}
		for _, ch := range c.Choices {
			checkText(t, o.Offer.Slug, ch.Name)
		}
		for _, r := range c.Rules {
			checkText(t, o.Offer.Slug, r.Name)
			checkText(t, o.Offer.Slug, catalogue.Text{ZH: r.Source.RefusalZH, EN: r.Source.RefusalEN})
		}
	}
	for _, r := range f.Relations {
		checkText(t, r.Relation.Key, r.Relation.Name)
	}
	if len(f.Benefits) < 60 || len(providers) < 12 || bundles < 20 || len(f.Relations) < 20 {
		t.Errorf("%d benefits of %d providers, %d bundles, %d relations", len(f.Benefits), len(providers), bundles, len(f.Relations))
	}
	if len(f.Offers) < 16 || states[catalogue.Live] < 12 || states[catalogue.Draft] == 0 || states[catalogue.Scheduled] == 0 || states[catalogue.Paused] == 0 {
		t.Errorf("%d offers: %v", len(f.Offers), states)
	}
	for _, k := range catalogue.Kinds() {
		if kinds[k] == 0 {
			t.Errorf("no benefit is a %s", k)
		}
	}
	for _, c := range catalogue.Categories {
		if categories[c] == 0 {
			t.Errorf("the shelf %s is empty", c)
		}
	}
}

// Every stock that waits for codes has its number, and together they are 100,000.
func TestEachStockHasItsCodes(t *testing.T) {
	sum, low, seen := 0, 0, map[int]bool{}
	for _, st := range catalogue.ParseFile(Catalogue).Stocks {
		if st.Kind != inventory.Codes {
			continue
		}
		n := Codes[st.Name]
		if n == 0 || seen[n] {
			t.Errorf("%s has %d codes", st.Name, n)
		}
		if int64(n) <= st.LowMark {
			low++
		}
		sum += n
		seen[n] = true
	}
	if sum != 100_000 || len(seen) != len(Codes) || low != 1 {
		t.Errorf("%d codes in %d of %d stocks, %d of them low", sum, len(seen), len(Codes), low)
	}
}

var punctuation = regexp.MustCompile(`[\p{Han}][,;:!?]|[,;:!?][\p{Han}]`)

// checkText keeps each language to itself.
func checkText(t *testing.T, where string, text catalogue.Text) {
	t.Helper()
	han := func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	}
	if !han(text.ZH) && !strings.Contains(text.ZH, "VIP") || punctuation.MatchString(text.ZH) {
		t.Errorf("%s: %q is not good Chinese", where, text.ZH)
	}
	if text.EN == "" || han(text.EN) || strings.ContainsAny(text.EN, "，。；：、（）「」《》") {
		t.Errorf("%s: %q is not good English", where, text.EN)
	}
}

func TestCodesAreASuppliersFile(t *testing.T) {
	var file bytes.Buffer
	lastDay := time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC)
	const n = 10_000
	if err := WriteCodes(&file, n, lastDay); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&file).ReadAll()
	if err != nil || len(rows) != n+1 || strings.Join(rows[0], ",") != CodesHeader {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	m := vault.GuessMapping(rows[0], 3)
	if !vault.IsHeading(rows[0]) || m.Serial != 0 || m.Password != 1 || m.Expiry != 2 {
		t.Errorf("the columns are taken for %+v", m)
	}
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]+$`)
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		if seen[row[0]] || seen[row[1]] || len(row[0]) != numberLength || len(row[1]) != passwordLength || !form.MatchString(row[0]+row[1]) || row[2] != "2027-12-31" {
			t.Fatalf("row %q", row)
		}
		seen[row[0]], seen[row[1]] = true, true
	}
	if err := WriteCodes(full{}, n, lastDay); err == nil {
		t.Error("a full disk went unnoticed")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func BenchmarkWriteCodes(b *testing.B) {
	for b.Loop() {
		if err := WriteCodes(io.Discard, 100_000, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
