package conformance

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/paygate/wechat"
)

const (
	wechatMerchant = "1900000109"
	wechatApp      = "wx8888888888888888"
)

func wechatKeys(t *testing.T) (gateway.WeChat, map[string]string) {
	keys, shop, err := gateway.NewWeChat(wechatMerchant, wechatApp, true, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return keys, shop
}

// kept is a notice as it came.
type kept struct {
	Headers http.Header `json:"headers"`
	Body    string      `json:"body"`
}

// The sandbox gateway believes what the npm package signs, and the package what the gateway
// signs, encrypts and answers.
func TestTheSandboxSpeaksWeChatPay(t *testing.T) {
	keys, shop := wechatKeys(t)
	notices := make(chan kept, 2)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		notices <- kept{r.Header, string(body)}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer endpoint.Close()
	gw, err := gateway.New(gateway.Config{Merchants: []gateway.Merchant{{ID: wechatMerchant, AppID: wechatApp, Protocol: "wechat", WeChat: keys}}})
	if err != nil {
		t.Fatal(err)
	}
	defer gw.Close()
	server := httptest.NewServer(gw.Handler())
	defer server.Close()

	in := maps.Clone(shop)
	in["base_url"], in["notify_url"], in["time_expire"] = server.URL, endpoint.URL+"/notices", time.Now().Add(time.Hour).Format(time.RFC3339)
	var out struct {
		Query struct {
			TradeState    string `json:"trade_state"`
			TransactionID string `json:"transaction_id"`
			Amount        struct{ Total int }
		}
		Refund struct {
			Status string
			Amount struct{ Refund int }
		}
		Closed int
		Absent struct {
			Status int
			Code   string
		}
	}
	node(t, &out, in, "wechat.mjs", "shop")
	if out.Query.TradeState != "SUCCESS" || out.Query.Amount.Total != 1990 || out.Refund.Status != "SUCCESS" || out.Refund.Amount.Refund != 990 ||
		out.Closed != 204 || out.Absent.Status != 404 || out.Absent.Code != "ORDER_NOT_EXIST" {
		t.Errorf("%+v", out)
	}

	gw.Step(t.Context())
	close(notices)
	told := map[string]int{} // what was given back, by event
	for one := range notices {
		var n struct {
			Believed  bool
			EventType string `json:"event_type"`
			Inside    struct {
				OutTradeNo string `json:"out_trade_no"`
				Amount     struct{ Total, Refund int }
			}
		}
		node(t, &n, struct {
			kept
			Key   string `json:"public_key"`
			KeyID string `json:"public_key_id"`
			API   string `json:"api_v3_key"`
		}{one, shop["public_key"], shop["public_key_id"], shop["api_v3_key"]}, "wechat.mjs", "notice")
		if !n.Believed || n.Inside.OutTradeNo != "conformance_1" || n.Inside.Amount.Total != 1990 {
			t.Errorf("%+v", n)
		}
		told[n.EventType] = n.Inside.Amount.Refund
	}
	if want := map[string]int{"TRANSACTION.SUCCESS": 0, "REFUND.SUCCESS": 990}; !maps.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// What the adapter sends is believed by the npm package, and the adapter believes what the
// package signs and encrypts.
func TestTheAdapterSpeaksWeChatPay(t *testing.T) {
	keys, shop := wechatKeys(t)
	base := serve(t, map[string]string{"merchant_id": wechatMerchant, "app_id": wechatApp, "serial_no": keys.ShopSerial, "shop_key": keys.ShopKey,
		"api_v3_key": keys.APIv3Key, "id": keys.Platform[0].ID, "private": keys.Platform[0].Private}, "wechat.mjs", "platform")
	raw, err := json.Marshal(shop)
	if err != nil {
		t.Fatal(err)
	}
	var config wechat.Config
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	config.BaseURL = base
	g, err := wechat.New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop()

	c, err := g.Cashier(t.Context(), paygate.Charge{MerchantNo: "conformance_1", Amount: money.Of(1990, money.CNY), Subject: "腾讯视频 VIP <月卡> & 年卡", NotifyURL: "https://shop.example/notices",
		ReturnURL: "https://shop.example/orders/1", ExpiresAt: time.Now().Add(time.Hour), Device: paygate.Desktop, ClientIP: "203.0.113.9"})
	if err != nil || c.QRText != "weixin://wxpay/bizpayurl?pr=conformance_1" {
		t.Errorf("%+v, %v", c, err)
	}
	p := g.Query(t.Context(), paygate.Ref{MerchantNo: "conformance_1"})
	if p.State != paygate.PaymentPaid || p.Amount != money.Of(1990, money.CNY) || p.TxnID != "4200001234202611220000000001" {
		t.Errorf("%+v", p)
	}
	if got := g.Close(t.Context(), paygate.Ref{MerchantNo: "conformance_2"}); got.State != paygate.CloseDone {
		t.Errorf("%+v", got)
	}
	if got := g.Close(t.Context(), paygate.Ref{MerchantNo: "conformance_3"}); got.State != paygate.CloseAbsent {
		t.Errorf("%+v", got)
	}
	refund := g.Refund(t.Context(), paygate.RefundRequest{RefundNo: "refund_0001", MerchantNo: "conformance_1", TxnID: p.TxnID, Amount: money.Of(990, money.CNY), Captured: p.Amount, Reason: "不需要了"})
	if refund.State != paygate.RefundDone || refund.RefundID != "50000000382019052709732678859" {
		t.Errorf("%+v", refund)
	}

	const inside = `{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"conformance_1","transaction_id":"4200001234202611220000000001","trade_state":"SUCCESS","success_time":"2026-11-22T20:15:00+08:00","payer":{"openid":"o1"},"amount":{"total":1990,"payer_total":1990,"currency":"CNY","payer_currency":"CNY"}}`
	res, err := http.Post(base+"/notice", "application/json", bytes.NewReader([]byte(inside)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var sent struct {
		Headers map[string]any
		Body    string
	}
	if err := json.NewDecoder(res.Body).Decode(&sent); err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, v := range sent.Headers {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		h.Set(name, string(bytes.Trim(raw, `"`)))
	}
	n, err := g.ParseNotice(h, []byte(sent.Body))
	if err != nil || n.Kind != paygate.NoticePaid || n.MerchantNo != "conformance_1" || n.Amount != money.Of(1990, money.CNY) || n.Account != wechatMerchant {
		t.Errorf("%+v, %v", n, err)
	}
	http.DefaultClient.CloseIdleConnections()
}
