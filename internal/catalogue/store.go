package catalogue

import (
	"context"
	"encoding/json"
	"fmt"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Contents lie in the database as JSON under the names of their Go fields: those names are
// part of the schema.

func encode[T any](v T) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func decode[T any](text string) (v T, err error) {
	if text != "" {
		if err = json.Unmarshal([]byte(text), &v); err != nil {
			err = fmt.Errorf("catalogue: a stored content can't be read: %w", err)
		}
	}
	return v, err
}

const offerColumns = `id, slug, state, version_id, version, category, position, starts_at, ends_at, draft, revision, next_version_id, next_version, next_at, created_at, updated_at`

var (
	selectForSale = db.SQL("catalogue.for_sale", `SELECT id, state, version_id, starts_at, ends_at, next_version_id, next_at FROM offers WHERE id {{in $1 text}}`)
	selectVersion = db.SQL("catalogue.version", `SELECT id, offer_id, number, body, created_at, created_by FROM offer_versions WHERE id {{in $1 text}}`)
	listVersions  = db.SQL("catalogue.versions_of", `SELECT id, offer_id, number, body, created_at, created_by FROM offer_versions WHERE offer_id = $1 ORDER BY number DESC`)
	selectOffers  = db.SQL("catalogue.offers", `SELECT `+offerColumns+` FROM offers WHERE id {{in $1 text}}`)
	selectSlug    = db.SQL("catalogue.offer_by_slug", `SELECT `+offerColumns+` FROM offers WHERE slug = $1`)
	listOffers    = db.SQL("catalogue.list_offers", `SELECT `+offerColumns+` FROM offers WHERE state <> 'archived' ORDER BY position, id`)
	listAllOffers = db.SQL("catalogue.list_all_offers", `SELECT `+offerColumns+` FROM offers ORDER BY position, id`)
	insertOffer   = db.Rows("catalogue.insert_offer", `INSERT INTO offers {{values id text, slug text, state text, version_id text, version bigint, category text, position bigint, starts_at bigint, ends_at bigint, draft text, revision bigint, next_version_id text, next_version bigint, next_at bigint, created_at bigint, updated_at bigint}}`)
	saveOffer     = db.SQL("catalogue.save_offer", `UPDATE offers SET slug = $1, state = $2, version_id = $3, version = $4, category = $5, position = $6, starts_at = $7, ends_at = $8, draft = $9, next_version_id = $10, next_version = $11, next_at = $12, revision = revision + 1, updated_at = $13 WHERE id = $14 AND revision = $15`)
	insertVersion = db.Rows("catalogue.insert_version", `INSERT INTO offer_versions {{values id text, offer_id text, number bigint, body text, created_at bigint, created_by text}}`)

	selectBenefits  = db.SQL("catalogue.benefits", `SELECT body FROM benefits WHERE id {{in $1 text}} ORDER BY slug`)
	selectBenefitBy = db.SQL("catalogue.benefit_by_slug", `SELECT body FROM benefits WHERE slug {{in $1 text}} ORDER BY slug`)
	listBenefits    = db.SQL("catalogue.list_benefits", `SELECT body FROM benefits WHERE state = 'active' ORDER BY slug`)
	insertBenefit   = db.Rows("catalogue.insert_benefit", `INSERT INTO benefits {{values id text, slug text, version bigint, state text, kind text, body text, updated_at bigint}}`)
	saveBenefit     = db.SQL("catalogue.save_benefit", `UPDATE benefits SET slug = $1, version = $2, kind = $3, body = $4, updated_at = $5 WHERE id = $6 AND version = $7`)
	insertBenefitV  = db.Rows("catalogue.insert_benefit_version", `INSERT INTO benefit_versions {{values benefit_id text, number bigint, body text, created_at bigint, created_by text}}`)
)

func loadVersions(ctx context.Context, tx *db.Tx, stmt *db.Stmt, arg any) ([]*Version, error) {
	var out []*Version
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		v := &Version{compiled: new(compiled)}
		var body string
		if err := scan(&v.ID, &v.Offer, &v.Number, &body, db.Time(&v.CreatedAt), &v.CreatedBy); err != nil {
			return err
		}
		var err error
		v.Content, err = decode[Content](body)
		out = append(out, v)
		return err
	}, arg)
	return out, err
}

func loadOffers(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Offer, error) {
	var out []Offer
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var o Offer
		var draft string
		if err := scan(&o.ID, &o.Slug, &o.State, &o.VersionID, &o.Version, &o.Category, &o.Position, db.Time(&o.StartsAt), db.Time(&o.EndsAt),
			&draft, &o.Revision, &o.Next.ID, &o.Next.Number, db.Time(&o.Next.At), db.Time(&o.CreatedAt), db.Time(&o.UpdatedAt)); err != nil {
			return err
		}
		var err error
		o.Draft, err = decode[Content](draft)
		out = append(out, o)
		return err
	}, args...)
	return out, err
}

func loadBenefits(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Benefit, error) {
	var out []Benefit
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		b, err := decode[Benefit](body)
		out = append(out, b)
		return err
	}, args...)
	return out, err
}

func writeOffer(ctx context.Context, tx *db.Tx, o Offer) error {
	draft, err := encode(o.Draft)
	if err != nil {
		return err
	}
	return tx.WriteAll(ctx, insertOffer, 1, func(_ int, b *db.Binder) {
		b.Text(string(o.ID)).Text(o.Slug).Text(string(o.State)).Text(string(o.VersionID)).Int(o.Version).Text(o.Category).Int(o.Position).
			Time(o.StartsAt).Time(o.EndsAt).Text(draft).Int(o.Revision).Text(string(o.Next.ID)).Int(o.Next.Number).Time(o.Next.At).Time(o.CreatedAt).Time(o.UpdatedAt)
	})
}

func writeVersion(ctx context.Context, tx *db.Tx, v Version) error {
	body, err := encode(v.Content)
	if err != nil {
		return err
	}
	return tx.WriteAll(ctx, insertVersion, 1, func(_ int, b *db.Binder) {
		b.Text(string(v.ID)).Text(string(v.Offer)).Int(v.Number).Text(body).Time(v.CreatedAt).Text(string(v.CreatedBy))
	})
}

func writeBenefitVersion(ctx context.Context, tx *db.Tx, b Benefit, body string, at int64, by id.Party) error {
	return tx.WriteAll(ctx, insertBenefitV, 1, func(_ int, w *db.Binder) {
		w.Text(string(b.ID)).Int(b.Version).Text(body).Int(at).Text(string(by))
	})
}
