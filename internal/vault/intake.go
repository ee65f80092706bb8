package vault

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/tabular"
)

// Rules say what an import of upstream codes takes.
type Rules struct {
	Mapping Mapping
	// Columns is how many cells a row may have.
	Columns int
	// MaxSecret and MaxNote are bytes; 0 is 512 and 2000.
	MaxSecret, MaxNote int
	// Currency is what costs are in.
	Currency money.Currency
	// Zone is where a date without time ends, at its midnight.
	Zone *time.Location
	// Now is the moment after which a code must still be good.
	Now time.Time
}

// Candidate is a row that can be taken in.
type Candidate struct {
	Row     int64
	Record  Record
	Index   Index
	Expires time.Time    // the first moment at which it is no longer good; zero for never
	Cost    money.Amount // no currency if not told
}

// Problem is why a row can't be taken in. What happened is the message "fault." + Code,
// what to do about it "remedy." + Code, both with Params.
type Problem struct {
	Row    int64
	Column int    // from 0; NoColumn for the row as a whole
	Code   string // "vault.row_…"
	Value  string // as much as may be shown
	Params map[string]string
}

// Field is the problem as a part of a fault.
func (p Problem) Field() fault.Field {
	path := "row " + strconv.FormatInt(p.Row, 10)
	if p.Column != NoColumn {
		path += ", column " + strconv.Itoa(p.Column+1)
	}
	return fault.Field{Path: path, Code: p.Code, Params: p.Params}
}

// RemedyKey is the key of the message that says what to do.
func (p Problem) RemedyKey() string { return "remedy." + p.Code }

// Tally counts the rows that were checked.
type Tally struct {
	Good     int64
	Repeated int64 // in this file
	Invalid  int64
}

// Rows is the number of all.
func (t Tally) Rows() int64 { return t.Good + t.Repeated + t.Invalid }

// Intake checks the rows of one file, one after the other. It knows nothing of what the
// store holds. To go on after a crash, give it the earlier rows once more.
type Intake struct {
	keys     *Keyring
	issuer   string
	rules    Rules
	seen     Seen
	tally    Tally
	problems []Problem
	others   shapes

	lastExpiry string
	lastEnd    time.Time
	lastGood   bool
}

// NewIntake makes an intake of codes of one issuer. Its faults are those of
// Mapping.Validate.
func NewIntake(k *Keyring, issuer string, rules Rules) (*Intake, error) {
	if err := rules.Mapping.Validate(rules.Columns); err != nil {
		return nil, err
	}
	if rules.MaxSecret == 0 {
		rules.MaxSecret = 512
	}
	if rules.MaxNote == 0 {
		rules.MaxNote = 2000
	}
	if rules.Zone == nil {
		rules.Zone = time.UTC
	}
	return &Intake{keys: k, issuer: issuer, rules: rules}, nil
}

// Tally is the count so far.
func (in *Intake) Tally() Tally { return in.tally }

// CanonicalUpstream is the spelling over which equality of a supplier's codes is judged:
// without space around it, full-width characters brought to plain ones. Case counts, as
// many suppliers' codes tell it apart.
func CanonicalUpstream(text string) string {
	text = trim(text)
	wide := func(r rune) bool { return r >= '！' && r <= '～' || r == '\u3000' }
	if strings.IndexFunc(text, wide) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u3000':
			return ' '
		case wide(r):
			return r - '！' + '!'
		}
		return r
	}, text)
}

// trim takes off white space and the invisible characters that come along with copying.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) && r != '\v' || r >= 0x200b && r <= 0x200d || r == 0x2060 || r == 0xfeff
	})
}

