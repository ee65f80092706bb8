package flow_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/payment"
)

var (
	oneEach   = catalogue.Limit{Max: 1, Window: catalogue.Ever, Of: catalogue.Person}
	twoADay   = catalogue.Limit{Max: 2, Window: catalogue.Day, Of: catalogue.Person}
	fiveInAll = catalogue.Limit{Max: 5, Window: catalogue.Ever, Of: catalogue.Everybody}
	twoOnWeb  = catalogue.Limit{Max: 2, Window: catalogue.Ever, Channel: "web", Of: catalogue.Person}
	twoMonth  = catalogue.Limit{Max: 2, Window: catalogue.Month, Of: catalogue.Everybody}
)

// limited is an offer without stock, under limits.
func limited(t testing.TB, s *flowtest.Shop, limits ...catalogue.Limit) flowtest.Offer {
	t.Helper()
	return s.Limit(t, s.Sell(t, 1990, "", flowtest.Part{Quantity: 1}), limits...)
}

// by is an order of somebody for n units.
func by(o flowtest.Offer, n int64, b flow.Buyer, channel string) flow.Place {
	c := flowtest.Order(flowtest.Want{Offer: o, Quantity: n})
	c.Party, c.Phone, c.OwnPhone, c.Device, c.Channel = b.Party, b.Phone, b.OwnPhone, b.Device, channel
	return c
}

