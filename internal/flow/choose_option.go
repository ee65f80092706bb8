package flow

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"hufu/internal/catalogue"
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
}

// Choose picks for all the rights of a unit and release that wait together. Units of other
// options than the default are taken, and the default's made available again, or nothing
// changes: right.option_sold_out. The same pick again is answered as the first was; another
// one fails with right.chosen.
func (f *Flows) Choose(ctx context.Context, c Choose) ([]*entitlement.Right, error) {
	var out []*entitlement.Right
	err := f.DB.Do(ctx, func(tx *db.Tx) error {
		out = nil
		held, err := f.Rights.LockOf(ctx, tx, []id.Order{c.Order})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return err
		}
		at := slices.IndexFunc(held[c.Order], func(r *entitlement.Right) bool { return r.ID == c.Right })
		if at < 0 {
			return fault.New(fault.NotFound, "right.not_found")
		}
		versions, err := f.Catalogue.Versions(ctx, tx, []id.OfferVersion{held[c.Order][at].Version})
		if err != nil {
			return err
		}
		v := versions[held[c.Order][at].Version]
		p := picking{right: held[c.Order][at], version: v, choice: v.Content.ChoiceOf(int(held[c.Order][at].Part))}
		if err := p.check(c.Parts); err != nil {
			return err
		}
		p.gather(held[c.Order])
		out = p.group
		if done, err := p.made(c.Parts); done || err != nil {
			return err
		}
		g := &giving{now: f.Clock.Now()}
		for i, part := range p.assign(c.Parts) {
			r := p.group[i]
			one := given{right: r, step: entitlement.StepChosen, actor: c.Actor, part: become(v, part), from: r.Part}
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

// picking is a pick of options for the rights that wait for it together.
type picking struct {
	right   *entitlement.Right
	version *catalogue.Version
	choice  *catalogue.Choice
	group   []*entitlement.Right // by part, then id
}

// check refuses a pick for what isn't to be picked, and other than the choice asks for.
func (p *picking) check(parts []int) error {
	if p.choice == nil || !p.choice.Later {
		return fault.New(fault.Conflict, "right.no_choice")
	}
	if p.right.Waits == entitlement.WaitRelease {
		return fault.New(fault.Conflict, "right.not_released", "date", p.right.DueAt.In(catalogue.Zone).Format("2006-01-02"))
	}
	options := p.version.Content.Options(p.choice.Key)
	ok := int64(len(parts)) == p.choice.Pick
	for i, part := range parts {
		ok = ok && slices.Contains(options, part) && !slices.Contains(parts[:i], part)
	}
	if !ok {
		return fault.New(fault.Invalid, "order.picks", append(p.choice.Name.Param("choice"), "count", strconv.FormatInt(p.choice.Pick, 10))...)
	}
	return nil
}

// gather finds the rights of the same unit, release and choice.
func (p *picking) gather(held []*entitlement.Right) {
	for _, r := range held {
		ch := p.version.Content.ChoiceOf(int(r.Part))
		if r.Line == p.right.Line && r.Unit == p.right.Unit && r.Nth == p.right.Nth && ch != nil && ch.Key == p.choice.Key {
			p.group = append(p.group, r)
		}
	}
	slices.SortStableFunc(p.group, func(a, b *entitlement.Right) int { return int(a.Part - b.Part) })
}

// made reports whether the pick was made before, and fails when it was another, or when it
// can't be made any more.
func (p *picking) made(parts []int) (bool, error) {
	same := true
	for _, r := range p.group {
		if r.Allows(entitlement.StepChosen) {
			return false, nil
		}
		same = same && slices.Contains(parts, int(r.Part))
	}
	if same {
		return true, nil
	}
	return false, fault.New(fault.Conflict, "right.chosen")
}

// assign gives each right of the group a part: what stands at an option that was picked stays
// there, the others get what else was picked.
func (p *picking) assign(parts []int) []int {
	slots := map[int64]int{} // of each part that rights stand at, the one they get
	var rest []int
	for _, part := range slices.Sorted(slices.Values(parts)) {
		if slices.ContainsFunc(p.group, func(r *entitlement.Right) bool { return r.Part == int64(part) }) {
			slots[int64(part)] = part
		} else {
			rest = append(rest, part)
		}
	}
	out := make([]int, len(p.group))
	for i, r := range p.group {
		if _, ok := slots[r.Part]; !ok {
			slots[r.Part], rest = rest[0], rest[1:]
		}
		out[i] = slots[r.Part]
	}
	return out
}
