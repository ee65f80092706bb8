package catalogue_test

import (
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

func (r *rig) schedule(at time.Time) (v catalogue.Version) {
	r.t.Helper()
	r.must(func(tx *db.Tx) (err error) {
		r.o, v, err = r.s.Schedule(r.t.Context(), tx, r.o, at, "pty_1", now)
		return err
	})
	return v
}

// sells checks which version is sold at a moment, as purchases and pages see it.
func (r *rig) sells(at time.Time, want id.OfferVersion) {
	r.t.Helper()
	r.must(func(tx *db.Tx) error {
		sale, err := catalogue.NewService().ForSale(r.t.Context(), tx, []id.Offer{r.o.ID}, at)
		if err != nil {
			return err
		}
		o, err := r.s.Offer(r.t.Context(), tx, r.o.ID)
		if got := sale[r.o.ID].Version; got == nil || got.ID != want || o.Settled(at).VersionID != want {
			r.t.Errorf("at %s %v is sold, and %s shown; want %s", at, got, o.Settled(at).VersionID, want)
		}
		return err
	})
}

func TestAScheduledVersionTakesOverByItself(t *testing.T) {
	each(t, func(r *rig) {
		at := now.Add(time.Hour)
		r.refused("catalogue.schedule_first", func(tx *db.Tx) error {
			_, _, err := r.s.Schedule(t.Context(), tx, r.o, at, "pty_1", now)
			return err
		})
		first := r.publish()
		r.must(func(tx *db.Tx) (err error) {
			r.o, err = r.s.SetState(t.Context(), tx, r.o, catalogue.Live, now)
			return err
		})
		r.o.Draft.Price = money.Of(1490, money.CNY)
		second := r.schedule(at)
		r.o.Draft.Price = money.Of(990, money.CNY) // typed on, and not part of what is scheduled
		r.must(func(tx *db.Tx) (err error) {
			r.o, err = r.s.Save(t.Context(), tx, r.o, now)
			return err
		})
		r.sells(at.Add(-time.Microsecond), first.ID)
		r.sells(at, second.ID)
		if second.Content.Price.Minor != 1490 || second.Number != 2 {
			t.Errorf("scheduled: %+v", second)
		}

		third := r.publish() // now: holds until the scheduled one
		r.sells(now, third.ID)
		r.sells(at, second.ID)
		if third.Number != 3 {
			t.Errorf("two versions are number %d", third.Number)
		}
		fourth := r.schedule(at.Add(time.Hour)) // the second is given up
		r.sells(at, third.ID)
		r.sells(at.Add(time.Hour), fourth.ID)
		r.must(func(tx *db.Tx) (err error) {
			r.o, err = r.s.Unschedule(t.Context(), tx, r.o, now)
			return err
		})
		r.sells(at.Add(time.Hour), third.ID)
		r.refused("catalogue.nothing_scheduled", func(tx *db.Tx) error {
			_, err := r.s.Unschedule(t.Context(), tx, r.o, now)
			return err
		})
	})
}

// What was scheduled stays sold when somebody saves afterwards, and gives way to what is
// published afterwards.
func TestASaveAfterTheTimeKeepsWhatTookOver(t *testing.T) {
	each(t, func(r *rig) {
		at := now.Add(time.Hour)
		r.publish()
		second, later := r.schedule(at), at.Add(time.Minute)
		r.must(func(tx *db.Tx) (err error) {
			r.o, err = r.s.Save(t.Context(), tx, r.o, later)
			return err
		})
		r.sells(later, second.ID)
		r.refused("catalogue.nothing_scheduled", func(tx *db.Tx) error {
			_, err := r.s.Unschedule(t.Context(), tx, r.o, later)
			return err
		})
		var third catalogue.Version
		r.must(func(tx *db.Tx) (err error) {
			r.o, third, err = r.s.Publish(t.Context(), tx, r.o, "pty_1", later)
			return err
		})
		r.sells(later, third.ID)
		if r.o.Next.ID != "" || third.Number != 3 {
			t.Errorf("%+v", r.o)
		}
	})
}

func TestWhenAVersionMayBeScheduled(t *testing.T) {
	each(t, func(r *rig) {
		r.publish()
		r.o.EndsAt = now.Add(24 * time.Hour)
		for name, c := range map[string]struct {
			at   time.Time
			code string
		}{
			"now": {now, "catalogue.schedule_at"}, "past": {now.Add(-time.Hour), "catalogue.schedule_at"}, "never": {time.Time{}, "catalogue.schedule_at"},
			"in three years": {now.AddDate(3, 0, 0), "catalogue.schedule_at"}, "after the end": {now.Add(24 * time.Hour), "catalogue.schedule_ended"},
		} {
			err := r.d.Do(t.Context(), func(tx *db.Tx) error {
				_, _, err := r.s.Schedule(t.Context(), tx, r.o, c.at, "pty_1", now)
				return err
			})
			if e := fault.From(err); e == nil || len(e.Fields) != 1 || e.Fields[0].Code != c.code {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestADuplicateIsADraftOfItsOwn(t *testing.T) {
	each(t, func(r *rig) {
		r.publish()
		var copied catalogue.Offer
		r.must(func(tx *db.Tx) (err error) {
			copied, err = r.s.Duplicate(t.Context(), tx, r.o, "card-2", now)
			return err
		})
		if copied.ID == r.o.ID || copied.State != catalogue.Draft || copied.VersionID != "" || len(catalogue.Diff(copied.Draft, r.o.Draft)) != 0 {
			t.Errorf("%+v", copied)
		}
		r.refused("catalogue.slug_taken", func(tx *db.Tx) error {
			_, err := r.s.Duplicate(t.Context(), tx, r.o, "card-2", now)
			return err
		})
	})
}
