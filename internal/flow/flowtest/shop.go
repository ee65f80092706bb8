// Package flowtest gives tests a whole shop on a real database: offers, stocks, codes, a
// clock in the hand and a payment channel in memory.
package flowtest

import (
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/ledger"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/vault"
)

// Begin is where the clock of a shop stands at first.
var Begin = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// Shop is a shop on one database.
type Shop struct {
	*flow.Flows
	Time    *clock.Fake
	Gateway *Gateway
	KeyFile string
}

// New opens a shop on a migrated database.
func New(t testing.TB, d *db.DB) *Shop {
	t.Helper()
	s := &Shop{Time: clock.NewFake(Begin), KeyFile: filepath.Join(t.TempDir(), "keys")}
	s.Gateway = NewGateway(s.Time)
	if _, err := vault.CreateKeyFile(s.KeyFile, Begin); err != nil {
		t.Fatal(err)
	}
	s.Flows = s.Process(t, d)
	return s
}

// Process is the flows as another process has them, with its own memory; d may be another
// connection to the same database.
func (s *Shop) Process(t testing.TB, d *db.DB) *flow.Flows {
	t.Helper()
	master, err := vault.OpenKeyFile(s.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Unlock(t.Context(), d, master, Begin)
	if err != nil {
		t.Fatal(err)
	}
	f := flow.New(d, s.Time, flow.Islands{
		Catalogue: catalogue.NewService(), Inventory: inventory.NewService(), Orders: &order.Service{}, Payments: &payment.Service{},
		Rights: &entitlement.Service{}, Ledger: ledger.NewService(), Codes: vault.NewPool(), Keys: keys,
	})
	f.Gateways = map[string]paygate.Gateway{Channel: s.Gateway}
	return f
}

// Part is a part of an offer to be made.
type Part struct {
	Stock    id.Stock // "" is without limit
	Coded    bool
	Quantity int64
	Kind     string            // of benefit; "" is membership
	Fields   map[string]string // its attributes, where Kind is set
}

// Offer is an offer on sale.
type Offer struct {
	ID      id.Offer
	Version id.OfferVersion
	Price   int64
	Parts   []Part
	Limit   id.Stock
}

// Needs is how many units of which stocks one unit takes.
func (o Offer) Needs() map[id.Stock]int64 {
	need := map[id.Stock]int64{}
	if o.Limit != "" {
		need[o.Limit]++
	}
	for _, p := range o.Parts {
		if p.Stock != "" {
			need[p.Stock] += p.Quantity
		}
	}
	return need
}

var serial atomic.Int64

// Stock makes an empty stock.
func (s *Shop) Stock(t testing.TB, kind string) id.Stock {
	t.Helper()
	var stock id.Stock
	s.do(t, func(tx *db.Tx) error {
		made, err := s.Inventory.Create(t.Context(), tx, "stock "+strconv.FormatInt(serial.Add(1), 10)+" "+string(id.New[id.Stock]()), kind, 0, s.Clock.Now())
		if err == nil {
			stock = made.ID
		}
		return err
	})
	return stock
}

// Receive puts units into a counted stock.
func (s *Shop) Receive(t testing.TB, stock id.Stock, n int64) {
	t.Helper()
	s.do(t, func(tx *db.Tx) error {
		book, err := s.Inventory.Open(t.Context(), tx, []id.Stock{stock}, nil)
		if err != nil {
			return err
		}
		book.Sign("ops", "")
		book.Receive(stock, n)
		return s.Inventory.Save(t.Context(), tx, book, s.Clock.Now())
	})
}

// Codes puts generated codes into a stock.
func (s *Shop) Codes(t testing.TB, stock id.Stock, n int64) *vault.Batch {
	t.Helper()
	b, err := s.GenerateCodes(t.Context(), flow.Generate{Stock: stock, Name: "batch", Issuer: "hufu", Format: vault.DefaultFormat, Count: n, By: "ops"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sell puts an offer on sale. limit is the offer's own stock, "" for none.
func (s *Shop) Sell(t testing.TB, price int64, limit id.Stock, parts ...Part) Offer {
	t.Helper()
	out := Offer{Price: price, Parts: parts, Limit: limit}
	text := func(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }
	now := s.Clock.Now()
	s.do(t, func(tx *db.Tx) error {
		name := "o" + strconv.FormatInt(serial.Add(1), 10) + string(id.New[id.Offer]())[4:]
		c := catalogue.Content{Title: text(name), Summary: text("s"), Price: money.Of(price, money.CNY), MaxPerOrder: 10, Stock: limit}
		for i, p := range parts {
			kind, fields := p.Kind, p.Fields
			if kind == "" {
				kind, fields = "membership", map[string]string{"days": "30"}
			}
			b, err := s.Catalogue.PutBenefit(t.Context(), tx, catalogue.Benefit{
				Slug: name + "-" + strconv.Itoa(i), Kind: kind, Provider: catalogue.Provider{Key: "p", Name: text("P")}, Name: text("VIP"),
				Attributes: fields, ValidDays: 30, Stock: p.Stock, Coded: p.Coded,
				Disclosure: catalogue.Disclosure{AccountType: text("a"), Scope: text("s"), Devices: text("d"), Validity: text("v"), HowToUse: text("h"), Refund: text("r")},
			}, "system", now)
			if err != nil {
				return err
			}
			c.Parts = append(c.Parts, catalogue.Part{Benefit: b, Quantity: p.Quantity})
		}
		o, err := s.Catalogue.Create(t.Context(), tx, catalogue.Offer{Slug: name, Category: "video", Draft: c}, now)
		if err != nil {
			return err
		}
		if o, _, err = s.Catalogue.Publish(t.Context(), tx, o, "system", now); err != nil {
			return err
		}
		o, err = s.Catalogue.SetState(t.Context(), tx, o, catalogue.Live, now)
		out.ID, out.Version = o.ID, o.VersionID
		return err
	})
	return out
}

// Limit puts limits on an offer on sale, in a version that sells from now on.
func (s *Shop) Limit(t testing.TB, o Offer, limits ...catalogue.Limit) Offer {
	t.Helper()
	return s.Change(t, o, func(c *catalogue.Content) { c.Limits = limits })
}

// Change changes an offer on sale, in a version that sells from now on.
func (s *Shop) Change(t testing.TB, o Offer, change func(c *catalogue.Content)) Offer {
	t.Helper()
	s.do(t, func(tx *db.Tx) error {
		now := s.Clock.Now()
		was, err := s.Catalogue.Offer(t.Context(), tx, o.ID)
		if err != nil {
			return err
		}
		change(&was.Draft)
		is, _, err := s.Catalogue.Publish(t.Context(), tx, was, "system", now)
		o.Version = is.VersionID
		return err
	})
	return o
}

// Want is how many of an offer somebody orders.
type Want struct {
	Offer    Offer
	Quantity int64
	Picks    order.Picks
}

// Order is the command to place an order under a fresh idempotency key, paid at the
// shop's channel.
func Order(wants ...Want) flow.Place {
	key := string(id.New[id.Order]())
	c := flow.Place{Request: order.KeyOf{Scope: "test", Key: key}, RequestHash: []byte(key), Lang: "en", Channel: "shop", Gateway: Channel, Phone: "13800000000"}
	for _, w := range wants {
		c.Lines = append(c.Lines, flow.PlaceLine{Offer: w.Offer.ID, Quantity: w.Quantity, Picks: w.Picks})
	}
	return c
}

// Buy places an order and pays it, and returns it as it was placed.
func (s *Shop) Buy(t testing.TB, wants ...Want) flow.Placed {
	t.Helper()
	p, err := s.Place(t.Context(), Order(wants...))
	if err != nil {
		t.Fatal(err)
	}
	notice, ok := s.Gateway.Pay(p.Intent, p.Intent.Amount)
	if !ok {
		t.Fatal("the charge is closed")
	}
	if _, err := s.Confirm(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	return p
}

// Look loads an order as it is now.
func (s *Shop) Look(t testing.TB, o id.Order) *order.Order {
	t.Helper()
	var found *order.Order
	err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		var err error
		found, err = s.Orders.One(t.Context(), tx, o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Units loads a stock as it is now.
func (s *Shop) Units(t testing.TB, stock id.Stock) inventory.Stock {
	t.Helper()
	var found inventory.Stock
	err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := s.Inventory.Stocks(t.Context(), tx, []id.Stock{stock})
		if err == nil {
			found = *all[stock]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Held loads the rights of an order.
func (s *Shop) Held(t testing.TB, o id.Order) []*entitlement.Right {
	t.Helper()
	var found []*entitlement.Right
	err := s.DB.View(t.Context(), func(tx *db.Tx) error {
		all, err := s.Rights.OfOrders(t.Context(), tx, []id.Order{o})
		found = all[o]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (s *Shop) do(t testing.TB, fn func(tx *db.Tx) error) {
	t.Helper()
	if err := s.DB.Do(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
