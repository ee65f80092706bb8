package catalogue_test

import (
	"errors"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func both(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }

func benefit(slug string) catalogue.Benefit {
	return catalogue.Benefit{
		Slug: slug, Kind: "membership", Provider: catalogue.Provider{Key: "tv", Name: both("TV")}, Name: both("Month"), Attributes: map[string]string{"days": "31"},
		Disclosure: catalogue.Disclosure{AccountType: both("a"), Scope: both("s"), Devices: both("d"), Validity: both("v"), HowToUse: both("h"), Refund: both("r")},
	}
}

// rig is a shop with one benefit and one draft offer.
type rig struct {
	t *testing.T
	d *db.DB
	s *catalogue.Service
	b catalogue.Benefit
	o catalogue.Offer
}

func each(t *testing.T, fn func(r *rig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := &rig{t: t, d: d, s: catalogue.NewService()}
		r.must(func(tx *db.Tx) (err error) {
			if r.b, err = r.s.PutBenefit(t.Context(), tx, benefit("month"), "pty_1", now); err != nil {
				return err
			}
			r.o, err = r.s.Create(t.Context(), tx, catalogue.Offer{Slug: "card", Category: "video", Draft: catalogue.Content{
				Title: both("Card"), Price: money.Of(1990, money.CNY), MaxPerOrder: 5, Parts: []catalogue.Part{{Benefit: r.b, Quantity: 1}},
			}}, now)
			return err
		})
		fn(r)
	})
}

func (r *rig) must(fn func(tx *db.Tx) error) {
	r.t.Helper()
	if err := r.d.Do(r.t.Context(), fn); err != nil {
		r.t.Fatal(err)
	}
}

// refused runs fn, which must fail with a code.
func (r *rig) refused(code string, fn func(tx *db.Tx) error) {
	r.t.Helper()
	if err := r.d.Do(r.t.Context(), fn); fault.CodeOf(err) != code {
		r.t.Errorf("got %v, want %s", err, code)
	}
}

func (r *rig) publish() catalogue.Version {
	var v catalogue.Version
	r.t.Helper()
	r.must(func(tx *db.Tx) (err error) {
		r.o, v, err = r.s.Publish(r.t.Context(), tx, r.o, "pty_1", now)
		return err
	})
	return v
}

func TestPublishFreezesCopies(t *testing.T) {
	each(t, func(r *rig) {
		first := r.publish()
		changed := r.b
		changed.Name = both("Another name")
		r.must(func(tx *db.Tx) (err error) {
			r.b, err = r.s.PutBenefit(t.Context(), tx, changed, "pty_1", now)
			return err
		})
		r.o.Draft.Title = both("Another title")
		second := r.publish()
		if first.Number != 1 || second.Number != 2 || r.o.Version != 2 || r.o.VersionID != second.ID {
			t.Errorf("versions %d, %d; the offer sells %d", first.Number, second.Number, r.o.Version)
		}
		fresh := catalogue.NewService() // nothing remembered
		r.must(func(tx *db.Tx) error {
			all, err := fresh.Versions(t.Context(), tx, []id.OfferVersion{first.ID, second.ID, "ofv_none"})
			if err != nil {
				return err
			}
			was, is := all[first.ID].Content, all[second.ID].Content
			if len(all) != 2 || was.Title.EN != "Card" || was.Parts[0].Benefit.Name.EN != "Month" || was.Parts[0].Benefit.Version != 1 {
				t.Errorf("the first version has changed: %+v", was)
			}
			if is.Title.EN != "Another title" || is.Parts[0].Benefit.Name.EN != "Another name" || is.Parts[0].Benefit.Version != 2 {
				t.Errorf("the second version: %+v", is)
			}
			listed, err := fresh.VersionsOf(t.Context(), tx, r.o.ID)
			if len(listed) != 2 || listed[0].ID != second.ID || listed[0].CreatedBy != "pty_1" || !listed[0].CreatedAt.Equal(now) {
				t.Errorf("listed: %+v", listed)
			}
			return err
		})
	})
}

var tampering = []*db.Stmt{
	db.SQL("test.edit_offer_version", `UPDATE offer_versions SET body = '{}'`),
	db.SQL("test.drop_offer_version", `DELETE FROM offer_versions`),
	db.SQL("test.edit_benefit_version", `UPDATE benefit_versions SET body = '{}'`),
	db.SQL("test.drop_benefit_version", `DELETE FROM benefit_versions`),
}

func TestAVersionCantBeTouched(t *testing.T) {
	each(t, func(r *rig) {
		r.publish()
		for _, stmt := range tampering {
			if err := r.d.Do(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), stmt); return err }); err == nil {
				t.Errorf("%s went through", stmt.Name())
			}
		}
	})
}

