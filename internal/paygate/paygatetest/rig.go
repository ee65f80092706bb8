// Package paygatetest holds every payment adapter to the one contract of package paygate, over
// real sockets against the sandbox gateway speaking the adapter's protocol.
package paygatetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/sandbox/gateway"
)

// Protocol is what the adapters differ in.
type Protocol struct {
	Merchant gateway.Merchant
	// Open makes the adapter for the merchant; a timeout of zero is the adapter's own.
	Open func(t testing.TB, base string, c clock.Clock, timeout time.Duration) paygate.Gateway
	// BillAfter is how long after the end of a day its bill can be had.
	BillAfter time.Duration
	// Foreign is the account of a notice for another merchant, and for another app of ours.
	Foreign [2]string
	// What the protocol has no word for.
	NoClosedNotice, NoRefundTotal, NoRefundAmount, NoUnseenClose, OneCurrency bool
	NoUnderwayRefund                                                          bool // refunds are done when they are taken
	NoSigningTime                                                             bool // of notices
}

// Start is when every rig's clock stands: a quarter past eight in the evening in China.
var Start = time.Date(2026, 11, 22, 12, 15, 0, 0, time.UTC)

// Paid is what every charge of a rig asks for.
var Paid = money.Of(1990, money.CNY)

// Got is a notice as the shop received it.
type Got struct {
	Path   string
	Header http.Header
	Body   []byte
	Notice paygate.Notice
	Err    error
}

// Rig is a shop and a gateway on real sockets, with one clock in the test's hand.
type Rig struct {
	*testing.T
	Protocol Protocol
	Clock    *clock.Fake
	Config   gateway.Config
	Gateway  *gateway.Server
	HTTP     *httptest.Server
	Adapter  paygate.Gateway
	Shop     *httptest.Server
	Refuse   func(Got) bool // notices the shop doesn't take

	mu      sync.Mutex
	notices []Got
}

// New opens a rig; everything in it ends with the test.
func New(t *testing.T, p Protocol) *Rig {
	r := &Rig{T: t, Protocol: p, Clock: clock.NewFake(Start)}
	r.Config = gateway.Config{Clock: r.Clock, File: filepath.Join(t.TempDir(), "gateway.jsonl"), Merchants: []gateway.Merchant{p.Merchant}}
	r.OpenGateway()
	r.HTTP = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.Gateway.Handler().ServeHTTP(w, req) }))
	t.Cleanup(r.HTTP.Close)
	r.Shop = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Shop.Close)
	r.Adapter = r.Open(0)
	return r
}

// OpenGateway starts the gateway, from its file when there is one. It is reached where it was.
func (r *Rig) OpenGateway() {
	gw, err := gateway.New(r.Config)
	if err != nil {
		r.Fatal(err)
	}
	r.Gateway = gw
	r.Cleanup(func() { gw.Close() })
}

// Open makes an adapter to the gateway.
func (r *Rig) Open(timeout time.Duration) paygate.Gateway {
	return r.Protocol.Open(r, r.HTTP.URL, r.Clock, timeout)
}

// take is the shop's notice endpoint: parse, keep, answer as the contract says.
func (r *Rig) take(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	g := Got{Path: req.URL.Path, Header: req.Header, Body: body}
	g.Notice, g.Err = r.Adapter.ParseNotice(req.Header, body)
	r.mu.Lock()
	r.notices = append(r.notices, g)
	refuse := r.Refuse
	r.mu.Unlock()
	a := r.Adapter.Taken()
	if g.Err != nil || refuse != nil && refuse(g) {
		a = r.Adapter.Refused()
	}
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Status)
	io.WriteString(w, a.Body)
}

// Received gives the notices since the last call.
func (r *Rig) Received() []Got {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notices
	r.notices = nil
	return list
}

// Step lets the gateway do what is due and gives the notices it sent.
func (r *Rig) Step() []Got {
	r.Gateway.Step(r.Context())
	return r.Received()
}

// One steps the gateway and expects a single, rightly signed notice.
func (r *Rig) One() paygate.Notice {
	r.Helper()
	list := r.Step()
	if len(list) != 1 || list[0].Err != nil {
		r.Fatalf("received %d notices, want one that is right: %+v", len(list), list)
	}
	return list[0].Notice
}

// Faults switches what goes wrong from now on.
func (r *Rig) Faults(f gateway.Faults) {
	r.Helper()
	if err := r.Gateway.SetFaults(r.Protocol.Merchant.ID, f); err != nil {
		r.Fatal(err)
	}
}

// Charge is a charge of Paid under a number, from a desk.
func (r *Rig) Charge(no string) paygate.Charge {
	return paygate.Charge{
		MerchantNo: no, Amount: Paid, Subject: "腾讯视频 VIP 月卡 <b>", NotifyURL: r.Shop.URL + "/pay/notices/channel",
		ReturnURL: r.Shop.URL + "/orders/1?from=cashier", ExpiresAt: r.Clock.Now().Add(15 * time.Minute), Lang: "en", Device: paygate.Desktop, ClientIP: "203.0.113.9",
	}
}

// Way is where the charge with a number is paid.
func (r *Rig) Way(no string) string {
	r.Helper()
	c, err := r.Adapter.Cashier(r.Context(), r.Charge(no))
	if err != nil {
		r.Fatal(err)
	}
	if c.RedirectURL != "" {
		return c.RedirectURL
	}
	return c.QRText
}

// Press opens the cashier, wherever the way leads, and presses one of its buttons; it gives the
// page that follows.
func (r *Rig) Press(way, button string) (status int, page string) {
	r.Helper()
	c := r.HTTP.Client()
	read := func(res *http.Response, err error) (*http.Response, string) {
		r.Helper()
		if err != nil {
			r.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil {
			r.Fatal(err)
		}
		return res, string(raw)
	}
	res, page := read(c.Get(way))
	if button != "" && res.StatusCode == http.StatusOK {
		res, page = read(c.PostForm(res.Request.URL.String(), url.Values{"do": {button}}))
	}
	return res.StatusCode, page
}

// Enter opens the cashier and gives its address, which a way may only lead to.
func (r *Rig) Enter(way string) string {
	r.Helper()
	res, err := r.HTTP.Client().Get(way)
	if err != nil {
		r.Fatal(err)
	}
	res.Body.Close()
	return res.Request.URL.String()
}

// Pay makes a paid charge and gives its notice.
func (r *Rig) Pay(no string) paygate.Notice {
	r.Helper()
	r.Press(r.Way(no), "pay")
	return r.One()
}

// Refund is a request for part of the charge with a number.
func (r *Rig) Refund(n paygate.Notice, refundNo string, minor int64) paygate.RefundRequest {
	return paygate.RefundRequest{RefundNo: refundNo, MerchantNo: n.MerchantNo, TxnID: n.TxnID, Amount: money.Of(minor, money.CNY), Captured: Paid, Reason: "不需要了",
		NotifyURL: r.Shop.URL + "/pay/notices/channel"}
}

// Number is the n-th number of a charge.
func Number(n int) string { return fmt.Sprintf("pay_%026d", n) }

// WantCode fails a test whose error has another code.
func WantCode(t testing.TB, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// Events are the different events among notices.
func Events(list []Got) []string {
	var ids []string
	for _, g := range list {
		ids = append(ids, g.Notice.EventID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
