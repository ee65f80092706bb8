package identity

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
)

// shopper signs somebody in to the shop.
func (r *rig) member(phone string) Opened {
	r.Helper()
	sent, err := Commit(r.Context(), r.d, func(tx *db.Tx) (db.Answer[Sent], error) {
		return r.SendCode(r.Context(), tx, SendCode{To: phone, Purpose: ForSignIn, Origin: home}, r.now())
	})
	if err != nil {
		r.Fatal(err)
	}
	e, err := Commit(r.Context(), r.d, func(tx *db.Tx) (db.Answer[Opened], error) {
		return r.SignInShopper(r.Context(), tx, sent.Ticket, sent.Code, i18n.ZH, home, r.now())
	})
	if err != nil {
		r.Fatal(err)
	}
	return e
}

func (r *rig) party(k id.Party) (p Party) {
	r.Helper()
	r.do(func(tx *db.Tx) (err error) { p, err = r.Party(r.Context(), tx, k); return err })
	return p
}

// Coming on some days is told exactly for each of the thirty days after, as a list of the days
// would tell it, and costs one write a day however often somebody comes.
func TestActiveDaysAreThoseSomebodyCame(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		member := r.member("13812345678")
		came := map[int64]bool{}
		for _, gap := range []int{0, 1, 1, 3, 0, 25, 4, 29, 30, 1, 45, 2} {
			r.clock.Advance(time.Duration(gap) * 24 * time.Hour)
			if _, err := r.session(Shop, member.Token); err != nil {
				member = r.member("13812345678") // sessions end after so long
				if _, err := r.session(Shop, member.Token); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				if _, err := r.session(Shop, member.Token); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := r.NoteVisits(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			if n, err := r.NoteVisits(t.Context(), d); n != 0 || err != nil {
				t.Errorf("a second write of the same day: %d, %v", n, err)
			}
			came[Day(r.now())] = true
			p := r.party(member.Party.ID)
			for ahead := range int64(32) {
				var want int64
				for day := range came {
					if day > Day(r.now())+ahead-ActiveWindow {
						want++
					}
				}
				if got := p.ActiveDays(r.now().Add(time.Duration(ahead) * 24 * time.Hour)); got != want {
					t.Fatalf("%d days after day %d: %d active days, want %d", ahead, Day(r.now()), got, want)
				}
			}
		}
	})
}

// A shop's session that is used doesn't end by idleness.
func TestASessionOfTheShopInUseGoesOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		e := r.member("13812345678")
		for range 4 {
			r.clock.Advance(20 * 24 * time.Hour)
			if _, err := r.session(Shop, e.Token); err != nil {
				t.Fatal(err)
			}
			if n, err := r.NoteVisits(t.Context(), d); err != nil || n == 0 {
				t.Fatal(n, err)
			}
		}
	})
}

func TestDaysBeginInTheShopsZone(t *testing.T) {
	for text, want := range map[string]int64{"1970-01-01T00:00:00+08:00": 0, "1969-12-31T23:59:59+08:00": -1, "2026-06-01T15:59:59Z": 20605, "2026-06-01T16:00:00Z": 20606} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || Day(at) != want {
			t.Errorf("%s is day %d, want %d", text, Day(at), want)
		}
	}
	p := Party{CreatedAt: time.Date(2026, 6, 1, 15, 59, 0, 0, time.UTC)}
	if n := p.AgeDays(p.CreatedAt.Add(2 * time.Minute)); n != 1 {
		t.Errorf("an account is %d days old the minute after midnight", n)
	}
}

func TestTagsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.StringMatching(`[a-zA-Z一-龥 ]{0,6}`)).Draw(t, "tags")
		got := NewTags(all).List()
		if again := NewTags(got); !slices.Equal(again.List(), got) || !slices.IsSorted(got) {
			t.Fatal(got)
		}
	})
	if got := NewTags([]string{" vip", "old", "vip", ""}).List(); !slices.Equal(got, []string{"old", "vip"}) {
		t.Fatal(got)
	}
}

func TestTraitsAreGivenOnRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		k := r.member("13812345678").Party.ID
		set := func(by Actor, party id.Party, traits Traits) error {
			return d.Do(t.Context(), func(tx *db.Tx) error {
				_, err := r.SetTraits(t.Context(), tx, by, party, traits, nil, r.now())
				return err
			})
		}
		gold := Traits{Level: "gold", Tags: NewTags([]string{"vip"}), Region: "CN-31"}
		if err := set(System, k, gold); err != nil {
			t.Fatal(err)
		}
		if p := r.party(k); p.Level != "gold" || p.Region != "CN-31" || !slices.Equal(p.Tags.List(), []string{"vip"}) {
			t.Error(p.Traits)
		}
		r.refused("who may not", set(Actor{ID: "x", Roles: Roles{Auditor}}, k, gold), "forbidden")
		r.refused("nobody", set(System, "pty_none", gold), "not_found")
		err := set(System, k, Traits{Level: " gold", Tags: NewTags([]string{"a\u200bb"}), Region: "Shanghai"})
		r.refused("what can't be", err, "identity.traits")
		if f := fault.From(err).Fields; len(f) != 3 {
			t.Error(f)
		}
	})
}
