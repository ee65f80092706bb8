package api

import (
	"context"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow/flowtest"
)

// An API caller lines up, is told how the place stands without the database, and orders once.
func TestAWaitingRoomOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		plain := r.Sell(t, 1990, "", flowtest.Part{Quantity: 1})
		stock := r.Stock(t, "counted")
		r.Receive(t, stock, 1)
		o := r.Change(t, r.Sell(t, 1990, stock, flowtest.Part{Quantity: 1}), func(c *catalogue.Content) { c.Room = catalogue.Room{PerMinute: 600, Minutes: 5} })
		path := "/offers/" + string(o.ID) + "/ticket"
		join := func(device string) answer {
			t.Helper()
			return r.do(request{method: "POST", path: path, key: "-", body: map[string]any{"device": device}}).want(200, "")
		}
		order := func(ticket string) request {
			body := r.placeBody(o.ID, 1)
			body["lines"].([]any)[0].(map[string]any)["ticket"] = ticket
			return request{method: "POST", path: "/orders", body: body}
		}
		if seen := r.do(request{method: "GET", path: "/offers/" + string(o.ID)}).want(200, ""); seen.at("room.per_minute") != 600.0 || seen.at("room.minutes") != 5.0 {
			t.Error(seen.text)
		}
		r.do(request{method: "POST", path: "/offers/" + string(plain.ID) + "/ticket", key: "-", body: map[string]any{"device": "a secret of the application"}}).want(409, "room.none")
		r.do(request{method: "POST", path: "/offers/nothing/ticket", key: "-", body: map[string]any{"device": "a secret of the application"}}).want(404, "order.no_offer")
		r.do(request{method: "POST", path: path, key: "-", body: map[string]any{"device": "short"}}).want(400, "request.invalid")
		r.do(request{method: "GET", path: path + "?ticket=nonsense"}).want(400, "room.ticket")
		r.do(request{method: "POST", path: "/orders", body: r.placeBody(o.ID, 1)}).want(409, "room.wait")

		mine, theirs := join("a secret of the application"), join("a secret of another application")
		if mine.str("state") != "waiting" || mine.str("ticket") == theirs.str("ticket") {
			t.Error(mine.text, theirs.text)
		}
		r.do(order(mine.str("ticket"))).want(409, "room.wait")
		for range 3 {
			r.Time.Advance(3 * time.Second)
			if err := r.WatchRooms(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		stand := func(ticket string) answer {
			t.Helper()
			return r.do(request{method: "GET", path: path + "?ticket=" + ticket}).want(200, "")
		}
		if a := stand(mine.str("ticket")); a.str("state") != "let_in" || a.str("until") == "" || a.at("sold_out") != false {
			t.Error(a.text)
		}
		none, stop := context.WithCancel(t.Context())
		stop() // no database answers
		if _, _, err := r.api.waited(none, string(o.ID)); err != nil {
			t.Errorf("a second look within a second asked the database: %v", err)
		}
		r.do(order(mine.str("ticket"))).want(201, "")
		r.do(order(mine.str("ticket"))).want(409, "room.used")
		r.Time.Advance(2 * time.Second)
		if a := stand(theirs.str("ticket")); a.at("sold_out") != true {
			t.Error(a.text)
		}
		r.Time.Advance(6 * time.Minute)
		if a := stand(theirs.str("ticket")); a.str("state") != "over" {
			t.Error(a.text)
		}
		r.do(order(theirs.str("ticket"))).want(409, "room.over")
	})
}

// Before the sale a place is drawn for a device, and for an account whatever its devices.
func TestAPlaceIsDrawnOnceOverTheAPI(t *testing.T) {
	r := one(t)
	o := r.Change(t, r.Sell(t, 1990, "", flowtest.Part{Quantity: 1}), func(c *catalogue.Content) { c.Room = catalogue.Room{PerMinute: 600, Minutes: 5} })
	r.in(func(ctx context.Context, tx *db.Tx) error {
		offer, err := r.Catalogue.Offer(ctx, tx, o.ID)
		if err != nil {
			return err
		}
		offer.StartsAt = r.Clock.Now().Add(time.Hour)
		for _, to := range []catalogue.State{catalogue.Paused, catalogue.Scheduled} {
			if offer, err = r.Catalogue.Save(ctx, tx, offer, r.Clock.Now()); err != nil {
				return err
			}
			if offer, err = r.Catalogue.SetState(ctx, tx, offer, to, r.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	wei := r.member("13800000001")
	join := func(device, token string) string {
		t.Helper()
		a := r.do(request{method: "POST", path: "/offers/" + string(o.ID) + "/ticket", key: "-", token: token, body: map[string]any{"device": device}}).want(200, "")
		if a.str("state") != "before" || a.str("opens_at") == "" {
			t.Error(a.text)
		}
		return a.str("ticket")
	}
	const one, two = "a secret of the application", "a secret of another application"
	first, again := join(one, ""), join(one, "")
	if first != again || join(one, "") == join(two, "") || join(one, wei.token) != join(two, wei.token) || join(one, wei.token) == join(one, "") {
		t.Error("a place was drawn again, or is another's")
	}
	many := request{method: "POST", path: "/offers/" + string(o.ID) + "/ticket", key: "-", body: map[string]any{"device": one}}
	for range 2000 {
		if a := r.do(many); a.status == 429 {
			a.want(429, "room.often")
			return
		}
	}
	t.Error("an address may ask for places without end")
}
