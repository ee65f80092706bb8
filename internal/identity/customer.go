package identity

import (
	"context"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
)

// Zone is where a customer's days begin: UTC+8, as for everything the shop counts by the day.
var Zone = time.FixedZone("UTC+8", 8*3600)

// ActiveWindow is over how many days activity is told, the present one included.
const ActiveWindow = 30

const (
	activeMask = 1<<ActiveWindow - 1
	maxLevel   = 40 // characters
	maxTag     = 40
	maxTags    = 50
)

// Traits are what a shop knows of a customer beside who they are. The zero value is somebody
// without level, tags and region who was never seen.
type Traits struct {
	Level  string // code of the member level, "" for none
	Tags   Tags
	Region string // ISO 3166-2, such as CN-31; "" when it isn't known
	// ActiveDay is the last day on which the customer was seen, as Day counts; bit k of
	// ActiveBits says that they were k days before it.
	ActiveDay, ActiveBits int64
}

// Tags are the tags of a customer as they are stored: sorted, with a line end before and after
// each, so that a query finds one whole. The empty text is none.
type Tags string

// NewTags puts tags together: without what surrounds them, each once.
func NewTags(tags []string) Tags {
	var all []string
	for _, t := range tags {
		if t = strings.TrimSpace(t); t != "" {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return Tags("\n" + strings.Join(slices.Compact(all), "\n") + "\n")
}

// List gives each tag.
func (t Tags) List() []string {
	if t == "" {
		return nil
	}
	return strings.Split(strings.Trim(string(t), "\n"), "\n")
}

// Day counts the days of Zone since 1970-01-01 there.
func Day(at time.Time) int64 {
	_, offset := at.In(Zone).Zone()
	sec := at.Unix() + int64(offset)
	if sec < 0 {
		sec -= 24*3600 - 1
	}
	return sec / (24 * 3600)
}

// AgeDays is how many days of the calendar ago the account was made, 0 for today.
func (p Party) AgeDays(now time.Time) int64 { return max(Day(now)-Day(p.CreatedAt), 0) }

// ActiveDays is on how many of the last ActiveWindow days, today included, the customer was
// seen.
func (t Traits) ActiveDays(now time.Time) int64 {
	past := Day(now) - t.ActiveDay
	if past < 0 || past >= ActiveWindow {
		return 0
	}
	return int64(bits.OnesCount64(uint64(t.ActiveBits) << past & activeMask))
}

var regionForm = regexp.MustCompile(`^[A-Z]{2}-[A-Z0-9]{1,3}$`)

// Check fails unless the traits are such as may be given to a customer.
func (t Traits) Check() error {
	f := fault.New(fault.Invalid, "identity.traits")
	if utf8.RuneCountInString(t.Level) > maxLevel || naming.Hidden(t.Level) || t.Level != strings.TrimSpace(t.Level) {
		f.At("level", "identity.level")
	}
	tags := t.Tags.List()
	if len(tags) > maxTags || slices.ContainsFunc(tags, func(s string) bool { return utf8.RuneCountInString(s) > maxTag || naming.Hidden(s) }) {
		f.At("tags", "identity.tags")
	}
	if t.Region != "" && !regionForm.MatchString(t.Region) {
		f.At("region", "identity.region")
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

var (
	setTraits   = db.Rows("identity.set_traits", `UPDATE parties SET level = r.level, tags = r.tags, region = r.region FROM {{rows id text, level text, tags text, region text}} WHERE parties.id = r.id AND parties.kind = 'shopper'`)
	lockTraits  = db.SQL("identity.lock_traits", `SELECT `+partyColumns+` FROM parties p WHERE p.id = $1 AND p.kind = 'shopper' {{for update}}`)
	noteActive  = db.Rows("identity.note_active", `UPDATE parties SET active_bits = CASE WHEN r.day - parties.active_day >= 30 THEN 1 ELSE ((parties.active_bits << CAST(r.day - parties.active_day AS INTEGER)) & 1073741823) | 1 END, active_day = r.day FROM {{rows id text, day bigint}} WHERE parties.id = r.id AND parties.active_day < r.day`)
	touchShops  = db.Rows("identity.touch_shops", `UPDATE sessions SET seen_at = r.at FROM {{rows hash bytes, at bigint}} WHERE sessions.token_hash = r.hash AND sessions.seen_at < r.at`)
	customersOf = db.SQL("identity.customers", `SELECT `+partyColumns+` FROM parties p WHERE p.kind = 'shopper' AND p.id {{in $1 text}}`)
)

// AskCustomers asks for shoppers without waiting: the map is filled once the transaction's
// next Flush has returned. Who is none is left out.
func AskCustomers(ctx context.Context, tx *db.Tx, parties []id.Party) (map[id.Party]Party, error) {
	out := map[id.Party]Party{}
	if len(parties) == 0 {
		return out, nil
	}
	return out, tx.Ask(ctx, customersOf, func(scan func(...any) error) error {
		var p Party
		var active int64
		err := scan(partyTargets(&p, &active)...)
		p.Active = active == 1
		out[p.ID] = p
		return err
	}, db.Texts(parties))
}

// SetTraits gives a customer a level, tags and a region, and puts on record which of them
// changed. Its faults are forbidden, not_found, identity.traits with a field for each problem,
// and identity.traits_changed when they are neither those of was any more nor already the new;
// a nil was replaces whatever is there.
func (s *Service) SetTraits(ctx context.Context, tx *db.Tx, by Actor, party id.Party, t Traits, was *Traits, now time.Time) (Party, error) {
	if err := by.Require(CustomerEdit); err != nil {
		return Party{}, err
	}
	if err := t.Check(); err != nil {
		return Party{}, err
	}
	found, err := loadParties(ctx, tx, lockTraits, string(party))
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Party{}, err
	}
	p := found[0]
	var data []string
	for _, c := range []struct{ name, was, is string }{{"level", p.Level, t.Level}, {"tags", p.Tags.line(), t.Tags.line()}, {"region", p.Region, t.Region}} {
		if c.was != c.is {
			data = append(data, c.name, c.is, c.name+"_was", c.was)
		}
	}
	if len(data) == 0 {
		return p, nil
	}
	if was != nil && !p.Traits.given(*was) {
		return Party{}, fault.New(fault.Conflict, "identity.traits_changed")
	}
	p.Level, p.Tags, p.Region = t.Level, t.Tags, t.Region
	if err := tx.WriteAll(ctx, setTraits, 1, func(_ int, b *db.Binder) {
		b.Text(string(p.ID)).Text(p.Level).Text(string(p.Tags)).Text(p.Region)
	}); err != nil {
		return Party{}, err
	}
	return p, record(ctx, tx, now, by.ID, "customer.traits", string(party), Origin{Address: by.Origin}, nil, data...)
}

// given reports whether the level, tags and region of t are those of other.
func (t Traits) given(other Traits) bool {
	return t.Level == other.Level && t.Tags == other.Tags && t.Region == other.Region
}

func (t Tags) line() string { return strings.Join(t.List(), ", ") }

// visits are what was seen of shoppers and isn't written yet.
type visits struct {
	days  map[id.Party]int64
	seen  map[string]time.Time // by the hash of a session's token
	today map[id.Party]int64   // written, so that a stale reading isn't noted twice
}

// maxVisits bounds what waits to be written; more is noted by a later request.
const maxVisits = 100_000

// saw notes that a shopper's session is in use. What is the same day and the same minute as
// was written needs nothing; the rest waits for NoteVisits, so that no request writes.
func (s *Service) saw(e *Session, now time.Time) {
	day := Day(now)
	if e.Face != Shop || e.Party.ActiveDay >= day && !e.Stale(now) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Party.ActiveDay < day && s.visits.today[e.Party.ID] != day && len(s.visits.days) < maxVisits {
		if s.visits.days == nil {
			s.visits.days = map[id.Party]int64{}
		}
		s.visits.days[e.Party.ID] = day
	}
	if e.Stale(now) && len(s.visits.seen) < maxVisits {
		if s.visits.seen == nil {
			s.visits.seen = map[string]time.Time{}
		}
		s.visits.seen[string(e.hash)] = now
	}
}

// NoteVisits writes which shoppers were seen since it last did, and when their sessions were
// last in use. It is a duty of every process that serves: what a process that dies had not
// written is noted at the next visit.
func (s *Service) NoteVisits(ctx context.Context, d *db.DB) (int, error) {
	s.mu.Lock()
	v := s.visits
	s.visits = visits{today: v.today}
	s.mu.Unlock()
	parties, hashes := sorted(v.days), sorted(v.seen)
	if len(parties)+len(hashes) == 0 {
		return 0, nil
	}
	err := d.Do(ctx, func(tx *db.Tx) error {
		if _, err := tx.Write(ctx, noteActive, len(parties), func(i int, b *db.Binder) { b.Text(string(parties[i])).Int(v.days[parties[i]]) }); err != nil {
			return err
		}
		_, err := tx.Write(ctx, touchShops, len(hashes), func(i int, b *db.Binder) { b.Bytes([]byte(hashes[i])).Time(v.seen[hashes[i]]) })
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if s.visits.today == nil || len(s.visits.today) > maxVisits {
		s.visits.today = map[id.Party]int64{}
	}
	for p, day := range v.days {
		s.visits.today[p] = day
	}
	return len(parties) + len(hashes), nil
}

func sorted[K ~string, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