// TestLimits plays small histories under limits: what each is told at its last step.
func TestLimits(t *testing.T) {
	ann, bob := flow.Buyer{Party: "pty_ann", Phone: "13800000001"}, flow.Buyer{Party: "pty_bob", Phone: "13800000002"}
	type act struct {
		do      string // buy, place, cancel, expire, late, wait
		who     flow.Buyer
		n       int64
		channel string
		want    string // "case bought left next" of a refusal, "" for none
	}
	const web, api = "web", "api"
	day := 24 * time.Hour
	for _, c := range []struct {
		name   string
		limits []catalogue.Limit
		acts   []act
	}{
		{"no limit", nil, []act{{"buy", ann, 9, web, ""}, {"buy", ann, 9, web, ""}}},
		{"one each", []catalogue.Limit{oneEach}, []act{{"buy", ann, 1, web, ""}, {"buy", bob, 1, web, ""}, {"buy", ann, 1, web, "person_ever 1 0"}}},
		{"more than the limit at once", []catalogue.Limit{twoADay}, []act{{"place", ann, 3, web, "person_day 0 2 2026-06-02 00:00"}}},
		{"what waits for payment counts", []catalogue.Limit{oneEach}, []act{{"place", ann, 1, web, ""}, {"place", ann, 1, web, "person_ever 1 0"}}},
		{"what was cancelled doesn't", []catalogue.Limit{oneEach}, []act{{"place", ann, 1, web, ""}, {"cancel", ann, 0, "", ""}, {"buy", ann, 1, web, ""}}},
		{"nor what expired", []catalogue.Limit{oneEach}, []act{{"place", ann, 1, web, ""}, {"expire", ann, 0, "", ""}, {"buy", ann, 1, web, ""}, {"buy", ann, 1, web, "person_ever 1 0"}}},
		{"paid late within the limit", []catalogue.Limit{oneEach}, []act{{"place", ann, 1, web, ""}, {"cancel", ann, 0, "", ""}, {"late", ann, 1, "", ""}, {"buy", ann, 1, web, "person_ever 1 0"}}},
		{"paid late when the limit is reached", []catalogue.Limit{oneEach}, []act{{"place", ann, 1, web, ""}, {"cancel", ann, 0, "", ""}, {"buy", ann, 1, web, ""}, {"late", ann, 0, "", ""}, {"buy", ann, 1, web, "person_ever 1 0"}}},
		{"another account, the same phone", []catalogue.Limit{oneEach}, []act{{"buy", ann, 1, web, ""}, {"buy", flow.Buyer{Party: "pty_eve", Phone: ann.Phone}, 1, web, "person_ever 1 0"}}},
		{"another phone, the same account", []catalogue.Limit{oneEach}, []act{{"buy", ann, 1, web, ""}, {"buy", flow.Buyer{Party: ann.Party, Phone: "13800000009"}, 1, web, "person_ever 1 0"}}},
		{"the account's phone typed by a guest before", []catalogue.Limit{oneEach}, []act{{"buy", flow.Buyer{Phone: ann.Phone}, 1, web, ""}, {"buy", flow.Buyer{Party: ann.Party, Phone: "13800000009", OwnPhone: ann.Phone}, 1, web, "person_ever 1 0"}}},
		{"the account's phone typed by a guest who hasn't paid", []catalogue.Limit{oneEach}, []act{{"place", flow.Buyer{Phone: ann.Phone}, 1, web, ""}, {"buy", flow.Buyer{Party: ann.Party, Phone: ann.Phone, OwnPhone: ann.Phone}, 1, web, ""}}},
		{"the same phone typed by guests", []catalogue.Limit{oneEach}, []act{{"place", flow.Buyer{Phone: ann.Phone}, 1, web, ""}, {"buy", flow.Buyer{Phone: ann.Phone}, 1, web, "person_ever 1 0"}}},
		{"guests on one device", []catalogue.Limit{oneEach}, []act{{"buy", flow.Buyer{Phone: "13800000003", Device: "d"}, 1, web, ""}, {"buy", flow.Buyer{Phone: "13800000004", Device: "d"}, 1, web, "person_ever 1 0"}}},
		{"nobody known", []catalogue.Limit{oneEach}, []act{{"place", flow.Buyer{}, 1, web, "order.limit_who"}}},
		{"nobody known where nobody need be", []catalogue.Limit{fiveInAll, twoOnWeb}, []act{{"buy", flow.Buyer{}, 1, api, ""}}},
		{"all together", []catalogue.Limit{fiveInAll}, []act{{"buy", ann, 3, web, ""}, {"buy", bob, 3, web, "everybody_ever 3 2"}}},
		{"all together, the last ones", []catalogue.Limit{fiveInAll}, []act{{"buy", ann, 3, web, ""}, {"buy", bob, 2, web, ""}, {"buy", bob, 1, web, "everybody_ever 5 0"}}},
		{"a channel", []catalogue.Limit{twoOnWeb}, []act{{"buy", ann, 2, web, ""}, {"buy", ann, 2, api, ""}, {"buy", ann, 1, web, "person_ever_channel 2 0"}}},
		{"another channel", []catalogue.Limit{twoOnWeb}, []act{{"buy", ann, 2, api, ""}, {"buy", ann, 2, web, ""}}},
		{"the next day", []catalogue.Limit{twoADay}, []act{{"buy", ann, 2, web, ""}, {"place", ann, 1, web, "person_day 2 0 2026-06-02 00:00"}, {"wait", ann, int64(day), "", ""}, {"buy", ann, 2, web, ""}}},
		{"the next month", []catalogue.Limit{twoMonth}, []act{{"buy", ann, 2, web, ""}, {"place", bob, 1, web, "everybody_month 2 0 2026-07-01 00:00"}, {"wait", ann, int64(30 * day), "", ""}, {"buy", bob, 2, web, ""}}},
		{"the tightest of several is told", []catalogue.Limit{fiveInAll, twoADay, oneEach}, []act{{"buy", ann, 1, web, ""}, {"place", ann, 1, web, "person_ever 1 0"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				s := flowtest.New(t, d)
				offer := limited(t, s, c.limits...)
				var first flow.Placed
				for i, a := range c.acts {
					switch a.do {
					case "cancel":
						if err := s.Cancel(t.Context(), first.Order.ID); err != nil {
							t.Fatal(err)
						}
					case "expire":
						s.Time.Advance(flow.HoldFor)
						if n, err := s.ExpireDue(t.Context(), 10); n != 1 || err != nil {
							t.Fatal(n, err)
						}
					case "late":
						got, err := s.Confirm(t.Context(), s.Gateway.PayTwice(first.Intent))
						if err != nil || got.Verdict != payment.Late {
							t.Fatal(got, err)
						}
						if o := s.Look(t, first.Order.ID); o.Lines[0].Delivered != a.n || o.Lines[0].Counted != a.n {
							t.Errorf("step %d: %d delivered, %d count; want %d", i, o.Lines[0].Delivered, o.Lines[0].Counted, a.n)
						}
						if n, err := s.SendRefunds(t.Context(), 10); err != nil || n != int(1-a.n) {
							t.Errorf("step %d: %d refunds, %v", i, n, err)
						}
					case "wait":
						if _, err := s.WorkJobs(t.Context(), 100); err != nil {
							t.Fatal(err)
						}
						s.Time.Advance(time.Duration(a.n))
					default:
						p, err := s.Place(t.Context(), by(offer, a.n, a.who, a.channel))
						if got := refusal(err); got != a.want {
							t.Fatalf("step %d: %q, want %q", i, got, a.want)
						}
						if err == nil && i == 0 {
							first = p
						}
						if err == nil && a.do == "buy" {
							notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
							if _, err := s.Confirm(t.Context(), notice); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
				clean(t, s)
			})
		})
	}
}

// refusal is what an order was refused for, in short.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	f := fault.From(err)
	if f.Code != "order.limit" {
		return f.Code
	}
	return strings.TrimSpace(fmt.Sprint(f.Params["case"], " ", f.Params["bought"], " ", f.Params["left"], " ", f.Params["next"]))
}

// TestADayEndsAtMidnightOfTheShop has the last microsecond of a day in UTC+8 and the first of
// the next, and a late payment that counts on the day of its order.
func TestADayEndsAtMidnightOfTheShop(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := limited(t, s, catalogue.Limit{Max: 1, Window: catalogue.Day, Of: catalogue.Person})
		ann := flow.Buyer{Phone: "13800000001"}
		s.Time.Advance(time.Date(2026, 6, 1, 16, 0, 0, 0, time.UTC).Add(-time.Microsecond).Sub(s.Clock.Now()))
		first, err := s.Place(t.Context(), by(offer, 1, ann, "web"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Place(t.Context(), by(offer, 1, ann, "web")); refusal(err) != "person_day 1 0 2026-06-02 00:00" || fault.From(err).Params["next_at"] != "2026-06-02T00:00:00+08:00" {
			t.Fatal(err)
		}
		s.Time.Advance(time.Microsecond)
		if _, err := s.Place(t.Context(), by(offer, 1, ann, "web")); err != nil {
			t.Fatal(err)
		}
		late := s.Gateway.PayTwice(first.Intent)
		if err := s.Cancel(t.Context(), first.Order.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Confirm(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		if l := s.Look(t, first.Order.ID).Lines[0]; l.Delivered != 1 { // there was room on the day it was ordered
			t.Errorf("%+v", l)
		}
		clean(t, s)
	})
}

// TestALineThatIsShortGivesBack has fewer units delivered than were ordered: the rest doesn't
// count.
func TestALineThatIsShortGivesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, "codes")
		ending(t, s.Flows, stock, 2, time.Minute)
		s.Codes(t, stock, 1)
		offer := s.Limit(t, s.Sell(t, 1990, "", flowtest.Part{Stock: stock, Coded: true, Quantity: 1}), catalogue.Limit{Max: 3, Window: catalogue.Ever, Of: catalogue.Person})
		p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 3})
		s.Time.Advance(2 * time.Minute) // two of the three codes end while they are held
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount)
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if l := s.Look(t, p.Order.ID).Lines[0]; l.Delivered != 1 || l.Counted != 1 {
			t.Errorf("%d delivered, %d count", l.Delivered, l.Counted)
		}
		s.Codes(t, stock, 9)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 3})); refusal(err) != "person_ever 1 2" {
			t.Error(err)
		}
		placed(t, s, flowtest.Want{Offer: offer, Quantity: 2})
		clean(t, s)
	})
}

