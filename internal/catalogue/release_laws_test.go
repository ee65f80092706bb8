package catalogue

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/id"
	"hufu/internal/money"
)

var someZones = []*time.Location{time.UTC, Zone, time.FixedZone("", -9*3600-1800), time.FixedZone("", 14*3600), time.FixedZone("", -11*3600)}

func aMoment() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(time.Date(2020, 1, 1, 0, 0, 0, 0, Zone).Unix(), time.Date(2060, 1, 1, 0, 0, 0, 0, Zone).Unix()).Draw(t, "at"), 0)
		return at.In(rapid.SampledFrom(someZones).Draw(t, "zone"))
	})
}

func aRelease() *rapid.Generator[Release] {
	return rapid.Custom(func(t *rapid.T) Release {
		r := Release{Every: rapid.SampledFrom(Everys[1:]).Draw(t, "every"), Count: rapid.Int64Range(1, MaxReleases).Draw(t, "count")}
		if rapid.Bool().Draw(t, "from") {
			r.From, r.CatchUp = aMoment().Draw(t, "first"), rapid.Bool().Draw(t, "catch up")
		}
		if rapid.IntRange(0, 3).Draw(t, "until") == 0 {
			r.Until = aMoment().Draw(t, "end")
		}
		return r
	})
}

func TestReleasesRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, bought := aRelease().Draw(t, "release"), aMoment().Draw(t, "bought")
		times := r.Times(bought)
		other := r
		other.From = r.From.In(rapid.SampledFrom(someZones).Draw(t, "another zone"))
		if !slices.EqualFunc(times, other.Times(bought.In(rapid.SampledFrom(someZones).Draw(t, "a third"))), time.Time.Equal) {
			t.Fatal("the zone a moment is written in changes the releases")
		}
		if int64(len(times)) > r.Count {
			t.Fatalf("%d releases of %d", len(times), r.Count)
		}
		for i, at := range times {
			switch {
			case at.Before(bought):
				t.Fatalf("given at %s, before it was bought", at)
			case i > 0 && at.Before(times[i-1]):
				t.Fatal("out of order")
			case i > 0 && !r.CatchUp && !at.After(times[i-1]):
				t.Fatal("two at once without catching up")
			case !at.Equal(bought) && !at.Equal(dayOf(at)):
				t.Fatalf("%s is in the middle of a day", at)
			case !at.Equal(bought) && !r.Until.IsZero() && !at.Before(r.Until):
				t.Fatalf("%s isn't before the end", at)
			}
		}
		if r.From.IsZero() && r.Until.IsZero() && int64(len(times)) != r.Count {
			t.Fatalf("%d releases, counted from the purchase, of %d", len(times), r.Count)
		}
		if r.CatchUp && r.Until.IsZero() && int64(len(times)) != r.Count {
			t.Fatalf("%d caught up with, of %d", len(times), r.Count)
		}
	})
}

// Each month has its release, on the day of the first or the month's last.
func TestMonthsAreNeitherSkippedNorHeldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bought := aMoment().Draw(t, "bought")
		y, m, d := bought.In(Zone).Date()
		for i, at := range (Release{Every: EveryMonth, Count: 120}).Times(bought) {
			first := time.Date(y, m+time.Month(i), 1, 0, 0, 0, 0, Zone)
			if ay, am, ad := at.In(Zone).Date(); ay != first.Year() || am != first.Month() || ad > d || ad < d && at.In(Zone).AddDate(0, 0, 1).Day() != 1 {
				t.Fatalf("bought on %d-%d-%d, release %d is on %s", y, m, d, i, at)
			}
		}
	})
}

