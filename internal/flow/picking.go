package flow

import (
	"context"
	"slices"
	"strconv"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// picking is a pick of options for the rights that wait for it together.
type picking struct {
	right   *entitlement.Right
	version *catalogue.Version
	choice  *catalogue.Choice
	group   []*entitlement.Right // by part, then id
}

// pickingOf finds what waits for a pick together with a right, among all rights of its order.
func (f *Flows) pickingOf(ctx context.Context, tx *db.Tx, held []*entitlement.Right, right id.Right) (*picking, error) {
	at := slices.IndexFunc(held, func(r *entitlement.Right) bool { return r.ID == right })
	if at < 0 {
		return nil, fault.New(fault.NotFound, "right.not_found")
	}
	versions, err := f.Catalogue.Versions(ctx, tx, []id.OfferVersion{held[at].Version})
	if err != nil {
		return nil, err
	}
	p := &picking{right: held[at], version: versions[held[at].Version]}
	if p.choice = p.version.Content.ChoiceOf(int(p.right.Part)); p.choice == nil || !p.choice.Later {
		return nil, fault.New(fault.Conflict, "right.no_choice")
	}
	p.gather(held)
	return p, nil
}

// CheckPick finds what Choose would: what the pick means for what the right's owner holds.
func (f *Flows) CheckPick(ctx context.Context, tx *db.Tx, c Choose) ([]catalogue.Finding, error) {
	p, err := f.pickingFor(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	if err := p.check(c.Parts); err != nil {
		return nil, err
	}
	all, _, err := f.means(ctx, tx, p.right.Party, f.Clock.Now(), p.wanted(c.Parts))
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// CheckOptions finds what each option of a choice would mean if it alone were picked.
func (f *Flows) CheckOptions(ctx context.Context, tx *db.Tx, c Choose) (map[int][]catalogue.Finding, error) {
	p, err := f.pickingFor(ctx, tx, c)
	if err != nil {
		return nil, err
	}
	options := p.version.Content.Options(p.choice.Key)
	sets := make([][]catalogue.Part, len(options))
	for i, n := range options {
		sets[i] = p.wanted([]int{n})
	}
	all, _, err := f.means(ctx, tx, p.right.Party, f.Clock.Now(), sets...)
	if err != nil {
		return nil, err
	}
	out := make(map[int][]catalogue.Finding, len(options))
	for i, n := range options {
		out[n] = all[i]
	}
	return out, nil
}

func (f *Flows) pickingFor(ctx context.Context, tx *db.Tx, c Choose) (*picking, error) {
	held, err := f.Rights.OfOrders(ctx, tx, []id.Order{c.Order})
	if err != nil {
		return nil, err
	}
	return f.pickingOf(ctx, tx, held[c.Order], c.Right)
}

// wanted is what having some of the options means to have.
func (p *picking) wanted(parts []int) []catalogue.Part {
	each := max(1, int64(len(p.group))/p.choice.Pick)
	out := make([]catalogue.Part, len(parts))
	for i, n := range parts {
		out[i] = catalogue.Part{Benefit: p.version.Content.Parts[n].Benefit, Quantity: each}
	}
	return out
}

// check refuses a pick for what isn't to be picked yet, and other than the choice asks for.
func (p *picking) check(parts []int) error {
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