// TestALimitChanges has what was bought under one version count under the next.
func TestALimitChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		few, more := oneEach, oneEach
		few.Max, more.Max = 2, 5
		offer := limited(t, s, more)
		p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 4})
		offer = s.Limit(t, offer, few)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})); refusal(err) != "person_ever 4 0" {
			t.Error(err)
		}
		notice, _ := s.Gateway.Pay(p.Intent, p.Intent.Amount) // what was placed in time is kept to
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if l := s.Look(t, p.Order.ID).Lines[0]; l.Delivered != 4 {
			t.Errorf("%+v", l)
		}
		s.Limit(t, offer)
		placed(t, s, flowtest.Want{Offer: offer, Quantity: 9})
		clean(t, s)
	})
}

// TestAnOfferWithoutLimitsPaysNothing counts the statements about limits in a purchase.
func TestAnOfferWithoutLimitsPaysNothing(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{Store: dbtest.Store(t, "sqlite")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	var asked []string
	d.SetHooks(db.Hooks{Stmt: func(name string) error {
		if strings.HasSuffix(name, "tally") || strings.HasSuffix(name, "tallies") {
			asked = append(asked, name)
		}
		return nil
	}})
	if _, err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := flowtest.New(t, d)
	free, bound := single(t, s, 5), limited(t, s, twoADay)
	s.Buy(t, flowtest.Want{Offer: free, Quantity: 1})
	if err := s.Cancel(t.Context(), placed(t, s, flowtest.Want{Offer: free, Quantity: 1}).Order.ID); err != nil || asked != nil {
		t.Errorf("%v, %v", asked, err)
	}
	s.Buy(t, flowtest.Want{Offer: bound, Quantity: 1})
	// Once when it is placed, and once when it is paid: then it counts for whose number a guest typed.
	if want := []string{"order.lock_tallies", "order.insert_tally", "order.lock_tallies", "order.insert_tally"}; !slices.Equal(asked, want) {
		t.Errorf("%v", asked)
	}
}

// TestAHundredOrdersOfOnePhone has a hundred at once, on two nodes where there are such, under
// a limit of three, beside other people who are held up by none of it.
func TestAHundredOrdersOfOnePhone(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		three := oneEach
		three.Max = 3
		offer, other := limited(t, s, three, fiveInAllOf(60)), limited(t, s, three)
		var sold, refused, others atomic.Int64
		together(100, func(i int) {
			c := by(offer, 1, flow.Buyer{Phone: "13800000001", Device: fmt.Sprint(i % 7)}, "web")
			if i%2 == 0 { // with the other offer first: the tallies of two are locked in another order than they are wanted
				c.Lines = append([]flow.PlaceLine{{Offer: other.ID, Quantity: 1}}, c.Lines...)
			}
			if i%5 == 0 {
				c = by(offer, 1, flow.Buyer{Phone: fmt.Sprint(13900000000 + i)}, "web")
			}
			switch _, err := all[i%len(all)].Place(t.Context(), c); {
			case err == nil && i%5 == 0:
				others.Add(1)
			case err == nil:
				sold.Add(1)
			case fault.CodeOf(err) == "order.limit":
				refused.Add(1)
			default:
				t.Errorf("%d: %v", i, err)
			}
		})
		if sold.Load() != 3 || others.Load() != 20 || refused.Load() != 77 {
			t.Errorf("%d sold, %d refused, %d to others", sold.Load(), refused.Load(), others.Load())
		}
		clean(t, s)
	})
}

