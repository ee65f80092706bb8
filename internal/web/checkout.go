package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/idem"
	"hufu/internal/identity"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// checkoutView is the form of a purchase. What a shopper typed stays in it, whatever is
// said about it.
type checkoutView struct {
	ui.Page
	Card     ui.Offer
	Slug     string
	Quantity int64
	Unit     money.Amount
	Total    money.Amount
	Groups   []termGroup
	Key      string // of the idempotent request
	Version  id.OfferVersion
	Terms    string // hash of the terms as shown
	Phone    string
	Email    string
	Agreed   bool
	Conflict conflictsView
	Accepted bool // what Conflict asks to acknowledge
	Bundle   bundleView
	Picks    order.Picks
	Separate string // what a bundle of several providers asks to acknowledge
	Apart    string // the same in few words
	Knows    string // and what the box says
	Known    bool
	Why      []ui.Fact
	Pays     []ui.Option
	Errors   map[string]string
	Problems []problem // the errors, in the order of the form
	Notice   ui.Flash
	Open     bool       // can be bought now
	Shelf    string     // where other offers stand, when it can't
	Others   []ui.Offer // some of them
	lang     i18n.Lang
	sold     *catalogue.Version
}

// problem is what is wrong with one field.
type problem struct{ Field, Text string }

// checkout is the form: who, how, and what one agrees to. A guest needs a phone number and
// nothing else.
func (s *Web) checkout(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	g, err := s.onSale(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	kept := s.wishOf(r, g)
	n := max(kept.n, 1)
	if in.twice("n") {
		return badQuantity(g)
	}
	if in.text("n") != "" {
		var ok bool
		if n, ok = in.number("n", 1, g.Version.Content.MaxPerOrder); !ok {
			return badQuantity(g)
		}
	}
	picks, err := in.picks()
	if err != nil {
		return err
	}
	if in.text("n") == "" && len(picks) == 0 {
		picks = kept.picks
	}
	if to := s.queued(r, g); to != "" {
		kept.n, kept.picks = n, picks
		s.keepWish(w, g, kept)
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	v, err := s.checkoutForm(ui.LangOf(r), g, n, picks)
	if err != nil {
		return err
	}
	if len(picks) > 0 {
		v.unpicked(g, picks)
	}
	e, err := s.signedIn(r)
	if err != nil {
		return err
	}
	if e != nil {
		v.Phone, v.Email = e.Party.Phone, e.Party.Email
	}
	if err := s.forMember(r, v, e, ""); err != nil {
		return err
	}
	v.granted(kept)
	if err := s.waysOn(r.Context(), v, g); err != nil {
		return err
	}
	s.knowDevice(w, r, g.Version)
	s.ui.Render(w, r, http.StatusOK, "shop/checkout", v)
	return nil
}

// forMember puts into the form what depends on who is signed in, if anybody is.
func (s *Web) forMember(r *http.Request, v *checkoutView, e *identity.Session, chosen string) error {
	balance, err := s.balanceOf(r.Context(), e, v.Total.Currency)
	if err != nil {
		return err
	}
	if e != nil {
		v.User = &ui.User{Name: e.Party.Label()}
	}
	v.Pays = s.pays(ui.LangOf(r), balance, v.Total, chosen)
	limits, err := s.limits(r.Context(), v.lang, r, e, v.sold)
	if err != nil {
		return err
	}
	v.Groups = slices.Insert(v.Groups, 1, limits...)
	back := url.QueryEscape("/checkout/" + v.Slug + "?n=" + strconv.FormatInt(v.Quantity, 10) + pickQuery(v.Picks))
	if v.Conflict, err = s.conflicts(r.Context(), v.lang, e, v.sold, v.Quantity, v.Picks, back); err != nil {
		return err
	}
	if v.Open && v.Conflict.Blocked {
		v.Open, v.Notice = false, ui.Flash{Tone: ui.Stop, Title: v.Conflict.Groups[0].Title, Text: strings.Join(v.Conflict.Groups[0].Lines, " ")}
	}
	return nil
}

func badQuantity(g goods) error {
	limit := strconv.FormatInt(g.Version.Content.MaxPerOrder, 10)
	return fault.New(fault.Invalid, "order.quantity", "limit", limit).At("n", "order.quantity", "limit", limit)
}

func (s *Web) checkoutForm(lang i18n.Lang, g goods, n int64, picks order.Picks) (*checkoutView, error) {
	c := g.Version.Content
	unit := g.quote().Unit
	total, err := unit.Times(n)
	if err != nil {
		return nil, fault.New(fault.Invalid, "order.too_much")
	}
	v := &checkoutView{Card: g.card(lang), Slug: g.Offer.Slug, Quantity: n, Unit: unit, Total: total,
		Groups: termsOf(lang, c), Key: rand.Text(), Version: g.Version.ID, lang: lang, sold: g.Version}
	v.Terms, v.Why = terms.In(lang, c).Hash, why(lang, flow.Quote(c, picks, s.now()).Text(), c.Price.Currency)
	v.Picks, v.Bundle = picks, bundleOf(lang, g, picks, s.now())
	if all := c.Providers(); len(all) > 1 {
		v.Separate, v.Apart, v.Knows = terms.Separate(lang, all), apart(lang, c), lang.T("shop.accounts.agree", "n", strconv.Itoa(len(all)), "names", terms.Names(lang, all))
	}
	v.Open, v.Notice = open(lang, g)
	v.Page = ui.Page{Section: "home", Title: lang.T("shop.checkout.title"), Private: true, Crumbs: []ui.Crumb{{Label: v.Card.Name, Href: v.Card.Href}, {Label: lang.T("shop.checkout.title")}}}
	return v, nil
}

// pays are the ways to pay that are enabled; the chosen one, or the first that can be
// chosen, is selected. A member's balance stands first when there is one.
func (s *Web) pays(lang i18n.Lang, balance, total money.Amount, chosen string) []ui.Option {
	var out []ui.Option
	if balance.Minor > 0 {
		low := balance.Minor < total.Minor
		out = append(out, ui.Option{Value: payment.Balance, Label: lang.T("shop.pay.balance"), Sub: lang.T("shop.pay.balance.text", "amount", balance.String()), Icon: "wallet", Disabled: low})
	}
	for _, name := range s.Flows.Offered() {
		o := ui.Option{Value: name, Label: name, Icon: "card"}
		if i18n.Has("shop.pay." + name) {
			o.Label, o.Sub = lang.T("shop.pay."+name), lang.T("shop.pay."+name+".text")
		}
		out = append(out, o)
	}
	at := slices.IndexFunc(out, func(o ui.Option) bool { return o.Value == chosen && !o.Disabled })
	if at < 0 {
		at = slices.IndexFunc(out, func(o ui.Option) bool { return !o.Disabled })
	}
	if at >= 0 {
		out[at].Selected = true
	}
	return out
}

// placing is a posted checkout.
type placing struct {
	key          order.KeyOf
	hash         []byte // of all that makes the request this one and no other
	n            int64  // 0: no quantity that an order can have
	phone, email string // as typed
	pay          string
	version      id.OfferVersion
	price        int64
	terms        string
	conflicts    string // hash of what was acknowledged of them
	agreed       bool
	known        bool // that the providers' accounts are apart
	picks        order.Picks
}

// readPlacing reads what was posted without asking what is sold now, so that a form that
// was sent before is known again whatever became of the offer since (I18).
func readPlacing(in input, slug string) (placing, error) {
	p := placing{key: order.KeyOf{Scope: "web", Key: in.text("idempotency_key")}, phone: in.text("phone"), email: in.text("email"), pay: in.text("pay"), version: id.OfferVersion(in.text("version")), terms: in.text("terms"), conflicts: in.text("conflicts"), agreed: in.text("agree") == "1", known: in.text("accounts") == "1"}
	var err error
	if p.picks, err = in.picks(); err != nil {
		return p, err
	}
	p.price, _ = in.number("price", 0, 1e11)
	var ok bool
	if p.n, ok = in.number("n", 1, 1e11); !ok {
		p.n = 0
	}
	phone, email := p.phone, p.email
	if one, err := identity.ParsePhone(phone); err == nil {
		phone = one
	}
	if one, err := identity.ParseEmail(email); err == nil {
		email = one
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{"checkout", slug, string(p.version), strconv.FormatInt(p.price, 10), strconv.FormatInt(p.n, 10), phone, email, p.pay, p.terms, p.conflicts, p.picks.Text()}, "\x00")))
	p.hash = sum[:]
	return p, nil
}

