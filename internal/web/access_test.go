package web_test

import (
	"bufio"
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow/flowtest"
	"hufu/internal/notify"
	"hufu/internal/order"
	"hufu/internal/web"
)

var (
	traceText = regexp.MustCompile(`[0-9a-f]{32}`)
	backField = regexp.MustCompile(`name="back" value="[^"]*"`)
)

// same is an answer without what differs between any two: trace number and own address.
func same(r reply) string {
	return r.Status + "\n" + r.Header.Get("Cache-Control") + r.Header.Get("Referrer-Policy") + strings.Join(r.Header.Values("Set-Cookie"), "") + "\n" +
		backField.ReplaceAllString(traceText.ReplaceAllString(r.body, "TRACE"), "")
}

// An order that exists, one that doesn't, and what isn't an order are the same to who may
// not see it, whatever is sent for its secret (S32-S34).
func TestRefusalsAreIdentical(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	mine := s.browser("en")
	o := mine.place("duo", "1")
	s.pay(o)
	right := string(s.Held(t, o)[0].ID)
	other := s.browser("en")
	theirs := other.place("duo", "1") // holds an order, but not this one
	secret := s.Keys.LinkSecret(string(o))

	for _, b := range []*browser{s.browser("en"), other} {
		ref := same(b.get("/orders/ord_01kxxxxxxxxxxxxxxxxxxxxxxx"))
		if !strings.HasPrefix(ref, "404") {
			t.Fatalf("an unknown order: %.40q", ref)
		}
		for _, at := range []string{string(o), "ord_00000000000000000000000000", "nonsense", "%00", "ord_'%20OR%201=1"} {
			for _, tail := range []string{"", "?k=", "?k=0", "?k=null", "?k[]=" + secret, "?k=%00", "?k=" + secret[:21], "?k=" + secret + "x", "?k=0&k=" + secret, "?k=" + s.Keys.LinkSecret(string(theirs)),
				"/pay", "/evidence", "/paying", "/paying/state?ask=1", "/reveal", "/reveal?right=" + right, "/events"} {
				if got := same(b.get("/orders/" + at + tail)); got != ref {
					t.Errorf("GET /orders/%s%s differs:\n%.300s", at, tail, got)
				}
			}
			for _, tail := range []string{"/reveal", "/cancel", "/balance"} {
				r := b.post("/orders/"+at+tail, url.Values{"agree": {"1"}, "password": {"0"}, "k": {secret}})
				if r.StatusCode != http.StatusNotFound || strings.Contains(r.body, "code-text") {
					t.Errorf("POST /orders/%s%s: %d", at, tail, r.StatusCode)
				}
			}
		}
		for _, at := range []string{right, "rgt_00000000000000000000000000", "nonsense"} {
			if got := same(b.get("/rights/" + at)); got != ref {
				t.Errorf("GET /rights/%s differs", at)
			}
			if got := same(b.get("/rights/" + at + "/choose")); got != ref {
				t.Errorf("GET /rights/%s/choose differs", at)
			}
			for _, tail := range []string{"/choose", "/activate"} {
				if r := b.post("/rights/"+at+tail, url.Values{"pick.one": {"0"}}); r.StatusCode != http.StatusNotFound {
					t.Errorf("POST /rights/%s%s: %d", at, tail, r.StatusCode)
				}
			}
		}
		find := func(link string) string { return same(b.post("/orders/find", url.Values{"link": {link}})) }
		blank := regexp.MustCompile(`name="link" required value="[^"]*"|id="link"[^>]*>`)
		ref = blank.ReplaceAllString(find("x"), "")
		for _, link := range []string{"", string(o), "https://shop/orders/" + string(o), "https://shop/orders/" + string(o) + "?k=0", "/orders/" + string(o) + "?k=" + secret + "&k=" + secret, strings.Repeat("x", 301), "%"} {
			if got := blank.ReplaceAllString(find(link), ""); got != ref {
				t.Errorf("finding %q differs", link)
			}
		}
	}
	if st := s.Held(t, o)[0].State; st != "held" {
		t.Errorf("a stranger brought the right to %s", st)
	}
}

