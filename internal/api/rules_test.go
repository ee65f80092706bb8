package api

import "testing"

// Staff check a rule, and are told who would qualify.
func TestRulesOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		staff := func(method, path string, body any) request {
			return request{method: method, path: "/staff" + path, token: owner.token, lang: "en", body: body}
		}
		good := r.do(staff("POST", "/rules/check", map[string]any{"text": `customer.level == "gold" and customer.orders == 0`})).want(200, "")
		if all, _ := good.at("clauses").([]any); len(all) != 2 {
			t.Errorf("says %s", good.text)
		}
		bad := r.do(staff("POST", "/rules/check", map[string]any{"text": "customer.order == 0"})).want(200, "")
		if all, _ := bad.at("problems").([]any); len(all) != 1 || all[0].(map[string]any)["to"] != 14.0 {
			t.Errorf("says %s", bad.text)
		}
		r.do(staff("POST", "/rules/preview", map[string]any{"rules": []any{map[string]any{"text": "nonsense =="}}})).want(400, "catalogue.content")
		if who := r.do(staff("POST", "/rules/preview", map[string]any{"rules": []any{map[string]any{"text": "customer.orders == 0"}}})).want(200, ""); who.at("all") != 0.0 || who.at("as_of") != nil {
			t.Errorf("before anybody was counted: %s", who.text)
		}
	})
}
