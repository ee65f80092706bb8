package wechat_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/paygate"
	"hufu/internal/paygate/paygatetest"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/paygate/wechat"
)

// settled parses a notice again once the adapter has fetched what it needs for it.
func settled(t *testing.T, r *paygatetest.Rig, g paygatetest.Got) {
	t.Helper()
	r.Adapter.(*wechat.Gateway).Settle()
	if _, err := r.Adapter.ParseNotice(g.Header, g.Body); err != nil {
		t.Errorf("the certificate was never fetched: %v", err)
	}
}

// restart gives the gateway other platform keys.
func restart(r *paygatetest.Rig, keys ...gateway.PlatformKey) {
	r.Gateway.Close()
	r.Config.Merchants = []gateway.Merchant{r.Protocol.Merchant}
	r.Config.Merchants[0].WeChat.Platform = keys
	r.OpenGateway()
}

func platformKey(t *testing.T, public bool) gateway.PlatformKey {
	k, _, err := gateway.NewPlatformKey(public, paygatetest.Start)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A certificate is renewed while notices come in: the first one signed with the new key is
// refused without blame, and understood when it comes again.
func TestPlatformCertificatesRollOver(t *testing.T) {
	p, _ := protocol(t, false)
	r := paygatetest.New(t, p)
	r.Adapter.Query(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(1)})
	r.Pay(paygatetest.Number(1))
	r.Clock.Advance(2 * time.Minute)
	restart(r, platformKey(t, false), p.Merchant.WeChat.Platform[0])
	way := r.Way(paygatetest.Number(2)) // this answer is signed with the new key, and believed
	r.Press(way, "pay")
	r.One()

	r.Clock.Advance(2 * time.Minute)
	restart(r, platformKey(t, false))
	r.Clock.Advance(15 * time.Second)
	r.Gateway.Resend(r.Gateway.Events(merchantID, paygatetest.Number(2))[0])
	list := r.Step()
	if len(list) != 1 || fault.KindOf(list[0].Err) != fault.Unavailable {
		t.Fatalf("%+v", list)
	}
	paygatetest.WantCode(t, list[0].Err, "paygate.key_unknown")
	settled(t, r, list[0])
	r.Clock.Advance(15 * time.Second)
	r.One()
}

// A merchant moves from certificates to a public key: what is signed with either is believed.
func TestFromCertificatesToAPublicKey(t *testing.T) {
	p, _ := protocol(t, true)
	r := paygatetest.New(t, p)
	certificate := platformKey(t, false)
	restart(r, certificate, p.Merchant.WeChat.Platform[0]) // notices are signed with the first
	r.Press(r.Way(paygatetest.Number(1)), "pay")
	list := r.Step()
	paygatetest.WantCode(t, list[0].Err, "paygate.key_unknown")
	settled(t, r, list[0])
	if err := r.Adapter.SelfTest(t.Context()); err != nil {
		t.Error(err)
	}
	if p := r.Adapter.Query(t.Context(), paygate.Ref{MerchantNo: paygatetest.Number(1)}); p.State != paygate.PaymentPaid {
		t.Errorf("%+v", p)
	}
}

