package wechat_test

import (
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hufu/internal/clock"
	"hufu/internal/paygate"
	"hufu/internal/paygate/paygatetest"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/paygate/wechat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const merchantID, appID = "1900000109", "wx8888888888888888"

// protocol draws the keys of both sides.
func protocol(t testing.TB, publicKey bool) (paygatetest.Protocol, wechat.Config) {
	t.Helper()
	keys, shop, err := gateway.NewWeChat(merchantID, appID, publicKey, paygatetest.Start)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(shop)
	if err != nil {
		t.Fatal(err)
	}
	var config wechat.Config
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	return paygatetest.Protocol{
		Merchant:  gateway.Merchant{ID: merchantID, AppID: appID, Name: "虎符影视", Protocol: "wechat", Timetable: "wechat", FeeBasis: 60, WeChat: keys},
		BillAfter: 10 * time.Hour, Foreign: [2]string{"1999999999", merchantID + "/wx_another"},
		NoClosedNotice: true, NoRefundTotal: true, NoUnseenClose: true,
		Open: func(t testing.TB, base string, c clock.Clock, timeout time.Duration) paygate.Gateway {
			config := config
			config.BaseURL, config.Clock, config.Timeout = base, c, timeout
			return open(t, config)
		},
	}, config
}

func open(t testing.TB, c wechat.Config) *wechat.Gateway {
	t.Helper()
	g, err := wechat.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

func TestTheContractWithAPublicKey(t *testing.T) {
	p, _ := protocol(t, true)
	paygatetest.Contract(t, p)
}

func TestTheContractWithCertificates(t *testing.T) {
	p, _ := protocol(t, false)
	paygatetest.Contract(t, p)
}
