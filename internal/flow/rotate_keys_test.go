package flow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/vault"
)

var allPurposes = []vault.Purpose{vault.ForData, vault.ForIndex, vault.ForGenerator}

func (s *codeShop) rotation(t testing.TB, others ...*flow.Flows) flow.Rotation {
	t.Helper()
	m, err := vault.OpenKeyFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	return flow.Rotation{Purposes: allPurposes, Master: m, By: "ops", Settle: func(ctx context.Context) error {
		var errs []error
		for _, o := range others {
			_, err := o.Keys.Refresh(ctx)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}}
}

func (s *codeShop) keyStates(t testing.TB) map[string]int {
	t.Helper()
	n := map[string]int{}
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		keys, err := vault.LoadKeys(t.Context(), tx)
		for _, k := range keys {
			n[string(k.Purpose)+" "+string(k.State)]++
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// known is a code and what it opens to.
type known struct {
	text string
	code vault.Shown
	want vault.Record
}

func (s *codeShop) know(t testing.TB, codes []vault.Shown) []known {
	t.Helper()
	var out []known
	for _, c := range codes {
		r := s.reveal(t, c.ID)
		out = append(out, known{string(r.Code), c, r})
	}
	return out
}

func findsAndOpens(f *flow.Flows, ctx context.Context, k known) error {
	found, err := f.FindCode(ctx, k.text)
	if err != nil || len(found) != 1 || found[0].ID != k.code.ID {
		return fmt.Errorf("a code is found %d times: %w", len(found), err)
	}
	_, r, err := f.RevealCode(ctx, flow.RevealCode{Code: k.code.ID, Reason: "load", By: somebody()})
	if err != nil || r != k.want {
		return fmt.Errorf("a code opens to another: %w", err)
	}
	return nil
}

// While two processes look codes up, generate, import and sell, a third rotates every key,
// twice; not one look-up fails (S13, F33).
func TestKeysRotateUnderLoad(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		made := s.generate(t, 2500)
		in := s.start(t, s.checked(t, file(0, 2500), upstream))
		var batch *vault.Batch
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			var err error
			batch, err = vault.BatchByID(t.Context(), tx, in.Batch)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		some := append(s.know(t, s.codes(t, made)[1000:1010]), s.know(t, s.codes(t, batch)[1990:2010])...)
		second, third := s.process(t, d), s.process(t, d)

		ctx, stop := context.WithCancel(t.Context())
		var load sync.WaitGroup
		var lookups atomic.Int64
		for w, f := range []*flow.Flows{s.Flows, second, second} {
			load.Go(func() {
				for n := w; ctx.Err() == nil; n++ {
					if err := findsAndOpens(f, t.Context(), some[n%len(some)]); err != nil {
						t.Errorf("process %d: %v", w, err)
						return
					}
					lookups.Add(1)
				}
			})
		}
		load.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if _, err := second.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "n", Issuer: "hufu", Format: vault.DefaultFormat, Count: 50, By: "ops"}, nil); err != nil {
					t.Errorf("generate: %v", err)
					return
				}
			}
		})
		load.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				i := s.start(t, s.checked(t, file(10_000+100*n, 150), upstream)) // a third of each file is known already
				if want := int64(100); n > 0 && i.Added != want {
					t.Errorf("import %d added %d: a code is in twice, or missing", n, i.Added)
					return
				}
			}
		})
		var steps atomic.Int64
		for range 2 {
			c := s.rotation(t, s.Flows, second, third)
			if err := third.RotateKeys(t.Context(), c, func(done, total int64) { steps.Add(1) }); err != nil {
				t.Error(err)
			}
		}
		stop()
		load.Wait()
		if lookups.Load() == 0 || steps.Load() == 0 {
			t.Errorf("%d look-ups, %d steps", lookups.Load(), steps.Load())
		}
		got := s.keyStates(t)
		if got["data retired"] != 2 || got["index retired"] != 2 || got["generator retiring"] != 2 || got["data active"] != 1 || got["data retiring"] != 0 {
			t.Errorf("%v", got)
		}
		// A process that starts now knows the new keys alone.
		fresh := s.process(t, d)
		for _, k := range some {
			if err := findsAndOpens(fresh, t.Context(), k); err != nil {
				t.Error(err)
			}
		}
		if i := s.checked(t, file(0, 2500), upstream); i.Known != 2500 {
			t.Errorf("after the rotation %d of 2500 are known", i.Known)
		}
		s.conserved(t)
	})
}

// A rotation that stops after any commit goes on to its end.
func TestRotationGoesOnAfterEachFailure(t *testing.T) {
	broken := errors.New("broken")
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		some := s.know(t, s.codes(t, s.generate(t, 1200))[1100:1101])
		in := s.start(t, s.checked(t, file(0, 1200), upstream))
		for n := 1; ; n++ {
			commits := 0
			fail := func() error {
				if commits++; commits == n {
					return broken
				}
				return nil
			}
			if n%2 == 0 {
				d.SetHooks(db.Hooks{AfterCommit: fail})
			} else {
				d.SetHooks(db.Hooks{BeforeCommit: fail})
			}
			first := s.RotateKeys(t.Context(), s.rotation(t), nil)
			d.SetHooks(db.Hooks{})
			for _, k := range some {
				if err := findsAndOpens(s.process(t, d), t.Context(), k); err != nil {
					t.Fatalf("after %d commits: %v", n, err)
				}
			}
			if err := s.RotateKeys(t.Context(), s.rotation(t), nil); err != nil {
				t.Fatalf("after %d commits: %v", n, err)
			}
			got := s.keyStates(t)
			if got["data active"] != 1 || got["data retiring"] != 0 || got["index retiring"] != 0 {
				t.Fatalf("after %d commits: %v", n, got)
			}
			if first == nil {
				break
			}
		}
		if i := s.checked(t, file(0, 1200), upstream); i.Known != 1200 || in.Added != 1200 {
			t.Errorf("%+v", i)
		}
	})
}

func TestMasterRotates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		some := s.know(t, s.codes(t, s.generate(t, 5)))
		other := s.process(t, d)
		m, err := vault.OpenKeyFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		rotated, err := m.Rotate(codesNow)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RewrapKeys(t.Context(), rotated, "ops"); err != nil {
			t.Fatal(err)
		}
		if _, err := rotated.Drop(m.ID()); err != nil {
			t.Fatal(err)
		}
		if changed, err := other.Keys.Refresh(t.Context()); err != nil || !changed {
			t.Errorf("another process: %v %v", changed, err)
		}
		for _, f := range []*flow.Flows{s.Flows, other, s.process(t, d)} {
			for _, k := range some {
				if err := findsAndOpens(f, t.Context(), k); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := vault.Unlock(t.Context(), d, m, codesNow); fault.CodeOf(err) != "vault.keys_unknown" {
			t.Errorf("the master before still opens: %v", err)
		}
	})
}

// Nothing that a chunk made under keys that were rotated meanwhile is stored.
func TestChunkUnderOldKeysIsMadeAnew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		stale := s.process(t, d)
		if err := s.RotateKeys(t.Context(), s.rotation(t), nil); err != nil {
			t.Fatal(err)
		}
		b, err := stale.GenerateCodes(t.Context(), flow.Generate{Stock: s.stock, Name: "n", Issuer: "hufu", Format: vault.DefaultFormat, Count: 7000, By: "ops"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range s.know(t, []vault.Shown{s.codes(t, b)[0], s.codes(t, b)[6999]}) {
			if err := findsAndOpens(s.process(t, d), t.Context(), k); err != nil {
				t.Error(err)
			}
		}
	})
}
