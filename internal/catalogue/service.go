package catalogue

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// Service reads and writes the catalogue.
type Service struct {
	// versions holds decoded versions, which never change. It is emptied when it is full:
	// the shop's live versions are few and fill it again at once.
	mu       sync.RWMutex
	versions map[id.OfferVersion]*Version
	seen     atomic.Pointer[map[id.Offer]Seen] // replaced whole; readers take no lock
	declared atomic.Pointer[declared]
}

// Seen is how an offer stood when it was last asked for.
type Seen struct {
	Sale  Sale
	needs map[id.Stock]int64 // of a plain content
}

// Supplies is what Content.Supplies says of the version that was seen.
func (s Seen) Supplies(picks Picks, at time.Time) map[id.Stock]int64 {
	if s.needs != nil {
		return s.needs
	}
	return s.Sale.Version.Content.Supplies(picks, at)
}

// NewService makes a service.
func NewService() *Service {
	s := &Service{versions: map[id.OfferVersion]*Version{}}
	s.seen.Store(&map[id.Offer]Seen{})
	s.declared.Store(&declared{})
	return s
}

const cachedVersions = 20_000

// LastSeen tells, without the database, how an offer stood when it was last asked for. It
// may be stale: it serves answers that say no and may be asked again, never a sale.
func (s *Service) LastSeen(offer id.Offer) (Seen, bool) {
	v, ok := (*s.seen.Load())[offer]
	return v, ok
}

// RefreshSeen asks for every offer that was seen again.
func (s *Service) RefreshSeen(ctx context.Context, tx *db.Tx, now time.Time) error {
	seen := *s.seen.Load()
	offers := make([]id.Offer, 0, len(seen))
	for o := range seen {
		offers = append(offers, o)
	}
	_, err := s.ForSale(ctx, tx, offers, now)
	return err
}

// remember keeps how offers stand for LastSeen; most calls change nothing and write nothing.
func (s *Service) remember(sale map[id.Offer]Sale) {
	old := *s.seen.Load()
	same := true
	for o, v := range sale {
		same = same && old[o].Sale == v
	}
	if same {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old = *s.seen.Load()
	fresh := make(map[id.Offer]Seen, len(old)+len(sale))
	if len(old) < cachedVersions {
		maps.Copy(fresh, old)
	}
	for o, v := range sale {
		if v.Version != nil {
			fresh[o] = Seen{Sale: v}
			if c := v.Version.Content; c.Plain() {
				fresh[o] = Seen{v, c.Supplies(nil, time.Time{})}
			}
		}
	}
	s.seen.Store(&fresh)
}

// Sale is an offer as a purchase sees it.
type Sale struct {
	State    State     // at the moment asked about
	Version  *Version  // nil before the first publication; must not be changed
	StartsAt time.Time // when its sale begins, zero: it has none
}

// ForSale tells how the offers stand at a moment. Offers that don't exist are left out.
func (s *Service) ForSale(ctx context.Context, tx *db.Tx, offers []id.Offer, now time.Time) (map[id.Offer]Sale, error) {
	rows := map[id.Offer]Offer{}
	var wanted []id.OfferVersion
	err := tx.Query(ctx, selectForSale, func(scan func(...any) error) error {
		var o Offer
		err := scan(&o.ID, &o.State, &o.VersionID, db.Time(&o.StartsAt), db.Time(&o.EndsAt), &o.Next.ID, db.Time(&o.Next.At))
		o = o.Settled(now)
		rows[o.ID] = o
		wanted = append(wanted, o.VersionID)
		return err
	}, db.Texts(offers))
	if err != nil {
		return nil, err
	}
	versions, err := s.Versions(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	sale := make(map[id.Offer]Sale, len(rows))
	for k, o := range rows {
		sale[k] = Sale{State: o.At(now), Version: versions[o.VersionID], StartsAt: o.StartsAt}
	}
	s.remember(sale)
	return sale, nil
}

// Versions gives frozen versions, which must not be changed. Unknown ones are left out.
func (s *Service) Versions(ctx context.Context, tx *db.Tx, ids []id.OfferVersion) (map[id.OfferVersion]*Version, error) {
	out := make(map[id.OfferVersion]*Version, len(ids))
	var missing []id.OfferVersion
	s.mu.RLock()
	for _, v := range ids {
		if got, ok := s.versions[v]; ok {
			out[v] = got
		} else if v != "" {
			missing = append(missing, v)
		}
	}
	s.mu.RUnlock()
	if len(missing) == 0 {
		return out, nil
	}
	loaded, err := loadVersions(ctx, tx, selectVersion, db.Texts(missing))
	if err != nil {
		return nil, err
	}
	for _, v := range loaded {
		out[v.ID] = v
	}
	// A version that this very transaction made may yet be rolled back.
	tx.AfterCommit(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.versions) > cachedVersions {
			clear(s.versions)
		}
		for _, v := range loaded {
			s.versions[v.ID] = v
		}
	})
	return out, nil
}

