package e2e

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
)

// TestJourneyRoom has two shoppers line up before a sale begins, wait, be taken to the
// checkout when the room lets them in, and be told when it has sold out.
func TestJourneyRoom(t *testing.T) {
	if _, err := buildHufu(); err != nil {
		t.Fatal(err)
	}
	s := openShop(t, dbtest.Store(t, "sqlite"), offering{1})
	offer, slug := s.offers[0], "offer-0"
	near := browser(t)
	home := freeAddr(t)
	p := s.serve("--listen", home)
	// One a minute: nobody is let in within the first.
	s.flash(offer, time.Now().Add(8*time.Second), catalogue.Room{PerMinute: 1, Minutes: 5})
	h := newHTTP()
	var other queuePlace
	for i := range 30 {
		var err error
		if other, err = inRoom(t.Context(), h, "POST", p.addr, offer, "", fmt.Appendf(nil, `{"device":"an application's secret %d"}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	queue := "http://" + home + "/offers/" + slug + "/queue"
	join := "form[action$='/queue'] button"
	tabs := map[string]*tab{"phone": open(t, near, true, phone, home), "desk": open(t, near, true, desk, home)}
	for name, b := range tabs {
		b.visit("http://" + home + "/offers/" + slug)
		b.await("the way into the line", fmt.Sprintf("document.querySelector(%q)", join))
		if _, ok := eval[bool](b, fmt.Sprintf("([...document.querySelectorAll(%q)].find(e => e.checkVisibility()).click(), true)", join)); !ok {
			t.Fatal("no way into the line")
		}
		b.await("the room", "location.pathname.endsWith('/queue') && document.readyState === 'complete'")
		b.check()
		b.shot(name + "-before")
	}
	for name, b := range tabs {
		b.await("waiting", "document.querySelector('p.room-number[role=status]')")
		b.check()
		b.shot(name + "-waiting")
	}
	a, err := app.Open(t.Context(), app.Config{Store: s.store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	if err := a.DB.Do(t.Context(), func(tx *db.Tx) error {
		return a.Flows.SteerRoom(t.Context(), tx, flow.SteerRoom{Offer: offer, PerMinute: 60_000, Actor: "system"})
	}); err != nil {
		t.Fatal(err)
	}
	for _, b := range tabs {
		b.await("the checkout", "location.pathname.startsWith('/checkout/') && document.readyState === 'complete'")
		b.check()
	}
	until(t, "the unit is another's", func() bool {
		a, err := placeWith(t.Context(), h, p.addr, "the-journey-of-a-room", offer, other.Ticket)
		return err == nil && a.status == 201
	})
	for name, b := range tabs {
		until(t, "the room says so", func() bool {
			b.visit(queue)
			said, _ := eval[bool](b, "location.pathname.endsWith('/queue') && !!document.querySelector('.banner.tone-warn')")
			return said
		})
		b.says("room.out")
		b.check()
		b.shot(name + "-out")
	}
}
