package sandbox_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/sandbox"
	"hufu/internal/paygate/sandbox/gateway"
)

const (
	secretA = "4e0a1c55b9d7f2836e1f0d2c7ab84593"
	secretB = "c91b7f3350e84ad26b5f9017e3d8a46c"
)

var start = time.Date(2026, 11, 22, 12, 15, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// got is a notice as the shop received it.
type got struct {
	path   string
	header http.Header
	body   []byte
	notice paygate.Notice
	err    error
}

// rig is a shop and a gateway on real sockets, with one clock in the test's hand.
type rig struct {
	*testing.T
	clock   *clock.Fake
	config  gateway.Config
	gw      *gateway.Server
	gwHTTP  *httptest.Server
	ad      *sandbox.Gateway
	shop    *httptest.Server
	refuse  func(got) bool // notices the shop doesn't take
	mu      sync.Mutex
	notices []got
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, clock: clock.NewFake(start)}
	r.config = gateway.Config{
		Clock: r.clock, File: filepath.Join(t.TempDir(), "gateway.jsonl"),
		Merchants: []gateway.Merchant{
			{ID: "m_hufu", AppID: "app_1", Name: "虎符影视", Secrets: []string{secretA}, FeeBasis: 60},
			{ID: "m_slow", AppID: "app_2", Secrets: []string{secretB}, Timetable: "alipay"},
		},
	}
	r.open()
	r.shop = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.shop.Close)
	r.ad = r.adapter(sandbox.Config{})
	return r
}

func (r *rig) open() {
	gw, err := gateway.New(r.config)
	if err != nil {
		r.Fatal(err)
	}
	r.gw = gw
	r.gwHTTP = httptest.NewServer(gw.Handler())
	r.Cleanup(r.shut)
}

func (r *rig) shut() {
	r.gw.Close()
	r.gwHTTP.Close()
}

// adapter makes an adapter with the given differences from the usual one.
func (r *rig) adapter(c sandbox.Config) *sandbox.Gateway {
	if c.BaseURL == "" {
		c.BaseURL = r.gwHTTP.URL
	}
	if c.MerchantID == "" {
		c.MerchantID, c.AppID = "m_hufu", "app_1"
	}
	if c.Secrets == nil {
		c.Secrets = []string{secretA}
	}
	c.Clock = r.clock
	ad, err := sandbox.New(c)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(ad.Stop)
	return ad
}

// take is the shop's notice endpoint: parse, keep, answer as the contract says.
func (r *rig) take(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	g := got{path: req.URL.Path, header: req.Header, body: body}
	g.notice, g.err = r.ad.ParseNotice(req.Header, body)
	r.mu.Lock()
	r.notices = append(r.notices, g)
	refuse := r.refuse
	r.mu.Unlock()
	a := r.ad.Taken()
	if g.err != nil || refuse != nil && refuse(g) {
		a = r.ad.Refused()
	}
	w.Header().Set("Content-Type", a.ContentType)
	w.WriteHeader(a.Status)
	io.WriteString(w, a.Body)
}

// received gives the notices since the last call.
func (r *rig) received() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notices
	r.notices = nil
	return list
}

// one steps the gateway and expects a single, rightly signed notice.
func (r *rig) one() paygate.Notice {
	r.Helper()
	r.gw.Step(r.Context())
	list := r.received()
	if len(list) != 1 || list[0].err != nil {
		r.Fatalf("received %d notices, want one that is right: %+v", len(list), list)
	}
	return list[0].notice
}

func (r *rig) faults(f gateway.Faults) {
	r.Helper()
	if err := r.gw.SetFaults("m_hufu", f); err != nil {
		r.Fatal(err)
	}
}

var yuan = money.Of(1990, money.CNY)

func (r *rig) charge(no string) paygate.Charge {
	return paygate.Charge{
		MerchantNo: no, Amount: yuan, Subject: "腾讯视频 VIP 月卡 & <b>", NotifyURL: r.shop.URL + "/pay/notices/sandbox",
		ReturnURL: r.shop.URL + "/orders/1?from=cashier", ExpiresAt: r.clock.Now().Add(15 * time.Minute), Lang: "en",
	}
}

func (r *rig) link(no string) string {
	r.Helper()
	c, err := r.ad.Cashier(r.Context(), r.charge(no))
	if err != nil {
		r.Fatal(err)
	}
	return c.RedirectURL
}

// press opens the cashier and presses one of its buttons; it gives the page that follows.
func (r *rig) press(link, button string) (status int, page string) {
	r.Helper()
	var res *http.Response
	var err error
	c := r.gwHTTP.Client()
	if button == "" {
		res, err = c.Get(link)
	} else {
		res, err = c.PostForm(link, url.Values{"do": {button}})
	}
	if err != nil {
		r.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// pay makes a paid trade and swallows its notice.
func (r *rig) pay(no string) paygate.Notice {
	r.Helper()
	r.press(r.link(no), "pay")
	return r.one()
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func (r *rig) request(no, refundNo string, minor int64) paygate.RefundRequest {
	return paygate.RefundRequest{RefundNo: refundNo, MerchantNo: no, Amount: money.Of(minor, money.CNY), Captured: yuan, Reason: "不需要了"}
}

func contains(t testing.TB, page string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
}

func (r *rig) events(list []got) []string {
	var ids []string
	for _, g := range list {
		ids = append(ids, g.notice.EventID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func number(i int) string { return fmt.Sprintf("pay_%026d", i) }
