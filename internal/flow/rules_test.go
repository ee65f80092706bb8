package flow_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/rule"
)

var putMember = db.SQL("flow_test.put_member", `INSERT INTO parties (id, kind, name, phone, email, lang, state, created_at, level, tags, region, active_day, active_bits) VALUES ($1, 'shopper', '', $2, '', 'en', 'active', $3, $4, $5, $6, 0, 0)`)

// ruled is a shop with an offer that rules are put on.
type ruled struct {
	*flowtest.Shop
	t     *testing.T
	offer flowtest.Offer
	stock id.Stock
	next  int
}

func ruledShop(t *testing.T, d *db.DB, texts ...string) *ruled {
	s := &ruled{Shop: flowtest.New(t, d), t: t}
	s.stock = s.Stock(t, inventory.Counted)
	s.Receive(t, s.stock, 100)
	s.offer = s.Sell(t, 1000, "", flowtest.Part{Stock: s.stock, Quantity: 1})
	s.rules(texts...)
	return s
}

func (s *ruled) rules(texts ...string) {
	s.t.Helper()
	s.offer = s.Change(s.t, s.offer, func(c *catalogue.Content) {
		c.Rules = nil
		for i, text := range texts {
			c.Rules = append(c.Rules, catalogue.Issuing{Name: catalogue.Text{ZH: fmt.Sprint("规则", i), EN: fmt.Sprint("rule ", i)}, Source: rule.Source{Text: text}})
		}
	})
}

// member is an account with a phone number, made so long ago.
func (s *ruled) member(age time.Duration, level, tags, region string) flow.Buyer {
	s.t.Helper()
	s.next++
	b := flow.Buyer{Party: id.New[id.Party](), OwnPhone: fmt.Sprintf("+8613900%06d", s.next)}
	b.Phone = b.OwnPhone
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		return tx.ExecOne(s.t.Context(), putMember, string(b.Party), b.OwnPhone, db.Micros(s.Clock.Now().Add(-age)), level, tags, region)
	}); err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *ruled) asks(b flow.Buyer) flow.Place {
	c := flowtest.Order(flowtest.Want{Offer: s.offer, Quantity: 1})
	c.Party, c.Phone, c.OwnPhone, c.Channel, c.DeviceKind = b.Party, b.Phone, b.OwnPhone, "web", "mobile"
	return c
}

func (s *ruled) try(c flow.Place) string {
	s.t.Helper()
	_, err := s.Place(s.t.Context(), c)
	if err != nil && fault.KindOf(err) != fault.Conflict {
		s.t.Errorf("unexpected %v", err)
	}
	return fault.CodeOf(err)
}

// qualifies is what would be answered before.
func (s *ruled) qualifies(b flow.Buyer) []flow.Refused {
	s.t.Helper()
	var out []flow.Refused
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		all, err := s.Catalogue.Versions(s.t.Context(), tx, []id.OfferVersion{s.offer.Version})
		if err == nil {
			out, err = s.Qualifies(s.t.Context(), tx, []flow.Wanted{{Version: all[s.offer.Version], Quantity: 1}}, b, flow.Visit{Channel: "web", Device: "mobile"}, s.Clock.Now())
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// Every fact of a purchase is what it is said to be, and the answer before is that of the
// order.
func TestFactsOfAPurchase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := ruledShop(t, d)
		old := s.member(40*24*time.Hour, "gold", "\nstaff\nvip\n", "CN-31")
		fresh := s.member(0, "", "", "")
		guest := flow.Buyer{Phone: "+8613700000000"}
		for _, c := range []struct {
			text              string
			old, fresh, guest string
		}{
			{`customer.age_days >= 40 and customer.age_days < 41`, "", "order.rule", "order.rule_sign_in"},
			{`customer.age_days == 0`, "order.rule", "", "order.rule_sign_in"},
			{`customer.level == "gold"`, "", "order.rule", "order.rule_sign_in"},
			{`customer.level != "gold"`, "order.rule", "", "order.rule_sign_in"},
			{`"vip" in customer.tags`, "", "order.rule", "order.rule_sign_in"},
			{`hasNone(customer.tags, ["vip"])`, "order.rule", "", "order.rule_sign_in"},
			{`region == "CN-31"`, "", "order.rule", "order.rule_sign_in"},
			{`region != "CN-31"`, "order.rule", "order.rule", "order.rule_sign_in"},
			{`customer.signed_in`, "", "", "order.rule"},
			{`customer.active_days_30 == 0`, "", "", "order.rule_sign_in"},
			{`channel == "web" and device == "mobile"`, "", "", ""},
			{`channel == "api"`, "order.rule", "order.rule", "order.rule"},
			{`stock.available >= 50`, "", "", ""},
			{`stock.available < 50`, "order.rule", "order.rule", "order.rule"},
			{`order.amount == "10.00 CNY" and order.quantity == 1`, "", "", ""},
			{`now < "2000-01-01"`, "order.rule", "order.rule", "order.rule"},
		} {
			s.rules(c.text)
			for name, b := range map[string]struct {
				flow.Buyer
				want string
			}{"old": {old, c.old}, "fresh": {fresh, c.fresh}, "guest": {guest, c.guest}} {
				before := ""
				if all := s.qualifies(b.Buyer); len(all) > 0 {
					if before = "order.rule"; all[0].SignIn {
						before = "order.rule_sign_in"
					}
				}
				if got := s.try(s.asks(b.Buyer)); got != b.want || before != b.want {
					t.Errorf("%s, %s: placing %q, before %q, want %q", c.text, name, got, before, b.want)
				}
			}
		}
	})
}

