package flow_test

import (
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
)

// republish changes an offer and puts the change on sale.
func republish(t *testing.T, s *flowtest.Shop, offer id.Offer, change func(*catalogue.Content)) {
	t.Helper()
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		o, err := s.Catalogue.Offer(t.Context(), tx, offer)
		if err != nil {
			return err
		}
		change(&o.Draft)
		if o, err = s.Catalogue.Save(t.Context(), tx, o, s.Clock.Now()); err != nil {
			return err
		}
		_, _, err = s.Catalogue.Publish(t.Context(), tx, o, "system", s.Clock.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A price is an amount with its currency: ten yuan that became ten dollars are another price.
func TestThePriceShownIsThePricePaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 10)
		o := s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 1})
		asShown := func() error {
			c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
			c.Lines[0].Expect, c.Lines[0].ExpectPrice = o.Version, 1000
			_, err := s.Place(t.Context(), c)
			return err
		}
		for _, to := range []struct {
			price money.Amount
			want  string
		}{
			{money.Of(1000, money.CNY), ""}, {money.Of(1000, money.USD), "order.price_changed"}, {money.Of(1100, money.CNY), "order.price_changed"}, {money.Of(1000, money.CNY), ""},
		} {
			republish(t, s, o.ID, func(c *catalogue.Content) { c.Price = to.price })
			if err := asShown(); fault.CodeOf(err) != to.want {
				t.Errorf("shown 10.00 CNY, sold at %v: %v, want %q", to.price, err, to.want)
			}
		}
		republish(t, s, o.ID, func(c *catalogue.Content) { c.Summary.EN = "other" })
		other := s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 1})
		var now catalogue.Offer
		if err := d.View(t.Context(), func(tx *db.Tx) (err error) {
			now, err = s.Catalogue.Offer(t.Context(), tx, o.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name    string
			version id.OfferVersion
			price   int64
			change  func(*catalogue.Content)
			want    string
		}{
			{"a version nobody was shown", "ofv_never", 1000, nil, "order.price_changed"},
			{"another offer's version", other.Version, 1000, nil, "order.price_changed"},
			{"the version, less", now.VersionID, 1, nil, "order.price_changed"},
			{"the version, more", now.VersionID, 5000, nil, "order.price_changed"},
			{"the version, the price", now.VersionID, 1000, nil, ""},
			{"the version alone", now.VersionID, 0, nil, ""},
			{"less alone", "", 1, nil, "order.price_changed"},
			{"more alone", "", 5000, nil, "order.price_changed"},
			{"the price alone", "", 1000, nil, ""},
			{"an old version alone", o.Version, 0, nil, "order.price_changed"},
			{"an old version and the price", o.Version, 1000, nil, ""},
			{"an old version of other terms", o.Version, 1000, func(c *catalogue.Content) { c.MaxPerOrder-- }, "order.terms"},
		} {
			if c.change != nil {
				republish(t, s, o.ID, c.change)
			}
			p := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
			p.Lines[0].Expect, p.Lines[0].ExpectPrice = c.version, c.price
			if _, err := s.Place(t.Context(), p); fault.CodeOf(err) != c.want {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
		}
	})
}

// The terms that were accepted are those of the version that is bought, as the transaction
// finds it, or nothing is.
func TestTheTermsAcceptedAreThoseBought(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 10)
		o := s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 1})
		c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
		c.Lines[0].Acknowledged = "the first"
		c.Shown = func(v *catalogue.Version, terms string) bool { return (terms == "the first") == (v.ID == o.Version) }
		first, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		republish(t, s, o.ID, func(c *catalogue.Content) { c.Summary.EN = "other" })
		late := c
		late.Request.Key += "-late"
		if _, err := s.Place(t.Context(), late); fault.CodeOf(err) != "order.terms" || fault.From(err).Fields[0].Path != "lines[0].terms" {
			t.Errorf("terms of another version: %v", err)
		}
		again, err := s.Place(t.Context(), c)
		if err != nil || !again.Repeated || again.Order.ID != first.Order.ID {
			t.Errorf("the order that was accepted: %+v, %v", again, err)
		}
		none := late
		none.Lines = []flow.PlaceLine{late.Lines[0]}
		none.Lines[0].Acknowledged = ""
		if _, err := s.Place(t.Context(), none); err != nil {
			t.Errorf("who says nothing of terms: %v", err)
		}
		if u := s.Units(t, stock); u.Reserved != 2 {
			t.Errorf("%d units are held", u.Reserved)
		}
	})
}
