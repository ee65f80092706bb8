package flow_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
)

// related is a shop with three memberships of one provider and what is declared of them.
type related struct {
	*flowtest.Shop
	t             *testing.T
	basic, gold   flowtest.Offer
	code          flowtest.Offer
	counted       id.Stock
	member, other id.Party
}

func relatedShop(t *testing.T, d *db.DB) *related {
	s := &related{Shop: flowtest.New(t, d), t: t, member: id.New[id.Party](), other: id.New[id.Party]()}
	s.counted = s.Stock(t, inventory.Counted)
	s.Receive(t, s.counted, 100)
	tier := func(name string) map[string]string { return map[string]string{"days": "30", "tier": name} }
	s.basic = s.Sell(t, 1000, "", flowtest.Part{Stock: s.counted, Quantity: 1, Kind: "membership", Fields: tier("basic")})
	s.gold = s.Sell(t, 2000, "", flowtest.Part{Stock: s.counted, Quantity: 1, Kind: "membership", Fields: tier("gold")})
	codes := s.Stock(t, inventory.Codes)
	s.Codes(t, codes, 10)
	s.code = s.Sell(t, 1000, "", flowtest.Part{Stock: codes, Quantity: 1, Kind: "membership", Fields: tier("basic"), Coded: true})
	return s
}

func (s *related) declare(key string, kind catalogue.RelationKind, severity catalogue.Severity, from, to string, ever bool) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		r := catalogue.Relation{Key: key, Kind: kind, Severity: severity, Ever: ever, Name: catalogue.Text{ZH: "甲会员", EN: "A membership"}, From: catalogue.Side{Provider: "p", Tier: from}}
		if to != "" {
			r.To = catalogue.Side{Provider: "p", Tier: to}
		}
		_, err := s.Catalogue.PutRelation(s.t.Context(), tx, r, "system", s.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *related) forget(key string) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		r, err := s.Catalogue.Relation(s.t.Context(), tx, key)
		if err != nil {
			return err
		}
		return s.Catalogue.RemoveRelation(s.t.Context(), tx, key, r.Version, "system", s.Clock.Now())
	}); err != nil {
		s.t.Fatal(err)
	}
}

// asks is the command of a party ("" for a guest) for one of an offer.
func (s *related) asks(party id.Party, o flowtest.Offer, acknowledged string) flow.Place {
	c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
	c.Party, c.Conflicts = party, acknowledged
	return c
}

func (s *related) buys(party id.Party, o flowtest.Offer, acknowledged string) id.Order {
	s.t.Helper()
	p, err := s.Place(s.t.Context(), s.asks(party, o, acknowledged))
	if err != nil {
		s.t.Fatal(err)
	}
	notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
	if _, err := s.Confirm(s.t.Context(), notice); err != nil {
		s.t.Fatal(err)
	}
	return p.Order.ID
}

