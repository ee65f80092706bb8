package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db/dbtest"
)

// A shopper who is sent to wait comes back to the form with the quantity and the picks they
// had, and with what they had said to have read as long as it says the same.
func TestWaitingKeepsWhatWasChosen(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.packs("pack", "", catalogue.Choice{Pick: 2})
	s.republish("pack", func(c *catalogue.Content) { c.MaxPerOrder, c.Room = 5, catalogue.Room{PerMinute: 600, Minutes: 5} })
	b := s.browser("en")
	s.Time.Advance(2 * time.Hour) // the sale has begun
	letIn := func() {
		t.Helper()
		for range 3 {
			s.Time.Advance(3 * time.Second)
			if err := s.WatchRooms(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r := b.get("/offers/pack/queue"); r.Header.Get("Location") != "/checkout/pack" {
			t.Fatalf("not let in: %d %s", r.StatusCode, said(r))
		}
	}
	led := func(r reply, to string) {
		t.Helper()
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != to {
			t.Fatalf("led to %q: %d", r.Header.Get("Location"), r.StatusCode)
		}
	}
	picked := func(what string, r reply) {
		t.Helper()
		if r.StatusCode != http.StatusOK || !strings.Contains(r.body, `name="n" value="3"`) || !strings.Contains(r.body, `value="1" checked`) || !strings.Contains(r.body, `value="2" checked`) {
			t.Errorf("%s is lost: %d %s", what, r.StatusCode, r.body)
		}
	}
	if page := b.get("/offers/pack"); !strings.Contains(page.body, `value="1" form="join"`) || !strings.Contains(page.body, `id="n" name="n" form="join"`) {
		t.Error("what is picked isn't taken to the room")
	}
	led(b.get("/checkout/pack?n=3&pick.pick=1&pick.pick=2"), "/offers/pack/queue")
	if page := b.get("/offers/pack"); !strings.Contains(page.body, `<option value="3" selected>`) || !strings.Contains(page.body, `value="1" form="join" checked`) {
		t.Errorf("the offer's page forgets: %s", page.body)
	}
	led(b.post("/offers/pack/queue", url.Values{"n": {"3"}, "pick.pick": {"2", "1"}}), "/offers/pack/queue")
	letIn()
	form := b.get("/checkout/pack")
	picked("what was picked before waiting", form)
	f := form.fields()
	f.Set("phone", "138 0013 8000")
	f.Set("agree", "1")
	f["pick.pick"] = []string{"1", "2"}
	s.Time.Advance(6 * time.Minute) // their turn is over
	if err := s.WatchRooms(t.Context()); err != nil {
		t.Fatal(err)
	}
	led(b.post("/checkout/pack", f), "/offers/pack/queue")
	if s.count() != 0 {
		t.Fatal("ordered without a turn")
	}
	led(b.post("/offers/pack/queue", nil), "/offers/pack/queue")
	letIn()
	form = b.get("/checkout/pack")
	picked("what was sent", form)
	if box := box(form, "agree"); !strings.Contains(box, "checked") {
		t.Errorf("what was agreed to is lost: %s", box)
	}
	s.republish("pack", func(c *catalogue.Content) { c.MaxPerOrder = 4 })
	if box := box(b.get("/checkout/pack"), "agree"); strings.Contains(box, "checked") {
		t.Errorf("other terms are agreed to: %s", box)
	}
	if box := box(s.browser("en").get("/checkout/pack?t="+f.Get("terms")+"&agree=1"), "agree"); strings.Contains(box, "checked") {
		t.Errorf("an address agrees: %s", box)
	}
}

// box is the tag of a form's input by its name.
func box(r reply, name string) string {
	for _, tag := range inputTag.FindAllString(r.body, -1) {
		if strings.Contains(tag, `name="`+name+`"`) {
			return tag
		}
	}
	return ""
}
