package catalogue

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Next is a version that takes over the sale by itself when its time comes. It is frozen: what
// is saved meanwhile is not in it.
type Next struct {
	ID     id.OfferVersion // "" for none
	Number int64
	At     time.Time
}

// due reports whether its time has come.
func (n Next) due(now time.Time) bool { return n.ID != "" && !now.Before(n.At) }

// MaxAhead is how far ahead a version may be scheduled.
const MaxAhead = 2 * 366 * 24 * time.Hour

// Settled is the offer as it stands at a moment: what was scheduled has taken over once its
// time has come. Whoever asks an offer for its version asks the settled one.
func (o Offer) Settled(now time.Time) Offer {
	if o.Next.due(now) {
		o.VersionID, o.Version, o.Next = o.Next.ID, o.Next.Number, Next{}
	}
	return o
}

// Schedule freezes the working copy, as Publish does, to be sold from a moment on in the place
// of what is sold until then. What was scheduled before, and isn't sold yet, is given up.
func (s *Service) Schedule(ctx context.Context, tx *db.Tx, o Offer, at time.Time, by id.Party, now time.Time) (Offer, Version, error) {
	switch {
	case !at.After(now) || at.After(now.Add(MaxAhead)):
		return Offer{}, Version{}, fault.New(fault.Invalid, "catalogue.content").At("at", "catalogue.schedule_at")
	case !o.EndsAt.IsZero() && !at.Before(o.EndsAt):
		return Offer{}, Version{}, fault.New(fault.Invalid, "catalogue.content").At("at", "catalogue.schedule_ended")
	}
	o = o.Settled(now)
	if o.VersionID == "" {
		return Offer{}, Version{}, fault.New(fault.Conflict, "catalogue.schedule_first")
	}
	v, err := s.freeze(ctx, tx, &o, by, now)
	if err != nil {
		return Offer{}, Version{}, err
	}
	o.Next = Next{v.ID, v.Number, at.UTC().Truncate(time.Microsecond)}
	if o, err = s.Save(ctx, tx, o, now); err != nil {
		return Offer{}, Version{}, err
	}
	return o, v, writeVersion(ctx, tx, v)
}

// Unschedule gives up what is scheduled. It fails when nothing is, or when it is sold by now.
func (s *Service) Unschedule(ctx context.Context, tx *db.Tx, o Offer, now time.Time) (Offer, error) {
	if o.Next.ID == "" || o.Next.due(now) {
		return Offer{}, fault.New(fault.Conflict, "catalogue.nothing_scheduled")
	}
	o.Next = Next{}
	return s.Save(ctx, tx, o, now)
}

var lastNumber = db.SQL("catalogue.last_number", `SELECT COALESCE(MAX(number), 0) FROM offer_versions WHERE offer_id = $1`)

// freeze makes the working copy, with the benefits as they are now, the next version in
// memory. It fails when it can't be sold.
func (s *Service) freeze(ctx context.Context, tx *db.Tx, o *Offer, by id.Party, now time.Time) (Version, error) {
	refreshed, err := s.refresh(ctx, tx, o.Draft)
	if err != nil {
		return Version{}, err
	}
	if err := refreshed.Validate(); err != nil {
		return Version{}, err
	}
	relations, err := s.Relations(ctx, tx)
	if err != nil {
		return Version{}, err
	}
	if f := refreshed.inner(relations, now); f != nil {
		return Version{}, f
	}
	var last int64 // a version that was scheduled and given up has its number too
	if _, err := tx.One(ctx, lastNumber, []any{&last}, o.ID); err != nil {
		return Version{}, err
	}
	o.Draft = refreshed
	return Version{ID: id.New[id.OfferVersion](), Offer: o.ID, Number: last + 1, Content: refreshed, CreatedAt: now, CreatedBy: by}, nil
}

// Duplicate adds a draft with the content of an offer and a name of its own. It is sold to
// nobody before it is published.
func (s *Service) Duplicate(ctx context.Context, tx *db.Tx, o Offer, slug string, now time.Time) (Offer, error) {
	return s.Create(ctx, tx, Offer{Slug: slug, Category: o.Category, Position: o.Position, Draft: o.Draft}, now)
}

// NoVersion is the fault of asking an offer for a version that it doesn't have.
func NoVersion(offer id.Offer) error {
	return fault.New(fault.NotFound, "catalogue.no_version", "name", string(offer))
}
