package flow

import (
	"context"

	"hufu/internal/catalogue"
	"hufu/internal/id"
)

// importOffers is the part of ImportCatalogue that brings offers to what the file says.
func (in *importing) importOffers(ctx context.Context) error {
	all, err := in.Catalogue.Offers(ctx, in.tx, true)
	if err != nil {
		return err
	}
	present := map[string]*catalogue.Offer{}
	var wanted []id.OfferVersion
	for i := range all {
		present[all[i].Slug] = &all[i]
	}
	for _, fo := range in.file.Offers {
		if was := present[fo.Offer.Slug]; was != nil {
			wanted = append(wanted, was.Settled(in.now).VersionID)
		}
	}
	sold, err := in.Catalogue.Versions(ctx, in.tx, wanted)
	if err != nil {
		return err
	}
	relations, err := in.Catalogue.Relations(ctx, in.tx)
	if err != nil {
		return err
	}
	for i, fo := range in.file.Offers {
		was := present[fo.Offer.Slug]
		var version *catalogue.Version
		if was != nil {
			version = sold[was.Settled(in.now).VersionID]
		}
		d, row := in.file.DecideOffer(i, was, version, in.benefits, in.stocks, relations, in.now)
		if !in.add(row) {
			continue
		}
		if err := in.saveOffer(ctx, d, was == nil); err != nil {
			return err
		}
	}
	return nil
}

// importRelations is the part of ImportCatalogue that declares what the file declares.
func (in *importing) importRelations(ctx context.Context) error {
	declared, err := in.Catalogue.Relations(ctx, in.tx)
	if err != nil {
		return err
	}
	present := map[string]*catalogue.Relation{}
	for _, r := range declared {
		present[r.Key] = &r
	}
	for i, fr := range in.file.Relations {
		r, row := in.file.DecideRelation(i, present[fr.Relation.Key])
		if !in.add(row) {
			continue
		}
		if _, err := in.Catalogue.PutRelation(ctx, in.tx, r, in.by, in.now); err != nil {
			return err
		}
	}
	return nil
}

func (in *importing) saveOffer(ctx context.Context, d catalogue.Decision, fresh bool) error {
	var err error
	o := d.Offer
	if fresh {
		if o, err = in.Catalogue.Create(ctx, in.tx, o, in.now); err != nil {
			return err
		}
	}
	switch {
	case d.Publish:
		o, _, err = in.Catalogue.Publish(ctx, in.tx, o, in.by, in.now)
	case !fresh:
		o, err = in.Catalogue.Save(ctx, in.tx, o, in.now)
	}
	if err != nil {
		return err
	}
	for _, s := range d.States {
		if o, err = in.Catalogue.SetState(ctx, in.tx, o, s, in.now); err != nil {
			return err
		}
	}
	return nil
}
