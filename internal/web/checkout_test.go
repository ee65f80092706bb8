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
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/order"
)

// lastOrder is the order this browser placed last, by its own list.
func (b *browser) lastOrder() id.Order {
	b.t.Helper()
	m := regexp.MustCompile(`href="/orders/(ord_[0-9a-z]{26})"`).FindStringSubmatch(b.get("/orders").body)
	if m == nil {
		b.t.Fatal("the browser has no order")
	}
	return id.Order(m[1])
}

// wrong is a form with everything wrong that a shopper can get wrong.
func (b *browser) wrong(slug string) url.Values {
	f := b.checkout(slug, "2")
	f.Set("phone", "12")
	f.Set("email", "lin@")
	f.Del("agree")
	f.Del("pay")
	return f
}

// From the window to the code, on both databases, with the gateway's notice lost: coming
// back from the cashier the gateway is asked, and its answer delivers.
func TestPurchase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")

		offer := b.get("/offers/duo")
		for _, want := range []string{"¥36", ".90", "¥73.80", "account of alpha", "scope of beta", "validity of beta", "how to use alpha", "refund of beta", "Separate accounts on each platform", "Why this price?"} {
			if !strings.Contains(offer.body, want) {
				t.Errorf("the offer's page doesn't say %q", want)
			}
		}
		form := b.checkout("duo", "2")
		placed := b.post("/checkout/duo", form)
		if placed.StatusCode != http.StatusSeeOther {
			t.Fatalf("place: %d %s", placed.StatusCode, placed.body)
		}
		o := b.lastOrder()
		found := s.Look(t, o)
		line := found.Lines[0]
		if found.Phone != "+8613800138000" || found.Email != "lin@example.com" || found.Channel != "web" || found.Lang != "en" || found.Total != money.Of(7380, money.CNY) {
			t.Errorf("the order is %+v", found)
		}
		if len(line.Acknowledged) != 64 || line.Acknowledged != form.Get("terms") {
			t.Errorf("the accepted terms are on record as %q", line.Acknowledged)
		}

		pay := b.get("/orders/" + string(o) + "/pay")
		if pay.StatusCode != http.StatusOK || pay.Header.Get("Refresh") != "0; url="+s.cashier.url || !strings.Contains(pay.body, "https://pay.example/cashier?no=1") {
			t.Errorf("the way to the cashier: %d %q", pay.StatusCode, pay.Header.Get("Refresh"))
		}
		// The address the shopper comes back to proves nothing (S25).
		back := b.get("/orders/" + string(o) + "/paying?paid=true&state=PAID&amount=7380")
		if back.StatusCode != http.StatusOK || !strings.Contains(back.body, "Please don&#39;t pay twice") || s.Look(t, o).State != order.Pending {
			t.Fatalf("an address paid the order: %d %s", back.StatusCode, s.Look(t, o).State)
		}
		if _, ok := s.Gateway.Pay(s.intent(o), found.Total); !ok {
			t.Fatal("the charge is closed")
		}
		s.Time.Advance(flow.PollEvery) // the gateway may be asked again
		back = b.get("/orders/" + string(o) + "/paying")
		if back.StatusCode != http.StatusSeeOther || back.Header.Get("Location") != "/orders/"+string(o) || s.Look(t, o).State != order.Fulfilled {
			t.Fatalf("after paying: %d to %q, order %s", back.StatusCode, back.Header.Get("Location"), s.Look(t, o).State)
		}

		page := b.get("/orders/" + string(o))
		if !strings.Contains(page.body, "It&#39;s a match") || strings.Count(page.body, `class="ticket ticket-held"`) != 4 {
			t.Error("the delivery isn't shown with its four tickets")
		}
		if again := b.get("/orders/" + string(o)); strings.Contains(again.body, "It&#39;s a match") {
			t.Error("the moment comes twice")
		}

		// Without the distinct act nothing is shown.
		refused := b.post("/orders/"+string(o)+"/reveal", url.Values{})
		if refused.StatusCode != http.StatusBadRequest || strings.Contains(refused.body, `class="code-text"`) {
			t.Errorf("codes without confirmation: %d", refused.StatusCode)
		}
		rights := s.Held(t, o)
		if rights[0].State != entitlement.Held {
			t.Errorf("a right is %s before its code was shown", rights[0].State)
		}
		secret := s.secret(rights[0])
		for _, path := range []string{"/orders/" + string(o), "/orders/" + string(o) + "/reveal", "/wallet", "/rights/" + string(rights[0].ID), "/me/export"} {
			if strings.Contains(plain(b.get(path).body), secret) {
				t.Errorf("%s shows the code", path)
			}
		}
		one := b.post("/orders/"+string(o)+"/reveal", url.Values{"right": {string(rights[0].ID)}, "agree": {"1"}})
		if one.StatusCode != http.StatusOK || !strings.Contains(plain(one.body), secret) || strings.Count(one.body, `class="code-text"`) != 1 || !strings.Contains(one.body, "data:image/png;base64,") {
			t.Fatalf("the code isn't shown: %d", one.StatusCode)
		}
		private(t, "codes", one)
		if r := s.Held(t, o); r[0].State != entitlement.Revealed || r[1].State != entitlement.Held {
			t.Errorf("after revealing one: %s, %s", r[0].State, r[1].State)
		}
		again := b.post("/orders/"+string(o)+"/reveal?right="+string(rights[0].ID), url.Values{})
		if again.StatusCode != http.StatusOK || !strings.Contains(plain(again.body), secret) {
			t.Errorf("what was revealed can't be shown again: %d", again.StatusCode)
		}
		path := b.get("/rights/" + string(rights[0].ID))
		if strings.Count(path.body, "Code revealed") != 2 || !strings.Contains(path.body, "Nothing is missing") {
			t.Error("the path of the right doesn't tell of both showings")
		}
		if strings.Contains(s.log.String(), secret) {
			t.Error("the code is in the log (S14)")
		}
	})
}

