package strict

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

type inner struct {
	N int64  `json:"n" minimum:"-5" maximum:"1000"`
	S string `json:"s,omitempty" minLength:"2" maxLength:"4"`
}

type all struct {
	inner2
	Text  string            `json:"text" maxLength:"20"`
	Flag  bool              `json:"flag,omitempty"`
	When  *time.Time        `json:"when,omitempty"`
	List  []inner           `json:"list,omitempty" minItems:"1" maxItems:"3"`
	Words []string          `json:"words,omitempty" maxItems:"3" maxLength:"3"`
	Pick  string            `json:"pick,omitempty" enum:"a,b"`
	Map   map[string]string `json:"map,omitempty" maxProperties:"2" maxLength:"3"`
	Maybe *int64            `json:"maybe,omitempty" minimum:"0"`
}

type inner2 struct {
	Up int64 `json:"up,omitempty"`
}

var typ = Compile(reflect.TypeFor[all]())

func read(text string) (all, []string) {
	var v all
	err := typ.Read([]byte(text), &v)
	if err == nil {
		return v, nil
	}
	f := fault.From(err)
	out := []string{}
	for _, x := range f.Fields {
		out = append(out, strings.TrimSpace(x.Path+" "+x.Code))
	}
	if len(out) == 0 {
		out = []string{f.Code}
	}
	return v, out
}

