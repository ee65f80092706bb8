package rule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/money"
)

// TestWhatTheLanguageMeans, kind by kind.
func TestWhatTheLanguageMeans(t *testing.T) {
	f := facts(t, `customer.orders = 3
		customer.age_days = 30
		customer.level = gold
		customer.tags = vip,app
		customer.signed_in = true
		region = CN-31
		now = 2026-11-11 10:00
		today = 2026-11-11
		order.amount = 99.00 CNY`)
	if err := f.Set("channel", Text("")); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Truth{
		`true`:  Yes,
		`false`: No,
		// numbers
		`customer.orders == 3`: Yes, `customer.orders == 3.0`: Yes, `customer.orders != 3`: No, `3 < customer.orders`: No, `3 <= customer.orders`: Yes,
		`customer.orders > -1`: Yes, `customer.orders in [1, 2, 3]`: Yes, `customer.orders not in [1, 2, 3]`: No, `2 < customer.orders < 4`: Yes, `1 <= customer.orders <= 2`: No,
		`customer.orders * 10 == customer.age_days`: Yes, `customer.age_days / customer.orders - 4 * 2 == 2`: Yes, `customer.orders - 3 + 0.5 == 0.5`: Yes,
		`customer.age_days / (customer.orders - 3) > 1`: Unknown, `customer.orders in [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]`: Yes,
		// texts
		`region == "CN-31"`: Yes, `region == "cn-31"`: No, `region != "CN-31"`: No, `"CN-31" == region`: Yes, `region contains "N-3"`: Yes, `region not contains "N-3"`: No,
		`region startsWith "CN"`: Yes, `region endsWith "CN"`: No, `region not endsWith "CN"`: Yes, `channel == ""`: Yes, `region contains ""`: Yes, `customer.level in ["gold"]`: Yes, `region != channel`: Yes,
		// bools
		`customer.signed_in`: Yes, `!customer.signed_in`: No, `customer.signed_in == false`: No, `customer.signed_in != false`: Yes, `not not customer.signed_in`: Yes,
		// sets
		`"vip" in customer.tags`: Yes, `"vip" not in customer.tags`: No, `"x" in customer.tags`: No, `hasAny(customer.tags, ["x", "app"])`: Yes, `hasAll(customer.tags, ["x", "app"])`: No,
		`hasAll(customer.tags, ["vip", "app"])`: Yes, `hasNone(customer.tags, ["x", "y"])`: Yes, `not hasAll(customer.tags, ["x", "app"])`: Yes, `channel in customer.tags`: No,
		// times: a date is the whole day
		`now == "2026-11-11"`: Yes, `now != "2026-11-11"`: No, `now <= "2026-11-11"`: Yes, `now < "2026-11-11"`: No, `now >= "2026-11-11"`: Yes, `now > "2026-11-11"`: No,
		`now > "2026-11-10"`: Yes, `now <= "2026-11-10"`: No, `now == "2026-11-11 10:00"`: Yes, `now > "2026-11-11 10:00"`: No, `now <= "2026-11-11 10:00:00"`: Yes, `now > "2026-11-11 09:59:59"`: Yes,
		`now == "2026-11-11T02:00:00Z"`: Yes, `now > "2026-11-11 00:00"`: Yes, `today == "2026-11-11 00:00"`: Yes, `today < now`: Yes, `"2026-11-01" <= now <= "2026-11-11"`: Yes,
		// amounts
		`order.amount >= "99.00 CNY"`: Yes, `order.amount > "99 CNY"`: No, `order.amount == "99.00 USD"`: Unknown, `order.amount != "99.00 USD"`: Unknown,
		// joined
		`customer.orders == 3 and region == "x"`: No, `customer.orders == 3 or region == "x" and false`: Yes, `(customer.orders == 3 or region == "x") and false`: No, `! (customer.orders == 3 && true)`: No,
		// what isn't known
		`hour == 3`: Unknown, `hour == 3 and false`: No, `hour == 3 or true`: Yes, `hour != 3`: Unknown, `not (hour in [1])`: Unknown, `hour + 1 > 3`: Unknown, `hour * 0 == 0`: Unknown, `customer.orders > hour`: Unknown, `customer.orders < hour`: Unknown, `hour < customer.orders`: Unknown, `device == "mobile"`: Unknown,
		// comments
		"customer.orders == 3 // three\n and /* also */ customer.signed_in": Yes,
	} {
		if got := answer(t, compiled(t, text), f); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

// TestDaysAreThoseOfTheZone, also when one has 23 or 25 hours.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	for zone, hours := range map[string]map[string]int{
		"Asia/Shanghai": {"2026-03-29": 24}, "Europe/Berlin": {"2026-03-29": 23, "2026-10-25": 25}, "UTC": {"2026-03-29": 24},
	} {
		z, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Issuing(z, nil)
		if err != nil {
			t.Fatal(err)
		}
		for date, want := range hours {
			r, err := v.Compile(Source{Text: `now == "` + date + `"`})
			if err != nil {
				t.Fatal(err)
			}
			begin, _ := time.ParseInLocation(time.DateOnly, date, z)
			n := 0
			for h := -30; h < 60; h++ {
				f := v.Facts()
				if err := f.SetMoment(begin.Add(time.Duration(h) * time.Hour)); err != nil {
					t.Fatal(err)
				}
				if got, _ := r.Eval(f); got == Yes {
					n++
				}
			}
			if n != want {
				t.Errorf("%s in %s has %d hours, want %d", date, zone, n, want)
			}
		}
		// The hour that there is twice: its builder form says which.
		for _, s := range []string{"2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00", "2026-10-25 02:30"} {
			text := `now == "` + s + `"`
			b, ok := v.Parse(text)
			back, err := v.Text(b)
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
			x, _ := v.Compile(Source{Text: text})
			y, _ := v.Compile(Source{Text: back})
			if x.root.leaf.b.val.int != y.root.leaf.b.val.int {
				t.Errorf("%s in %s became %s", text, zone, back)
			}
		}
	}
}