func fiveInAllOf(n int64) catalogue.Limit {
	l := fiveInAll
	l.Max = n
	return l
}

// TestARepeatUnderALimit sends one request to all nodes at once: it counts once, and every
// copy is answered with its order.
func TestARepeatUnderALimit(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		offer := limited(t, s, oneEach)
		for i := range scale(5, 20) {
			c := by(offer, 1, flow.Buyer{Phone: fmt.Sprint(13900000000 + i)}, "web")
			var mu [8]id.Order
			together(8, func(k int) {
				p, err := all[k%len(all)].Place(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				mu[k] = p.Order.ID
			})
			if mu != [8]id.Order{mu[0], mu[0], mu[0], mu[0], mu[0], mu[0], mu[0], mu[0]} {
				t.Errorf("%v", mu)
			}
		}
		clean(t, s)
	})
}

// limitModel is the shop without counters: what counts is summed over all orders each time.
type limitModel struct {
	*flowtest.Shop
	t      *testing.T
	offers []limitedOffer
	orders []*limitedOrder
}

type limitedOffer struct {
	flowtest.Offer
	limits []catalogue.Limit
	stock  *int64 // units left; nil without end
}

type limitedOrder struct {
	command flow.Place
	placed  flow.Placed
	at      time.Time
	who     flow.Buyer
	offers  []limitedOffer
	counts  []int64 // of each line
	state   order.State
	paid    bool
}

