package flow_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/setting"
)

// S10: one person sees so many codes an hour, also when asking for all at once. The next is
// refused and shows nothing, until another person has allowed more or the hour is over.
func TestRevealsByOnePersonAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newCodeShop(t, d)
		const most = 4
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			return flow.RevealsPerHour.Set(t.Context(), tx, setting.By{Actor: "owner"}, most, s.clock.Now())
		}); err != nil {
			t.Fatal(err)
		}
		codes := s.codes(t, s.generate(t, 12))
		reveal := func(by string, c id.Code) error {
			shown, r, err := s.RevealCode(context.WithoutCancel(t.Context()), flow.RevealCode{Code: c, Reason: "asked", By: by})
			if (err == nil) != (r.Code != "") || (err == nil) != (shown.ID == c) {
				t.Errorf("%v, and shown: %v", err, shown.ID)
			}
			return err
		}
		all := func() int64 {
			t.Helper()
			var seen atomic.Int64
			var busy sync.WaitGroup
			for _, c := range codes {
				busy.Go(func() {
					switch err := reveal("wei", c.ID); {
					case err == nil:
						seen.Add(1)
					case fault.CodeOf(err) != "vault.reveals" || fault.KindOf(err) != fault.TooMany:
						t.Errorf("refused with %v", err)
					}
				})
			}
			busy.Wait()
			return seen.Load()
		}
		if n := all(); n != most {
			t.Errorf("%d seen at once, want %d", n, most)
		}
		left := func(who id.Party) int64 {
			t.Helper()
			var n int64
			if err := d.View(t.Context(), func(tx *db.Tx) error {
				all, in, err := s.RevealsLeft(t.Context(), tx, []id.Party{"wei", "lin"})
				if n = all[who]; in != most {
					t.Errorf("%d in all", in)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if a, b := left("wei"), left("lin"); a != 0 || b != most {
			t.Errorf("left are %d and %d, want 0 and %d", a, b, most)
		}
		if n := s.audited(t, "code.reveal"); n != most+1 {
			t.Errorf("%d rows of the trail, want one for each code and one for the refusal", n)
		}
		if err := reveal("lin", codes[0].ID); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		if n := left("lin"); n != most-1 {
			t.Errorf("%d left after one, want %d", n, most-1)
		}
		allow := func(by, reason string) error {
			return d.Do(t.Context(), func(tx *db.Tx) error {
				return s.AllowReveals(t.Context(), tx, flow.AllowReveals{Party: "wei", Reason: reason, By: by})
			})
		}
		if err := allow("wei", "busy"); fault.CodeOf(err) != "vault.reveals_own" || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("one's own approval: %v", err)
		}
		if err := allow("lin", " "); fault.CodeOf(err) != "vault.reason" {
			t.Errorf("an approval without a reason: %v", err)
		}
		if n := all(); n != 0 {
			t.Errorf("%d seen with no approval", n)
		}
		if err := allow("lin", "a recall"); err != nil {
			t.Fatal(err)
		}
		if n := all(); n != most || s.audited(t, "code.allow_reveals") != 1 {
			t.Errorf("%d seen after another's approval, want %d", n, most)
		}
		s.clock.Advance(2 * time.Hour)
		if n := all(); n != most {
			t.Errorf("%d seen in another hour, want %d", n, most)
		}
		if err := reveal("lin", "cod_00000000000000000000000000"); fault.CodeOf(err) != "vault.code_unknown" {
			t.Errorf("a code that isn't: %v", err)
		}
	})
}
