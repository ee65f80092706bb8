package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/entitlement"
	"hufu/internal/exception"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/vault"
	"hufu/internal/web/ui"
)

// whole is an order with everything its page speaks of.
type whole struct {
	order    *order.Order
	versions map[id.OfferVersion]*catalogue.Version
	rights   []*entitlement.Right
	marks    map[id.Right]mark
	refunds  []payment.Refund
	// unmatched is money that came, doesn't match, and hasn't gone back; nil when there is none.
	unmatched *payment.Capture
}

func (s *Web) load(ctx context.Context, oid id.Order) (whole, error) {
	var o whole
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		if o.order, err = s.Flows.Orders.One(ctx, tx, oid); err != nil {
			return err
		}
		var wanted []id.OfferVersion
		for _, l := range o.order.Lines {
			wanted = append(wanted, l.Version)
		}
		if o.versions, err = s.Flows.Catalogue.Versions(ctx, tx, wanted); err != nil {
			return err
		}
		all, err := s.Flows.Rights.OfOrders(ctx, tx, []id.Order{oid})
		if err != nil {
			return err
		}
		o.rights = all[oid]
		if o.marks, err = s.marks(ctx, tx, o.rights); err != nil {
			return err
		}
		if o.refunds, err = s.Flows.Payments.RefundsOf(ctx, tx, []id.Order{oid}); err != nil {
			return err
		}
		o.unmatched, err = s.unmatched(ctx, tx, o.order)
		return err
	})
	return o, err
}

// waits tells whether something that was delivered can't be used yet.
func (o whole) waits(now time.Time) bool {
	return slices.ContainsFunc(o.rights, func(r *entitlement.Right) bool { return ticketState(r, now) == ui.TicketWaiting })
}

// unmatched finds money that came for an unpaid order and doesn't match it: while it is here
// the shopper must not pay again.
func (s *Web) unmatched(ctx context.Context, tx *db.Tx, o *order.Order) (*payment.Capture, error) {
	if !o.PaidAt.IsZero() {
		return nil, nil
	}
	c, held, err := s.Flows.Unmatched(ctx, tx, o.ID)
	if !held {
		return nil, err
	}
	return &c, err
}

// mark is what may be shown of the code behind a right, and its numbers in editions.
type mark struct {
	vault.Delivered
	Numbers []inventory.Number
}

func (s *Web) marks(ctx context.Context, tx *db.Tx, rights []*entitlement.Right) (map[id.Right]mark, error) {
	numbers, err := numbersOf(ctx, tx, s.Flows, rights)
	if err != nil {
		return nil, err
	}
	out := make(map[id.Right]mark, len(numbers))
	for right, all := range numbers {
		out[right] = mark{Numbers: all}
	}
	var coded []id.Right
	for _, r := range rights {
		if r.Code != "" {
			coded = append(coded, r.ID)
		}
	}
	if len(coded) == 0 {
		return out, nil
	}
	codes, err := s.Flows.Codes.Marks(ctx, tx, coded)
	for right, code := range codes {
		out[right] = mark{code, out[right].Numbers}
	}
	return out, err
}

// maxTickets is how many tickets a page shows at once.
const maxTickets = 60

// ticket is a right with the way to its path.
type ticket struct {
	ui.Ticket
	Path string
}

type orderView struct {
	ui.Page
	Order     *order.Order
	State     string
	Tone      ui.Tone
	Lead      string // what the state means for the shopper
	Moment    string // the payment was confirmed just now: the message that says so
	Payable   bool
	Lines     []orderLine
	Tickets   []ticket
	Coded     int // codes that can be shown
	Events    []ui.Event
	Link      string // opens this order in another browser
	Slug      string // of the first offer, to buy again
	Live      bool
	Pager     ui.Pager
	CanCancel bool
	Unmatched string // the amount of a payment that doesn't match, "" when there is none
	Returning bool   // and it is on its way back
	Owed      string // what was to go back and didn't, "" when there is none
}

type orderLine struct {
	Name   string
	Amount money.Amount
	Note   string
	Picked []string // of the choices made when ordering
	Why    []ui.Fact
}

