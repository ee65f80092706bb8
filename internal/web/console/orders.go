package console

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

var orderStates = []order.State{order.Pending, order.Fulfilled, order.Part, order.Shortage, order.Refunded, order.Cancelled, order.Expired}

func orders(_ *Console, v *visit) error { return v.orders(v.q("q"), v.q("state")) }

// findOrders searches for orders. What names one leads to an address that can be kept. A
// contact doesn't, nor what finds nothing: it may be a code, which must stand in no history
// and in no log of a proxy.
func findOrders(_ *Console, v *visit) error {
	q, state := v.f("q"), v.f("state")
	named := q == ""
	if q != "" && !isContact(q) {
		if err := v.view(func(tx *db.Tx) error {
			found, err := v.searchOrders(tx, q)
			named = len(found) > 0
			return err
		}); err != nil {
			return err
		}
	}
	if !named {
		return v.orders(q, state)
	}
	keep := url.Values{}
	for name, value := range map[string]string{"q": q, "state": state} {
		if value != "" {
			keep.Set(name, value)
		}
	}
	return v.leave(address("/console/orders", keep), "")
}

// orders lists orders of a state ("" is all), or those that a search finds.
func (v *visit) orders(q, only string) error {
	state := order.State(only)
	if !slices.Contains(orderStates, state) {
		state = ""
	}
	var all []*order.Order
	var titles map[id.OfferVersion]string
	err := v.view(func(tx *db.Tx) (err error) {
		if q != "" {
			var ids []id.Order
			if ids, err = v.searchOrders(tx, q); err != nil {
				return err
			}
			found, err := v.c.Flows.Orders.Get(v.r.Context(), tx, ids)
			if err != nil {
				return err
			}
			for _, o := range ids {
				if found[o] != nil && (state == "" || found[o].State == state) {
					all = append(all, found[o])
				}
			}
		} else if all, err = v.c.Flows.Orders.Newest(v.r.Context(), tx, state, id.Order(v.q("before")), perPage+1); err != nil {
			return err
		}
		titles, err = v.titles(tx, all)
		return err
	})
	if err != nil {
		return err
	}
	l := &listView{Lead: v.t("console.orders.lead"), Find: findBox{Action: "/console/orders", Value: q, Label: v.t("console.orders.find"), Post: true}}
	if state != "" {
		l.Find.Keep = []ui.Fact{{Label: "state", Value: string(state)}}
	}
	v.page(&l.Page, "orders", v.t("ui.nav.all_orders"))
	l.Tabs = []ui.Option{{Label: v.t("console.all"), Href: v.with("state", ""), Selected: state == ""}}
	for _, s := range orderStates {
		_, word := v.orderState(s)
		l.Tabs = append(l.Tabs, ui.Option{Label: word, Href: v.with("state", string(s)), Selected: state == s})
	}
	all, pager := onward(v, all, perPage, func(o *order.Order) string { return string(o.ID) })
	l.Table = v.orderTable(all, titles)
	l.Table.Pager = pager
	if q != "" || state != "" {
		l.Table.Empty = v.nothingFound("/console/orders")
	}
	return v.list(l)
}

func (v *visit) orderTable(all []*order.Order, titles map[id.OfferVersion]string) ui.Table {
	t := ui.Table{Caption: v.t("ui.nav.all_orders"), Columns: []ui.Column{{Label: v.t("console.order")}, {Label: v.t("console.customer")}, {Label: v.t("console.state")}, {Label: v.t("console.amount"), End: true}, {Label: v.t("console.order.created"), End: true}}}
	for _, o := range all {
		tone, word := v.orderState(o.State)
		href := "/console/orders/" + string(o.ID)
		name := v.orderName(o, titles)
		t.Rows = append(t.Rows, ui.Row{ID: string(o.ID), Label: name, Href: href, Cells: []ui.Cell{ui.Link(name, href, short(o.ID)), ui.Text(v.contact(o), ""), ui.State(tone, word), ui.Sum(o.Total), ui.At(o.CreatedAt)}})
	}
	t.Empty = ui.Empty{Art: "ticket", Title: v.t("console.orders.empty"), Text: v.t("console.orders.empty.text"), Action: &ui.Action{Label: v.t("ui.nav.offers"), Href: "/console/offers"}}
	return t
}