func TestReleasesByExample(t *testing.T) {
	at := func(text string) time.Time {
		got, err := time.Parse("2006-01-02 15:04 -0700", text+" +0800")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	from := at("2026-01-31 09:00")
	for name, c := range map[string]struct {
		release Release
		bought  string
		want    []string
	}{
		"at once":                  {Release{}, "2026-01-31 15:00", []string{"2026-01-31 15:00"}},
		"ends of months":           {Release{Every: EveryMonth, Count: 4}, "2027-11-30 15:00", []string{"2027-11-30 15:00", "2027-12-30 00:00", "2028-01-30 00:00", "2028-02-29 00:00"}},
		"weeks":                    {Release{Every: EveryWeek, Count: 3}, "2026-12-20 23:59", []string{"2026-12-20 23:59", "2026-12-27 00:00", "2027-01-03 00:00"}},
		"bought before":            {Release{Every: EveryMonth, Count: 2, From: from}, "2026-01-01 12:00", []string{"2026-01-31 00:00", "2026-02-28 00:00"}},
		"bought on a day":          {Release{Every: EveryMonth, Count: 3, From: from}, "2026-02-28 12:00", []string{"2026-02-28 12:00", "2026-03-31 00:00"}},
		"bought after, no more":    {Release{Every: EveryMonth, Count: 3, From: from}, "2026-03-01 12:00", []string{"2026-03-31 00:00"}},
		"bought after, caught":     {Release{Every: EveryMonth, Count: 3, From: from, CatchUp: true}, "2026-03-01 12:00", []string{"2026-03-01 12:00", "2026-03-01 12:00", "2026-03-31 00:00"}},
		"bought when all are over": {Release{Every: EveryMonth, Count: 3, From: from}, "2026-04-01 00:00", nil},
		"ended":                    {Release{Every: EveryDay, Count: 9, Until: at("2026-01-03 00:00")}, "2026-01-01 12:00", []string{"2026-01-01 12:00", "2026-01-02 00:00"}},
	} {
		var got []string
		for _, one := range c.release.Times(at(c.bought)) {
			got = append(got, one.In(Zone).Format("2006-01-02 15:04"))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Content
		n := rapid.IntRange(1, 8).Draw(t, "parts")
		known := rapid.Bool().Draw(t, "known")
		for i := range n {
			p := Part{Benefit: Benefit{ID: id.Benefit(decimal(int64(i)))}, Quantity: rapid.Int64Range(1, 4).Draw(t, "quantity")}
			if known {
				p.Benefit.Worth = yuan(rapid.Int64Range(1, 50_000).Draw(t, "worth"))
			}
			if rapid.Bool().Draw(t, "monthly") {
				p.Release = Release{Every: EveryMonth, Count: rapid.Int64Range(1, 12).Draw(t, "count")}
			}
			c.Parts = append(c.Parts, p)
		}
		price := yuan(rapid.Int64Range(1, 1_000_000).Draw(t, "price"))
		gifts := c.Gifts(nil, aMoment().Draw(t, "bought"))
		got, err := c.Shares(gifts, price)
		if err != nil {
			t.Fatal(err)
		}
		var sum, weights int64
		var weight []int64
		for _, g := range gifts {
			for range int(g.Quantity) * len(g.Times) {
				w := int64(1)
				if known {
					w = c.Parts[g.Part].Benefit.Worth.Minor
				}
				weight, weights = append(weight, w), weights+w
			}
		}
		for i, s := range got {
			sum += s
			exact := float64(price.Minor) * float64(weight[i]) / float64(weights)
			if s < 0 || float64(s) < exact-1.000001 || float64(s) > exact+1.000001 {
				t.Fatalf("a share of %d, in proportion %f", s, exact)
			}
		}
		if sum != price.Minor || len(got) != len(weight) {
			t.Fatalf("%v add up to %d of %d", got, sum, price.Minor)
		}
		// Parts that stand in another order get the same, together.
		turned := c
		turned.Parts = slices.Clone(c.Parts)
		slices.Reverse(turned.Parts)
		again, err := turned.Shares(turned.Gifts(nil, gifts[0].Times[0]), price)
		if err != nil {
			t.Fatal(err)
		}
		a, b := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(again))
		if !slices.Equal(a, b) {
			t.Fatalf("%v, in another order %v", a, b)
		}
	})
}

func TestSharesAsDeclared(t *testing.T) {
	c := aComposed()
	c.Parts[0].Share, c.Choices[0].Share, c.Choices[1].Share = yuan(999), yuan(491), yuan(500)
	c.Parts[1].Benefit.Worth, c.Parts[3].Benefit.Worth = yuan(300), yuan(100)
	gifts := c.Gifts(Picks{"now": {1, 3}}, time.Now())
	of := func(price money.Amount) (out [3]int64, all []int64) {
		all, err := c.Shares(gifts, price)
		if err != nil || len(all) != 1+2+12 {
			t.Fatal(all, err)
		}
		out[0], out[1] = all[0], all[1]+all[2]
		for _, s := range all[3:] {
			out[2] += s
		}
		return out, all
	}
	if got, all := of(c.Price); got != [3]int64{999, 491, 500} || all[1] != 368 || all[2] != 123 || all[3] != 42 || all[14] != 41 {
		t.Errorf("%v %v", got, all)
	}
	if got, _ := of(yuan(995)); got != [3]int64{500, 245, 250} && got != [3]int64{499, 246, 250} && got != [3]int64{500, 246, 249} {
		t.Errorf("at half the price %v", got)
	}
}

func TestValidityByExample(t *testing.T) {
	bought := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	given := bought.AddDate(0, 2, 0)
	day := func(at time.Time, n int) time.Time { return at.AddDate(0, 0, n) }
	for name, c := range map[string]struct {
		validity          Validity
		own               int64
		start, end, begin time.Time
	}{
		"of its own":      {Validity{}, 30, given, day(given, 30), time.Time{}},
		"without end":     {Validity{}, 0, given, time.Time{}, time.Time{}},
		"a window":        {Validity{From: FromWindow, Start: bought, End: day(given, 5)}, 30, bought, day(given, 5), time.Time{}},
		"from purchase":   {Validity{From: FromPurchase, Days: 90}, 30, given, day(bought, 90), time.Time{}},
		"from activation": {Validity{From: FromActivation, Days: 30, Within: 10}, 30, given, time.Time{}, day(given, 10)},
		"from first use":  {Validity{From: FromFirstUse, Days: 30}, 30, given, time.Time{}, time.Time{}},
	} {
		start, end, begin := c.validity.Span(c.own, bought, given)
		if !start.Equal(c.start) || !end.Equal(c.end) || !begin.Equal(c.begin) {
			t.Errorf("%s: %s to %s, to begin by %s", name, start, end, begin)
		}
	}
}
