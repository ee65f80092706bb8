package flow

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/order"
)

// Buyer is who buys, by everything that is known of them; what isn't known is "".
type Buyer struct {
	Party    id.Party
	Phone    string // that the order is placed with
	OwnPhone string // that the account has
	Device   string // the secret that a browser, or a partner's application, keeps
}

// names are what a buyer's purchases are counted under. Of a phone number and a device the
// database has only hashes here. A number that was merely typed counts apart from that of an
// account, until it is paid for: by placing orders nobody takes from its owner what is theirs.
func (b Buyer) names() []string {
	var out []string
	if b.Party != "" {
		out = append(out, "party:"+string(b.Party))
	}
	if b.OwnPhone != "" {
		out = append(out, "phone:"+hashed("phone", b.OwnPhone))
	}
	if b.Phone != "" && b.Phone != b.OwnPhone {
		out = append(out, "contact:"+hashed("phone", b.Phone))
	}
	if b.Device != "" {
		out = append(out, "device:"+hashed("device", b.Device))
	}
	return out
}

// hashed is 132 bits of SHA-256 over what is known of a buyer.
func hashed(kind, value string) string {
	h := sha256.Sum256([]byte("hufu.buyer." + kind + "\x00" + value))
	return base64.RawURLEncoding.EncodeToString(h[:])[:22]
}

// under is what units of an offer count under when they are bought, and the limit that each
// tally is of.
func under(offer id.Offer, limits []catalogue.Limit, channel string, who []string, now time.Time) (order.Under, map[string]catalogue.Limit) {
	u, of := order.Under{}, map[string]catalogue.Limit{}
	for _, l := range limits {
		if !l.Holds(channel) {
			continue
		}
		for _, scope := range l.Scopes(now, who) {
			name := string(offer) + "/" + scope
			u[name], of[name] = l.Max, l
		}
	}
	return u, of
}

// limit puts what a line counts under into it. An offer that is limited by person is sold to
// nobody of whom nothing is known.
func (w *placing) limit(l *order.Line, v *catalogue.Version, now time.Time) error {
	limits := v.Content.Limits
	if len(limits) == 0 {
		return nil
	}
	who := Buyer{w.Party, w.Phone, w.OwnPhone, w.Device}.names()
	for _, limit := range limits {
		if len(who) == 0 && limit.Of == catalogue.Person && limit.Holds(w.Channel) {
			offer := v.Content.Title.Param("offer")
			return fault.New(fault.Invalid, "order.limit_who", offer...).At("phone", "order.limit_who", offer...)
		}
	}
	l.Under, _ = under(l.Offer, limits, w.Channel, who, now)
	return nil
}

// lockTaken locks the stocks that orders take units of, and the tallies they count under or wait
// for each other at.
func (f *Flows) lockTaken(ctx context.Context, tx *db.Tx, stocks []id.Stock, names []string) (*inventory.Book, *order.Tallies, error) {
	book, err := f.Inventory.Ask(ctx, tx, stocks, nil)
	if err != nil {
		return nil, nil, err
	}
	limits, err := f.Orders.OpenTallies(ctx, tx, names)
	if err != nil {
		return nil, nil, err
	}
	return book, limits, f.Inventory.Complete(ctx, tx, book)
}

// within fails with order.limit when a line of an order is over a limit (限购).
func (w *placing) within(t *order.Tallies, sale map[id.Offer]catalogue.Sale, now time.Time) error {
	for _, l := range w.order.Lines {
		tally, reached, full := t.Full(l.Under, l.Quantity)
		if !full {
			continue
		}
		c := sale[l.Offer].Version.Content
		_, of := under(l.Offer, c.Limits, w.Channel, Buyer{w.Party, w.Phone, w.OwnPhone, w.Device}.names(), now)
		return overLimit(of[tally], c.Title, reached, now)
	}
	return nil
}

// overLimit says which limit an order is over, how many units of the offer were bought under
// it, how many are left, and when it begins anew.
func overLimit(l catalogue.Limit, title catalogue.Text, reached int64, now time.Time) error {
	params := []string{"case", l.Name(), "max", strconv.FormatInt(l.Max, 10), "bought", strconv.FormatInt(reached, 10),
		"left", strconv.FormatInt(max(l.Max-reached, 0), 10)}
	params = append(params, title.Param("offer")...)
	if next := l.Next(now); !next.IsZero() {
		params = append(params, "next", next.Format("2006-01-02 15:04"), "next_at", next.Format(time.RFC3339))
	}
	return fault.New(fault.Conflict, "order.limit", params...)
}

// Allowance is a limit and how it stands for a buyer.
type Allowance struct {
	catalogue.Limit
	Left  int64 // units that may still be bought under it; for nobody known, those of everybody
	Known bool  // whether Left is told of: a limit by person needs somebody known
}

// Allowances tells how the limits of an offer stand for a buyer in a channel at a moment. It may be out
// of date at once: only an order counts.
func (f *Flows) Allowances(ctx context.Context, tx *db.Tx, v *catalogue.Version, channel string, b Buyer, now time.Time) ([]Allowance, error) {
	who := b.names()
	u, _ := under(v.Offer, v.Content.Limits, channel, who, now)
	reached, err := f.Orders.Reached(ctx, tx, u.Names())
	if err != nil {
		return nil, err
	}
	var out []Allowance
	for _, l := range v.Content.Limits {
		if !l.Holds(channel) {
			continue
		}
		a := Allowance{Limit: l, Left: l.Max, Known: l.Of == catalogue.Everybody || len(who) > 0}
		for _, scope := range l.Scopes(now, who) {
			a.Left = min(a.Left, max(l.Max-reached[string(v.Offer)+"/"+scope], 0))
		}
		out = append(out, a)
	}
	return out, nil
}

// tallies are the names of all that the lines of orders count under.
func tallies(orders []*order.Order) []string {
	var out []string
	for _, o := range orders {
		for _, l := range o.Lines {
			out = append(out, l.Under.Names()...)
		}
	}
	return out
}
