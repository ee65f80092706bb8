package api

import (
	"context"
	"strconv"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/id"
)

// RelationSide is a set of benefits: those of a provider that have whatever else is given.
type RelationSide struct {
	Provider string `json:"provider" minLength:"1" maxLength:"80" example:"tencent-video"`
	Kind     string `json:"kind,omitempty" maxLength:"40"`
	Tier     string `json:"tier,omitempty" maxLength:"200" doc:"Value of the attribute tier"`
	Slug     string `json:"slug,omitempty" maxLength:"80"`
}

func (s *RelationSide) side() catalogue.Side {
	if s == nil {
		return catalogue.Side{}
	}
	return catalogue.Side{Provider: s.Provider, Kind: s.Kind, Tier: s.Tier, Slug: s.Slug}
}

func sideOf(s catalogue.Side) RelationSide { return RelationSide{s.Provider, s.Kind, s.Tier, s.Slug} }

// RelationFields are what can be written of a relation.
type RelationFields struct {
	Kind     string        `json:"kind" enum:"extends,supersedes,excludes,needs,overlaps" doc:"extends: times add up; supersedes: the side from is the higher tier; excludes: nobody has both; needs: the side from is of use beside an active one of to; overlaps: told only"`
	Name     Text          `json:"name" doc:"What it is about, as shoppers call it"`
	From     RelationSide  `json:"from"`
	To       *RelationSide `json:"to,omitempty" doc:"Absent in extends, excludes and overlaps: the same as from"`
	Ever     bool          `json:"ever,omitempty" doc:"What was once held excludes too: new customers only"`
	Severity string        `json:"severity" enum:"block,acknowledge,inform"`
}

func (f RelationFields) relation(key string) catalogue.Relation {
	return catalogue.Relation{Key: key, Kind: catalogue.RelationKind(f.Kind), Name: f.Name.text(), From: f.From.side(), To: f.To.side(), Ever: f.Ever, Severity: catalogue.Severity(f.Severity)}
}

// NewRelation is a relation to be declared.
type NewRelation struct {
	Key string `json:"key" minLength:"1" maxLength:"80" example:"tencent-video-vip"`
	RelationFields
}

// RelationChange is a relation as it is to be from now on.
type RelationChange struct {
	Version int64 `json:"version" minimum:"1" doc:"The version that was edited: when somebody saved meanwhile, nothing is saved"`
	RelationFields
}

// Relation says what the benefits of one side mean for those of another.
type Relation struct {
	Key     string `json:"key"`
	Version int64  `json:"version"`
	RelationFields
}

// RelationRef names a relation.
type RelationRef struct {
	Relation string `path:"relation" maxLength:"80"`
}

// SeenVersion names what was looked at before a change.
type SeenVersion struct {
	Version int64 `json:"version" minimum:"1"`
}

// Conflict is what a relation means for a purchase, in the caller's language.
type Conflict struct {
	Relation string `json:"relation" doc:"Its key"`
	Case     string `json:"case" example:"extends.held"`
	Severity string `json:"severity" enum:"block,acknowledge,inform" doc:"block: it can't be bought; acknowledge: send the hash with the order; inform: show it before paying"`
	Text     string `json:"text"`
}

func showConflicts(all []catalogue.Finding, say func(catalogue.Finding) string) []Conflict {
	out := make([]Conflict, len(all))
	for i, f := range all {
		out[i] = Conflict{f.Relation.Key, string(f.Case), string(f.Severity), say(f)}
	}
	return out
}

type newRelationInput struct{ Body NewRelation }

type relationInput struct {
	RelationRef
	Body RelationChange
}

type removeRelationInput struct {
	RelationRef
	Body SeenVersion
}

func (a *API) staffRelations() {
	operation(a, "list-relations", a.listRelations)
	once(a, "create-relation", a.createRelation)
	once(a, "save-relation", a.saveRelation)
	once(a, "remove-relation", a.removeRelation)
	operation(a, "check-offer", a.checkOffer)
}

func showRelation(r catalogue.Relation) *Relation {
	out := &Relation{Key: r.Key, Version: r.Version, RelationFields: RelationFields{Kind: string(r.Kind), Name: textOf(r.Name), From: sideOf(r.From), Ever: r.Ever, Severity: string(r.Severity)}}
	if !r.To.Zero() {
		to := sideOf(r.To)
		out.To = &to
	}
	return out
}

func (a *API) listRelations(ctx context.Context, _ *Call, _ *struct{}) (*Page[Relation], error) {
	out := &Page[Relation]{Items: []Relation{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		all, err := a.Flows.Catalogue.Relations(ctx, tx)
		out.Items = out.Items[:0]
		for _, r := range all {
			out.Items = append(out.Items, *showRelation(r))
		}
		return err
	})
	return out, err
}

func (a *API) createRelation(ctx context.Context, tx *db.Tx, c *Call, in *newRelationInput) (*Relation, error) {
	return a.putRelation(ctx, tx, c, in.Body.relation(in.Body.Key))
}

func (a *API) saveRelation(ctx context.Context, tx *db.Tx, c *Call, in *relationInput) (*Relation, error) {
	if _, err := a.Flows.Catalogue.Relation(ctx, tx, in.Relation); err != nil {
		return nil, err
	}
	r := in.Body.relation(in.Relation)
	r.Version = in.Body.Version
	return a.putRelation(ctx, tx, c, r)
}

func (a *API) putRelation(ctx context.Context, tx *db.Tx, c *Call, r catalogue.Relation) (*Relation, error) {
	r, err := a.Flows.Catalogue.PutRelation(ctx, tx, r, c.session.Party.ID, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return showRelation(r), a.record(ctx, tx, c, "relation.save", r.Key, map[string]string{"version": strconv.FormatInt(r.Version, 10), "severity": string(r.Severity)})
}

func (a *API) removeRelation(ctx context.Context, tx *db.Tx, c *Call, in *removeRelationInput) (*struct{}, error) {
	if err := a.Flows.Catalogue.RemoveRelation(ctx, tx, in.Relation, in.Body.Version, c.session.Party.ID, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return nil, a.record(ctx, tx, c, "relation.remove", in.Relation, map[string]string{"version": strconv.FormatInt(in.Body.Version, 10)})
}

func (a *API) checkOffer(ctx context.Context, c *Call, in *StaffOfferRef) (*Page[Conflict], error) {
	out := &Page[Conflict]{}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Catalogue.Offer(ctx, tx, in.Offer)
		if err != nil {
			return err
		}
		relations, err := a.Flows.Catalogue.Relations(ctx, tx)
		out.Items = showConflicts(o.Draft.Inner(relations, a.Flows.Clock.Now()), func(f catalogue.Finding) string { return flow.ExplainToStaff(c.Lang, f) })
		return err
	})
	localized(c)
	return out, err
}

// checked puts into a quote what the purchase means for what its caller holds.
func (a *API) checked(ctx context.Context, c *Call, q *Quote, wanted []flow.Wanted) error {
	var found []catalogue.Finding
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) (err error) {
		found, _, err = a.Flows.Conflicts(ctx, tx, buyer(c), wanted, a.Flows.Clock.Now())
		if err == nil {
			q.Rules, err = a.unmet(ctx, tx, c, wanted)
		}
		return err
	})
	q.Conflicts = showConflicts(found, func(f catalogue.Finding) string { return flow.ExplainFinding(c.Lang, f) })
	q.ConflictsHash = flow.FindingsHash(c.Lang, found)
	return err
}

// buyer is the member who calls, "" for a guest.
func buyer(c *Call) id.Party {
	if c.session == nil {
		return ""
	}
	return c.session.Party.ID
}
