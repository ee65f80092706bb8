package catalogue

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/tabular"
)

// aFile is a small file without problems.
const aFile = `{
  "format": "hufu-catalogue/1",
  "texts": {"r": {"zh": "未查看可退", "en": "Refundable until revealed"}},
  "providers": [{"key": "tv", "name": {"zh": "电视", "en": "TV"}}],
  "stocks": [
    {"name": "month", "kind": "codes", "low_mark": 10},
    {"name": "seats", "kind": "counted", "units": 200}
  ],
  "benefits": [
    {"slug": "month", "kind": "membership", "provider": "tv", "name": {"zh": "月卡", "en": "Month"},
     "disclosure": {"account_type": {"zh": "账号", "en": "Account"}, "scope": {"zh": "范围", "en": "Scope"}, "devices": {"zh": "设备", "en": "Devices"}, "validity": {"zh": "有效期", "en": "Validity"},
       "how_to_use": {"zh": "用法", "en": "Use"}, "refund": {"use": "r"}},
     "attributes": {"days": "31"}, "coded": true, "stock": "month"}
  ],
  "offers": [
    {"slug": "month-card", "state": "live", "category": "video", "title": {"zh": "月卡", "en": "Month card"},
     "price": "19.90", "list_price": "25", "parts": [{"benefit": "month"}], "stock": "seats"}
  ]
}`

// with changes the small file.
func with(t *testing.T, old, now string) string {
	t.Helper()
	if !strings.Contains(aFile, old) {
		t.Fatalf("the file has no %s", old)
	}
	return strings.Replace(aFile, old, now, 1)
}

// relating is the small file with a relation, whose text is changed, and two units in its
// offer.
func relating(t *testing.T, old, now string) string {
	t.Helper()
	relations := `"relations": [{"key": "tv-line", "kind": "extends", "severity": "inform", "name": {"zh": "电视", "en": "TV"}, "from": {"provider": "tv"}}],`
	if !strings.Contains(relations, old) {
		t.Fatalf("there is no %s", old)
	}
	return strings.Replace(with(t, `"offers": [`, strings.Replace(relations, old, now, 1)+"\n  \"offers\": ["), `{"benefit": "month"}`, `{"benefit": "month", "quantity": 2}`, 1)
}

// judge decides everything of a file for an empty shop, as an import does.
func judge(data string) ([]Problem, []FileRow) {
	f := ParseFile([]byte(data))
	var rows []FileRow
	stocks := map[string]StockRef{}
	for i, s := range f.Stocks {
		row := f.DecideStock(i, nil)
		if rows = append(rows, row); row.Change == Created {
			stocks[s.Name] = StockRef{ID: id.Stock("stk_" + s.Name), Kind: s.Kind}
		}
	}
	benefits := map[string]Benefit{}
	for i := range f.Benefits {
		b, row := f.DecideBenefit(i, nil, stocks)
		if rows = append(rows, row); row.Change == Created {
			b.ID = id.Benefit("ben_" + b.Slug)
			benefits[b.Slug] = b
		}
	}
	var relations []Relation
	for i := range f.Relations {
		r, row := f.DecideRelation(i, nil)
		if rows = append(rows, row); row.Change == Created {
			relations = append(relations, r)
		}
	}
	for i := range f.Offers {
		_, row := f.DecideOffer(i, nil, nil, benefits, stocks, relations, time.Time{})
		rows = append(rows, row)
	}
	told, _ := f.Problems()
	return told, rows
}

