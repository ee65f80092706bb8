package flow

import (
	"context"
	"errors"

	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Choose is the command of a holder to pick the options of a choice that was left for later.
// The caller has made sure that the order is the holder's.
type Choose struct {
	Order id.Order
	Right id.Right // any of those that wait for the pick
	Parts []int    // the options picked: as many different ones as the choice asks for
	Actor string
	// Conflicts is the FindingsHash of what CheckPick found, once the holder acknowledged it.
	Conflicts string
}

// Choose picks for all the rights of a unit and release that wait together. Units of other
// options than the default are taken, and the default's made available again, or nothing
// changes: right.option_sold_out. The same pick again is answered as the first was; another
// one fails with right.chosen.
//
// What is picked is held against the relations between benefits as a purchase is, with what the
// right's owner holds by now: it fails with right.conflict, or, until what has to be acknowledged
// was, with right.conflict_unread or right.conflict_changed. Who doesn't pick in time gets the
// default as it was bought: nobody is there to be asked.
func (f *Flows) Choose(ctx context.Context, c Choose) ([]*entitlement.Right, error) {
	var out []*entitlement.Right
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		out = nil
		held, err := f.Rights.LockOf(ctx, tx, []id.Order{c.Order})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return err
		}
		p, err := f.pickingOf(ctx, tx, held[c.Order], c.Right)
		if err != nil {
			return err
		}
		if err := p.check(c.Parts); err != nil {
			return err
		}
		out = p.group
		if done, err := p.made(c.Parts); done || err != nil {
			return err
		}
		now, v := f.Clock.Now(), p.version
		all, _, err := f.means(ctx, tx, p.right.Party, now, p.wanted(c.Parts))
		if err != nil {
			return err
		}
		ack, err := agreed(all[0], c.Conflicts, "right")
		if err != nil {
			return err
		}
		g := &giving{now: now}
		for i, part := range p.assign(c.Parts) {
			r := p.group[i]
			one := given{right: r, step: entitlement.StepChosen, actor: c.Actor, part: become(v, part), from: r.Part, ack: ack}
			begin(&one.part, v, r.GrantedAt, g.now)
			g.all = append(g.all, one)
		}
		if err := g.open(ctx, tx, f); err != nil {
			return err
		}
		for _, one := range g.all {
			if !g.give(one) {
				b := v.Content.Parts[one.part.N].Benefit
				return fault.New(fault.Conflict, "right.option_sold_out", b.Name.Param("option")...)
			}
		}
		return g.save(ctx, tx, f)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
