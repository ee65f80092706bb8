package tabular

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hufu/internal/fault"
)

// legible are texts that a catalogue may hold, with what spreadsheets trip over.
func legible() *rapid.Generator[string] {
	word := rapid.SampledFrom([]string{"", "a", "腾讯", "=1+1", "'", "''=x", "＝", "\u3000", "\u200b=", "-5%", "@x", "\"", ",", ";", "\t", "\n", " ", "----", "_x0041_", "_x", "007", "1e5", "TRUE", "2027-02-06", "19.90", "😀", "<b>&amp;", "]]>", "e\u0301"})
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(word, 0, 4).Draw(t, "words"), "") })
}

// What is written of sheets in any form is read again as it was.
func TestSheetsAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b Book
		b.Form = rapid.SampledFrom([]Form{FormXLSX, FormZip, FormCSV}).Draw(t, "form")
		names := []string{"benefits", "offers", "parts"}
		if b.Form == FormCSV {
			names = names[:1]
		}
		for _, name := range names {
			s := Sheet{Name: name, Lines: []Line{{Number: 1, Cells: []string{"slug", "n", "text"}}}}
			for i := range rapid.IntRange(0, 4).Draw(t, "rows") {
				s.Lines = append(s.Lines, Line{Number: int64(i) + 2, Cells: []string{fmt.Sprintf("k%d", i), rapid.SampledFrom([]string{"", "5", "19.9", "abc", "1000000000000000000"}).Draw(t, "n"), legible().Draw(t, "text")}})
			}
			b.Sheets = append(b.Sheets, s)
		}
		var out bytes.Buffer
		if err := b.Write(&out, func(h string) bool { return h == "n" }); err != nil {
			t.Fatal(err)
		}
		got, at, err := ReadBook(out.Bytes(), "benefits.csv", 1<<20)
		if err != nil {
			t.Fatal(at, err)
		}
		if got.Form != b.Form || len(got.Sheets) != len(b.Sheets) {
			t.Fatalf("%s with %d sheets, want %s with %d", got.Form, len(got.Sheets), b.Form, len(b.Sheets))
		}
		for i, s := range got.Sheets {
			want := b.Sheets[i]
			if s.Name != want.Name || len(s.Lines) != len(want.Lines) {
				t.Fatalf("sheet %s with %d lines, want %s with %d", s.Name, len(s.Lines), want.Name, len(want.Lines))
			}
			for k, line := range s.Lines {
				for c := range 3 {
					cell := ""
					if c < len(line.Cells) {
						cell = line.Cells[c]
					}
					if cell != want.Lines[k].Cells[c] {
						t.Fatalf("%s: %q, want %q", b.Form, cell, want.Lines[k].Cells[c])
					}
				}
			}
		}
	})
}

// Whatever a cell held, no spreadsheet takes it for a formula, and it reads the same again.
func TestGuardedCellsAreNoFormulas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(legible(), rapid.String()).Draw(t, "text")
		cell := Guard(text)
		if Formula(cell) || Unguard(cell) != text {
			t.Fatalf("%q becomes %q and %q", text, cell, Unguard(cell))
		}
	})
}

func TestBooksThatCantBeReadAreRefused(t *testing.T) {
	many := "slug,n,o\r\n" + strings.Repeat("a,b,c\r\n", MaxCells/3)
	for name, c := range map[string]struct {
		data string
		most int64
		code string
	}{
		"empty":      {"", 100, "tabular.empty"},
		"large":      {"slug,name\na,b", 10, "tabular.too_large"},
		"cut zip":    {"PK\x03\x04abc", 100, "tabular.truncated"},
		"a picture":  {"\x89PNG\r\n\x1a\n", 100, "tabular.not_a_table"},
		"too many":   {many, 8 << 20, "tabular.too_many_cells"},
		"open quote": {"slug,name\n\"a,b", 100, "tabular.quote_open"},
		"sparse":     {string(workbook(t, maxPlaces/200+1, sparse)), 8 << 20, "tabular.too_sparse"},
		"formulas":   {string(workbook(t, MaxCells/200+1, formulas)), 8 << 20, "tabular.too_many_cells"},
	} {
		if _, _, err := ReadBook([]byte(c.data), "x.csv", c.most); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
}

// workbook is one whose sheet has so many rows.
func workbook(t testing.TB, rows int, row func(i int) string) []byte {
	var text strings.Builder
	for i := range rows {
		text.WriteString("<row>" + row(i) + "</row>")
	}
	return archive(t, with(entry{"[Content_Types].xml", "<Types/>"}, sheet("<worksheet><sheetData>"+text.String()+"</sheetData></worksheet>"))...)
}

// sparse is a row with a cell in its last column, formulas one of cells that nobody calculated.
func sparse(int) string { return `<c r="GR1"><v>1</v></c>` }

func formulas(i int) string {
	var cells strings.Builder
	for k := range 200 {
		fmt.Fprintf(&cells, "<c><f>%x</f></c>", (i*200+k+1)*2654435761&(1<<32-1))
	}
	return cells.String()
}

func FuzzReadBook(f *testing.F) {
	for _, form := range []Form{FormXLSX, FormZip, FormCSV} {
		var out bytes.Buffer
		b := Book{form, []Sheet{{"offers", []Line{{Number: 1, Cells: []string{"slug", "price"}}, {Number: 2, Cells: []string{"=a", "1"}}}}}}
		if err := b.Write(&out, nil); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Add(workbook(f, 3, formulas))
	bomb := archive(f, entry{"offers.csv", "slug\n" + strings.Repeat("a\n", 2<<20)})
	f.Add(bomb)
	lying := bytes.Clone(bomb) // its directory tells another size than it unpacks to
	binary.LittleEndian.PutUint32(lying[bytes.LastIndex(lying, []byte("PK\x01\x02"))+24:], 100)
	f.Add(lying)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, _, err := ReadBook(data, "offers.csv", 1<<20)
		if err != nil && fault.From(err).Kind == fault.Internal {
			t.Fatal(err)
		}
		cells, filled := 0, 0
		for _, s := range b.Sheets {
			for _, l := range s.Lines {
				cells, filled = cells+len(l.Cells), filled+len(l.Uncalculated)
				for _, c := range l.Cells {
					if c != "" {
						filled++
					}
				}
			}
		}
		if cells > maxPlaces || filled > MaxCells || len(b.Sheets) > 200 {
			t.Fatal(cells, filled, len(b.Sheets))
		}
	})
}