// The link's secret leaves the address at once and stays in a cookie that script can't read.
func TestLinkOpensTheOrder(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	o := s.browser("en").place("duo", "1")
	link := web.OrderLink(s.server.URL, o, s.Keys.LinkSecret(string(o)))
	b := s.browser("en")
	r := b.get(strings.TrimPrefix(link, s.server.URL))
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/orders/"+string(o) || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Errorf("the cookie is %+v", c)
	}
	if r := b.get("/orders/" + string(o)); r.StatusCode != http.StatusOK || !strings.Contains(r.body, "Awaiting payment") {
		t.Errorf("the order: %d", r.StatusCode)
	}
	if strings.Contains(s.log.String(), s.Keys.LinkSecret(string(o))) {
		t.Error("the secret is in the log")
	}
	if r := s.browser("en").post("/orders/find", url.Values{"link": {" " + link + " "}}); r.StatusCode != http.StatusSeeOther {
		t.Errorf("pasting the link: %d", r.StatusCode)
	}
	if r := b.post("/me/forget", nil); r.StatusCode != http.StatusSeeOther || b.get("/orders/"+string(o)).StatusCode != http.StatusNotFound {
		t.Error("the browser doesn't forget")
	}
}

// A cookie that was made up opens nothing: each order in it stands by its own secret.
func TestForgedCookies(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	o := string(s.browser("en").place("duo", "1"))
	theirs := s.browser("en").place("duo", "1")
	for _, value := range []string{o, o + ".", o + ".0", o + "." + s.Keys.LinkSecret(string(theirs)), o + "." + s.Keys.LinkSecret(o)[:21], o + "." + s.Keys.LinkSecret(o) + ".x", "~" + o + "~", string(theirs) + "." + s.Keys.LinkSecret(o)} {
		r, err := http.NewRequest(http.MethodGet, s.server.URL+"/orders/"+o, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(&http.Cookie{Name: "hufu_orders", Value: value})
		r.AddCookie(&http.Cookie{Name: "hufu_member", Value: value})
		if res := s.browser("en").do(r); res.StatusCode != http.StatusNotFound {
			t.Errorf("the cookie %q opens the order: %d", value, res.StatusCode)
		}
	}
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// sentCode is the code last sent.
func (s *shop) sentCode() string {
	s.t.Helper()
	var all []notify.Message
	if err := s.DB.View(s.t.Context(), func(tx *db.Tx) error {
		var err error
		all, err = notify.Newest(s.t.Context(), tx, "", 1)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if len(all) == 0 {
		return ""
	}
	return sixDigits.FindString(all[0].Body)
}

// An order is found again with a code sent to the e-mail address it was placed with.
func TestOrdersByMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		buyer := s.browser("en")
		other := buyer.place("duo", "1")
		f := buyer.checkout("duo", "1")
		f.Set("email", "Some.One@Example.com")
		if r := buyer.post("/checkout/duo", f); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("placing: %d", r.StatusCode)
		}
		b := s.browser("en")
		f = b.get("/sign-in?for=look_up").fields()
		f.Set("phone", "some.one@example.com")
		sent := b.post("/sign-in/code", f)
		sound(t, "/sign-in/code", sent, "en")
		f = sent.fields()
		f.Set("code", s.sentCode())
		if r := b.post("/sign-in", f); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("with the code: %d %s", r.StatusCode, r.body)
		}
		if r := b.get("/orders/" + string(buyer.lastOrder())); r.StatusCode != http.StatusOK {
			t.Errorf("the order: %d", r.StatusCode)
		}
		if r := b.get("/orders/" + string(other)); r.StatusCode != http.StatusNotFound {
			t.Errorf("an order placed without the address: %d", r.StatusCode)
		}
	})
}

