package catalogue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

var (
	// What was written last numbers all that is declared: versions are never changed.
	lastRelation   = db.SQL("catalogue.last_relation", `SELECT COALESCE(MAX(seq), 0) FROM relation_versions`)
	listRelations  = db.SQL("catalogue.list_relations", `SELECT body FROM relations WHERE state = 'active' ORDER BY key`)
	selectRelation = db.SQL("catalogue.relation", `SELECT version, state FROM relations WHERE key = $1`)
	insertRelation = db.Rows("catalogue.insert_relation", `INSERT INTO relations {{values key text, version bigint, state text, body text, updated_at bigint}}`)
	saveRelation   = db.SQL("catalogue.save_relation", `UPDATE relations SET version = $1, state = $2, body = $3, updated_at = $4 WHERE key = $5 AND version = $6`)
	relationWrites = db.Rows("catalogue.insert_relation_version", `INSERT INTO relation_versions {{values seq bigint, relation_key text, number bigint, body text, created_at bigint, created_by text}}`)
)

// declared is every relation as of a write.
type declared struct {
	seq int64
	all []Relation
}

// AskRelations asks for what is declared. The answer is given once the transaction was
// flushed or answered something else; it must not be changed.
func (s *Service) AskRelations(ctx context.Context, tx *db.Tx) (func() ([]Relation, error), error) {
	var last int64
	err := tx.Ask(ctx, lastRelation, func(scan func(...any) error) error { return scan(&last) })
	return func() ([]Relation, error) {
		known := s.declared.Load()
		if known.seq == last {
			return known.all, nil
		}
		fresh := &declared{seq: last}
		if err := tx.Query(ctx, listRelations, func(scan func(...any) error) error {
			var body string
			if err := scan(&body); err != nil {
				return err
			}
			r, err := decode[Relation](body)
			fresh.all = append(fresh.all, r)
			return err
		}); err != nil {
			return nil, err
		}
		// What this very transaction wrote may yet be rolled back.
		tx.AfterCommit(func() { s.declared.Store(fresh) })
		return fresh.all, nil
	}, err
}

// Relations lists what is declared, by key. It must not be changed.
func (s *Service) Relations(ctx context.Context, tx *db.Tx) ([]Relation, error) {
	answer, err := s.AskRelations(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := tx.Flush(ctx); err != nil {
		return nil, err
	}
	return answer()
}

// Relation finds one.
func (s *Service) Relation(ctx context.Context, tx *db.Tx, key string) (Relation, error) {
	all, err := s.Relations(ctx, tx)
	for _, r := range all {
		if r.Key == key {
			return r, nil
		}
	}
	if err == nil {
		err = fault.New(fault.NotFound, "catalogue.no_relation", "key", clip(key))
	}
	return Relation{}, err
}

// PutRelation declares a relation (version 0), or changes the version it was read in. What is
// sold already is judged by it from the commit on. It fails with catalogue.edited when
// somebody saved since.
func (s *Service) PutRelation(ctx context.Context, tx *db.Tx, r Relation, by id.Party, now time.Time) (Relation, error) {
	if r.To == r.From && r.Kind.Mutual() {
		r.To = Side{}
	}
	f := fault.New(fault.Invalid, "catalogue.content")
	if r.Validate("", f); len(f.Fields) > 0 {
		return Relation{}, f
	}
	was, removed, err := relationStands(ctx, tx, r.Key)
	switch {
	case err != nil:
		return Relation{}, err
	case r.Version == 0 && was > 0 && !removed:
		return Relation{}, fault.New(fault.Conflict, "catalogue.relation_taken", "key", r.Key)
	case r.Version == 0:
		r.Version = was // one that was removed is declared anew
	case removed || was != r.Version:
		return Relation{}, fault.New(fault.Conflict, "catalogue.edited")
	}
	r.UpdatedAt = now
	return r, writeRelation(ctx, tx, &r, "active", by)
}

// RemoveRelation takes a relation away, in the version it was read in.
func (s *Service) RemoveRelation(ctx context.Context, tx *db.Tx, key string, version int64, by id.Party, now time.Time) error {
	r, err := s.Relation(ctx, tx, key)
	if err != nil {
		return err
	}
	if r.Version != version {
		return fault.New(fault.Conflict, "catalogue.edited")
	}
	r.UpdatedAt = now
	return writeRelation(ctx, tx, &r, "removed", by)
}

func relationStands(ctx context.Context, tx *db.Tx, key string) (version int64, removed bool, err error) {
	var state string
	_, err = tx.One(ctx, selectRelation, []any{&version, &state}, key)
	return version, state == "removed", err
}

// writeRelation writes the version after the one that r has.
func writeRelation(ctx context.Context, tx *db.Tx, r *Relation, state string, by id.Party) error {
	old := r.Version
	r.Version++
	body, err := encode(*r)
	if err != nil {
		return err
	}
	if old == 0 {
		err = tx.WriteAll(ctx, insertRelation, 1, func(_ int, w *db.Binder) {
			w.Text(r.Key).Int(r.Version).Text(state).Text(body).Time(r.UpdatedAt)
		})
	} else {
		var n int64
		if n, err = tx.Exec(ctx, saveRelation, r.Version, state, body, db.Micros(r.UpdatedAt), r.Key, old); err == nil && n == 0 {
			return fault.New(fault.Conflict, "catalogue.edited")
		}
	}
	if err != nil {
		return err
	}
	var last int64
	if _, err := tx.One(ctx, lastRelation, []any{&last}); err != nil {
		return err
	}
	if state == "removed" {
		body = ""
	}
	err = tx.WriteAll(ctx, relationWrites, 1, func(_ int, w *db.Binder) {
		w.Int(last + 1).Text(r.Key).Int(r.Version).Text(body).Time(r.UpdatedAt).Text(string(by))
	})
	if err == nil {
		err = tx.Flush(ctx)
	}
	if db.IsUnique(err) { // somebody else wrote one at the same moment: look again
		return fmt.Errorf("%w: %w", db.ErrStale, err)
	}
	return err
}

// Inner finds what the parts of a content mean for one another, and what they mean to
// whoever will hold nothing else.
func (c Content) Inner(relations []Relation, now time.Time) []Finding {
	return Conflicts(nil, c.Parts, relations, now)
}

// inner is the fault of a content whose parts can't be sold together, nil of any other. What
// a buyer must hold besides is judged when it is bought.
func (c Content) inner(relations []Relation, now time.Time) error {
	f := fault.New(fault.Invalid, "catalogue.content")
	for _, found := range Of(c.Inner(relations, now), Block) {
		if found.Case.Inside() {
			f.At("parts["+strconv.Itoa(c.partOf(found))+"]", "catalogue.conflict", found.params()...)
		}
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}

// partOf is the first part that a finding is about.
func (c Content) partOf(f Finding) int {
	for i, p := range c.Parts {
		for _, s := range f.Wanted {
			if s.Benefit == p.Benefit.ID {
				return i
			}
		}
	}
	return 0
}

// params names, in both languages, the relation of a finding and what it is about.
func (f Finding) params() []string {
	var zh, en string
	for i, s := range f.Wanted {
		if i > 0 {
			zh, en = zh+"、", en+", "
		}
		zh, en = zh+s.Name.ZH, en+s.Name.EN
	}
	return []string{"parts.zh", zh, "parts.en", en, "relation.zh", f.Relation.Name.ZH, "relation.en", f.Relation.Name.EN}
}