// VersionsOf lists the versions of an offer, the newest first.
func (s *Service) VersionsOf(ctx context.Context, tx *db.Tx, offer id.Offer) ([]*Version, error) {
	return loadVersions(ctx, tx, listVersions, offer)
}

// Offer finds one offer.
func (s *Service) Offer(ctx context.Context, tx *db.Tx, offer id.Offer) (Offer, error) {
	found, err := loadOffers(ctx, tx, selectOffers, db.Texts([]id.Offer{offer}))
	return only(found, err, "catalogue.no_offer", string(offer))
}

// OfferBySlug finds one offer by its name in addresses.
func (s *Service) OfferBySlug(ctx context.Context, tx *db.Tx, slug string) (Offer, error) {
	found, err := loadOffers(ctx, tx, selectSlug, slug)
	return only(found, err, "catalogue.no_offer", slug)
}

func only[T any](found []T, err error, code, name string) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, fault.New(fault.NotFound, code, "name", name)
	}
	return found[0], nil
}

// Offers lists the offers in the order of the shop's shelves; archived ones on request.
func (s *Service) Offers(ctx context.Context, tx *db.Tx, archived bool) ([]Offer, error) {
	if archived {
		return loadOffers(ctx, tx, listAllOffers)
	}
	return loadOffers(ctx, tx, listOffers)
}

// Create adds a draft offer.
func (s *Service) Create(ctx context.Context, tx *db.Tx, o Offer, now time.Time) (Offer, error) {
	if !slugForm.MatchString(o.Slug) || len(o.Slug) > 80 {
		return Offer{}, fault.New(fault.Invalid, "catalogue.content").At("slug", "catalogue.slug")
	}
	if err := o.legible(); err != nil {
		return Offer{}, err
	}
	if taken, err := loadOffers(ctx, tx, selectSlug, o.Slug); err != nil {
		return Offer{}, err
	} else if len(taken) > 0 {
		return Offer{}, fault.New(fault.Conflict, "catalogue.slug_taken", "slug", o.Slug)
	}
	o.ID, o.State, o.VersionID, o.Version, o.Revision = id.New[id.Offer](), Draft, "", 0, 1
	o.CreatedAt, o.UpdatedAt = now, now
	return o, writeOffer(ctx, tx, o)
}

// Save stores the working copy and the selling time of an offer. It fails with
// catalogue.edited when somebody saved since o was read.
func (s *Service) Save(ctx context.Context, tx *db.Tx, o Offer, now time.Time) (Offer, error) {
	if !o.EndsAt.IsZero() && !o.EndsAt.After(o.StartsAt) {
		return Offer{}, fault.New(fault.Invalid, "catalogue.content").At("ends_at", "catalogue.ends_before_start")
	}
	if err := o.legible(); err != nil {
		return Offer{}, err
	}
	draft, err := encode(o.Draft)
	if err != nil {
		return Offer{}, err
	}
	n, err := tx.Exec(ctx, saveOffer, o.Slug, o.State, o.VersionID, o.Version, o.Category, o.Position, db.Micros(o.StartsAt), db.Micros(o.EndsAt), draft,
		o.Next.ID, o.Next.Number, db.Micros(o.Next.At), db.Micros(now), o.ID, o.Revision)
	if err != nil {
		return Offer{}, err
	}
	if n == 0 {
		return Offer{}, fault.New(fault.Conflict, "catalogue.edited")
	}
	o.Revision++
	o.UpdatedAt = now
	return o, nil
}

// Publish freezes the working copy as the next version, with the benefits as they are now,
// and returns the offer that sells it. The offer's state does not change; a version that is
// scheduled takes over from this one when its time comes.
func (s *Service) Publish(ctx context.Context, tx *db.Tx, o Offer, by id.Party, now time.Time) (Offer, Version, error) {
	o = o.Settled(now)
	v, err := s.freeze(ctx, tx, &o, by, now)
	if err != nil {
		return Offer{}, Version{}, err
	}
	o.VersionID, o.Version = v.ID, v.Number
	if o, err = s.Save(ctx, tx, o, now); err != nil {
		return Offer{}, Version{}, err
	}
	return o, v, writeVersion(ctx, tx, v)
}

