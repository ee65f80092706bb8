package tabular

import (
	"bufio"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SafeCell is text that no spreadsheet takes for a formula: if it begins with = + - @ or
// their full-width forms, behind spaces or not, or with a tab, a line end or NUL, an apostrophe
// goes before it.
func SafeCell(text string) string {
	if Formula(text) {
		return "'" + text
	}
	return text
}

// Formula reports whether a spreadsheet may take text for a formula.
func Formula(text string) bool {
	if text == "" {
		return false
	}
	switch text[0] {
	case '\t', '\r', '\n', 0:
		return true
	}
	// Some programs take away what is before it, and what can't be seen.
	text = strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	first, _ := utf8.DecodeRuneInString(text)
	return strings.ContainsRune("=+-@＝＋－＠", first) && text != ""
}

// NotAvailable is the error that spreadsheets show for a value that isn't there.
const NotAvailable = "#N/A"

// IsError reports whether a cell holds what spreadsheets show for a formula that failed.
func IsError(text string) bool {
	switch text {
	case NotAvailable, "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#GETTING_DATA", "#SPILL!", "#CALC!",
		"#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#EXTERNAL!", "#PYTHON!", "#TIMEOUT!":
		return true
	}
	return false
}

// Writer writes CSV row by row (RFC 4180, lines ended by CR LF). Each cell is safe from
// being taken for a formula.
type Writer struct {
	out *bufio.Writer
}

// NewWriter makes a writer of comma-separated values. The mark tells spreadsheets that the
// text is UTF-8; without it they show Chinese as rubbish.
func NewWriter(w io.Writer, mark bool) *Writer {
	out := bufio.NewWriterSize(w, 32<<10)
	if mark {
		_, _ = out.WriteString("\ufeff") // its error stays with out until Flush
	}
	return &Writer{out: out}
}

// Row writes one row. Errors show at Flush at the latest.
func (w *Writer) Row(cells ...string) error {
	for i, c := range cells {
		if i > 0 {
			_ = w.out.WriteByte(',')
		}
		w.cell(c)
	}
	_, err := w.out.WriteString("\r\n")
	return err
}

func (w *Writer) cell(c string) {
	formula := Formula(c)
	if !formula && !strings.ContainsAny(c, "\",;\t\r\n") && !strings.HasPrefix(c, " ") && c != "" {
		_, _ = w.out.WriteString(c)
		return
	}
	_ = w.out.WriteByte('"')
	if formula {
		_ = w.out.WriteByte('\'')
	}
	for {
		i := strings.IndexByte(c, '"')
		if i < 0 {
			break
		}
		_, _ = w.out.WriteString(c[:i+1])
		_ = w.out.WriteByte('"')
		c = c[i+1:]
	}
	_, _ = w.out.WriteString(c)
	_ = w.out.WriteByte('"')
}

// Flush hands everything on and gives the first error there was.
func (w *Writer) Flush() error { return w.out.Flush() }
