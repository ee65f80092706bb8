package flow_test

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
	"hufu/internal/vault"
)

// coded is a part delivered as one of so many codes.
func coded(t testing.TB, s *flowtest.Shop, codes int64) flowtest.Part {
	t.Helper()
	p := flowtest.Part{Stock: s.Stock(t, inventory.Codes), Coded: true, Quantity: 1}
	s.Codes(t, p.Stock, codes)
	return p
}

// counted is a part with so many units.
func counted(t testing.TB, s *flowtest.Shop, units int64) flowtest.Part {
	t.Helper()
	p := flowtest.Part{Stock: s.Stock(t, inventory.Counted), Quantity: 1}
	s.Receive(t, p.Stock, units)
	return p
}

// choosing is an offer of which the parts are the options of one choice.
func choosing(t testing.TB, s *flowtest.Shop, ch catalogue.Choice, parts ...flowtest.Part) flowtest.Offer {
	t.Helper()
	ch.Key, ch.Name = "one", catalogue.Text{ZH: "任选", EN: "Your pick"}
	return s.Change(t, s.Sell(t, 12000, "", parts...), func(c *catalogue.Content) {
		c.Choices = []catalogue.Choice{ch}
		for i := range c.Parts {
			c.Parts[i].Choice = ch.Key
		}
	})
}

// release does all that is due.
func release(t testing.TB, s *flowtest.Shop) int {
	t.Helper()
	all := 0
	for {
		n, err := s.ReleaseRights(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all += n
	}
}

// rest does the work that is left, and checks every invariant.
func rest(t testing.TB, s *flowtest.Shop) {
	t.Helper()
	for n := 1; n > 0; {
		var err error
		if n, err = s.WorkJobs(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
	}
	clean(t, s)
}

// stands counts rights by state, with what the waiting ones wait for: "held=1 release=11".
func stands(rights []*entitlement.Right) string {
	n := map[string]int{}
	for _, r := range rights {
		name := string(r.State)
		if r.State == entitlement.Waiting {
			name = r.Waits
		}
		n[name]++
	}
	var out []string
	for name, k := range n {
		out = append(out, name+"="+strconv.Itoa(k))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func unitsAre(t testing.TB, s *flowtest.Shop, stock id.Stock, available, reserved, delivered int64) {
	t.Helper()
	if got := s.Units(t, stock); got.Available != available || got.Reserved != reserved || got.Delivered != delivered {
		t.Errorf("available %d, reserved %d, delivered %d; want %d, %d, %d", got.Available, got.Reserved, got.Delivered, available, reserved, delivered)
	}
}

// pathOf names the steps of a right's path.
func pathOf(t testing.TB, s *flowtest.Shop, r *entitlement.Right) string {
	t.Helper()
	var names []string
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := s.Rights.Path(t.Context(), tx, []id.Right{r.ID})
		for _, st := range all[r.ID] {
			names = append(names, st.Kind)
		}
		if err == nil && entitlement.Check(*r, all[r.ID]) != 0 {
			t.Errorf("the path of %s doesn't lead to it", r.ID)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func waitingFor(rights []*entitlement.Right, wait string) []*entitlement.Right {
	return slices.DeleteFunc(slices.Clone(rights), func(r *entitlement.Right) bool { return r.Waits != wait })
}

// A year card gives a code at once and one each month; every unit is kept from the purchase
// on, and nothing is given twice or lost, also when nobody worked for months.
func TestAYearCardIsReleasedMonthByMonth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		part := coded(t, s, 30)
		offer := s.Change(t, s.Sell(t, 19900, "", part), func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryMonth, Count: 12}
		})
		bought := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 2})
		unitsAre(t, s, part.Stock, 6, 22, 2)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1})); fault.CodeOf(err) != "order.sold_out" {
			t.Errorf("6 units for 12 releases: %v", err)
		}
		var shares [2]int64
		for _, r := range s.Held(t, bought.Order.ID) {
			shares[r.Unit] += r.Share
			at := time.Date(2026, 6+time.Month(r.Nth), 1, 0, 0, 0, 0, catalogue.Zone)
			if r.Nth > 0 && (!r.DueAt.Equal(at) || !r.StartsAt.Equal(at) || r.Waits != entitlement.WaitRelease) {
				t.Errorf("release %d is due at %s for %q", r.Nth, r.DueAt, r.Waits)
			}
		}
		if shares != [2]int64{19900, 19900} {
			t.Errorf("the shares of the units add up to %v", shares)
		}
		for month := 1; month <= 13; month++ {
			s.Time.Advance(31 * 24 * time.Hour)
			if month >= 4 && month <= 6 { // nobody works
				continue
			}
			release(t, s)
			given := min(month+1, 12) // 31 days are never less than a month
			want := "held=" + strconv.Itoa(2*given)
			if given < 12 {
				want += " release=" + strconv.Itoa(24-2*given)
			}
			if got := stands(s.Held(t, bought.Order.ID)); got != want {
				t.Errorf("after %d months %s, want %s", month, got, want)
			}
			unitsAre(t, s, part.Stock, 6, int64(24-2*given), int64(2*given))
			if n := release(t, s); n != 0 {
				t.Errorf("%d are due again", n)
			}
		}
		shown, err := s.Reveal(t.Context(), flow.Reveal{Order: bought.Order.ID, Actor: "guest", Data: "{}"})
		if err != nil || len(shown) != 24 {
			t.Errorf("%d codes: %v", len(shown), err)
		}
		seen := map[id.Code]bool{}
		for _, one := range shown {
			seen[one.Code.Code] = true
		}
		if len(seen) != 24 {
			t.Errorf("%d different codes", len(seen))
		}
		last := s.Held(t, bought.Order.ID)[23]
		if got := pathOf(t, s, last); got != "granted waiting released revealed" {
			t.Errorf("path %s", got)
		}
		rest(t, s)
	})
}

