package api

import (
	"testing"
	"time"
)

// A version is scheduled, compared with what is sold, takes over, and an offer is duplicated.
func TestVersionsOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		offer, _ := r.coded(3)
		at := "/staff/offers/" + string(offer.ID)
		staff := func(method, path string, body any) request {
			return request{method: method, path: path, token: owner.token, body: body}
		}
		is := r.do(staff("GET", at, nil)).want(200, "")
		draft := is.at("draft").(map[string]any)
		draft["price"] = map[string]any{"minor": 1234, "currency": "CNY"}
		delete(draft, "list_price")
		saved := r.do(staff("PUT", at, map[string]any{"revision": is.at("revision"), "category": "video", "draft": draft})).want(200, "")
		when := r.Shop.Clock.Now().Add(time.Minute).Format(time.RFC3339)
		r.do(staff("POST", at+"/schedule", map[string]any{"revision": saved.at("revision"), "at": r.Shop.Clock.Now().Format(time.RFC3339)})).want(400, "catalogue.content")
		r.do(staff("POST", at+"/schedule", map[string]any{"revision": 1, "at": when})).want(409, "catalogue.edited")
		s := r.do(staff("POST", at+"/schedule", map[string]any{"revision": saved.at("revision"), "at": when})).want(200, "")
		if s.at("next.version") != 2.0 || s.at("version") != 1.0 {
			t.Errorf("scheduled %s", s.text)
		}
		d := r.do(staff("GET", at+"/differences?to=2", nil)).want(200, "")
		if len(d.items()) == 0 || d.str("items.0.kind") != "altered" {
			t.Errorf("differs in %s", d.text)
		}
		r.do(staff("GET", at+"/differences?to=9", nil)).want(404, "catalogue.no_version")
		u := r.do(staff("POST", at+"/unschedule", map[string]any{"revision": s.at("revision")})).want(200, "")
		r.do(staff("POST", at+"/unschedule", map[string]any{"revision": u.at("revision")})).want(409, "catalogue.nothing_scheduled")
		s = r.do(staff("POST", at+"/schedule", map[string]any{"revision": u.at("revision"), "at": when})).want(200, "")
		r.Shop.Time.Advance(time.Minute)
		if sold := r.do(staff("GET", at, nil)).want(200, ""); sold.at("version") != 3.0 || sold.at("next") != nil {
			t.Errorf("a minute later: %s", sold.text)
		}
		c := r.do(staff("POST", at+"/duplicate", map[string]any{"slug": "copied"})).want(201, "")
		if c.str("state") != "draft" || c.at("version") != 0.0 {
			t.Errorf("copied as %s", c.text)
		}
		r.do(staff("POST", at+"/duplicate", map[string]any{"slug": "copied"})).want(409, "catalogue.slug_taken")
	})
}