func TestAGoodFileHasNoProblems(t *testing.T) {
	for name, data := range map[string]string{"as it is": aFile, "with a mark": "\ufeff" + aFile, "windows": strings.ReplaceAll(aFile, "\n", "\r\n")} {
		told, rows := judge(data)
		if len(told) != 0 {
			t.Errorf("%s: %+v", name, told)
		}
		for _, r := range rows {
			if r.Change != Created {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if len(rows) != 4 || rows[3].Line != 16 || rows[3].Version != 1 {
			t.Errorf("%s: rows %+v", name, rows)
		}
	}
}

func TestEachProblemHasItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"not json":                   {with(t, `"units": 200}`, `"units": 200,}`), ` catalogue.file_syntax @}`},
		"cut off":                    {aFile[:40], ` catalogue.file_truncated @`},
		"two values":                 {aFile + " {}", ` catalogue.file_syntax @{}`},
		"blank":                      {" \n ", ` catalogue.file_blank @`},
		"gbk":                        {with(t, "电视", "\xb5\xe7"), " catalogue.file_charset @\xb5\xe7"},
		"deep":                       {strings.Repeat("[", 16) + "{{", ` catalogue.file_deep @{{`},
		"very deep":                  {strings.Repeat("[", 1_000_000), ` catalogue.file_deep @[`},
		"many":                       {"[" + strings.Repeat("0,", maxValues) + "0]", ` catalogue.file_many @[`},
		"large":                      {strings.Repeat(" ", MaxFile+1), ` catalogue.file_large @`},
		"a list":                     {"[]", ` catalogue.file_object @[]`},
		"another format":             {with(t, "hufu-catalogue/1", "csv"), `format catalogue.file_format @"csv"`},
		"no format":                  {with(t, `"format": "hufu-catalogue/1",`, ""), `format catalogue.file_format @{`},
		"unknown field":              {with(t, `"low_mark": 10`, `"lowmark": 10`), `stocks[0].lowmark catalogue.file_unknown @10}`},
		"field twice":                {with(t, `"low_mark": 10`, `"low_mark": 10, "low_mark": 11`), `stocks[0].low_mark catalogue.file_field_twice @10,`},
		"text for a number":          {with(t, `"units": 200`, `"units": "200"`), `stocks[1].units catalogue.file_number @"200"`},
		"decimals":                   {with(t, `"units": 200`, `"units": 1.5`), `stocks[1].units catalogue.file_range @1.5`},
		"an exponent":                {with(t, `"units": 200`, `"units": 1e9`), `stocks[1].units catalogue.file_range @1e9`},
		"below zero":                 {with(t, `"units": 200`, `"units": -1`), `stocks[1].units catalogue.file_range @-1`},
		"number for a text":          {with(t, `"price": "19.90"`, `"price": 19.9`), `offers[0].price catalogue.file_text @19.9`},
		"text for a flag":            {with(t, `"coded": true`, `"coded": "yes"`), `benefits[0].coded catalogue.file_flag @"yes"`},
		"text for texts":             {with(t, `"title": {"zh": "月卡", "en": "Month card"}`, `"title": "月卡"`), `offers[0].title catalogue.file_object @"月卡",`},
		"object for a list":          {with(t, `[{"benefit": "month"}]`, `{"benefit": "month"}`), `offers[0].parts catalogue.file_list @{"benefit": "month"}, "stock"`},
		"stock twice":                {with(t, `"name": "seats"`, `"name": "month"`), `stocks[1].name catalogue.file_twice @"month", "kind": "counted"; offers[0].stock catalogue.file_no_stock @"seats"}`},
		"stock without name":         {with(t, `"name": "seats", `, ``), `stocks[1].name catalogue.file_stock_name @{"kind": "counted"; offers[0].stock catalogue.file_no_stock @"seats"}`},
		"stock kind":                 {with(t, `"kind": "counted"`, `"kind": "seats"`), `stocks[1].kind catalogue.file_stock_kind @"seats", "units"`},
		"units of codes":             {with(t, `"low_mark": 10`, `"units": 10`), `stocks[0].units catalogue.file_units @10`},
		"relation kind":              {relating(t, `"kind": "extends"`, `"kind": "hates"`), `relations[0].kind catalogue.relation_kind @"hates"`},
		"relation severity":          {relating(t, `"severity": "inform"`, `"severity": "loud"`), `relations[0].severity catalogue.relation_severity @"loud"`},
		"relation without side":      {relating(t, `"from": {"provider": "tv"}`, `"from": {}`), `relations[0].from.provider catalogue.relation_provider @{}`},
		"relation of one side":       {relating(t, `"kind": "extends"`, `"kind": "needs"`), `relations[0].to.provider catalogue.required @{"key": "tv-line"`},
		"relation twice":             {relating(t, `]`, `, {"key": "tv-line", "kind": "overlaps", "name": {"zh": "电视", "en": "TV"}, "from": {"provider": "tv"}}]`), `relations[1].key catalogue.file_twice @"tv-line", "kind": "overlaps"`},
		"parts that exclude":         {relating(t, `"kind": "extends", "severity": "inform"`, `"kind": "excludes", "severity": "block"`), `offers[0].parts[0] catalogue.conflict @{"benefit": "month"`},
		"unknown provider":           {with(t, `"provider": "tv"`, `"provider": "radio"`), `benefits[0].provider catalogue.file_no_provider @"radio"`},
		"unknown kind":               {with(t, `"kind": "membership"`, `"kind": "magic"`), `benefits[0].kind catalogue.kind @"magic"`},
		"unknown attribute":          {with(t, `"days": "31"`, `"days": "31", "x": "1"`), `benefits[0].attributes.x catalogue.unknown_attribute @"1"}`},
		"no days":                    {with(t, `"days": "31"`, ``), `benefits[0].attributes.days catalogue.required @{}`},
		"disclosure in Chinese":      {with(t, `, "en": "Scope"`, ``), `benefits[0].disclosure.scope.en catalogue.disclosure @{"zh": "范围"}`},
		"unknown text":               {with(t, `{"use": "r"}`, `{"use": "s"}`), `benefits[0].disclosure.refund catalogue.file_use @{"use": "s"}`},
		"no such stock":              {with(t, `"coded": true, "stock": "month"`, `"coded": true, "stock": "moth"`), `benefits[0].stock catalogue.file_no_stock @"moth"`},
		"coded from a count":         {with(t, `"coded": true, "stock": "month"`, `"coded": true, "stock": "seats"`), `benefits[0].stock catalogue.file_codes @"seats"}`},
		"counted from codes":         {with(t, `"stock": "seats"`, `"stock": "month"`), `offers[0].stock catalogue.file_counted @"month"}`},
		"uncoded from codes":         {with(t, `"coded": true, `, ``), `benefits[0].stock catalogue.file_counted @"month"}`},
		"coded without stock":        {with(t, `, "stock": "month"`, ``), `benefits[0].stock catalogue.needs_stock @{"slug": "month"`},
		"bad slug":                   {with(t, `"slug": "month-card"`, `"slug": "Month Card"`), `offers[0].slug catalogue.slug @"Month Card"`},
		"bad state":                  {with(t, `"live"`, `"sold"`), `offers[0].state catalogue.file_state @"sold"`},
		"bad category":               {with(t, `"video"`, `"food"`), `offers[0].category catalogue.category @"food"`},
		"bad price":                  {with(t, `"19.90"`, `"19.901"`), `offers[0].price catalogue.file_amount @"19.901"`},
		"price with a sign":          {with(t, `"19.90"`, `"¥19.90"`), `offers[0].price catalogue.file_amount @"¥19.90"`},
		"negative price":             {with(t, `"19.90"`, `"-19.90"`), `offers[0].price catalogue.price @"-19.90"`},
		"list price below":           {with(t, `"25"`, `"5"`), `offers[0].list_price catalogue.list_price @"5"`},
		"currency":                   {with(t, `"price"`, `"currency": "XAU", "price"`), `offers[0].currency catalogue.currency @"XAU"`},
		"scheduled without start":    {with(t, `"live"`, `"scheduled"`), `offers[0].starts_at catalogue.required @{"slug": "month-card"`},
		"a date":                     {with(t, `"price"`, `"starts_at": "2027-02-06", "price"`), `offers[0].starts_at catalogue.file_time @"2027-02-06"`},
		"end before start":           {with(t, `"price"`, `"starts_at": "2027-02-06T00:00:00+08:00", "ends_at": "2027-02-05T15:00:00Z", "price"`), `offers[0].ends_at catalogue.ends_before_start @"2027-02-05T15`},
		"missing part":               {with(t, `{"benefit": "month"}`, `{"benefit": "moth"}`), `offers[0].parts[0].benefit catalogue.file_no_part @"moth"`},
		"missing offer":              {with(t, `{"benefit": "month"}`, `{"offer": "moth"}`), `offers[0].parts[0].offer catalogue.file_no_offer @"moth"`},
		"neither":                    {with(t, `{"benefit": "month"}`, `{"quantity": 2}`), `offers[0].parts[0] catalogue.file_part @{"quantity": 2}`},
		"both":                       {with(t, `{"benefit": "month"}`, `{"benefit": "month", "offer": "month-card"}`), `offers[0].parts[0] catalogue.file_part @{"benefit": "month", "offer"`},
		"no parts":                   {with(t, `{"benefit": "month"}`, ``), `offers[0].parts catalogue.no_parts @[], "stock"`},
		"none of a part":             {with(t, `{"benefit": "month"}`, `{"benefit": "month", "quantity": 0}`), `offers[0].parts[0].quantity catalogue.file_range @0}`},
		"a part twice":               {with(t, `{"benefit": "month"}`, `{"benefit": "month"}, {"benefit": "month", "quantity": 2}`), `offers[0].parts[1] catalogue.part_twice @{"benefit": "month", "quantity": 2}`},
		"a limit of none":            {with(t, `"price"`, `"limits": [{"max": 0}], "price"`), `offers[0].limits[0].max catalogue.file_range @0}`},
		"a limit without its number": {with(t, `"price"`, `"limits": [{"window": "day"}], "price"`), `offers[0].limits[0].max catalogue.limit_max @{"window": "day"}`},
		"a limit of a week":          {with(t, `"price"`, `"limits": [{"max": 1, "window": "week"}], "price"`), `offers[0].limits[0].window catalogue.limit_window @"week"`},
		"a limit by fax":             {with(t, `"price"`, `"limits": [{"max": 1, "channel": "fax"}], "price"`), `offers[0].limits[0].channel catalogue.limit_channel @"fax"`},
		"a limit of cats":            {with(t, `"price"`, `"limits": [{"max": 1, "of": "cat"}], "price"`), `offers[0].limits[0].of catalogue.limit_of @"cat"`},
		"a limit twice":              {with(t, `"price"`, `"limits": [{"max": 1}, {"max": 2, "window": "ever"}], "price"`), `offers[0].limits[1] catalogue.limit_twice @{"max": 2`},
		"a limit that isn't one":     {with(t, `"price"`, `"limits": [3], "price"`), `offers[0].limits[0] catalogue.file_object @3`},
		"a limit misspelt":           {with(t, `"price"`, `"limits": [{"max": 1, "chanel": "web"}], "price"`), `offers[0].limits[0].chanel catalogue.file_unknown @"web"`},
		"too many limits":            {with(t, `"price"`, `"limits": [`+strings.Repeat(`{"max": 1},`, 10)+`{"max": 1}], "price"`), `offers[0].limits catalogue.too_many_limits @[{"max"`},
		"itself":                     {with(t, `{"benefit": "month"}`, `{"offer": "month-card"}`), `offers[0].parts[0].offer catalogue.file_cycle @"month-card"}`},
		"a cycle": {with(t, `"parts": [{"benefit": "month"}], "stock": "seats"}`, `"parts": [{"offer": "b"}]},
  {"slug": "b", "category": "video", "title": {"zh": "二", "en": "Two"}, "price": "1", "parts": [{"offer": "month-card"}]}`),
			`offers[1].parts[0].offer catalogue.file_cycle @"month-card"}`},
		"a limited part": {with(t, `"parts": [{"benefit": "month"}], "stock": "seats"`, `"parts": [{"benefit": "month"}], "stock": "seats"},
    {"slug": "other", "category": "video", "title": {"zh": "二", "en": "Two"}, "price": "1.00", "parts": [{"offer": "month-card"}]`),
			`offers[1].parts[0].offer catalogue.file_part_stock @"month-card"}`},
		"two problems": {strings.Replace(with(t, `"units": 200`, `"units": -1`), `"live"`, `"sold"`, 1), `stocks[1].units catalogue.file_range @-1; offers[0].state catalogue.file_state @"sold"`},
	} {
		told, rows := judge(c.data)
		want := strings.Split(c.want, "; ")
		if len(told) != len(want) {
			t.Errorf("%s: told %+v, want %q", name, told, want)
			continue
		}
		for i, p := range told {
			at, text, _ := strings.Cut(want[i], " @")
			if got := p.Path + " " + p.Code; got != at || !strings.HasPrefix(after(c.data, p), text) {
				t.Errorf("%s: got %s before %.40q, want %s", name, got, after(c.data, p), want[i])
			}
			for _, lang := range i18n.Langs {
				for _, text := range []string{p.Cause(lang), p.Remedy(lang)} {
					if text == "" || strings.ContainsAny(text, "⟦⟧") || unfilled.MatchString(text) {
						t.Errorf("%s: says %q", name, text)
					}
				}
			}
		}
		refused := len(rows) == 0 || strings.HasPrefix(c.want, "format")
		for _, r := range rows {
			refused = refused || r.Change == Refused
		}
		if !refused {
			t.Errorf("%s: no row is refused: %+v", name, rows)
		}
	}
}

