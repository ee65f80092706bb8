package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/order"
	"hufu/internal/pricing"
)

// walk goes over rows in the order of their key, a page at a time.
type walk func(context.Context, *hand) error

// page is how many rows of the walked table are in memory at once; tests make it small.
var page = 1000

var (
	pageOfOrders = db.SQL("verify.orders", `SELECT o.id, o.state, o.currency, o.total, o.created_at, o.paid_at, o.closed_at, o.history,
COALESCE(l.id, ''), COALESCE(l.offer_id, ''), COALESCE(l.version_id, ''), COALESCE(l.quantity, 0), COALESCE(l.unit_price, 0), COALESCE(l.amount, 0), COALESCE(l.quote, ''), COALESCE(l.picks, ''), COALESCE(l.delivered, 0), COALESCE(l.counted, 0), COALESCE(l.under, ''), COALESCE(l.acknowledged, '')
FROM (SELECT * FROM orders WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) o LEFT JOIN order_lines l ON l.order_id = o.id ORDER BY o.id, l.id`)
	pageOfHoldings = db.SQL("verify.holdings", `SELECT line_id, part, stock, later, kept, COUNT(*), SUM(share) FROM (SELECT r.line_id, r.part, COALESCE(c.stock_id, '') AS stock, r.share, CASE WHEN r.waits IN ('release','choice') THEN 1 ELSE 0 END AS later,
COALESCE(CASE WHEN r.waits IN ('release','choice') THEN (SELECT v.stock_id FROM reservations v WHERE v.right_id = r.id AND v.right_id <> '' AND v.state = 'live') END, '') AS kept
FROM (SELECT id FROM orders WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) o JOIN rights r ON r.order_id = o.id AND r.state <> 'refunded' LEFT JOIN codes c ON c.id = r.code_id) h GROUP BY line_id, part, stock, later, kept`)
	liveUnits       = db.SQL("verify.live_units", `SELECT stock_id, SUM(quantity) FROM reservations WHERE id > $1 AND id <= $2 AND state = 'live' GROUP BY stock_id`)
	stocksReserved  = db.SQL("verify.stocks_reserved", `SELECT id, reserved FROM stocks ORDER BY id`)
	stocksDelivered = db.SQL("verify.stocks_delivered", `SELECT id, delivered FROM stocks ORDER BY id`)
)

// sold is what a version promised and at which price.
type sold struct {
	offer   id.Offer
	content catalogue.Content
}

// version loads what a version says; nil when there is none.
func (h *hand) version(ctx context.Context, v id.OfferVersion) (*sold, error) {
	if s, ok := h.versions[v]; ok {
		return s, nil
	}
	found, err := h.catalogue.Versions(ctx, h.tx, []id.OfferVersion{v})
	if err != nil {
		return nil, err
	}
	if len(h.versions) > 20_000 {
		clear(h.versions)
	}
	got := found[v]
	if got == nil {
		h.versions[v] = nil
		return nil, nil
	}
	s := &sold{offer: got.Offer, content: got.Content}
	h.versions[v] = s
	return s, nil
}

type walkedOrder struct {
	id                    string
	state                 order.State
	currency, history     string
	total                 int64
	created, paid, closed time.Time
	lines                 []walkedLine
}

type walkedLine struct {
	id, quote, under, picks, accepted  string
	offer                              id.Offer
	version                            id.OfferVersion
	quantity, price, amount, delivered int64
	counted                            int64
}

// holding is rights of one line that come from one part and hold a code of one stock.
type holding struct {
	part        int64
	stock       id.Stock
	later       bool     // they are released or picked later
	kept        id.Stock // of the units promised to them
	n, ofAmount int64
}

