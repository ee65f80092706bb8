package web

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/order"
	"hufu/internal/web/ui"
)

// A browser keeps the secrets of the orders placed in it, the newest first, in one cookie
// that script can't read: "ord_….secret~ord_….secret". A link to an order carries its secret
// once; it goes into the cookie and out of the address.
const (
	heldCookie = "hufu_orders"
	maxHeld    = 40
	heldAge    = 180 * 24 * 3600
)

// cookieName has the prefix that makes browsers insist on https and on this very host,
// which plain http on a developer's machine can't have (S41).
func (s *Web) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *Web) setCookie(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(name), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
}

// held lists the orders whose secret the browser holds, the newest first.
func (s *Web) held(r *http.Request) []id.Order {
	c, err := r.Cookie(s.cookieName(heldCookie))
	if err != nil {
		return nil
	}
	var out []id.Order
	for part := range strings.SplitSeq(c.Value, "~") {
		name, secret, _ := strings.Cut(part, ".")
		o, err := id.Parse[id.Order](name)
		if err == nil && len(out) < maxHeld && !slices.Contains(out, o) && s.Flows.Keys.CheckLink(name, secret) {
			out = append(out, o)
		}
	}
	return out
}

// hold makes the browser keep the secrets of orders, before those it has.
func (s *Web) hold(w http.ResponseWriter, r *http.Request, orders ...id.Order) {
	for _, o := range s.held(r) {
		if !slices.Contains(orders, o) {
			orders = append(orders, o)
		}
	}
	var parts []string
	for _, o := range orders[:min(len(orders), maxHeld)] {
		parts = append(parts, string(o)+"."+s.Flows.Keys.LinkSecret(string(o)))
	}
	if parts != nil {
		s.setCookie(w, heldCookie, strings.Join(parts, "~"), heldAge)
	}
}

// memberCookie holds the session of who signed in.
const memberCookie = "hufu_member"

// member is the session of the signed-in shopper, nil when there is none.
func (s *Web) member(r *http.Request, tx *db.Tx) (*identity.Session, error) {
	c, err := r.Cookie(s.cookieName(memberCookie))
	if err != nil || s.People == nil {
		return nil, nil
	}
	e, err := s.People.Session(r.Context(), tx, identity.Shop, c.Value, s.now())
	if err != nil && fault.KindOf(err) == fault.Unauthenticated {
		return nil, nil // an ended session is a guest
	}
	return e, err
}

// signedIn is member in a transaction of its own.
func (s *Web) signedIn(r *http.Request) (*identity.Session, error) {
	if _, err := r.Cookie(s.cookieName(memberCookie)); err != nil {
		return nil, nil
	}
	var e *identity.Session
	err := s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		var err error
		e, err = s.member(r, tx)
		return err
	})
	return e, err
}

// owns reports whether a member may see an order: placed by them, or with the phone number
// they have proven to hold.
func owns(e *identity.Session, o *order.Order) bool {
	return e != nil && o != nil && ((o.Party != "" && o.Party == e.Party.ID) || (e.Party.Phone != "" && o.Phone == e.Party.Phone))
}

// mayHold gives the order a page is about, or the one refusal there is: for what isn't an
// order, for an order that doesn't exist and for somebody else's (S32-S34).
func (s *Web) mayHold(r *http.Request) (id.Order, error) {
	none := fault.New(fault.NotFound, "order.not_found")
	o, err := id.Parse[id.Order](r.PathValue("id"))
	if err != nil {
		return "", none
	}
	if slices.Contains(s.held(r), o) {
		return o, nil
	}
	if _, err := r.Cookie(s.cookieName(memberCookie)); err != nil {
		return "", none
	}
	mine := false
	err = s.Flows.DB.View(r.Context(), func(tx *db.Tx) error {
		e, err := s.member(r, tx)
		if err != nil || e == nil {
			return err
		}
		found, err := s.Flows.Orders.Get(r.Context(), tx, []id.Order{o})
		mine = owns(e, found[o])
		return err
	})
	if err != nil {
		return "", err
	}
	if !mine {
		return "", none
	}
	return o, nil
}

// mine lists the orders a visitor may see, the newest first, and tells the page who is
// signed in.
func (s *Web) mine(r *http.Request, tx *db.Tx, p *ui.Page) ([]*order.Order, error) {
	ctx := r.Context()
	found, err := s.Flows.Orders.Get(ctx, tx, s.held(r))
	if err != nil {
		return nil, err
	}
	e, err := s.member(r, tx)
	if err != nil {
		return nil, err
	}
	if e != nil {
		p.User = &ui.User{Name: e.Party.Label()}
		theirs, err := s.Flows.Orders.OfParty(ctx, tx, e.Party.ID, "", maxListed)
		if err != nil {
			return nil, err
		}
		if e.Party.Phone != "" {
			more, err := s.Flows.Orders.OfPhone(ctx, tx, e.Party.Phone, "", maxListed)
			if err != nil {
				return nil, err
			}
			theirs = append(theirs, more...)
		}
		for _, o := range theirs {
			found[o.ID] = o
		}
	}
	out := slices.Collect(maps.Values(found))
	slices.SortFunc(out, func(a, b *order.Order) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return out[:min(len(out), maxListed)], nil
}

// maxListed is how many orders a list goes back.
const maxListed = 100

// actor is who acts on an order, for the path of its rights.
func (s *Web) actor(r *http.Request, o *order.Order) string {
	if e, err := s.signedIn(r); err == nil && owns(e, o) {
		return string(e.Party.ID)
	}
	return "holder"
}

// OrderLink is the address that opens an order for whoever has it.
func OrderLink(publicURL string, o id.Order, secret string) string {
	return publicURL + "/orders/" + string(o) + "?k=" + secret
}
