package catalogue_test

import (
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/id"
)

// What a finding promised before a purchase is what the right runs to after it.
func TestARightRunsOnAsItsPurchaseWasTold(t *testing.T) {
	month := &catalogue.Benefit{ID: "ben_1", Kind: "membership", Provider: catalogue.Provider{Key: "tv"}, ValidDays: 31, Attributes: map[string]string{"days": "31"}}
	other := &catalogue.Benefit{ID: "ben_2", Kind: "membership", Provider: catalogue.Provider{Key: "films"}, ValidDays: 31, Attributes: map[string]string{"days": "31"}}
	day := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	had := []catalogue.Holding{{Right: "rgt_1", Benefit: month, Starts: now, Ends: day(31)}, {Right: "rgt_0", Benefit: other, Starts: now, Ends: day(31)}}
	relations := []catalogue.Relation{line("a")}
	if got := catalogue.RunOn(had, relations); len(got) != 0 {
		t.Errorf("alone they run to %v", got)
	}
	found := catalogue.Conflicts(had, []catalogue.Part{{Benefit: *month, Quantity: 1}}, relations, day(10))
	has := append(had, catalogue.Holding{Right: "rgt_2", Benefit: month, Starts: day(10), Ends: day(41)})
	got := catalogue.RunOn(has, relations)
	if len(found) != 1 || len(got) != 1 || !got[id.Right("rgt_2")].Equal(day(62)) || !found[0].Then.Equal(day(62)) {
		t.Errorf("promised %+v, runs to %v", found, got)
	}
	if got := catalogue.RunOn(has, nil); len(got) != 0 {
		t.Errorf("without a relation they run to %v", got)
	}
}
