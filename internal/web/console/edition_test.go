package console

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

// edition makes a stock of units that are numbered from 42.
func (r *rig) edition(units int64, lot bool) id.Stock {
	r.Helper()
	stock := r.shop.Stock(r, inventory.Counted)
	r.shop.Receive(r, stock, units)
	r.do(func(tx *db.Tx) error {
		_, err := r.shop.Inventory.Begin(r.Context(), tx, inventory.Edition{Stock: stock, Size: 1000, First: 42, Gapless: true, ByLot: lot, CreatedBy: "ops"}, r.shop.Clock.Now())
		return err
	})
	return stock
}

// Staff see the number of an edition with the right and with its order.
func TestStaffSeeANumber(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock := r.edition(5, false)
		o := r.shop.Buy(t, flowtest.Want{Offer: r.shop.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}), Quantity: 1})
		right := r.shop.Held(t, o.Order.ID)[0].ID
		for _, path := range []string{"/console/rights/" + string(right), "/console/orders/" + string(o.Order.ID), "/console/orders/" + string(o.Order.ID) + "/evidence", "/console/stocks/" + string(stock)} {
			b.get(path)
			if got := tags.ReplaceAllString(b.want(http.StatusOK), ""); !strings.Contains(got, "第 0042 号 / 共 1000") {
				t.Errorf("%s: %s", path, got)
			}
		}
	})
}

// The page of a live offer warns of a channel that can sell nothing because all is allotted to
// others.
func TestAChannelWithNothingToSellIsTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock := r.shop.Stock(t, inventory.Counted)
		r.shop.Receive(t, stock, 5)
		at := "/console/offers/" + string(r.shop.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1}).ID)
		move := func(from, to string, n int64) {
			r.do(func(tx *db.Tx) error {
				return r.shop.Inventory.Allot(r.Context(), tx, inventory.Allotting{Stock: stock, Act: inventory.AllotMove, From: from, To: to, Units: n, Reason: "r", Actor: "ops"}, r.shop.Clock.Now())
			})
		}
		told := func(web, api bool) {
			t.Helper()
			b.get(at)
			page := b.want(http.StatusOK)
			for channel, want := range map[string]bool{"网店": web, "接口": api} {
				if strings.Contains(page, "「"+channel+"」渠道目前无货可卖") != want {
					t.Errorf("%s, to be told: %v", channel, want)
				}
			}
		}
		told(false, false)
		move("", "web", 4)
		told(false, false)
		move("", "web", 1)
		told(false, true)
		move("web", "api", 5)
		told(true, false)
		move("api", "web", 1)
		told(false, false)
	})
}

// The numbers of an edition are read page by page, each once.
func TestNumbersArePaged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		n := perPage + 5
		stock := r.edition(int64(n), false)
		offer := r.shop.Sell(t, 100, "", flowtest.Part{Stock: stock, Quantity: 1})
		for left := n; left > 0; left -= 5 {
			r.shop.Buy(t, flowtest.Want{Offer: offer, Quantity: int64(min(5, left))})
		}
		at, seen := "/console/stocks/"+string(stock), map[string]int{}
		for _, path := range []string{at, at + "?after=" + strconv.Itoa(41+perPage)} {
			b.get(path)
			for _, no := range numberWords.FindAllString(b.want(http.StatusOK), -1) {
				seen[no]++
			}
		}
		if len(seen) != n {
			t.Errorf("%d of %d numbers: %v", len(seen), n, seen)
		}
		for no, times := range seen {
			if times != 1 {
				t.Errorf("%s %d times", no, times)
			}
		}
		b.get(at)
		b.want(http.StatusOK, "?after="+strconv.Itoa(41+perPage)+"#numbers")
	})
}

var numberWords = regexp.MustCompile(`第 \d{4} 号`)

// Staff move units between channels on a stock's page, and close an allotment where it stands.
func TestUnitsAreAllottedOnAPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		b := r.owner()
		stock := r.shop.Stock(t, inventory.Counted)
		r.shop.Receive(t, stock, 9)
		at := "/console/stocks/" + string(stock)
		post := func(want int, fields ...string) {
			t.Helper()
			b.get(at)
			b.post(at, fields...)
			b.want(want)
		}
		post(303, "op", "allot", "to", "web", "units", "5", "reason", "opening")
		post(303, "op", "allot", "from", "web", "to", "shop-2", "units", "2", "reason", "opening")
		post(409, "op", "allot", "from", "web", "to", "shop-2", "units", "4", "reason", "too many")
		b.get(at)
		page := b.want(http.StatusOK, `<option value="shop-2">`, `<input type="hidden" name="to" value="shop-2">`)
		sound(t, "allotments", page)
		post(400, "op", "allot_close", "to", "shop-2")
		post(303, "op", "allot_close", "to", "shop-2", "reason", "closed")
		sizes := map[string]int64{}
		r.do(func(tx *db.Tx) error {
			all, err := r.shop.Inventory.Allotments(r.Context(), tx, stock)
			for _, a := range all {
				if a.Open {
					sizes[a.Channel] = a.Size
				}
			}
			return err
		})
		if len(sizes) != 1 || sizes["web"] != 3 {
			t.Errorf("%v", sizes)
		}
		b.get(at)
		if strings.Contains(b.want(http.StatusOK), `name="to" value="shop-2">`) {
			t.Error("a closed allotment can be closed")
		}
	})
}