// Check judges a row. It gives either a candidate and no problem, or what is wrong with
// the row. The problems are valid until the next call.
func (in *Intake) Check(row *tabular.Row) (Candidate, []Problem) {
	in.problems = in.problems[:0]
	m := in.rules.Mapping
	c := Candidate{Row: row.Number}
	if in.shape(row) {
		c.Record = Record{
			Code: in.secret(row, m.Code, false), Serial: in.secret(row, m.Serial, false), Account: in.secret(row, m.Account, false),
			Password: in.secret(row, m.Password, true), Note: in.note(row, m.Note),
		}
		c.Expires = in.expiry(row, m.Expiry)
		c.Cost = in.cost(row, m.Cost)
		if len(in.problems) == 0 {
			in.cut(row)
		}
	}
	if len(in.problems) > 0 {
		in.tally.Invalid++
		return Candidate{}, in.problems
	}
	identity := c.Record.Identity()
	c.Index = in.keys.Index(in.issuer, identity)
	if first, repeated := in.seen.Add(c.Index, row.Number); repeated {
		in.tally.Repeated++
		in.report(row, m.identity(), "repeated", Mask(identity), "first", strconv.FormatInt(first, 10))
		return Candidate{}, in.problems
	}
	in.tally.Good++
	in.others.add(row)
	return c, nil
}

// Identity is the canonical text of what makes an upstream record the same as another: its
// code, else its account, else its serial.
func (r Record) Identity() string {
	switch {
	case r.Code != "":
		return CanonicalUpstream(string(r.Code))
	case r.Account != "":
		return CanonicalUpstream(string(r.Account))
	}
	return CanonicalUpstream(string(r.Serial))
}

func (in *Intake) report(row *tabular.Row, column int, code, value string, params ...string) {
	p := Problem{Row: row.Number, Column: column, Code: "vault.row_" + code, Value: value}
	if len(params) > 0 {
		p.Params = map[string]string{}
		for i := 0; i < len(params); i += 2 {
			p.Params[params[i]] = params[i+1]
		}
	}
	in.problems = append(in.problems, p)
}

// shape checks that the row has the cells it needs and no more.
func (in *Intake) shape(row *tabular.Row) bool {
	m := in.rules.Mapping
	need := 1 + max(m.Code, m.Serial, m.Account, m.Password)
	got := len(row.Cells)
	for got > in.rules.Columns && strings.TrimSpace(row.Cells[got-1]) == "" {
		got--
	}
	switch {
	case got < need && row.Unended:
		in.report(row, NoColumn, "cut", "")
	case got < need || got > in.rules.Columns:
		in.report(row, NoColumn, "columns", "", "want", strconv.Itoa(in.rules.Columns), "got", strconv.Itoa(got))
	default:
		return true
	}
	return false
}

// shapes are the forms that good rows have had.
type shapes struct{ rows, cells, least, most int }

func (s *shapes) add(row *tabular.Row) {
	n := len(row.Cells[len(row.Cells)-1])
	if s.rows++; s.rows == 1 {
		s.cells, s.least, s.most = len(row.Cells), n, n
		return
	}
	s.cells, s.least, s.most = min(s.cells, len(row.Cells)), min(s.least, n), max(s.most, n)
}

// telling is from how many rows on the shortest end of rows, whose lengths differ, tells
// what is too short; rows that are all alike tell from the second on.
const telling = 20

// cut finds a last row without a line end that has fewer cells than all before it, or ends
// in a shorter one: most likely the file was cut there.
func (in *Intake) cut(row *tabular.Row) {
	s := in.others
	if !row.Unended || s.rows < 2 {
		return
	}
	short := len(row.Cells[len(row.Cells)-1]) < s.least && (s.least == s.most || s.rows >= telling)
	if len(row.Cells) < s.cells || (len(row.Cells) == s.cells && short) {
		in.report(row, NoColumn, "cut", "")
	}
}

func cell(row *tabular.Row, column int) string {
	if column == NoColumn || column >= len(row.Cells) {
		return ""
	}
	return row.Cells[column]
}

// scientific is how a spreadsheet shows a long number, of which the end is lost.
var scientific = regexp.MustCompile(`^[0-9](\.[0-9]+)?[eE]\+[0-9]{2}$`)

// call is a formula that does something, as opposed to a password that begins with a sign.
var call = regexp.MustCompile(`^[=+\-@＝＋－＠].*(\(.*\)|\|.*!)`)

