package console

import (
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// An offer has what the stock that runs out first still makes, and is low when any of its
// stocks is.
func TestWhatAnOfferHasLeft(t *testing.T) {
	stocks := map[id.Stock]*inventory.Stock{"a": {Available: 100, Delivered: 40, LowMark: 10}, "b": {Available: 9, Delivered: 7, LowMark: 9}, "c": {Available: 10, Delivered: 4}}
	part := func(s id.Stock, n int64) catalogue.Part {
		return catalogue.Part{Benefit: catalogue.Benefit{Stock: s}, Quantity: n}
	}
	for name, c := range map[string]struct {
		content catalogue.Content
		want    supply
	}{
		"no stock":    {catalogue.Content{Parts: []catalogue.Part{part("", 1)}}, supply{}},
		"one":         {catalogue.Content{Stock: "a"}, supply{true, 100, 40, false}},
		"two of each": {catalogue.Content{Parts: []catalogue.Part{part("c", 2)}}, supply{true, 5, 2, false}},
		"the least":   {catalogue.Content{Stock: "a", Parts: []catalogue.Part{part("b", 1)}}, supply{true, 9, 7, true}},
	} {
		if got := supplyOf(c.content.Supplies(nil, time.Now()), stocks); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if byAvailable(supply{}, supply{Counted: true, Available: 1}) <= 0 || byAvailable(supply{Counted: true}, supply{Counted: true, Available: 1}) >= 0 {
		t.Error("what runs out first doesn't come first")
	}
}
