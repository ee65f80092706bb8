package tabular

// Charset is how a text file writes characters.
type Charset string

// The charsets. GB18030 holds GBK and GB2312.
const (
	AnyCharset Charset = ""
	UTF8       Charset = "utf-8"
	GB18030    Charset = "gb18030"
	UTF16LE    Charset = "utf-16le"
	UTF16BE    Charset = "utf-16be"
)

// Delimiter is what stands between the cells of a text file.
type Delimiter string

// The delimiters.
const (
	AnyDelimiter Delimiter = ""
	Comma        Delimiter = ","
	Tab          Delimiter = "\t"
	Semicolon    Delimiter = ";"
	Bar          Delimiter = "|"
	FourDashes   Delimiter = "----"
	// Spaces is one space or tab or more.
	Spaces Delimiter = " "
	// WholeLine makes a line one cell.
	WholeLine Delimiter = "line"
)

// Heading says whether the first row holds names of columns.
type Heading uint8

// The ways to know it.
const (
	GuessHeading Heading = iota
	WithHeading
	WithoutHeading
)

// Kind is the form of a file.
type Kind string

// The forms.
const (
	Text Kind = "text"
	XLSX Kind = "xlsx"
)

// Limits bound what a reader takes. A zero field has its value of DefaultLimits.
type Limits struct {
	Bytes   int64 // size of the file
	Rows    int64 // number of the last row
	Columns int
	Row     int // bytes of one row of text, or of one cell of XLSX

	Unpacked    int64 // bytes of all parts of an XLSX together, unpacked
	Ratio       int64 // unpacked to packed, for parts over a mebibyte
	Entries     int   // parts of an XLSX
	Sheets      int
	Strings     int   // shared strings of an XLSX
	StringBytes int64 // bytes of them, unpacked
}

// DefaultLimits fit a file of ten million codes as text, or a full sheet.
var DefaultLimits = Limits{
	Bytes: 2 << 30, Rows: 20_000_000, Columns: 256, Row: 1 << 20,
	Unpacked: 2 << 30, Ratio: 200, Entries: 2000, Sheets: 100, Strings: 5_000_000, StringBytes: 512 << 20,
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits
	set := func(v *int64, def int64) {
		if *v == 0 {
			*v = def
		}
	}
	setInt := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	set(&l.Bytes, d.Bytes)
	set(&l.Rows, d.Rows)
	setInt(&l.Columns, d.Columns)
	setInt(&l.Row, d.Row)
	set(&l.Unpacked, d.Unpacked)
	set(&l.Ratio, d.Ratio)
	setInt(&l.Entries, d.Entries)
	setInt(&l.Sheets, d.Sheets)
	setInt(&l.Strings, d.Strings)
	set(&l.StringBytes, d.StringBytes)
	return l
}

// Options say what is known of a file; what is left out is found out.
type Options struct {
	Charset   Charset
	Delimiter Delimiter
	Heading   Heading
	// IsHeading tells names of columns from content, when Heading is GuessHeading. Without
	// it a first row is a heading when all its cells have letters and none has a digit.
	IsHeading func(cells []string) bool
	// Sheet names the sheet of an XLSX; the first one that isn't hidden if empty.
	Sheet string
	// From goes on after the row of a Position that an earlier reader of the same file gave.
	From   Position
	Limits Limits
}

// Position is a place between two rows, at which a reader can go on.
type Position struct {
	Row    int64 // number of the last row or line that lies before
	Offset int64 // bytes of a text file that lie before; 0 for XLSX
}

// Layout is what a reader found out about its file.
type Layout struct {
	Kind      Kind
	Charset   Charset   // of text
	Delimiter Delimiter // of text
	Sheet     string    // of XLSX
	Sheets    []string  // of XLSX, all of them
	Heading   []string  // names of columns, nil if there are none
	Columns   int       // cells of the first row
}

// Row is one row that holds something. Its cells are valid until the next one is read.
type Row struct {
	Number int64 // line of a text file at which it begins, or row of the sheet, from 1
	Cells  []string
	// Formulas and Rounded are columns, from 0, of XLSX cells that hold a formula, and of
	// numbers of 16 digits or more, of which a spreadsheet keeps 15 only.
	Formulas, Rounded []int
	// Uncalculated are columns of XLSX cells with a formula whose result the file doesn't hold:
	// whoever wrote it didn't calculate.
	Uncalculated []int
	// Unended marks a last row of text without a line end: maybe cut off.
	Unended bool
}
