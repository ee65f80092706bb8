package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// scheduled is what an offer's page tells of a version that takes over by itself.
type scheduled struct {
	Number  int64
	At      string
	Changes []difference // against what is sold until then
}

// lastFrozen is the version that the working copy is compared with: what is scheduled, or else
// what is sold.
func lastFrozen(o catalogue.Offer, all []*catalogue.Version) *catalogue.Version {
	wanted := o.VersionID
	if o.Next.ID != "" {
		wanted = o.Next.ID
	}
	return versionOf(all, wanted)
}

func versionOf(all []*catalogue.Version, wanted id.OfferVersion) *catalogue.Version {
	for _, x := range all {
		if x.ID == wanted {
			return x
		}
	}
	return nil
}

// scheduledOf tells what is scheduled of a settled offer, nil for nothing.
func (v *visit) scheduledOf(o catalogue.Offer, all []*catalogue.Version, stocks map[id.Stock]string) *scheduled {
	next, sold := versionOf(all, o.Next.ID), versionOf(all, o.VersionID)
	if next == nil || sold == nil {
		return nil
	}
	return &scheduled{Number: o.Next.Number, At: v.when(o.Next.At), Changes: v.differences(sold.Content, next.Content, stocks)}
}

// scheduleOffer freezes the working copy to be sold from a moment on.
func scheduleOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	at, ok := v.readTime(v.f("at"))
	if !ok || at.IsZero() {
		return v.offerPage(http.StatusBadRequest, fault.New(fault.Invalid, "catalogue.content").At("at", "catalogue.schedule_at"))
	}
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Catalogue.Offer(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		if rev, ok := whole(v.f("revision"), 1, 1<<40); !ok || rev != o.Revision {
			return fault.New(fault.Conflict, "catalogue.edited")
		}
		_, version, err := c.Flows.Catalogue.Schedule(v.r.Context(), tx, o, at, v.by(), c.now())
		if err != nil {
			return err
		}
		return v.audit(tx, "offer.schedule", string(o.ID), "version", strconv.FormatInt(version.Number, 10), "at", at.UTC().Format(time.RFC3339), "price", version.Content.Price.String())
	})
	if f := fault.From(err); err != nil && f.Kind == fault.Invalid {
		if len(f.Fields) > 0 && f.Fields[0].Path == "at" {
			return v.offerPage(http.StatusBadRequest, err)
		}
		return v.offerRefused(o, err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/offers/"+string(o.ID), "scheduled")
}

// unscheduleOffer gives up what is scheduled.
func unscheduleOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Catalogue.Offer(v.r.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		was := o.Next.Number
		if _, err := c.Flows.Catalogue.Unschedule(v.r.Context(), tx, o, c.now()); err != nil {
			return err
		}
		return v.audit(tx, "offer.unschedule", string(o.ID), "version", strconv.FormatInt(was, 10))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/offers/"+string(o.ID), "unscheduled")
}

// copySlug proposes a name for a duplicate.
func copySlug(slug string) string {
	if len(slug) > 70 {
		slug = strings.TrimRight(slug[:70], "-")
	}
	return slug + "-copy"
}

// duplicateOffer makes a draft of the same content under another name.
func duplicateOffer(c *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	var made catalogue.Offer
	err = v.once(func(tx *db.Tx) (err error) {
		if made, err = c.Flows.Catalogue.Duplicate(v.r.Context(), tx, o, v.f("slug"), c.now()); err != nil {
			return err
		}
		return v.audit(tx, "offer.duplicate", string(made.ID), "of", string(o.ID), "slug", made.Slug)
	})
	if f := fault.From(err); err != nil && (f.Kind == fault.Invalid || f.Code == "catalogue.slug_taken") {
		return v.offerPage(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	if made.ID == "" { // the form came again: its draft is there
		err := v.view(func(tx *db.Tx) (err error) {
			made, err = c.Flows.Catalogue.OfferBySlug(v.r.Context(), tx, v.f("slug"))
			return err
		})
		if err != nil {
			return err
		}
	}
	return v.leave("/console/offers/"+string(made.ID)+"/edit", "")
}