// plain is a page's text without the markup that sets a code's digits apart.
func plain(body string) string {
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(regexp.MustCompile(`<span class="sep">-</span>`).ReplaceAllString(body, ""), "")
}

// secret is the code behind a right.
func (s *shop) secret(r *entitlement.Right) string {
	s.t.Helper()
	var out string
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		sealed, err := s.Flows.Codes.SealedOf(s.t.Context(), tx, []id.Right{r.ID})
		if err != nil {
			return err
		}
		rec, err := s.Keys.Open(sealed[r.ID].Code, sealed[r.ID].Sealed)
		out = string(rec.Code)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if out == "" {
		s.t.Fatal("the right has no code")
	}
	return strings.ReplaceAll(out, "-", "")
}

// A form that isn't right comes back as it was filled, each problem beside its field.
func TestCheckoutKeepsWhatWasTyped(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	for _, lang := range []string{"zh-CN", "en"} {
		b := s.browser(lang)
		r := b.post("/checkout/duo", b.wrong("duo"))
		sound(t, "checkout", r, lang)
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("a wrong form: %d", r.StatusCode)
		}
		for _, want := range []string{`value="12"`, `value="lin@"`, `id="phone-error"`, `id="email-error"`, `href="#agree"`, `name="n" value="2"`} {
			if !strings.Contains(r.body, want) {
				t.Errorf("the form lacks %s", want)
			}
		}
	}
	if s.count() != 0 {
		t.Error("an order came of it")
	}
}

// What no form of ours sends is refused, and orders nothing (S18, S36).
func TestQuantitiesAreStrict(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	for _, n := range []string{"", "0", "-1", "1.5", "1e9", "1000000000", "6", "+1", "0x1", "１", "1 1", "99999999999999999999"} {
		f := b.checkout("duo", "1")
		f.Set("n", n)
		if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest {
			t.Errorf("quantity %q: %d", n, r.StatusCode)
		}
		if n != "" {
			if r := b.get("/checkout/duo?n=" + url.QueryEscape(n)); r.StatusCode != http.StatusBadRequest {
				t.Errorf("quantity %q in the address: %d", n, r.StatusCode)
			}
		}
	}
	f := b.checkout("duo", "1")
	f["n"] = []string{"1", "2"}
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest {
		t.Errorf("two quantities: %d", r.StatusCode)
	}
	f = b.checkout("duo", "1")
	f["n[]"] = f["n"]
	f.Del("n")
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest {
		t.Errorf("an array: %d", r.StatusCode)
	}
	if s.count() != 0 {
		t.Fatal("an order came of it")
	}
	// A price from outside is compared (S19); other figures are read by nobody (S17).
	f = b.checkout("duo", "1")
	f.Set("price", "1")
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusConflict || s.count() != 0 {
		t.Errorf("another price than the offer's: %d", r.StatusCode)
	}
	f = b.checkout("duo", "1")
	for _, name := range []string{"total", "amount", "unit_price", "discount", "currency", "party", "state"} {
		f.Set(name, "1")
	}
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusSeeOther || s.Look(t, b.lastOrder()).Total.Minor != 3690 {
		t.Errorf("a price from outside: %d", r.StatusCode)
	}
}