// names are what a purchase counts under: what was typed counts apart from the phone number of
// an account, until it is paid for.
func (b *limitedOrder) names() []string {
	out := namesOf(b.who)
	if b.paid {
		out = append(out, b.fresh()...)
	}
	return out
}

// fresh is what an order counts under once it is paid for, more than before.
func (b *limitedOrder) fresh() []string {
	if b.who.Party == "" && b.who.Phone != "" && b.who.Phone != b.who.OwnPhone {
		return []string{"phone " + b.who.Phone}
	}
	return nil
}

func namesOf(who flow.Buyer) []string {
	var out []string
	for kind, name := range map[string]string{"party": string(who.Party), "device": who.Device, "phone": who.OwnPhone, "typed": who.Phone} {
		if name != "" && (kind != "typed" || name != who.OwnPhone) {
			out = append(out, kind+" "+name)
		}
	}
	return out
}

// room is how many more units of an offer may be bought by its limits under some names, at a
// moment.
func (m *limitModel) room(o limitedOffer, names []string, channel string, at time.Time) int64 {
	const plenty = 1 << 40
	room := int64(plenty)
	same := func(w catalogue.Window, b time.Time) bool {
		ay, am, ad := at.Add(8 * time.Hour).UTC().Date()
		by, bm, bd := b.Add(8 * time.Hour).UTC().Date()
		return w == catalogue.Ever || ay == by && am == bm && (w == catalogue.Month || ad == bd)
	}
	for _, l := range o.limits {
		if l.Channel != "" && l.Channel != channel {
			continue
		}
		under := names
		if l.Of == catalogue.Everybody {
			under = []string{""}
		}
		for _, name := range under {
			taken := int64(0)
			for _, b := range m.orders {
				for i, bo := range b.offers {
					if bo.ID == o.ID && (l.Channel == "" || b.command.Channel == l.Channel) && same(l.Window, b.at) && (name == "" || slices.Contains(b.names(), name)) {
						taken += b.counts[i]
					}
				}
			}
			room = min(room, l.Max-taken)
		}
	}
	return room
}

