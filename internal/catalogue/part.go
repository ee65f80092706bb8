package catalogue

import (
	"time"

	"hufu/internal/money"
	"hufu/internal/rule"
)

// Part is a benefit in an offer, with how many of it one unit of the offer gives: at each
// release, where it is released more than once.
type Part struct {
	Benefit  Benefit
	Quantity int64
	// Choice is the key of the choice that the part is an option of; "" for a part that every
	// buyer gets.
	Choice   string
	Validity Validity
	// Release is when a fixed part is given; the release of an option is its choice's.
	Release Release
	// Share is what of the offer's price this part stands for, all its releases together; zero
	// leaves it to the list prices. Options have none: their choice has.
	Share money.Amount
}

// Choice is k of n (N选1): options of which a buyer gets some.
type Choice struct {
	Key  string // what its options name it by: a slug, unique in the content
	Name Text
	Pick int64 // how many different options are picked
	// Later lets the holder pick after the purchase, within Days days of it, or of each
	// release. Who hasn't picked by then gets the first Pick options; until then these are
	// held for them, so that a choice is never empty. Otherwise the buyer picks when ordering.
	Later bool
	Days  int64
	// Release gives a pick of its own each time.
	Release Release
	Share   money.Amount // as a part's, all its releases together
}

// Validity is when a right to a part counts. The zero value is the benefit's own: ValidDays
// from its grant or release.
type Validity struct {
	From ValidFrom
	// Days is how long it lasts; not for a window.
	Days int64
	// Within is how many days the holder has to begin; after them the right ends unbegun. Zero
	// is without end. Only for what the holder begins.
	Within int64
	// Start and End bound a window, Start included.
	Start, End time.Time
}

// ValidFrom is what the validity of a part counts from.
type ValidFrom string

// What validity counts from.
const (
	FromGrant      ValidFrom = ""
	FromWindow     ValidFrom = "window"     // fixed dates
	FromPurchase   ValidFrom = "purchase"   // when the order was paid, also for what is released later
	FromActivation ValidFrom = "activation" // when its holder says so; showing its code says so too
	FromFirstUse   ValidFrom = "first_use"  // when it is first redeemed; for a code, first shown
)

// Release is when a part is given. The zero value gives it at once.
type Release struct {
	Every Every
	// Count is how many times.
	Count int64
	// From is the day of the first release, in Zone; zero is the day on which the order was
	// placed.
	From time.Time
	// CatchUp gives, to who buys after From, the releases that went before at once; without it
	// they are not part of what is bought. What is due on the day of the order always is.
	CatchUp bool
	// Until ends the releases: none is made at or after it. Zero is no end but Count.
	Until time.Time
}

// Every is the time between releases.
type Every string

// The times between releases.
const (
	AtOnce     Every = ""
	EveryDay   Every = "day"
	EveryWeek  Every = "week"
	EveryMonth Every = "month" // on the day of the month of the first, or the month's last
)

// Issuing is a rule of who may have an offer (发放规则), with the name it is told by.
type Issuing struct {
	Name   Text
	Source rule.Source
}

// Room is the waiting room before an offer (排队). The zero value is none.
type Room struct {
	// PerMinute is how many are let in each minute; zero is no room.
	PerMinute int64
	// Minutes is how long who was let in may take to place an order.
	Minutes int64
}