// finds is what a purchase would find.
func (s *related) finds(party id.Party, o flowtest.Offer) []catalogue.Finding {
	s.t.Helper()
	var found []catalogue.Finding
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		all, err := s.Catalogue.Versions(s.t.Context(), tx, []id.OfferVersion{o.Version})
		if err == nil {
			found, _, err = s.Conflicts(s.t.Context(), tx, party, []flow.Wanted{{Version: all[o.Version], Quantity: 1}}, s.Clock.Now())
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return found
}

func (s *related) refused(want string, c flow.Place) *fault.Error {
	s.t.Helper()
	_, err := s.Place(s.t.Context(), c)
	if fault.CodeOf(err) != want {
		s.t.Errorf("got %v, want %s", err, want)
	}
	return fault.From(err)
}

func TestWhatAShopperHoldsIsCheckedAtThePurchase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := relatedShop(t, d)
		s.declare("tiers", catalogue.Supersedes, catalogue.Acknowledge, "gold", "basic", false)
		s.buys(s.member, s.gold, "") // nothing held: nothing to say
		for _, p := range []id.Party{"", s.other} {
			s.buys(p, s.basic, "")
		}
		found := s.finds(s.member, s.basic)
		hash := flow.FindingsHash(i18n.EN, found)
		if len(found) != 1 || found[0].Case != catalogue.HigherHeld || hash == "" {
			t.Fatalf("found %+v", found)
		}
		f := s.refused("order.conflict_unread", s.asks(s.member, s.basic, ""))
		for lang, words := range map[i18n.Lang]string{i18n.ZH: "更高级", i18n.EN: "higher tier"} {
			if text := lang.Fault(f); !strings.Contains(text, words) || strings.ContainsAny(text, "{}⟦") {
				t.Errorf("says %q", text)
			}
			if len(f.Fields) != 1 || f.Fields[0].Path != "conflicts" || !strings.Contains(lang.Field(f.Fields[0]), words) {
				t.Errorf("fields %+v", f.Fields)
			}
		}
		s.refused("order.conflict_changed", s.asks(s.member, s.basic, "another"))
		if u := s.Units(t, s.counted); u.Reserved != 0 {
			t.Errorf("%d units are held for who was refused", u.Reserved)
		}
		o := s.buys(s.member, s.basic, hash)
		s.acknowledged(o, hash, flow.ExplainFinding(i18n.EN, found[0]))
		if sum := sha256.Sum256([]byte(flow.ExplainFinding(i18n.EN, found[0]))); hash != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is no hash of what was read", hash)
		}
		// Its repeat is the same order, whatever is held by now.
		again := s.asks(s.member, s.gold, "")
		s.refused("order.conflict_unread", again)
		again.Conflicts = flow.FindingsHash(i18n.EN, s.finds(s.member, s.gold))
		first, err := s.Place(t.Context(), again)
		if err != nil {
			t.Fatal(err)
		}
		s.forget("tiers")
		s.declare("never", catalogue.Excludes, catalogue.Block, "gold", "", false)
		if second, err := s.Place(t.Context(), again); err != nil || second.Order.ID != first.Order.ID || !second.Repeated {
			t.Errorf("sent again: %+v, %v", second, err)
		}
		s.refused("order.conflict", s.asks(s.member, s.gold, "anything"))
		s.buys(s.other, s.gold, "")
		s.forget("never")
		o = s.buys(s.member, s.gold, "")
		s.acknowledged(o, "", "")
		two := flowtest.Order(flowtest.Want{Offer: s.gold, Quantity: 2})
		s.declare("never", catalogue.Excludes, catalogue.Block, "gold", "", false)
		s.refused("order.conflict", two) // a guest who wants both at once
	})
}

func (s *related) acknowledged(o id.Order, hash, text string) {
	s.t.Helper()
	var kept order.Acknowledgement
	var found bool
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) (err error) {
		kept, found, err = s.Orders.Acknowledged(s.t.Context(), tx, o)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if found != (hash != "") || kept.Hash != hash || kept.Text != text || found && (kept.Lang != "en" || kept.At.IsZero()) {
		s.t.Errorf("kept %v %+v, want %q %q", found, kept, hash, text)
	}
}

func TestARightCountsAsItStands(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := relatedShop(t, d)
		s.declare("line", catalogue.Extends, catalogue.Inform, "basic", "", false)
		bought := s.Clock.Now()
		s.buys(s.member, s.basic, "")
		s.buys(s.member, s.basic, "")
		one := func(party id.Party) catalogue.Finding {
			t.Helper()
			found := s.finds(party, s.basic)
			if len(found) != 1 || found[0].Severity != catalogue.Inform {
				t.Fatalf("found %+v", found)
			}
			return found[0]
		}
		if f := one(s.member); !f.Until.Equal(bought.AddDate(0, 0, 60)) || !f.Then.Equal(bought.AddDate(0, 0, 90)) {
			t.Errorf("two run to %v and then to %v", f.Until, f.Then)
		}
		// A code that nobody looked at hasn't begun; shown, it runs from then.
		o := s.buys(s.other, s.code, "")
		if f := one(s.other); f.UnusedDays != 30 || !f.Until.IsZero() || !f.Held[0].Unused {
			t.Errorf("an unused code: %+v", f)
		}
		s.Time.Advance(48 * time.Hour)
		if _, err := s.Reveal(t.Context(), flow.Reveal{Order: o, Actor: "holder", Data: `{}`}); err != nil {
			t.Fatal(err)
		}
		if f := one(s.other); f.UnusedDays != 0 || !f.Until.Equal(s.Clock.Now().AddDate(0, 0, 30)) {
			t.Errorf("a code that was shown: %+v", f)
		}
		s.Time.Advance(70 * 24 * time.Hour)
		if found := s.finds(s.member, s.basic); len(found) > 0 {
			t.Errorf("all is over: %+v", found)
		}
		s.declare("new-only", catalogue.Excludes, catalogue.Block, "gold", "basic", true)
		s.refused("order.conflict", s.asks(s.member, s.gold, ""))
		s.buys("", s.gold, "")
	})
}

