package web_test

import (
	"bytes"
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow/flowtest"
	"hufu/internal/httpx"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/inventory"
	"hufu/internal/live"
	"hufu/internal/money"
	"hufu/internal/order"
	"hufu/internal/paygate"
	"hufu/internal/payment"
	"hufu/internal/web"
)

// hostile is what an operator, or who sits at their desk, may write anywhere (S44).
const hostile = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>{{.}}`

// cashier is a channel with a page of its own, which may be out of order.
type cashier struct {
	*flowtest.Gateway
	mu   sync.Mutex
	url  string
	down bool
}

func (c *cashier) Cashier(context.Context, paygate.Charge) (paygate.Cashier, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return paygate.Cashier{}, io.ErrUnexpectedEOF
	}
	return paygate.Cashier{RedirectURL: c.url}, nil
}

// shop is a storefront behind a real server.
type shop struct {
	*flowtest.Shop
	t       *testing.T
	web     *web.Web
	hub     *live.Hub
	server  *httptest.Server
	cashier *cashier
	log     *bytes.Buffer
	offers  map[string]catalogue.Offer
}

func open(t *testing.T, d *db.DB) *shop {
	t.Helper()
	s := &shop{Shop: flowtest.New(t, d), t: t, hub: live.New(), log: new(bytes.Buffer), offers: map[string]catalogue.Offer{}}
	s.cashier = &cashier{Gateway: s.Gateway, url: "https://pay.example/cashier?no=1"}
	s.Gateways[flowtest.Channel] = s.cashier
	s.Flows.Changed = s.hub.Publish
	people, err := identity.New(identity.Config{Sealer: s.Keys, Key: s.Keys.Derive("identity"), Passwords: identity.NewPasswords(identity.DefaultCost, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(nil)
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return s.log.Write(b) }), &slog.HandlerOptions{Level: slog.LevelDebug}))
	if s.web, err = web.New(web.Options{Flows: s.Flows, People: people, Live: s.hub, PublicURL: "http://" + s.server.Listener.Addr().String(), NoticeURL: "http://notices", Log: log}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.web.Routes(mux)
	s.server.Config.Handler = httpx.Handler(mux, httpx.Options{Log: log, Lang: web.LangOf, Fail: s.web.Fail, Proxies: []netip.Prefix{}})
	s.server.Start()
	t.Cleanup(s.hub.Close)
	t.Cleanup(s.server.Close)
	return s
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// text is a text in both languages.
func text(s string) catalogue.Text { return catalogue.Text{ZH: s + "（中文）", EN: s} }

// benefit is a coded membership of a provider, out of a stock of its own.
func (s *shop) benefit(slug, provider, words string, codes int64) catalogue.Benefit {
	s.t.Helper()
	stock := s.Stock(s.t, inventory.Codes)
	if codes > 0 {
		s.Codes(s.t, stock, codes)
	}
	return catalogue.Benefit{Slug: slug, Kind: "membership", Provider: catalogue.Provider{Key: provider, Name: text("Provider " + provider)}, Name: text("Benefit " + slug + words),
		Attributes: map[string]string{"days": "30"}, ValidDays: 30, Stock: stock, Coded: true, Disclosure: catalogue.Disclosure{AccountType: text("account of " + slug + words), Scope: text("scope of " + slug + words),
			Devices: text("devices of " + slug + words), Validity: text("validity of " + slug + words), HowToUse: text("how to use " + slug + words), Refund: text("refund of " + slug + words)}}
}

// sell publishes an offer and brings it into a state.
func (s *shop) sell(slug, words string, state catalogue.State, price int64, benefits ...catalogue.Benefit) catalogue.Offer {
	s.t.Helper()
	now := s.Clock.Now()
	var o catalogue.Offer
	if err := s.DB.Do(s.t.Context(), func(tx *db.Tx) error {
		c := catalogue.Content{Title: text("Offer " + slug + words), Summary: text("summary" + words), Description: text("first\n\nsecond" + words), Badge: text("new"),
			Price: money.Of(price, money.CNY), List: money.Of(price*2, money.CNY), MaxPerOrder: 5}
		for _, b := range benefits {
			b, err := s.Catalogue.PutBenefit(s.t.Context(), tx, b, "system", now)
			if err != nil {
				return err
			}
			c.Parts = append(c.Parts, catalogue.Part{Benefit: b, Quantity: 1})
		}
		var err error
		if o, err = s.Catalogue.Create(s.t.Context(), tx, catalogue.Offer{Slug: slug, Category: "video", StartsAt: now.Add(time.Hour), Draft: c}, now); err != nil {
			return err
		}
		if o, _, err = s.Catalogue.Publish(s.t.Context(), tx, o, "system", now); err != nil {
			return err
		}
		for _, st := range map[catalogue.State][]catalogue.State{catalogue.Live: {catalogue.Live}, catalogue.Paused: {catalogue.Live, catalogue.Paused}, catalogue.Scheduled: {catalogue.Scheduled}}[state] {
			if o, err = s.Catalogue.SetState(s.t.Context(), tx, o, st, now); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	s.offers[slug] = o
	return o
}

// stall fills the shop: a bundle of two providers, one that is written by an enemy, one of
// each state in which nothing can be bought.
func (s *shop) stall() {
	s.sell("duo", "", catalogue.Live, 3690, s.benefit("alpha", "a", "", 30), s.benefit("beta", "b", "", 30))
	s.sell("hostile", hostile, catalogue.Live, 990, s.benefit("gamma", "c", hostile, 30))
	s.sell("soon", "", catalogue.Scheduled, 100, s.benefit("delta", "d", "", 3))
	s.sell("paused", "", catalogue.Paused, 100, s.benefit("epsilon", "e", "", 3))
	s.sell("out", "", catalogue.Live, 100, s.benefit("zeta", "f", "", 0))
}

// browser is one browser with its cookies.
type browser struct {
	*shop
	client *http.Client
	lang   string
}

func (s *shop) browser(lang string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, lang}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) reply {
	b.t.Helper()
	r.Header.Set("Accept-Language", b.lang)
	res, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{res, string(body)}
}

func (b *browser) get(path string) reply {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) reply {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

var (
	inputTag  = regexp.MustCompile(`<input [^>]*>`)
	attribute = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
)

// fields are the values of a page's form as a browser would send them untouched.
func (r reply) fields() url.Values {
	out := url.Values{}
	for _, tag := range inputTag.FindAllString(r.body, -1) {
		a := map[string]string{}
		for _, m := range attribute.FindAllStringSubmatch(tag, -1) {
			a[m[1]] = m[2]
		}
		switch {
		case a["name"] == "" || a["name"] == "q" || a["name"] == "back":
		case a["type"] == "checkbox":
		case a["type"] == "radio" && !strings.Contains(tag, " checked"):
		default:
			out.Set(a["name"], html.UnescapeString(a["value"]))
		}
	}
	return out
}

// checkout fills the form of an offer as a shopper would.
func (b *browser) checkout(slug string, n string) url.Values {
	b.t.Helper()
	page := b.get("/checkout/" + slug + "?n=" + n)
	if page.StatusCode != http.StatusOK {
		b.t.Fatalf("checkout: %d %s", page.StatusCode, page.body)
	}
	f := page.fields()
	f.Set("phone", "138 0013 8000")
	f.Set("email", "Lin@Example.com")
	f.Set("agree", "1")
	f.Set("accounts", "1")
	return f
}

// place orders and returns the order.
func (b *browser) place(slug string, n string) id.Order {
	b.t.Helper()
	res := b.post("/checkout/"+slug, b.checkout(slug, n))
	if res.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("place: %d %s", res.StatusCode, res.body)
	}
	o, err := id.Parse[id.Order](strings.TrimSuffix(strings.TrimPrefix(res.Header.Get("Location"), "/orders/"), "/pay"))
	if err != nil {
		b.t.Fatalf("place leads to %q", res.Header.Get("Location"))
	}
	return o
}

// intent is the payment of an order.
func (s *shop) intent(o id.Order) *payment.Intent {
	s.t.Helper()
	var all map[id.Order][]*payment.Intent
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		var err error
		all, err = s.Payments.IntentsOf(s.t.Context(), tx, []id.Order{o})
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return all[o][0]
}

// pay pays an order at the channel and has its notice arrive.
func (s *shop) pay(o id.Order) {
	s.t.Helper()
	p := s.intent(o)
	notice, ok := s.Gateway.Pay(p, p.Amount)
	if !ok {
		s.t.Fatal("the charge is closed")
	}
	if _, err := s.Confirm(s.t.Context(), notice); err != nil {
		s.t.Fatal(err)
	}
}

// count is how many orders there are.
func (s *shop) count() int {
	s.t.Helper()
	var all []*order.Order
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		var err error
		all, err = s.Orders.Newest(s.t.Context(), tx, "", "", 1000)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return len(all)
}
