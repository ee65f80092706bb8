package flow

import (
	"context"
	"errors"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Activate is the command of a holder to begin the validity of a right. The caller has made
// sure that the order is the holder's.
type Activate struct {
	Order id.Order
	Right id.Right
	Actor string
}

// Activate begins the validity of a right that counts from its activation. One that has begun
// is answered as it stands; others fail with right.not_activated_so or as their state says.
func (f *Flows) Activate(ctx context.Context, c Activate) (*entitlement.Right, error) {
	var out *entitlement.Right
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		out = nil
		held, err := f.Rights.LockOf(ctx, tx, []id.Order{c.Order})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return err
		}
		for _, r := range held[c.Order] {
			if r.ID == c.Right {
				out = r
			}
		}
		if out == nil {
			return fault.New(fault.NotFound, "right.not_found")
		}
		if out.Allows(entitlement.StepActivated) {
			f.changed(tx, c.Order)
			return f.Rights.Take(ctx, tx, []entitlement.Take{{Right: out, Kind: entitlement.StepActivated, Actor: c.Actor, Data: "{}"}}, f.Clock.Now())
		}
		versions, err := f.Catalogue.Versions(ctx, tx, []id.OfferVersion{out.Version})
		if err != nil {
			return err
		}
		switch counts := versions[out.Version].Content.Parts[out.Part].Validity.From == catalogue.FromActivation; {
		case !counts:
			return fault.New(fault.Conflict, "right.not_activated_so")
		case out.State == entitlement.Held || out.State == entitlement.Revealed:
			return nil // it has begun
		}
		return fault.New(fault.Conflict, "right.state."+string(out.State))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
