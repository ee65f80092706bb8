package flow

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
	"hufu/internal/tabular"
)

// rowKey is a row of a sheet.
type rowKey struct {
	sheet string
	row   int
}

// Result writes what became of each row: of tables, the same tables with a column more; of
// JSON, a table of its items. Its name is that of the file that was imported, with "-result".
func (c CatalogueImport) Result(lang i18n.Lang) (CatalogueFile, error) {
	book := c.told(lang)
	stem, _, _ := strings.Cut(c.Source, ".")
	if stem == "" || stem == "-" {
		stem = "catalogue"
	}
	out := CatalogueFile{Name: stem + "-result.csv", Type: "text/csv; charset=utf-8"}
	switch {
	case book.Form == tabular.FormXLSX:
		out.Name, out.Type = stem+"-result.xlsx", typeXLSX
	case book.Form == tabular.FormZip:
		out.Name, out.Type = stem+"-result.zip", "application/zip"
	}
	var b bytes.Buffer
	err := book.Write(&b, catalogue.NumericColumn)
	out.Data = b.Bytes()
	return out, err
}

func (c CatalogueImport) told(lang i18n.Lang) tabular.Book {
	wrong := map[rowKey][]string{}
	for _, p := range c.Problems {
		at := rowKey{p.Sheet, p.Line}
		text := ExplainProblem(lang, p)
		if name := p.Name(); name != "" && p.Sheet != "" {
			text = ColumnWords(lang, name) + ": " + text
		}
		wrong[at] = append(wrong[at], text)
	}
	if c.book.Form == "" {
		return c.itemsTold(lang, wrong)
	}
	rows, offers := map[rowKey]catalogue.FileRow{}, map[string]catalogue.FileRow{}
	for _, r := range c.Rows {
		if r.Sheet != "" {
			rows[rowKey{r.Sheet, r.Line}] = r
		}
		if r.Kind == "offer" {
			offers[r.Name] = r
		}
	}
	out := tabular.Book{Form: c.book.Form}
	for _, s := range c.book.Sheets {
		marked := tabular.Sheet{Name: s.Name}
		wide, owner, old := 0, -1, -1
		for i, line := range s.Lines {
			if wide = max(wide, len(line.Cells)); len(line.Uncalculated) > 0 {
				wide = max(wide, slices.Max(line.Uncalculated)+1)
			}
			for k, cell := range line.Cells {
				switch name := catalogue.ColumnName(cell); {
				case i == 0 && name == "offer":
					owner = k
				case i == 0 && name == catalogue.ResultColumn:
					old = k
				}
			}
		}
		if old < 0 {
			old, wide = wide, wide+1
		}
		for i, line := range s.Lines {
			cells := make([]string, wide)
			copy(cells, line.Cells)
			for _, k := range line.Uncalculated { // an empty cell, imported again, would say that there is nothing
				cells[k] = tabular.NotAvailable
			}
			at := rowKey{s.Name, int(line.Number)}
			row, known := rows[at]
			if !known && owner >= 0 && i > 0 {
				row, known = offers[strings.TrimSpace(cells[owner])]
			}
			switch {
			case len(wrong[at]) > 0:
				cells[old] = strings.Join(wrong[at], "\n")
			case known:
				cells[old] = c.became(lang, row)
			}
			if i == 0 {
				cells[old] = strings.TrimSpace(columnHeading(lang, catalogue.ResultColumn) + "\n" + strings.Join(wrong[at], "\n"))
			}
			marked.Lines = append(marked.Lines, tabular.Line{Number: line.Number, Cells: cells})
		}
		out.Sheets = append(out.Sheets, marked)
	}
	return out
}

// itemsTold is the result of a JSON file.
func (c CatalogueImport) itemsTold(lang i18n.Lang, wrong map[rowKey][]string) tabular.Book {
	s := tabular.Sheet{Name: "result", Lines: []tabular.Line{{Cells: []string{lang.T("file.result.kind"), lang.T("file.result.item"), lang.T("file.result.line"), lang.T("file.word.result")}}}}
	for _, r := range c.Rows {
		s.Lines = append(s.Lines, tabular.Line{Cells: []string{r.Kind, r.Name, strconv.Itoa(r.Line), c.became(lang, r)}})
	}
	for _, p := range c.Problems {
		s.Lines = append(s.Lines, tabular.Line{Cells: []string{"", p.Path, fmt.Sprintf("%d:%d", p.Line, p.Column), ExplainProblem(lang, p)}})
	}
	return tabular.Book{Form: tabular.FormCSV, Sheets: []tabular.Sheet{s}}
}

// became says in words what became of an item, or would have.
func (c CatalogueImport) became(lang i18n.Lang, r catalogue.FileRow) string {
	key := "file.result."
	if c.DryRun || len(c.Problems) > 0 {
		key += "would_"
	}
	text := lang.T(key + string(r.Change))
	switch {
	case r.Change == catalogue.Changed:
		words := make([]string, len(r.Fields))
		for i, field := range r.Fields {
			words[i] = ColumnWords(lang, field)
		}
		text += ": " + strings.Join(words, ", ")
		if r.Held {
			text += "\n" + lang.T("file.result.held")
		}
	case r.Change == catalogue.Refused:
		text += ": " + lang.T("file.result.needs")
	}
	return text
}
