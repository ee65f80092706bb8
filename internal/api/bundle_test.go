package api

import (
	"encoding/json"
	"reflect"
	"testing"
)

// What is put of an offer and of a benefit comes back equal, every field of it, from the working
// copy and from the version that froze it.
func TestABundleComesBackAsItWasPut(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		w := newWorld(t, r)
		to := func(method, path string, body any) request {
			return request{method: method, path: path, token: w.owner.token, body: body}
		}
		fields := w.bodies["create-benefit"].(map[string]any)
		fields["worth"] = map[string]any{"minor": 2500, "currency": "CNY"}
		b := r.do(to("POST", "/staff/benefits", fields)).want(201, "")
		if b.at("worth.minor") != 2500.0 || b.str("worth.currency") != "CNY" {
			t.Error(b.text)
		}
		fields["slug"] = "walk-two"
		delete(fields, "worth")
		other := r.do(to("POST", "/staff/benefits", fields)).want(201, "")
		if other.at("worth") != nil {
			t.Error(other.text)
		}
		one, two := b.str("id"), other.str("id")
		var draft map[string]any
		if err := json.Unmarshal([]byte(`{"title":{"zh":"年卡","en":"Year card"},"summary":{"zh":"一","en":"s"},"description":{"zh":"二","en":"d"},"badge":{"zh":"三","en":"b"},
			"price":{"minor":12000,"currency":"CNY"},"list_price":{"minor":20000,"currency":"CNY"},"floor":{"minor":9900,"currency":"CNY"},"max_per_order":2,
			"limits":[{"max":2,"window":"day","of":"person"}],"room":{"per_minute":60,"minutes":5},
			"rules":[{"name":{"zh":"新客","en":"New"},"text":"customer.orders == 0","refusal":{"zh":"仅限新客","en":"New customers only"}}],
			"choices":[{"key":"month-gift","name":{"zh":"每月任选","en":"Pick each month"},"pick":1,"later":true,"days":20,"release":{"every":"month","count":12,"from":"2026-06-30T16:00:00Z","catch_up":true,"until":"2027-06-30T16:00:00Z"},"share":{"minor":2000,"currency":"CNY"}}],
			"parts":[{"quantity":1,"validity":{"from":"window","start":"2026-05-31T16:00:00Z","end":"2030-05-31T16:00:00Z"},"release":{"every":"week","count":4,"until":"2030-01-01T00:00:00Z"},"share":{"minor":9000,"currency":"CNY"}},
				{"quantity":2,"validity":{"from":"purchase","days":400},"share":{"minor":1000,"currency":"CNY"}},
				{"quantity":1,"choice":"month-gift","validity":{"from":"activation","days":31,"within":90}},
				{"quantity":1,"choice":"month-gift","validity":{"from":"first_use","days":7}}]}`), &draft); err != nil {
			t.Fatal(err)
		}
		for i, benefit := range []string{one, two, one, two} {
			draft["parts"].([]any)[i].(map[string]any)["benefit"] = benefit
		}
		o := r.do(to("POST", "/staff/offers", map[string]any{"slug": "year", "category": "video", "draft": draft})).want(201, "")
		at := "/staff/offers/" + o.str("id")
		same := func(what string, got any) {
			t.Helper()
			if !reflect.DeepEqual(got, any(draft)) {
				is, _ := json.MarshalIndent(got, "", " ")
				t.Errorf("%s is %s", what, is)
			}
		}
		read := r.do(to("GET", at, nil)).want(200, "")
		same("the working copy", read.at("draft"))
		again := r.do(to("PUT", at, map[string]any{"revision": 1, "category": "video", "draft": read.at("draft")})).want(200, "")
		same("what was read and put", again.at("draft"))
		r.do(to("POST", at+"/publish", map[string]any{"revision": 2})).want(200, "")
		same("the version", r.do(to("GET", at+"/versions", nil)).want(200, "").at("items.0.content"))

		part := draft["parts"].([]any)[0].(map[string]any)
		part["share"] = map[string]any{"minor": 9001, "currency": "CNY"}
		r.do(to("PUT", at, map[string]any{"revision": 3, "category": "video", "draft": draft})).want(200, "")
		if wrong := r.do(to("POST", at+"/publish", map[string]any{"revision": 4})).want(400, "catalogue.content"); wrong.str("errors.0.path") == "" {
			t.Error(wrong.text)
		}
		part["share"] = map[string]any{"minor": 9000, "currency": "ZZZ"}
		r.do(to("PUT", at, map[string]any{"revision": 4, "category": "video", "draft": draft})).want(400, "catalogue.content")
	})
}
