package console

import (
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/waiting"
)

// An operator sees who waits, lets them in slower or faster, and pauses the room; it is on
// record, and the room obeys.
func TestAWaitingRoomIsSteered(t *testing.T) {
	r := sqliteRig(t)
	b := r.owner()
	ids := r.filled()
	offer, href := id.Offer(ids["ofr"]), "/console/offers/"+ids["ofr"]
	b.get(href)
	if strings.Contains(b.last.Body.String(), href+"/room") {
		t.Error("an offer that nobody waits for has the card of a room")
	}
	b.post(href+"/room", "per_minute", "60")
	b.want(409)
	r.do(func(tx *db.Tx) error {
		o, err := r.shop.Catalogue.Offer(t.Context(), tx, offer)
		if err != nil {
			return err
		}
		o.Draft.Room = catalogue.Room{PerMinute: 600, Minutes: 5}
		_, _, err = r.shop.Catalogue.Publish(t.Context(), tx, o, "pty_1", r.shop.Clock.Now())
		return err
	})
	terms := waiting.Terms{Offer: offer, PerMinute: 600, Stay: 5 * time.Minute}
	pass := func(seconds int) {
		t.Helper()
		for range seconds {
			r.shop.Time.Advance(time.Second)
			if err := r.shop.WatchRooms(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	row := func() (out waiting.Numbers) {
		t.Helper()
		r.do(func(tx *db.Tx) (err error) {
			out, _, err = r.shop.Rooms.Look(t.Context(), tx, offer)
			return err
		})
		return out
	}
	for i := range 120 {
		r.shop.Rooms.Join(terms, string(rune('a'+i)), r.shop.Clock.Now())
		r.shop.Time.Advance(time.Millisecond)
	}
	pass(1)
	b.get(href)
	sound(t, "room", b.want(200, "排队中", "120", "600", "放行中"))
	for _, wrong := range []string{"", "0", "x", "600001"} {
		b.get(href)
		b.post(href+"/room", "per_minute", wrong)
		b.want(400, "每分钟放行人数须在 1 到 600,000 之间")
	}
	b.get(href)
	b.post(href+"/room", "per_minute", "60", "paused", "1")
	b.want(303)
	pass(10)
	if n := row(); n.Admitted != 0 || n.Waiting != 120 || n.PerMinute != 60 || !n.Paused {
		t.Errorf("paused: %+v", n)
	}
	b.get(href)
	b.want(200, "已暂停")
	b.post(href+"/room", "per_minute", "60")
	b.want(303)
	pass(10)
	if n := row(); n.Admitted < 10 || n.Admitted > 16 || n.Paused {
		t.Errorf("at 60 a minute: %+v", n)
	}
	b.get(href)
	b.post(href+"/room", "per_minute", "600")
	b.want(303)
	if n := row(); n.PerMinute != 0 {
		t.Errorf("as published: %+v", n)
	}
	b.get("/console/audit")
	b.want(200, "调整排队")
	viewer := r.member("viewer@example.com", identity.Auditor)
	viewer.get(href)
	if strings.Contains(viewer.last.Body.String(), href+"/room") {
		t.Error("who may not edit is offered the form")
	}
}
