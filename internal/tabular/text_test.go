package tabular

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hufu/internal/fault"
	"hufu/internal/i18n"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"
)

func open(t testing.TB, data string, o Options) *Reader {
	t.Helper()
	r, err := Open(strings.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return r
}

func readAll(t testing.TB, r *Reader) (all [][]string) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, slices.Clone(row.Cells))
	}
}

func encode(t testing.TB, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLayoutIsFoundOut(t *testing.T) {
	const table = "卡号,密码\n1001,甲\n1002,乙\n"
	want := [][]string{{"1001", "甲"}, {"1002", "乙"}}
	for name, c := range map[string]struct {
		data string
		cs   Charset
	}{
		"utf-8":               {table, UTF8},
		"utf-8 with mark":     {"\ufeff" + table, UTF8},
		"gbk":                 {encode(t, simplifiedchinese.GBK, table), GB18030},
		"gb18030":             {encode(t, simplifiedchinese.GB18030, table), GB18030},
		"utf-16le with mark":  {encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), table), UTF16LE},
		"utf-16be with mark":  {encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), table), UTF16BE},
		"utf-16le":            {encode(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), table), UTF16LE},
		"utf-16be":            {encode(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), table), UTF16BE},
		"windows line ends":   {strings.ReplaceAll(table, "\n", "\r\n"), UTF8},
		"old mac line ends":   {strings.ReplaceAll(table, "\n", "\r"), UTF8},
		"blank lines between": {strings.ReplaceAll(table, "\n", "\n\n  \n"), UTF8},
		"no end of last line": {strings.TrimSuffix(table, "\n"), UTF8},
	} {
		r := open(t, c.data, Options{})
		l := r.Layout()
		if l.Charset != c.cs || l.Delimiter != Comma || !slices.Equal(l.Heading, []string{"卡号", "密码"}) {
			t.Errorf("%s: %+v", name, l)
		}
		if got := readAll(t, r); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", name, got)
		}
		if done, total := r.Progress(); done != total {
			t.Errorf("%s: %d of %d bytes", name, done, total)
		}
	}
}

// A charset that shows only far behind the beginning is found all the same.
func TestCharsetBehindPlainBeginning(t *testing.T) {
	data := strings.Repeat("1001,abc\n", 20_000) + encode(t, simplifiedchinese.GBK, "1002,密码内容\n")
	rows := readAll(t, open(t, data, Options{}))
	if got := rows[len(rows)-1][1]; got != "密码内容" {
		t.Errorf("%q", got)
	}
}

func TestDelimiters(t *testing.T) {
	for data, want := range map[string]Delimiter{
		"a1,b2\nc3,d4\n":                            Comma,
		"a1\tb,2\nc3\td,4\n":                        Tab,
		"a1;b2\nc3;d4\n":                            Semicolon,
		"a1|b2\nc3|d4\n":                            Bar,
		"u1@x.com----p,1\nu2@x.com----p,2\n":        FourDashes,
		"user1 pass1\nuser2   pass2\n":              Spaces,
		"AB12 CD34 EF56\nGH12 JK34 MN56\n":          WholeLine,
		"AB12-CD34\nEF12-GH34\n":                    WholeLine,
		"\"AB12\"\n\"CD34\"\n":                      Comma,
		"\"a,1\",b2\n\"c,\n3\",d4\n\"e,5\",f6\n":    Comma,
		"账号1 密码1\n账号2 密码2\n":                        Spaces,
		"a1,b2\n" + strings.Repeat("c3,d4\n", 9999): Comma,
	} {
		if got := open(t, data, Options{Heading: WithoutHeading}).Layout().Delimiter; got != want {
			t.Errorf("%.40q: %q, want %q", data, got, want)
		}
	}
}

// Whatever encoding/csv reads strictly, this reader reads the same.
func TestAgreesWithEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringMatching(`[a-c0-9,;"'\n 密码=-]{0,8}`)
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 5), 1, 20).Draw(t, "table")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(t, "crlf")
		_ = w.WriteAll(table)
		var want [][]string
		for _, row := range table {
			if !blank(row) {
				want = append(want, row)
			}
		}
		o := Options{Delimiter: Comma, Charset: UTF8, Heading: WithoutHeading}
		r, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()), o)
		if len(want) == 0 {
			if fault.CodeOf(err) != "tabular.empty" {
				t.Fatal(err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, slices.Clone(row.Cells))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\nread as %q\nwant    %q", b.String(), got, want)
		}
	})
}