// An order counts its releases from the day it was placed; paid late it gets what is due by
// then at once.
func TestReleasesOfALatePayment(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		part := counted(t, s, 10)
		offer := s.Change(t, s.Sell(t, 900, "", part), func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 5}
		})
		p := placed(t, s, flowtest.Want{Offer: offer, Quantity: 1})
		notice := s.Gateway.PayTwice(p.Intent)
		s.Time.Advance(50 * time.Hour)
		if _, err := s.ExpireDue(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Confirm(t.Context(), notice); err != nil {
			t.Fatal(err)
		}
		if got := stands(s.Held(t, p.Order.ID)); got != "held=3 release=2" {
			t.Errorf("paid on the third day: %s", got)
		}
		unitsAre(t, s, part.Stock, 5, 2, 3)
		rest(t, s)
	})
}

func TestOptionsArePickedWhenOrdering(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		a, b, c := coded(t, s, 5), counted(t, s, 5), counted(t, s, 1)
		offer := choosing(t, s, catalogue.Choice{Pick: 2}, a, b, c)
		want := func(n int64, picks ...int) flowtest.Want {
			return flowtest.Want{Offer: offer, Quantity: n, Picks: order.Picks{"one": picks}}
		}
		for code, w := range map[string]flowtest.Want{"order.picks": {Offer: offer, Quantity: 1}, "order.option_sold_out": want(2, 0, 2), "order.picks_unknown": {Offer: offer, Quantity: 1, Picks: order.Picks{"one": {0, 1}, "x": {2}}}} {
			_, err := s.Place(t.Context(), flowtest.Order(w))
			if fault.CodeOf(err) != code {
				t.Errorf("%v: %v, want %s", w.Picks, err, code)
			}
			if f := fault.From(err); strings.HasPrefix(code, "order.picks") && (len(f.Fields) != 1 || f.Fields[0].Path != "lines[0].picks") {
				t.Errorf("%v: placed at %+v", w.Picks, f.Fields)
			}
		}
		s.Buy(t, want(1, 1, 2))
		if _, err := s.Place(t.Context(), flowtest.Order(want(1, 0, 2))); fault.CodeOf(err) != "order.option_sold_out" {
			t.Errorf("refused at the gate: %v", err)
		}
		bought := s.Buy(t, want(2, 0, 1))
		unitsAre(t, s, a.Stock, 3, 0, 2)
		unitsAre(t, s, b.Stock, 2, 0, 3)
		unitsAre(t, s, c.Stock, 0, 0, 1)
		for _, r := range s.Held(t, bought.Order.ID) {
			if r.Part > 1 || r.State != entitlement.Held || r.Share != 6000 {
				t.Errorf("part %d is %s, with a share of %d", r.Part, r.State, r.Share)
			}
		}
		if got := s.Look(t, bought.Order.ID).Lines[0].Picks.Text(); got != "one:0,1" {
			t.Errorf("the line keeps %q", got)
		}
		rest(t, s)
	})
}

