package catalogue

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/id"
)

var today = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// someBenefits are few enough that relations between them often meet.
var someBenefits = func() (all []Benefit) {
	for _, provider := range []string{"tv", "music"} {
		for _, tier := range []string{"", "basic", "gold"} {
			for _, days := range []int{0, 31, 366} {
				slug := fmt.Sprintf("%s-%s-%d", provider, tier, days)
				b := Benefit{ID: id.Benefit("ben_" + slug), Slug: slug, Version: 1, Kind: "membership", Provider: Provider{Key: provider}, Name: Text{ZH: "名" + slug, EN: slug}, Attributes: map[string]string{}, Coded: days == 31}
				if tier != "" {
					b.Attributes["tier"] = tier
				}
				if days > 0 {
					b.Attributes["days"] = strconv.Itoa(days)
				}
				all = append(all, b)
			}
		}
	}
	return all
}()

func someSide() *rapid.Generator[Side] {
	return rapid.Custom(func(t *rapid.T) Side {
		return Side{Provider: rapid.SampledFrom([]string{"tv", "music"}).Draw(t, "provider"), Tier: rapid.SampledFrom([]string{"", "basic", "gold"}).Draw(t, "tier"),
			Slug: rapid.SampledFrom([]string{"", "", "", "tv-gold-31"}).Draw(t, "slug")}
	})
}

func someRelations() *rapid.Generator[[]Relation] {
	return rapid.Custom(func(t *rapid.T) []Relation {
		var all []Relation
		for i := range rapid.IntRange(0, 5).Draw(t, "relations") {
			r := Relation{Key: "r" + strconv.Itoa(i), Version: 1, Kind: rapid.SampledFrom(RelationKinds).Draw(t, "kind"), Name: Text{"关系", "relation"}, From: someSide().Draw(t, "from"),
				Severity: rapid.SampledFrom(Severities).Draw(t, "severity")}
			if !r.Kind.Mutual() || rapid.Bool().Draw(t, "two sides") {
				r.To = someSide().Draw(t, "to")
			}
			r.Ever = r.Kind == Excludes && rapid.Bool().Draw(t, "ever")
			all = append(all, r)
		}
		return all
	})
}

func someHeld(prefix string) *rapid.Generator[[]Holding] {
	return rapid.Custom(func(t *rapid.T) []Holding {
		var all []Holding
		for i := range rapid.IntRange(0, 6).Draw(t, "held") {
			b := rapid.SampledFrom(someBenefits).Draw(t, "benefit")
			starts := today.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(t, "ago"))
			var revealed time.Time
			if rapid.Bool().Draw(t, "revealed") {
				revealed = starts.AddDate(0, 0, 1)
			}
			right := id.Right(prefix + strconv.Itoa(i))
			if rapid.IntRange(0, 4).Draw(t, "awaited") == 0 {
				all = append(all, Await(right, &b, starts))
				continue
			}
			all = append(all, Hold(right, &b, starts, time.Time{}, revealed, rapid.IntRange(0, 4).Draw(t, "spent") == 0))
		}
		return all
	})
}

func someParts() *rapid.Generator[[]Part] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Part {
		return Part{Benefit: rapid.SampledFrom(someBenefits).Draw(t, "benefit"), Quantity: int64(rapid.IntRange(1, 3).Draw(t, "quantity"))}
	}), 0, 4)
}

// place names what a finding is about: a need is one thing, met or not.
func (f Finding) place() string {
	if f.Relation.Kind == Needs {
		return f.Relation.Key + " needs"
	}
	return f.Relation.Key + " " + string(f.Case)
}

func TestFindingsDependOnNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held, wanted, relations := someHeld("a").Draw(t, "held"), someParts().Draw(t, "wanted"), someRelations().Draw(t, "relations")
		want := Conflicts(held, wanted, relations, today)
		got := Conflicts(rapid.Permutation(held).Draw(t, "held again"), rapid.Permutation(wanted).Draw(t, "wanted again"), rapid.Permutation(relations).Draw(t, "relations again"), today)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("in another order\n%+v\nnot\n%+v", got, want)
		}
	})
}

func TestSayingTheSameTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held, wanted, relations := someHeld("a").Draw(t, "held"), someParts().Draw(t, "wanted"), someRelations().Draw(t, "relations")
		once := Conflicts(held, wanted, relations, today)
		if twice := Conflicts(slices.Concat(held, held), wanted, slices.Concat(relations, relations), today); !reflect.DeepEqual(once, twice) {
			t.Fatalf("said twice\n%+v\nnot\n%+v", twice, once)
		}
	})
}

func TestMoreTakesNoFindingAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held, wanted, relations := someHeld("a").Draw(t, "held"), someParts().Draw(t, "wanted"), someRelations().Draw(t, "relations")
		more := someRelations().Draw(t, "more relations")
		for i := range more {
			more[i].Key = "more" + strconv.Itoa(i)
		}
		is := map[string]Finding{}
		for _, f := range Conflicts(slices.Concat(held, someHeld("b").Draw(t, "more held")), slices.Concat(wanted, someParts().Draw(t, "more wanted")), slices.Concat(relations, more), today) {
			is[f.place()] = f
		}
		for _, f := range Conflicts(held, wanted, relations, today) {
			now, still := is[f.place()]
			switch {
			case !still:
				t.Fatalf("with more, %s is no longer found", f.place())
			case f.Relation.Kind != Needs && now.Severity != f.Severity:
				t.Fatalf("with more, %s is %s and not %s", f.place(), now.Severity, f.Severity)
			case now.Until.Before(f.Until) && !now.Until.IsZero():
				t.Fatalf("with more, %s runs to %v and not to %v", f.place(), now.Until, f.Until)
			}
		}
	})
}

func TestEveryFindingSaysWhatItIsAbout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held, wanted, relations := someHeld("a").Draw(t, "held"), someParts().Draw(t, "wanted"), someRelations().Draw(t, "relations")
		found := Conflicts(held, wanted, relations, today)
		seen := map[string]bool{}
		for _, f := range found {
			at := slices.IndexFunc(relations, func(r Relation) bool { return r.Key == f.Relation.Key })
			if at < 0 || !reflect.DeepEqual(relations[at], f.Relation) || !slices.Contains(Cases, f.Case) || seen[f.place()] {
				t.Fatalf("%s stands for no relation, no case, or twice", f.place())
			}
			seen[f.place()] = true
			if len(f.Wanted) == 0 || (len(f.Held) == 0) != (f.Case.Inside() || f.Case == NeedsMissing) {
				t.Fatalf("%s has %d wanted and %d held", f.place(), len(f.Wanted), len(f.Held))
			}
			var units int64
			for _, s := range f.Wanted {
				units += s.Quantity
				if !slices.ContainsFunc(wanted, func(p Part) bool { return p.Benefit.ID == s.Benefit && f.Relation.Touches(&p.Benefit) }) {
					t.Fatalf("%s is about %s, which isn't wanted or isn't touched", f.place(), s.Benefit)
				}
			}
			if f.Case.Inside() && units < 2 {
				t.Fatalf("%s is between less than two", f.place())
			}
			for _, s := range f.Held {
				if !slices.ContainsFunc(held, func(h Holding) bool { return h.Benefit.ID == s.Benefit && f.Relation.Touches(h.Benefit) }) {
					t.Fatalf("%s is about %s, which isn't held or isn't touched", f.place(), s.Benefit)
				}
				if s.Over && !f.Relation.Ever {
					t.Fatalf("%s is about what is over", f.place())
				}
			}
			want := f.Relation.Severity
			if f.Case == NeedsHeld || f.Case == NeedsInside {
				want = Inform // a need that is met
			}
			if f.Severity != want {
				t.Fatalf("%s is %s, declared %s", f.place(), f.Severity, f.Relation.Severity)
			}
		}
		if !slices.IsSortedFunc(found, func(a, b Finding) int {
			return slices.Index(Severities, a.Severity) - slices.Index(Severities, b.Severity)
		}) {
			t.Fatal("not the gravest first")
		}
		if len(found) > 0 && Gravest(found) != found[0].Severity {
			t.Fatal("the gravest is another")
		}
		if len(Conflicts(held, nil, relations, today)) > 0 || len(Conflicts(held, wanted, nil, today)) > 0 {
			t.Fatal("found where nothing is wanted or declared")
		}
		if !reflect.DeepEqual(Conflicts(held, wanted, Touched(relations, wanted), today), found) && !slices.ContainsFunc(relations, func(r Relation) bool { return r.Kind == Extends }) {
			t.Fatal("untouched relations matter")
		}
		for _, f := range Conflicts(nil, wanted, relations, today) {
			if !f.Case.Inside() && f.Case != NeedsMissing {
				t.Fatalf("%s is found with nothing held", f.place())
			}
		}
	})
}

