package catalogue

import (
	"slices"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

// aComposed is a fixed part, a choice of two of three made when ordering, and one of two made
// later, each month of a year.
func aComposed() Content {
	c := aContent()
	part := func(slug, choice string) Part {
		b := aBenefit(slug)
		b.ID = id.Benefit("ben_" + slug)
		return Part{Benefit: b, Quantity: 1, Choice: choice}
	}
	c.Parts = append(c.Parts, part("film", "now"), part("music", "now"), part("book", "now"), part("tea", "gift"), part("coffee", "gift"))
	c.Choices = []Choice{{Key: "now", Name: both("Two of three"), Pick: 2},
		{Key: "gift", Name: both("A drink a month"), Pick: 1, Later: true, Days: 20, Release: Release{Every: EveryMonth, Count: 12}}}
	return c
}

func yuan(minor int64) money.Amount { return money.Of(minor, money.CNY) }

func TestBundlesAreJudgedFieldByField(t *testing.T) {
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, Zone)
	monthly := Release{Every: EveryMonth, Count: 12}
	shares := func(c *Content, of ...int64) {
		c.Parts[0].Share, c.Choices[0].Share, c.Choices[1].Share = yuan(of[0]), yuan(of[1]), yuan(of[2])
	}
	for name, c := range map[string]struct {
		spoil func(c *Content)
		path  string
		code  string
	}{
		"good":                    {func(c *Content) {}, "", ""},
		"shares that add up":      {func(c *Content) { shares(c, 990, 500, 500) }, "", ""},
		"released month by month": {func(c *Content) { c.Parts[0].Release = monthly }, "", ""},
		"the same fixed too":      {func(c *Content) { c.Parts[0].Benefit = c.Parts[1].Benefit }, "", ""},
		"the same at once too":    {func(c *Content) { c.Parts = append(c.Parts, c.Parts[0]); c.Parts[0].Release = monthly }, "", ""},
		"a window": {func(c *Content) {
			c.Parts[0].Validity = Validity{From: FromWindow, Start: day, End: day.Add(time.Hour)}
		}, "", ""},
		"days from activation": {func(c *Content) { c.Parts[0].Validity = Validity{From: FromActivation, Days: 30, Within: 90} }, "", ""},
		"a floor":              {func(c *Content) { c.Floor = yuan(1990) }, "", ""},
		"the same twice":       {func(c *Content) { c.Parts = append(c.Parts, c.Parts[0]) }, "parts[6]", "catalogue.part_twice"},
		"an option twice":      {func(c *Content) { c.Parts[2].Benefit = c.Parts[1].Benefit }, "parts[2]", "catalogue.part_twice"},
		"a key that is no slug": {func(c *Content) {
			c.Choices[0].Key, c.Parts[1].Choice, c.Parts[2].Choice, c.Parts[3].Choice = "N:1", "N:1", "N:1", "N:1"
		}, "choices[0].key", "bundle.choice_key"},
		"nothing to choose":        {func(c *Content) { c.Choices[0].Pick = 3 }, "choices[0].pick", "bundle.pick"},
		"none picked":              {func(c *Content) { c.Choices[0].Pick = 0 }, "choices[0].pick", "bundle.pick"},
		"a choice without a name":  {func(c *Content) { c.Choices[0].Name.EN = "" }, "choices[0].name.en", "catalogue.required"},
		"no such choice":           {func(c *Content) { c.Parts[0].Choice = "other" }, "parts[0].choice", "bundle.no_choice"},
		"later without days":       {func(c *Content) { c.Choices[1].Days = 0 }, "choices[1].days", "bundle.choice_days"},
		"days without later":       {func(c *Content) { c.Choices[0].Days = 3 }, "choices[0].days", "bundle.choice_days"},
		"options of two sizes":     {func(c *Content) { c.Parts[5].Quantity = 2 }, "choices[1]", "bundle.later_quantity"},
		"an option's release":      {func(c *Content) { c.Parts[1].Release = monthly }, "parts[1].release", "bundle.option_release"},
		"an option's share":        {func(c *Content) { shares(c, 990, 500, 500); c.Parts[1].Share = yuan(1) }, "parts[1].share", "bundle.option_share"},
		"some shares":              {func(c *Content) { shares(c, 990, 1000, 0) }, "choices[1].share", "bundle.share"},
		"shares that don't":        {func(c *Content) { shares(c, 990, 500, 501) }, "shares", "bundle.shares"},
		"a share elsewhere":        {func(c *Content) { shares(c, 990, 500, 500); c.Parts[0].Share = money.Of(990, money.USD) }, "parts[0].share", "bundle.share"},
		"an unknown time between":  {func(c *Content) { c.Parts[0].Release = Release{Every: "year", Count: 2} }, "parts[0].release.every", "bundle.every"},
		"no releases":              {func(c *Content) { c.Parts[0].Release = Release{Every: EveryDay} }, "parts[0].release.count", "bundle.release_count"},
		"too many releases":        {func(c *Content) { c.Parts[0].Release = Release{Every: EveryDay, Count: 121} }, "parts[0].release.count", "bundle.release_count"},
		"a count at once":          {func(c *Content) { c.Parts[0].Release = Release{Count: 2} }, "parts[0].release", "bundle.release_once"},
		"catching up with nothing": {func(c *Content) { c.Parts[0].Release = Release{Every: EveryDay, Count: 2, CatchUp: true} }, "parts[0].release.catch_up", "bundle.catch_up"},
		"until before from":        {func(c *Content) { c.Parts[0].Release = Release{Every: EveryDay, Count: 2, From: day, Until: day} }, "parts[0].release.until", "bundle.release_until"},
		"an unknown beginning":     {func(c *Content) { c.Parts[0].Validity.From = "birth" }, "parts[0].validity.from", "bundle.valid_from"},
		"no days from purchase":    {func(c *Content) { c.Parts[0].Validity.From = FromPurchase }, "parts[0].validity.days", "bundle.valid_days"},
		"days from the grant":      {func(c *Content) { c.Parts[0].Validity.Days = 3 }, "parts[0].validity.days", "bundle.valid_days"},
		"within without a begin":   {func(c *Content) { c.Parts[0].Validity = Validity{From: FromPurchase, Days: 3, Within: 3} }, "parts[0].validity.within", "bundle.valid_within"},
		"a window that ends first": {func(c *Content) { c.Parts[0].Validity = Validity{From: FromWindow, Start: day, End: day} }, "parts[0].validity.end", "bundle.window"},
		"an end without a window":  {func(c *Content) { c.Parts[0].Validity.End = day }, "parts[0].validity.end", "bundle.window_only"},
		"dead when released": {func(c *Content) {
			c.Parts[0].Release, c.Parts[0].Validity = monthly, Validity{From: FromPurchase, Days: 300}
		}, "parts[0].validity", "bundle.validity_release"},
		"a floor above the price": {func(c *Content) { c.Floor = yuan(1991) }, "floor", "bundle.floor"},
		"a worth below nothing":   {func(c *Content) { c.Parts[0].Benefit.Worth = yuan(-1) }, "parts[0].benefit.worth", "bundle.worth"},
		"too many rights": {func(c *Content) { c.Parts[0].Release, c.Parts[0].Quantity = Release{Every: EveryMonth, Count: 12}, 84 }, "parts[0].quantity",
			"bundle.too_many_rights"},
	} {
		content := aComposed()
		c.spoil(&content)
		err := content.Validate()
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f := fault.From(err)
		if f == nil || len(f.Fields) != 1 || f.Fields[0].Path != c.path || f.Fields[0].Code != c.code {
			t.Errorf("%s: %v, want %s at %s alone", name, err, c.code, c.path)
		}
	}
}

