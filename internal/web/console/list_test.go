package console

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

var paged = regexp.MustCompile(`href="[^"]*[?;]p=1`)

// A list is sorted by its columns' heads; what it was filtered by stays in the address, and
// another filter or order begins at the first page.
func TestListsAreSortedAndKeepTheirFilters(t *testing.T) {
	r := newRig(t, dbtest.Open(t, "sqlite"))
	b := r.owner()
	cheap, dear := r.shop.Sell(r, 100, "", flowtest.Part{Quantity: 1}), r.shop.Sell(r, 9900, "", flowtest.Part{Quantity: 1})
	first := func(sort string) string {
		b.get("/console/offers?state=live&p=1" + sort)
		body := b.want(200, `<input type="hidden" name="state" value="live">`)
		if paged.MatchString(body) {
			t.Error("a filter or an order keeps the page")
		}
		if strings.Index(body, string(cheap.ID)) < strings.Index(body, string(dear.ID)) {
			return "cheap"
		}
		return "dear"
	}
	for sort, want := range map[string]string{"&sort=price": "cheap", "&sort=-price": "dear"} {
		if got := first(sort); got != want {
			t.Errorf("%s puts the %s one first", sort, got)
		}
	}
	first("&sort=-price")
	b.want(200, `aria-sort="descending"`, `href="/console/offers?sort=price&amp;state=live"`, `<input type="hidden" name="sort" value="-price">`)
	first("&sort=nonsense")
	b.want(200)
}

var rowLink = regexp.MustCompile(`<a class="[^"]*" href="/console/(?:batches|imports)/[a-z]{3}_[0-9a-z]{26}"[^>]*>([^<]*)</a>`)

// named are the rows of a list by their names, the newest first.
func (b *browser) named(path string) string {
	b.Helper()
	b.get(path)
	var out []string
	for _, m := range rowLink.FindAllStringSubmatch(b.want(200), -1) {
		out = append(out, m[1])
	}
	return strings.Join(slices.Compact(out), " ")
}

// Batches and imports are found by their state and by a part of their names, and both stay
// in the address.
func TestBatchesAndImportsAreNarrowed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock, other := r.shop.Stock(t, inventory.Codes), r.shop.Stock(t, inventory.Codes)
		for _, g := range []flow.Generate{{Stock: stock, Name: "Spring_100%"}, {Stock: stock, Name: "spring@2"}, {Stock: other, Name: "Autumn"}} {
			g.Issuer, g.Format, g.Count, g.By = "hufu", vault.DefaultFormat, 3, "ops"
			made, err := r.shop.GenerateCodes(t.Context(), g, nil)
			if err == nil && g.Name == "spring@2" {
				err = r.shop.UndoBatch(t.Context(), made.ID, "ops", "")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		take := func(name string) *vault.Import {
			i, err := r.shop.ReceiveImport(t.Context(), flow.NewImport{Stock: stock, File: strings.NewReader("code\n" + name + "-000001\n"), FileName: name, By: "ops",
				Options: vault.ImportOptions{Issuer: "video", Supplier: "Wholesale"}})
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		act := flow.Act{By: "ops"}
		take("May.csv")
		gone, done := take("june.csv"), take("may-2.csv")
		if _, err := r.shop.CancelImport(t.Context(), gone.ID, act); err != nil {
			t.Fatal(err)
		}
		if _, err := r.shop.CheckImport(t.Context(), done.ID, done.Options, act); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.shop.RunImports(t.Context()); err != nil {
				t.Fatal(err)
			}
			if now, err := r.shop.Import(t.Context(), done.ID); err != nil || now.State != vault.ImportChecked {
				continue
			}
			if _, err := r.shop.StartImport(t.Context(), done.ID, act); err != nil {
				t.Fatal(err)
			}
		}
		for path, want := range map[string]string{
			"/console/batches":                                      "may-2.csv Autumn spring@2 Spring_100%",
			"/console/batches?state=ready":                          "may-2.csv Autumn Spring_100%",
			"/console/batches?state=undone":                         "spring@2",
			"/console/batches?state=nonsense":                       "may-2.csv Autumn spring@2 Spring_100%",
			"/console/batches?q=SPRING":                             "spring@2 Spring_100%",
			"/console/batches?q=spring&state=ready":                 "Spring_100%",
			"/console/batches?q=0%25":                               "Spring_100%",
			"/console/batches?q=g_":                                 "Spring_100%",
			"/console/batches?q=%40":                                "spring@2",
			"/console/batches?q=wholesale":                          "may-2.csv",
			"/console/batches?stock=" + string(stock) + "&q=spring": "spring@2 Spring_100%",
			"/console/batches?stock=" + string(other) + "&q=spring": "",
			"/console/imports":                                      "may-2.csv june.csv May.csv",
			"/console/imports?state=waiting":                        "May.csv",
			"/console/imports?state=done":                           "may-2.csv",
			"/console/imports?state=cancelled&q=JUNE":               "june.csv",
			"/console/imports?q=may":                                "may-2.csv May.csv",
			"/console/imports?state=working":                        "",
			"/console/imports?state=nonsense":                       "may-2.csv june.csv May.csv",
			"/console/imports?q=" + string(gone.ID):                 "june.csv",
		} {
			if got := b.named(path); got != want {
				t.Errorf("%s lists %q, want %q", path, got, want)
			}
		}
		b.get("/console/batches?q=spring&state=ready&stock=" + string(stock))
		b.want(200, `<input type="hidden" name="state" value="ready">`, `<input type="hidden" name="stock" value="`+string(stock)+`">`, `value="spring"`, `href="/console/batches?q=spring&amp;state=undone&amp;stock=`)
		b.get("/console/imports?q=may&state=failed")
		b.want(200, `<input type="hidden" name="state" value="failed">`, `href="/console/imports?q=may"`)
	})
}