// Sent twice, a form is one order; sent with other contents, it is refused.
func TestOneFormIsOneOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")
		f := b.checkout("duo", "1")
		first, second := b.post("/checkout/duo", f), b.post("/checkout/duo", f)
		if first.Header.Get("Location") == "" || first.Header.Get("Location") != second.Header.Get("Location") || s.count() != 1 {
			t.Errorf("one form led to %q and %q", first.Header.Get("Location"), second.Header.Get("Location"))
		}
		// Also when by then nothing is left, or the price is another: the answer is the first one.
		s.republish("duo", func(c *catalogue.Content) { c.Price = money.Of(4200, money.CNY) })
		if late := b.post("/checkout/duo", f); late.Header.Get("Location") != first.Header.Get("Location") {
			t.Errorf("one form, sent again after a change: %d", late.StatusCode)
		}
		f.Set("n", "2")
		third := b.post("/checkout/duo", f)
		if third.StatusCode != http.StatusConflict || !strings.Contains(third.body, "You have submitted this already") || s.count() != 1 {
			t.Errorf("the key with another body: %d", third.StatusCode)
		}
		if fresh := third.fields(); fresh.Get("idempotency_key") == f.Get("idempotency_key") || fresh.Get("phone") == "" {
			t.Error("the form doesn't come back with a fresh key and what was typed")
		}
		// Nor is anything else about the offer asked again: how many one may buy, whether it is sold.
		f = b.checkout("duo", "3")
		f.Del("email")
		first = b.post("/checkout/duo", f)
		f.Set("email", "lin@")
		if other := b.post("/checkout/duo", f); other.StatusCode != http.StatusConflict || s.count() != 2 {
			t.Errorf("the key with an address that is none: %d", other.StatusCode)
		}
		f.Del("email")
		s.republish("duo", func(c *catalogue.Content) { c.MaxPerOrder = 2 })
		if late := b.post("/checkout/duo", f); late.StatusCode != http.StatusSeeOther || late.Header.Get("Location") != first.Header.Get("Location") {
			t.Errorf("one form, sent again when fewer may be bought at once: %d", late.StatusCode)
		}
		s.archive("duo")
		if late := b.post("/checkout/duo", f); late.StatusCode != http.StatusSeeOther || late.Header.Get("Location") != first.Header.Get("Location") || s.count() != 2 {
			t.Errorf("one form, sent again when the offer is gone: %d, %d orders", late.StatusCode, s.count())
		}
		f.Set("idempotency_key", "another-0123456789")
		if fresh := b.post("/checkout/duo", f); fresh.StatusCode != http.StatusNotFound || s.count() != 2 {
			t.Errorf("a first form for an offer that is gone: %d, %d orders", fresh.StatusCode, s.count())
		}
	})
}

// Two browsers that send the same short key, and the same form, share no order.
func TestAShortKeySharesNoOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		for range 2 {
			b := s.browser("en")
			f := b.checkout("duo", "1")
			if own := f.Get("idempotency_key"); len(own) < 26 { // 26 letters of base32 are 130 bits
				t.Errorf("the form's own key has %d letters", len(own))
			}
			f.Set("idempotency_key", "1")
			if a := b.post("/checkout/duo", f); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || !strings.Contains(a.body, "12") {
				t.Errorf("a short key: %d, leads to %q", a.StatusCode, a.Header.Get("Location"))
			}
		}
		if s.count() != 0 {
			t.Errorf("%d orders", s.count())
		}
	})
}

