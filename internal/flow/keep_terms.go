package flow

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/order"
)

// sheets remembers in this process the terms of versions, which never change, and which texts
// are kept: almost every order finds its own there and asks nothing.
type sheets struct {
	mu   sync.Mutex
	of   map[id.OfferVersion][]terms.Sheet // in every language
	kept map[string]bool                   // by hash; only what is committed
}

// mostSheets is how many versions, and how many hashes, are remembered.
const mostSheets = 1000

// find is the sheet of a version that has a hash, in whatever language.
func (s *sheets) find(v *catalogue.Version, hash string) (terms.Sheet, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, ok := s.of[v.ID]
	if !ok {
		for _, l := range i18n.Langs {
			all = append(all, terms.In(l, v.Content))
		}
		if s.of == nil || len(s.of) >= mostSheets {
			s.of = map[id.OfferVersion][]terms.Sheet{}
		}
		s.of[v.ID] = all
	}
	i := slices.IndexFunc(all, func(t terms.Sheet) bool { return t.Hash == hash })
	if i < 0 {
		return terms.Sheet{}, false
	}
	return all[i], true
}

// fresh takes out of accepted what is known to be kept.
func (s *sheets) fresh(accepted map[string]terms.Sheet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(accepted, func(hash string, _ terms.Sheet) bool { return s.kept[hash] })
}

func (s *sheets) keep(hashes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= mostSheets {
		s.kept = map[string]bool{}
	}
	for _, h := range hashes {
		s.kept[h] = true
	}
}

// keepTerms keeps what the buyers of a batch accepted whose orders are placed.
func (f *Flows) keepTerms(ctx context.Context, tx *db.Tx, work []*placing, now time.Time) error {
	accepted := map[string]terms.Sheet{}
	for _, w := range work {
		if w == nil || !w.held {
			continue
		}
		for _, t := range w.accepted {
			accepted[t.Hash] = t
		}
	}
	f.sheets.fresh(accepted)
	if len(accepted) == 0 {
		return nil
	}
	hashes := slices.Sorted(maps.Keys(accepted))
	all := make([]order.Terms, len(hashes))
	for i, h := range hashes {
		all[i] = order.Terms{Hash: h, Lang: string(accepted[h].Lang), Body: accepted[h].Text, KeptAt: now}
	}
	tx.AfterCommit(func() { f.sheets.keep(hashes) })
	return f.Orders.KeepTerms(ctx, tx, all)
}