// placeOrder takes the form. Whatever speaks against the order is said beside its cause, in
// the same form with what was typed.
func (s *Web) placeOrder(w http.ResponseWriter, r *http.Request) error {
	in, err := form(r)
	if err != nil {
		return err
	}
	if in.twice("n", "phone", "email", "pay", "version", "price", "terms", "conflicts", "agree", "accounts", "idempotency_key") {
		return fault.New(fault.Invalid, "http.form")
	}
	p, err := readPlacing(in, r.PathValue("slug"))
	if err != nil {
		return err
	}
	if err := p.key.Check(); err != nil { // before the key finds an order
		return err
	}
	before, err := s.sentBefore(r.Context(), p.key)
	if err != nil {
		return err
	}
	e, err := s.signedIn(r)
	if err != nil {
		return err
	}
	if before != nil && bytes.Equal(before.RequestHash, p.hash) {
		return s.placed(w, r, before, p, e)
	}
	g, err := s.onSale(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	if p.n < 1 || p.n > g.Version.Content.MaxPerOrder {
		return badQuantity(g) // the form offers no other; this is no shopper's slip (S18)
	}
	if to := s.queued(r, g); to != "" && before == nil {
		return s.sendToWait(w, r, g, p, to)
	}
	v, err := s.filled(r, g, p, e)
	if err != nil {
		return err
	}
	if before != nil {
		return s.refuse(w, r, g, v, p, fault.New(fault.Conflict, "idempotency.reused"))
	}
	command, err := s.judge(r, g, v, p)
	command.Device = s.knowDevice(w, r, g.Version)
	if _, ticket, ok := s.ticketOf(r, g.Offer.ID); ok && len(command.Lines) > 0 {
		command.Lines[0].Ticket = ticket
	}
	if e != nil {
		command.Party, command.OwnPhone = e.Party.ID, e.Party.Phone
	}
	var done flow.Placed
	if err == nil {
		done, err = s.Flows.Place(r.Context(), command)
	}
	if code := fault.CodeOf(err); code == "order.price_changed" || code == "order.terms" || code == "order.option_sold_out" || isConflict(code) {
		// It may have changed since this request began.
		var failed error
		if g, failed = s.onSale(r.Context(), r.PathValue("slug")); failed != nil {
			return failed
		}
		if v, failed = s.filled(r, g, p, e); failed != nil {
			return failed
		}
		if code == "order.terms" {
			err = fault.New(fault.Conflict, "shop.terms_changed")
		}
	}
	if to := s.queued(r, g); to != "" && (fault.CodeOf(err) == "room.wait" || fault.CodeOf(err) == "room.over") {
		return s.sendToWait(w, r, g, p, to) // its turn ended meanwhile
	}
	if err != nil {
		return s.refuse(w, r, g, v, p, err)
	}
	if _, _, ok := s.ticketOf(r, g.Offer.ID); ok {
		s.setCookie(w, queueCookie+string(g.Offer.ID), "", -1) // it has placed its order
		s.setCookie(w, wishCookie+string(g.Offer.ID), "", -1)
	}
	return s.placed(w, r, done.Order, p, e)
}

// placed leads on from an order that a form made: to paying, or with a balance past it.
func (s *Web) placed(w http.ResponseWriter, r *http.Request, o *order.Order, p placing, e *identity.Session) error {
	s.hold(w, r, o.ID)
	if p.pay == payment.Balance && e != nil {
		return s.fromBalance(w, r, o.ID, e)
	}
	http.Redirect(w, r, "/orders/"+string(o.ID)+"/pay", http.StatusSeeOther)
	return nil
}

// filled is the form with what was typed into it.
func (s *Web) filled(r *http.Request, g goods, p placing, e *identity.Session) (*checkoutView, error) {
	v, err := s.checkoutForm(ui.LangOf(r), g, p.n, p.picks)
	if err != nil {
		return nil, err
	}
	v.Phone, v.Email, v.Agreed, v.Known = p.phone, p.email, p.agreed, p.known
	err = s.forMember(r, v, e, p.pay)
	v.Accepted = p.conflicts != "" && p.conflicts == v.Conflict.Hash
	return v, err
}

// isConflict reports whether an order was refused for what its buyer holds.
func isConflict(code string) bool {
	return code == "order.conflict" || code == "order.conflict_unread" || code == "order.conflict_changed"
}

// sentBefore finds the order that a form made when it was sent before.
func (s *Web) sentBefore(ctx context.Context, key order.KeyOf) (*order.Order, error) {
	var found map[order.KeyOf]*order.Order
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = s.Flows.Orders.ByKeys(ctx, tx, []order.KeyOf{key})
		return err
	})
	return found[key], err
}

