package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"hufu/internal/fault"
	"hufu/internal/httpx"
	"hufu/internal/i18n"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/web/ui"
)

// whoCookie keeps what a channel's app has to bring back with its word of who the shopper is.
const whoCookie = "hufu_who"

// cashier asks the gateway for its page. Within the channel's own app that page may first be
// the one that tells who the shopper is, which leads back here.
func (s *Web) cashier(w http.ResponseWriter, r *http.Request, o *order.Order, p *payment.Intent) (paygate.Cashier, error) {
	g, ok := s.Flows.Gateways[p.Gateway]
	if !ok {
		return paygate.Cashier{}, fault.New(fault.Unavailable, "order.gateway", "gateway", p.Gateway)
	}
	subject, err := s.Flows.PaySubject(r.Context(), o)
	if err != nil {
		return paygate.Cashier{}, err
	}
	charge := paygate.Charge{MerchantNo: string(p.ID), Amount: p.Amount, Subject: subject, NotifyURL: s.NoticeURL + "/" + p.Gateway + "/notices",
		ReturnURL: s.PublicURL + "/orders/" + string(o.ID) + "/paying", ExpiresAt: p.ExpiresAt, Device: paygate.Desktop, ClientIP: httpx.CallerOf(r.Context()).IP.String(), Lang: string(ui.LangOf(r))}
	if strings.Contains(r.UserAgent(), "Mobile") {
		charge.Device = paygate.Phone
	}
	if app, ok := g.(paygate.Introducer); ok && app.InApp(r.UserAgent()) {
		charge.Device = paygate.InApp
		back := r.URL.Query()
		c, err := r.Cookie(s.cookieName(whoCookie))
		if err != nil || back.Get("code") == "" || subtle.ConstantTimeCompare([]byte(back.Get("state")), []byte(c.Value)) != 1 {
			state := rand.Text()
			s.setCookie(w, whoCookie, state, 600)
			return paygate.Cashier{RedirectURL: app.Introduce(s.PublicURL+"/orders/"+string(o.ID)+"/pay", state)}, nil
		}
		if charge.PayerID, err = app.Payer(r.Context(), back.Get("code")); err != nil {
			return paygate.Cashier{}, err
		}
	}
	c, err := g.Cashier(r.Context(), charge)
	if err != nil {
		return c, err
	}
	if u, err := url.Parse(c.RedirectURL); c.RedirectURL != "" && (err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.ContainsAny(c.RedirectURL, " \r\n;,'\"")) {
		return c, fmt.Errorf("web: %s sent an address for its cashier that is none: %q", p.Gateway, c.RedirectURL)
	}
	if c.RedirectURL == "" && c.QRText == "" && c.Invoke == nil {
		return c, fmt.Errorf("web: %s offers no way to its cashier for a browser", p.Gateway)
	}
	return c, nil
}

// show puts a way to pay on the page.
func (v *payView) show(w http.ResponseWriter, r *http.Request, gateway string, c paygate.Cashier) error {
	switch {
	case c.RedirectURL != "":
		v.Cashier = c.RedirectURL
		// Not a redirect: browsers hold the answer to a form to form-action, which names us alone.
		w.Header().Set("Refresh", "0; url="+c.RedirectURL)
	case c.Invoke != nil:
		params, err := json.Marshal(c.Invoke)
		if err != nil {
			return err
		}
		v.Bridge = string(params)
	default:
		v.Scan = scanWith(gateway)
		var err error
		if v.QR, err = qrImage(c.QRText, say(r, v.Scan)); err != nil {
			return err
		}
		if u, err := url.Parse(c.QRText); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
			v.Link = c.QRText
		}
	}
	return nil
}

// scanWith is the key of what a gateway's QR code is scanned with.
func scanWith(gateway string) string {
	if key := "shop.paying.scan." + gateway; i18n.Has(key) {
		return key
	}
	return "shop.paying.qr"
}