// Times that add up make the sum of them, whatever the order of buying, as long as one runs
// when the next is bought.
func TestTimesAddUp(t *testing.T) {
	line := []Relation{{Key: "line", Kind: Extends, From: Side{Provider: "tv"}, Severity: Inform, Name: Text{"甲", "A"}}}
	rapid.Check(t, func(t *rapid.T) {
		var held []Holding
		at, ends := today.AddDate(0, 0, -5), today.AddDate(0, 0, -5)
		first := at
		var sum int64
		for i := range rapid.IntRange(1, 6).Draw(t, "n") {
			days := rapid.Int64Range(10, 400).Draw(t, "days")
			held = append(held, Hold(id.Right("r"+strconv.Itoa(i)), &Benefit{ID: id.Benefit("b" + strconv.Itoa(i)), Provider: Provider{Key: "tv"}, ValidDays: days}, at, at.AddDate(0, 0, int(days)), time.Time{}, false))
			sum += days
			ends = ends.AddDate(0, 0, int(days))
			at = at.Add(time.Duration(rapid.Int64Range(0, min(int64(ends.Sub(at)), int64(today.Sub(at)))).Draw(t, "gap")))
		}
		more := rapid.Int64Range(1, 400).Draw(t, "more")
		found := Conflicts(rapid.Permutation(held).Draw(t, "held"), []Part{{Benefit: Benefit{ID: "w", Provider: Provider{Key: "tv"}, ValidDays: more}, Quantity: 2}}, line, today)
		at0 := slices.IndexFunc(found, func(f Finding) bool { return f.Case == ExtendsHeld })
		if at0 < 0 {
			t.Fatal("nothing found")
		}
		if f := found[at0]; !f.Until.Equal(first.AddDate(0, 0, int(sum))) || !f.Then.Equal(first.AddDate(0, 0, int(sum+2*more))) || f.Days != 2*more {
			t.Fatalf("runs to %v, then to %v; %d days held since %v, and 2 × %d", f.Until, f.Then, sum, first, more)
		}
	})
}

