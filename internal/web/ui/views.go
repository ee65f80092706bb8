package ui

import (
	"html/template"
	"time"

	"hufu/internal/money"
)

// TicketState is the life of a right, which the look of its ticket follows.
type TicketState string

// The states of a ticket.
const (
	TicketWaiting     TicketState = "waiting"     // paid or promised, not there yet: outlined
	TicketHeld        TicketState = "held"        // can be used: full
	TicketUsed        TicketState = "used"        // stub torn
	TicketExpired     TicketState = "expired"     // faded
	TicketGifted      TicketState = "gifted"      // ribbon
	TicketCollectible TicketState = "collectible" // living art
	TicketRefunded    TicketState = "refunded"    // struck through
)

// Ticket is how a right is shown everywhere (partial "ui/ticket").
type Ticket struct {
	State      TicketState
	StateLabel string // "" takes the state's own word
	Name       string
	Sub        string
	ProviderID string // seeds the monogram's hue
	Provider   string // its first letter is the monogram
	Facts      []Fact
	Valid      string // validity in words, on the stub
	Action     *Action
	CoverID    string // art of a collectible
	Edition    string // "No. 0128 / 5000"
}

// Fact is a name and a value.
type Fact struct {
	Label, Value string
	Mono         bool // an identifier or a fingerprint
}

// Action is the one thing to do next.
type Action struct {
	Label   string
	Href    string // a link, or with Post the target of a form
	Post    bool
	Kind    string // button kind; "" is primary
	Icon    string
	Confirm string // id of a dialog that asks first
}

// Offer is a card of the shop (partial "ui/offer").
type Offer struct {
	ID         string // seeds the cover
	Href       string
	Name       string
	Sub        string
	ProviderID string
	Provider   string
	Price      money.Amount
	ListPrice  money.Amount // zero when there is none
	Stock      Stock
	Ribbon     string // a word on the cover, such as "new"
}

// Stock is a supply in words (partial "ui/stock").
type Stock struct {
	Unlimited bool
	Left      int64
	LowAt     int64 // from here on the number is shown; 0 means 20
}

// Out reports that nothing is left.
func (s Stock) Out() bool { return !s.Unlimited && s.Left <= 0 }

// Low reports that so little is left that it should be said.
func (s Stock) Low() bool {
	low := s.LowAt
	if low == 0 {
		low = 20
	}
	return !s.Unlimited && s.Left > 0 && s.Left <= low
}

// Event is one step of a time line (partial "ui/timeline").
type Event struct {
	Tone   Tone
	Icon   string // "" takes the tone's
	Title  string
	Detail string
	At     time.Time // zero for a step that is still to come
	By     string
	Raw    string // payload as received, folded
}

// Column is one column of a Table.
type Column struct {
	Label    string
	SortHref string // "" when the list can't be sorted by it
	Sorted   string // "", "ascending", "descending"
	End      bool   // numbers: aligned to the end
	Fit      bool   // as narrow as its contents
	Say      bool   // on a phone its label is said: the number alone wouldn't tell
}

// Row is one row of a Table.
type Row struct {
	ID    string // value of the tick for bulk actions
	Label string // what the row is, for the tick's name
	Href  string
	Edit  string // where the key e leads
	Cells []Cell
}

// Cell is what stands in one place of a Table. Use the constructors.
type Cell struct {
	Text   string
	Sub    string
	Href   string
	Tone   Tone // with Text: a badge
	Money  *money.Amount
	At     time.Time
	Ago    bool
	Mono   bool
	HTML   template.HTML
	Wide   bool // takes a whole line on a phone
	Code   bool
	IsTime bool
}

// Text is a cell of words; sub stands below in small.
func Text(text, sub string) Cell { return Cell{Text: text, Sub: sub} }

// Link is the cell that opens the row: every row should have one.
func Link(text, href, sub string) Cell { return Cell{Text: text, Href: href, Sub: sub, Wide: true} }

// State is a badge.
func State(tone Tone, text string) Cell { return Cell{Tone: tone, Text: text} }

// Sum is an amount of money.
func Sum(a money.Amount) Cell { return Cell{Money: &a} }

// At is a moment, relative when recent.
func At(t time.Time) Cell { return Cell{At: t, Ago: true, IsTime: true} }

// On is a moment as an absolute time.
func On(t time.Time) Cell { return Cell{At: t, IsTime: true} }

// Mono is an identifier or a part of a code.
func Mono(text string) Cell { return Cell{Text: text, Mono: true} }

// Table is a list of records (partial "ui/table").
type Table struct {
	Caption string // what the list is, for screen readers
	Columns []Column
	Rows    []Row
	Bulk    []Action // actions on ticked rows; post the ids as "id"
	Pager   Pager
	Empty   Empty // shown when there are no rows
}

// Pager leads through a list by cursor or page (partial "ui/pager").
type Pager struct {
	From, To   int
	Total      int64  // 0 when it is not known
	First      string // the way back of a list that is read by cursor; "" on its first page
	Prev, Next string // "" at an end
	AsOf       time.Time
}

// Empty says what a list is for while it has nothing (partial "ui/empty").
type Empty struct {
	Art    string // "ticket", "box", "search", "lock", "bell", "tally"
	Title  string
	Text   string
	Action *Action
	Second *Action
}

// Stat is a number of the console's home (partial "ui/stat").
type Stat struct {
	Label string
	Value string
	Trend string // "+12%", "-3%"; its first sign decides the arrow
	Good  bool   // whether the trend is welcome
	Note  string // compared with what, since when
	Href  string
	Tone  Tone // Warn or Stop to point at it
}

// Part is one share of a bar (partial "ui/sharebar").
type Part struct {
	Label string
	Value int64
}

// Todo is one thing that needs doing (partial "ui/todo").
type Todo struct {
	Tone  Tone
	Icon  string
	Title string
	Text  string
	Count int64
	Href  string
}

// Step is one step of a wizard (partial "ui/steps").
type Step struct {
	Label string
	State string // "done", "current", "failed" or "" for what is to come
}

// Option is one choice of a select, a segmented control, chips, tabs or choice cards.
type Option struct {
	Value    string
	Label    string
	Sub      string // choice cards only
	Href     string // chips, tabs and segments that are links
	Icon     string // choice cards only
	Count    string // a number beside it
	Selected bool
	Disabled bool
}

// Term is one condition that a shopper reads before paying (partial "ui/terms").
type Term struct{ Icon, Label, Text string }

// Tone is the meaning of the ticket's state.
func (t Ticket) Tone() Tone {
	switch t.State {
	case TicketWaiting:
		return Info
	case TicketHeld, TicketCollectible:
		return Accent
	case TicketGifted:
		return OK
	}
	return Plain
}