// order is where what was bought lies, and what becomes of it. A link to it carries the
// order's secret once: it moves into a cookie and out of the address.
func (s *Web) order(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("k") {
		return s.enter(w, r)
	}
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	in, err := query(r)
	if err != nil {
		return err
	}
	o, err := s.load(r.Context(), oid)
	if err != nil {
		return err
	}
	lang, now := ui.LangOf(r), s.now()
	v := &orderView{Order: o.order, Payable: o.order.State == order.Pending && now.Before(o.order.ExpiresAt), Link: OrderLink(s.PublicURL, oid, s.Flows.Keys.LinkSecret(string(oid)))}
	v.Page = ui.Page{Section: "orders", Title: lang.T("shop.order.title"), Private: true, DraftDone: "checkout", Crumbs: []ui.Crumb{{Label: lang.T("ui.nav.orders"), Href: "/orders"}, {Label: lang.T("shop.order.title")}}}
	v.State, v.Tone = stateWord(lang, o.order, now)
	v.Lead = lang.T("shop.state." + string(stateOf(o.order, now)) + ".text")
	if o.order.State == order.Fulfilled && o.waits(now) {
		v.State, v.Tone, v.Lead = lang.T("shop.state.waits"), ui.Info, lang.T("shop.state.waits.text")
	}
	if st := o.order.State; (st == order.Part || st == order.Shortage) && slices.ContainsFunc(o.refunds, func(r payment.Refund) bool { return r.Reason == exception.OverLimit }) {
		v.Lead = lang.T("shop.state.over_limit")
	}
	v.Live, v.CanCancel = o.order.State == order.Pending, v.Payable
	if c := o.unmatched; c != nil {
		v.Unmatched, v.Payable, v.Live = c.Amount.String(), false, false
		v.State, v.Tone, v.Lead = lang.T("shop.unmatched.state"), ui.Warn, ""
		_, v.Returning = c.Returning(o.refunds)
	}
	v.owed(lang, o)
	if c, err := r.Cookie(s.cookieName(waitCookie)); err == nil && c.Value == string(oid) && !o.order.PaidAt.IsZero() {
		if o.order.State == order.Fulfilled || o.order.State == order.Part {
			v.Moment = "shop.moment"
			if o.waits(now) {
				v.Moment = "shop.moment.waits"
			}
		}
		s.setCookie(w, waitCookie, "", -1)
	}
	v.lines(lang, o)
	page, ok := in.number("p", 1, 1000)
	if !ok {
		page = 1
	}
	v.tickets(lang, o, int(page), now, s)
	v.Events = timeline(lang, o, now)
	if v.Slug, err = s.slugOf(r.Context(), o.order); err != nil {
		return err
	}
	s.ui.Render(w, r, http.StatusOK, "shop/order", v)
	return nil
}

// owed tells how it stands with what was to go back when that isn't what the order's state
// says: a refund that failed, or that we paid from our bank account.
func (v *orderView) owed(lang i18n.Lang, o whole) {
	if owed := payment.Owed(o.refunds); len(owed) > 0 {
		sum := money.Of(0, owed[0].Amount.Currency)
		for _, r := range owed {
			sum.Minor += r.Amount.Minor
		}
		v.Owed = sum.String()
		if st := o.order.State; st == order.Part || st == order.Shortage {
			v.State, v.Tone, v.Lead = lang.T("shop.state.owed"), ui.Warn, lang.T("shop.state."+string(st)+".owed")
		}
	}
	if o.order.State == order.Refunded && slices.ContainsFunc(o.refunds, func(r payment.Refund) bool { return r.ByHand == payment.ByBank }) {
		v.Lead = lang.T("shop.state.refunded.bank")
	}
}

// enter checks the secret in a link. The answer to a wrong one is that to any order that
// isn't the asker's.
func (s *Web) enter(w http.ResponseWriter, r *http.Request) error {
	oid, err := id.Parse[id.Order](r.PathValue("id"))
	secrets := r.URL.Query()["k"]
	if err != nil || len(secrets) != 1 || !s.Flows.Keys.CheckLink(string(oid), secrets[0]) {
		return fault.New(fault.NotFound, "order.not_found")
	}
	s.hold(w, r, oid)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, "/orders/"+string(oid), http.StatusSeeOther)
	return nil
}

// stateOf is the state a shopper is told: an unpaid order whose time is over counts as
// expired before the worker gets to it.
func stateOf(o *order.Order, now time.Time) order.State {
	if o.State == order.Pending && !now.Before(o.ExpiresAt) {
		return order.Expired
	}
	return o.State
}

