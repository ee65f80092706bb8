package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// A day's bill in the form WeChat Pay documents: marks before values, five decimals of fees,
// commas within names, zeros where a row has nothing to tell.
const sampleBill = "\ufeff交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n" +
	"`2026-11-21 09:13:55,`wx8888888888888888,`1900000109,`0,`,`4200001234202611210000000001,`pay_00000000000000000000000001,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`SUCCESS,`OTHERS,`CNY,`100.00,`0.00,`0,`0,`0.00,`0.00,`,`,`双平台年卡,腾讯+爱奇艺,`,`0.60000,`0.60%,`120.00,`0.00,`\r\n" +
	"`2026-11-21 23:59:59,`wx8888888888888888,`1900000109,`0,`,`4200001234202611210000000001,`pay_00000000000000000000000001,`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`50300001234202611210000000001,`refund_00000000000001,`10.01,`0.00,`ORIGINAL,`PROCESSING,`双平台年卡,腾讯+爱奇艺,`,`-0.06006,`0.60%,`0.00,`12.01,`\r\n" +
	"总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n" +
	"`2,`100.00,`10.01,`0.00,`0.53994,`120.00,`12.01\r\n"

var key = func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}()

const sampleAPIKey = "4e0a1c55b9d7f2836e1f0d2c7ab84593"