var unfilled = regexp.MustCompile(`\{[a-z_]+\}`)

// after is what stands at the place of a problem.
func after(data string, p Problem) string {
	line := strings.SplitAfter(data, "\n")[p.Line-1:]
	if at := []rune(line[0]); p.Line == 1 && len(at) > longLine {
		return line[0][p.Column-1:]
	}
	rest := line[0]
	for range p.Column - 1 {
		_, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
	}
	return rest
}

func TestUnreadableTextsAreTold(t *testing.T) {
	for name, text := range map[string]string{"nul": `"T\u0000V"`, "half a surrogate": `"T\ud800V"`, "a bell": `"T\u0007V"`} {
		told, _ := judge(with(t, `"TV"`, text))
		if len(told) != 1 || told[0].Code != "catalogue.hidden" || told[0].Line != 4 {
			t.Errorf("%s: %+v", name, told)
		}
	}
}

func TestOffersWithinOffersMultiply(t *testing.T) {
	offer := func(slug, parts string) string {
		return `{"slug": "` + slug + `", "category": "video", "title": {"zh": "二", "en": "Two"}, "price": "1.00", "parts": [` + parts + `]}`
	}
	data := with(t, `, "stock": "seats"}`, `},`+strings.Join([]string{
		offer("year", `{"benefit": "month", "quantity": 12}`),
		offer("family", `{"benefit": "month"}, {"offer": "year", "quantity": 3}, {"offer": "month-card"}`),
		offer("absurd", `{"offer": "year", "quantity": 1000}`),
	}, ","))
	told, rows := judge(data)
	f := ParseFile([]byte(data))
	for i, want := range []int64{1, 12, 38, 12000} {
		if g := f.Offers[i].Gives; len(g) != 1 || g[0].Benefit != "month" || g[0].Part.Quantity != want {
			t.Errorf("%s gives %+v, want %d", f.Offers[i].Offer.Slug, g, want)
		}
	}
	if len(told) != 1 || told[0].Code != "catalogue.quantity" || told[0].Path != "offers[3].parts[0].quantity" || rows[6].Change != Refused || rows[5].Change != Created {
		t.Errorf("told %+v", told)
	}
}

