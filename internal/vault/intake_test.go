package vault

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/tabular"

	"pgregory.net/rapid"
)

var shanghai = time.FixedZone("CST", 8*3600)

// columns: code, password, expiry, cost, note
var testRules = Rules{Mapping: Mapping{Code: 0, Serial: NoColumn, Account: NoColumn, Password: 1, Expiry: 2, Cost: 3, Note: 4},
	Columns: 5, Currency: money.CNY, Zone: shanghai, Now: now}

func newIntake(t testing.TB, r Rules) *Intake {
	t.Helper()
	in, err := NewIntake(newKeyring(t), "iss", r)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestGoodRow(t *testing.T) {
	in := newIntake(t, testRules)
	c, problems := in.Check(&tabular.Row{Number: 7, Cells: []string{"\ufeff ＡＢ12 ", "密码：p@ss", "2027年1月2日", "￥1,019.9", "first line\nsecond"}})
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	want := Record{Code: "ＡＢ12", Password: "p@ss", Note: "first line\nsecond"}
	if c.Record != want || c.Row != 7 || c.Cost != money.Of(101990, money.CNY) || c.Index != in.keys.Index("iss", "AB12") {
		t.Errorf("%q %+v", string(c.Record.Code), c)
	}
	if end := time.Date(2027, 1, 3, 0, 0, 0, 0, shanghai); !c.Expires.Equal(end) {
		t.Error(c.Expires)
	}
}

func TestEachProblem(t *testing.T) {
	good := func(change func(*tabular.Row)) *tabular.Row {
		r := &tabular.Row{Number: 2, Cells: []string{"CODE12345678", "secretpass", "2027-01-02", "1.00", "n"}}
		change(r)
		return r
	}
	set := func(i int, text string) *tabular.Row { return good(func(r *tabular.Row) { r.Cells[i] = text }) }
	for name, c := range map[string]struct {
		row    *tabular.Row
		code   string
		column int
	}{
		"empty code":         {set(0, " \u200b\u3000"), "empty", 0},
		"empty password":     {set(1, ""), "empty", 1},
		"long code":          {set(0, strings.Repeat("x", 513)), "long", 0},
		"long note":          {set(4, strings.Repeat("x", 2001)), "long", 4},
		"nul":                {set(0, "AB\x00CD"), "control", 0},
		"nul in front":       {set(1, "\x00CD"), "control", 1},
		"bell in note":       {set(4, "a\x07"), "control", 4},
		"invisible inside":   {set(0, "AB\u200bCD"), "control", 0},
		"turned direction":   {set(0, "AB\u202eCD"), "control", 0},
		"line end inside":    {set(0, "AB\nCD"), "control", 0},
		"wrong charset":      {set(0, "AB\uFFFD"), "charset", 0},
		"wrong charset note": {set(4, "AB\uFFFD"), "charset", 4},
		"formula code":       {set(0, "=1+1"), "formula", 0},
		"formula sign":       {set(0, "@CODE"), "formula", 0},
		"formula password":   {set(1, `=HYPERLINK("x")`), "formula", 1},
		"command password":   {set(1, `-cmd|' /C calc'!A0`), "formula", 1},
		"formula note":       {set(4, `=HYPERLINK("x")`), "formula", 4},
		"formula cell":       {good(func(r *tabular.Row) { r.Formulas = []int{1} }), "formula", 1},
		"rounded cell":       {good(func(r *tabular.Row) { r.Rounded = []int{0} }), "rounded", 0},
		"rounded text":       {set(0, "1.23457E+15"), "rounded", 0},
		"too few":            {good(func(r *tabular.Row) { r.Cells = r.Cells[:1] }), "columns", NoColumn},
		"too many":           {good(func(r *tabular.Row) { r.Cells = append(r.Cells, "x") }), "columns", NoColumn},
		"cut":                {good(func(r *tabular.Row) { r.Cells, r.Unended = r.Cells[:1], true }), "cut", NoColumn},
		"bad expiry":         {set(2, "31/12/2027"), "expiry", 2},
		"no such day":        {set(2, "2027-02-30"), "expiry", 2},
		"expired":            {set(2, "2026-11-21"), "expired", 2},
		"bad cost":           {set(3, "1.005"), "cost", 3},
		"negative cost":      {set(3, "-1"), "cost", 3},
	} {
		in := newIntake(t, testRules)
		_, problems := in.Check(c.row)
		if len(problems) != 1 || problems[0].Code != "vault.row_"+c.code || problems[0].Column != c.column || problems[0].Row != 2 {
			t.Errorf("%s: %+v, want %s", name, problems, c.code)
			continue
		}
		if v := problems[0].Value; strings.Contains(v, "secret") || strings.ContainsAny(v, "\x00\n\u202e") || len(v) > 200 {
			t.Errorf("%s shows %q", name, v)
		}
		for _, l := range i18n.Langs {
			var kv []string
			for k, v := range problems[0].Params {
				kv = append(kv, k, v)
			}
			for _, text := range []string{l.Field(problems[0].Field()), l.T(problems[0].RemedyKey(), kv...)} {
				if text == "" || strings.ContainsAny(text, "{}⟦") {
					t.Errorf("%s: %q", name, text)
				}
			}
		}
		if tally := in.Tally(); tally.Invalid != 1 || tally.Rows() != 1 {
			t.Errorf("%s: %+v", name, tally)
		}
	}
}

func TestWhatLooksLikeAProblemAndIsNone(t *testing.T) {
	accounts := Rules{Mapping: Mapping{Code: NoColumn, Serial: NoColumn, Account: 0, Password: 1, Expiry: NoColumn, Cost: NoColumn, Note: NoColumn}, Columns: 3, Now: now}
	for _, cells := range [][]string{{"+86 138-0013-8000", "x"}, {"a@x.com", "=secret"}, {"b@x.com", "-(pass"}, {"c@x.com", "1e+10"}, {"d@x.com", "pass:word"}, {"e@x.com", "p", " "}} {
		in := newIntake(t, accounts)
		if c, problems := in.Check(&tabular.Row{Number: 1, Cells: cells}); len(problems) > 0 || string(c.Record.Password) != cells[1] {
			t.Errorf("%q: %+v", cells, problems)
		}
	}
}

func TestExpiryForms(t *testing.T) {
	day := time.Date(2027, 3, 5, 0, 0, 0, 0, shanghai)
	for text, want := range map[string]time.Time{
		"2027-03-05": day.AddDate(0, 0, 1), "2027/3/5": day.AddDate(0, 0, 1), "2027.3.5": day.AddDate(0, 0, 1), "20270305": day.AddDate(0, 0, 1),
		"2027年3月5日": day.AddDate(0, 0, 1), "2027-03-05 10:20": day.Add(10*time.Hour + 20*time.Minute), "2027/3/5 10:20:30": day.Add(10*time.Hour + 20*time.Minute + 30*time.Second),
		"2027-03-05T10:20:00Z": day.Add(18*time.Hour + 20*time.Minute), "永久": {}, "Never": {}, "9999-12-31": {}, "2199-12-31": time.Date(2200, 1, 1, 0, 0, 0, 0, shanghai),
	} {
		if got, ok := ParseExpiry(text, shanghai); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2027-13-01", "2027-03", "1999-01-01", "2200-01-01", "05.03.2027", "3/5/27", "soon", "46387"} {
		if got, ok := ParseExpiry(text, shanghai); ok {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// A repetition is found whatever stands between, is told with the row it repeats, and a row
// that was refused counts as no first one.
func TestRepetitionsAgreeWithAMap(t *testing.T) {
	keys := newKeyring(t)
	rapid.Check(t, func(t *rapid.T) {
		rules := testRules
		in, err := NewIntake(keys, "iss", rules)
		if err != nil {
			t.Fatal(err)
		}
		first := map[string]int64{}
		var want Tally
		for i := range rapid.IntRange(1, 300).Draw(t, "rows") {
			code := fmt.Sprintf("C%d", rapid.IntRange(0, 100).Draw(t, "code"))
			row := &tabular.Row{Number: int64(i + 1), Cells: []string{rapid.SampledFrom([]string{"", " ", "\u3000"}).Draw(t, "pad") + code, "p"}}
			bad := rapid.IntRange(0, 9).Draw(t, "bad") == 0
			if bad {
				row.Cells[1] = ""
			}
			_, problems := in.Check(row)
			f, again := first[code]
			switch {
			case bad:
				want.Invalid++
			case again:
				want.Repeated++
				if len(problems) != 1 || problems[0].Code != "vault.row_repeated" || problems[0].Params["first"] != fmt.Sprint(f) {
					t.Fatalf("row %d: %+v, want a repetition of %d", i+1, problems, f)
				}
			default:
				want.Good++
				first[code] = row.Number
				if len(problems) != 0 {
					t.Fatalf("%+v", problems)
				}
			}
		}
		if in.Tally() != want {
			t.Fatalf("%+v, want %+v", in.Tally(), want)
		}
	})
}

func hashed(i int) (x Index) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(i))
	h := sha256.Sum256(b[:])
	copy(x[:], h[:])
	return x
}

func TestMillionSeenTakeLittleMemory(t *testing.T) {
	const n = 1_000_000
	var s Seen
	for i := range n {
		if first, again := s.Add(hashed(i), int64(i+1)); again {
			t.Fatalf("%d looks like %d", i, first)
		}
	}
	for i := 0; i < n; i += 997 {
		if first, again := s.Add(hashed(i), 1); !again || first != int64(i+1) {
			t.Fatalf("%d is forgotten: %d %v", i, first, again)
		}
	}
	if s.Len() != n || s.Bytes() > 24*n {
		t.Errorf("%d entries in %d bytes", s.Len(), s.Bytes())
	}
}

func TestSeenTellsApartBy88Bits(t *testing.T) {
	var s Seen
	for bit := range 88 {
		var x Index
		x[bit/8] = 1 << (bit % 8)
		if first, again := s.Add(x, int64(bit+1)); again {
			t.Errorf("bit %d looks like %d", bit, first-1)
		}
	}
}

func TestGuessMapping(t *testing.T) {
	at := func(f func(*Mapping)) Mapping { m := nothing; f(&m); return m }
	for heading, want := range map[string]Mapping{
		"卡号,密码,有效期":               at(func(m *Mapping) { m.Serial, m.Password, m.Expiry = 0, 1, 2 }),
		"卡号,卡密":                   at(func(m *Mapping) { m.Serial, m.Code = 0, 1 }),
		"卡号,备注":                   at(func(m *Mapping) { m.Code, m.Note = 0, 1 }),
		"密码":                      at(func(m *Mapping) { m.Code = 0 }),
		"Account,Password,Cost":   at(func(m *Mapping) { m.Account, m.Password, m.Cost = 0, 1, 2 }),
		"CODE,Expiry_Date, notes": at(func(m *Mapping) { m.Code, m.Expiry, m.Note = 0, 1, 2 }),
		"foo,bar":                 nothing,
	} {
		cells := strings.Split(heading, ",")
		if got := GuessMapping(cells, len(cells)); got != want {
			t.Errorf("%s: %+v", heading, got)
		}
		if IsHeading(cells) != (want != nothing) {
			t.Errorf("%s: heading %v", heading, IsHeading(cells))
		}
	}
	if GuessMapping(nil, 1).Code != 0 || GuessMapping(nil, 2) != nothing || GuessMapping(nil, 3) != nothing {
		t.Error("without a heading")
	}
	for code, m := range map[string]Mapping{"vault.mapping_missing": nothing, "vault.mapping_column": at(func(m *Mapping) { m.Code = 3 }), "vault.mapping_twice": at(func(m *Mapping) { m.Code, m.Password = 1, 1 })} {
		if err := m.Validate(3); fault.CodeOf(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
}

// A supplier's file from its bytes to its candidates.
func TestFileToCandidates(t *testing.T) {
	data := "卡号：JD001 密码：AA11\r\n卡号：JD002 密码：BB22\r\n卡号：JD001 密码：CC33\r\n卡号：JD004 密码："
	r, err := tabular.Open(strings.NewReader(data), int64(len(data)), tabular.Options{IsHeading: IsHeading, Delimiter: tabular.Spaces})
	if err != nil {
		t.Fatal(err)
	}
	l := r.Layout()
	in := newIntake(t, Rules{Mapping: Mapping{NoColumn, NoColumn, 0, 1, NoColumn, NoColumn, NoColumn}, Columns: l.Columns, Now: now})
	var got []string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		c, problems := in.Check(row)
		for _, p := range problems {
			got = append(got, fmt.Sprint(p.Row, p.Code, p.Value))
		}
		if len(problems) == 0 {
			got = append(got, fmt.Sprint(c.Row, string(c.Record.Account), string(c.Record.Password)))
		}
	}
	want := "1JD001AA11 2JD002BB22 3vault.row_repeated•••• 4vault.row_empty"
	if s := strings.Join(got, " "); strings.ReplaceAll(s, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Error(s)
	}
}

// Every code of a fault in the sources has its sentences.
func TestFaultsHaveSentences(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:fault\.New|fault\.Wrap|at)\([^"\n]*"(vault\.[a-z_]+[a-z])"`).FindAllStringSubmatch(string(src), -1) {
			if !i18n.Has("fault." + m[1]) {
				t.Errorf("%s has no sentence", m[1])
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	in := newIntake(f, testRules)
	f.Add("CODE", "pass", "2027-01-01", "1.00", "note", int64(3))
	f.Fuzz(func(t *testing.T, code, password, expiry, cost, note string, row int64) {
		c, problems := in.Check(&tabular.Row{Number: row&0xffff + 1, Cells: []string{code, password, expiry, cost, note}})
		for _, p := range problems {
			if !i18n.Has("fault."+p.Code) || !i18n.Has(p.RemedyKey()) {
				t.Fatalf("%s has no sentence", p.Code)
			}
		}
		if len(problems) == 0 {
			if c.Record.Code == "" || strings.ContainsFunc(string(c.Record.Code+c.Record.Password), unseen) {
				t.Fatalf("%q was taken", code)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	in := newIntake(b, testRules)
	row := &tabular.Row{Cells: []string{"", "secretpass", "2027-12-31", "19.90", ""}}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		row.Number, row.Cells[0] = int64(n), fmt.Sprintf("CODE%012d", n)
		if _, p := in.Check(row); len(p) > 0 {
			b.Fatal(p)
		}
	}
}
