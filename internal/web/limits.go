package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// deviceCookie holds a random secret by which purchase limits know a browser again. It is
// set where an offer is bought that is limited by person, and only its hash is stored.
const (
	deviceCookie = "hufu_device"
	deviceAge    = 400 * 24 * 3600 // the longest that browsers keep a cookie
	deviceLength = 26              // of rand.Text
)

// device is the secret of a browser, "" when it has none.
func (s *Web) device(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(deviceCookie))
	if err != nil || len(c.Value) != deviceLength {
		return ""
	}
	return c.Value
}

// knowDevice is the secret of a browser that buys a version; one that needs one and has none
// gets it.
func (s *Web) knowDevice(w http.ResponseWriter, r *http.Request, v *catalogue.Version) string {
	if !byPerson(v) {
		return ""
	}
	return s.deviceOf(w, r)
}

// deviceOf is the secret of a browser; one that has none gets it.
func (s *Web) deviceOf(w http.ResponseWriter, r *http.Request) string {
	secret := s.device(r)
	if secret == "" {
		secret = rand.Text()
		s.setCookie(w, deviceCookie, secret, deviceAge)
	}
	return secret
}

func byPerson(v *catalogue.Version) bool {
	return slices.ContainsFunc(v.Content.Limits, func(l catalogue.Limit) bool { return l.Of == catalogue.Person })
}

// limits is what a shopper must know of how many may be bought beyond one order (限购), and
// what is left: of what a person may buy to who is signed in. It is not among the terms that
// are acknowledged: who is within the limits is bound by nothing else. There is no group when
// there is no limit.
func (s *Web) limits(ctx context.Context, lang i18n.Lang, r *http.Request, e *identity.Session, v *catalogue.Version) ([]termGroup, error) {
	if len(v.Content.Limits) == 0 {
		return nil, nil
	}
	buyer := flow.Buyer{Device: s.device(r)}
	if e != nil {
		buyer.Party, buyer.OwnPhone = e.Party.ID, e.Party.Phone
	}
	var all []flow.Allowance
	if err := s.Flows.DB.View(ctx, func(tx *db.Tx) (err error) {
		all, err = s.Flows.Allowances(ctx, tx, v, "web", buyer, s.now())
		return err
	}); err != nil {
		return nil, err
	}
	return limitsIn(lang, v, all, e != nil, s.now()), nil
}

// limitsIn puts what limits allow into words; what is left of a person's is told to members.
func limitsIn(lang i18n.Lang, v *catalogue.Version, all []flow.Allowance, member bool, now time.Time) []termGroup {
	g := termGroup{Name: lang.T("shop.limits")}
	for _, a := range all {
		params := []string{"n", strconv.FormatInt(a.Max, 10)}
		if a.Channel != "" {
			params = append(params, "channel", lang.T("limit.channel."+a.Channel))
		}
		t := ui.Term{Icon: "users", Label: lang.T("shop.limits." + string(a.Of)), Text: lang.T("limit."+a.Name(), params...) + lang.T("shop.stop")}
		if a.Of == catalogue.Everybody || member {
			key := "shop.limits.left." + string(a.Of)
			params := []string{"n", strconv.FormatInt(a.Left, 10)}
			if next := a.Next(now); a.Left == 0 && !next.IsZero() {
				key, params = "shop.limits.next", []string{"next", next.Format("2006-01-02 15:04")}
			}
			t.Text += lang.T(key, params...)
		}
		g.Terms = append(g.Terms, t)
	}
	if len(g.Terms) == 0 {
		return nil
	}
	if !member && byPerson(v) {
		g.Terms = append(g.Terms, ui.Term{Icon: "info", Label: lang.T("shop.limits.who"), Text: lang.T("shop.limits.who.text")})
	}
	return []termGroup{g}
}