func TestWhatBindsABuyerIsSeen(t *testing.T) {
	for name, change := range map[string]func(c *Content){
		"another choice":   func(c *Content) { c.Choices[1].Days++ },
		"another option":   func(c *Content) { c.Parts[4].Choice = "now" },
		"another validity": func(c *Content) { c.Parts[0].Validity = Validity{From: FromActivation, Days: 3} },
		"another release":  func(c *Content) { c.Parts[0].Release = Release{Every: EveryDay, Count: 1} },
	} {
		was, is := aComposed(), aComposed()
		if !was.SameTerms(is) {
			t.Fatal("a bundle differs from itself")
		}
		if change(&is); was.SameTerms(is) || is.SameTerms(was) {
			t.Errorf("%s goes unseen", name)
		}
	}
	was, is := aComposed(), aComposed()
	is.Choices[0].Share = yuan(3)
	if !was.SameTerms(is) {
		t.Error("what a part stands for in the price is no term")
	}
}

func TestPicksAreThoseAskedFor(t *testing.T) {
	c := aComposed()
	for name, p := range map[string]struct {
		picks Picks
		code  string
	}{
		"two of three": {Picks{"now": {1, 3}}, ""},
		"none":         {nil, "order.picks"},
		"one":          {Picks{"now": {1}}, "order.picks"},
		"three":        {Picks{"now": {1, 2, 3}}, "order.picks"},
		"one twice":    {Picks{"now": {1, 1}}, "order.picks"},
		"out of order": {Picks{"now": {3, 1}}, "order.picks"},
		"a fixed part": {Picks{"now": {0, 1}}, "order.picks"},
		"out of range": {Picks{"now": {1, 99}}, "order.picks"},
		"below zero":   {Picks{"now": {-1, 1}}, "order.picks"},
		"later's":      {Picks{"now": {1, 2}, "gift": {4}}, "order.picks_later"},
		"unknown":      {Picks{"now": {1, 2}, "x": {4}}, "order.picks_unknown"},
	} {
		err := c.CheckPicks(p.picks, "lines[2].picks")
		f := fault.From(err)
		if p.code == "" && err == nil {
			continue
		}
		if p.code == "" || f == nil || f.Code != p.code || len(f.Fields) != 1 || f.Fields[0].Path != "lines[2].picks" {
			t.Errorf("%s: %v, want %q", name, err, p.code)
		}
		c.Gifts(p.picks, time.Now()) // takes anything
	}
}