// A stranger who names keys of his own makes the shop ask the channel once a minute, not more.
func TestStrangersKeysAreAskedForSeldom(t *testing.T) {
	p, _ := protocol(t, false)
	r := paygatetest.New(t, p)
	if err := r.Adapter.SelfTest(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Clock.Advance(2 * time.Minute)
	var asked atomic.Int64
	r.HTTP.Config.Handler = counted(r.HTTP.Config.Handler, "/v3/certificates", &asked)
	for i := range 50 {
		h := http.Header{"Wechatpay-Serial": {strings.Repeat("ABCDEF", 5) + string(rune('A'+i%6))}, "Wechatpay-Timestamp": {"1795349820"}, "Wechatpay-Nonce": {"x"}, "Wechatpay-Signature": {"aGVsbG8="}}
		if _, err := r.Adapter.ParseNotice(h, []byte("{}")); fault.CodeOf(err) != "paygate.key_unknown" {
			t.Fatal(err)
		}
	}
	r.Adapter.(*wechat.Gateway).Settle()
	if n := asked.Load(); n != 1 {
		t.Errorf("the certificates were asked for %d times", n)
	}
}

func counted(next http.Handler, path string, n *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			n.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

// P6, S26: weak, cut or mistaken keys don't start, and wrong ones don't pass the self-test.
func TestP6S26KeysAreChecked(t *testing.T) {
	_, good := protocol(t, true)
	few, otherShop := weakKey(t), func() wechat.Config { _, c := protocol(t, true); return c }()
	for what, c := range map[string]struct {
		code   string
		change func(*wechat.Config)
	}{
		"no key":                     {"paygate.key_missing", func(c *wechat.Config) { c.PrivateKey = "" }},
		"no APIv3 key":               {"paygate.key_missing", func(c *wechat.Config) { c.APIv3Key = "" }},
		"a short APIv3 key":          {"paygate.key_short", func(c *wechat.Config) { c.APIv3Key = c.APIv3Key[:31] }},
		"a long APIv3 key":           {"paygate.api_key_length", func(c *wechat.Config) { c.APIv3Key += "x" }},
		"a placeholder":              {"paygate.key_weak", func(c *wechat.Config) { c.APIv3Key = strings.Repeat("a", 32) }},
		"a cut key":                  {"paygate.key_malformed", func(c *wechat.Config) { c.PrivateKey = c.PrivateKey[:200] }},
		"few bits":                   {"paygate.key_few_bits", func(c *wechat.Config) { c.PrivateKey = few }},
		"a public key alone":         {"paygate.key_malformed", func(c *wechat.Config) { c.PublicKeyID = "" }},
		"a serial for an id":         {"paygate.key_malformed", func(c *wechat.Config) { c.PublicKeyID = "1234" }},
		"a private for a public key": {"paygate.key_malformed", func(c *wechat.Config) { c.PublicKey = c.PrivateKey }},
		"no merchant":                {"paygate.account_malformed", func(c *wechat.Config) { c.MerchantID = "" }},
		"no serial":                  {"paygate.account_malformed", func(c *wechat.Config) { c.SerialNo = "PUB_KEY_ID_1" }},
		"an address":                 {"paygate.address_malformed", func(c *wechat.Config) { c.BaseURL = "ftp://x" }},
	} {
		bad := good
		c.change(&bad)
		_, err := wechat.New(bad)
		if fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}

	p, mine := protocol(t, true)
	r := paygatetest.New(t, p)
	for what, c := range map[string]struct {
		code   string
		change func(*wechat.Config)
	}{
		"another shop's key":      {"paygate.answer_rejected", func(c *wechat.Config) { c.PrivateKey = otherShop.PrivateKey }},
		"another number":          {"paygate.answer_rejected", func(c *wechat.Config) { c.SerialNo = otherShop.SerialNo }},
		"another platform's key":  {"paygate.answer_unsigned", func(c *wechat.Config) { c.PublicKey = otherShop.PublicKey }},
		"another platform's name": {"paygate.key_unknown", func(c *wechat.Config) { c.PublicKeyID = "PUB_KEY_ID_1" }},
		"the clock":               {"paygate.answer_rejected", func(c *wechat.Config) { c.Clock = clock.NewFake(paygatetest.Start.Add(time.Hour)) }},
	} {
		bad := mine
		bad.BaseURL, bad.Clock = r.HTTP.URL, r.Clock
		c.change(&bad)
		if err := open(t, bad).SelfTest(t.Context()); fault.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", what, err, c.code)
		}
	}

	// With certificates the APIv3 key is proven too.
	p, mine = protocol(t, false)
	r = paygatetest.New(t, p)
	mine.BaseURL, mine.Clock, mine.APIv3Key = r.HTTP.URL, r.Clock, otherShop.APIv3Key
	paygatetest.WantCode(t, open(t, mine).SelfTest(t.Context()), "paygate.api_key_wrong")
}
