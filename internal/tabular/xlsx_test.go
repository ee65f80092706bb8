package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"
)

func openBytes(t testing.TB, b []byte, o Options) *Reader {
	t.Helper()
	r, err := Open(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return r
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func written(t testing.TB, f *excelize.File) []byte {
	t.Helper()
	b, err := f.WriteToBuffer()
	check(t, err)
	return b.Bytes()
}

// What a spreadsheet library writes as text comes back as it was.
func TestSheetTextComesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9 &<>"'=@密码😀\n-]{0,12}`), rapid.Just("a_x_b"), rapid.Just(" padded "))
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 1, 5), 1, 12).Draw(rt, "table")
		stream := rapid.Bool().Draw(rt, "stream")
		f := excelize.NewFile()
		var want [][]string
		if stream {
			w, err := f.NewStreamWriter("Sheet1")
			check(t, err)
			for i, row := range table {
				var cells []any
				for _, c := range row {
					cells = append(cells, c)
				}
				check(t, w.SetRow(fmt.Sprintf("A%d", i+1), cells))
			}
			check(t, w.Flush())
		} else {
			for i, row := range table {
				check(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row))
			}
		}
		for _, row := range table {
			for len(row) > 0 && row[len(row)-1] == "" {
				row = row[:len(row)-1]
			}
			if !blank(row) {
				want = append(want, row)
			}
		}
		data := written(t, f)
		r, err := Open(bytes.NewReader(data), int64(len(data)), Options{Heading: WithoutHeading})
		if len(want) == 0 {
			if fault.CodeOf(err) != "tabular.empty" {
				rt.Fatal(err)
			}
			return
		}
		if err != nil {
			rt.Fatalf("%q: %v", want, err)
		}
		if got := readAll(t, r); !reflect.DeepEqual(got, want) {
			rt.Fatalf("stream %v: %q, want %q", stream, got, want)
		}
	})
}

func TestSheetNumbersDatesFormulas(t *testing.T) {
	f := excelize.NewFile()
	day := time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
	check(t, f.SetSheetRow("Sheet1", "A1", &[]any{"编号", "到期", "时刻", "面值", "大数", "式", "真"}))
	check(t, f.SetSheetRow("Sheet1", "A3", &[]any{1001, day, day.Add(13*time.Hour + 5*time.Minute), 12.5, 1234567890123456, nil, true}))
	check(t, f.SetCellFormula("Sheet1", "F3", "HYPERLINK(\"x\",\"y\")"))
	_, err := f.NewSheet("Second")
	check(t, err)
	check(t, f.SetSheetRow("Second", "B2", &[]any{"only"}))
	style, err := f.NewStyle(&excelize.Style{CustomNumFmt: new(`yyyy"年"m"月"d"日"`)})
	check(t, err)
	check(t, f.SetCellValue("Second", "C2", 46387))
	check(t, f.SetCellStyle("Second", "C2", "C2", style))
	data := written(t, f)

	r := openBytes(t, data, Options{})
	if l := r.Layout(); l.Kind != XLSX || l.Sheet != "Sheet1" || len(l.Sheets) != 2 || len(l.Heading) != 7 {
		t.Errorf("%+v", l)
	}
	row, err := r.Next()
	check(t, err)
	want := []string{"1001", "2026-12-31", "2026-12-31 13:05:00", "12.5", "1234567890123456", "", "TRUE"}
	if row.Number != 3 || !slices.Equal(row.Cells, want) {
		t.Errorf("row %d: %q", row.Number, row.Cells)
	}
	if !slices.Equal(row.Formulas, []int{5}) || !slices.Equal(row.Rounded, []int{4}) {
		t.Errorf("formulas %v, rounded %v", row.Formulas, row.Rounded)
	}
	r = openBytes(t, data, Options{Sheet: "Second", Heading: WithoutHeading})
	if got := readAll(t, r); !reflect.DeepEqual(got, [][]string{{"", "only", "2026-12-31"}}) {
		t.Errorf("%q", got)
	}
	if _, err := Open(bytes.NewReader(data), int64(len(data)), Options{Sheet: "Third"}); fault.CodeOf(err) != "tabular.sheet_missing" {
		t.Error(err)
	}
}