// A refusal names the rule in both languages, in the author's words where there are any, and
// never what is private.
func TestARefusalSaysWhichRule(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := ruledShop(t, d)
		s.offer = s.Change(t, s.offer, func(c *catalogue.Content) {
			c.Rules = []catalogue.Issuing{
				{Name: catalogue.Text{ZH: "老客回馈", EN: "Regulars"}, Source: rule.Source{Text: `customer.age_days >= 30`}},
				{Name: catalogue.Text{ZH: "受邀", EN: "Invited"}, Source: rule.Source{Text: `"secret-list" in customer.tags`}},
				{Name: catalogue.Text{ZH: "金卡", EN: "Gold"}, Source: rule.Source{Text: `customer.level == "gold"`, RefusalZH: "请先升级金卡", RefusalEN: "Please become a gold member first"}},
			}
		})
		_, err := s.Place(t.Context(), s.asks(s.member(0, "", "", "")))
		f := fault.From(err)
		if f.Code != "order.rule" || len(f.Fields) != 3 || f.Fields[1].Path != "lines[0].offer" {
			t.Fatal(err, f.Fields)
		}
		var en, zh []string
		for _, one := range f.Fields {
			en, zh = append(en, i18n.EN.Field(one)), append(zh, i18n.ZH.Field(one))
		}
		for i, want := range [][2]string{{"Regulars", "老客回馈"}, {"Invited", "受邀"}, {"Please become a gold member first", "请先升级金卡"}} {
			if !strings.Contains(en[i], want[0]) || !strings.Contains(zh[i], want[1]) {
				t.Error(en[i], zh[i])
			}
		}
		if strings.Contains(strings.Join(append(en, zh...), " "), "secret-list") {
			t.Error("a tag was told")
		}
	})
}

// Orders count when they are paid, also once refunded, and while they wait, by the account and
// by every phone number; not when they ended unpaid, nor for a request that is sent again.
func TestOrdersThatCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := ruledShop(t, d, "customer.orders == 0")
		b := s.member(0, "", "", "")
		c := s.asks(b)
		first, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := s.Place(t.Context(), c); err != nil || !again.Repeated || again.Order.ID != first.Order.ID {
			t.Errorf("the request sent again: %v", err)
		}
		if got := s.try(s.asks(b)); got != "order.rule" {
			t.Errorf("beside an order that waits: %q", got)
		}
		other := s.member(0, "", "", "")
		other.Phone = b.Phone // of the order alone
		if got := s.try(s.asks(other)); got != "order.rule" {
			t.Errorf("with the phone of who has an order: %q", got)
		}
		s.Time.Advance(flow.HoldFor + time.Minute)
		if _, err := s.ExpireDue(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		p, err := s.Place(t.Context(), s.asks(b))
		if err != nil {
			t.Fatalf("after an order that ended unpaid: %v", err)
		}
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if got := s.try(s.asks(b)); got != "order.rule" {
			t.Errorf("after a paid order: %q", got)
		}
		s.rules("customer.orders == 1")
		if all := s.qualifies(b); len(all) > 0 {
			t.Errorf("one paid order isn't 1: %+v", all[0].Why)
		}
	})
}

