package catalogue

import (
	"slices"
	"strings"
	"time"

	"hufu/internal/fault"
)

// RelationKind is what holding one benefit means for having another (权益关系).
type RelationKind string

// The kinds of relations.
const (
	Extends    RelationKind = "extends"    // the same right: their times add up (时长叠加)
	Supersedes RelationKind = "supersedes" // From is the higher tier and covers To (高级覆盖低级)
	Excludes   RelationKind = "excludes"   // nobody has both (互斥)
	Needs      RelationKind = "needs"      // From is of use only beside an active To (前置)
	Overlaps   RelationKind = "overlaps"   // they promise the same in part (权益重复)
)

// RelationKinds lists them.
var RelationKinds = []RelationKind{Extends, Supersedes, Excludes, Needs, Overlaps}

// Mutual reports whether both sides of a relation of this kind mean the same.
func (k RelationKind) Mutual() bool { return k == Extends || k == Excludes || k == Overlaps }

// Severity is what a finding asks of a purchase.
type Severity string

// The severities, the gravest first.
const (
	Block       Severity = "block"       // it can't be bought
	Acknowledge Severity = "acknowledge" // it can, by who says to have understood
	Inform      Severity = "inform"      // it is told before paying
)

// Severities lists them, the gravest first.
var Severities = []Severity{Block, Acknowledge, Inform}

// Side is a set of benefits: those of a provider that have whatever else is given.
type Side struct {
	Provider string // key; required
	Kind     string
	Tier     string // value of the attribute "tier"
	Slug     string
}

// Zero reports whether nothing is given.
func (s Side) Zero() bool { return s == Side{} }

// Has reports whether b is in the set.
func (s Side) Has(b *Benefit) bool {
	return s.Provider == b.Provider.Key && s.Provider != "" && (s.Kind == "" || s.Kind == b.Kind) && (s.Tier == "" || s.Tier == b.Attributes["tier"]) && (s.Slug == "" || s.Slug == b.Slug)
}

// Relation says what the benefits of one side mean for those of another.
type Relation struct {
	Key     string // stable, lower case: "tencent-video-vip"
	Version int64
	Kind    RelationKind
	Name    Text // what it is about, as shoppers call it: "腾讯视频 VIP"
	From    Side
	To      Side // zero in a mutual relation: the same as From
	// Ever has what was once held exclude too: new customers only.
	Ever      bool
	Severity  Severity
	UpdatedAt time.Time
}

// Other is the side that stands against From.
func (r Relation) Other() Side {
	if r.To.Zero() {
		return r.From
	}
	return r.To
}

// Opposes reports whether b stands against From. What is on both sides of a relation that
// isn't mutual belongs to From alone.
func (r Relation) Opposes(b *Benefit) bool {
	return r.Other().Has(b) && (r.Kind.Mutual() || !r.From.Has(b))
}

// Touches reports whether a relation speaks of b.
func (r Relation) Touches(b *Benefit) bool { return r.From.Has(b) || r.To.Has(b) }

// Touched keeps the relations that speak of any of the parts.
func Touched(relations []Relation, parts []Part) []Relation {
	var out []Relation
	for _, r := range relations {
		for i := range parts {
			if r.Touches(&parts[i].Benefit) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

// Validate checks that r can be kept. Problems are placed below path.
func (r Relation) Validate(path string, f *fault.Error) {
	need := func(ok bool, field, code string, params ...string) {
		if !ok {
			f.At(join(path, field), code, params...)
		}
	}
	need(slugForm.MatchString(r.Key) && len(r.Key) <= maxSlug, "key", "catalogue.slug")
	need(slices.Contains(RelationKinds, r.Kind), "kind", "catalogue.relation_kind")
	need(r.Name.ZH != "", "name.zh", "catalogue.required")
	need(r.Name.EN != "", "name.en", "catalogue.required")
	need(r.Name.within(100), "name", "catalogue.too_long", "limit", "100")
	need(slices.Contains(Severities, r.Severity), "severity", "catalogue.relation_severity")
	need(r.Kind != Overlaps || r.Severity == Inform, "severity", "catalogue.relation_told")
	need(!r.Ever || r.Kind == Excludes, "ever", "catalogue.relation_ever")
	sides := []struct {
		name string
		side Side
	}{{"from", r.From}, {"to", r.To}}
	if r.To.Zero() {
		need(r.Kind != Supersedes && r.Kind != Needs, "to.provider", "catalogue.required")
		sides = sides[:1]
	} else {
		need(r.Kind.Mutual() || r.To != r.From, "to", "catalogue.relation_same")
	}
	for _, s := range sides {
		need(slugForm.MatchString(s.side.Provider) && len(s.side.Provider) <= maxSlug, s.name+".provider", "catalogue.relation_provider")
		if s.side.Kind != "" {
			_, known := KindOf(s.side.Kind)
			need(known, s.name+".kind", "catalogue.kind", "kind", clip(s.side.Kind), "known", strings.Join(Kinds(), ", "))
		}
		need(len([]rune(s.side.Tier)) <= maxWords, s.name+".tier", "catalogue.too_long", "limit", "200")
		need(s.side.Slug == "" || slugForm.MatchString(s.side.Slug) && len(s.side.Slug) <= maxSlug, s.name+".slug", "catalogue.slug")
	}
}