func TestTwoEditorsCantOverwriteEachOther(t *testing.T) {
	each(t, func(r *rig) {
		mine, yours := r.o, r.o
		mine.Draft.Title, yours.Draft.Title = both("mine"), both("yours")
		r.must(func(tx *db.Tx) (err error) { mine, err = r.s.Save(t.Context(), tx, mine, now); return err })
		save := func(tx *db.Tx) error { _, err := r.s.Save(t.Context(), tx, yours, now); return err }
		r.refused("catalogue.edited", save)
		r.refused("catalogue.edited", func(tx *db.Tx) error { _, _, err := r.s.Publish(t.Context(), tx, yours, "", now); return err })
		mine.Draft.Title = both("mine again") // what Save gives can be saved on
		r.must(func(tx *db.Tx) error { _, err := r.s.Save(t.Context(), tx, mine, now); return err })

		one, two := r.b, r.b
		r.must(func(tx *db.Tx) error { _, err := r.s.PutBenefit(t.Context(), tx, one, "", now); return err })
		r.refused("catalogue.edited", func(tx *db.Tx) error { _, err := r.s.PutBenefit(t.Context(), tx, two, "", now); return err })
		r.must(func(tx *db.Tx) error {
			o, err := r.s.OfferBySlug(t.Context(), tx, "card")
			if o.Draft.Title.EN != "mine again" || o.VersionID != "" {
				t.Errorf("stored: %+v", o)
			}
			return err
		})
	})
}

var errUndo = errors.New("undo")

func TestARolledBackVersionIsNotRemembered(t *testing.T) {
	each(t, func(r *rig) {
		var ghost catalogue.Version
		err := r.d.Do(t.Context(), func(tx *db.Tx) error {
			var err error
			if _, ghost, err = r.s.Publish(t.Context(), tx, r.o, "", now); err != nil {
				return err
			}
			seen, err := r.s.Versions(t.Context(), tx, []id.OfferVersion{ghost.ID})
			if err != nil || seen[ghost.ID] == nil {
				t.Errorf("the transaction doesn't see its own version: %v %v", seen, err)
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
		kept := r.publish()
		r.must(func(tx *db.Tx) error {
			for range 2 { // from the database, then from memory
				seen, err := r.s.Versions(t.Context(), tx, []id.OfferVersion{ghost.ID, kept.ID})
				if err != nil {
					return err
				}
				if len(seen) != 1 || seen[kept.ID] == nil {
					t.Errorf("versions: %v", seen)
				}
			}
			return nil
		})
	})
}

func TestStatesNeedWhatTheySay(t *testing.T) {
	each(t, func(r *rig) {
		to := func(s catalogue.State) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				o, err := r.s.SetState(t.Context(), tx, r.o, s, now)
				if err == nil {
					r.o = o
				}
				return err
			}
		}
		r.refused("catalogue.unpublished", to(catalogue.Live))
		r.refused("catalogue.state", to(catalogue.Paused))
		r.publish()
		r.refused("catalogue.content", to(catalogue.Scheduled))
		r.must(to(catalogue.Live))
		r.must(func(tx *db.Tx) error {
			sale, err := r.s.ForSale(t.Context(), tx, []id.Offer{r.o.ID, "ofr_none"}, now)
			if len(sale) != 1 || sale[r.o.ID].State != catalogue.Live || sale[r.o.ID].Version.Number != 1 {
				t.Errorf("for sale: %+v", sale)
			}
			return err
		})
		r.refused("catalogue.state", to(catalogue.Draft))
		r.must(to(catalogue.Archived))
		r.must(func(tx *db.Tx) error {
			shown, err := r.s.Offers(t.Context(), tx, false)
			if err != nil {
				return err
			}
			all, err := r.s.Offers(t.Context(), tx, true)
			if len(shown) != 0 || len(all) != 1 {
				t.Errorf("%d shown, %d in all", len(shown), len(all))
			}
			return err
		})
		r.o.StartsAt, r.o.EndsAt = now, now
		r.refused("catalogue.content", func(tx *db.Tx) error { _, err := r.s.Save(t.Context(), tx, r.o, now); return err })
	})
}

func TestNamesAreTakenOnce(t *testing.T) {
	each(t, func(r *rig) {
		r.refused("catalogue.slug_taken", func(tx *db.Tx) error {
			_, err := r.s.Create(t.Context(), tx, catalogue.Offer{Slug: "card"}, now)
			return err
		})
		r.refused("catalogue.slug_taken", func(tx *db.Tx) error {
			_, err := r.s.PutBenefit(t.Context(), tx, benefit("month"), "", now)
			return err
		})
		for _, slug := range []string{"", "Card", "a b", "-a", "a--b", "卡"} {
			r.refused("catalogue.content", func(tx *db.Tx) error {
				_, err := r.s.Create(t.Context(), tx, catalogue.Offer{Slug: slug}, now)
				return err
			})
		}
		r.refused("catalogue.no_offer", func(tx *db.Tx) error { _, err := r.s.OfferBySlug(t.Context(), tx, "nothing"); return err })
		gone := r.o
		gone.Draft.Parts = []catalogue.Part{{Benefit: catalogue.Benefit{ID: "ben_gone", Slug: "gone"}, Quantity: 1}}
		r.refused("catalogue.content", func(tx *db.Tx) error { _, _, err := r.s.Publish(t.Context(), tx, gone, "", now); return err })
	})
}
