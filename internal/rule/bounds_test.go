package rule

import (
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/fault"
)

// TestNestedChainsAreReadOnce: the parser's comparisons in a chain share their middle, and
// a reader that forgets so needs 2^n steps for n of them nested. This does not end then.
func TestNestedChainsAreReadOnce(t *testing.T) {
	text := "customer.orders"
	for range 100 {
		text = "1<(" + text + ")<2"
	}
	_, err := words.Compile(Source{Text: text})
	if p := Problems(err); len(p) == 0 || p[0].Code != "rule.compared_condition" {
		t.Fatalf("%+v", p)
	}
}

// TestTextsOverTheBoundsAreRefused and those at the bounds are not.
func TestTextsOverTheBoundsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"true" + strings.Repeat(" ", MaxBytes-4):                "",
		"true" + strings.Repeat(" ", MaxBytes-3):                "rule.too_long",
		strings.Repeat("(", MaxBytes):                           "rule.unfinished",
		strings.Repeat("!", 500) + "true":                       "",
		strings.Repeat("!", MaxNodes) + "true":                  "rule.too_complex",
		"true" + strings.Repeat(" or true", MaxNodes/2-1):       "",
		"true" + strings.Repeat(" or true", MaxNodes/2):         "rule.too_complex",
		"hour in [0" + strings.Repeat(",1", MaxNodes-4) + "]":   "",
		"hour in [0" + strings.Repeat(",1", MaxNodes) + "]":     "rule.too_complex",
		`region == "` + strings.Repeat("长", MaxBytes/3-5) + `"`: "",
		`region == "` + strings.Repeat("长", MaxBytes/3) + `"`:   "rule.too_long",
		"hour == 9007199254740992":                              "",
		"hour == 9007199254740994":                              "rule.number",
		"hour == 9007199254740992 * 9007199254740992":           "rule.number",
		"hour == 1 / 0":                                               "rule.division",
		"customer.orders / (2 - 2) > 1":                               "rule.division",
		"1 / customer.orders > 1":                                     "",
		"hour == 99999999999999999999":                                "rule.number",
		`now == "9999-01-01"`:                                         "rule.wants_time",
		`now == "9998-12-31"`:                                         "",
		`now == "0000-01-01"`:                                         "rule.wants_time",
		`order.amount == "9999999999999999.00 CNY"`:                   "rule.wants_amount",
		"customer.orders in [customer.orders, customer.age_days + 1]": "rule.list_fact",
	} {
		_, err := words.Compile(Source{Text: text})
		p := Problems(err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%.60s: %v", text, err)
		case want != "" && (len(p) == 0 || p[0].Code != want):
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

// TestProblemsAreToldUpToALimit, the first ones.
func TestProblemsAreToldUpToALimit(t *testing.T) {
	_, err := words.Compile(Source{Text: "xxxxx == 1" + strings.Repeat(" and\nxxxxx == 1", 20)})
	p := Problems(err)
	if len(p) != maxProblems {
		t.Fatalf("%d problems", len(p))
	}
	for i := range p {
		if p[i].Line != i+1 || p[i].Column != 1 || p[i].Piece != "xxxxx" {
			t.Errorf("%+v", p[i].Place)
		}
	}
	if Problems(nil) != nil || Problems(fault.New(fault.Invalid, "rule.builder")) != nil {
		t.Error("other errors have problems")
	}
}

// TestValuesOverTheBoundsAreRefused as well as those of another kind, and leave what was.
func TestValuesOverTheBoundsAreRefused(t *testing.T) {
	f := words.Facts()
	if err := f.Set("region", Text("a")); err != nil {
		t.Fatal(err)
	}
	many := make([]string, MaxSetSize+1)
	for _, c := range []struct {
		name string
		val  Value
	}{
		{"region", Text(strings.Repeat("x", MaxTextBytes+1))}, {"region", Int(1)}, {"region", Set("a")}, {"nothing", Int(1)},
		{"customer.tags", Set(many...)}, {"customer.tags", Set(strings.Repeat("x", MaxTextBytes+1))},
	} {
		if err := f.Set(c.name, c.val); fault.CodeOf(err) != "rule.wrong_fact" {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, ref := range []Ref{-1, Ref(len(words.facts))} {
		if fault.CodeOf(f.SetRef(ref, Int(1))) != "rule.wrong_fact" {
			t.Errorf("place %d was set", ref)
		}
	}
	if f.Get("region").Text() != "a" || f.Get("nothing").Kind() != 0 {
		t.Errorf("%s", f)
	}
	f.Reset()
	if f.String() != "" {
		t.Errorf("after a reset: %s", f)
	}
}

func TestFactsOfAnotherVocabularyAreRefused(t *testing.T) {
	other, err := Issuing(shanghai, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := compiled(t, "true")
	for _, f := range []*Facts{nil, other.Facts()} {
		if got, err := r.Eval(f); got != Unknown || fault.CodeOf(err) != "rule.other_vocabulary" {
			t.Errorf("%s, %v", got, err)
		}
		if e, err := r.Explain(f); e.Truth != Unknown || err == nil {
			t.Errorf("%+v, %v", e, err)
		}
		if got, err := r.Tally().Add(f); got != Unknown || err == nil {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// TestAnswersAllocateNothing: so a preview over a million cases has nothing to collect.
func TestAnswersAllocateNothing(t *testing.T) {
	r := compiled(t, busy)
	f := busyFacts(t)
	tally := r.Tally()
	if n := testing.AllocsPerRun(100, func() { _, _ = tally.Add(f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestOneRuleIsAskedByMany at once.
func TestOneRuleIsAskedByMany(t *testing.T) {
	r := compiled(t, busy)
	shared := busyFacts(t)
	want := answer(t, r, shared)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			own := busyFacts(t)
			for i := range 200 {
				_ = own.Set("customer.orders", Int(int64(i)))
				_, _ = r.Eval(own)
				if got, err := r.Eval(shared); got != want || err != nil {
					t.Errorf("%s, %v", got, err)
				}
				_, _ = r.Explain(own)
			}
		})
	}
	wg.Wait()
}

// busy is a rule as a campaign has it, of six conditions.
const busy = `customer.orders <= 3 and customer.age_days >= 30 and customer.level in ["silver", "gold"] and ` +
	`not hasAny(customer.tags, ["staff", "blocked"]) and (region == "CN-31" or region startsWith "CN-4") and now < "2026-11-12 00:00"`

func busyFacts(t testing.TB) *Facts {
	f := words.Facts()
	for name, v := range map[string]Value{"customer.orders": Int(2), "customer.age_days": Int(200), "customer.level": Text("gold"),
		"customer.tags": Set("vip", "app", "gift"), "region": Text("CN-44")} {
		if err := f.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.SetMoment(time.Date(2026, 11, 11, 10, 0, 0, 0, shanghai)); err != nil {
		t.Fatal(err)
	}
	return f
}

func BenchmarkEval(b *testing.B) {
	for name, text := range map[string]string{"one condition": "customer.orders <= 3", "six conditions": busy} {
		b.Run(name, func(b *testing.B) {
			r, f := compiled(b, text), busyFacts(b)
			b.ReportAllocs()
			for b.Loop() {
				if got, err := r.Eval(f); got != Yes || err != nil {
					b.Fatal(got, err)
				}
			}
		})
	}
}

// BenchmarkTally fills and counts one case, as a preview does for each customer.
func BenchmarkTally(b *testing.B) {
	r, f := compiled(b, busy), busyFacts(b)
	orders, _ := words.Ref("customer.orders")
	tally := r.Tally()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := f.SetRef(orders, Int(int64(i%8))); err != nil {
			b.Fatal(err)
		}
		if _, err := tally.Add(f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	r, f := compiled(b, busy), busyFacts(b)
	if err := f.Set("customer.orders", Int(9)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		e, err := r.Explain(f)
		if err != nil || len(e.Shopper("en")) != 1 {
			b.Fatal(e, err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compiled(b, busy)
	}
}