// orderName is what an order buys, in a line.
func (v *visit) orderName(o *order.Order, titles map[id.OfferVersion]string) string {
	if len(o.Lines) == 0 {
		return short(o.ID)
	}
	name := titles[o.Lines[0].Version]
	if name == "" {
		name = short(o.Lines[0].Offer)
	}
	if n := o.Lines[0].Quantity; n > 1 {
		name += " × " + ui.FormatInt(n)
	}
	if len(o.Lines) > 1 {
		name += " +" + ui.FormatInt(int64(len(o.Lines)-1))
	}
	return name
}

// contact is who an order is for, without giving the contact away (S62).
func (v *visit) contact(o *order.Order) string {
	switch {
	case o.Phone != "":
		return maskPhone(o.Phone)
	case o.Email != "":
		return identity.MaskEmail(o.Email)
	}
	return v.t("console.guest")
}

// maskPhone hides a phone number in whatever form it was stored.
func maskPhone(p string) string {
	if full, err := identity.ParsePhone(p); err == nil {
		p = full
	}
	return identity.MaskPhone(p)
}

// titles names the versions that orders bought.
func (v *visit) titles(tx *db.Tx, all []*order.Order) (map[id.OfferVersion]string, error) {
	var wanted []id.OfferVersion
	for _, o := range all {
		for _, l := range o.Lines {
			wanted = append(wanted, l.Version)
		}
	}
	found, err := v.c.Flows.Catalogue.Versions(v.r.Context(), tx, wanted)
	out := make(map[id.OfferVersion]string, len(found))
	for k, x := range found {
		out[k] = v.pick(x.Content.Title)
	}
	return out, err
}

// searchOrders finds orders by whatever names them: their own id, an id of something that
// belongs to them, a number of the gateway, a whole phone number or e-mail address.
func (v *visit) searchOrders(tx *db.Tx, q string) ([]id.Order, error) {
	ctx, f := v.r.Context(), v.c.Flows
	q = strings.TrimSpace(q)
	if len(q) > 200 {
		return nil, nil
	}
	if o, err := id.Parse[id.Order](q); err == nil {
		return []id.Order{o}, nil
	}
	var out []id.Order
	add := func(o id.Order) {
		if o != "" && !slices.Contains(out, o) && len(out) < perPage {
			out = append(out, o)
		}
	}
	if k, err := id.Parse[id.Intent](q); err == nil {
		found, err := f.Payments.Intents(ctx, tx, []id.Intent{k})
		for _, p := range found {
			add(p.Order)
		}
		return out, err
	}
	if k, err := id.Parse[id.Capture](q); err == nil {
		found, err := f.Payments.Captures(ctx, tx, []id.Capture{k})
		for _, c := range found {
			add(c.Order)
		}
		return out, err
	}
	if k, err := id.Parse[id.Refund](q); err == nil {
		found, err := f.Payments.RefundsByID(ctx, tx, []id.Refund{k})
		for _, r := range found {
			add(r.Order)
		}
		return out, err
	}
	if k, err := id.Parse[id.Right](q); err == nil {
		found, err := f.Rights.Rights(ctx, tx, []id.Right{k})
		for _, r := range found {
			add(r.Order)
		}
		return out, err
	}
	for name := range f.Gateways {
		found, err := f.Payments.CapturesByTxn(ctx, tx, name, []string{q})
		if err := errors.Join(err, tx.Flush(ctx)); err != nil {
			return nil, err
		}
		for _, c := range found {
			add(c.Order)
		}
	}
	if v.r.Method != http.MethodPost || !isContact(q) {
		return out, nil
	}
	if email, err := identity.ParseEmail(q); err == nil {
		found, err := f.Orders.OfEmail(ctx, tx, email, "", perPage)
		for _, o := range found {
			add(o.ID)
		}
		return out, err
	}
	digits := digitsOf(q)
	if len(digits) <= maxTail {
		ids, err := f.Orders.OfTail(ctx, tx, digits, perPage)
		for _, o := range ids {
			add(o)
		}
		return out, err
	}
	forms := []string{q}
	if p, err := identity.ParsePhone(q); err == nil {
		forms = append(forms, p, strings.TrimPrefix(p, "+86"))
	}
	for _, p := range forms {
		found, err := f.Orders.OfPhone(ctx, tx, p, "", perPage)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			add(o.ID)
		}
	}
	return out, nil
}

