package catalogue

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
)

// Kind is one kind of benefit (权益种类): what one carries, what its holder is asked for, how
// it comes to be held, is used, and until when it is given back. Each stands in a file of
// its own and registers itself; what a page says of a kind is under its name in the messages.
type Kind struct {
	Name string
	// Fields are the attributes a benefit of this kind may carry.
	Fields []Attribute
	// NeedsCode says that it can only be delivered as a code.
	NeedsCode bool
	// Asks is what its holder must give before it can be delivered.
	Asks Ask
	// Waits is what a granted right waits for before it is held; "" when it is held at once.
	// A benefit that is delivered as a code never waits.
	Waits Wait
	// Use is where the holder uses it.
	Use Use
	// Final is the event after which it is not paid back on request.
	Final Final
}

// Ask is something a holder is asked for.
type Ask string

// What kinds ask for.
const (
	AskNothing Ask = ""
	AskAccount Ask = "account" // the account to be credited, at the provider
	AskAddress Ask = "address" // where to send it
	AskSlot    Ask = "slot"    // when to come
)

// Wait names what a granted right waits for.
type Wait string

// What rights wait for. Each has its deliverer.
const (
	WaitNothing  Wait = ""
	WaitTopUp    Wait = "top_up"   // the supplier credits an account
	WaitShipment Wait = "shipment" // a parcel is sent
	WaitProvider Wait = "provider" // another platform confirms
	WaitDraw     Wait = "draw"     // a lottery is drawn
	WaitMint     Wait = "mint"     // a collectible gets its number
	WaitSlot     Wait = "slot"     // a visit is booked
	WaitCredit   Wait = "credit"   // points are credited
)

// Use is where a right is used.
type Use string

// Where rights are used.
const (
	UseProvider Use = "provider" // in the provider's own app or site
	UseCounter  Use = "counter"  // shown at a counter
	UseHome     Use = "home"     // it arrives at an address
	UseHere     Use = "here"     // in this shop's wallet
)

// Final is an event after which a right is not paid back on request.
type Final string

// What makes a right final.
const (
	FinalRevealed  Final = "revealed"  // its code was shown, or it was used
	FinalDelivered Final = "delivered" // its deliverer has done its part
	FinalUsed      Final = "used"
	FinalDrawn     Final = "drawn"
)

// Form is how the value of an attribute is written.
type Form string

// The forms of attributes.
const (
	FormWords  Form = "words"  // at most 200 characters
	FormWhole  Form = "whole"  // a whole number above zero
	FormMinor  Form = "minor"  // an amount in minor units of the offer's currency, above zero
	FormDate   Form = "date"   // 2006-01-02, a day in the shop's time zone
	FormLink   Form = "link"   // an https address
	FormChoice Form = "choice" // one of Choices
)

// Attribute is one property of a kind of benefit.
type Attribute struct {
	Name     string
	Form     Form
	Required bool
	Choices  []string
}

// maxWords is how long an attribute in words may be, in characters.
const maxWords = 200

// check returns the code of what is wrong with a value, "" when nothing is.
func (a Attribute) check(v string) (code string, params []string) {
	switch {
	case v == "" && a.Required:
		return "catalogue.required", nil
	case v == "":
		return "", nil
	}
	ok := true
	switch a.Form {
	case FormWords:
		if utf8.RuneCountInString(v) > maxWords {
			return "catalogue.too_long", []string{"limit", strconv.Itoa(maxWords)}
		}
	case FormWhole, FormMinor:
		n, err := strconv.ParseInt(v, 10, 64)
		ok, code = err == nil && n > 0 && n <= 1e11, "catalogue.number"
	case FormDate:
		_, err := time.Parse(time.DateOnly, v)
		ok, code = err == nil, "catalogue.date"
	case FormLink:
		u, err := url.Parse(v)
		ok, code = err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && len(v) <= 2000, "catalogue.link"
	case FormChoice:
		ok, code, params = slices.Contains(a.Choices, v), "catalogue.choice", []string{"choices", strings.Join(a.Choices, ", ")}
	}
	if ok {
		return "", nil
	}
	return code, params
}

var kinds = map[string]Kind{}

func register(k Kind) Kind {
	if _, twice := kinds[k.Name]; twice {
		panic("catalogue: two kinds are named " + k.Name)
	}
	kinds[k.Name] = k
	return k
}

// KindOf finds a kind by name.
func KindOf(name string) (Kind, bool) { k, ok := kinds[name]; return k, ok }

// Kinds lists the names of all kinds in a fixed order.
func Kinds() []string { return sortedKeys(kinds) }

// Waits is what a right to b waits for once it was granted.
func (b Benefit) Waits() Wait {
	if b.Coded {
		return WaitNothing
	}
	return kinds[b.Kind].Waits
}

// Asks is what the holder of b is asked for.
func (b Benefit) Asks() Ask {
	if b.Coded {
		return AskNothing
	}
	return kinds[b.Kind].Asks
}

// validateKind checks what b carries against its kind.
func (b Benefit) validateKind(path string, f *fault.Error) {
	k, ok := KindOf(b.Kind)
	if !ok {
		f.At(join(path, "kind"), "catalogue.kind", "kind", b.Kind, "known", strings.Join(Kinds(), ", "))
		return
	}
	if k.NeedsCode && !b.Coded {
		f.At(join(path, "coded"), "catalogue.needs_code")
	}
	if b.Coded && b.Stock == "" {
		f.At(join(path, "stock"), "catalogue.needs_stock")
	}
	known := map[string]bool{}
	for _, a := range k.Fields {
		known[a.Name] = true
		if code, params := a.check(b.Attributes[a.Name]); code != "" {
			f.At(join(path, "attributes."+a.Name), code, params...)
		}
	}
	for _, name := range sortedKeys(b.Attributes) {
		if !known[name] {
			f.At(join(path, "attributes."+name), "catalogue.unknown_attribute", "name", name)
		}
	}
}
