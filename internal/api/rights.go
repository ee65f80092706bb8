package api

import (
	"context"
	"encoding/hex"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Right is what somebody holds; its code is in clear only where it was revealed.
type Right struct {
	ID       id.Right          `json:"id"`
	Order    id.Order          `json:"order,omitempty"`
	Line     id.Line           `json:"line"`
	Benefit  id.Benefit        `json:"benefit"`
	Kind     string            `json:"kind"`
	State    entitlement.State `json:"state"`
	Part     int64             `json:"part" doc:"Which part of the offer it is to, from 0"`
	Unit     int64             `json:"unit" doc:"Which unit of the line it belongs to, from 0"`
	Release  int64             `json:"release" doc:"Which of the unit's releases, from 0"`
	Share    int64             `json:"share" doc:"What of the unit's price it stands for, in minor units of the order's currency"`
	Waits    string            `json:"waits,omitempty" example:"release" doc:"What a waiting one waits for: release, choice, or what its deliverer does"`
	DueAt    *time.Time        `json:"due_at,omitempty" doc:"When it is released, falls to the option it stands at, or ends because nobody began it"`
	StartsAt time.Time         `json:"starts_at"`
	EndsAt   *time.Time        `json:"ends_at,omitempty"`
	Begin    *PartValidity     `json:"begin,omitempty" doc:"Its validity hasn't begun: from activation, with activate-right or by showing its code; or from first_use"`
	Pick     int64             `json:"pick,omitempty" doc:"How many options choose-option takes, for all rights of the unit and release together"`
	Options  []RightOption     `json:"options,omitempty" doc:"What it can be chosen to be, while it waits for that"`
	Numbers  []RightNumber     `json:"numbers,omitempty" doc:"Of the editions that it is one of; reveal-codes leaves them out"`
	Coded    bool              `json:"coded" doc:"It is a code, which can be revealed"`
	Code     string            `json:"code,omitempty"`
	Serial   string            `json:"serial,omitempty"`
	Account  string            `json:"account,omitempty"`
	Password string            `json:"password,omitempty"`
	Note     string            `json:"note,omitempty"`
}

// RightNumber is the number that a right has in an edition.
type RightNumber struct {
	Stock  id.Stock `json:"stock"`
	Number int64    `json:"number"`
	Of     int64    `json:"of" doc:"How many numbers the edition has"`
	Text   string   `json:"text" example:"0042 / 1000"`
}

// RightPath is everything that happened to a right.
type RightPath struct {
	Right    Right       `json:"right"`
	Steps    []RightStep `json:"steps"`
	Intact   bool        `json:"intact" doc:"Every step's hash fits the one before, and the last is the right's"`
	BrokenAt int64       `json:"broken_at,omitempty" doc:"The first step that doesn't fit"`
}

// RightStep is one step of a path.
type RightStep struct {
	N     int64     `json:"n"`
	Kind  string    `json:"kind"`
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`
	Data  string    `json:"data,omitempty" doc:"JSON, as it is covered by the hash"`
	Hash  string    `json:"hash" doc:"Hexadecimal; covers the step and the hash before it"`
}

type orderRightInput struct {
	OrderRef
	Right id.Right `path:"right" maxLength:"40"`
}

// RightRef names a right.
type RightRef struct {
	Right id.Right `path:"right" maxLength:"40"`
}

func (a *API) rights() {
	operation(a, "list-order-rights", a.orderRights)
	operation(a, "order-right-path", a.orderRightPath)
}

func showRight(r *entitlement.Right) Right {
	out := Right{ID: r.ID, Line: r.Line, Benefit: r.Benefit, Kind: r.Kind, State: r.State, Coded: r.Code != "", EndsAt: timeIf(r.EndsAt), StartsAt: r.StartsAt,
		Part: r.Part, Unit: r.Unit, Release: r.Nth, Share: r.Share, Waits: r.Waits, DueAt: timeIf(r.DueAt)}
	if r.Clock.From != "" {
		out.Begin = &PartValidity{From: catalogue.ValidFrom(r.Clock.From), Days: r.Clock.Days, Within: r.Clock.Within}
	}
	return out
}

// showRights shows rights with their numbers.
func (a *API) showRights(ctx context.Context, tx *db.Tx, rights []*entitlement.Right) ([]Right, error) {
	out, ids := make([]Right, len(rights)), make([]id.Right, len(rights))
	for i, r := range rights {
		out[i], ids[i] = showRight(r), r.ID
	}
	numbers, err := a.Flows.Inventory.NumbersOf(ctx, tx, ids)
	for i, r := range ids {
		for _, n := range numbers[r] {
			out[i].Numbers = append(out[i].Numbers, RightNumber{n.Stock, n.Number, n.Of, n.Text()})
		}
	}
	return out, err
}

// numbered is showRights of what was just done.
func (a *API) numbered(ctx context.Context, rights []*entitlement.Right) (out []Right, err error) {
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		out, err = a.showRights(ctx, tx, rights)
		return err
	})
	return out, err
}

func (a *API) orderRights(ctx context.Context, c *Call, in *OrderRef) (*Page[Right], error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	out := &Page[Right]{Items: []Right{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		rights, err := a.Flows.Rights.OfOrders(ctx, tx, []id.Order{in.ID})
		if err == nil {
			out.Items, err = a.withOptions(ctx, tx, c.Lang, rights[in.ID])
		}
		return err
	})
	return out, err
}

func (a *API) orderRightPath(ctx context.Context, c *Call, in *orderRightInput) (*RightPath, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	return a.path(ctx, in.Right, func(_ *db.Tx, r *entitlement.Right) (bool, error) { return r.Order == in.ID, nil })
}

// path follows a right that the caller may see.
func (a *API) path(ctx context.Context, right id.Right, may func(*db.Tx, *entitlement.Right) (bool, error)) (*RightPath, error) {
	var found *entitlement.Right
	var shown []Right
	var steps []entitlement.Step
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Rights.Rights(ctx, tx, []id.Right{right})
		if err != nil {
			return err
		}
		ok := len(all) > 0
		if ok {
			ok, err = may(tx, all[0])
		}
		if err != nil {
			return err
		}
		if !ok {
			return fault.New(fault.NotFound, "right.not_found")
		}
		found = all[0]
		if shown, err = a.showRights(ctx, tx, all); err != nil {
			return err
		}
		shown[0].Order = found.Order
		paths, err := a.Flows.Rights.Path(ctx, tx, []id.Right{right})
		steps = paths[right]
		return err
	})
	if err != nil {
		return nil, err
	}
	bad := entitlement.Check(*found, steps)
	out := &RightPath{Right: shown[0], Intact: bad == 0, BrokenAt: bad, Steps: make([]RightStep, len(steps))}
	for i, s := range steps {
		out.Steps[i] = RightStep{N: s.N, Kind: s.Kind, Actor: s.Actor, At: s.At, Data: s.Data, Hash: hex.EncodeToString(s.Hash)}
	}
	return out, nil
}