// maxTail is how many digits are taken for the end of a phone number; more are a whole one.
const maxTail = 8

// digitsOf is a number without what people put between its digits; "" when it is none.
func digitsOf(q string) string {
	q = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "").Replace(q)
	if strings.Trim(q, "0123456789") != "" {
		return ""
	}
	return q
}

// isContact tells whether what is searched for may be a person's phone number, a part of
// one, or an e-mail address: it is posted, never put into an address (S14).
func isContact(q string) bool {
	n := len(digitsOf(q))
	return n >= 4 && n <= 15 || strings.Contains(q, "@")
}

// suggest answers Ctrl-K.
func suggest(c *Console, v *visit) error {
	var out []ui.Action
	q := v.f("q")
	codes, err := v.codesNamed(q)
	if err != nil {
		return err
	}
	for _, s := range codes {
		_, state := v.codeState(s.State)
		out = append(out, ui.Action{Label: v.t("console.code") + " •••• " + s.Last4 + " · " + state, Href: "/console/codes/" + string(s.ID), Icon: "key"})
	}
	err = v.view(func(tx *db.Tx) error {
		if v.who.May(identity.OrderView) {
			ids, err := v.searchOrders(tx, q)
			if err != nil {
				return err
			}
			ids = ids[:min(len(ids), 5)]
			found, err := c.Flows.Orders.Get(v.r.Context(), tx, ids)
			if err != nil {
				return err
			}
			titles, err := v.titles(tx, slices.Collect(maps.Values(found)))
			if err != nil {
				return err
			}
			for _, k := range ids {
				if o := found[k]; o != nil {
					_, state := v.orderState(o.State)
					out = append(out, ui.Action{Label: v.orderName(o, titles) + " · " + state + " · " + short(k), Href: "/console/orders/" + string(k), Icon: "order"})
				}
			}
		}
		if !v.who.May(identity.CatalogueView) {
			return nil
		}
		all, err := c.Flows.Catalogue.Offers(v.r.Context(), tx, false)
		for _, o := range all {
			if len(out) < 8 && q != "" && offerHas(o, strings.ToLower(q)) {
				out = append(out, ui.Action{Label: orSlug(v.pick(o.Draft.Title), o.Slug), Href: "/console/offers/" + string(o.ID), Icon: "tag"})
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	c.ui.Fragment(v.w, v.r, http.StatusOK, "console/suggest", "found", out)
	return nil
}

// searchPage is where Ctrl-K's box leads without script.
func searchPage(_ *Console, v *visit) error {
	d := &listView{Find: findBox{Action: "/console/search", Label: v.t("ui.command.hint"), Post: true}}
	v.page(&d.Page, "", v.t("ui.command.open"))
	return v.render(http.StatusOK, "suggest", d)
}

// search leads to the code that what was typed is, to the offers it names, else to the orders.
func search(c *Console, v *visit) error {
	q := v.f("q")
	if q == "" {
		return v.leave("/console/search", "")
	}
	if codes, err := v.codesNamed(q); err != nil || len(codes) > 0 {
		if err != nil {
			return err
		}
		return v.foundCodes(codes)
	}
	named := false
	if v.who.May(identity.CatalogueView) && !isContact(q) {
		if err := v.view(func(tx *db.Tx) error {
			all, err := c.Flows.Catalogue.Offers(v.r.Context(), tx, true)
			named = slices.ContainsFunc(all, func(o catalogue.Offer) bool { return offerHas(o, strings.ToLower(q)) })
			return err
		}); err != nil {
			return err
		}
	}
	switch {
	case named:
		return v.leave(address("/console/offers", url.Values{"q": {q}}), "")
	case v.who.May(identity.OrderView):
		return findOrders(c, v)
	}
	return v.leave("/console/search", "")
}
