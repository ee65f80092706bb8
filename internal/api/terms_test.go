package api

import (
	"context"
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/money"
)

// republish changes an offer and the first benefit in it, and puts the change on sale.
func (r *rig) republish(offer id.Offer, change func(*catalogue.Content, *catalogue.Benefit)) {
	r.t.Helper()
	r.in(func(ctx context.Context, tx *db.Tx) error {
		o, err := r.Catalogue.Offer(ctx, tx, offer)
		if err != nil {
			return err
		}
		b := o.Draft.Parts[0].Benefit
		change(&o.Draft, &b)
		if o.Draft.Parts[0].Benefit, err = r.Catalogue.PutBenefit(ctx, tx, b, "system", r.Clock.Now()); err != nil {
			return err
		}
		if o, err = r.Catalogue.Save(ctx, tx, o, r.Clock.Now()); err != nil {
			return err
		}
		_, _, err = r.Catalogue.Publish(ctx, tx, o, "system", r.Clock.Now())
		return err
	})
}

// Terms, price and channel are those of the moment an order is made: others refuse it. An
// order that was made is answered again whatever changed since (I18).
func TestWhatWasShownAndARepeat(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		offer, _ := r.coded(9)
		seen := r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "")
		line := map[string]any{"offer": offer.ID, "quantity": 1, "version": seen.str("version"), "unit_price": 1990, "terms": seen.str("terms")}
		body := map[string]any{"gateway": flowtest.Channel, "phone": "13800001234", "lines": []any{line}}
		key := r.key()
		first := r.do(request{method: "POST", path: "/orders", key: key, body: body}).want(201, "")
		again := func(when string) {
			t.Helper()
			a := r.do(request{method: "POST", path: "/orders", key: key, body: body})
			if a.status != 201 || a.str("id") != first.str("id") || a.header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s the accepted order is answered %d %s", when, a.status, a.text)
			}
		}
		r.republish(offer.ID, func(_ *catalogue.Content, b *catalogue.Benefit) {
			b.Disclosure.Refund = catalogue.Text{ZH: "other", EN: "other"}
		})
		stale := r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.terms")
		if w := stale.wrong(); len(w) != 1 || w[0] != "lines[0].terms order.terms" {
			t.Errorf("%v", w)
		}
		again("after other terms")
		delete(line, "terms")
		r.do(request{method: "POST", path: "/orders", body: body}).want(400, "request.invalid")
		line["terms"] = r.terms(offer.ID)
		delete(line, "unit_price")
		r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.price_changed")
		delete(line, "version")
		r.do(request{method: "POST", path: "/orders", body: body}).want(201, "")
		for _, price := range []int{1, 5000} {
			for _, version := range []any{nil, r.do(request{method: "GET", path: "/offers/" + string(offer.ID)}).want(200, "").str("version")} {
				if line["unit_price"] = price; version != nil {
					line["version"] = version
				}
				r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.price_changed")
				delete(line, "version")
			}
		}
		line["version"], line["unit_price"], line["terms"] = seen.str("version"), 1990, seen.str("terms")
		again("once the other terms were sold")
		r.republish(offer.ID, func(c *catalogue.Content, b *catalogue.Benefit) {
			c.Price, b.Disclosure.Refund = money.Of(1990, money.USD), catalogue.Text{ZH: "r", EN: "r"}
		})
		r.do(request{method: "POST", path: "/orders", body: body}).want(409, "order.price_changed")
		again("after another currency")
		delete(r.Flows.Gateways, flowtest.Channel)
		r.do(request{method: "POST", path: "/orders", body: body}).want(400, "order.gateway")
		again("after its channel was taken away")
	})
}