// judge makes the command of a form, and says what is wrong with the form.
func (s *Web) judge(r *http.Request, g goods, v *checkoutView, p placing) (flow.Place, error) {
	f := fault.New(fault.Invalid, "shop.form")
	phone, err := identity.ParsePhone(p.phone)
	if err != nil {
		f.At("phone", "shop.phone")
	}
	email := ""
	if p.email != "" {
		if email, err = identity.ParseEmail(p.email); err != nil {
			f.At("email", "shop.email")
		}
	}
	if !slices.ContainsFunc(v.Pays, func(o ui.Option) bool { return o.Value == p.pay && !o.Disabled }) {
		f.At("pay", "shop.pay")
	}
	if !p.agreed {
		f.At("agree", "shop.agree")
	}
	if v.Separate != "" && !p.known {
		f.At("accounts", "shop.accounts")
	}
	unpicked(g.Version.Content, p.picks, f)
	if v.Conflict.Hash != "" && p.conflicts == "" {
		f.At("conflicts", "shop.conflicts_unread")
	}
	c := flow.Place{Conflicts: p.conflicts, Request: p.key, RequestHash: p.hash, Phone: phone, Email: email, Lang: string(ui.LangOf(r)), Channel: "web", DeviceKind: httpx.DeviceKind(r.UserAgent()), Gateway: p.pay,
		Lines: []flow.PlaceLine{{Offer: g.Offer.ID, Quantity: p.n, Expect: p.version, ExpectPrice: p.price, Acknowledged: p.terms, Picks: p.picks}}}
	switch {
	case idem.Check(p.key.Key) != nil:
		return c, idem.Check(p.key.Key)
	case v.Terms != p.terms && p.price != v.Unit.Minor && p.version != v.Version:
		return c, fault.New(fault.Conflict, "order.price_changed", "price", v.Unit.String())
	case v.Terms != p.terms:
		return c, fault.New(fault.Conflict, "shop.terms_changed")
	case len(f.Fields) > 0:
		return c, f
	}
	return c, nil
}

