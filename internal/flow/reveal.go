package flow

import (
	"context"
	"errors"
	"slices"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/vault"
)

// Reveal is the command to show the codes of an order's rights to who may see them.
type Reveal struct {
	Order  id.Order
	Rights []id.Right // nil for all of the order
	Actor  string
	Data   string // JSON, kept in the path: what the holder confirmed
}

// Revealed is a right with its code in clear.
type Revealed struct {
	Right  *entitlement.Right
	Code   vault.Delivered
	Secret vault.Record
}

// Reveal shows codes. Each showing is a step on the right's path, written before anybody
// sees the code.
func (f *Flows) Reveal(ctx context.Context, c Reveal) ([]Revealed, error) {
	shown, err := f.reveal.Do(ctx, c)
	if fault.CodeOf(err) == "vault.key_gone" { // another process has rotated the keys
		if fresh, bad := f.Keys.Refresh(ctx); bad == nil && fresh {
			return f.reveal.Do(ctx, c)
		}
	}
	return shown, err
}

func (f *Flows) revealAll(ctx context.Context, tx *db.Tx, commands []Reveal) ([]db.Answer[[]Revealed], error) {
	now := f.Clock.Now()
	answers := make([]db.Answer[[]Revealed], len(commands))
	var orders []id.Order
	for _, c := range commands {
		orders = append(orders, c.Order)
	}
	held, err := f.Rights.LockOf(ctx, tx, distinct(orders))
	if err != nil {
		return nil, err
	}
	sealed, err := f.Codes.SealedOfOrders(ctx, tx, distinct(orders))
	if err := errors.Join(err, tx.Flush(ctx)); err != nil {
		return nil, err
	}
	var takes []entitlement.Take
	for i, c := range commands {
		shown, err := f.open(c, held[c.Order], sealed)
		answers[i] = db.Answer[[]Revealed]{Result: shown, Err: err}
		for _, s := range shown {
			takes = append(takes, entitlement.Take{Right: s.Right, Kind: entitlement.StepRevealed, Actor: c.Actor, Data: c.Data})
		}
	}
	return answers, f.Rights.Take(ctx, tx, takes, now)
}

// open decrypts what a command asks for. Asked for all, it passes over rights that can't be
// shown any more; asked for one that can't, it says why.
func (f *Flows) open(c Reveal, held []*entitlement.Right, sealed map[id.Right]vault.Delivered) ([]Revealed, error) {
	var shown []Revealed
	for _, r := range held {
		if r.Code == "" || (c.Rights != nil && !slices.Contains(c.Rights, r.ID)) {
			continue
		}
		if !r.State.Allows(entitlement.StepRevealed) {
			if c.Rights == nil {
				continue
			}
			return nil, fault.New(fault.Conflict, "right.state."+string(r.State))
		}
		d := sealed[r.ID]
		secret, err := f.Keys.Open(d.Code, d.Sealed)
		if err != nil {
			return nil, err
		}
		shown = append(shown, Revealed{Right: r, Code: d, Secret: secret})
	}
	if shown == nil {
		return nil, fault.New(fault.NotFound, "right.none")
	}
	return shown, nil
}