// inside is an adapter whose platform key is the test's own.
func inside(t testing.TB) *Gateway {
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	g, err := New(Config{BaseURL: "http://127.0.0.1:1", MerchantID: "1900000109", AppID: "wx8888888888888888", SerialNo: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
		PrivateKey: text("PRIVATE KEY", private), PublicKeyID: "PUB_KEY_ID_1", PublicKey: text("PUBLIC KEY", public), APIv3Key: sampleAPIKey, Clock: clock.NewFake(time.Unix(1795349700, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

func read(g *Gateway, text string) (lines []paygate.BillLine, err error) {
	err = g.readBill(strings.NewReader(text), func(l paygate.BillLine) error { lines = append(lines, l); return nil })
	return lines, err
}

// D4, P20: what WeChat Pay writes is read to the fen.
func TestABillAsItReallyComes(t *testing.T) {
	lines, err := read(inside(t), sampleBill)
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	want := []paygate.BillLine{
		{Row: 2, Kind: paygate.BillPayment, MerchantNo: "pay_00000000000000000000000001", TxnID: "4200001234202611210000000001", Account: "1900000109",
			Amount: money.Of(12000, money.CNY), Fee: money.Of(60, money.CNY), ProviderState: "SUCCESS", At: time.Date(2026, 11, 21, 1, 13, 55, 0, time.UTC)},
		{Row: 3, Kind: paygate.BillRefund, MerchantNo: "pay_00000000000000000000000001", TxnID: "4200001234202611210000000001", Account: "1900000109",
			RefundNo: "refund_00000000000001", RefundID: "50300001234202611210000000001", Amount: money.Of(1201, money.CNY), Fee: money.Of(-6, money.CNY),
			ProviderState: "PROCESSING", At: time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)},
	}
	for i, l := range lines {
		if l != want[i] {
			t.Errorf("%+v\nwant %+v", l, want[i])
		}
	}
}

// F21: a bill that isn't whole, or doesn't add up, is refused whole.
func TestF21DamagedBills(t *testing.T) {
	g := inside(t)
	for what, change := range map[string][2]string{
		"cut in the totals":      {"`0.53994,`120.00,`12.01\r\n", ""},
		"no totals":              {"总交易单数,", "`"},
		"a row is gone":          {"`2,`100.00", "`3,`100.00"},
		"another sum":            {"`120.00,`12.01\r\n", "`120.01,`12.01\r\n"},
		"another sum of refunds": {"`120.00,`12.01\r\n", "`120.00,`12.02\r\n"},
		"an amount of nothing":   {"`0.60%,`120.00", "`0.60%,`0.00"},
		"an amount below":        {"`0.60%,`120.00", "`0.60%,`-120.00"},
		"an amount in words":     {"`0.60%,`120.00", "`0.60%,`1e2"},
		"a state":                {"`SUCCESS", "`MAYBE"},
		"a time":                 {"2026-11-21 09:13:55", "2026-02-30 09:13:55"},
		"GBK":                    {"双平台", "\xba\xcf\xbc\xc6"},
		"another heading":        {"订单金额,申请退款金额", "金额,申请退款金额"},
		"one value less":         {"`oUpF8uMuAJO_M2pxb1Q9zNjWeS6o,", ""},
		"rows after the end":     {"`120.00,`12.01\r\n", "`120.00,`12.01\r\n`1\r\n"},
	} {
		bad := strings.Replace(sampleBill, change[0], change[1], 1)
		if bad == sampleBill {
			t.Fatalf("%s changes nothing", what)
		}
		if _, err := read(g, bad); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	for i := 1; i < len(sampleBill)-len("12.01\r\n"); i += 7 {
		if _, err := read(g, sampleBill[:i]); err == nil {
			t.Errorf("cut after %d bytes: accepted", i)
		}
	}
}

func FuzzReadBill(f *testing.F) {
	f.Add(sampleBill)
	f.Add(strings.ReplaceAll(sampleBill, "`", ""))
	g := inside(f)
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := read(g, text)
		for _, l := range lines {
			if l.Amount.Minor <= 0 || !paygate.BilledNo(l.MerchantNo) || l.TxnID == "" || l.At.IsZero() || (l.Kind == paygate.BillRefund) != (l.RefundNo != "") {
				t.Fatalf("%+v, %v", l, err)
			}
		}
	})
}

// signed is a body as the platform sends it.
func signed(t testing.TB, g *Gateway, body []byte) http.Header {
	unix := "1795349700"
	sum := sha256.Sum256([]byte(unix + "\nnonce\n" + string(body) + "\n"))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Timestamp": {unix}, "Wechatpay-Nonce": {"nonce"}, "Wechatpay-Signature": {base64.StdEncoding.EncodeToString(sig)}}
}

func envelopeOf(event, plain string) []byte {
	block, err := aes.NewCipher([]byte(sampleAPIKey))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	body, err := json.Marshal(map[string]any{"id": "EV-1", "event_type": event, "resource": map[string]string{"algorithm": "AEAD_AES_256_GCM", "nonce": "abcdefghijkl",
		"ciphertext": base64.StdEncoding.EncodeToString(aead.Seal(nil, []byte("abcdefghijkl"), []byte(plain), nil))}})
	if err != nil {
		panic(err)
	}
	return body
}

// Whatever arrives and however it is signed, a stranger gets nothing, and what the holder of
// the keys sends is either read whole or refused.
func FuzzParseNotice(f *testing.F) {
	f.Add("TRANSACTION.SUCCESS", `{"mchid":"1900000109","appid":"wx8888888888888888","out_trade_no":"pay_123456","transaction_id":"42","trade_state":"SUCCESS","success_time":"2026-11-22T20:15:00+08:00","payer":{"openid":"o1"},"amount":{"total":1990,"currency":"CNY"}}`)
	f.Add("REFUND.SUCCESS", `{"mchid":"1900000109","out_trade_no":"pay_123456","transaction_id":"42","out_refund_no":"refund_1","refund_id":"50","refund_status":"SUCCESS","success_time":"2026-11-22T20:15:00+08:00","amount":{"total":1990,"refund":1}}`)
	f.Add("REFUND.ABNORMAL", `{"amount":{"total":1e400}}`)
	f.Add("TRANSACTION.SUCCESS", `[]`)
	f.Add("PAYSCORE.USER_OPEN_SERVICE", ``)
	g := inside(f)
	f.Fuzz(func(t *testing.T, event, plain string) {
		body := envelopeOf(event, plain)
		if n, err := g.ParseNotice(http.Header{"Wechatpay-Serial": {"PUB_KEY_ID_1"}, "Wechatpay-Timestamp": {event}, "Wechatpay-Nonce": {"x"}, "Wechatpay-Signature": {plain}}, body); err == nil || n != (paygate.Notice{}) || fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("a stranger's notice: %+v, %v", n, err)
		}
		if _, err := g.readNotice([]byte(plain)); err == nil && !json.Valid([]byte(plain)) {
			t.Fatal("what isn't JSON is read")
		}
		n, err := g.ParseNotice(signed(t, g, body), body)
		if err != nil {
			if n != (paygate.Notice{}) {
				t.Fatalf("a refused notice says %+v", n)
			}
			return
		}
		if n.EventID == "" || n.Kind == "" || len(n.MerchantNo) > paygate.MaxMerchantNo || n.Kind != paygate.NoticeOther && (n.MerchantNo == "" || n.Account == "") {
			t.Fatalf("%+v", n)
		}
		if n.Kind == paygate.NoticePaid && (n.ProviderState != "SUCCESS" || n.TxnID == "" || n.Amount.Minor <= 0 || len(n.Amount.Currency) != 3 || n.OccurredAt.IsZero()) {
			t.Fatalf("%+v counts as paid", n)
		}
		if n.Kind == paygate.NoticeRefund && (n.Refund.Amount.Minor <= 0 || n.Refund.RefundNo == "") {
			t.Fatalf("%+v counts as a refund", n)
		}
	})
}