func (m *limitModel) place(t *rapid.T) {
	who := flow.Buyer{
		Party: rapid.SampledFrom([]id.Party{"", "pty_a", "pty_b"}).Draw(t, "party"), Phone: rapid.SampledFrom([]string{"13800000001", "13800000002", ""}).Draw(t, "phone"),
		OwnPhone: rapid.SampledFrom([]string{"", "13800000002"}).Draw(t, "own phone"), Device: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "device"),
	}
	channel := rapid.SampledFrom([]string{"web", "api"}).Draw(t, "channel")
	b := &limitedOrder{at: m.Clock.Now(), who: who, state: order.Pending}
	b.command = by(flowtest.Offer{}, 1, who, channel)
	b.command.Lines = nil
	want := ""
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(m.offers)-1), 1, 2, rapid.ID[int]).Draw(t, "offers") {
		o, n := m.offers[i], rapid.Int64Range(1, 3).Draw(t, "quantity")
		b.offers, b.counts = append(b.offers, o), append(b.counts, n)
		b.command.Lines = append(b.command.Lines, flow.PlaceLine{Offer: o.ID, Quantity: n})
		byPerson := slices.ContainsFunc(o.limits, func(l catalogue.Limit) bool {
			return l.Of == catalogue.Person && (l.Channel == "" || l.Channel == channel)
		})
		switch {
		case byPerson && who == flow.Buyer{}:
			want = "order.limit_who"
		case want == "" && m.room(o, namesOf(who), channel, b.at) < n:
			want = "order.limit"
		}
	}
	for i, o := range b.offers {
		if o.stock != nil && *o.stock < b.counts[i] && want == "" {
			want = "order.sold_out"
		}
	}
	var err error
	b.placed, err = m.Place(m.t.Context(), b.command)
	if got := fault.CodeOf(err); got != want && !(err != nil && want != "" && got == "order.sold_out") { // what is known to be sold out is told first
		t.Fatalf("place: %v, want %q", err, want)
	}
	if err != nil {
		return
	}
	for i, o := range b.offers {
		if o.stock != nil {
			*o.stock -= b.counts[i]
		}
	}
	m.orders = append(m.orders, b)
}

func (m *limitModel) draw(t *rapid.T) *limitedOrder {
	if len(m.orders) == 0 {
		t.Skip("no orders") // rapid draws another action
	}
	return m.orders[rapid.IntRange(0, len(m.orders)-1).Draw(t, "order")]
}

// again repeats a request.
func (m *limitModel) again(t *rapid.T) {
	b := m.draw(t)
	p, err := m.Place(m.t.Context(), b.command)
	if err != nil && fault.CodeOf(err) == "order.sold_out" {
		return
	}
	if err != nil || p.Order.ID != b.placed.Order.ID || !p.Repeated {
		t.Fatalf("a repeated request got %v, %v", p, err)
	}
}

// end has an order not be paid for.
func (b *limitedOrder) end(as order.State) {
	b.state = as
	for i, o := range b.offers {
		if o.stock != nil {
			*o.stock += b.counts[i]
		}
		b.counts[i] = 0
	}
}

func (m *limitModel) cancel(t *rapid.T) {
	b := m.draw(t)
	err := m.Cancel(m.t.Context(), b.placed.Order.ID)
	switch {
	case b.paid && fault.CodeOf(err) != "order.paid", !b.paid && b.state != order.Pending && fault.CodeOf(err) != "order.closed":
		t.Fatalf("cancel: %v", err)
	case b.state == order.Pending && !b.paid:
		if err != nil {
			t.Fatal(err)
		}
		b.end(order.Cancelled)
	}
}