// refresh puts the present benefits into a content.
func (s *Service) refresh(ctx context.Context, tx *db.Tx, c Content) (Content, error) {
	ids := make([]id.Benefit, len(c.Parts))
	for i, p := range c.Parts {
		ids[i] = p.Benefit.ID
	}
	present, err := s.Benefits(ctx, tx, ids)
	if err != nil {
		return c, err
	}
	parts := make([]Part, len(c.Parts))
	for i, p := range c.Parts {
		b, ok := present[p.Benefit.ID]
		if !ok {
			return c, fault.New(fault.Invalid, "catalogue.content").At("parts["+strconv.Itoa(i)+"]", "catalogue.no_benefit", "name", p.Benefit.Slug)
		}
		p.Benefit = b
		parts[i] = p
	}
	c.Parts = parts
	return c, nil
}

// SetState moves an offer to another state. Going live or being scheduled needs a
// published version, and being scheduled a time to start.
func (s *Service) SetState(ctx context.Context, tx *db.Tx, o Offer, to State, now time.Time) (Offer, error) {
	if !o.State.MayBecome(to) {
		return Offer{}, fault.New(fault.Conflict, "catalogue.state", "from", string(o.State), "to", string(to))
	}
	if (to == Live || to == Scheduled) && o.VersionID == "" {
		return Offer{}, fault.New(fault.Conflict, "catalogue.unpublished")
	}
	if to == Scheduled && o.StartsAt.IsZero() {
		return Offer{}, fault.New(fault.Invalid, "catalogue.content").At("starts_at", "catalogue.required")
	}
	o.State = to
	return s.Save(ctx, tx, o, now)
}

// Benefits finds benefits by id. Unknown ones are left out.
func (s *Service) Benefits(ctx context.Context, tx *db.Tx, ids []id.Benefit) (map[id.Benefit]Benefit, error) {
	found, err := loadBenefits(ctx, tx, selectBenefits, db.Texts(ids))
	out := make(map[id.Benefit]Benefit, len(found))
	for _, b := range found {
		out[b.ID] = b
	}
	return out, err
}

// BenefitsBySlug finds benefits by slug. Unknown ones are left out.
func (s *Service) BenefitsBySlug(ctx context.Context, tx *db.Tx, slugs []string) (map[string]Benefit, error) {
	found, err := loadBenefits(ctx, tx, selectBenefitBy, db.Texts(slugs))
	out := make(map[string]Benefit, len(found))
	for _, b := range found {
		out[b.Slug] = b
	}
	return out, err
}

// AllBenefits lists the benefits that can be used, by slug.
func (s *Service) AllBenefits(ctx context.Context, tx *db.Tx) ([]Benefit, error) {
	return loadBenefits(ctx, tx, listBenefits)
}

// PutBenefit adds a benefit (one without an id) or saves a new version of one. Offers take
// the new version up when they are published again. It fails with catalogue.edited when
// somebody saved since b was read.
func (s *Service) PutBenefit(ctx context.Context, tx *db.Tx, b Benefit, by id.Party, now time.Time) (Benefit, error) {
	f := fault.New(fault.Invalid, "catalogue.content")
	if b.Validate("", f); len(f.Fields) > 0 {
		return Benefit{}, f
	}
	fresh := b.ID == ""
	if taken, err := s.BenefitsBySlug(ctx, tx, []string{b.Slug}); err != nil {
		return Benefit{}, err
	} else if other, ok := taken[b.Slug]; ok && other.ID != b.ID {
		return Benefit{}, fault.New(fault.Conflict, "catalogue.slug_taken", "slug", b.Slug)
	}
	old := b.Version
	if fresh {
		b.ID, old = id.New[id.Benefit](), 0
	}
	b.Version = old + 1
	body, err := encode(b)
	if err != nil {
		return Benefit{}, err
	}
	if fresh {
		err = tx.WriteAll(ctx, insertBenefit, 1, func(_ int, w *db.Binder) {
			w.Text(string(b.ID)).Text(b.Slug).Int(b.Version).Text("active").Text(b.Kind).Text(body).Time(now)
		})
	} else {
		var n int64
		if n, err = tx.Exec(ctx, saveBenefit, b.Slug, b.Version, b.Kind, body, db.Micros(now), b.ID, old); err == nil && n == 0 {
			return Benefit{}, fault.New(fault.Conflict, "catalogue.edited")
		}
	}
	if err != nil {
		return Benefit{}, err
	}
	return b, writeBenefitVersion(ctx, tx, b, body, db.Micros(now), by)
}
