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
)

// A right that is chosen later says until when and what it becomes otherwise; its page offers
// the options, and what was chosen is there. Those of later months say their day.
func TestHoldersChooseLater(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.packs("year", "", catalogue.Choice{Pick: 1, Later: true, Days: 5, Release: catalogue.Release{Every: catalogue.EveryMonth, Count: 3}})
		b := s.browser("en")
		if r := b.get("/offers/year"); !strings.Contains(said(r), "Given once a month, 3 times · The first comes as soon as you have paid") && !strings.Contains(said(r), "Last on 1 Aug") {
			t.Errorf("the dates aren't told: %s", said(r))
		}
		o := b.place("year", "1")
		s.pay(o)
		var now, later *entitlement.Right
		for _, r := range s.Held(t, o) {
			switch r.Waits {
			case entitlement.WaitChoice:
				now = r
			case entitlement.WaitRelease:
				later = r
			}
		}
		at := "/rights/" + string(now.ID)
		for _, page := range []string{"/wallet", "/orders/" + string(o), at} {
			if text := said(b.get(page)); !strings.Contains(text, "Yours to choose") || !strings.Contains(text, "otherwise you get: Benefit year-two") {
				t.Errorf("%s: %s", page, text)
			}
		}
		if text := said(b.get("/wallet")); !strings.Contains(text, "Comes on 1 Jul; you choose then") {
			t.Errorf("the next: %s", text)
		}
		r := b.get(at + "/choose")
		if r.StatusCode != http.StatusOK || strings.Count(r.body, `type="radio" name="pick.pick"`) != 3 || !strings.Contains(r.body, "disabled") || strings.Contains(r.body, " checked") {
			t.Fatalf("%d %s", r.StatusCode, said(r))
		}
		if r := b.get("/rights/" + string(later.ID) + "/choose"); r.StatusCode != http.StatusSeeOther {
			t.Errorf("what comes later can be chosen: %d", r.StatusCode)
		}
		if r := b.post(at+"/choose", nil); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `id="pick.pick-error"`) {
			t.Errorf("nothing chosen: %d", r.StatusCode)
		}
		if r := b.post(at+"/choose", url.Values{"pick.pick": {"3"}}); r.StatusCode != http.StatusConflict || !strings.Contains(r.body, "is sold out just now") || !strings.Contains(r.body, `id="pick.pick-error"`) {
			t.Errorf("a sold out option: %d", r.StatusCode)
		}
		for _, stranger := range []*browser{s.browser("en"), s.browser("zh-CN")} {
			if r := stranger.get(at + "/choose"); r.StatusCode != http.StatusNotFound {
				t.Errorf("a stranger sees the choice: %d", r.StatusCode)
			}
			if r := stranger.post(at+"/choose", url.Values{"pick.pick": {"2"}}); r.StatusCode != http.StatusNotFound {
				t.Errorf("a stranger chooses: %d", r.StatusCode)
			}
		}
		for range 2 { // the same again is answered as the first was
			if r := b.post(at+"/choose", url.Values{"pick.pick": {"2"}}); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != at {
				t.Fatalf("%d %s", r.StatusCode, said(r))
			}
		}
		if text := said(b.get(at)); !strings.Contains(text, "Benefit year-three") || !strings.Contains(text, "Option chosen") {
			t.Errorf("it isn't what was chosen: %s", text)
		}
		if r := b.post(at+"/choose", url.Values{"pick.pick": {"1"}}); r.StatusCode != http.StatusConflict {
			t.Errorf("another choice: %d", r.StatusCode)
		}
	})
}

// Who holds a right activates it; its page says what that begins, and until when it runs after.
func TestHoldersActivate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		s.republish("duo", func(c *catalogue.Content) {
			c.Parts[0].Validity = catalogue.Validity{From: catalogue.FromActivation, Days: 30, Within: 90}
		})
		b := s.browser("en")
		o := b.place("duo", "1")
		s.pay(o)
		var at, other string
		for _, r := range s.Held(t, o) {
			if r.Clock.From != "" {
				at = "/rights/" + string(r.ID)
			} else {
				other = "/rights/" + string(r.ID)
			}
		}
		if text := said(b.get(at)); !strings.Contains(text, "It counts for 30 days from now") || !strings.Contains(text, "to be begun by 30 Aug") {
			t.Errorf("%s", text)
		}
		if r := s.browser("en").post(at+"/activate", nil); r.StatusCode != http.StatusNotFound {
			t.Errorf("a stranger: %d", r.StatusCode)
		}
		if r := b.post(other+"/activate", nil); r.StatusCode != http.StatusConflict {
			t.Errorf("what isn't activated: %d", r.StatusCode)
		}
		for range 2 {
			if r := b.post(at+"/activate", nil); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != at {
				t.Fatalf("%d %s", r.StatusCode, said(r))
			}
		}
		if text := said(b.get(at)); strings.Contains(text, "Activate now") || !strings.Contains(text, "Valid until 1 Jul") {
			t.Errorf("%s", text)
		}
	})
}

