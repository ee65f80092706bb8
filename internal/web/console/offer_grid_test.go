package console

import (
	"regexp"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
)

// rowsOf reads the form of the grid: the fields of every row as they stand.
func rowsOf(body string) (fields []string, row map[string]string) {
	row = map[string]string{}
	for _, m := range regexp.MustCompile(`<input[^>]*name="(rows\[\d+\]\.[a-z_.]+)"[^>]*?value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		fields = append(fields, m[1], m[2])
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]*name="(rows\[\d+\]\.category)".*?value="([a-z]+)" selected`).FindAllStringSubmatch(body, -1) {
		fields = append(fields, m[1], m[2])
	}
	for _, m := range regexp.MustCompile(`name="(rows\[\d+\])\.id" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		row[m[2]] = m[1]
	}
	return fields, row
}

// with replaces values among fields.
func with(fields []string, changes ...string) []string {
	out := append([]string(nil), fields...)
	for i := 0; i+1 < len(changes); i += 2 {
		found := false
		for j := 0; j+1 < len(out); j += 2 {
			if out[j] == changes[i] {
				out[j+1], found = changes[i+1], true
			}
		}
		if !found {
			panic(changes[i])
		}
	}
	return out
}

// Many offers are changed at once; what is wrong with one keeps none of the others, and what
// another saved meanwhile isn't overwritten.
func TestOffersAreEditedInAGrid(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	var second catalogue.Offer
	offer := func(k string) (o catalogue.Offer) {
		r.do(func(tx *db.Tx) (err error) {
			o, err = r.shop.Catalogue.Offer(t.Context(), tx, id.Offer(k))
			return err
		})
		return o
	}
	first := offer(ids["ofr"])
	r.do(func(tx *db.Tx) (err error) {
		second, err = r.shop.Catalogue.Duplicate(t.Context(), tx, first, "second-card", r.shop.Clock.Now())
		return err
	})
	b.get("/console/offers/grid")
	page := b.want(200, first.Slug, "second-card")
	sound(t, "grid", page)
	fields, row := rowsOf(page)
	one, two := row[string(first.ID)], row[string(second.ID)]

	b.post("/console/offers/grid", append(with(fields, one+".price", "7.77", two+".price", "ten"), "op", "publish")...)
	sound(t, "refused", b.want(400, `value="ten"`, "未保存 1 个"))
	if got := offer(string(first.ID)); got.Draft.Price.Minor != 777 || got.Version != first.Version+1 {
		t.Errorf("the good row: %s, v%d", got.Draft.Price, got.Version)
	}
	if got := offer(string(second.ID)); got.Draft.Price != second.Draft.Price {
		t.Errorf("the bad row was saved: %s", got.Draft.Price)
	}

	// The same form again changes nothing more.
	version := offer(string(first.ID)).Version
	b.post("/console/offers/grid", append(with(fields, one+".price", "7.77"), "op", "publish")...)
	b.want(200)
	if got := offer(string(first.ID)).Version; got != version {
		t.Errorf("published again: v%d", got)
	}

	// What was read before that is not written over it.
	b.post("/console/offers/grid", append(with(fields, one+".price", "5.55"), "op", "save")...)
	sound(t, "edited", b.want(400, `value="5.55"`))
	if got := offer(string(first.ID)).Draft.Price.Minor; got != 777 {
		t.Errorf("overwritten: %d", got)
	}
	fields, row = rowsOf(b.last.Body.String())
	b.post("/console/offers/grid", append(with(fields, row[string(first.ID)]+".title.zh", `<script>x</script>`), "op", "save")...)
	if body := b.want(200); strings.Contains(body, "<script>x") {
		t.Error("a title is run")
	}
	if got := offer(string(first.ID)); got.Draft.Price.Minor != 555 {
		t.Errorf("what was looked at again wasn't saved: %s", got.Draft.Price)
	}
}
