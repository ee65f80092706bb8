package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

var tags = regexp.MustCompile(`<[^>]*>`)

// said is the text of a page.
func said(r reply) string {
	return strings.ReplaceAll(tags.ReplaceAllString(r.body, ""), "\u00a0", " ")
}

var devices = db.SQL("web_test.tallies", `SELECT name FROM order_tallies WHERE name LIKE '%device%'`)

// Purchase limits stand on the offer's page and before the button, with what is left for who
// is signed in; an order over one is refused and says which. A browser is known again by a
// cookie of which only a hash is stored, and gets it only where it matters.
func TestLimitsAreToldBeforePaying(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b, guest := s.browser("en"), s.browser("en")
		b.signIn("13900139000")
		has := func(r reply, words ...string) {
			t.Helper()
			for _, w := range words {
				if !strings.Contains(said(r), w) {
					t.Errorf("%s doesn't say %q", r.Request.URL, w)
				}
			}
		}
		if r := guest.get("/checkout/duo"); strings.Contains(r.body, "Purchase limits") || len(r.Cookies()) > 0 {
			t.Errorf("limits or a cookie with no limit: %v", r.Cookies())
		}
		old := b.checkout("duo", "1")
		s.republish("duo", func(c *catalogue.Content) {
			c.Limits = []catalogue.Limit{{Max: 2, Window: catalogue.Day, Of: catalogue.Person}, {Max: 5, Window: catalogue.Ever, Channel: "web", Of: catalogue.Everybody}}
		})
		has(b.get("/offers/duo"), "Purchase limits", "2 a day for each person", "You may buy 2 more", "5 for everybody (web shop)", "5 are left")
		if r := b.get("/offers/duo"); r.Header.Get("Cache-Control") != "no-store" {
			t.Error("the page of a member may be kept")
		}
		if r := guest.get("/offers/duo"); strings.Contains(said(r), "You may buy") || len(r.Cookies()) > 0 {
			t.Error("a guest is told what a member may buy, or has a cookie for looking")
		}
		has(guest.get("/offers/duo"), "Whoever shares an account, a phone number or a device")
		// The terms that were acknowledged hold: a limit is none of them.
		if r := b.post("/checkout/duo", old); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("a form from before the limit: %d", r.StatusCode)
		}
		has(b.get("/checkout/duo"), "You may buy 1 more", "4 are left")
		f := b.checkout("duo", "2")
		orders := s.count()
		r := b.post("/checkout/duo", f)
		if r.StatusCode != http.StatusConflict || s.count() != orders {
			t.Fatalf("over the limit: %d", r.StatusCode)
		}
		has(r, "Over a purchase limit", "You have bought 1 and may buy 1 more", "2026-06-02 00:00")
		b.place("duo", "1")
		has(b.get("/checkout/duo"), "more can be bought from 2026-06-02 00:00")

		// Somebody else, twice on one device.
		cookie := ""
		for _, c := range guest.get("/checkout/duo").Cookies() {
			if c.Name == "hufu_device" {
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge < 365*24*3600 || c.Path != "/" {
					t.Errorf("%+v", c)
				}
				cookie = c.Value
			}
		}
		if len(cookie) < 20 {
			t.Fatalf("the device is %q", cookie)
		}
		buy := func(phone, n string) reply {
			f := guest.checkout("duo", n)
			f.Set("phone", phone)
			return guest.post("/checkout/duo", f)
		}
		if r := buy("13700000001", "2"); r.StatusCode != http.StatusSeeOther {
			t.Fatal(r.StatusCode)
		}
		if r := buy("13700000002", "1"); r.StatusCode != http.StatusConflict || !strings.Contains(said(r), "You have bought 2 and may buy 0 more") {
			t.Errorf("another phone on one device: %d", r.StatusCode)
		}
		at, _ := url.Parse(s.server.URL)
		if all := guest.client.Jar.Cookies(at); !strings.Contains(all[0].Value+all[len(all)-1].Value, cookie) {
			t.Error("the device changed")
		}
		stored := 0
		if err := d.View(t.Context(), func(tx *db.Tx) error {
			return tx.Query(t.Context(), devices, func(scan func(...any) error) error {
				var name string
				err := scan(&name)
				if stored++; strings.Contains(name, cookie) {
					t.Error("the secret of a device is stored")
				}
				return err
			})
		}); err != nil || stored == 0 {
			t.Errorf("%d devices, %v", stored, err)
		}
		// The last of all.
		last := s.browser("en")
		f = last.checkout("duo", "2")
		f.Set("phone", "13700000009")
		if r := last.post("/checkout/duo", f); r.StatusCode != http.StatusConflict || !strings.Contains(said(r), "4 are sold and 1 are left") {
			t.Errorf("more than all: %d", r.StatusCode)
		}
	})
}
