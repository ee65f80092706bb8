package api

import (
	"testing"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Staff declare what a benefit means for another; a member is told of it with the quote, and
// an order that has to be acknowledged is placed by who sends the hash of what was told.
func TestRelationsOverTheAPI(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner, wei := r.owner(), r.member("13800000001")
		offer, _ := r.coded(9)
		fields := func(more ...any) map[string]any {
			text := map[string]any{"zh": "会员", "en": "Membership"}
			b := map[string]any{"key": "line", "kind": "extends", "name": text, "from": map[string]any{"provider": "p"}, "severity": "acknowledge"}
			for i := 0; i+1 < len(more); i += 2 {
				b[more[i].(string)] = more[i+1]
			}
			return b
		}
		staff := func(method, path string, body any) request {
			return request{method: method, path: "/staff" + path, token: owner.token, body: body}
		}
		r.do(staff("POST", "/relations", fields("kind", "needs"))).want(400, "catalogue.content")
		r.do(staff("POST", "/relations", fields())).want(201, "")
		r.do(staff("POST", "/relations", fields())).want(409, "catalogue.relation_taken")
		change := fields("version", 1, "ever", false)
		delete(change, "key")
		if is := r.do(staff("PUT", "/relations/line", change)).want(200, ""); is.at("version") != 2.0 {
			t.Errorf("saved as %s", is.text)
		}
		r.do(staff("PUT", "/relations/line", change)).want(409, "catalogue.edited")
		r.do(staff("PUT", "/relations/none", change)).want(404, "catalogue.no_relation")
		if all := r.do(staff("GET", "/relations", nil)).want(200, ""); len(all.items()) != 1 {
			t.Errorf("listed %s", all.text)
		}
		if inner := r.do(staff("GET", "/offers/"+string(offer.ID)+"/conflicts", nil)).want(200, ""); len(inner.items()) != 0 {
			t.Errorf("one part has %s", inner.text)
		}

		quote := request{method: "POST", path: "/quotes", token: wei.token, lang: "en", body: map[string]any{"lines": []any{map[string]any{"offer": offer.ID, "quantity": 1}}}}
		if q := r.do(quote).want(200, ""); q.at("conflicts_hash") != nil {
			t.Errorf("nothing is held: %s", q.text)
		}
		r.buy(offer.ID, wei.token)
		q := r.do(quote).want(200, "")
		hash := q.str("conflicts_hash")
		if told, _ := q.at("conflicts").([]any); len(told) != 1 || hash == "" {
			t.Fatalf("told %s", q.text)
		}
		place := func(key string, more ...any) request {
			return request{method: "POST", path: "/orders", key: key, token: wei.token, body: r.placeBody(offer.ID, 1, more...)}
		}
		if refused := r.do(place("without-the-hash")).want(409, "order.conflict_unread"); len(refused.wrong()) != 1 || refused.wrong()[0] != "conflicts order.conflict_one" {
			t.Errorf("refused with %s", refused.text)
		}
		r.do(place("another-hash", "conflicts", "x")).want(409, "order.conflict_changed")
		guest := place("a-guest-holds-nothing")
		guest.token = ""
		r.do(guest).want(201, "")
		o := r.do(place("with-the-hash", "conflicts", hash)).want(201, "")
		if err := r.DB.View(t.Context(), func(tx *db.Tx) error {
			kept, _, err := r.Orders.Acknowledged(t.Context(), tx, id.Order(o.str("id")))
			if kept.Hash != hash || kept.Text == "" {
				t.Errorf("kept %+v", kept)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.do(staff("POST", "/relations/line/remove", map[string]any{"version": 1})).want(409, "catalogue.edited")
		r.do(staff("POST", "/relations/line/remove", map[string]any{"version": 2})).want(204, "")
		r.do(place("nothing-declared")).want(201, "")
	})
}