// The holder picks within the time, and gets another option with its unit; the default is
// free again. Who doesn't pick gets the default.
func TestOptionsArePickedLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		a, b, c := coded(t, s, 5), coded(t, s, 1), counted(t, s, 5)
		offer := choosing(t, s, catalogue.Choice{Pick: 1, Later: true, Days: 10}, a, b, c)
		if _, err := s.Place(t.Context(), flowtest.Order(flowtest.Want{Offer: offer, Quantity: 1, Picks: order.Picks{"one": {1}}})); fault.CodeOf(err) != "order.picks_later" {
			t.Errorf("picked early: %v", err)
		}
		bought := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 3})
		unitsAre(t, s, a.Stock, 2, 3, 0)
		held := waitingFor(s.Held(t, bought.Order.ID), entitlement.WaitChoice)
		if len(held) != 3 || !held[0].DueAt.Equal(flowtest.Begin.AddDate(0, 0, 10)) {
			t.Fatalf("%s, due %v", stands(held), held[0].DueAt)
		}
		if _, err := s.Reveal(t.Context(), flow.Reveal{Order: bought.Order.ID, Actor: "guest", Data: "{}"}); fault.CodeOf(err) != "right.none" {
			t.Errorf("shown before it was picked: %v", err)
		}
		choose := func(r *entitlement.Right, want string, parts ...int) {
			t.Helper()
			got, err := s.Choose(t.Context(), flow.Choose{Order: bought.Order.ID, Right: r.ID, Parts: parts, Actor: "guest"})
			if fault.CodeOf(err) != want {
				t.Errorf("picked %v: %v, want %q", parts, err, want)
			}
			if err == nil && (len(got) != 1 || got[0].Part != int64(parts[0]) || got[0].State != entitlement.Held) {
				t.Errorf("picked %v: %+v", parts, got)
			}
		}
		choose(held[0], "order.picks", 3)
		choose(held[0], "order.picks", 1, 2)
		choose(held[0], "", 1)
		choose(held[0], "", 1)
		choose(held[0], "right.chosen", 2)
		choose(held[1], "right.option_sold_out", 1)
		unitsAre(t, s, a.Stock, 3, 2, 0)
		unitsAre(t, s, b.Stock, 0, 0, 1)
		choose(held[1], "", 2)
		s.Time.Advance(10*24*time.Hour - time.Second)
		if n := release(t, s); n != 0 {
			t.Errorf("%d are due early", n)
		}
		s.Time.Advance(time.Second)
		release(t, s)
		choose(held[2], "right.chosen", 2)
		choose(held[2], "", 0)
		unitsAre(t, s, a.Stock, 4, 0, 1)
		unitsAre(t, s, c.Stock, 4, 0, 1)
		for i, want := range []string{"granted waiting chosen", "granted waiting chosen", "granted waiting chosen"} {
			now := s.Held(t, bought.Order.ID)
			at := slices.IndexFunc(now, func(r *entitlement.Right) bool { return r.ID == held[i].ID })
			if got := pathOf(t, s, now[at]); got != want || now[at].Share != 12000 {
				t.Errorf("path %s, share %d", got, now[at].Share)
			}
		}
		rest(t, s)
	})
}