// What a pick means for what its holder has stands beside the option; a pick that has to be
// confirmed is asked about before it is made, and one that is forbidden can't be picked.
func TestAPickIsChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.packs("later", "", catalogue.Choice{Pick: 1, Later: true, Days: 5})
		if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
			for part, severity := range map[string]catalogue.Severity{"later-two": catalogue.Acknowledge, "later-three": catalogue.Block} {
				if _, err := s.Catalogue.PutRelation(t.Context(), tx, catalogue.Relation{Key: part, Kind: catalogue.Needs, Severity: severity, Name: text("Line of " + part),
					From: catalogue.Side{Provider: "a", Slug: part}, To: catalogue.Side{Provider: "b"}}, "system", s.Clock.Now()); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		b := s.browser("en")
		if r := b.get("/offers/later"); strings.Contains(said(r), "Line of later-two") || !strings.Contains(said(r), "checked then against what you hold") {
			t.Errorf("before the purchase: %s", said(r))
		}
		o := b.place("later", "1")
		s.pay(o)
		var at string
		for _, r := range s.Held(t, o) {
			if r.Waits == entitlement.WaitChoice {
				at = "/rights/" + string(r.ID)
			}
		}
		if text := said(b.get("/orders/" + string(o))); strings.Contains(text, "Everything has arrived") || !strings.Contains(text, "what it waits for") {
			t.Errorf("an order with something to pick is told as complete: %s", text)
		}
		if text := said(b.get("/orders")); !strings.Contains(text, "not all there yet") {
			t.Errorf("the list tells an order with something to pick as complete: %s", text)
		}
		r := b.get(at + "/choose")
		if text := said(r); !strings.Contains(text, "Line of later-two") || !strings.Contains(text, "Line of later-three") || strings.Contains(text, "choose this all the same") || !strings.Contains(r.body, `value="2" disabled`) {
			t.Fatalf("the options say nothing: %s", text)
		}
		if r := b.post(at+"/choose", url.Values{"pick.pick": {"2"}}); r.StatusCode != http.StatusConflict || !strings.Contains(said(r), "be chosen so") {
			t.Errorf("a forbidden one: %d %s", r.StatusCode, said(r))
		}
		r = b.post(at+"/choose", url.Values{"pick.pick": {"1"}})
		box := regexp.MustCompile(`name="conflicts"[^>]*value="([0-9a-f]{64})"`).FindStringSubmatch(r.body)
		if r.StatusCode != http.StatusConflict || box == nil || !strings.Contains(said(r), "choose this all the same") || !strings.Contains(r.body, `value="1" checked`) {
			t.Fatalf("not asked: %d %s", r.StatusCode, r.body)
		}
		if r := b.post(at+"/choose", url.Values{"pick.pick": {"1"}, "conflicts": {strings.Repeat("0", 64)}}); r.StatusCode != http.StatusConflict {
			t.Errorf("what was confirmed is something else: %d", r.StatusCode)
		}
		if r := b.post(at+"/choose", url.Values{"pick.pick": {"1"}, "conflicts": {box[1]}}); r.StatusCode != http.StatusSeeOther {
			t.Errorf("confirmed: %d %s", r.StatusCode, said(r))
		}
		if text := said(b.get(at)); !strings.Contains(text, "Option chosen") || !strings.Contains(text, "Line of later-two") {
			t.Errorf("what was confirmed isn't kept in sight: %s", text)
		}
		if r := b.get("/orders/" + string(o) + "/evidence"); !strings.Contains(said(r), "Line of later-two") || strings.Count(r.body, box[1]) != 1 {
			t.Errorf("the evidence doesn't tell once what was confirmed of the pick: %s", said(r))
		}
	})
}