// What no relation speaks of isn't asked about, and a batch asks once for all its parties.
func TestOnlyWhatIsTouchedIsAskedAbout(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Config{Store: dbtest.Store(t, kind)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			var mu sync.Mutex
			var ran []string
			d.SetHooks(db.Hooks{Stmt: func(name string) error {
				mu.Lock()
				defer mu.Unlock()
				ran = append(ran, name)
				return nil
			}})
			if _, err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := relatedShop(t, d)
			count := func(c flow.Place) (had int) {
				t.Helper()
				mu.Lock()
				ran = nil
				mu.Unlock()
				if _, err := s.Place(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, name := range ran {
					if name == "entitlement.had_by" {
						had++
					}
				}
				if slices.Contains(ran, "order.acknowledge") {
					t.Error("wrote an acknowledgement of nothing")
				}
				return had
			}
			if n := count(s.asks(s.member, s.basic, "")); n != 0 {
				t.Errorf("asked %d times with nothing declared", n)
			}
			s.declare("line", catalogue.Extends, catalogue.Inform, "gold", "", false)
			for _, c := range []struct {
				party id.Party
				offer flowtest.Offer
				want  int
			}{{s.member, s.basic, 0}, {"", s.gold, 0}, {s.member, s.gold, 1}} {
				if n := count(s.asks(c.party, c.offer, "")); n != c.want {
					t.Errorf("%q asked %d times, want %d", c.party, n, c.want)
				}
			}
		})
	}
}

// What was ordered and waits for its payment counts: two orders side by side, from two processes
// or in one batch, don't lead round a relation. What ended unpaid doesn't.
func TestWhatWaitsForPaymentIsHeld(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := relatedShop(t, d)
		free := func(tier string) flowtest.Offer { // no stock at whose lock they would wait
			return s.Sell(t, 1000, "", flowtest.Part{Quantity: 1, Kind: "membership", Fields: map[string]string{"days": "30", "tier": tier}})
		}
		basic, gold := free("basic"), free("gold")
		s.declare("never", catalogue.Excludes, catalogue.Block, "gold", "basic", false)
		first, err := s.Place(t.Context(), s.asks(s.member, basic, ""))
		if err != nil {
			t.Fatal(err)
		}
		f := s.refused("order.conflict", s.asks(s.member, gold, ""))
		for lang, words := range map[i18n.Lang]string{i18n.ZH: "待付款", i18n.EN: "not paid yet"} {
			if text := lang.Fault(f); !strings.Contains(text, words) {
				t.Errorf("says %q", text)
			}
		}
		if err := s.Cancel(t.Context(), first.Order.ID); err != nil {
			t.Fatal(err)
		}
		s.buys(s.member, gold, "")
		s.refused("order.conflict", s.asks(s.member, basic, ""))

		answers, err := s.PlaceTogether(t.Context(), []flow.Place{s.asks(s.other, gold, ""), s.asks("", gold, ""), s.asks(s.other, basic, "")})
		if err != nil || answers[0].Err != nil || answers[1].Err != nil || fault.CodeOf(answers[2].Err) != "order.conflict" {
			t.Errorf("in one batch: %v %v", answers, err)
		}
		second := s.Process(t, d)
		for range 30 {
			party := id.New[id.Party]()
			var all sync.WaitGroup
			var mu sync.Mutex
			codes := map[string]int{}
			for i, o := range []flowtest.Offer{basic, gold} {
				all.Go(func() {
					_, err := []*flow.Flows{s.Flows, second}[i].Place(t.Context(), s.asks(party, o, ""))
					mu.Lock()
					defer mu.Unlock()
					codes[fault.CodeOf(err)]++
				})
			}
			all.Wait()
			if codes[""] != 1 || codes["order.conflict"] != 1 {
				t.Fatalf("side by side: %v", codes)
			}
		}
	})
}

// A node that is about to commit an order makes the orders of the same buyer on other nodes wait,
// where having both is forbidden: they see it, and are refused.
func TestAnotherNodeWaitsWhereHavingBothMatters(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	s := relatedShop(t, dbtest.OpenStore(t, store))
	free := func(tier string) flowtest.Offer {
		return s.Sell(t, 1000, "", flowtest.Part{Quantity: 1, Kind: "membership", Fields: map[string]string{"days": "30", "tier": tier}})
	}
	basic, gold := free("basic"), free("gold")
	s.declare("never", catalogue.Excludes, catalogue.Block, "gold", "basic", false)
	first, second := placeDuring(t, s.Shop, store, s.asks(s.member, basic, ""), s.asks(s.member, gold, ""))
	if first != nil || fault.CodeOf(second) != "order.conflict" {
		t.Errorf("the first %v, the other %v", first, second)
	}
}