var stateTones = map[order.State]ui.Tone{order.Pending: ui.Info, order.Fulfilled: ui.OK, order.Part: ui.Warn, order.Shortage: ui.Warn,
	order.Refunded: ui.Plain, order.Cancelled: ui.Plain, order.Expired: ui.Plain}

func stateWord(lang i18n.Lang, o *order.Order, now time.Time) (string, ui.Tone) {
	st := stateOf(o, now)
	return lang.T("shop.state." + string(st)), stateTones[st]
}

func (v *orderView) lines(lang i18n.Lang, o whole) {
	for _, l := range o.order.Lines {
		line := orderLine{Name: lineName(lang, o.versions[l.Version], l.Quantity), Amount: money.Of(l.Amount, o.order.Total.Currency), Why: why(lang, l.Quote, o.order.Total.Currency)}
		if !o.order.PaidAt.IsZero() && l.Delivered < l.Quantity {
			line.Note = lang.T("shop.order.short", "delivered", strconv.FormatInt(l.Delivered, 10), "quantity", strconv.FormatInt(l.Quantity, 10))
		}
		if sold := o.versions[l.Version]; sold != nil {
			line.Picked = pickedWords(lang, sold.Content, l.Picks)
		}
		v.Lines = append(v.Lines, line)
	}
}

func (v *orderView) tickets(lang i18n.Lang, o whole, page int, now time.Time, s *Web) {
	for _, r := range o.rights {
		if r.Code != "" && r.State.Allows(entitlement.StepRevealed) {
			v.Coded++
		}
	}
	from := min((page-1)*maxTickets, len(o.rights))
	to := min(from+maxTickets, len(o.rights))
	for _, r := range o.rights[from:to] {
		v.Tickets = append(v.Tickets, s.ticket(lang, r, o.versions[r.Version], o.marks[r.ID], now))
	}
	if len(o.rights) > maxTickets {
		v.Pager = ui.Pager{From: from + 1, To: to, Total: int64(len(o.rights))}
		if page > 1 {
			v.Pager.Prev = "?p=" + strconv.Itoa(page-1)
		}
		if to < len(o.rights) {
			v.Pager.Next = "?p=" + strconv.Itoa(page+1)
		}
	}
}

// benefitOf is the benefit a right was granted from.
func benefitOf(r *entitlement.Right, v *catalogue.Version) catalogue.Benefit {
	if v != nil && r.Part >= 0 && r.Part < int64(len(v.Content.Parts)) {
		return v.Content.Parts[r.Part].Benefit
	}
	return catalogue.Benefit{}
}

// ticketState is a right's state as its ticket looks. What has ended by the clock looks so
// before anybody records it.
func ticketState(r *entitlement.Right, now time.Time) ui.TicketState {
	switch r.State {
	case entitlement.Used:
		return ui.TicketUsed
	case entitlement.Refunded:
		return ui.TicketRefunded
	case entitlement.Expired:
		return ui.TicketExpired
	}
	if !r.EndsAt.IsZero() && !now.Before(r.EndsAt) {
		return ui.TicketExpired
	}
	if r.State == entitlement.Suspended || r.State == entitlement.Waiting || now.Before(r.StartsAt) {
		return ui.TicketWaiting
	}
	return ui.TicketHeld
}