// orders walks over the orders of a stretch, for I6, I8, I9, I16, I17, I27, I29 and I31.
func orders(ctx context.Context, h *hand, at stretch) error {
	low, high := at.of("ord")
	delivered := map[id.Stock]int64{}
	defer h.delivered.add(delivered)
	counted := map[string]int64{}
	defer h.tallies.add(counted)
	for {
		found, err := h.ordersAfter(ctx, low, high)
		if err != nil || len(found) == 0 {
			return err
		}
		held := map[string][]holding{}
		if err := h.tx.Query(ctx, pageOfHoldings, func(scan func(...any) error) error {
			var line string
			var later int64
			var at holding
			err := scan(&line, &at.part, &at.stock, &later, &at.kept, &at.n, &at.ofAmount)
			at.later = later == 1
			held[line] = append(held[line], at)
			return err
		}, low, high, page); err != nil {
			return err
		}
		for _, o := range found {
			if err := h.order(ctx, o, held, delivered); err != nil {
				return err
			}
			for _, l := range o.lines {
				if l.under != "" {
					h.count(l, counted)
				}
			}
		}
		for line := range held {
			h.bad("I6", "count", line, "rights of no line")
		}
		h.looked(rowsOfOrder * int64(len(found)))
		if low = found[len(found)-1].id; len(found) < page {
			return nil
		}
	}
}

// delivered compares what each stock has delivered with the lines of all orders.
func delivered(ctx context.Context, h *hand) error {
	return h.tx.Query(ctx, stocksDelivered, func(scan func(...any) error) error {
		var stock id.Stock
		var n int64
		err := scan(&stock, &n)
		if got := h.delivered.of[stock]; err == nil && n != got {
			h.bad("I8", "units", string(stock), fmt.Sprintf("delivered=%d lines=%d", n, got))
		}
		return err
	})
}

// reservations counts the live ones of a stretch, for I8.
func reservations(ctx context.Context, h *hand, at stretch) error {
	low, high := at.of("rsv")
	live := map[id.Stock]int64{}
	defer h.live.add(live)
	return h.tx.Query(ctx, liveUnits, func(scan func(...any) error) error {
		var stock id.Stock
		var n int64
		err := scan(&stock, &n)
		live[stock] += n
		return err
	}, low, high)
}

// reserved compares what each stock has reserved with all live reservations.
func reserved(ctx context.Context, h *hand) error {
	return h.tx.Query(ctx, stocksReserved, func(scan func(...any) error) error {
		var stock id.Stock
		var n int64
		err := scan(&stock, &n)
		if got := h.live.of[stock]; err == nil && n != got {
			h.bad("I8", "reserved", string(stock), fmt.Sprintf("reserved=%d live=%d", n, got))
		}
		return err
	})
}

func (h *hand) ordersAfter(ctx context.Context, low, high string) ([]*walkedOrder, error) {
	out := make([]*walkedOrder, 0, page)
	err := h.tx.Query(ctx, pageOfOrders, func(scan func(...any) error) error {
		var o walkedOrder
		var l walkedLine
		if err := scan(&o.id, &o.state, &o.currency, &o.total, db.Time(&o.created), db.Time(&o.paid), db.Time(&o.closed), &o.history,
			&l.id, &l.offer, &l.version, &l.quantity, &l.price, &l.amount, &l.quote, &l.picks, &l.delivered, &l.counted, &l.under, &l.accepted); err != nil {
			return err
		}
		if n := len(out); n == 0 || out[n-1].id != o.id {
			out = append(out, &o)
		}
		if l.id != "" {
			at := out[len(out)-1]
			at.lines = append(at.lines, l)
		}
		return nil
	}, low, high, page)
	return out, err
}

// order judges one order. What it accounts for is taken out of held and added to delivered.
func (h *hand) order(ctx context.Context, o *walkedOrder, held map[string][]holding, delivered map[id.Stock]int64) error {
	h.history(o)
	if len(o.lines) == 0 {
		h.bad("I29", "empty", o.id, "state="+string(o.state))
	}
	var total int64
	for _, l := range o.lines {
		total += l.amount
		if err := h.accepted(ctx, l); err != nil {
			return err
		}
		v, err := h.version(ctx, l.version)
		if err != nil {
			return err
		}
		if v == nil || v.offer != l.offer {
			h.bad("I29", "version", l.id, "version="+string(l.version))
		}
		if v == nil {
			continue
		}
		h.price(o, l, v)
		if v.content.Stock != "" {
			delivered[v.content.Stock] += l.delivered
		}
		h.holdings(o, l, v, held[l.id], delivered)
		delete(held, l.id)
	}
	if total != o.total {
		h.bad("I31", "total", o.id, fmt.Sprintf("total=%d lines=%d", o.total, total))
	}
	return nil
}

