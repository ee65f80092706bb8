package verify

import (
	"context"

	"hufu/internal/db"
	"hufu/internal/flow/terms"
)

var (
	termsHashes = db.SQL("verify.terms_hashes", `SELECT hash FROM order_terms`)
	pageOfTerms = db.SQL("verify.terms", `SELECT hash, body FROM order_terms WHERE hash > $1 ORDER BY hash LIMIT $2`)
)

// accepted tells of a line whose buyer accepted terms that nobody can read any more.
func (h *hand) accepted(ctx context.Context, l walkedLine) error {
	if l.accepted == "" {
		return nil
	}
	if h.terms == nil {
		h.terms = map[string]bool{}
		if err := h.tx.Query(ctx, termsHashes, func(scan func(...any) error) error {
			var hash string
			err := scan(&hash)
			h.terms[hash] = true
			return err
		}); err != nil {
			return err
		}
	}
	if !h.terms[l.accepted] {
		h.bad("I17", "terms", l.id, "hash="+l.accepted)
	}
	return nil
}

// keptTerms hashes every kept text again.
func keptTerms(ctx context.Context, h *hand) error {
	for low := ""; ; {
		n := 0
		if err := h.tx.Query(ctx, pageOfTerms, func(scan func(...any) error) error {
			var body string
			if err := scan(&low, &body); err != nil {
				return err
			}
			if n++; terms.Hash(body) != low {
				h.bad("I17", "text", low, "hash="+terms.Hash(body))
			}
			return nil
		}, low, page); err != nil {
			return err
		}
		if n < page {
			return nil
		}
	}
}
