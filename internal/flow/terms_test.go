package flow_test

import (
	"slices"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/flowtest"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/order"
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
			{"a version nobody was shown", "ofv_never", 1000, nil, "order.terms"},
			{"another offer's version", other.Version, 1000, nil, "order.terms"},
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
		sheet := terms.In(i18n.EN, versionOf(t, s, o.Version).Content)
		c.Lines[0].Acknowledged = sheet.Hash
		first, err := s.Place(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if kept := keptTerms(t, s)[sheet.Hash]; kept.Body != sheet.Text || kept.Lang != "en" || !kept.KeptAt.Equal(s.Clock.Now()) {
			t.Errorf("%+v is kept of %+v", kept, sheet)
		}
		republish(t, s, o.ID, func(c *catalogue.Content) { c.MaxPerOrder-- })
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
		if n := len(keptTerms(t, s)); n != 1 {
			t.Errorf("%d texts are kept", n)
		}
		if u := s.Units(t, stock); u.Reserved != 2 {
			t.Errorf("%d units are held", u.Reserved)
		}
	})
}

func versionOf(t *testing.T, s *flowtest.Shop, v id.OfferVersion) *catalogue.Version {
	t.Helper()
	var found map[id.OfferVersion]*catalogue.Version
	if err := s.DB.View(t.Context(), func(tx *db.Tx) (err error) {
		found, err = s.Catalogue.Versions(t.Context(), tx, []id.OfferVersion{v})
		return err
	}); err != nil || found[v] == nil {
		t.Fatalf("%s: %v", v, err)
	}
	return found[v]
}

// keptTerms are all texts that are kept, by their hashes.
func keptTerms(t *testing.T, s *flowtest.Shop) map[string]order.Terms {
	t.Helper()
	var hashes []string
	var out map[string]order.Terms
	if err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		hashes = nil
		if err := tx.Query(t.Context(), allTerms, func(scan func(...any) error) error {
			var h string
			err := scan(&h)
			hashes = append(hashes, h)
			return err
		}); err != nil {
			return err
		}
		var err error
		out, err = s.Orders.Terms(t.Context(), tx, hashes)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

var allTerms = db.SQL("test.all_terms", `SELECT hash FROM order_terms`)

// A text is kept once, with its first order, by whichever process places it; an order that
// isn't placed keeps nothing, and one whose text is known asks for nothing.
func TestATextIsKeptOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var asked []string
		s := flowtest.New(t, d)
		stock := s.Stock(t, inventory.Counted)
		s.Receive(t, stock, 3)
		o := s.Sell(t, 1000, "", flowtest.Part{Stock: stock, Quantity: 1})
		content := versionOf(t, s, o.Version).Content
		accepts := func(l i18n.Lang, n int64) flow.Place {
			c := flowtest.Order(flowtest.Want{Offer: o, Quantity: n})
			c.Lines[0].Acknowledged = terms.In(l, content).Hash
			return c
		}
		if _, err := s.Place(t.Context(), accepts(i18n.ZH, 4)); fault.CodeOf(err) != "order.sold_out" || len(keptTerms(t, s)) != 0 {
			t.Errorf("an order that isn't placed: %v, %d texts", err, len(keptTerms(t, s)))
		}
		first := s.Clock.Now()
		if _, err := s.Place(t.Context(), accepts(i18n.ZH, 1)); err != nil {
			t.Fatal(err)
		}
		s.Time.Advance(time.Minute)
		if _, err := s.Process(t, d).Place(t.Context(), accepts(i18n.ZH, 1)); err != nil {
			t.Fatalf("another process: %v", err)
		}
		d.SetHooks(db.Hooks{Stmt: func(name string) error { asked = append(asked, name); return nil }})
		if _, err := s.Place(t.Context(), accepts(i18n.ZH, 1)); err != nil {
			t.Fatal(err)
		}
		d.SetHooks(db.Hooks{})
		if slices.ContainsFunc(asked, func(name string) bool { return name == "order.terms" || name == "order.keep_terms" }) {
			t.Errorf("a known text is asked for: %v", asked)
		}
		kept := keptTerms(t, s)
		if zh := kept[terms.In(i18n.ZH, content).Hash]; len(kept) != 1 || !zh.KeptAt.Equal(first) {
			t.Errorf("%d texts are kept, since %v", len(kept), zh.KeptAt)
		}
	})
}

// Words that a shopper didn't read may change while they order; what they get may not, nor
// what they read.
func TestTheTextAcceptedDecides(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := flowtest.New(t, d)
		o := s.Sell(t, 1000, "", flowtest.Part{Quantity: 1})
		hash := terms.In(i18n.ZH, versionOf(t, s, o.Version).Content).Hash
		for _, step := range []struct {
			name   string
			change func(*catalogue.Benefit)
			want   string
		}{
			{"another refund in English", func(b *catalogue.Benefit) { b.Disclosure.Refund.EN = "None." }, ""},
			{"more days", func(b *catalogue.Benefit) { b.ValidDays += 7 }, "order.terms"},
			{"the same again", func(b *catalogue.Benefit) { b.ValidDays -= 7 }, ""},
			{"another refund in Chinese", func(b *catalogue.Benefit) { b.Disclosure.Refund.ZH = "不退" }, "order.terms"},
		} {
			republishBenefit(t, s, o.ID, step.change)
			c := flowtest.Order(flowtest.Want{Offer: o, Quantity: 1})
			c.Lines[0].Expect, c.Lines[0].ExpectPrice, c.Lines[0].Acknowledged = o.Version, 1000, hash
			if _, err := s.Place(t.Context(), c); fault.CodeOf(err) != step.want {
				t.Errorf("%s: %v, want %q", step.name, err, step.want)
			}
		}
	})
}

// republishBenefit changes the benefit of an offer's first part and puts the change on sale.
func republishBenefit(t *testing.T, s *flowtest.Shop, offer id.Offer, change func(*catalogue.Benefit)) {
	t.Helper()
	var b catalogue.Benefit
	if err := s.DB.Do(t.Context(), func(tx *db.Tx) error {
		o, err := s.Catalogue.Offer(t.Context(), tx, offer)
		if err != nil {
			return err
		}
		present, err := s.Catalogue.Benefits(t.Context(), tx, []id.Benefit{o.Draft.Parts[0].Benefit.ID})
		if err != nil {
			return err
		}
		b = present[o.Draft.Parts[0].Benefit.ID]
		change(&b)
		_, err = s.Catalogue.PutBenefit(t.Context(), tx, b, "system", s.Clock.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	republish(t, s, offer, func(c *catalogue.Content) { c.Parts[0].Benefit = b })
}