// Each month of a year two of three are picked, or the defaults come.
func TestAPickEachMonth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		a, b, c := coded(t, s, 12), counted(t, s, 12), counted(t, s, 5)
		offer := choosing(t, s, catalogue.Choice{Pick: 2, Later: true, Days: 5, Release: catalogue.Release{Every: catalogue.EveryMonth, Count: 12}}, a, b, c)
		bought := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
		o := bought.Order.ID
		if got := stands(s.Held(t, o)); got != "choice=2 release=22" {
			t.Fatal(got)
		}
		for month := range 13 {
			release(t, s)
			rights := s.Held(t, o)
			open := waitingFor(rights, entitlement.WaitChoice)
			if month < 12 && len(open) != 2 || month == 12 && len(open) != 0 {
				t.Fatalf("month %d: %s", month, stands(rights))
			}
			if month < 10 && month%2 == 0 { // one of the defaults is given up
				got, err := s.Choose(t.Context(), flow.Choose{Order: o, Right: open[0].ID, Parts: []int{2, month / 2 % 2}, Actor: "guest"})
				if err != nil || len(got) != 2 {
					t.Fatalf("month %d: %v %v", month, got, err)
				}
			}
			if later := waitingFor(rights, entitlement.WaitRelease); len(later) > 0 {
				if _, err := s.Choose(t.Context(), flow.Choose{Order: o, Right: later[0].ID, Parts: []int{0, 1}}); fault.CodeOf(err) != "right.not_released" {
					t.Errorf("picked before it is there: %v", err)
				}
			}
			s.Time.Advance(6 * 24 * time.Hour)
			release(t, s)
			if open := waitingFor(s.Held(t, o), entitlement.WaitChoice); len(open) != 0 {
				t.Errorf("month %d: %d still wait for a pick", month, len(open))
			}
			s.Time.Advance(25 * 24 * time.Hour)
		}
		if got := stands(s.Held(t, o)); got != "held=24" {
			t.Errorf("in the end %s", got)
		}
		unitsAre(t, s, a.Stock, 2, 0, 10)
		unitsAre(t, s, b.Stock, 3, 0, 9)
		unitsAre(t, s, c.Stock, 0, 0, 5)
		rest(t, s)
	})
}

// Of the last unit of an option two holders who pick at once get one.
func TestTwoHoldersPickTheLastUnit(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		for range scale(3, 10) {
			a, b := counted(t, s, 8), coded(t, s, 1)
			offer := choosing(t, s, catalogue.Choice{Pick: 1, Later: true, Days: 10}, a, b)
			var rights []*entitlement.Right
			for range 8 {
				rights = append(rights, s.Held(t, s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1}).Order.ID)...)
			}
			var got, refused atomic.Int64
			together(len(rights), func(i int) {
				_, err := all[i%len(all)].Choose(t.Context(), flow.Choose{Order: rights[i].Order, Right: rights[i].ID, Parts: []int{1}, Actor: "guest"})
				switch fault.CodeOf(err) {
				case "":
					got.Add(1)
				case "right.option_sold_out":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
			if got.Load() != 1 || refused.Load() != 7 {
				t.Errorf("%d got the last unit, %d were refused", got.Load(), refused.Load())
			}
			unitsAre(t, s, a.Stock, 1, 7, 0)
			unitsAre(t, s, b.Stock, 0, 0, 1)
		}
		clean(t, s)
	})
}

// Processes that release side by side do each thing once.
func TestManyReleaseAtOnce(t *testing.T) {
	eachKind(t, func(t *testing.T, s *flowtest.Shop, all []*flow.Flows) {
		part := coded(t, s, 60)
		offer := s.Change(t, s.Sell(t, 19900, "", part), func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 6}
		})
		for range 10 {
			s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
		}
		s.Time.Advance(3 * 24 * time.Hour)
		var done atomic.Int64
		together(6, func(i int) {
			for range 8 {
				n, err := all[i%len(all)].ReleaseRights(t.Context(), 3)
				if err != nil {
					t.Error(err)
				}
				done.Add(int64(n))
			}
		})
		if n := done.Load() + int64(release(t, s)); n != 30 {
			t.Errorf("%d releases, want 30", n)
		}
		unitsAre(t, s, part.Stock, 0, 20, 40)
		rest(t, s)
	})
}