// secret takes a cell that makes up what is sold.
func (in *Intake) secret(row *tabular.Row, column int, password bool) Hidden {
	if column == NoColumn {
		return ""
	}
	text := trim(unlabel(trim(cell(row, column))))
	shown := func() string {
		if password {
			return redacted
		}
		return Mask(strings.Map(visible, text))
	}
	switch {
	case slices.Contains(row.Formulas, column):
		in.report(row, column, "formula", shown())
	case text == "":
		in.report(row, column, "empty", "")
	case len(text) > in.rules.MaxSecret:
		in.report(row, column, "long", shown(), "limit", strconv.Itoa(in.rules.MaxSecret))
	case strings.ContainsRune(text, utf8.RuneError):
		in.report(row, column, "charset", shown())
	case strings.ContainsFunc(text, unseen):
		in.report(row, column, "control", shown())
	case in.formula(text, column, password):
		in.report(row, column, "formula", shown())
	case slices.Contains(row.Rounded, column) || (!password && text[0] <= '9' && scientific.MatchString(text)):
		in.report(row, column, "rounded", shown())
	default:
		return Hidden(text)
	}
	return ""
}

// formula reports whether a secret is one for a spreadsheet. A telephone number is a good
// account, and a password may begin with any sign; what is written is made safe anyway.
func (in *Intake) formula(text string, column int, password bool) bool {
	if !tabular.Formula(text) {
		return false
	}
	if password {
		return call.MatchString(text)
	}
	if column == in.rules.Mapping.Account && text[0] == '+' && strings.Trim(text[1:], "0123456789 -") == "" {
		return false
	}
	return true
}

// unseen reports control characters and invisible ones, which make two alike-looking codes
// differ.
func unseen(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

func visible(r rune) rune {
	if unseen(r) {
		return '·'
	}
	return r
}

func (in *Intake) note(row *tabular.Row, column int) Hidden {
	text := trim(cell(row, column))
	inside := func(r rune) bool { return r != '\n' && r != '\r' && r != '\t' && unicode.IsControl(r) }
	switch {
	case text == "":
	case slices.Contains(row.Formulas, column) || call.MatchString(text):
		in.report(row, column, "formula", redacted)
	case len(text) > in.rules.MaxNote:
		in.report(row, column, "long", redacted, "limit", strconv.Itoa(in.rules.MaxNote))
	case strings.ContainsRune(text, utf8.RuneError):
		in.report(row, column, "charset", redacted)
	case strings.ContainsFunc(text, inside):
		in.report(row, column, "control", redacted)
	}
	return Hidden(text)
}

func (in *Intake) expiry(row *tabular.Row, column int) time.Time {
	text := trim(cell(row, column))
	if text == "" && !slices.Contains(row.Formulas, column) {
		return time.Time{}
	}
	// The rows of a file mostly end together.
	if text != in.lastExpiry || text == "" {
		in.lastExpiry = strings.Clone(text)
		in.lastEnd, in.lastGood = ParseExpiry(text, in.rules.Zone)
	}
	at := in.lastEnd
	switch {
	case !in.lastGood:
		in.report(row, column, "expiry", clip(text))
	case !at.IsZero() && !at.After(in.rules.Now):
		in.report(row, column, "expired", clip(text))
	}
	return at
}

// costMarks takes off what suppliers write around a sum.
var costMarks = strings.NewReplacer("¥", "", "￥", "", "元", "", ",", "", "，", "", " ", "")

func (in *Intake) cost(row *tabular.Row, column int) money.Amount {
	text := trim(cell(row, column))
	if text == "" && !slices.Contains(row.Formulas, column) {
		return money.Amount{}
	}
	a, err := money.Parse(costMarks.Replace(text), in.rules.Currency)
	if err != nil || a.Minor < 0 {
		in.report(row, column, "cost", clip(text), "currency", string(in.rules.Currency))
		return money.Amount{}
	}
	return a
}

// clip is the beginning of what isn't secret.
func clip(text string) string {
	r := []rune(strings.Map(visible, text))
	if len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return string(r)
}