func TestSetMoment(t *testing.T) {
	f := words.Facts()
	if err := f.SetMoment(time.Date(2026, 11, 15, 16, 30, 0, 0, time.UTC)); err != nil { // 00:30 on Monday in Shanghai
		t.Fatal(err)
	}
	want := "now = 2026-11-16 00:30\ntoday = 2026-11-16 00:00\nhour = 0\nweekday = 1\nmonth_day = 16\n"
	if f.String() != want {
		t.Errorf("%s, want %s", f, want)
	}
	if got := f.Get("now").Time(); !got.Equal(time.Date(2026, 11, 15, 16, 30, 0, 0, time.UTC)) {
		t.Errorf("now is %s", got)
	}
}

func TestTheAuthorsWordsTakePrecedence(t *testing.T) {
	r, err := words.Compile(Source{Text: "customer.orders == 0", RefusalZH: " 仅限新客。 ", RefusalEN: "For new customers only."})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Explain(facts(t, "customer.orders = 3"))
	if err != nil {
		t.Fatal(err)
	}
	if zh, en := e.Shopper(i18n.ZH), e.Shopper(i18n.EN); !slices.Equal(zh, []string{"仅限新客。"}) || !slices.Equal(en, []string{"For new customers only."}) {
		t.Error(zh, en)
	}
	if staff := e.Staff(i18n.EN); len(staff) != 1 || !strings.Contains(staff[0], "3 orders") {
		t.Error(staff)
	}
	if e, _ = r.Explain(facts(t, "customer.orders = 0")); len(e.Shopper(i18n.EN)) != 0 {
		t.Error("who qualifies is refused", e.Shopper(i18n.EN))
	}
	for s, want := range map[Source]string{
		{Text: "true", RefusalZH: "仅限新客。"}:                                              "rule.refusal_both",
		{Text: "true", RefusalEN: "x"}:                                                  "rule.refusal_both",
		{Text: "true", RefusalZH: "字", RefusalEN: strings.Repeat("x", MaxRefusal+1)}:    "rule.refusal_long",
		{Text: "true", RefusalZH: strings.Repeat("字", MaxRefusal), RefusalEN: "x"}:      "",
		{Text: "true", RefusalZH: strings.Repeat("字", MaxRefusal+1), RefusalEN: "long"}: "rule.refusal_long",
	} {
		if _, err := words.Compile(s); fault.CodeOf(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestBuilderRefusals: each mistake of a form is told at its place.
func TestBuilderRefusals(t *testing.T) {
	cond := func(fact string, op Op, values ...string) Item {
		return Item{Condition: Condition{Fact: fact, Op: op, Values: values}}
	}
	deep := Builder{Items: []Item{cond("hour", OpIs, "1"), cond("hour", OpIs, "2")}}
	for i := range MaxDepth {
		inner := deep
		deep = Builder{Mode: []Mode{All, Any}[i%2], Items: []Item{{Group: &inner}, cond("hour", OpIs, "3")}}
	}
	for name, c := range map[string]struct {
		b          Builder
		path, code string
	}{
		"fact":     {Builder{Items: []Item{cond("hour", OpIs, "1"), cond("nothing", OpIs, "1")}}, "items[1].fact", "rule.item_fact"},
		"op":       {Builder{Items: []Item{cond("hour", OpHas, "1")}}, "items[0].op", "rule.item_op"},
		"none":     {Builder{Items: []Item{cond("hour", OpIs)}}, "items[0].values", "rule.item_values"},
		"many":     {Builder{Items: []Item{cond("hour", OpIs, "1", "2")}}, "items[0].values", "rule.item_values"},
		"number":   {Builder{Items: []Item{cond("hour", OpOneOf, "1", "x")}}, "items[0].values[1]", "rule.item_value_number"},
		"sign":     {Builder{Items: []Item{cond("hour", OpIs, "+1")}}, "items[0].values[0]", "rule.item_value_number"},
		"infinity": {Builder{Items: []Item{cond("hour", OpIs, "inf")}}, "items[0].values[0]", "rule.item_value_number"},
		"large":    {Builder{Items: []Item{cond("hour", OpIs, "9007199254740994")}}, "items[0].values[0]", "rule.item_value_number"},
		"time":     {Builder{Items: []Item{cond("now", OpIs, "soon")}}, "items[0].values[0]", "rule.item_value_time"},
		"amount":   {Builder{Items: []Item{cond("order.amount", OpIs, "9")}}, "items[0].values[0]", "rule.item_value_amount"},
		"text":     {Builder{Items: []Item{cond("region", OpIs, "\xff")}}, "items[0].values[0]", "rule.item_value_text"},
		"choice":   {Builder{Items: []Item{cond("device", OpIs, "teapot")}}, "items[0].values[0]", "rule.item_value_text"},
		"near":     {Builder{Items: []Item{cond("device", OpIs, "moblie")}}, "items[0].values[0]", "rule.item_value_near"},
		"mode":     {Builder{Mode: "most"}, "mode", "rule.item_mode"},
		"nested":   {Builder{Items: []Item{cond("hour", OpIs, "1"), {Group: &Builder{Mode: Any, Items: []Item{cond("now", OpIs, "x")}}}}}, "items[1].items[0].values[0]", "rule.item_value_time"},
		"long":     {Builder{Items: []Item{cond("region", OpIs, strings.Repeat("x", MaxBytes))}}, "items", "rule.too_long"},
		"deep":     {deep, strings.TrimSuffix(strings.Repeat("items[0].", MaxDepth), "."), "rule.item_deep"},
	} {
		_, err := words.Text(c.b)
		e := fault.From(err)
		if e == nil || e.Code != "rule.builder" || e.Kind != fault.Invalid || len(e.Fields) != 1 || e.Fields[0].Path != c.path || e.Fields[0].Code != c.code {
			t.Errorf("%s: %v, want %s at %s", name, err, c.code, c.path)
			continue
		}
		for _, l := range i18n.Langs {
			if said := l.Field(e.Fields[0]); gap.MatchString(said) || strings.ContainsRune(said, '⟦') {
				t.Errorf("%s: said %q", name, said)
			}
		}
	}
}

// TestWhatTheBuilderCantShow is not shown, rather than shown otherwise.
func TestWhatTheBuilderCantShow(t *testing.T) {
	for text, want := range map[string]bool{
		"true": true, "false": false, "true or hour > 3": false, "hour > weekday": false, "hour + 1 > 3": false, "hour > 3 // why": false, "/* why */ hour > 3": false,
		`region == "// no comment"`: true, "hour > ": false, "channel in customer.tags": false, "now > today": false, "customer.signed_in": true, "5 >= hour >= 1": true, "1 < hour < 5": true,
		"not (hour > 3 and hour < 5)": true, "!customer.signed_in": true,
	} {
		if b, ok := words.Parse(text); ok != want {
			t.Errorf("%s: %v %+v", text, ok, b)
		}
	}
}

// TestRangesAreOfOneFact: other chains are two conditions, and a zero has no sign.
func TestRangesAreOfOneFact(t *testing.T) {
	for text, want := range map[string]string{
		"-1 <= hour <= 5": "-1 <= hour <= 5", "hour >= 5 >= weekday": "hour >= 5 and weekday <= 5", "1 < hour <= 5": "hour > 1 and hour <= 5",
		"hour == -0": "hour == 0", "1 <= hour <= 5 and 1 <= weekday": "1 <= hour <= 5 and weekday >= 1", "not (1 <= hour <= 5)": "not (1 <= hour <= 5)",
	} {
		b, _ := words.Parse(text)
		if got, err := words.Text(b); err != nil || got != want {
			t.Errorf("%s is shown as %s (%v), want %s", text, got, err, want)
		}
	}
}

// TestEveryConditionHasItsOpposite: each operator of each fact, with each of a few values,
// against all the values the fact can have and none.
func TestEveryConditionHasItsOpposite(t *testing.T) {
	not := [3]Truth{No: Yes, Yes: No, Unknown: Unknown}
	seen := map[Truth]int{}
	for _, fact := range words.facts {
		cases := []Value{{}, Bool(true), Bool(false), Set(), Set("a"), Set("a", "vip"), Set("b", "a", "vip")}
		for _, s := range valuesFor(fact) {
			v, _ := words.Value(fact.Name, s)
			cases = append(cases, v)
		}
		for _, op := range fact.Kind.Ops() {
			for i, s := range valuesFor(fact) {
				c := Condition{Fact: fact.Name, Op: op, Values: []string{s, valuesFor(fact)[i/2], valuesFor(fact)[0]}}
				if _, high := op.Values(); high < 3 {
					c.Values = c.Values[:high]
				}
				text, err := words.Text(Builder{Items: []Item{{Condition: c}}})
				if err != nil {
					t.Fatal(err)
				}
				plain, opposite := compiled(t, text), compiled(t, "not ("+text+")")
				for _, v := range cases {
					f := words.Facts()
					if f.Set(fact.Name, v) != nil {
						continue // of another kind
					}
					x := answer(t, plain, f)
					seen[x]++
					if y := answer(t, opposite, f); y != not[x] {
						t.Errorf("%s is %s, its opposite %s, for %s", text, x, y, f)
					}
				}
			}
		}
	}
	if seen[Yes] < 100 || seen[No] < 100 || seen[Unknown] < 100 {
		t.Errorf("too few answers: %v", seen)
	}
}

func TestOperatorsAndModesHaveNames(t *testing.T) {
	for k := KindNumber; k <= KindAmount; k++ {
		if len(k.Ops()) == 0 || !i18n.Has("rule.kind."+k.String()) {
			t.Errorf("%s has no operators or no name", k)
		}
		for _, op := range k.Ops() {
			for _, l := range i18n.Langs {
				if s := op.Label(k, l); strings.ContainsRune(s, '⟦') {
					t.Error(s)
				}
			}
		}
	}
	for _, m := range Modes {
		if !i18n.Has("rule.mode." + string(m)) {
			t.Errorf("%s has no name", m)
		}
	}
	for _, f := range words.All() {
		for _, s := range f.Examples {
			if _, ok := words.Value(f.Name, s); !ok {
				t.Errorf("the example %q is no value of %s", s, f.Name)
			}
		}
	}
}

func TestMistakesInAVocabularyAreFound(t *testing.T) {
	ok := Fact{Name: "a.b_1", Kind: KindNumber, Message: "rule.fact.hour"}
	with := func(change func(*Fact)) Fact { f := ok; change(&f); return f }
	if _, err := NewVocabulary(time.UTC, ok, with(func(f *Fact) { f.Name = "a" })); err != nil {
		t.Fatal(err)
	}
	for name, facts := range map[string][]Fact{
		"twice": {ok, ok}, "no name": {with(func(f *Fact) { f.Name = "" })}, "upper case": {with(func(f *Fact) { f.Name = "A" })}, "reserved": {with(func(f *Fact) { f.Name = "a.not" })},
		"no kind": {with(func(f *Fact) { f.Kind = 0 })}, "bad kind": {with(func(f *Fact) { f.Kind = 99 })}, "no message": {with(func(f *Fact) { f.Message = "rule.fact.nothing" })},
		"no unit": {with(func(f *Fact) { f.Unit = "rule.unit.nothing" })}, "choices": {with(func(f *Fact) { f.Choices = []Choice{{Value: "a"}} })},
		"choice": {with(func(f *Fact) { f.Kind, f.Choices = KindText, []Choice{{Value: "a", Key: "rule.device.nothing"}} })}, "many": make([]Fact, MaxFacts+1),
	} {
		if _, err := NewVocabulary(time.UTC, facts...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewVocabulary(nil, ok); err == nil {
		t.Error("no zone: no error")
	}
}

func TestAmountsAreReadExactly(t *testing.T) {
	r := compiled(t, `order.amount == "0.01 CNY"`)
	f := words.Facts()
	if err := f.Set("order.amount", Amount(money.Of(1, money.CNY))); err != nil {
		t.Fatal(err)
	}
	if answer(t, r, f) != Yes || f.Get("order.amount").Amount() != money.Of(1, money.CNY) {
		t.Error("0.01 CNY is not one fen")
	}
}
