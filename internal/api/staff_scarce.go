package api

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// Allotment is units of a stock that one channel alone sells: size = available + reserved + delivered.
type Allotment struct {
	Channel   string `json:"channel"`
	Open      bool   `json:"open" doc:"A closed one gives back what returns to it"`
	Size      int64  `json:"size"`
	Available int64  `json:"available"`
	Reserved  int64  `json:"reserved"`
	Delivered int64  `json:"delivered"`
}

// AllotmentChange is a change of a stock's allotments.
type AllotmentChange struct {
	Act    string `json:"act" enum:"move,size,close" doc:"move units between channels, make an allotment a size, or close it"`
	From   string `json:"from,omitempty" maxLength:"40" doc:"Of move: the channel they come from; without one, of what isn't allotted"`
	To     string `json:"to,omitempty" maxLength:"40" doc:"The channel whose allotment it is; of a move without one, what isn't allotted"`
	Units  int64  `json:"units,omitempty" minimum:"0" maximum:"1000000000"`
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// Edition is what numbers the units of a stock.
type Edition struct {
	Size       int64     `json:"size"`
	First      int64     `json:"first"`
	Gapless    bool      `json:"gapless" doc:"A number that comes back is given to the next buyer"`
	ByLot      bool      `json:"by_lot"`
	Commitment string    `json:"commitment,omitempty" doc:"SHA-256 that the lot was committed to with"`
	Seed       string    `json:"seed,omitempty" doc:"Of the lot, in hex, once the edition is closed"`
	Given      int64     `json:"given" doc:"How many numbers were ever given"`
	Retired    int64     `json:"retired"`
	Closed     bool      `json:"closed"`
	CreatedAt  time.Time `json:"created_at"`
}

// NewEdition is an edition to begin.
type NewEdition struct {
	Size    int64 `json:"size" minimum:"1" maximum:"1000000000"`
	First   int64 `json:"first,omitempty" minimum:"0" maximum:"1000000000"`
	Gapless bool  `json:"gapless,omitempty"`
	ByLot   bool  `json:"by_lot,omitempty"`
}

type allotmentInput struct {
	StockRef
	Body AllotmentChange
}

type editionInput struct {
	StockRef
	Body NewEdition
}

func (a *API) staffScarce() {
	operation(a, "list-allotments", func(ctx context.Context, _ *Call, in *StockRef) (*Page[Allotment], error) {
		var out *Page[Allotment]
		err := a.Flows.DB.View(ctx, func(tx *db.Tx) (err error) {
			out, err = a.allotments(ctx, tx, in.Stock)
			return err
		})
		return out, err
	})
	once(a, "change-allotment", func(ctx context.Context, tx *db.Tx, c *Call, in *allotmentInput) (*Page[Allotment], error) {
		b := in.Body
		if err := a.Flows.Inventory.Allot(ctx, tx, inventory.Allotting{Stock: in.Stock, Act: b.Act, From: b.From, To: b.To, Units: b.Units, Reason: b.Reason, Actor: c.party()}, a.Flows.Clock.Now()); err != nil {
			return nil, err
		}
		out, err := a.allotments(ctx, tx, in.Stock)
		if err != nil {
			return nil, err
		}
		return out, a.record(ctx, tx, c, "stock.allot", string(in.Stock), map[string]string{"act": b.Act, "from": b.From, "to": b.To, "units": strconv.FormatInt(b.Units, 10), "reason": b.Reason})
	})
	operation(a, "get-edition", func(ctx context.Context, _ *Call, in *StockRef) (*Edition, error) {
		var out *Edition
		err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
			e, err := a.Flows.Inventory.Edition(ctx, tx, in.Stock)
			if err == nil && e == nil {
				err = fault.New(fault.NotFound, "edition.none")
			}
			if err == nil {
				out = showEdition(e)
			}
			return err
		})
		return out, err
	})
	once(a, "begin-edition", func(ctx context.Context, tx *db.Tx, c *Call, in *editionInput) (*Edition, error) {
		b := in.Body
		e, err := a.Flows.Inventory.Begin(ctx, tx, inventory.Edition{Stock: in.Stock, Size: b.Size, First: b.First, Gapless: b.Gapless, ByLot: b.ByLot, CreatedBy: c.party()}, a.Flows.Clock.Now())
		if err != nil {
			return nil, err
		}
		return showEdition(e), a.record(ctx, tx, c, "edition.begin", string(in.Stock), map[string]string{"size": strconv.FormatInt(b.Size, 10), "commitment": e.Commitment})
	})
	once(a, "close-edition", func(ctx context.Context, tx *db.Tx, c *Call, in *StockRef) (*Edition, error) {
		e, err := a.Flows.Inventory.End(ctx, tx, in.Stock, a.Flows.Clock.Now())
		if err != nil {
			return nil, err
		}
		return showEdition(e), a.record(ctx, tx, c, "edition.close", string(in.Stock), map[string]string{"given": strconv.FormatInt(e.Next, 10)})
	})
}

func (a *API) allotments(ctx context.Context, tx *db.Tx, stock id.Stock) (*Page[Allotment], error) {
	if _, err := a.stock(ctx, tx, stock); err != nil {
		return nil, err
	}
	all, err := a.Flows.Inventory.Allotments(ctx, tx, stock)
	out := &Page[Allotment]{Items: make([]Allotment, len(all))}
	for i, one := range all {
		out.Items[i] = Allotment{one.Channel, one.Open, one.Size, one.Available, one.Reserved, one.Delivered}
	}
	return out, err
}

func showEdition(e *inventory.Edition) *Edition {
	return &Edition{e.Size, e.First, e.Gapless, e.ByLot, e.Commitment, e.RevealedSeed(), e.Next, e.Retired, e.Closed, e.CreatedAt}
}
