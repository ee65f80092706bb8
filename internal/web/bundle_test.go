package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/rule"
)

// choices makes of an offer of four benefits a fixed one and two of three.
func (s *shop) packs(slug, words string, ch catalogue.Choice) {
	s.t.Helper()
	s.sell(slug, words, catalogue.Live, 3690, s.benefit(slug+"-one", "a", words, 30), s.benefit(slug+"-two", "a", words, 30), s.benefit(slug+"-three", "a", words, 30), s.benefit(slug+"-none", "a", words, 0))
	s.republish(slug, func(c *catalogue.Content) {
		ch.Key, ch.Name = "pick", text("Take some"+words)
		c.Choices = []catalogue.Choice{ch}
		for i := 1; i < len(c.Parts); i++ {
			c.Parts[i].Choice = "pick"
		}
	})
}

// What is picked on an offer's page travels into the form and the order; what isn't picked, or
// is sold out, is said beside the choice and nothing is lost.
func TestOptionsArePickedWhenOrdering(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.packs("pack", "", catalogue.Choice{Pick: 2})
		b := s.browser("en")
		r := b.get("/offers/pack")
		if got := strings.Count(r.body, `type="checkbox" name="pick.pick"`); got != 3 || !strings.Contains(r.body, `value="3" form="buy" disabled`) || !strings.Contains(r.body, "Sold out") {
			t.Fatalf("%d boxes: %s", got, r.body)
		}
		if r := b.get("/checkout/pack?n=1&pick.pick=1"); !strings.Contains(r.body, `value="1" checked`) || !strings.Contains(r.body, `href="#pick.pick"`) {
			t.Error("one of two isn't kept, or not told")
		}
		f := b.checkout("pack", "1")
		if r = b.post("/checkout/pack", f); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, "Please pick 2 different options of &#34;Take some&#34;") {
			t.Fatalf("nothing picked: %d", r.StatusCode)
		}
		f["pick.pick"] = []string{"1", "3"}
		if r = b.post("/checkout/pack", f); r.StatusCode != http.StatusConflict || !strings.Contains(r.body, `id="pick.pick-error"`) || !strings.Contains(r.body, `value="138 0013 8000"`) || !strings.Contains(r.body, `value="1" checked`) {
			t.Fatalf("a sold out option: %d %s", r.StatusCode, r.body)
		}
		f = b.checkout("pack", "1")
		f["pick.pick"] = []string{"2", "1"}
		if r = b.post("/checkout/pack", f); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		o := b.lastOrder()
		if got := s.Look(t, o).Lines[0].Picks.Text(); got != "pick:1,2" {
			t.Errorf("picked %q", got)
		}
		if r := b.post("/checkout/pack", f); r.Header.Get("Location") != "/orders/"+string(o)+"/pay" {
			t.Errorf("sent again: %d", r.StatusCode)
		}
		if r := b.get("/orders/" + string(o)); !strings.Contains(r.body, "Take some: Benefit pack-two, Benefit pack-three") {
			t.Errorf("the order doesn't say what was picked: %s", said(r))
		}
		f["pick.pick"] = []string{"1", "2", "3"}
		if r := b.post("/checkout/pack", f); r.StatusCode == http.StatusSeeOther || s.count() != 1 {
			t.Errorf("other picks with the same key: %d", r.StatusCode)
		}
		for _, bad := range [][]string{{"1", "1"}, {"x"}, {"-1"}, {"01"}} {
			f["pick.pick"] = bad
			if r := b.post("/checkout/pack", f); r.StatusCode != http.StatusBadRequest {
				t.Errorf("%v: %d", bad, r.StatusCode)
			}
			if r := b.get("/checkout/pack?" + url.Values{"pick.pick": bad}.Encode()); r.StatusCode != http.StatusBadRequest {
				t.Errorf("%v in the address: %d", bad, r.StatusCode)
			}
		}
	})
}

// That two providers have accounts apart is a box of its own, never ticked before.
func TestSeparateAccountsAreAcknowledged(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	f := b.checkout("duo", "1")
	f.Del("accounts")
	if r := b.get("/checkout/duo"); !strings.Contains(r.body, `name="accounts"`) || strings.Contains(r.body, `id="accounts" checked`) {
		t.Error("there is no box, or it is ticked")
	}
	if r := b.post("/checkout/duo", f); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `href="#accounts"`) || s.count() != 0 {
		t.Errorf("without the box: %d", r.StatusCode)
	}
	if r := b.get("/checkout/hostile"); strings.Contains(r.body, `name="accounts"`) {
		t.Error("one provider has a box")
	}
}

// What a rule says against a shopper is said on the offer's page, before they try.
func TestRulesAreToldBeforeTrying(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	s.republish("duo", func(c *catalogue.Content) {
		c.Rules = []catalogue.Issuing{{Name: text("Members only"), Source: rule.Source{Text: "customer.age_days >= 0"}}}
	})
	b := s.browser("en")
	if r := b.get("/offers/duo"); !strings.Contains(r.body, "Members only") || !strings.Contains(r.body, "/sign-in?to=%2Foffers%2Fduo") {
		t.Errorf("a guest isn't told: %s", said(r))
	}
	b.signIn("13900139000")
	if r := b.get("/offers/duo"); strings.Contains(r.body, "Members only") {
		t.Error("a member is refused")
	}
}

// Names that an enemy wrote are text wherever what one gets is told.
func TestBundlesOfAnEnemy(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.packs("bad", hostile, catalogue.Choice{Pick: 1, Later: true, Days: 5, Release: catalogue.Release{Every: catalogue.EveryMonth, Count: 3}})
	b := s.browser("en")
	for _, path := range []string{"/offers/bad", "/checkout/bad"} {
		if r := b.get(path); r.StatusCode != http.StatusOK || strings.Contains(r.body, "<img src=x") || strings.Contains(r.body, "<script>alert") || !strings.Contains(said(r), "Given once a month") {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}
