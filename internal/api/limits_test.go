package api

import (
	"regexp"
	"strings"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/flow/flowtest"
)

// An API caller is told the limits of an offer and what is left, and which one an order is
// over; a device counts by a secret that its application keeps.
func TestPurchaseLimitsOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer := r.Limit(t, r.Sell(t, 1990, "", flowtest.Part{Quantity: 1}), catalogue.Limit{Max: 2, Window: catalogue.Day, Of: catalogue.Person},
			catalogue.Limit{Max: 1, Window: catalogue.Ever, Channel: "web", Of: catalogue.Person}, catalogue.Limit{Max: 9, Window: catalogue.Ever, Channel: "api", Of: catalogue.Everybody})
		seen := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "")
		if seen.at("limits.0.max") != 2.0 || seen.str("limits.0.window") != "day" || seen.at("limits.1.left") != 9.0 || strings.Contains(seen.text, `"channel":"web"`) {
			t.Error(seen.text)
		}
		order := func(phone, device string, n int) request {
			body := map[string]any{"gateway": flowtest.Channel, "device": device, "lines": []any{map[string]any{"offer": offer.ID, "quantity": n, "terms": seen.str("terms")}}}
			if phone != "" {
				body["phone"] = phone
			}
			if device == "" {
				delete(body, "device")
			}
			return request{method: "POST", path: "/orders", key: r.key(), body: body}
		}
		const device = "a secret of the application"
		r.do(order("", "", 1)).want(400, "order.limit_who")
		r.do(order("13800001234", "short", 1)).want(400, "request.invalid")
		r.do(order("13800001234", device, 2)).want(201, "")
		for _, again := range []request{order("13800001234", "", 1), order("13800009999", device, 1), order("", device, 1)} {
			refused := r.do(again).want(409, "order.limit")
			if !strings.Contains(refused.str("detail"), "a day. You have bought 2 and may buy 0 more.") || !regexp.MustCompile(`^Each person may buy 2 of "[^"{}]+" a day`).MatchString(refused.str("detail")) || !strings.Contains(refused.str("detail"), "2026-06-02 00:00") {
				t.Error(refused.text)
			}
		}
		r.do(order("13800009999", "", 1)).want(201, "")
		if left := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "").at("limits.1.left"); left != 6.0 {
			t.Error(left)
		}
	})
}