func TestOffersNestOneLevelDeep(t *testing.T) {
	told, rows := judge(with(t, `, "stock": "seats"}`, `},
	{"slug": "year", "category": "video", "title": {"zh": "年", "en": "Year"}, "price": "1.00", "parts": [{"offer": "month-card", "quantity": 12}]},
	{"slug": "family", "category": "video", "title": {"zh": "家", "en": "Family"}, "price": "1.00", "parts": [{"offer": "year"}, {"offer": "month-card"}]}`))
	if len(told) != 1 || told[0].Code != "catalogue.file_nested" || told[0].Path != "offers[2].parts[0].offer" || rows[5].Change != Refused || rows[4].Change != Created {
		t.Errorf("told %+v %+v", told, rows)
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	extra := make([]byte, 0, 1<<16)
	for i := range 2000 {
		extra = fmt.Appendf(extra, `"x%d": 1, `, i)
	}
	f := ParseFile([]byte(with(t, `"units": 200`, string(extra)+`"units": -1`)))
	if told, more := f.Problems(); len(told) != maxProblems || more != 2001-maxProblems {
		t.Errorf("%d told, %d more", len(told), more)
	}
	if row := f.DecideStock(1, nil); row.Change != Refused {
		t.Errorf("%+v", row)
	}
}

func FuzzParseFile(f *testing.F) {
	for _, s := range []string{aFile, "", "{}", "[]", "null", `{"format":"hufu-catalogue/1","offers":[{"slug":"a","parts":[{"offer":"b"}]},{"slug":"b","parts":[{"offer":"a","quantity":3}]}]}`,
		`{"format":"hufu-catalogue/1","stocks":[{"name":"s","kind":"counted","units":3,"edition":{"size":2,"by_lot":true},"allotments":{"web":2,"a.b":9,"":1}}],"benefits":[{"slug":"b","worth":"9","currency":"JPY","provider_name":{"zh":"x"}}],"offers":[{"slug":"a","publish":false,"price":"3","floor":"4","room":{"per_minute":1,"minutes":1},"choices":[{"key":"k","pick":1,"later":true,"days":3,"release":{"every":"month","count":12,"from":"2027-01-31T00:00:00+08:00","catch_up":true,"until":"2027-02-01T00:00:00Z"},"share":"1"}],"rules":[{"name":{"zh":"x"},"text":"customer.orders ==","refusal":{"zh":"x"}}],"parts":[{"benefit":"b","choice":"k","validity":{"from":"window","start":"2027-01-01T00:00:00Z"}},{"offer":"a","share":"1"}]}]}`,
		`{"offers":[null,1,{"parts":[[],{"benefit":1}]}],"":{},"a.b":1,"[":2}`, "\ufeff{\"texts\":{\"a\":null}}", `{"benefits":[{"attributes":{"a.b":"x","":"y"}}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		told, rows := judge(string(data))
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range told {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Column > len(data)+1 || p.Code == "" {
				t.Fatalf("%+v in %d lines", p, lines)
			}
			if !utf8.ValidString(p.Path) || !i18n.Has("fault."+p.Code) {
				t.Fatalf("%+v can't be told", p)
			}
		}
		if len(told) == 0 {
			for _, r := range rows {
				if r.Change != Created {
					t.Fatalf("no problem, and %+v", r)
				}
			}
		}
	})
}

// demoBooks are the tables of some offers of the demo's catalogue, in every form.
func demoBooks(f *testing.F) map[string][]byte {
	data, err := os.ReadFile("../app/demo/catalogue.json")
	if err != nil {
		f.Fatal(err)
	}
	file := ParseFile(data)
	e := NewExport(file.Stocks[:2], nil, nil, nil, nil)
	for i := range file.Benefits[:3] {
		e.Benefits = append(e.Benefits, file.Benefits[i].Benefit)
	}
	for i := range file.Offers[:3] {
		e.Offers = append(e.Offers, Exported{Offer: file.Offers[i].Offer})
	}
	out := map[string][]byte{"one.json": e.JSON()}
	for form, name := range map[tabular.Form]string{tabular.FormXLSX: "book.xlsx", tabular.FormZip: "book.zip"} {
		var b bytes.Buffer
		book := tabular.Book{Form: form, Sheets: e.Sheets(func(column string) string { return column })}
		if err := book.Write(&b, NumericColumn); err != nil {
			f.Fatal(err)
		}
		out[name] = b.Bytes()
	}
	return out
}

// A cell without a value is told as that alone, also in a heading and to the right of all.
func TestCellsWithoutValueAreToldAlone(t *testing.T) {
	file := ParseTables([]tabular.Sheet{{Name: "offers", Lines: []tabular.Line{
		{Number: 1, Cells: []string{"slug", "price", "list_price", ""}, Uncalculated: []int{3}},
		{Number: 2, Cells: []string{"a", "", "#REF!"}, Uncalculated: []int{1, 5}},
		{Number: 3, Cells: []string{"", "1.00"}, Uncalculated: []int{0}},
	}}}, nil)
	for i := range file.Offers {
		file.DecideOffer(i, nil, nil, nil, nil, nil, time.Time{})
	}
	told, _ := file.Problems()
	got := map[string][]string{}
	for _, p := range told {
		at := Ref(p.Sheet, p.Line, p.Column)
		got[at] = append(got[at], p.Code)
	}
	for at, code := range map[string]string{"D1": "file_not_calculated", "B2": "file_not_calculated", "F2": "file_not_calculated", "C2": "file_cell_error", "A3": "file_not_calculated"} {
		if at = "offers!" + at; !slices.Equal(got[at], []string{"catalogue." + code}) {
			t.Errorf("%s: %v", at, got[at])
		}
	}
}

// A small file of many rows with little in them doesn't take the memory of a large one.
func TestTablesOfManyRowsAreRefused(t *testing.T) {
	sh := tabular.Sheet{Name: "benefits", Lines: []tabular.Line{{Number: 1, Cells: []string{"slug"}}}}
	for i := range 200_000 {
		sh.Lines = append(sh.Lines, tabular.Line{Number: int64(i) + 2, Cells: []string{"a"}})
	}
	told, _ := ParseTables([]tabular.Sheet{sh}, nil).Problems()
	if len(told) == 0 || told[0].Code != "catalogue.file_many" || told[0].Sheet != "benefits" {
		t.Errorf("%.200v", told)
	}
}

// FuzzParseBook reads whatever anybody uploads as tables.
func FuzzParseBook(f *testing.F) {
	for _, s := range []string{"slug,price\na,1\n", "offer,benefit,release.every\na,b,month\n", "name,kind,units,edition.size\ns,counted,3,2\n", "key,kind\n", "slug,slug,[price]\n", "name,kind,units,allotments\ns,counted,3,web: 2; api：1\n", "PK\x05\x06", "slug;title.zh\n'=a;\"x\ny\"\n", "标识 [slug]\t备注\n", "\xff\xfes\x00l\x00"} {
		f.Add([]byte(s), "offers.csv")
	}
	for name, book := range demoBooks(f) {
		f.Add(book, name)
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		IsBook(data, name)
		file, _ := ParseBook(data, name, nil)
		for i := range file.Stocks {
			file.DecideStock(i, nil)
		}
		for i := range file.Benefits {
			file.DecideBenefit(i, nil, nil)
		}
		for i := range file.Relations {
			file.DecideRelation(i, nil)
		}
		for i := range file.Offers {
			file.DecideOffer(i, nil, nil, nil, nil, nil, time.Time{})
		}
		told, _ := file.Problems()
		for _, p := range told {
			if p.Line < 1 || p.Column < 0 || !i18n.Has("fault."+p.Code) {
				t.Fatalf("%+v can't be told", p)
			}
		}
	})
}