// ticket is how a right is shown.
func (s *Web) ticket(lang i18n.Lang, r *entitlement.Right, v *catalogue.Version, mark mark, now time.Time) ticket {
	b := benefitOf(r, v)
	t := ticket{Path: "/rights/" + string(r.ID), Ticket: ui.Ticket{State: ticketState(r, now), Name: pick(lang, b.Name), ProviderID: b.Provider.Key, Provider: pick(lang, b.Provider.Name)}}
	t.Sub = t.Provider
	switch r.State {
	case entitlement.Revealed:
		if t.State == ui.TicketHeld {
			t.StateLabel = lang.T("shop.right.revealed")
		}
	case entitlement.Suspended:
		t.StateLabel = lang.T("shop.right.suspended")
	case entitlement.Waiting:
		if w := b.Waits(); r.Waits != entitlement.WaitRelease && r.Waits != entitlement.WaitChoice && t.State == ui.TicketWaiting && w != catalogue.WaitNothing {
			t.StateLabel, t.Sub = lang.T("kind.waits."+string(w)), lang.T("kind.waits."+string(w)+".terms")
		}
	}
	if no := NumberWords(lang, mark.Numbers); no != "" {
		t.Edition = no
		t.Facts = append(t.Facts, ui.Fact{Label: lang.T("edition.number"), Value: no})
	}
	if mark.Last4 != "" {
		t.Facts = append(t.Facts, ui.Fact{Label: lang.T("shop.right.code"), Value: "**** " + mark.Last4})
	}
	granted := "shop.right.granted"
	if r.State == entitlement.Waiting {
		granted = "shop.right.bought"
	}
	t.Facts = append(t.Facts, ui.Fact{Label: lang.T(granted), Value: ui.FormatTime(lang, r.GrantedAt.In(zone), now.In(zone))})
	if r.EndsAt.IsZero() {
		t.Valid = lang.T("shop.right.as_terms")
	} else {
		t.Valid = lang.T("shop.right.until", "date", ui.FormatTime(lang, r.EndsAt.In(zone), now.In(zone)))
	}
	if r.State != entitlement.Waiting && r.State != entitlement.Suspended && t.State == ui.TicketWaiting && t.StateLabel == "" {
		t.StateLabel = lang.T("shop.right.from", "date", ui.FormatTime(lang, r.StartsAt.In(zone), now.In(zone)))
	}
	if later := t.State == ui.TicketWaiting && r.State != entitlement.Waiting && r.State != entitlement.Suspended; r.Code != "" && (t.State == ui.TicketHeld || later) {
		t.Action = &ui.Action{Label: lang.T("shop.reveal.see"), Href: "/orders/" + string(r.Order) + "/reveal?right=" + string(r.ID), Icon: "eye"}
		if r.State == entitlement.Revealed {
			t.Action.Label, t.Action.Kind, t.Action.Post = lang.T("shop.reveal.again"), "secondary", true
		}
	}
	t.comes(lang, r, v, now)
	return t
}

// zone is where the shop's times are told: China Standard Time, as in package ui.
var zone = time.FixedZone("UTC+8", 8*3600)

// timeline tells what happened to an order, the newest first.
func timeline(lang i18n.Lang, o whole, now time.Time) []ui.Event {
	var out []ui.Event
	for _, st := range o.order.History {
		e := ui.Event{At: st.At, Title: lang.T("shop.event." + string(st.State)), Tone: stateTones[st.State], Icon: "order"}
		switch st.State {
		case order.Pending:
			e.Tone, e.Detail = ui.Plain, lang.T("shop.event.pending.text")
		case order.Fulfilled, order.Part:
			if e.Icon = "ticket"; st.State == order.Fulfilled && o.waits(now) {
				e.Title = lang.T("shop.event.waits")
			}
		case order.Shortage, order.Refunded:
			e.Icon = "refund"
		}
		out = append(out, e)
	}
	for _, f := range o.refunds {
		e := ui.Event{At: f.CreatedAt, Tone: ui.Info, Icon: "refund", Title: lang.T("shop.event.refund", "amount", f.Amount.String()), Detail: lang.T("shop.event.refund.text")}
		if f.Again != "" {
			e.Title = lang.T("shop.event.refund_again", "amount", f.Amount.String())
		}
		if !f.FailedAt.IsZero() {
			e.Detail = ""
			out = append(out, ui.Event{At: f.FailedAt, Tone: ui.Warn, Icon: "refund", Title: lang.T("shop.event.refund_failed", "amount", f.Amount.String()), Detail: lang.T("shop.event.refund_failed.text")})
		}
		out = append(out, e)
		if f.State == payment.RefundDone {
			done := ui.Event{At: f.DoneAt, Tone: ui.OK, Icon: "refund", Title: lang.T("shop.event.refund_done", "amount", f.Amount.String()), Detail: lang.T("shop.event.refund_done.text")}
			if f.ByHand != "" {
				done.Detail = lang.T("shop.event.refund_done." + string(f.ByHand))
			}
			out = append(out, done)
		}
	}
	slices.SortStableFunc(out, func(a, b ui.Event) int { return b.At.Compare(a.At) })
	return out
}