func TestSheetGoesOnFromEveryRow(t *testing.T) {
	f := excelize.NewFile()
	for i, n := range []int{1, 2, 3, 7, 8, 20} {
		check(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", n), &[]any{fmt.Sprintf("c%d", i), "x"}))
	}
	data := written(t, f)
	for _, heading := range []Heading{WithHeading, WithoutHeading} {
		for from := range int64(22) {
			r := openBytes(t, data, Options{Heading: heading, From: Position{Row: from}})
			var got, want []int64
			for {
				row, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				check(t, err)
				got = append(got, row.Number)
			}
			for _, n := range []int64{1, 2, 3, 7, 8, 20} {
				if n > from && (n > 1 || heading == WithoutHeading) {
					want = append(want, n)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("from %d: %v, want %v", from, got, want)
			}
		}
	}
}

func TestEscapedCharactersOfSpreadsheets(t *testing.T) {
	for in, want := range map[string]string{"a_x000D_b": "a\rb", "_x005F_x000D_": "_x000D_", "_x": "_x", "_x12": "_x12", "_xD800_": "_xD800_", "_x4E2D_x": "中x"} {
		if got := string(unescapeX(nil, []byte(in))); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestColumnOf(t *testing.T) {
	for ref, want := range map[string]int{"A1": 0, "Z9": 25, "AA10": 26, "XFD1048576": 16383, "1": -1, "a1": -1, "": -1, "AAAAA1": -1, "A": 0} {
		if got := columnOf([]byte(ref)); got != want {
			t.Errorf("%s: %d, want %d", ref, got, want)
		}
	}
}

// entry and archive build archives by hand, right and wrong ones.
type entry struct{ name, content string }

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: zip.Deflate})
		check(t, err)
		_, err = io.WriteString(w, e.content)
		check(t, err)
	}
	check(t, z.Close())
	return b.Bytes()
}

var skeleton = []entry{
	{"xl/workbook.xml", `<workbook><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/s.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="/xl/strings.xml"/></Relationships>`},
}

const oneRow = `<worksheet><sheetData><row><c t="inlineStr"><is><t>a1</t></is></c></row></sheetData></worksheet>`

func with(more ...entry) []entry { return append(slices.Clone(skeleton), more...) }

func sheet(content string) entry { return entry{"xl/worksheets/s.xml", content} }

// A cell whose formula wasn't calculated is not an empty one, and a number is the one that
// spreadsheets show.
func TestCalculatedCells(t *testing.T) {
	data := archive(t, with(sheet(`<worksheet><sheetData>`+
		`<row r="1"><c r="A1" t="inlineStr"><is><t>n</t></is></c></row>`+
		`<row r="2"><c r="A2"><v>19.900000000000002</v></c><c r="B2"><v>19.899999999999999</v></c><c r="C2"><f>A2</f><v>0.1</v></c><c r="D2" t="str"><f>""</f><v></v></c></row>`+
		`<row r="3"><c r="A3"><f>SUM(Z1:Z2)</f></c><c r="C3"><f>A2</f><v/></c><c r="D3" t="str"><f>A2</f></c></row>`+
		`<row r="4"><c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B4"><v>-1234567.8900000001</v></c><c r="C4"><v>1.5E-3</v></c><c r="D4"><v>100000000000000.5</v></c></row>`+
		`</sheetData></worksheet>`))...)
	r := openBytes(t, data, Options{Heading: WithHeading})
	for i, want := range []struct {
		cells        []string
		uncalculated []int
	}{{[]string{"19.9", "19.9", "0.1"}, nil}, {nil, []int{0, 2, 3}}, {[]string{"#DIV/0!", "-1234567.89", "0.0015", "100000000000000"}, nil}} {
		row, err := r.Next()
		check(t, err)
		if row.Number != int64(i)+2 || !slices.Equal(row.Cells, want.cells) || !slices.Equal(row.Uncalculated, want.uncalculated) {
			t.Errorf("row %d: %q, not calculated %v", row.Number, row.Cells, row.Uncalculated)
		}
	}
}

