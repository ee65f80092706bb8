package api

import (
	"context"
	"maps"
	"slices"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/order"
)

// OfferChoice is k of n: options of which a buyer gets some.
type OfferChoice struct {
	Key     string         `json:"key"`
	Name    string         `json:"name"`
	Pick    int64          `json:"pick" doc:"How many different options are picked"`
	Later   bool           `json:"later" doc:"They are picked after the purchase, with choose-option; who doesn't in time gets the first options. Otherwise the order says which"`
	Days    int64          `json:"days,omitempty" doc:"How long a later pick may take, from the purchase or the release"`
	Release *ReleaseFields `json:"release,omitempty" doc:"A pick of its own each time"`
	Options []int          `json:"options" doc:"Which of the parts, by their place from 0"`
}

func choicesOf(l i18n.Lang, c catalogue.Content) []OfferChoice {
	var out []OfferChoice
	for _, ch := range c.Choices {
		out = append(out, OfferChoice{ch.Key, text(l, ch.Name), ch.Pick, ch.Later, ch.Days, showRelease(ch.Release), c.Options(ch.Key)})
	}
	return out
}

// LinePick is the options picked of one choice.
type LinePick struct {
	Choice string `json:"choice" minLength:"1" maxLength:"40" doc:"Its key"`
	Parts  []int  `json:"parts" minItems:"1" maxItems:"50" doc:"The options, by their place among the parts of the offer, from 0"`
}

func picksOf(all []LinePick) order.Picks {
	if len(all) == 0 {
		return nil
	}
	out := order.Picks{}
	for _, p := range all {
		out[p.Choice] = append(out[p.Choice], p.Parts...)
		slices.Sort(out[p.Choice])
	}
	return out
}

func showPicks(p order.Picks) []LinePick {
	var out []LinePick
	for _, key := range slices.Sorted(maps.Keys(p)) {
		out = append(out, LinePick{key, p[key]})
	}
	return out
}

// RightOption is something that a right can be chosen to be.
type RightOption struct {
	Part    int        `json:"part" doc:"The option's place among the parts of the offer, from 0"`
	Benefit id.Benefit `json:"benefit"`
	Name    string     `json:"name"`
}

// withOptions adds what can be picked to the rights that wait for a pick.
func (a *API) withOptions(ctx context.Context, tx *db.Tx, l i18n.Lang, rights []*entitlement.Right) ([]Right, error) {
	var wanted []id.OfferVersion
	for _, r := range rights {
		if r.Waits == entitlement.WaitChoice && !slices.Contains(wanted, r.Version) {
			wanted = append(wanted, r.Version)
		}
	}
	versions := map[id.OfferVersion]*catalogue.Version{}
	if len(wanted) > 0 {
		var err error
		if versions, err = a.Flows.Catalogue.Versions(ctx, tx, wanted); err != nil {
			return nil, err
		}
	}
	out, err := a.showRights(ctx, tx, rights)
	if err != nil {
		return nil, err
	}
	for i, r := range rights {
		v := versions[r.Version]
		if r.Waits != entitlement.WaitChoice || v == nil {
			continue
		}
		ch := v.Content.ChoiceOf(int(r.Part))
		out[i].Pick = ch.Pick
		for _, n := range v.Content.Options(ch.Key) {
			b := v.Content.Parts[n].Benefit
			out[i].Options = append(out[i].Options, RightOption{n, b.ID, text(l, b.Name)})
		}
	}
	return out, nil
}

// OptionPick is what a holder picks.
type OptionPick struct {
	Parts []int `json:"parts" minItems:"1" maxItems:"50" doc:"The options picked, as many different ones as the right says: for all rights of the same unit and release together"`
	// Conflicts is what the holder acknowledged.
	Conflicts string `json:"conflicts,omitempty" maxLength:"64" doc:"The conflicts_hash of check-option for the same parts, once the holder has acknowledged what it stands for; the text is kept with the right"`
}

// OptionCheck is what a pick means for what the right's owner holds.
type OptionCheck struct {
	Conflicts     []Conflict `json:"conflicts" doc:"The gravest first"`
	ConflictsHash string     `json:"conflicts_hash,omitempty" doc:"Of what has to be acknowledged: send it with choose-option once the holder has"`
}

type chooseInput struct {
	OrderRef
	Right id.Right `path:"right" maxLength:"40"`
	Body  OptionPick
}

func (a *API) checkOption(ctx context.Context, c *Call, in *chooseInput) (*OptionCheck, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	var found []catalogue.Finding
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) (err error) {
		found, err = a.Flows.CheckPick(ctx, tx, flow.Choose{Order: in.ID, Right: in.Right, Parts: in.Body.Parts})
		return err
	})
	if err != nil {
		return nil, err
	}
	localized(c)
	return &OptionCheck{Conflicts: showConflicts(found, func(f catalogue.Finding) string { return flow.ExplainFinding(c.Lang, f) }), ConflictsHash: flow.FindingsHash(c.Lang, found)}, nil
}

func (a *API) chooseOption(ctx context.Context, c *Call, in *chooseInput) (*Page[Right], error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	chosen, err := a.Flows.Choose(ctx, flow.Choose{Order: in.ID, Right: in.Right, Parts: in.Body.Parts, Actor: "holder", Conflicts: in.Body.Conflicts})
	if err != nil {
		return nil, err
	}
	out := &Page[Right]{}
	out.Items, err = a.numbered(ctx, chosen)
	return out, err
}

func (a *API) activateRight(ctx context.Context, c *Call, in *orderRightInput) (*Right, error) {
	if err := a.mayHold(ctx, c, in.ID); err != nil {
		return nil, err
	}
	r, err := a.Flows.Activate(ctx, flow.Activate{Order: in.ID, Right: in.Right, Actor: "holder"})
	if err != nil {
		return nil, err
	}
	shown, err := a.numbered(ctx, []*entitlement.Right{r})
	if err != nil {
		return nil, err
	}
	return &shown[0], nil
}
