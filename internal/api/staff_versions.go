package api

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
)

// NextVersion is a version that takes over the sale by itself.
type NextVersion struct {
	Version int64           `json:"version"`
	ID      id.OfferVersion `json:"version_id"`
	At      time.Time       `json:"at"`
}

func nextOf(n catalogue.Next) *NextVersion {
	if n.ID == "" {
		return nil
	}
	return &NextVersion{n.Number, n.ID, n.At}
}

// Schedule says from when on the working copy is to be sold.
type Schedule struct {
	Revision int64     `json:"revision" minimum:"1" doc:"The revision that was looked at: when somebody saved meanwhile, nothing is scheduled"`
	At       time.Time `json:"at" doc:"In the future, at most two years ahead"`
}

// Duplicate names an offer that is to be made with the content of another.
type Duplicate struct {
	Slug string `json:"slug" minLength:"1" maxLength:"80"`
}

// OfferDifference is one thing in which two contents differ.
type OfferDifference struct {
	Path string `json:"path" example:"parts[腾讯视频VIP月卡].quantity"`
	Kind string `json:"kind" enum:"altered,added,removed,moved"`
	Form string `json:"form,omitempty" enum:"words,number,amount,moment,flag,stock,word" doc:"What was and is are written as"`
	Was  string `json:"was,omitempty"`
	Is   string `json:"is,omitempty"`
}

type scheduleInput struct {
	StaffOfferRef
	Body Schedule
}

type duplicateInput struct {
	StaffOfferRef
	Body Duplicate
}

type diffInput struct {
	StaffOfferRef
	From int64 `query:"from" minimum:"1" doc:"Number of a version; without it, the one that is sold"`
	To   int64 `query:"to" minimum:"1" doc:"Number of a version; without it, the working copy"`
}

func (a *API) staffVersions() {
	once(a, "schedule-offer", a.scheduleOffer)
	once(a, "unschedule-offer", a.unscheduleOffer)
	once(a, "duplicate-offer", a.duplicateOffer)
	operation(a, "compare-offer-versions", a.compareOffer)
}

func (a *API) scheduleOffer(ctx context.Context, tx *db.Tx, c *Call, in *scheduleInput) (*Offer, error) {
	o, err := a.edited(ctx, tx, in.Offer, in.Body.Revision)
	if err != nil {
		return nil, err
	}
	o, v, err := a.Flows.Catalogue.Schedule(ctx, tx, o, in.Body.At, c.session.Party.ID, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.schedule", string(o.ID), map[string]string{"version": strconv.FormatInt(v.Number, 10), "at": o.Next.At.Format(time.RFC3339), "price": v.Content.Price.String()})
}

func (a *API) unscheduleOffer(ctx context.Context, tx *db.Tx, c *Call, in *publishInput) (*Offer, error) {
	o, err := a.edited(ctx, tx, in.Offer, in.Body.Revision)
	if err != nil {
		return nil, err
	}
	was := o.Next.Number
	if o, err = a.Flows.Catalogue.Unschedule(ctx, tx, o, a.Flows.Clock.Now()); err != nil {
		return nil, err
	}
	return a.showOffer(o), a.record(ctx, tx, c, "offer.unschedule", string(o.ID), map[string]string{"version": strconv.FormatInt(was, 10)})
}

func (a *API) duplicateOffer(ctx context.Context, tx *db.Tx, c *Call, in *duplicateInput) (*Offer, error) {
	o, err := a.Flows.Catalogue.Offer(ctx, tx, in.Offer)
	if err != nil {
		return nil, err
	}
	made, err := a.Flows.Catalogue.Duplicate(ctx, tx, o, in.Body.Slug, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	return a.showOffer(made), a.record(ctx, tx, c, "offer.duplicate", string(made.ID), map[string]string{"of": string(o.ID), "slug": made.Slug})
}

func (a *API) compareOffer(ctx context.Context, _ *Call, in *diffInput) (*Page[OfferDifference], error) {
	out := &Page[OfferDifference]{Items: []OfferDifference{}}
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Catalogue.Offer(ctx, tx, in.Offer)
		if err != nil {
			return err
		}
		all, err := a.Flows.Catalogue.VersionsOf(ctx, tx, in.Offer)
		if err != nil {
			return err
		}
		if in.From == 0 {
			in.From = o.Settled(a.Flows.Clock.Now()).Version
		}
		is := o.Draft
		var was *catalogue.Content
		toKnown := in.To == 0
		for _, v := range all {
			if v.Number == in.From {
				was = &v.Content
			}
			if v.Number == in.To {
				is, toKnown = v.Content, true
			}
		}
		if was == nil || !toKnown {
			return catalogue.NoVersion(o.ID)
		}
		for _, d := range catalogue.Diff(*was, is) {
			out.Items = append(out.Items, OfferDifference{d.String(), string(d.Kind), string(d.Form), d.Was, d.Is})
		}
		return nil
	})
	return out, err
}
