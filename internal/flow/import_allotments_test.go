package flow

import (
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/naming"
)

// pools are how many units each channel is allotted of a stock, with those nobody is as "".
func (r importRig) pools(name string) map[string]int64 {
	r.t.Helper()
	out := map[string]int64{}
	if err := r.f.DB.View(r.t.Context(), func(tx *db.Tx) error {
		all, err := r.f.Inventory.All(r.t.Context(), tx)
		for _, s := range all {
			if err == nil && naming.Same(s.Name, name) {
				out[""] = s.Available - s.Allotted
				allots, wrong := r.f.allotments(r.t.Context(), tx, s)
				for channel, a := range allots {
					out[channel] = a.Size
				}
				err = wrong
			}
		}
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// A file moves allotments while units of them are sold: never below what is sold, and never
// more than there is.
func TestAFileMovesAllotments(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(smallCatalogue, false, 8, 0, 0)
		want := func(what string, web, api, free int64) {
			t.Helper()
			if got := r.pools("seats"); got["web"] != web || got["api"] != api || got[""] != free {
				t.Errorf("%s: the seats are allotted %v, want web %d, api %d, free %d", what, got, web, api, free)
			}
		}
		table := func(cell string, dry bool) CatalogueImport {
			got, _ := r.tables([]byte("name,kind,allotments\nseats,counted,"+cell+"\n"), "stocks.csv", dry)
			return got
		}
		if got := table("web: 60; api: 40", true); got.Count(catalogue.Changed) != 1 || got.Rows[0].Fields[0] != "allotments" {
			t.Errorf("a dry run tells %+v %+v", got.Rows, got.Problems)
		}
		want("a dry run", 0, 0, 200)
		table("web: 60; api: 40", false)
		want("allotted", 60, 40, 100)
		if got := table("api：40；web=60", false); got.Count(catalogue.Unchanged) != 1 {
			t.Errorf("the same again: %+v %+v", got.Rows, got.Problems)
		}
		if err := r.f.DB.Do(t.Context(), func(tx *db.Tx) error {
			all, err := r.f.Inventory.All(t.Context(), tx)
			if err != nil {
				return err
			}
			for _, s := range all {
				if s.Name == "seats" {
					book, err := r.f.Inventory.Open(t.Context(), tx, []id.Stock{s.ID}, nil)
					if err != nil {
						return err
					}
					if !book.Take("web", id.New[id.Line](), map[id.Stock]int64{s.ID: 1}, 25) {
						t.Error("the channel has too few")
					}
					return r.f.Inventory.Save(t.Context(), tx, book, r.c.Now())
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for cell, code := range map[string]string{
			"web: 24":             "catalogue.file_allotment_sold",
			"web: 60; api: 141":   "catalogue.file_allotment_few",
			"web":                 "catalogue.file_allotments",
			"web: many":           "catalogue.file_range",
			"web: 30; web: 40":    "catalogue.file_field_twice",
			"\"we b: 30\"":        "catalogue.file_channel",
			"web: -1":             "catalogue.file_range",
			"web: 99999999999999": "catalogue.file_range",
		} {
			got := table(cell, false)
			if len(got.Problems) != 1 || got.Problems[0].Code != code || got.Problems[0].Line != 2 || got.Problems[0].Column != 3 {
				t.Errorf("%s is told %+v, want %s at C2", cell, got.Problems, code)
			}
			want(cell, 60, 40, 100)
		}
		if got := table("web: 25; api: 175", false); len(got.Problems) != 0 {
			t.Errorf("%+v", got.Problems)
		}
		want("as small as what is sold", 25, 175, 0)
		table("api: 0", false)
		want("a channel that isn't named stays", 25, 0, 175)
	})
}