// Who writes formulas without calculating may give each the result 0, and has the spreadsheet
// calculate them when it opens the file.
func TestResultsThatAreNone(t *testing.T) {
	of := func(calc string) *Reader {
		return openBytes(t, archive(t, entry{"xl/workbook.xml", strings.Replace(skeleton[0].content, "</workbook>", calc+"</workbook>", 1)}, skeleton[1],
			sheet(`<worksheet><sheetData><row><c><v>7</v></c><c><f>SUM(Z1)</f><v>0</v></c><c><f>A1</f><v>7</v></c><c><v>0</v></c></row></sheetData></worksheet>`)), Options{Heading: WithoutHeading})
	}
	row, err := of(`<calcPr calcId="124519" fullCalcOnLoad="1"/>`).Next()
	check(t, err)
	if !slices.Equal(row.Cells, []string{"7", "", "7", "0"}) || !slices.Equal(row.Uncalculated, []int{1}) {
		t.Errorf("%q, not calculated %v", row.Cells, row.Uncalculated)
	}
	row, err = of(`<calcPr calcId="191029"/>`).Next()
	check(t, err)
	if !slices.Equal(row.Cells, []string{"7", "0", "7", "0"}) || len(row.Uncalculated) > 0 {
		t.Errorf("%q, not calculated %v", row.Cells, row.Uncalculated)
	}
}

