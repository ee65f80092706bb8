package alipay_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/alipay"
	"hufu/internal/paygate/paygatetest"
	"hufu/internal/paygate/sandbox/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sellerID, appID = "2088102147948060", "2021000117650001"

// protocol draws the keys of both sides.
func protocol(t testing.TB) (paygatetest.Protocol, alipay.Config) {
	t.Helper()
	keys, shop, err := gateway.NewAlipay(sellerID, appID)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(shop)
	if err != nil {
		t.Fatal(err)
	}
	var config alipay.Config
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	return paygatetest.Protocol{
		Merchant:  gateway.Merchant{ID: sellerID, AppID: appID, Name: "虎符影视", Protocol: "alipay", Timetable: "alipay", FeeBasis: 60, Alipay: keys},
		BillAfter: 12 * time.Hour, Foreign: [2]string{"1999999999", sellerID + "/wx_another"},
		NoRefundAmount: true, NoUnseenClose: true, OneCurrency: true, NoUnderwayRefund: true, NoSigningTime: true,
		Open: func(t testing.TB, base string, c clock.Clock, timeout time.Duration) paygate.Gateway {
			config := config
			config.BaseURL, config.Clock, config.Timeout = base, c, timeout
			return open(t, config)
		},
	}, config
}

func open(t testing.TB, c alipay.Config) *alipay.Gateway {
	t.Helper()
	g, err := alipay.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

func TestTheContract(t *testing.T) {
	p, _ := protocol(t)
	paygatetest.Contract(t, p)
}

func TestTheContractWithACodeAtTheDesk(t *testing.T) {
	p, config := protocol(t)
	config.ScanAtDesk = true
	p.Open = func(t testing.TB, base string, c clock.Clock, timeout time.Duration) paygate.Gateway {
		config := config
		config.BaseURL, config.Clock, config.Timeout = base, c, timeout
		return open(t, config)
	}
	paygatetest.Contract(t, p)
}

func TestEachDeviceHasItsProduct(t *testing.T) {
	p, _ := protocol(t)
	r := paygatetest.New(t, p)
	for device, method := range map[paygate.Device]string{paygate.Desktop: "alipay.trade.page.pay", paygate.Phone: "alipay.trade.wap.pay", "": "alipay.trade.wap.pay", paygate.InApp: "alipay.trade.wap.pay"} {
		c := r.Charge(paygatetest.Number(len(method) + len(device)))
		c.Device, c.Subject = device, "爱奇艺 & 腾讯 = 双会员/月"
		way, err := r.Adapter.Cashier(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(way.RedirectURL)
		if err != nil || u.Query().Get("method") != method || way.QRText != "" {
			t.Errorf("%q: %+v, %v", device, way, err)
		}
		if _, page := r.Press(way.RedirectURL, "pay"); !strings.Contains(page, "爱奇艺 ＆ 腾讯 ＝ 双会员／月") || !strings.Contains(page, "out_trade_no="+c.MerchantNo) {
			t.Errorf("%q: the cashier says %s", device, page)
		}
		r.One()
	}
	c := r.Charge(paygatetest.Number(1))
	c.Amount = money.Of(100, money.USD)
	_, err := r.Adapter.Cashier(t.Context(), c)
	paygatetest.WantCode(t, err, "paygate.charge_malformed")
}

// S17: what the browser carries is worth nothing once it is changed.
func TestS17AChangedLinkIsRefused(t *testing.T) {
	p, _ := protocol(t)
	r := paygatetest.New(t, p)
	link, err := url.Parse(r.Way(paygatetest.Number(1)))
	if err != nil {
		t.Fatal(err)
	}
	for name := range link.Query() {
		for what, change := range map[string]func(url.Values){
			"changed": func(q url.Values) { q.Set(name, "1"+q.Get(name)) }, "gone": func(q url.Values) { q.Del(name) }, "twice": func(q url.Values) { q.Add(name, "1") },
		} {
			q := link.Query()
			change(q)
			changed := *link
			changed.RawQuery = q.Encode()
			r.Press(changed.String(), "pay")
			if got := r.Adapter.Query(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(1)}); got.State != paygate.PaymentAbsent {
				t.Fatalf("%s %s: %+v", name, what, got)
			}
		}
	}
}

func TestRefundsThatAreRefused(t *testing.T) {
	p, _ := protocol(t)
	r := paygatetest.New(t, p)
	n := r.Pay(paygatetest.Number(1))
	r.Faults(gateway.Faults{NoFunds: true})
	got := r.Adapter.Refund(t.Context(), r.Refund(n, "refund_0001", 100))
	if got.State != paygate.RefundRefused {
		t.Errorf("%+v", got)
	}
	paygatetest.WantCode(t, got.Why, "paygate.refund_no_funds")
	r.Faults(gateway.Faults{})
	// What was refunded whole is still a payment, though Alipay calls it closed.
	if got := r.Adapter.Refund(t.Context(), r.Refund(n, "refund_0002", 1990)); got.State != paygate.RefundDone {
		t.Errorf("%+v", got)
	}
	q := r.Adapter.Query(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(1)})
	if q.State != paygate.PaymentPaid || q.ProviderState != "TRADE_CLOSED" || q.Amount != paygatetest.Paid {
		t.Errorf("%+v", q)
	}
	for code, req := range map[string]paygate.RefundRequest{"paygate.refund_too_much": r.Refund(n, "refund_0003", 1), "paygate.refund_no_used": r.Refund(n, "refund_0002", 1)} {
		paygatetest.WantCode(t, r.Adapter.Refund(t.Context(), req).Why, code)
	}
}

