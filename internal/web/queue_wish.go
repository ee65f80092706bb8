package web

import (
	"net/http"
	"net/url"
	"strconv"

	"hufu/internal/order"
)

// wishCookie holds what a browser waits for in front of an offer; the offer's id follows.
const wishCookie = "hufu_wish_"

// maxWish is how long a wish may be, in bytes: browsers keep cookies of 4096.
const maxWish = 3500

// wish is what a shopper had chosen, and said to have read, when they were sent to wait. What
// they said comes from a form that they sent, and from no address, so that nobody says it for
// them; it counts for the very texts alone.
type wish struct {
	n         int64 // 0: nothing chosen
	picks     order.Picks
	terms     string // hash of those agreed to
	conflicts string // hash of those acknowledged
	known     bool   // with terms, that the providers' accounts are apart
}

// keepWish has the browser keep a wish while it waits.
func (s *Web) keepWish(w http.ResponseWriter, g goods, x wish) {
	v := url.Values{"v": {string(g.Version.ID)}, "n": {strconv.FormatInt(x.n, 10)}, "p": {x.picks.Text()}, "t": {x.terms}, "c": {x.conflicts}}
	if x.known {
		v.Set("k", "1")
	}
	if text := v.Encode(); len(text) <= maxWish {
		s.setCookie(w, wishCookie+string(g.Offer.ID), text, queueAge)
	}
}

// wishOf is what the browser kept; nothing is asked of what it says but that it can be read,
// and what was picked of another version is forgotten.
func (s *Web) wishOf(r *http.Request, g goods) wish {
	c, err := r.Cookie(s.cookieName(wishCookie + string(g.Offer.ID)))
	if err != nil {
		return wish{}
	}
	v, err := url.ParseQuery(c.Value)
	if err != nil {
		return wish{}
	}
	in, err := checked(v)
	if err != nil {
		return wish{}
	}
	x := wish{terms: in.text("t"), conflicts: in.text("c"), known: in.text("k") == "1"}
	x.n, _ = in.number("n", 1, g.Version.Content.MaxPerOrder)
	if picks, err := order.ParsePicks(in.text("p")); err == nil && in.text("v") == string(g.Version.ID) {
		x.picks = picks
	}
	return x
}

// granted puts what was wished for into a form that shows the same texts.
func (v *checkoutView) granted(x wish) {
	same := x.terms != "" && x.terms == v.Terms
	v.Agreed, v.Known = same, same && x.known
	v.Accepted = x.conflicts != "" && x.conflicts == v.Conflict.Hash
}

// sendToWait leads to the waiting room who sent a form without a turn, and keeps what was in it.
func (s *Web) sendToWait(w http.ResponseWriter, r *http.Request, g goods, p placing, to string) error {
	x := wish{n: p.n, picks: p.picks, conflicts: p.conflicts, known: p.known}
	if p.agreed {
		x.terms = p.terms
	}
	s.keepWish(w, g, x)
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