// S47, F24: refused before anything is unpacked, or at the first byte too many.
func TestHostileWorkbooks(t *testing.T) {
	zeros := strings.Repeat(" ", 4<<20)
	many := func(n int) []entry {
		all := with(sheet(oneRow))
		for i := range n {
			all = append(all, entry{fmt.Sprintf("xl/media/%d", i), ""})
		}
		return all
	}
	lying := archive(t, with(sheet(oneRow+strings.Repeat("<!-- -->", 9999)))...)
	lyingAt := bytes.LastIndex(lying, []byte("xl/worksheets/s.xml")) - entrySize
	binary.LittleEndian.PutUint32(lying[lyingAt+24:], 100)

	fewer := archive(t, many(3000)...)
	binary.LittleEndian.PutUint16(fewer[len(fewer)-12:], 5)
	binary.LittleEndian.PutUint16(fewer[len(fewer)-14:], 5)

	// As many entries as the count can't hold, in a directory that says it is short.
	hidden := archive(t, many(1<<16+1-len(with(sheet(oneRow))))...)
	binary.LittleEndian.PutUint32(hidden[len(hidden)-endSize+12:], 300)

	var huge bytes.Buffer
	z := zip.NewWriter(&huge)
	for name, size := range map[string]uint64{"a": 1000, "b": 1<<64 - 500} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, CompressedSize64: 4, UncompressedSize64: size})
		check(t, err)
		_, err = io.WriteString(w, "1234")
		check(t, err)
	}
	check(t, z.Close())

	encrypted := archive(t, with(sheet(oneRow))...)
	flagAt := bytes.LastIndex(encrypted, []byte("xl/worksheets/s.xml")) - entrySize + 8
	encrypted[flagAt] |= 1

	whole := archive(t, with(sheet(oneRow))...)
	sheets := `<workbook><sheets>` + strings.Repeat(`<sheet name="S" r:id="r1"/>`, 101) + `</sheets></workbook>`
	for name, c := range map[string]struct {
		data []byte
		code string
		o    Options
	}{
		"ratio":             {archive(t, with(sheet(oneRow), entry{"xl/media/x", zeros})...), "tabular.bomb", Options{}},
		"unpacked":          {archive(t, with(sheet(oneRow), entry{"xl/media/x", zeros})...), "tabular.bomb", Options{Limits: Limits{Unpacked: 1 << 20, Ratio: 1 << 40}}},
		"entries":           {archive(t, many(3000)...), "tabular.bomb", Options{}},
		"count that lies":   {fewer, "tabular.damaged", Options{}},
		"sum of parts":      {archive(t, with(sheet(oneRow), entry{"xl/a", zeros[:9<<16]}, entry{"xl/b", zeros[:9<<16]})...), "tabular.bomb", Options{Limits: Limits{Unpacked: 1 << 20}}},
		"sum that wraps":    {huge.Bytes(), "tabular.bomb", Options{Limits: Limits{Ratio: 1<<63 - 1}}},
		"hidden directory":  {hidden, "tabular.damaged", Options{}},
		"sheets":            {archive(t, append([]entry{{"xl/workbook.xml", sheets}}, skeleton[1], sheet(oneRow))...), "tabular.bomb", Options{}},
		"strings":           {archive(t, with(sheet(oneRow), entry{"xl/strings.xml", "<sst>" + strings.Repeat("<si><t>a</t></si>", 11) + "</sst>"})...), "tabular.bomb", Options{Limits: Limits{Strings: 10}}},
		"bytes of strings":  {archive(t, with(sheet(oneRow), entry{"xl/strings.xml", "<sst><si><t>" + strings.Repeat("a", 2000) + "</t></si></sst>"})...), "tabular.bomb", Options{Limits: Limits{StringBytes: 1000}}},
		"size that lies":    {lying, "tabular.damaged", Options{}},
		"path up":           {archive(t, with(sheet(oneRow), entry{"../../etc/passwd", "x"})...), "tabular.unsafe_path", Options{}},
		"path from root":    {archive(t, with(sheet(oneRow), entry{"/etc/passwd", "x"})...), "tabular.unsafe_path", Options{}},
		"path of windows":   {archive(t, with(sheet(oneRow), entry{`xl\..\x`, "x"})...), "tabular.unsafe_path", Options{}},
		"drive":             {archive(t, with(sheet(oneRow), entry{`c:x`, "x"})...), "tabular.unsafe_path", Options{}},
		"name twice":        {archive(t, with(sheet(oneRow), sheet(oneRow))...), "tabular.unsafe_path", Options{}},
		"encrypted":         {encrypted, "tabular.encrypted", Options{}},
		"no workbook":       {archive(t, entry{"word/document.xml", "<x/>"}), "tabular.not_a_table", Options{}},
		"no sheet":          {archive(t, skeleton...), "tabular.damaged", Options{}},
		"cut archive":       {whole[:len(whole)-40], "tabular.truncated", Options{}},
		"cut beginning":     {append([]byte("PK\x03\x04"), whole[200:]...), "tabular.damaged", Options{}},
		"cut sheet":         {archive(t, with(sheet(oneRow[:60]))...), "tabular.truncated_row", Options{}},
		"sheet without end": {archive(t, with(sheet(strings.TrimSuffix(oneRow, "</sheetData></worksheet>")))...), "tabular.truncated_row", Options{}},
		"document type":     {archive(t, with(sheet(`<!DOCTYPE x [<!ENTITY a "aaaa">]>`+oneRow))...), "tabular.damaged", Options{}},
		"own entity":        {archive(t, with(sheet(strings.Replace(oneRow, "a1", "&a;", 1)))...), "tabular.damaged", Options{}},
		"rows backwards":    {archive(t, with(sheet(strings.Replace(oneRow, "<row>", `<row r="5"/><row r="4">`, 1)))...), "tabular.damaged", Options{}},
		"cells backwards":   {archive(t, with(sheet(strings.Replace(oneRow, "<row>", `<row><c r="C1"/><c r="B1"/>`, 1)))...), "tabular.damaged", Options{}},
		"string not there":  {archive(t, with(sheet(`<worksheet><sheetData><row><c t="s"><v>7</v></c></row></sheetData></worksheet>`))...), "tabular.damaged", Options{}},
		"far column":        {archive(t, with(sheet(strings.Replace(oneRow, "<c ", `<c r="XFD1" `, 1)))...), "tabular.too_many_columns", Options{}},
		"far row":           {archive(t, with(sheet(strings.Replace(oneRow, "<row>", `<row r="99999999">`, 1)))...), "tabular.too_many_rows", Options{}},
		"long cell":         {archive(t, with(sheet(strings.Replace(oneRow, "a1", strings.Repeat("ab1<!---->", 30_000), 1)))...), "tabular.row_too_long", Options{Limits: Limits{Row: 70_000, Ratio: 1 << 40}}},
		"long tag":          {archive(t, with(sheet("<"+strings.Repeat("a", 200_000)+">"))...), "tabular.row_too_long", Options{Limits: Limits{Row: 100_000}}},
	} {
		r, err := Open(bytes.NewReader(c.data), int64(len(c.data)), c.o)
		for err == nil {
			_, err = r.Next()
		}
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// The scanner and encoding/xml agree on well-formed documents.
func TestScannerAgreesWithEncodingXML(t *testing.T) {
	for _, doc := range []string{
		`<?xml version="1.0"?><a x='1>2' y:z="&lt;&#x4e2d;"><b/>t &amp; u<![CDATA[<x>]]]]><!-- a > b -- ><c></c></a>`,
		`<x:a xmlns:x="u"><!----><x:b x:r="1"  s = '2'/> text </x:a>`,
		"<a\n\tb='\"'>é😀\r</a>",
	} {
		x := &xmlScanner{in: newBuf(doc), limit: 1 << 16}
		d := xml.NewDecoder(strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(doc, "-- >", "-->"), "\r", "&#13;")))
		x.in = newBuf(strings.ReplaceAll(doc, "-- >", "-->"))
		var got, want []string
		for {
			err := x.next()
			if errors.Is(err, io.EOF) {
				break
			}
			check(t, err)
			switch x.kind {
			case startTag:
				got = append(got, "<"+string(x.name))
			case endTag:
				got = append(got, ">"+string(x.name))
			case charData:
				got = append(got, string(x.text))
			}
		}
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			check(t, err)
			switch tok := tok.(type) {
			case xml.StartElement:
				want = append(want, "<"+tok.Name.Local)
			case xml.EndElement:
				want = append(want, ">"+tok.Name.Local)
			case xml.CharData:
				want = append(want, string(tok))
			}
		}
		if join := strings.Join(got, ""); join != strings.Join(want, "") {
			t.Errorf("%s\n%q\n%q", doc, got, want)
		}
	}
	x := &xmlScanner{in: newBuf(`<a x:r = '1>2' s="3" t=""/>`), limit: 99}
	check(t, x.next())
	if string(x.attr("r")) != "1>2" || string(x.attr("s")) != "3" || x.attr("t") == nil || x.attr("u") != nil {
		t.Errorf("%q", x.attrs)
	}
}

