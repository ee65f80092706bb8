package catalogue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
)

// A day and a month of a limit begin at midnight of UTC+8, to the microsecond.
func TestWindowsBeginInTheShopsZone(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		window     Window
		now        string
		scope, end string
	}{
		{Day, "2026-06-01T15:59:59.999999Z", "2026-06-01/*/all", "2026-06-01T16:00:00Z"},
		{Day, "2026-06-01T16:00:00Z", "2026-06-02/*/all", "2026-06-02T16:00:00Z"},
		{Day, "2024-02-28T20:00:00Z", "2024-02-29/*/all", "2024-02-29T16:00:00Z"},
		{Day, "2026-12-31T16:00:00Z", "2027-01-01/*/all", "2027-01-01T16:00:00Z"},
		{Month, "2026-06-30T15:59:59Z", "2026-06/*/all", "2026-06-30T16:00:00Z"},
		{Month, "2026-12-31T16:00:00Z", "2027-01/*/all", "2027-01-31T16:00:00Z"},
		{Ever, "2026-06-01T16:00:00Z", "ever/*/all", ""},
	} {
		l := Limit{Max: 1, Window: c.window, Of: Everybody}
		if got := l.Scopes(at(c.now), nil); len(got) != 1 || got[0] != c.scope {
			t.Errorf("%s at %s: %v, want %s", c.window, c.now, got, c.scope)
		}
		next := l.Next(at(c.now))
		if c.end == "" && !next.IsZero() || c.end != "" && !next.Equal(at(c.end)) {
			t.Errorf("%s at %s: the next begins at %s, want %s", c.window, c.now, next, c.end)
		}
	}
	got := Limit{Max: 1, Window: Ever, Channel: "web", Of: Person}.Scopes(at("2026-06-01T00:00:00Z"), []string{"party:a", "phone:b"})
	if !slices.Equal(got, []string{"ever/web/party:a", "ever/web/phone:b"}) {
		t.Error(got)
	}
}

func TestLimitsAreChecked(t *testing.T) {
	for _, c := range []struct {
		limits []Limit
		want   string
	}{
		{nil, ""},
		{[]Limit{{1, Ever, "", Person}, {1, Day, "", Person}, {1, Ever, "web", Person}, {1, Ever, "", Everybody}, {5, Month, "api", Everybody}}, ""},
		{[]Limit{{0, Ever, "", Person}}, "limits[0].max catalogue.limit_max"},
		{[]Limit{{1 << 40, Ever, "", Person}}, "limits[0].max catalogue.limit_max"},
		{[]Limit{{1, "week", "", Person}}, "limits[0].window catalogue.limit_window"},
		{[]Limit{{1, Ever, "fax", Person}}, "limits[0].channel catalogue.limit_channel"},
		{[]Limit{{1, Ever, "", "cat"}}, "limits[0].of catalogue.limit_of"},
		{[]Limit{{1, Ever, "", Person}, {2, Ever, "", Person}}, "limits[1] catalogue.limit_twice"},
		{make([]Limit, maxLimits+1), "limits catalogue.too_many_limits"},
	} {
		var got []string
		for _, f := range fault.From(Content{Limits: c.limits}.Validate()).Fields {
			if strings.HasPrefix(f.Path, "limits") {
				got = append(got, f.Path+" "+f.Code)
			}
		}
		if c.want == "" && len(got) > 0 || c.want != "" && !slices.Contains(got, c.want) {
			t.Errorf("%v: %v, want %q", c.limits, got, c.want)
		}
	}
}

// A catalogue file says limits in full or leaves out what is usual, and what differs is told.
func TestLimitsOfAFile(t *testing.T) {
	f := ParseFile([]byte(with(t, `"price"`, `"limits": [{"max": 1}, {"max": 20, "window": "day", "of": "everybody", "channel": "api"}], "price"`)))
	want := []Limit{{1, Ever, "", Person}, {20, Day, "api", Everybody}}
	if told, _ := f.Problems(); len(told) > 0 || !slices.Equal(f.Offers[0].Offer.Draft.Limits, want) {
		t.Fatalf("%v, %v", f.Offers[0].Offer.Draft.Limits, told)
	}
	is := f.Offers[0].Offer
	was := is
	if was.Draft.Limits = want[:1]; !slices.Equal(differing(offerParts(was), offerParts(is)), []string{"limits"}) {
		t.Error("a limit that differs isn't told")
	}
}
