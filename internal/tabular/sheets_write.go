package tabular

import (
	"archive/zip"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"hufu/internal/fault"
)

// Guard is text that no spreadsheet takes for a formula, as SafeCell, and of which Unguard
// makes the text again, whatever it was.
func Guard(text string) string {
	if Formula(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// Unguard is the text of which Guard made a cell.
func Unguard(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && Formula(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return cell
}

const (
	// maxCell is how many characters of UTF-16 a cell of XLSX may hold.
	maxCell = 32767
	// wideColumn and usualColumn are widths of columns, in characters.
	wideColumn, usualColumn = 48, 16
)

// WriteXLSX writes a workbook with a sheet for each; the first line of each is its heading.
// Every cell is safe from being taken for a formula. numeric says of which columns the
// numbers are written as such, by the name in their heading.
func WriteXLSX(w io.Writer, sheets []Sheet, numeric func(heading string) bool) error {
	f := excelize.NewFile()
	defer f.Close()
	styles, err := newStyles(f)
	if err != nil {
		return err
	}
	for i, s := range sheets {
		if i == 0 {
			err = f.SetSheetName("Sheet1", s.Name)
		} else {
			_, err = f.NewSheet(s.Name)
		}
		if err != nil {
			return err
		}
		if err := styles.sheet(f, s, numeric); err != nil {
			return err
		}
	}
	return f.Write(w)
}

type styles struct{ heading, text int }

func newStyles(f *excelize.File) (s styles, err error) {
	if s.heading, err = f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, NumFmt: 49, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EDEDED"}}}); err != nil {
		return s, err
	}
	s.text, err = f.NewStyle(&excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{Vertical: "top"}})
	return s, err
}

func (st styles) sheet(f *excelize.File, s Sheet, numeric func(string) bool) error {
	out, err := f.NewStreamWriter(s.Name)
	if err != nil {
		return err
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := st.widths(out, s); err != nil {
		return err
	}
	for i, line := range s.Lines {
		cells := make([]any, len(line.Cells))
		for k, c := range line.Cells {
			if len(utf16.Encode([]rune(c)))+1 > maxCell {
				return fault.New(fault.TooLarge, "tabular.cell_too_long", "sheet", s.Name, "row", strconv.Itoa(i+1))
			}
			cell := excelize.Cell{StyleID: st.text, Value: Guard(c)}
			switch {
			case i == 0:
				cell.StyleID = st.heading
			case c == "":
				continue
			case numeric != nil && k < len(s.Lines[0].Cells) && numeric(s.Lines[0].Cells[k]):
				if n, err := strconv.ParseFloat(c, 64); err == nil && len(c) <= 15 && strconv.FormatFloat(n, 'f', -1, 64) == c {
					cell = excelize.Cell{Value: n}
				}
			}
			cells[k] = cell
		}
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return err
		}
		if err := out.SetRow(at, cells); err != nil {
			return err
		}
	}
	return out.Flush()
}

// widths makes columns as wide as what they hold asks for.
func (st styles) widths(out *excelize.StreamWriter, s Sheet) error {
	if len(s.Lines) == 0 {
		return nil
	}
	for k := range s.Lines[0].Cells {
		longest := 0
		for _, line := range s.Lines[:min(len(s.Lines), 50)] {
			if k < len(line.Cells) {
				longest = max(longest, len(line.Cells[k]))
			}
		}
		width := float64(usualColumn)
		if longest > usualColumn {
			width = float64(min(longest+2, wideColumn))
		}
		if err := out.SetColWidth(k+1, k+1, width); err != nil {
			return err
		}
	}
	return nil
}

// WriteZip writes an archive with a CSV file for each sheet, named after it.
func WriteZip(w io.Writer, sheets []Sheet) error {
	z := zip.NewWriter(w)
	for _, s := range sheets {
		part, err := z.Create(s.Name + ".csv")
		if err != nil {
			return err
		}
		if err := WriteCSV(part, s); err != nil {
			return err
		}
	}
	return z.Close()
}

// WriteCSV writes one sheet, with the mark that tells spreadsheets that it is UTF-8.
func WriteCSV(w io.Writer, s Sheet) error {
	out := NewWriter(w, true)
	for _, line := range s.Lines {
		cells := make([]string, len(line.Cells))
		for i, c := range line.Cells {
			cells[i] = Guard(c)
		}
		if err := out.Row(cells...); err != nil {
			return err
		}
	}
	return out.Flush()
}

// Write writes a book in the form it has.
func (b Book) Write(w io.Writer, numeric func(heading string) bool) error {
	switch {
	case b.Form == FormXLSX:
		return WriteXLSX(w, b.Sheets, numeric)
	case b.Form == FormCSV && len(b.Sheets) == 1:
		return WriteCSV(w, b.Sheets[0])
	}
	return WriteZip(w, b.Sheets)
}
