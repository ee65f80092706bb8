package catalogue_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
)

func line(key string) catalogue.Relation {
	return catalogue.Relation{Key: key, Kind: catalogue.Extends, Name: both("TV"), From: catalogue.Side{Provider: "tv"}, Severity: catalogue.Inform}
}

func TestRelationsAreVersioned(t *testing.T) {
	each(t, func(r *rig) {
		put := func(tx *db.Tx, x catalogue.Relation) (catalogue.Relation, error) {
			return r.s.PutRelation(t.Context(), tx, x, "pty_1", now)
		}
		listed := func(want ...catalogue.Relation) {
			t.Helper()
			for _, s := range []*catalogue.Service{r.s, catalogue.NewService()} { // what is remembered, and what is stored
				r.must(func(tx *db.Tx) error {
					all, err := s.Relations(t.Context(), tx)
					if len(all) != len(want) || len(all) > 0 && !reflect.DeepEqual(all, want) {
						t.Errorf("declared:\n%+v\nwant\n%+v", all, want)
					}
					return err
				})
			}
		}
		listed()
		var a, b catalogue.Relation
		r.must(func(tx *db.Tx) (err error) {
			if b, err = put(tx, line("b")); err != nil {
				return err
			}
			same := line("a")
			same.To = same.From // the same as saying nothing
			a, err = put(tx, same)
			return err
		})
		if a.Version != 1 || !a.To.Zero() {
			t.Errorf("declared %+v", a)
		}
		listed(a, b)
		r.refused("catalogue.relation_taken", func(tx *db.Tx) error { _, err := put(tx, line("a")); return err })
		r.refused("catalogue.content", func(tx *db.Tx) error { _, err := put(tx, catalogue.Relation{Key: "c"}); return err })
		mine, theirs := a, a
		theirs.Severity, mine.Severity = catalogue.Acknowledge, catalogue.Block
		r.must(func(tx *db.Tx) (err error) { theirs, err = put(tx, theirs); return err })
		r.refused("catalogue.edited", func(tx *db.Tx) error { _, err := put(tx, mine); return err })
		listed(theirs, b)
		// What is rolled back was never declared, also to who looked meanwhile.
		rolled := line("z")
		r.refused("undo", func(tx *db.Tx) error {
			if _, err := put(tx, rolled); err != nil {
				return err
			}
			if all, err := r.s.Relations(t.Context(), tx); err != nil || len(all) != 3 {
				t.Errorf("within: %d, %v", len(all), err)
			}
			return fault.New(fault.Conflict, "undo")
		})
		listed(theirs, b)
		remove := func(version int64) func(tx *db.Tx) error {
			return func(tx *db.Tx) error {
				return r.s.RemoveRelation(t.Context(), tx, "a", version, "pty_2", now.Add(time.Hour))
			}
		}
		r.refused("catalogue.edited", remove(1))
		r.must(remove(2))
		r.refused("catalogue.no_relation", remove(2))
		r.refused("catalogue.edited", func(tx *db.Tx) error { _, err := put(tx, theirs); return err })
		listed(b)
		r.must(func(tx *db.Tx) (err error) { a, err = put(tx, line("a")); return err })
		if a.Version != 4 {
			t.Errorf("declared anew as version %d", a.Version)
		}
		listed(a, b)
	})
}

// Relations that several people declare at the same moment are all declared.
func TestRelationsDeclaredAtOnce(t *testing.T) {
	each(t, func(r *rig) {
		const n = 8
		errs := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				errs[i] = r.d.Do(t.Context(), func(tx *db.Tx) error {
					_, err := r.s.PutRelation(t.Context(), tx, line("line-"+string(rune('a'+i))), "pty_1", now)
					return err
				})
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		r.must(func(tx *db.Tx) error {
			found, err := r.s.Relations(t.Context(), tx)
			if len(found) != n {
				t.Errorf("%d of %d are declared", len(found), n)
			}
			return err
		})
	})
}

var relationTampering = []*db.Stmt{
	db.SQL("test.edit_relation_version", `UPDATE relation_versions SET body = '{}'`),
	db.SQL("test.drop_relation_version", `DELETE FROM relation_versions`),
}

func TestARelationVersionCantBeTouched(t *testing.T) {
	each(t, func(r *rig) {
		r.must(func(tx *db.Tx) error {
			_, err := r.s.PutRelation(t.Context(), tx, line("a"), "pty_1", now)
			return err
		})
		for _, s := range relationTampering {
			if err := r.d.Do(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), s); return err }); err == nil {
				t.Errorf("%s went through", s.Name())
			}
		}
	})
}

// What excludes one another can't be put on sale together.
func TestWhatCantBeHadTogetherIsntPublished(t *testing.T) {
	each(t, func(r *rig) {
		other := benefit("other")
		r.must(func(tx *db.Tx) (err error) {
			if other, err = r.s.PutBenefit(t.Context(), tx, other, "pty_1", now); err != nil {
				return err
			}
			x := line("once")
			x.Kind, x.Severity = catalogue.Excludes, catalogue.Block
			_, err = r.s.PutRelation(t.Context(), tx, x, "pty_1", now)
			return err
		})
		r.publish()
		r.o.Draft.Parts = append(r.o.Draft.Parts, catalogue.Part{Benefit: other, Quantity: 1})
		err := r.d.Do(t.Context(), func(tx *db.Tx) error {
			_, _, err := r.s.Publish(t.Context(), tx, r.o, "pty_1", now)
			return err
		})
		if f := fault.From(err); fault.CodeOf(err) != "catalogue.content" || len(f.Fields) != 1 || f.Fields[0].Code != "catalogue.conflict" || f.Fields[0].Path != "parts[0]" {
			t.Errorf("published: %v", err)
		}
	})
}