// P6, S26: weak, cut or mistaken keys don't start, and wrong ones don't pass the self-test.
func TestP6S26KeysAreChecked(t *testing.T) {
	p, good := protocol(t)
	_, other := protocol(t)
	for what, c := range map[string]struct {
		code   string
		change func(*alipay.Config)
	}{
		"no key":        {"paygate.key_missing", func(c *alipay.Config) { c.PrivateKey = "" }},
		"no public key": {"paygate.key_missing", func(c *alipay.Config) { c.PublicKey = " " }},
		"a cut key":     {"paygate.key_malformed", func(c *alipay.Config) { c.PrivateKey = c.PrivateKey[:300] }},
		"our own key":   {"paygate.key_own", func(c *alipay.Config) { c.PublicKey = p.Merchant.Alipay.ShopKey }},
		"no seller":     {"paygate.account_malformed", func(c *alipay.Config) { c.SellerID = "hufu" }},
		"an app's name": {"paygate.account_malformed", func(c *alipay.Config) { c.AppID = "my app" }},
		"no address":    {"paygate.address_malformed", func(c *alipay.Config) { c.BaseURL = "openapi.alipay.com" }},
	} {
		bad := good
		c.change(&bad)
		if _, err := alipay.New(bad); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}
	r := paygatetest.New(t, p)
	for what, c := range map[string]struct {
		code   string
		change func(*alipay.Config)
	}{
		"another app's key": {"paygate.answer_rejected", func(c *alipay.Config) { c.PrivateKey = other.PrivateKey }},
		"another app":       {"paygate.answer_rejected", func(c *alipay.Config) { c.AppID = "2021000117650002" }},
		"another platform":  {"paygate.answer_unsigned", func(c *alipay.Config) { c.PublicKey = other.PublicKey }},
		"the clock":         {"paygate.answer_rejected", func(c *alipay.Config) { c.Clock = clock.NewFake(paygatetest.Start.Add(time.Hour)) }},
	} {
		bad := good
		bad.BaseURL, bad.Clock = r.HTTP.URL, r.Clock
		c.change(&bad)
		if err := open(t, bad).SelfTest(t.Context()); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}
}