// An order is found again with a code sent to its phone, and in no other way.
func TestOrdersByPhone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		o := s.browser("en").place("duo", "1")
		for _, purpose := range []string{"look_up", "sign_in"} {
			b := s.browser("en")
			page := b.get("/sign-in?for=" + purpose)
			f := page.fields()
			f.Set("phone", "12")
			if r := b.post("/sign-in/code", f); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.body, `id="phone-error"`) {
				t.Errorf("a number that is none: %d", r.StatusCode)
			}
			f.Set("phone", "138 0013 8000")
			s.Time.Advance(2 * time.Minute) // the next code may be sent
			sent := b.post("/sign-in/code", f)
			sound(t, "/sign-in/code", sent, "en")
			code, f := s.sentCode(), sent.fields()
			if sent.StatusCode != http.StatusOK || f.Get("ticket") == "" || code == "" || strings.Contains(sent.body, code) {
				t.Fatalf("sending: %d", sent.StatusCode)
			}
			if soon := b.post("/sign-in/code", f); soon.StatusCode != http.StatusTooManyRequests || soon.fields().Get("ticket") != f.Get("ticket") {
				t.Errorf("sending again at once: %d, or the first code's form is gone", soon.StatusCode)
			}
			f.Set("code", "000000")
			if code == "000000" {
				f.Set("code", "000001")
			}
			for _, wrong := range []string{f.Get("code"), "", "0", "null", "[]", "%00"} {
				f.Set("code", wrong)
				if r := s.browser("en").post("/sign-in", f); r.StatusCode != http.StatusUnauthorized && r.StatusCode != http.StatusTooManyRequests {
					t.Errorf("the code %q: %d", wrong, r.StatusCode)
				}
				if wrong == "0" {
					break // five tries end the code
				}
			}
			f.Set("code", code)
			done := b.post("/sign-in", f)
			if done.StatusCode != http.StatusSeeOther {
				t.Fatalf("%s with the code: %d %s", purpose, done.StatusCode, done.body)
			}
			if r := b.get("/orders/" + string(o)); r.StatusCode != http.StatusOK {
				t.Errorf("%s: the order: %d", purpose, r.StatusCode)
			}
			if again := s.browser("en").post("/sign-in", f); again.StatusCode == http.StatusSeeOther {
				t.Error("a code opens twice")
			}
			if purpose == "sign_in" {
				me := b.get("/me")
				if !strings.Contains(me.body, "138****8000") || strings.Contains(me.body, "13800138000") {
					t.Error("the member isn't named, or is named in full (S62)")
				}
				if r := b.get("/checkout/duo"); !strings.Contains(html.UnescapeString(r.body), `value="+8613800138000"`) {
					t.Error("a member types the number again")
				}
				mine := b.place("duo", "1")
				if s.Look(t, mine).Party == "" {
					t.Error("a member's order has no party")
				}
				if r := b.post("/sign-out", nil); r.StatusCode != http.StatusSeeOther {
					t.Errorf("signing out: %d", r.StatusCode)
				}
				if r := b.get("/orders/" + string(o)); r.StatusCode != http.StatusNotFound {
					t.Errorf("after signing out the order shows: %d (S41)", r.StatusCode)
				}
			}
		}
	})
}

// stream reads the events of an order's page until one is named, or the time is over.
func (b *browser) stream(ctx context.Context, path string, named chan<- string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+path, nil)
	if err != nil {
		b.t.Error(err)
		return
	}
	res, err := b.client.Do(r)
	if err != nil {
		if ctx.Err() == nil {
			b.t.Error(err)
		}
		return
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("the stream is %v", res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		named <- lines.Text()
	}
	close(named)
}

// A waiting page is told at once by this process, and by the next beat when another one
// changed the order.
func TestWaitingPagesAreTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		s.stall()
		for _, elsewhere := range []bool{false, true} {
			b := s.browser("en")
			o := b.place("duo", "1")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			lines := make(chan string, 100)
			go b.stream(ctx, "/orders/"+string(o)+"/events", lines)
			if first := <-lines; first != "retry: 3000" {
				t.Fatalf("the stream begins with %q", first)
			}
			if elsewhere {
				other := s.Process(t, d)
				notice, _ := s.Gateway.Pay(s.intent(o), s.Look(t, o).Total)
				if _, err := other.Confirm(t.Context(), notice); err != nil {
					t.Fatal(err)
				}
				if err := s.hub.Poll(t.Context(), s.web.States); err != nil {
					t.Fatal(err)
				}
			} else {
				s.pay(o)
			}
			var got []string
			for line := range lines {
				if line != "" {
					got = append(got, line)
				}
			}
			if strings.Join(got, "|") != "event: done|data: /orders/"+string(o) {
				t.Errorf("told elsewhere=%v: %q", elsewhere, got)
			}
			cancel()
			// Who asks when it is over is told so at once.
			again := make(chan string, 100)
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Second)
			go b.stream(ctx, "/orders/"+string(o)+"/events", again)
			if line := <-again; line != "event: done" {
				t.Errorf("afterwards: %q", line)
			}
			cancel()
		}
	})
}