// slugOf is the page of the first offer of an order, "" when it isn't sold any more.
func (s *Web) slugOf(ctx context.Context, o *order.Order) (string, error) {
	all, _, err := s.look(ctx)
	if err != nil || len(o.Lines) == 0 {
		return "", err
	}
	for _, g := range all {
		if g.Offer.ID == o.Lines[0].Offer {
			return g.Offer.Slug, nil
		}
	}
	return "", nil
}

// cancelOrder ends an order that isn't paid, and frees what it holds.
func (s *Web) cancelOrder(w http.ResponseWriter, r *http.Request) error {
	oid, err := s.mayHold(r)
	if err != nil {
		return err
	}
	// An order that is paid or closed by now says so itself, on its page.
	if err := s.Flows.Cancel(r.Context(), oid); err != nil && fault.KindOf(err) != fault.Conflict {
		return err
	}
	http.Redirect(w, r, "/orders/"+string(oid), http.StatusSeeOther)
	return nil
}

type ordersView struct {
	ui.Page
	Orders []orderRow
	Empty  ui.Empty
	Link   string // what was typed to find an order
	Error  string
	Guest  bool
	Pager  ui.Pager
}

type orderRow struct {
	Href, Name, State, Number string
	Tone                      ui.Tone
	Total                     money.Amount
	At                        time.Time
	Cover                     string
}

// orders lists the orders this browser may see, and finds others.
func (s *Web) orders(w http.ResponseWriter, r *http.Request) error {
	return s.ordersPage(w, r, http.StatusOK, "", "")
}

func (s *Web) ordersPage(w http.ResponseWriter, r *http.Request, status int, typed, problem string) error {
	lang, now := ui.LangOf(r), s.now()
	v := &ordersView{Link: typed, Error: problem}
	v.Page = ui.Page{Section: "orders", Title: lang.T("shop.orders.title"), Private: true}
	var found []*order.Order
	versions := map[id.OfferVersion]*catalogue.Version{}
	var wait map[id.Order]bool
	err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		var err error
		if found, err = s.mine(r, tx, &v.Page); err != nil {
			return err
		}
		var wanted []id.OfferVersion
		for _, o := range found {
			for _, l := range o.Lines {
				wanted = append(wanted, l.Version)
			}
		}
		if versions, err = s.Flows.Catalogue.Versions(r.Context(), tx, wanted); err != nil {
			return err
		}
		var ids []id.Order
		for _, o := range found {
			ids = append(ids, o.ID)
		}
		wait, err = s.Flows.Rights.NotYet(r.Context(), tx, ids, now)
		return err
	})
	if err != nil {
		return err
	}
	v.Guest = v.User == nil
	for _, o := range found {
		row := orderRow{Href: "/orders/" + string(o.ID), Total: o.Total, At: o.CreatedAt, Number: string(o.ID)}
		if row.State, row.Tone = stateWord(lang, o, now); o.State == order.Fulfilled && wait[o.ID] {
			row.State, row.Tone = lang.T("shop.state.waits"), ui.Info
		}
		var names []string
		for _, l := range o.Lines {
			names = append(names, lineName(lang, versions[l.Version], l.Quantity))
			row.Cover = string(l.Offer)
		}
		row.Name = strings.Join(names, lang.T("shop.comma"))
		v.Orders = append(v.Orders, row)
	}
	v.Empty = ui.Empty{Art: "ticket", Title: lang.T("shop.orders.empty"), Text: lang.T("shop.orders.empty.text"), Action: &ui.Action{Label: lang.T("shop.go_shopping"), Href: "/"}}
	s.ui.Render(w, r, status, "shop/orders", v)
	return nil
}

// findOrder opens an order by its link, for who has it in a message and not under the
// thumb. Every other text gets one refusal (S32, S33).
func (s *Web) findOrder(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	typed := in.text("link")
	if u, err := url.Parse(typed); err == nil && len(typed) <= 300 {
		if name, ok := strings.CutPrefix(u.Path, "/orders/"); ok {
			oid, err := id.Parse[id.Order](name)
			if secrets := u.Query()["k"]; err == nil && len(secrets) == 1 && s.Flows.Keys.CheckLink(string(oid), secrets[0]) {
				s.hold(w, r, oid)
				http.Redirect(w, r, "/orders/"+string(oid), http.StatusSeeOther)
				return nil
			}
		}
	}
	return s.ordersPage(w, r, http.StatusNotFound, typed, say(r, "shop.orders.not_found"))
}