// holdings compares the rights of a line with what its version promised for what was picked.
// The units they took are added to delivered.
func (r *run) holdings(o *walkedOrder, l walkedLine, v *sold, held []holding, delivered map[id.Stock]int64) {
	picks, err := order.ParsePicks(l.picks)
	if err != nil || v.content.CheckPicks(picks, "") != nil {
		r.bad("I6", "picks", l.id, fmt.Sprintf("order=%s picks=%s", o.id, l.picks))
		return
	}
	want := map[string]int64{} // by fixed part, picked option, or choice made later
	name := func(part int64) string {
		if part < 0 || part >= int64(len(v.content.Parts)) {
			return "?"
		}
		if ch := v.content.ChoiceOf(int(part)); ch != nil && ch.Later {
			return "choice=" + ch.Key
		}
		return "part=" + strconv.FormatInt(part, 10)
	}
	for _, g := range v.content.Gifts(picks, o.created) {
		want[name(int64(g.Part))] += g.Quantity * int64(len(g.Times)) * l.delivered
	}
	var shares int64
	for _, at := range held {
		shares += at.ofAmount
		of := name(at.part)
		if want[of] -= at.n; of == "?" {
			continue
		}
		b := v.content.Parts[at.part].Benefit
		code, kept := id.Stock(""), id.Stock("")
		switch {
		case at.later:
			kept = b.Stock
		case b.Coded:
			code = b.Stock
		}
		if at.stock != code {
			r.bad("I6", "count", l.id, fmt.Sprintf("order=%s part=%d rights=%d with codes of %q", o.id, at.part, at.n, at.stock))
		}
		if at.kept != kept {
			r.bad("I10", "kept", l.id, fmt.Sprintf("order=%s part=%d rights=%d promised units of %q", o.id, at.part, at.n, at.kept))
		}
		if !at.later && b.Stock != "" {
			delivered[b.Stock] += at.n
		}
	}
	for _, of := range slices.Sorted(maps.Keys(want)) {
		if n := want[of]; n != 0 {
			r.bad("I6", "count", l.id, fmt.Sprintf("order=%s %s rights short of the promise=%d", o.id, of, n))
		}
	}
	if shares != l.delivered*l.price {
		r.bad("I31", "shares", l.id, fmt.Sprintf("order=%s shares=%d delivered=%d price=%d", o.id, shares, l.delivered, l.price))
	}
}

// history follows the order's states and compares their moments with the order's columns.
func (r *run) history(o *walkedOrder) {
	steps, ok := order.ParseHistory(o.history)
	if !ok || !order.PathOf(steps, o.state) {
		r.bad("I16", "path", o.id, "state="+string(o.state))
		return
	}
	var paid, closed time.Time
	for _, s := range steps {
		switch s.State {
		case order.Cancelled, order.Expired:
			closed = s.At
		case order.Fulfilled, order.Part, order.Shortage:
			if paid.IsZero() {
				paid = s.At
			}
		}
	}
	if !steps[0].At.Equal(o.created) || !paid.Equal(o.paid) || !closed.Equal(o.closed) {
		r.bad("I27", "order", o.id, fmt.Sprintf("paid_at=%d history=%d", db.Micros(o.paid), db.Micros(paid)))
	}
}

func (r *run) price(o *walkedOrder, l walkedLine, v *sold) {
	again, err := pricing.Recompute(l.quote)
	switch {
	case err != nil || again != l.price || l.amount != l.price*l.quantity:
		r.bad("I31", "quote", l.id, fmt.Sprintf("order=%s price=%d quote=%d", o.id, l.price, again))
	case v.content.Price.Minor != l.price || string(v.content.Price.Currency) != o.currency:
		r.bad("I31", "version", l.id, fmt.Sprintf("order=%s price=%d version=%d", o.id, l.price, v.content.Price.Minor))
	}
}
