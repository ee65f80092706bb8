// Package flow orders steps across islands and turns one island's values into another's.
// The list of its files is the list of what the business does.
//
// The hot flows take a slice of commands and carry it out with a few set-wise statements
// in one transaction; each command gets its own answer. They load what they need, decide
// in the islands' pure functions, and save.
package flow

import (
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/vault"
	"hufu/internal/waiting"
)

// Islands are the services that flows work with.
type Islands struct {
	Catalogue *catalogue.Service
	Inventory *inventory.Service
	Orders    *order.Service
	Payments  *payment.Service
	Rights    *entitlement.Service
	Ledger    *ledger.Service
	Codes     *vault.Pool
	Keys      *vault.Keyring
}

// Flows carries out what the business does on one database.
type Flows struct {
	Islands
	DB    *db.DB
	Clock clock.Clock
	// Gateways are the channels that may be asked and told, by name.
	Gateways map[string]paygate.Gateway
	// Patience is how long the duties and pages wait for one answer of a gateway, and Asking
	// how many answers of each gateway the duties wait for at once. They begin as the
	// constants of these names.
	Patience time.Duration
	Asking   int
	// Changed is told of every order that changed, after the commit: it wakes the pages
	// that wait for it. It must not block.
	Changed func(id.Order)

	// Rooms are the waiting rooms before offers.
	Rooms *waiting.Service

	channels channels
	placed   placed
	sheets   sheets
	asked    asked
	place    *db.Lane[Place, Placed]
	confirm  *db.Lane[Confirm, Confirmed]
	reveal   *db.Lane[Reveal, []Revealed]
}

// How gateways are asked unless a Flows is told otherwise.
const (
	Patience = 5 * time.Second
	Asking   = 32
)

// New makes the flows and their lanes.
func New(d *db.DB, c clock.Clock, islands Islands) *Flows {
	f := &Flows{Islands: islands, DB: d, Clock: c, Changed: func(id.Order) {}, Gateways: map[string]paygate.Gateway{},
		Patience: Patience, Asking: Asking}
	if islands.Keys != nil {
		f.Rooms = waiting.New(islands.Keys.Derive("waiting room"))
	}
	f.confirm = db.NewLane(d, "confirm", f.confirmAll)
	f.place = db.NewLane(d, "place", f.placeAll)
	f.reveal = db.NewLane(d, "reveal", f.revealAll)
	return f
}

// Lanes gives the statistics of the lanes by name.
func (f *Flows) Lanes() map[string]db.LaneStats {
	return map[string]db.LaneStats{"place": f.place.Stats(), "confirm": f.confirm.Stats(), "reveal": f.reveal.Stats()}
}

func (f *Flows) changed(tx *db.Tx, orders ...id.Order) {
	tx.AfterCommit(func() {
		for _, o := range orders {
			f.Changed(o)
		}
	})
}

func distinct[T comparable](all []T) []T {
	seen := make(map[T]bool, len(all))
	out := all[:0:0]
	for _, v := range all {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
