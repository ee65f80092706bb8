package order

import (
	"context"
	"time"

	"hufu/internal/db"
)

// Terms are a text that buyers accepted, under its hash. However many orders accepted it, it is
// kept once, and never changed.
type Terms struct {
	Hash   string // SHA-256 of Body, in hexadecimal
	Lang   string
	Body   string
	KeptAt time.Time // with the first order that accepted it
}

var (
	selectTerms = db.SQL("order.terms", `SELECT hash, lang, body, kept_at FROM order_terms WHERE hash {{in $1 text}}`)
	insertTerms = db.Rows("order.keep_terms", `INSERT INTO order_terms {{values hash text, lang text, body text, kept_at bigint}} ON CONFLICT DO NOTHING`)
)

// KeepTerms keeps the texts that aren't kept yet. They come sorted by hash, so that two
// transactions don't wait for each other.
func (s *Service) KeepTerms(ctx context.Context, tx *db.Tx, all []Terms) error {
	if len(all) == 0 {
		return nil
	}
	hashes := make([]string, len(all))
	for i, t := range all {
		hashes[i] = t.Hash
	}
	have, err := s.Terms(ctx, tx, hashes)
	if err != nil {
		return err
	}
	var missing []Terms
	for _, t := range all {
		if _, ok := have[t.Hash]; !ok {
			missing = append(missing, t)
		}
	}
	_, err = tx.Write(ctx, insertTerms, len(missing), func(i int, b *db.Binder) {
		t := missing[i]
		b.Text(t.Hash).Text(t.Lang).Text(t.Body).Time(t.KeptAt)
	})
	return err
}

// Terms loads kept texts by their hashes. Unknown ones are left out.
func (*Service) Terms(ctx context.Context, tx *db.Tx, hashes []string) (map[string]Terms, error) {
	out := make(map[string]Terms, len(hashes))
	err := tx.Query(ctx, selectTerms, func(scan func(...any) error) error {
		var t Terms
		err := scan(&t.Hash, &t.Lang, &t.Body, db.Time(&t.KeptAt))
		out[t.Hash] = t
		return err
	}, db.Texts(hashes))
	return out, err
}
