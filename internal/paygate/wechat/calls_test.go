package wechat_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/paygatetest"
	"hufu/internal/paygate/sandbox/gateway"
)

func weakKey(t *testing.T) string {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestEachDeviceHasItsProduct(t *testing.T) {
	p, config := protocol(t, true)
	r := paygatetest.New(t, p)
	cashier := func(no string, change func(*paygate.Charge)) (paygate.Cashier, error) {
		c := r.Charge(no)
		change(&c)
		return r.Adapter.Cashier(t.Context(), c)
	}
	no := paygatetest.Number
	desk, err := cashier(no(1), func(c *paygate.Charge) { c.Subject = strings.Repeat("长", 80) })
	if err != nil || desk.QRText == "" || desk.RedirectURL != "" || desk.Invoke != nil {
		t.Errorf("%+v, %v", desk, err)
	}

	phone, err := cashier(no(2), func(c *paygate.Charge) { c.Device = paygate.Phone })
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(phone.RedirectURL)
	if err != nil || u.Query().Get("redirect_url") != r.Charge(no(2)).ReturnURL {
		t.Errorf("%s doesn't lead back: %v", phone.RedirectURL, err)
	}
	if _, page := r.Press(phone.RedirectURL, "pay"); !strings.Contains(page, "out_trade_no="+no(2)) {
		t.Error("the cashier doesn't lead back")
	}
	if n := r.One(); n.MerchantNo != no(2) {
		t.Errorf("%+v", n)
	}

	inApp, err := cashier(no(3), func(c *paygate.Charge) { c.Device, c.PayerID = paygate.InApp, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" })
	if err != nil {
		t.Fatal(err)
	}
	in := inApp.Invoke
	block, _ := pem.Decode([]byte(config.PrivateKey))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(in["appId"] + "\n" + in["timeStamp"] + "\n" + in["nonceStr"] + "\n" + in["package"] + "\n"))
	sig, err := base64.StdEncoding.DecodeString(in["paySign"])
	if err != nil || rsa.VerifyPKCS1v15(&key.(*rsa.PrivateKey).PublicKey, crypto.SHA256, sum[:], sig) != nil || in["signType"] != "RSA" || in["appId"] != appID || !strings.HasPrefix(in["package"], "prepay_id=wx") {
		t.Errorf("%v, %v", in, err)
	}
	// Nobody else can pay what was made for one account, whose name the notice tells.
	r.Press(r.HTTP.URL+"/pay?"+in["package"], "pay")
	if n := r.One(); n.PayerID != "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" {
		t.Errorf("%+v", n)
	}

	for what, change := range map[string]func(*paygate.Charge){
		"in the app without its account": func(c *paygate.Charge) { c.Device = paygate.InApp },
		"a phone without its address":    func(c *paygate.Charge) { c.Device, c.ClientIP = paygate.Phone, "" },
		"dollars":                        func(c *paygate.Charge) { c.Amount = money.Of(100, money.USD) },
		"nothing":                        func(c *paygate.Charge) { c.Amount = money.Of(0, money.CNY) },
	} {
		if _, err := cashier(no(4), change); fault.CodeOf(err) != "paygate.charge_malformed" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A number stays with the product it was begun in, and with its words.
func TestAChargeKeepsItsWay(t *testing.T) {
	p, _ := protocol(t, true)
	r := paygatetest.New(t, p)
	no := paygatetest.Number(1)
	way := r.Way(no)
	for what, change := range map[string]func(*paygate.Charge){
		"a phone": func(c *paygate.Charge) { c.Device = paygate.Phone }, "an amount": func(c *paygate.Charge) { c.Amount.Minor++ },
		"a subject": func(c *paygate.Charge) { c.Subject = "x" },
	} {
		c := r.Charge(no)
		change(&c)
		_, err := r.Adapter.Cashier(t.Context(), c)
		if fault.CodeOf(err) != "paygate.charge_other_way" || fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.Press(way, "pay")
	_, err := r.Adapter.Cashier(t.Context(), r.Charge(no))
	paygatetest.WantCode(t, err, "paygate.charge_paid")
	r.Way(paygatetest.Number(2))
	r.Adapter.Close(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(2)})
	_, err = r.Adapter.Cashier(t.Context(), r.Charge(paygatetest.Number(2)))
	paygatetest.WantCode(t, err, "paygate.charge_closed")
	// What WeChat Pay says no to is told in its words; what it doesn't know is asked again.
	c := r.Charge(paygatetest.Number(3))
	c.ExpiresAt = r.Clock.Now()
	_, err = r.Adapter.Cashier(t.Context(), c)
	paygatetest.WantCode(t, err, "paygate.charge_refused")
	r.Faults(gateway.Faults{Answers: map[string]string{"prepay": "unknown"}})
	_, err = r.Adapter.Cashier(t.Context(), r.Charge(paygatetest.Number(3)))
	paygatetest.WantCode(t, err, "paygate.answer_unclear")
}

// What was paid counts by its full price: the total told with a refund is what was captured.
func TestARefundOfAnotherTotalIsRefused(t *testing.T) {
	p, _ := protocol(t, true)
	r := paygatetest.New(t, p)
	q := r.Refund(r.Pay(paygatetest.Number(1)), "refund_0001", 100)
	q.Captured.Minor++
	got := r.Adapter.Refund(t.Context(), q)
	if got.State != paygate.RefundRefused {
		t.Errorf("%+v", got)
	}
	paygatetest.WantCode(t, got.Why, "paygate.refund_rejected")
	q.Captured.Minor, q.Reason = 1990, strings.Repeat("退款原因", 40)
	if got := r.Adapter.Refund(t.Context(), q); got.State != paygate.RefundDone {
		t.Errorf("%+v", got)
	}
	// The order's number will do where the transaction isn't known.
	q.RefundNo, q.TxnID = "refund_0002", ""
	if got := r.Adapter.Refund(t.Context(), q); got.State != paygate.RefundDone {
		t.Errorf("%+v", got)
	}
}

// S20: an answer that is old, or signed as a probe, is not believed, whatever it says.
func TestAnswersAreHeldToTheirSignature(t *testing.T) {
	p, _ := protocol(t, true)
	r := paygatetest.New(t, p)
	r.Pay(paygatetest.Number(1))
	inner := r.HTTP.Config.Handler
	for what, c := range map[string]struct {
		code   string
		change func(http.Header)
	}{
		"as it is":         {"", func(http.Header) {}},
		"a probe":          {"paygate.answer_unsigned", func(h http.Header) { h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature")) }},
		"two signatures":   {"paygate.answer_unsigned", func(h http.Header) { h.Add("Wechatpay-Signature", h.Get("Wechatpay-Signature")) }},
		"another nonce":    {"paygate.answer_unsigned", func(h http.Header) { h.Set("Wechatpay-Nonce", "x") }},
		"another time":     {"paygate.answer_unsigned", func(h http.Header) { h.Set("Wechatpay-Timestamp", "1795349701") }},
		"another kind":     {"paygate.answer_unsigned", func(h http.Header) { h.Set("Wechatpay-Signature-Type", "WECHATPAY2-MD5") }},
		"a key nobody has": {"paygate.key_unknown", func(h http.Header) { h.Set("Wechatpay-Serial", "PUB_KEY_ID_0") }},
	} {
		r.HTTP.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			rec := httptest.NewRecorder()
			inner.ServeHTTP(rec, req)
			h := rec.Header()
			c.change(h)
			for name, values := range h {
				w.Header()[name] = values
			}
			w.WriteHeader(rec.Code)
			w.Write(rec.Body.Bytes())
		})
		if got := r.Adapter.Query(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(1)}); fault.CodeOf(got.Why) != c.code {
			t.Errorf("%s: %+v", what, got)
		}
	}
	r.HTTP.Config.Handler = inner
	list := r.Gateway.Events(merchantID, paygatetest.Number(1))
	r.Gateway.Resend(list[0])
	g := r.Step()[0]
	r.Clock.Advance(299 * time.Second)
	if _, err := r.Adapter.ParseNotice(g.Header, g.Body); err != nil {
		t.Errorf("just before the end of the tolerance: %v", err)
	}
	r.Clock.Advance(time.Second)
	_, err := r.Adapter.ParseNotice(g.Header, g.Body)
	paygatetest.WantCode(t, err, "paygate.signature_stale")
}