func FuzzXLSX(f *testing.F) {
	f.Add(`<row r="2"><c r="B2" t="s"><f>1+1</f><v>0</v></c></row>`, `<si><r><t>a</t></r><rPh><t>b</t></rPh></si>`)
	f.Add(`<row><c s="1"><v>46387.5</v></c><c t="b"><v>1</v></c></row><!-- --><![CDATA[x]]>`, `<si><t>_x000D_&#10;</t></si>`)
	f.Fuzz(func(t *testing.T, rows, shared string) {
		data := archive(t, with(sheet("<worksheet><sheetData>"+rows+"</sheetData></worksheet>"), entry{"xl/strings.xml", "<sst>" + shared + "</sst>"},
			entry{"xl/styles.xml", `<x><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></x>`})...)
		r, err := Open(bytes.NewReader(data), int64(len(data)), Options{Limits: Limits{Row: 1 << 12}})
		for err == nil {
			_, err = r.Next()
		}
		if f := fault.From(err); !errors.Is(err, io.EOF) && !strings.HasPrefix(f.Code, "tabular.") {
			t.Fatal(err)
		}
	})
}

func FuzzZip(f *testing.F) {
	f.Add(archive(f, with(sheet(oneRow))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Open(bytes.NewReader(data), int64(len(data)), Options{Limits: Limits{Unpacked: 1 << 20}})
		for err == nil {
			_, err = r.Next()
		}
		if f := fault.From(err); !errors.Is(err, io.EOF) && !strings.HasPrefix(f.Code, "tabular.") {
			t.Fatal(err)
		}
	})
}
