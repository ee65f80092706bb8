package rule

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hufu/internal/i18n"
)

// gap is a parameter that a sentence was not given.
var gap = regexp.MustCompile(`\{[a-z_]+\}`)

// FuzzCompile: no text makes the compiler panic or leaves a refusal without a place inside
// the text and a sentence in both languages; whatever compiles can be asked, explained, shown
// and translated.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `true`, `customer.orders == 0`, `1 <= customer.orders <= 5 or "vip" in customer.tags`,
		`not (customer.level == "gold" or hasAny(customer.tags, ["staff", "test"]))`, `now <= "2026-11-11" and order.amount >= "99.00 CNY"`,
		`customer.orders * 10 > customer.age_days / 0`, `region not contains "é\u{1F600}\x41" // why`, "channel == `raw`", `customer.order = 1`, `a?.b[0:1] ?? nil`,
		`let x = now(); all(1..1000000, {# > x})`, `if true { 1 } else { 2; 3 }`, `((((((((`, `not not not !true`, "channel == \"a\nb", `"`, `0x`, `1e999 > 1`, `9223372036854775808 > 1`,
		`channel matches "(a+)+$"`, `{"a": 1}`, `[1, 2`, `channel == “web”`, `１ ＞ 2`, "\xff", "a\x00b", `customer.orders in []`, `b"x" == 1`, `$env`, `#.a`, `::all(x, .y)`, `customer.orders | len()`,
		`-customer.orders > 1`, `customer.tags == "a"`, `1 in [1]`, `"a" in ["a"] == true`, `true ? false : true`, `"\ud800" == channel`,
	} {
		f.Add(seed)
	}
	cases := []*Facts{words.Facts(), words.Facts()}
	for _, fact := range words.facts {
		val := map[Kind]Value{KindNumber: Int(1), KindText: Text("gold"), KindBool: Bool(true), KindSet: Set("a", "vip"), KindTime: Time(time.Unix(1e9, 0))}[fact.Kind]
		if err := cases[1].Set(fact.Name, val); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := words.Compile(Source{Text: text})
		if err != nil {
			problems := Problems(err)
			if len(problems) == 0 {
				t.Fatalf("%q: no problem: %v", text, err)
			}
			n := utf8.RuneCountInString(text)
			for _, p := range problems {
				if p.From < 0 || p.To < p.From || p.To > n || p.Line < 1 || p.Column < 1 || p.Line > strings.Count(text, "\n")+1 {
					t.Fatalf("%q: %s lies outside: %+v", text, p.Code, p.Place)
				}
				for _, l := range i18n.Langs {
					said := sentence(l, p)
					for _, value := range p.Params { // which may hold braces of their own
						said = strings.ReplaceAll(said, value, "")
					}
					if strings.ContainsRune(said, '⟦') || gap.MatchString(said) && !strings.ContainsAny(text, "{}") {
						t.Fatalf("%q: said %q", text, said)
					}
				}
			}
			return
		}
		for _, c := range cases {
			want := answer(t, r, c)
			e, err := r.Explain(c)
			if err != nil || e.Truth != want {
				t.Fatal(e.Truth, err)
			}
			e.Shopper(i18n.EN)
			if b, ok := words.Parse(text); ok {
				canonical, err := words.Text(b)
				if err != nil || answer(t, compiled(t, canonical), c) != want {
					t.Fatalf("%q is not %q (%v)", text, canonical, err)
				}
			}
		}
	})
}

func sentence(l i18n.Lang, p Problem) string {
	var kv []string
	for k, v := range p.Params {
		kv = append(kv, k, v)
	}
	return l.T("fault."+p.Code, kv...)
}