func TestABundleTakesWhatWasPickedAndWhatIsPromised(t *testing.T) {
	c := aComposed()
	now := time.Date(2026, 3, 31, 15, 0, 0, 0, Zone)
	c.Stock = "stk_offer"
	for i := range c.Parts {
		c.Parts[i].Benefit.Stock = id.Stock("stk_" + c.Parts[i].Benefit.Slug)
	}
	c.Parts[2].Quantity = 3
	need := c.Supplies(Picks{"now": {1, 2}}, now)
	want := map[id.Stock]int64{"stk_offer": 1, "stk_month": 1, "stk_film": 1, "stk_music": 3, "stk_tea": 12}
	if len(need) != len(want) {
		t.Errorf("takes %v", need)
	}
	for s, n := range want {
		if need[s] != n {
			t.Errorf("takes %d of %s, want %d", need[s], s, n)
		}
	}
	picks := c.Plentiful(func(s id.Stock) int64 { return map[id.Stock]int64{"stk_film": 4, "stk_music": 14, "stk_book": 5}[s] })
	if !slices.Equal(picks["now"], []int{1, 3}) || len(picks) != 1 { // 14 make 4 of three
		t.Errorf("most is left of %v", picks)
	}
	if all := c.Stocks(); len(all) != 7 || !slices.IsSorted(all) {
		t.Errorf("may take from %v", all)
	}
	c.Choices[1].Release.Until = now
	if p, over := c.Over(Picks{"now": {1, 2}}, now); !over || p.Benefit.Slug != "tea" {
		t.Errorf("what is released no more goes unseen: %v", over)
	}
}