// archive takes an offer out of the shop.
func (s *shop) archive(slug string) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		o, err := s.Catalogue.OfferBySlug(s.t.Context(), tx, slug)
		if err != nil {
			return err
		}
		_, err = s.Catalogue.SetState(s.t.Context(), tx, o, catalogue.Archived, s.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

// republish changes an offer's draft and puts it on sale.
func (s *shop) republish(slug string, change func(*catalogue.Content)) {
	s.t.Helper()
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		o, err := s.Catalogue.OfferBySlug(s.t.Context(), tx, slug)
		if err != nil {
			return err
		}
		change(&o.Draft)
		_, _, err = s.Catalogue.Publish(s.t.Context(), tx, o, "system", s.Clock.Now())
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

// A price that changed while the form was filled is shown, and asked about again (S19).
func TestPriceChangedAsksAgain(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	f := b.checkout("duo", "1")
	s.republish("duo", func(c *catalogue.Content) { c.Price = money.Of(4200, money.CNY) })
	r := b.post("/checkout/duo", f)
	if r.StatusCode != http.StatusConflict || !strings.Contains(r.body, "The price is now ¥42.00") || s.count() != 0 {
		t.Fatalf("%d, %d orders", r.StatusCode, s.count())
	}
	again := r.fields()
	if again.Get("phone") != "138 0013 8000" || again.Get("price") != "4200" {
		t.Errorf("the form comes back with %v", again)
	}
	again.Set("agree", "1")
	again.Set("accounts", "1")
	if r := b.post("/checkout/duo", again); r.StatusCode != http.StatusSeeOther || s.Look(t, b.lastOrder()).Total.Minor != 4200 {
		t.Errorf("the new price can't be accepted: %d", r.StatusCode)
	}
}

// Terms that changed meanwhile are not those that were accepted.
func TestTermsChangedAskAgain(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	f := b.checkout("duo", "1")
	s.republish("duo", func(c *catalogue.Content) { c.MaxPerOrder = 4 })
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusConflict || !strings.Contains(r.body, "The terms have changed") || s.count() != 0 {
		t.Errorf("%d, %d orders", r.StatusCode, s.count())
	}
	f = b.checkout("duo", "1")
	f.Set("terms", strings.Repeat("0", 64))
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusConflict || s.count() != 0 {
		t.Errorf("terms nobody showed: %d", r.StatusCode)
	}
}

func TestWhatCannotBeBoughtSaysWhy(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	for slug, want := range map[string]string{"soon": "Not on sale yet", "paused": "Not on sale at the moment", "out": "Sold out"} {
		if r := b.get("/offers/" + slug); !strings.Contains(r.body, want) || strings.Contains(r.body, `action="/checkout/`) {
			t.Errorf("%s doesn't say %q, or can be bought", slug, want)
		}
		r := b.post("/checkout/"+slug, b.checkout(slug, "1"))
		if r.StatusCode != http.StatusConflict || !strings.Contains(r.body, `value="138 0013 8000"`) {
			t.Errorf("%s: %d", slug, r.StatusCode)
		}
	}
	if s.count() != 0 {
		t.Error("an order came of it")
	}
}

// A cashier that doesn't answer costs nothing: the order stays and can be paid again.
func TestCashierDown(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	o := b.place("duo", "1")
	s.cashier.down = true
	if r := b.get("/orders/" + string(o) + "/pay"); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(r.body, "nothing was charged") || r.Header.Get("Refresh") != "" {
		t.Errorf("%d", r.StatusCode)
	}
	s.cashier.down = false
	for _, bad := range []string{"javascript:alert(1)", "//x", "ftp://x/", "https://x/;y", "https://x/\" onclick"} {
		s.cashier.url = bad
		if r := b.get("/orders/" + string(o) + "/pay"); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Refresh") != "" {
			t.Errorf("the cashier %q: %d", bad, r.StatusCode)
		}
	}
	s.cashier.url = "https://pay.example/"
	if r := b.get("/orders/" + string(o) + "/pay"); r.StatusCode != http.StatusOK {
		t.Errorf("%d", r.StatusCode)
	}
	s.Time.Advance(16 * 60e9)
	if r := b.get("/orders/" + string(o) + "/pay"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("an order whose time is over leads to the cashier: %d", r.StatusCode)
	}
}

// What changes while a form is being handled is noticed where the order is made.
func TestWhatChangesMeanwhileAsksAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		b := s.browser("en")
		for _, c := range []struct {
			change func(*catalogue.Content)
			says   string
		}{
			{func(c *catalogue.Content) { c.MaxPerOrder = 4 }, "The terms have changed"},
			{func(c *catalogue.Content) { c.Price.Currency, c.List.Currency = money.USD, money.USD }, "The price is now $"},
		} {
			f := b.checkout("duo", "1")
			once := true
			d.SetHooks(db.Hooks{Stmt: func(name string) error {
				if name == "order.by_key" && once {
					once = false
					s.republish("duo", c.change)
				}
				return nil
			}})
			r := b.post("/checkout/duo", f)
			d.SetHooks(db.Hooks{})
			if once || r.StatusCode != http.StatusConflict || !strings.Contains(r.body, c.says) || s.count() != 0 {
				t.Errorf("%q: %d, %d orders", c.says, r.StatusCode, s.count())
			}
			if again := r.fields(); again.Get("terms") == f.Get("terms") && again.Get("version") == f.Get("version") {
				t.Errorf("%q: the form comes back as it was", c.says)
			}
		}
	})
}