// F23: from every place between two rows, in every charset, a new reader gives exactly the
// rows that were left, under the same numbers.
func TestGoesOnFromEveryPosition(t *testing.T) {
	var b strings.Builder
	b.WriteString("卡号,密码\n")
	for i := range 40 {
		fmt.Fprintf(&b, "%d,\"密码😀\n%d\"\n", 1000+i, i)
		if i%7 == 0 {
			b.WriteString("\n")
		}
	}
	text := b.String()
	type numbered struct {
		n     int64
		cells string
	}
	for name, data := range map[string]string{
		"utf-8": text, "marked": "\ufeff" + text, "gb18030": encode(t, simplifiedchinese.GB18030, text),
		"utf-16le": encode(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text),
		"utf-16be": encode(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text),
		"headless": text[strings.Index(text, "\n")+1:], "headless after blanks": "\n\n" + text[strings.Index(text, "\n")+1:],
	} {
		read := func(r *Reader, from []numbered) ([]numbered, []Position) {
			places := []Position{r.Position()}
			for {
				row, err := r.Next()
				if errors.Is(err, io.EOF) {
					return from, places
				}
				if err != nil {
					t.Fatal(name, err)
				}
				from = append(from, numbered{row.Number, strings.Join(row.Cells, "|")})
				places = append(places, r.Position())
			}
		}
		all, places := read(open(t, data, Options{}), nil)
		if len(all) != 40 {
			t.Fatalf("%s: %d rows", name, len(all))
		}
		for i, p := range places {
			rest, _ := read(open(t, data, Options{From: p}), nil)
			if !reflect.DeepEqual(append([]numbered(nil), all[i:]...), append([]numbered(nil), rest...)) {
				t.Fatalf("%s: from %+v came %d rows, want %d", name, p, len(rest), len(all)-i)
			}
			rest, _ = read(open(t, data, Options{From: Position{Row: p.Row}}), nil)
			if len(rest) != len(all)-i {
				t.Fatalf("%s: from row %d came %d rows, want %d", name, p.Row, len(rest), len(all)-i)
			}
		}
	}
	if _, err := Open(strings.NewReader(text), int64(len(text)), Options{From: Position{1, 1 << 40}}); fault.CodeOf(err) != "tabular.position" {
		t.Error(err)
	}
}

func TestDamageIsShownInItsRow(t *testing.T) {
	data := "编号,密码\n1,好\n2,\xb0\xa1\n3,a\x00b\n4,密码五六七八九十密码五六七八九十密码五六七八九十\n5,完"
	r := open(t, data, Options{})
	rows := readAll(t, r)
	if len(rows) != 5 || !strings.Contains(rows[1][1], "\uFFFD") || rows[2][1] != "a\x00b" {
		t.Errorf("%q", rows)
	}
}

func TestUnendedLastLineIsMarked(t *testing.T) {
	r := open(t, "a1,b\nc1,d", Options{Heading: WithoutHeading})
	for _, want := range []bool{false, true} {
		if row, err := r.Next(); err != nil || row.Unended != want {
			t.Error(row, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	gbk := encode(t, simplifiedchinese.GBK, "卡号,密码\n")
	for name, c := range map[string]struct {
		data, code string
		o          Options
	}{
		"empty":             {"", "tabular.empty", Options{}},
		"mark alone":        {"\ufeff", "tabular.empty", Options{}},
		"blank":             {"\n \n\t\n", "tabular.empty", Options{}},
		"too large":         {"abc", "tabular.too_large", Options{Limits: Limits{Bytes: 2}}},
		"cut character":     {"卡号,密码\n1,\xe5\xaf", "tabular.truncated", Options{}},
		"odd utf-16":        {"\xff\xfea\x00b", "tabular.truncated", Options{}},
		"open quote":        {"a,\"b\nc,d\n", "tabular.quote_open", Options{Delimiter: Comma}},
		"columns":           {"a,b,c\n", "tabular.too_many_columns", Options{Limits: Limits{Columns: 2}}},
		"long row":          {"a,b\n" + strings.Repeat("x", 200<<10), "tabular.row_too_long", Options{Limits: Limits{Row: 100 << 10}}},
		"long quoted row":   {"a,\"b\n" + strings.Repeat("x\n", 99), "tabular.row_too_long", Options{Delimiter: Comma, Limits: Limits{Row: 100}}},
		"old excel":         {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xxxx", "tabular.old_excel", Options{}},
		"pdf":               {"%PDF-1.7\n", "tabular.not_a_table", Options{}},
		"binary":            {strings.Repeat("\x01\x00\x02\x00\x00\x00\x07", 99), "tabular.not_a_table", Options{}},
		"other charset":     {strings.Repeat("caf\xe9 \xff\xfe\n", 9), "tabular.charset", Options{}},
		"unknown charset":   {gbk, "tabular.charset_unknown", Options{Charset: "ebcdic"}},
		"unknown delimiter": {gbk, "tabular.delimiter_unknown", Options{Delimiter: "/"}},
		"rows":              {"a1\nb1\nc1\n", "tabular.too_many_rows", Options{Limits: Limits{Rows: 2}}},
	} {
		r, err := Open(strings.NewReader(c.data), int64(len(c.data)), c.o)
		for err == nil {
			_, err = r.Next()
		}
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// Every fault that the code names has a sentence in both languages.
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
		for _, m := range regexp.MustCompile(`"(tabular\.[a-z_0-9]+)"`).FindAllStringSubmatch(string(src), -1) {
			if !i18n.Has("fault." + m[1]) {
				t.Errorf("%s has no sentence", m[1])
			}
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("卡号,密码\n1,\"a\"\"b\"\n"))
	f.Add([]byte("\xff\xfea\x00,\x00b\x00\n\x00"))
	f.Add([]byte("a----b\rc----d\r"))
	f.Add([]byte("\xbf\xa8\xba\xc5,\x82\x30\x81\x30\n"))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Open(bytes.NewReader(data), int64(len(data)), Options{})
		var last int64
		for err == nil {
			var row *Row
			if row, err = r.Next(); err != nil {
				break
			}
			if row.Number <= last {
				t.Fatalf("row %d after %d", row.Number, last)
			}
			last = row.Number
			if p := r.Position(); p.Offset > int64(len(data)) {
				t.Fatalf("position %+v in %d bytes", p, len(data))
			}
		}
		if f := fault.From(err); !errors.Is(err, io.EOF) && !strings.HasPrefix(f.Code, "tabular.") {
			t.Fatal(err)
		}
	})
}
