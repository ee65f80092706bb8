package catalogue

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

// State is where an offer stands.
type State string

// The states of an offer. A scheduled offer goes live by itself when its time comes; see
// Offer.At.
const (
	Draft     State = "draft"
	Scheduled State = "scheduled"
	Live      State = "live"
	Paused    State = "paused"
	Archived  State = "archived"
)

// next lists what may follow each state.
var next = map[State][]State{
	Draft:     {Scheduled, Live, Archived},
	Scheduled: {Draft, Live, Paused, Archived},
	Live:      {Paused, Archived, Scheduled},
	Paused:    {Live, Scheduled, Archived},
	Archived:  {Draft},
}

// MayBecome reports whether an offer in state s may be put into state t.
func (s State) MayBecome(t State) bool { return slices.Contains(next[s], t) }

// Categories are the shelves of the shop.
var Categories = []string{"video", "audio", "cinema", "reading", "life", "games"}

// Content is everything of an offer that a version freezes.
type Content struct {
	Title       Text
	Summary     Text
	Description Text
	Badge       Text
	Price       money.Amount
	// List is the price that Price is shown against; zero shows none.
	List        money.Amount
	MaxPerOrder int64
	// Stock limits the offer itself, apart from the stocks of its parts, none of which it is;
	// "" doesn't.
	Stock id.Stock
	Parts []Part
	// Choices are what options among the parts are picked for.
	Choices []Choice
	// Limits are how many may be bought beyond one order; each one holds.
	Limits []Limit
	// Rules say who may buy; all of them have to let a buyer.
	Rules []Issuing
	// Floor is what the price may never be below, whatever lowers it; zero is no floor.
	Floor money.Amount
	Room  Room
}

// SameTerms reports whether a buyer who was told d is bound by, and gets, the same: the
// parts, the choices, what must be told of each, and how many an order may have. Limits are no terms: who
// is within them is bound by nothing else and gets the same, and who isn't is refused.
func (c Content) SameTerms(d Content) bool {
	return c.MaxPerOrder == d.MaxPerOrder && c.SameGoods(d) && slices.EqualFunc(c.Choices, d.Choices, func(p, q Choice) bool { return p.Name == q.Name }) && slices.EqualFunc(c.Parts, d.Parts, func(p, q Part) bool {
		a, b := p.Benefit, q.Benefit
		return a.Provider == b.Provider && a.Name == b.Name && a.Disclosure == b.Disclosure
	})
}

// SameGoods reports whether a buyer of c gets what a buyer of d gets, whatever is said of it.
func (c Content) SameGoods(d Content) bool {
	return slices.EqualFunc(c.Choices, d.Choices, Choice.sameGoods) && slices.EqualFunc(c.Parts, d.Parts, func(p, q Part) bool {
		a, b := p.Benefit, q.Benefit
		return p.Quantity == q.Quantity && p.Choice == q.Choice && p.Validity.same(q.Validity) && p.Release.same(q.Release) && a.ID == b.ID && a.Kind == b.Kind && a.Provider.Key == b.Provider.Key &&
			maps.Equal(a.Attributes, b.Attributes) && a.ValidDays == b.ValidDays && a.Coded == b.Coded
	})
}

// Offer is what is sold.
type Offer struct {
	ID        id.Offer
	Slug      string
	State     State
	VersionID id.OfferVersion // the published version, "" before the first
	Version   int64           // its number
	Next      Next            // what is to be sold later; see Settled
	Category  string
	Position  int64
	StartsAt  time.Time // sold from then on; zero: at once
	EndsAt    time.Time // and until then; zero: without end
	Draft     Content   // the working copy
	Revision  int64     // counts saves of the working copy: two editors can't overwrite each other
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Version is a frozen content.
type Version struct {
	ID        id.OfferVersion
	Offer     id.Offer
	Number    int64
	Content   Content
	CreatedAt time.Time
	CreatedBy id.Party

	compiled *compiled // nil for one that Service didn't give
}

// At is the state of the offer at a moment: a scheduled offer whose time has come is live,
// and a live one whose end has passed is paused.
func (o Offer) At(now time.Time) State {
	s := o.State
	if s == Scheduled && !o.StartsAt.IsZero() && !now.Before(o.StartsAt) {
		s = Live
	}
	if s == Live && !o.EndsAt.IsZero() && !now.Before(o.EndsAt) {
		s = Paused
	}
	return s
}

// Providers lists the providers of the parts in order, each once.
func (c Content) Providers() []Provider {
	var out []Provider
	for _, p := range c.Parts {
		if !slices.ContainsFunc(out, func(q Provider) bool { return q.Key == p.Benefit.Provider.Key }) {
			out = append(out, p.Benefit.Provider)
		}
	}
	return out
}

// maxSlug is how long a slug may be, in bytes.
const maxSlug = 80

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Validate checks that c can be published; it returns nil or a fault with a field for each
// problem.
func (c Content) Validate() error {
	f := fault.New(fault.Invalid, "catalogue.content")
	need := func(ok bool, field, code string, params ...string) {
		if !ok {
			f.At(field, code, params...)
		}
	}
	need(c.Title.ZH != "", "title.zh", "catalogue.required")
	need(c.Title.EN != "", "title.en", "catalogue.required")
	c.seen(f)
	need(c.Title.within(200), "title", "catalogue.too_long", "limit", "200")
	need(c.Summary.within(500), "summary", "catalogue.too_long", "limit", "500")
	need(c.Badge.within(40), "badge", "catalogue.too_long", "limit", "40")
	need(c.Description.within(20000), "description", "catalogue.too_long", "limit", "20000")
	need(c.Price.Currency.Known(), "currency", "catalogue.currency")
	need(c.Price.Minor > 0 && c.Price.Minor <= 1e11, "price", "catalogue.price")
	need(c.List.IsZero() || (c.List.Currency == c.Price.Currency && c.List.Minor >= c.Price.Minor), "list_price", "catalogue.list_price")
	need(c.MaxPerOrder > 0 && c.MaxPerOrder <= 1000, "max_per_order", "catalogue.max_per_order")
	need(len(c.Parts) > 0, "parts", "catalogue.no_parts")
	need(len(c.Parts) <= 50, "parts", "catalogue.too_many_parts")
	// One sale would take the stock twice, and of an edition have two numbers for one right.
	need(c.Stock == "" || !slices.ContainsFunc(c.Parts, func(p Part) bool { return p.Benefit.Stock == c.Stock }), "stock", "catalogue.stock_twice")
	c.validateLimits(need)
	for i, p := range c.Parts {
		path := "parts[" + strconv.Itoa(i) + "]"
		need(p.Quantity > 0 && p.Quantity <= 1000, path+".quantity", "catalogue.quantity")
		p.Benefit.Validate(path+".benefit", f)
	}
	c.validateBundle(f, need)
	c.validateRules(f, need)
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

func join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
