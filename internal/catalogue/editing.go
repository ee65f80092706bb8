package catalogue

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Present is how long somebody who was seen at the form of an offer counts as being there.
const Present = time.Minute

// Editor is somebody at the form of an offer.
type Editor struct {
	Party id.Party
	Seen  time.Time
}

var (
	noteEditor  = db.SQL("catalogue.note_editor", `INSERT INTO offer_editors (offer_id, party_id, seen_at) VALUES ($1, $2, $3) ON CONFLICT (offer_id, party_id) DO UPDATE SET seen_at = excluded.seen_at`)
	editorGone  = db.SQL("catalogue.editor_gone", `DELETE FROM offer_editors WHERE offer_id = $1 AND party_id = $2`)
	editorsOf   = db.SQL("catalogue.editors_of", `SELECT party_id, seen_at FROM offer_editors WHERE offer_id = $1 AND party_id <> $2 AND seen_at > $3 ORDER BY seen_at DESC`)
	forgetOlder = db.SQL("catalogue.forget_editors", `DELETE FROM offer_editors WHERE offer_id = $1 AND seen_at <= $2`)
)

// Edits notes that somebody is at the form of an offer.
func (s *Service) Edits(ctx context.Context, tx *db.Tx, offer id.Offer, by id.Party, now time.Time) error {
	if _, err := tx.Exec(ctx, forgetOlder, offer, db.Micros(now.Add(-Present))); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, noteEditor, offer, by, db.Micros(now))
	return err
}

// Leaves notes that somebody has left the form of an offer.
func (s *Service) Leaves(ctx context.Context, tx *db.Tx, offer id.Offer, by id.Party) error {
	_, err := tx.Exec(ctx, editorGone, offer, by)
	return err
}

// Editors lists who else is at the form of an offer, who was seen last first.
func (s *Service) Editors(ctx context.Context, tx *db.Tx, offer id.Offer, but id.Party, now time.Time) ([]Editor, error) {
	var out []Editor
	err := tx.Query(ctx, editorsOf, func(scan func(...any) error) error {
		var e Editor
		err := scan(&e.Party, db.Time(&e.Seen))
		out = append(out, e)
		return err
	}, offer, but, db.Micros(now.Add(-Present)))
	return out, err
}