// refuse shows the form again and says why.
func (s *Web) refuse(w http.ResponseWriter, r *http.Request, g goods, v *checkoutView, p placing, err error) error {
	lang := ui.LangOf(r)
	f := fault.From(err)
	switch {
	case f.Code == "shop.form":
		v.wrong(ui.FieldErrors(lang, f))
		v.Key = p.key.Key // nothing was tried with it
	case f.Code == "order.price_changed":
		v.Notice = ui.Flash{Tone: ui.Warn, Title: lang.T("shop.price_changed", "price", v.Unit.String()), Text: lang.Fault(f)}
		v.Agreed, v.Known = false, false
	case f.Code == "shop.terms_changed":
		v.Notice = ui.Flash{Tone: ui.Warn, Title: lang.T("shop.terms_changed"), Text: lang.Fault(f)}
		v.Agreed, v.Known = false, false
	case isConflict(f.Code) && v.Open:
		v.Notice = ui.Flash{Tone: ui.Warn, Title: lang.T("shop.conflicts.changed"), Text: lang.Fault(f)}
		v.Accepted = false
	case isConflict(f.Code): // the form says why
	case f.Code == "order.option_sold_out":
		v.wrong(v.goneFields(g, p.picks, lang.Fault(f)))
	case f.Code == "order.limit":
		v.Notice = ui.Flash{Tone: ui.Warn, Title: lang.T("shop.limits.over"), Text: lang.Fault(f)}
	case f.Code == "idempotency.reused":
		v.Notice = ui.Flash{Tone: ui.Info, Title: lang.T("shop.again"), Text: lang.T("shop.again.text")}
	case f.Kind == fault.Conflict || f.Kind == fault.Unavailable || f.Kind == fault.Invalid:
		v.Notice = ui.Flash{Tone: ui.Stop, Title: lang.T("ui.error." + f.Kind.String()), Text: lang.Fault(f)}
		if f.Kind == fault.Unavailable {
			v.Key = p.key.Key // it may have been carried out: the same request again
		}
		if f.Code == "order.sold_out" {
			v.Open, v.Notice.Tone, v.Notice.Title = false, ui.Warn, lang.T("shop.offer.out")
			v.Card.Stock = ui.Stock{}
		}
	default:
		return err
	}
	if f.Kind == fault.Unavailable {
		s.Log.ErrorContext(r.Context(), "an order could not be placed", "trace", httpx.CallerOf(r.Context()).Trace, "error", err)
	}
	if err := s.waysOn(r.Context(), v, g); err != nil {
		return err
	}
	s.ui.Render(w, r, httpx.StatusOf(f.Kind), "shop/checkout", v)
	return nil
}

// maxOthers is how many other offers stand beside one that can't be bought.
const maxOthers = 3

// waysOn gives a form whose offer can't be bought what can: offers of the same shelf first.
func (s *Web) waysOn(ctx context.Context, v *checkoutView, g goods) error {
	if v.Open {
		return nil
	}
	all, _, err := s.look(ctx)
	if err != nil {
		return err
	}
	v.Shelf = "/"
	for _, near := range []bool{true, false} {
		for _, o := range all {
			if o.Offer.ID == g.Offer.ID || o.State != catalogue.Live || o.Stock.Out() || (o.Offer.Category == g.Offer.Category) != near || len(v.Others) == maxOthers {
				continue
			}
			v.Others = append(v.Others, o.card(v.lang))
			if near {
				v.Shelf = "/?c=" + g.Offer.Category
			}
		}
	}
	return nil
}

// lineName is a line in words: "name × 2".
func lineName(lang i18n.Lang, v *catalogue.Version, quantity int64) string {
	if v == nil {
		return lang.T("shop.order.unknown_offer")
	}
	name := pick(lang, v.Content.Title)
	if quantity > 1 {
		name += " × " + strconv.FormatInt(quantity, 10)
	}
	return name
}