// placeDuring has one node place an order and another node place a second one just before the
// first commits, with its locks held; the first goes on when the second is about to wait for its
// tallies, or has been placed without that.
func placeDuring(t *testing.T, s *flowtest.Shop, store string, one, other flow.Place) (first, second error) {
	t.Helper()
	held, beside := dbtest.OpenStore(t, store), dbtest.OpenStore(t, store)
	node, neighbour := s.Process(t, held), s.Process(t, beside)
	waits, placed := make(chan struct{}), make(chan struct{})
	var waiting, begun sync.Once
	beside.SetHooks(db.Hooks{Stmt: func(name string) error {
		if name == "order.insert_tally" {
			waiting.Do(func() { close(waits) })
		}
		return nil
	}})
	held.SetHooks(db.Hooks{BeforeCommit: func() error {
		begun.Do(func() {
			go func() {
				_, second = neighbour.Place(t.Context(), other)
				close(placed)
			}()
			select {
			case <-waits:
			case <-placed:
			}
		})
		return nil
	}})
	_, first = node.Place(t.Context(), one)
	<-placed
	return first, second
}

// Of a member who has a great many rights the newest are looked at, and the same ones when it is
// known that they have: it is only read in another way.
func TestTheNewestOfManyRightsAreLookedAt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer, member := s.Sell(t, 100, "", flowtest.Part{Quantity: 53}), id.New[id.Party]()
		var all []id.Right
		for range 2 {
			c := flowtest.Order(flowtest.Want{Offer: offer, Quantity: 5})
			c.Party, c.Request = member, order.Member(member, c.Request.Key)
			p, err := s.Place(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
			if _, err := s.Confirm(t.Context(), notice); err != nil {
				t.Fatal(err)
			}
			for _, r := range s.Held(t, p.Order.ID) {
				all = append(all, r.ID)
			}
		}
		slices.Sort(all)
		newest := all[len(all)-entitlement.HadDepth:]
		for range 3 {
			err := s.DB.View(t.Context(), func(tx *db.Tx) error {
				had, err := s.Rights.HadBy(t.Context(), tx, []id.Party{member, "pty_nobody"})
				if err == nil {
					err = tx.Flush(t.Context())
				}
				if err != nil {
					return err
				}
				var got []id.Right
				for _, h := range had[member] {
					got = append(got, h.ID)
				}
				if slices.Sort(got); len(all) != 530 || !slices.Equal(got, newest) {
					t.Errorf("%d of %d rights", len(got), len(all))
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// What somebody bought as a guest, under the phone number that is theirs, is in their wallet and
// counts; what a stranger ordered with it and hasn't paid for doesn't, and nothing under another.
func TestWhatWasBoughtAsAGuestCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := relatedShop(t, d)
		s.declare("tiers", catalogue.Supersedes, catalogue.Acknowledge, "gold", "basic", false)
		const phone = "+8613900000055"
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
			return tx.ExecOne(t.Context(), putMember, string(s.member), phone, db.Micros(s.Clock.Now()), "", "", "")
		}); err != nil {
			t.Fatal(err)
		}
		guest := func(phone string, o flowtest.Offer) flow.Placed {
			c := s.asks("", o, "")
			c.Phone = phone
			placed, err := s.Place(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			return placed
		}
		pay := func(p flow.Placed) {
			notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
			if _, err := s.Confirm(t.Context(), notice); err != nil {
				t.Fatal(err)
			}
		}
		waits := guest(phone, s.gold)
		pay(guest("+8613900000056", s.gold))
		if found := s.finds(s.member, s.basic); len(found) != 0 {
			t.Fatalf("before anything is paid: %+v", found)
		}
		pay(waits)
		found := s.finds(s.member, s.basic)
		if len(found) != 1 || found[0].Case != catalogue.HigherHeld {
			t.Fatalf("found %+v", found)
		}
		s.refused("order.conflict_unread", s.asks(s.member, s.basic, ""))
		if found := s.finds(s.other, s.basic); len(found) != 0 {
			t.Errorf("another member: %+v", found)
		}
	})
}