// A code that isn't there when its day comes is missed, seen to, and given when there is one.
func TestAPromiseOutlastsAShortage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		part := flowtest.Part{Stock: s.Stock(t, inventory.Codes), Coded: true, Quantity: 1}
		b := s.Codes(t, part.Stock, 2)
		offer := s.Change(t, s.Sell(t, 1000, "", part), func(c *catalogue.Content) {
			c.Parts[0].Release = catalogue.Release{Every: catalogue.EveryDay, Count: 2}
		})
		bought := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1})
		ends := func(at time.Time) {
			if err := d.Do(t.Context(), func(tx *db.Tx) error { _, err := tx.Exec(t.Context(), endCodes, db.Micros(at), b.ID); return err }); err != nil {
				t.Fatal(err)
			}
		}
		ends(s.Clock.Now().Add(time.Hour))
		s.Time.Advance(24 * time.Hour)
		release(t, s)
		if got := stands(s.Held(t, bought.Order.ID)); got != "held=1 release=1" {
			t.Errorf("without a code: %s", got)
		}
		open := func() (n int) {
			if err := d.View(t.Context(), func(tx *db.Tx) error {
				all, err := exception.Of(t.Context(), tx, bought.Order.ID)
				for _, c := range all {
					if c.Open && c.Kind == exception.Unreleased {
						n++
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if open() != 1 {
			t.Errorf("%d cases are open", open())
		}
		rest(t, s)
		s.Codes(t, part.Stock, 1)
		s.Time.Advance(10 * time.Minute)
		release(t, s)
		if got := stands(s.Held(t, bought.Order.ID)); got != "held=2" || open() != 0 {
			t.Errorf("with a code: %s, %d cases are open", got, open())
		}
		rest(t, s)
	})
}

var endCodes = db.SQL("flow_test.end_codes", `UPDATE codes SET expires_at = $1 WHERE batch_id = $2 AND state = '`+string(vault.CodeAvailable)+`'`)

func TestValidityBeginsWithItsHolder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		offer := s.Change(t, s.Sell(t, 1000, "", flowtest.Part{Quantity: 2}, coded(t, s, 3), flowtest.Part{Quantity: 1}, flowtest.Part{Quantity: 1}), func(c *catalogue.Content) {
			c.Parts[0].Validity = catalogue.Validity{From: catalogue.FromActivation, Days: 30, Within: 90}
			c.Parts[1].Validity = catalogue.Validity{From: catalogue.FromFirstUse, Days: 7}
			c.Parts[2].Validity = catalogue.Validity{From: catalogue.FromPurchase, Days: 60}
		})
		o := s.Buy(t, flowtest.Want{Offer: offer, Quantity: 1}).Order.ID
		at := func(part int64) (out []*entitlement.Right) {
			for _, r := range s.Held(t, o) {
				if r.Part == part {
					out = append(out, r)
				}
			}
			return out
		}
		begin := flowtest.Begin
		if r := at(0)[0]; !r.EndsAt.IsZero() || !r.DueAt.Equal(begin.AddDate(0, 0, 90)) || r.Clock.Days != 30 {
			t.Errorf("before it is activated: %+v", r)
		}
		if r := at(2)[0]; !r.EndsAt.Equal(begin.AddDate(0, 0, 60)) || !r.DueAt.IsZero() {
			t.Errorf("from the purchase: %+v", r)
		}
		s.Time.Advance(24 * time.Hour)
		activate := func(r *entitlement.Right, want string) *entitlement.Right {
			t.Helper()
			got, err := s.Activate(t.Context(), flow.Activate{Order: o, Right: r.ID, Actor: "guest"})
			if fault.CodeOf(err) != want {
				t.Errorf("activated: %v, want %q", err, want)
			}
			return got
		}
		first := activate(at(0)[0], "")
		if !first.StartsAt.Equal(begin.Add(24*time.Hour)) || !first.EndsAt.Equal(begin.AddDate(0, 0, 31)) || !first.DueAt.IsZero() {
			t.Errorf("activated: %+v", first)
		}
		s.Time.Advance(24 * time.Hour)
		if again := activate(at(0)[0], ""); !again.EndsAt.Equal(first.EndsAt) || again.Steps != first.Steps {
			t.Errorf("activated twice: %+v", again)
		}
		activate(at(1)[0], "right.not_activated_so")
		activate(at(3)[0], "right.not_activated_so")
		activate(&entitlement.Right{ID: id.New[id.Right]()}, "right.not_found")
		for range 2 {
			if _, err := s.Reveal(t.Context(), flow.Reveal{Order: o, Actor: "guest", Data: "{}"}); err != nil {
				t.Fatal(err)
			}
			s.Time.Advance(24 * time.Hour)
		}
		if r := at(1)[0]; !r.EndsAt.Equal(begin.AddDate(0, 0, 9)) {
			t.Errorf("7 days from its first showing it ends at %s", r.EndsAt)
		}
		s.Time.Advance(90 * 24 * time.Hour)
		release(t, s)
		if got := at(0)[1]; got.State != entitlement.Expired || !got.DueAt.IsZero() {
			t.Errorf("never begun: %+v", got)
		}
		activate(at(0)[1], "right.state.expired")
		rest(t, s)
	})
}