func TestWhatARelationMeans(t *testing.T) {
	b := func(slug, tier string, days int64) Benefit {
		return Benefit{ID: id.Benefit(slug), Slug: slug, Provider: Provider{Key: "tv"}, Name: Text{slug, slug}, Attributes: map[string]string{"tier": tier}, ValidDays: days}
	}
	basic, gold, code := b("basic", "basic", 31), b("gold", "gold", 31), b("code", "basic", 0)
	code.Coded, code.Attributes = true, map[string]string{"tier": "basic", "days": "31"}
	side := func(tier string) Side { return Side{Provider: "tv", Tier: tier} }
	hold := func(x Benefit, ago int) Holding {
		at := today.AddDate(0, 0, -ago)
		ends := time.Time{}
		if !x.Coded {
			ends = at.AddDate(0, 0, int(x.ValidDays))
		}
		return Hold(id.Right(x.Slug+strconv.Itoa(ago)), &x, at, ends, time.Time{}, false)
	}
	one := func(x Benefit) []Part { return []Part{{Benefit: x, Quantity: 1}} }
	relation := func(k RelationKind, from, to Side, ever bool) Relation {
		return Relation{Key: "r", Kind: k, From: from, To: to, Ever: ever, Severity: Block}
	}
	all := Side{Provider: "tv"}
	endless, century := b("endless", "basic", 0), b("century", "basic", 36500)
	awaited := Await("awaited", &basic, today)
	for _, c := range []struct {
		name   string
		r      Relation
		held   []Holding
		wanted []Part
		want   Case
		then   int // days from now; 0: unknown
	}{
		{"the same again", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 1)}, one(basic), ExtendsHeld, 61},
		{"the same after its end", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 32)}, one(basic), "", 0},
		{"an unused code beside what runs", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 1), hold(code, 300)}, one(basic), ExtendsHeld, 92},
		{"an unused code alone", relation(Extends, side("basic"), Side{}, false), []Holding{hold(code, 300)}, one(basic), ExtendsHeld, 0},
		{"an endless one beside what runs", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 1), Hold("endless", &endless, today, time.Time{}, time.Time{}, false)}, one(basic), ExtendsHeld, 0},
		{"what is ordered and not paid for beside what runs", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 1), awaited}, one(basic), ExtendsHeld, 92},
		{"what is ordered and not paid for, alone", relation(Extends, side("basic"), Side{}, false), []Holding{awaited}, one(basic), ExtendsHeld, 0},
		{"four hundred years", relation(Extends, side("basic"), Side{}, false), []Holding{hold(basic, 1), Await("1", &century, today), Await("2", &century, today), Await("3", &century, today), Await("4", &century, today)}, one(basic), ExtendsHeld, 61 + 4*36500},
		{"two in one order", relation(Extends, side("basic"), Side{}, false), nil, []Part{{Benefit: basic, Quantity: 2}}, ExtendsInside, 0},
		{"the lower below the higher", relation(Supersedes, side("gold"), side("basic"), false), []Holding{hold(gold, 1)}, one(basic), HigherHeld, 0},
		{"the higher over the lower", relation(Supersedes, side("gold"), side("basic"), false), []Holding{hold(basic, 1)}, one(gold), LowerHeld, 0},
		{"the higher over all, itself held", relation(Supersedes, side("gold"), all, false), []Holding{hold(gold, 1)}, one(gold), "", 0},
		{"both at once", relation(Supersedes, side("gold"), side("basic"), false), nil, []Part{{Benefit: gold, Quantity: 1}, {Benefit: basic, Quantity: 1}}, SupersedesInside, 0},
		{"exclusive", relation(Excludes, side("gold"), side("basic"), false), []Holding{hold(basic, 1)}, one(gold), ExcludesHeld, 0},
		{"exclusive, and over", relation(Excludes, side("gold"), side("basic"), false), []Holding{hold(basic, 40)}, one(gold), "", 0},
		{"new customers only", relation(Excludes, side("gold"), all, true), []Holding{hold(basic, 40)}, one(gold), ExcludesHeld, 0},
		{"new customers only: an old one buys another", relation(Excludes, side("gold"), side("basic"), true), []Holding{hold(basic, 40)}, one(basic), "", 0},
		{"needs what isn't there", relation(Needs, side("gold"), side("basic"), false), nil, one(gold), NeedsMissing, 0},
		{"needs what is over", relation(Needs, side("gold"), side("basic"), false), []Holding{hold(basic, 40)}, one(gold), NeedsMissing, 0},
		{"needs what is held", relation(Needs, side("gold"), side("basic"), false), []Holding{hold(basic, 1)}, one(gold), NeedsHeld, 0},
		{"needs what comes along", relation(Needs, side("gold"), side("basic"), false), nil, []Part{{Benefit: gold, Quantity: 1}, {Benefit: basic, Quantity: 1}}, NeedsInside, 0},
		{"doesn't need itself", relation(Needs, side("gold"), all, false), nil, []Part{{Benefit: gold, Quantity: 2}}, NeedsMissing, 0},
		{"overlaps", relation(Overlaps, side("gold"), side("basic"), false), []Holding{hold(basic, 1)}, one(gold), OverlapsHeld, 0},
		{"another provider", relation(Overlaps, side("gold"), Side{Provider: "radio"}, false), []Holding{hold(basic, 1)}, one(gold), "", 0},
	} {
		found := Conflicts(c.held, c.wanted, []Relation{c.r}, today)
		if c.want == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", c.name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Case != c.want {
			t.Errorf("%s: %+v, want %s", c.name, found, c.want)
			continue
		}
		then := time.Time{}
		if c.then > 0 {
			then = today.AddDate(0, 0, c.then)
		}
		if !found[0].Then.Equal(then) {
			t.Errorf("%s: then to %v, want %v", c.name, found[0].Then, then)
		}
	}
}

// What is ordered and waits for its payment is told apart from what is held.
func TestWhatIsNotPaidForIsToldApart(t *testing.T) {
	month := Benefit{ID: "month", Provider: Provider{Key: "tv"}, ValidDays: 31, Coded: true}
	held := []Holding{Hold("a", &month, today, time.Time{}, time.Time{}, false), Await("b", &month, today), Await("c", &month, today)}
	found := Conflicts(held, []Part{{Benefit: month, Quantity: 1}}, []Relation{{Key: "line", Kind: Extends, From: Side{Provider: "tv"}, Severity: Inform}}, today)
	if len(found) != 1 || len(found[0].Held) != 2 {
		t.Fatalf("%+v", found)
	}
	for _, s := range found[0].Held {
		if want := map[bool]int64{false: 1, true: 2}[s.Unpaid]; s.Quantity != want || !s.Unused {
			t.Errorf("unpaid %v: %d, unused %v", s.Unpaid, s.Quantity, s.Unused)
		}
	}
}