func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"text":"a"}`: "",
		` {"text" : "a" , "flag":true,"up":9007199254740993} `:              "",
		`{"text":"é😀\ud83d\ude00\n\/","list":[{"n":-5},{"n":1000}]}`:        "",
		`{"text":"","when":"2027-01-31T08:00:00+08:00","maybe":0,"map":{}}`: "",
		`{"text":"a","words":["abc","虎符虎"]}`:                                "",
		``:                              "request.empty",
		"  \n":                          "request.empty",
		`null`:                          "request.null",
		`"x"`:                           "request.object",
		`{}`:                            "text request.required",
		`{"text":null}`:                 "text request.null",
		`{"text":1}`:                    "text request.string",
		`{"text":{"a":[1,{"b":null}]}}`: "text request.string",
		`{"text":"a","more":1}`:         "more request.unknown",
		`{"text":"a","Text":"a"}`:       "Text request.unknown",
		`{"text":"a","text":"b"}`:       "text request.twice",
		`{"text":"a","te\u0078t":"b"}`:  "text request.twice",
		`{"text":"` + strings.Repeat("a", 21) + `"}`:                      "text request.too_long",
		`{"text":"` + strings.Repeat("虎", 20) + `"}`:                      "",
		`{"text":"a","flag":1}`:                                           "flag request.boolean",
		`{"text":"a","flag":tru}`:                                         "flag request.json",
		`{"text":"a","list":[]}`:                                          "list request.too_few_items",
		`{"text":"a","list":[{"n":1},{"n":1},{"n":1},{"n":1},7]}`:         "list request.too_many_items",
		`{"text":"a","list":{"0":1}}`:                                     "list request.array",
		`{"text":"a","list":[{"n":-6,"s":"x"},{"n":1001},{"s":"12345"}]}`: "list[0].n request.minimum; list[0].s request.too_short; list[1].n request.maximum; list[2].s request.too_long; list[2].n request.required",
		`{"text":"a","maybe":1.0}`:                                        "maybe request.integer",
		`{"text":"a","maybe":1e2}`:                                        "maybe request.integer",
		`{"text":"a","maybe":01}`:                                         "maybe request.json",
		`{"text":"a","maybe":-}`:                                          "maybe request.json",
		`{"text":"a","maybe":+1}`:                                         "maybe request.json",
		`{"text":"a","maybe":NaN}`:                                        "maybe request.json",
		`{"text":"a","maybe":9223372036854775808}`:                        "maybe request.range",
		`{"text":"a","maybe":-1}`:                                         "maybe request.minimum",
		`{"text":"a","pick":"c"}`:                                         "pick request.choice",
		`{"text":"a","words":["abcd",1]}`:                                 "words[0] request.too_long; words[1] request.string",
		`{"text":"a","map":{"x":"1","x":"2"}}`:                            "map.x request.twice",
		`{"text":"a","map":{"x":1}}`:                                      "map.x request.string",
		`{"text":"a","map":{"a":"","b":"","c":""}}`:                       "map request.too_many_items",
		`{"text":"a","when":"tomorrow"}`:                                  "when request.time",
		`{"text":"a","when":"9999-01-01T00:00:00Z"}`:                      "when request.time",
		`{"text":"a"}x`:                                                   "request.trailing",
		`{"text":"a"} {}`:                                                 "request.trailing",
		`{"text":"a",}`:                                                   "request.json",
		`{"text":"a"`:                                                     "request.json",
		`{"text" "a"}`:                                                    "request.json",
		`{text:"a"}`:                                                      "request.json",
		`{'text':"a"}`:                                                    "request.json",
		`{"text":"a`:                                                      "text request.json",
		`{"text":"\x"}`:                                                   "text request.json",
		`{"text":"\u12g4"}`:                                               "text request.json",
		`{"text":"\u0000"}`:                                               "text request.text",
		"{\"text\":\"\x00\"}":                                             "text request.text",
		"{\"text\":\"\t\"}":                                               "text request.text",
		"{\"text\":\"é\t\"}":                                              "text request.text",
		`{"text":"\ud800"}`:                                               "text request.text",
		`{"text":"\ud800\u0041"}`:                                         "text request.text",
		`{"text":"\udc00"}`:                                               "text request.text",
		"{\"text\":\"\xff\"}":                                             "text request.text",
		"{\"text\":\"\xed\xa0\x80\"}":                                     "text request.text",
		"{\"te\xffxt\":\"a\"}":                                            "request.text",
		"\xef\xbb\xbf{}":                                                  "request.object",
		`{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`:            "x request.depth",
		`{"text":"a","x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`: "x request.unknown",
		strings.Repeat(`{"x":`, 1_000):                                               "x.x.x request.depth",
	} {
		_, wrong := read(text)
		got := strings.Join(wrong, "; ")
		if strings.HasPrefix(want, "x.x") {
			if !strings.HasSuffix(got, "request.depth") && got != "x request.depth" {
				t.Errorf("%.60s: got %q", text, got)
			}
			continue
		}
		if strings.HasPrefix(text, "\xef") { // a byte order mark is no JSON
			if !slices.Contains(wrong, "request.object") && !slices.Contains(wrong, "request.json") {
				t.Errorf("%q: got %q", text, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%.80s\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func TestMaybe(t *testing.T) {
	v, wrong := read(`{"text":"a","maybe":7,"when":"2027-01-31T08:00:00+08:00","up":3}`)
	if wrong != nil || v.Maybe == nil || *v.Maybe != 7 || v.When.Format(time.RFC3339) != "2027-01-31T00:00:00Z" || v.Up != 3 {
		t.Errorf("%+v %v", v, wrong)
	}
	if v, _ := read(`{"text":"a"}`); v.Maybe != nil || v.When != nil || v.List != nil {
		t.Errorf("%+v", v)
	}
}

// What the standard library writes is read as it was.
func TestReadsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		short := rapid.StringOfN(rapid.Rune(), 0, 3, -1).Filter(func(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) })
		v := all{Text: short.Draw(t, "text"), Flag: rapid.Bool().Draw(t, "flag"), inner2: inner2{rapid.Int64().Draw(t, "up")},
			Words: rapid.SliceOfN(short, 0, 3).Draw(t, "words"), Map: rapid.MapOfN(short, short, 0, 2).Draw(t, "map")}
		for _, n := range rapid.SliceOfN(rapid.Int64Range(-5, 1000), 0, 3).Draw(t, "list") {
			v.List = append(v.List, inner{N: n})
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		got, wrong := read(string(b))
		if wrong != nil {
			t.Fatalf("%s: %v", b, wrong)
		}
		again, _ := json.Marshal(got)
		if string(again) != string(b) {
			t.Fatalf("%s\n%s", b, again)
		}
	})
}

// FuzzRead looks for what makes the reader fail, for what it takes and the standard library
// doesn't, and for what they read differently.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"text":"a","list":[{"n":1,"s":"ab"}],"map":{"a":"b"}}`, `{"text":"\ud83d\ude00","maybe":-0}`, `[[[[`, "{\"text\":\"\xff\"}", `{"text":"a","up":1e400}`, `{"":0}`,
		`{"text":"a","when":"2027-01-31T08:00:00Z","words":["x"],"pick":"a"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var mine all
		err := typ.Read(data, &mine)
		if err != nil {
			for _, x := range fault.From(err).Fields {
				for _, l := range i18n.Langs {
					if text := l.Field(x); !utf8.ValidString(text) || strings.Contains(text, "⟦") || strings.Contains(text, "{") {
						t.Fatalf("%q: %q", data, text)
					}
				}
			}
			if len(fault.From(err).Fields) > maxProblems {
				t.Fatal("too many problems")
			}
			return
		}
		var theirs all
		d := json.NewDecoder(strings.NewReader(string(data)))
		d.DisallowUnknownFields()
		if err := d.Decode(&theirs); err != nil {
			t.Fatalf("%q is taken; the standard library says %v", data, err)
		}
		if theirs.When != nil {
			at := theirs.When.UTC().Truncate(time.Microsecond)
			theirs.When = &at
		}
		a, _ := json.Marshal(mine)
		b, _ := json.Marshal(theirs)
		if string(a) != string(b) {
			t.Fatalf("%q is read as %s, by the standard library as %s", data, a, b)
		}
	})
}

func TestText(t *testing.T) {
	number := Field(reflect.StructField{Type: reflect.TypeFor[int64](), Tag: `minimum:"1" maximum:"200"`})
	for text, want := range map[string]string{"1": "", "200": "", "201": "request.maximum", "0": "request.minimum", "-1": "request.minimum", "+1": "request.integer", "01": "request.integer", "1.0": "request.integer",
		"": "request.integer", "１": "request.integer", "1e2": "request.integer", strconv.Itoa(1 << 40): "request.maximum", "99999999999999999999": "request.integer"} {
		var n int64
		f := number.Text("limit", text, reflect.ValueOf(&n).Elem())
		got := ""
		if f != nil {
			got = f.Code
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	data := []byte(`{"text":"hello","list":[{"n":1,"s":"ab"},{"n":2}],"words":["a","b"],"maybe":7}`)
	b.ReportAllocs()
	for b.Loop() {
		var v all
		if err := typ.Read(data, &v); err != nil {
			b.Fatal(err)
		}
	}
}
