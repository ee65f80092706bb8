package console

import (
	"regexp"
	"strings"
	"testing"

	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
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
