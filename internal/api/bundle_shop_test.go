package api

import (
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
)

// A shopper is told what can be picked and what comes when, picks when ordering and later, and
// begins what counts from activation.
func TestABundleIsBoughtAndPicked(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		one := flowtest.Part{Quantity: 1}
		offer := r.Change(t, r.Sell(t, 9000, "", one, one, one, one, one), func(c *catalogue.Content) {
			name := catalogue.Text{ZH: "任选", EN: "Your pick"}
			c.Choices = []catalogue.Choice{{Key: "now", Name: name, Pick: 1}, {Key: "later", Name: name, Pick: 1, Later: true, Days: 9, Release: catalogue.Release{Every: catalogue.EveryDay, Count: 2}}}
			c.Parts[0].Validity = catalogue.Validity{From: catalogue.FromActivation, Days: 30, Within: 60}
			for i, key := range []string{"now", "now", "later", "later"} {
				c.Parts[i+1].Choice = key
			}
		})
		told := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "")
		if told.str("choices.0.key") != "now" || told.at("choices.1.options.1") != 4.0 || told.str("choices.1.release.every") != "day" || told.str("parts.0.validity.from") != "activation" || told.str("parts.4.choice") != "later" {
			t.Error(told.text)
		}
		order := func(picks ...any) request {
			body := r.placeBody(offer.ID, 1)
			line := body["lines"].([]any)[0].(map[string]any)
			if line["terms"] = told.str("terms"); picks != nil {
				line["picks"] = picks
			}
			return request{method: "POST", path: "/orders", body: body, key: r.key()}
		}
		pick := func(key string, parts ...int) any { return map[string]any{"choice": key, "parts": parts} }
		quoted := map[string]any{"lines": []any{map[string]any{"offer": offer.ID, "quantity": 1, "picks": []any{pick("now", 3)}}}}
		if refused := r.do(request{method: "POST", path: "/quotes", body: quoted}).want(400, "order.picks"); refused.str("errors.0.path") != "lines[0].picks" {
			t.Error(refused.text)
		}
		r.do(order()).want(400, "order.picks")
		r.do(order(pick("now", 1, 2))).want(400, "order.picks")
		r.do(order(pick("now", 1), pick("later", 3))).want(400, "order.picks_later")
		q := order(pick("now", 2))
		placed := r.do(q).want(201, "")
		r.do(q).want(201, "")
		other := q
		other.body = order(pick("now", 1)).body
		r.do(other).want(409, "idempotency.reused")
		if placed.str("lines.0.picks.0.choice") != "now" || placed.at("lines.0.picks.0.parts.0") != 2.0 {
			t.Error(placed.text)
		}
		mine := bought{id.Order(placed.str("id")), placed.str("token")}
		r.pay(mine.id)
		at := "/orders/" + string(mine.id)
		get := func() answer { return r.do(request{method: "GET", path: at, token: mine.token}).want(200, "") }
		rights := map[string]map[string]any{}
		for _, x := range get().at("rights").([]any) {
			right := x.(map[string]any)
			name := right["state"].(string)
			if w, ok := right["waits"].(string); ok {
				name = w
			}
			if right["begin"] != nil {
				name = "begin"
			}
			rights[name] = right
		}
		if len(rights) != 4 || rights["choice"]["pick"] != 1.0 || len(rights["choice"]["options"].([]any)) != 2 || rights["release"]["due_at"] == nil || rights["begin"]["due_at"] == nil {
			t.Fatalf("%v", rights)
		}
		var sum float64
		for _, right := range rights {
			sum += right["share"].(float64)
		}
		if sum != 9000 {
			t.Errorf("shares add up to %v", sum)
		}
		choose := func(right string, parts ...int) request {
			return request{method: "POST", path: at + "/rights/" + rights[right]["id"].(string) + "/choose", token: mine.token, body: map[string]any{"parts": parts}}
		}
		r.do(choose("release", 3)).want(409, "right.not_released")
		r.do(choose("held", 3)).want(409, "right.no_choice")
		r.do(choose("choice", 1)).want(400, "order.picks")
		if got := r.do(choose("choice", 4)).want(200, ""); got.at("items.0.part") != 4.0 || got.str("items.0.state") != "held" {
			t.Error(got.text)
		}
		if c := r.changes(func() { r.do(choose("choice", 4)).want(200, "") }); c != "" {
			t.Errorf("picking again changed %s", c)
		}
		r.do(choose("choice", 3)).want(409, "right.chosen")
		activate := func(right string) request {
			return request{method: "POST", path: at + "/rights/" + rights[right]["id"].(string) + "/activate", token: mine.token}
		}
		r.do(activate("held")).want(409, "right.not_activated_so")
		begun := r.do(activate("begin")).want(200, "")
		ends, err := time.Parse(time.RFC3339, begun.str("ends_at"))
		if err != nil || !ends.Equal(r.Shop.Clock.Now().AddDate(0, 0, 30)) || begun.at("begin") != nil {
			t.Error(begun.text)
		}
		if c := r.changes(func() { r.do(activate("begin")).want(200, "") }); c != "" {
			t.Errorf("activating again changed %s", c)
		}
	})
}
