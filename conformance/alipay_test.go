package conformance

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/alipay"
	"hufu/internal/paygate/sandbox/gateway"
)

const (
	alipaySeller = "2088102147948060"
	alipayApp    = "2021000117650001"
)

// The sandbox gateway believes what the npm package signs, and the package what the gateway
// answers and tells; what the adapter signs is what the package would.
func TestTheSandboxSpeaksAlipay(t *testing.T) {
	t.Setenv("TZ", "Asia/Shanghai") // in which the package writes its timestamp, as Alipay asks
	keys, shop, err := gateway.NewAlipay(alipaySeller, alipayApp)
	if err != nil {
		t.Fatal(err)
	}
	notices := make(chan string, 8)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		notices <- string(body)
		io.WriteString(w, "success")
	}))
	defer endpoint.Close()
	gw, err := gateway.New(gateway.Config{Merchants: []gateway.Merchant{{ID: alipaySeller, AppID: alipayApp, Protocol: "alipay", Timetable: "alipay", Alipay: keys}}})
	if err != nil {
		t.Fatal(err)
	}
	defer gw.Close()
	server := httptest.NewServer(gw.Handler())
	defer server.Close()

	in := maps.Clone(shop)
	in["base_url"], in["notify_url"] = server.URL, endpoint.URL+"/notices"
	in["time_expire"] = time.Now().Add(time.Hour).In(paygate.Zone).Format("2006-01-02 15:04:05")
	var out struct {
		Query, Refund, Refunded, Closed, Absent map[string]any
		Page                                    int
	}
	node(t, &out, in, "alipay.mjs", "shop")
	for _, x := range []struct {
		of         map[string]any
		name, want string
	}{
		{out.Query, "code", "10000"}, {out.Query, "trade_status", "TRADE_SUCCESS"}, {out.Query, "total_amount", "19.90"}, {out.Refund, "fund_change", "Y"}, {out.Refund, "refund_fee", "9.90"},
		{out.Refunded, "refund_status", "REFUND_SUCCESS"}, {out.Closed, "code", "10000"}, {out.Absent, "code", "40004"}, {out.Absent, "sub_code", "ACQ.TRADE_NOT_EXIST"},
	} {
		if x.of[x.name] != x.want {
			t.Errorf("%s is %v, want %s: %v", x.name, x.of[x.name], x.want, x.of)
		}
	}
	if out.Page != http.StatusOK {
		t.Errorf("the address that the package signs is answered %d", out.Page)
	}
	gw.Step(t.Context())
	close(notices)
	told := 0
	for body := range notices {
		var n struct{ Believed bool }
		node(t, &n, map[string]string{"app_id": alipayApp, "private_key": shop["private_key"], "public_key": shop["public_key"], "base_url": server.URL, "body": body}, "alipay.mjs", "notice")
		if !n.Believed {
			t.Errorf("the package doesn't believe %s", body)
		}
		told++
	}
	if told != 3 { // paid, refunded, closed
		t.Errorf("%d notices", told)
	}

	var config alipay.Config
	raw, err := json.Marshal(shop)
	if err == nil {
		err = json.Unmarshal(raw, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := alipay.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop()
	way, err := g.Cashier(t.Context(), paygate.Charge{MerchantNo: "conformance_9", Amount: money.Of(1990, money.CNY), Subject: "腾讯视频 VIP <月卡> + 年卡", NotifyURL: "https://shop.example/notices",
		ReturnURL: "https://shop.example/orders/1?a=1&b=2", ExpiresAt: time.Now().Add(time.Hour), Device: paygate.Phone})
	if err != nil {
		t.Fatal(err)
	}
	var checked struct {
		Believed bool
		Params   map[string]string
	}
	node(t, &checked, map[string]string{"address": way.RedirectURL, "shop_key": keys.ShopKey}, "alipay.mjs", "check")
	if !checked.Believed || checked.Params["method"] != "alipay.trade.wap.pay" || checked.Params["return_url"] != "https://shop.example/orders/1?a=1&b=2" {
		t.Errorf("%+v", checked)
	}
}