// While somebody who comes from the cashier waits, the gateway is asked: its lost notice
// is not missed for longer than a breath (P2).
func TestWaitingAsksTheGateway(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	o := b.place("duo", "1")
	if _, ok := s.Gateway.Pay(s.intent(o), s.Look(t, o).Total); !ok {
		t.Fatal("the charge is closed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	lines := make(chan string, 100)
	go b.stream(ctx, "/orders/"+string(o)+"/events?ask=1", lines)
	for line := range lines {
		if line == "event: done" {
			if st := s.Look(t, o).State; st != order.Fulfilled {
				t.Errorf("told of an order that is %s", st)
			}
			return
		}
	}
	t.Error("the stream ended without the gateway having been asked")
}

// The fragment that a page without an event stream asks for ends by leading to the order.
func TestPayingState(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("zh-CN")
	o := b.place("duo", "1")
	path := "/orders/" + string(o) + "/paying/state?ask=1&since="
	fresh := b.get(path + "x")
	if fresh.StatusCode != http.StatusOK || !strings.Contains(fresh.body, "正在与银行确认") || fresh.Header.Get("Hufu-Done") != "" {
		t.Errorf("at first: %d %s", fresh.StatusCode, fresh.body)
	}
	if late := b.get(path + "1"); !strings.Contains(late.body, "银行还没有给出结果") {
		t.Error("a slow bank isn't said to be so")
	}
	s.pay(o)
	if done := b.get(path + "1"); done.Header.Get("Hufu-Done") != "1" || done.Header.Get("Hufu-Location") != "/orders/"+string(o) {
		t.Errorf("once paid: %v", done.Header)
	}
}

func TestCancelFreesThePlace(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	s.stall()
	b := s.browser("en")
	o := b.place("duo", "1")
	for range 2 { // pressing twice is pressing once
		if r := b.post("/orders/"+string(o)+"/cancel", nil); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
	}
	if s.Look(t, o).State != order.Cancelled || !strings.Contains(b.get("/orders/"+string(o)).body, "nothing was charged") {
		t.Error("the order isn't cancelled")
	}
	paid := b.place("duo", "1")
	s.pay(paid)
	if r := b.post("/orders/"+string(paid)+"/cancel", nil); r.StatusCode != http.StatusSeeOther || s.Look(t, paid).State != order.Fulfilled {
		t.Errorf("cancelling what is paid: %d, %s", r.StatusCode, s.Look(t, paid).State)
	}
}

// A shortage is told as what it is, with the refund under way.
func TestShortageIsTold(t *testing.T) {
	s := open(t, dbtest.Open(t, "sqlite"))
	limited := s.benefit("rare", "r", "", 1)
	s.sell("rare", "", "live", 500, limited)
	b := s.browser("en")
	first := b.place("rare", "1")
	s.Time.Advance(16 * time.Minute)
	if _, err := s.ExpireDue(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	_ = s.Buy(t, flowtest.Want{Offer: flowtest.Offer{ID: s.offers["rare"].ID}, Quantity: 1})
	late := flowtest.NewGateway(s.Time)
	notice, _ := late.Pay(s.intent(first), s.Look(t, first).Total)
	if _, err := s.Confirm(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	r := b.get("/orders/" + string(first))
	sound(t, "shortage", r, "en")
	if !strings.Contains(r.body, "Being refunded") || !strings.Contains(r.body, "Refund of ¥5.00 started") {
		t.Errorf("the shortage isn't told: order %s", s.Look(t, first).State)
	}
	if r := b.post("/orders/"+string(first)+"/reveal", url.Values{"agree": {"1"}}); r.StatusCode != http.StatusNotFound {
		t.Errorf("codes of an order without: %d", r.StatusCode)
	}
}

// Each route that shows an order, asked by somebody who holds another one, refuses; the
// list here is checked against the route table.
func TestOrderRoutesAreKnown(t *testing.T) {
	known := map[string]bool{"": true, "/cancel": true, "/pay": true, "/paying": true, "/paying/state": true, "/reveal": true, "/events": true, "/balance": true, "/evidence": true}
	for _, pattern := range web.Patterns() {
		_, tail, ok := strings.Cut(pattern, "/orders/{id}")
		if ok && !known[tail] {
			t.Errorf("%s is not covered by TestRefusalsAreIdentical", pattern)
		}
	}
}