// However many orders one person sends at once, from two processes, by one account or by
// accounts that share a phone number, one of them is the first.
func TestSideBySideOneIsTheFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := ruledShop(t, d)
		s.offer = s.Sell(t, 1000, "", flowtest.Part{Quantity: 1}) // no stock whose lock they would wait at
		s.rules("customer.orders == 0")
		second := s.Process(t, d)
		for round := range 30 {
			b, c := s.member(0, "", "", ""), s.member(0, "", "", "")
			c.Phone = b.Phone
			var all sync.WaitGroup
			var mu sync.Mutex
			codes := map[string]int{}
			for i := range 12 {
				f, who := s.Flows, b
				if i%2 == 1 {
					f = second
				}
				if i%3 == 0 {
					who = c
				}
				all.Go(func() {
					_, err := f.Place(t.Context(), s.asks(who))
					mu.Lock()
					defer mu.Unlock()
					codes[fault.CodeOf(err)]++
				})
			}
			all.Wait()
			if codes[""] != 1 || codes["order.rule"] != 11 {
				t.Fatalf("round %d: %v", round, codes)
			}
		}
	})
}

// A node that is about to commit somebody's first order makes that person's orders on other nodes
// wait: none of them is the first too.
func TestAnotherNodeWaitsWhereOrdersCount(t *testing.T) {
	store := dbtest.Store(t, "postgres")
	s := ruledShop(t, dbtest.OpenStore(t, store))
	s.offer = s.Sell(t, 1000, "", flowtest.Part{Quantity: 1})
	s.rules("customer.orders == 0")
	b, c := s.member(0, "", "", ""), s.member(0, "", "", "")
	c.Phone = b.Phone
	first, second := placeDuring(t, s.Shop, store, s.asks(b), s.asks(c))
	if first != nil || fault.CodeOf(second) != "order.rule" {
		t.Errorf("the first %v, the other %v", first, second)
	}
}

// Orders of one batch know of each other, and one that was refused for another reason doesn't
// count.
func TestOrdersOfOneBatchKnowOfEachOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := ruledShop(t, d, "customer.orders == 0")
		empty := s.Stock(t, inventory.Counted)
		gone := s.Sell(t, 1000, "", flowtest.Part{Stock: empty, Quantity: 1})
		b, other := s.member(0, "", "", ""), s.member(0, "", "", "")
		soldOut := s.asks(b)
		soldOut.Lines[0].Offer = gone.ID
		answers, err := s.PlaceTogether(t.Context(), []flow.Place{soldOut, s.asks(b), s.asks(b), s.asks(other)})
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, a := range answers {
			codes = append(codes, fault.CodeOf(a.Err))
		}
		if want := []string{"order.sold_out", "", "order.rule", ""}; fmt.Sprint(codes) != fmt.Sprint(want) {
			t.Errorf("%q, want %q", codes, want)
		}
	})
}

// An offer without rules asks nothing, and a batch asks once for each kind of fact that a rule
// of it reads.
func TestOnlyFactsThatARuleReadsAreLoaded(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			d, err := db.Open(t.Context(), db.Config{Store: dbtest.Store(t, kind)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			var mu sync.Mutex
			ran := map[string]int{}
			d.SetHooks(db.Hooks{Stmt: func(name string) error {
				mu.Lock()
				defer mu.Unlock()
				ran[name]++
				return nil
			}})
			if _, err := d.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := ruledShop(t, d)
			for _, c := range []struct {
				text                                  string
				customers, parties, phones, available int
			}{
				{"", 0, 0, 0, 0},
				{`channel == "web" and hour >= 0`, 0, 0, 0, 0},
				{`customer.level != "gold"`, 1, 0, 0, 0},
				{`customer.orders == 0`, 1, 1, 1, 0},
				{`stock.available > 0`, 0, 0, 0, 1},
			} {
				s.rules()
				if c.text != "" {
					s.rules(c.text)
				}
				commands := []flow.Place{s.asks(s.member(0, "", "", "")), s.asks(s.member(0, "", "", "")), s.asks(s.member(0, "", "", ""))}
				mu.Lock()
				clear(ran)
				mu.Unlock()
				answers, err := s.PlaceTogether(t.Context(), commands)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range answers {
					if a.Err != nil {
						t.Error(c.text, a.Err)
					}
				}
				mu.Lock()
				got := [4]int{ran["identity.customers"], ran["order.count_parties"], ran["order.count_phones"], ran["inventory.stocks"]}
				tallied := ran["order.insert_tally"]
				mu.Unlock()
				if got != [4]int{c.customers, c.parties, c.phones, c.available} || tallied > c.parties {
					t.Errorf("%q: asked %v, tallies %d", c.text, got, tallied)
				}
			}
		})
	}
}