func (m *limitModel) wait(t *rapid.T) {
	if _, err := m.WorkJobs(m.t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	m.Time.Advance(rapid.SampledFrom([]time.Duration{time.Minute, 7 * time.Hour, 20 * 24 * time.Hour}).Draw(t, "time"))
	if _, err := m.ExpireDue(m.t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	for _, b := range m.orders {
		if b.state == order.Pending && !b.paid && !b.placed.Order.ExpiresAt.After(m.Clock.Now()) {
			b.end(order.Expired)
		}
	}
}

// pay has the money come, in time or late.
func (m *limitModel) pay(t *rapid.T) {
	b := m.draw(t)
	if b.paid {
		return
	}
	want := payment.Apply
	owed := 0
	for i, o := range b.offers {
		n := b.command.Lines[i].Quantity
		byPerson := o
		byPerson.limits = slices.DeleteFunc(slices.Clone(o.limits), func(l catalogue.Limit) bool { return l.Of == catalogue.Everybody })
		over := m.room(byPerson, b.fresh(), b.command.Channel, b.at) < n
		if b.state == order.Pending {
			if over {
				owed++
				b.counts[i] = 0
				if o.stock != nil {
					*o.stock += n
				}
			}
			continue
		}
		want = payment.Late
		if over || m.room(o, b.names(), b.command.Channel, b.at) < n || o.stock != nil && *o.stock < n {
			owed++
			continue
		}
		if o.stock != nil {
			*o.stock -= n
		}
		b.counts[i] = n
	}
	got, err := m.Confirm(m.t.Context(), m.Gateway.PayTwice(b.placed.Intent))
	if err != nil || got.Verdict != want {
		t.Fatalf("paid: %v, %v; want %v", got, err, want)
	}
	b.paid = true
	for i, l := range m.Look(m.t, b.placed.Order.ID).Lines {
		if counts := b.counts[i]; len(b.offers[i].limits) > 0 && l.Counted != counts || len(b.offers[i].limits) == 0 && l.Counted != 0 || l.Delivered != b.counts[i] {
			t.Fatalf("line %d counts %d and has %d; want %d", i, l.Counted, l.Delivered, b.counts[i])
		}
	}
	if n, err := m.SendRefunds(m.t.Context(), 100); n != owed || err != nil {
		t.Fatalf("%d refunds, %v; want %d", n, err, owed)
	}
}

// look compares what a shopper is told beforehand.
func (m *limitModel) look(t *rapid.T) {
	who := flow.Buyer{Party: rapid.SampledFrom([]id.Party{"pty_a", "pty_b"}).Draw(t, "party"), Phone: "13800000001"}
	o := m.offers[rapid.IntRange(0, len(m.offers)-1).Draw(t, "offer")]
	err := m.DB.View(m.t.Context(), func(tx *db.Tx) error {
		v, err := m.Catalogue.Versions(m.t.Context(), tx, []id.OfferVersion{o.Version})
		if err != nil {
			return err
		}
		all, err := m.Allowances(m.t.Context(), tx, v[o.Version], "web", who, m.Clock.Now())
		for _, a := range all {
			one := o
			one.limits = []catalogue.Limit{a.Limit}
			if want := max(m.room(one, namesOf(who), "web", m.Clock.Now()), 0); a.Left != want || !a.Known {
				err = errors.Join(err, fmt.Errorf("%+v are left of %+v, want %d", a.Left, a.Limit, want))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLimitedHistories plays random histories of purchases under limits against the model.
func TestLimitedHistories(t *testing.T) {
	runs(t, 8, 60)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		rapid.Check(t, func(rt *rapid.T) {
			m := &limitModel{Shop: s, t: t}
			for _, limits := range [][]catalogue.Limit{{oneEach}, {twoADay, fiveInAll}, {twoOnWeb, twoMonth}, {{Max: 3, Window: catalogue.Day, Channel: "api", Of: catalogue.Everybody}, {Max: 4, Window: catalogue.Month, Of: catalogue.Person}}, nil} {
				m.offers = append(m.offers, limitedOffer{limited(t, s, limits...), limits, nil})
			}
			seats, left := s.Stock(t, "counted"), int64(4)
			s.Receive(t, seats, left)
			m.offers = append(m.offers, limitedOffer{s.Limit(t, s.Sell(t, 500, seats, flowtest.Part{Quantity: 1}), twoADay), []catalogue.Limit{twoADay}, &left})
			rt.Repeat(map[string]func(*rapid.T){"place": m.place, "place 2": m.place, "again": m.again, "cancel": m.cancel, "pay": m.pay, "wait": m.wait, "look": m.look})
		})
		clean(t, s)
	})
}
