package sandbox

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/paygate"
)

const fuzzSecret = "4e0a1c55b9d7f2836e1f0d2c7ab84593"

var fuzzNow = time.Unix(1795349700, 0)

func fuzzGateway(t testing.TB) *Gateway {
	g, err := New(Config{BaseURL: "http://127.0.0.1:1", MerchantID: "m_hufu", AppID: "app_1", Secrets: []string{fuzzSecret}, Clock: clock.NewFake(fuzzNow)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var seeds = []string{
	`{"id":"ev_1","type":"trade","merchant_id":"m_hufu","app_id":"app_1","out_trade_no":"pay_123456","transaction_id":"sb1","state":"PAID","amount":1990,"currency":"CNY","occurred_at":"2026-11-22T12:15:00Z"}`,
	`{"id":"ev_1","type":"refund","merchant_id":"m_hufu","app_id":"app_1","out_trade_no":"pay_123456","transaction_id":"sb1","state":"PAID","amount":1990,"currency":"CNY","occurred_at":"2026-11-22T12:15:00.5Z","refund_no":"refund_1","refund_id":"rf1","refund_state":"DONE","refund_amount":1,"refunded":1}`,
	`{"id":"ev_1","type":"trade","state":"CLOSED","out_trade_no":"pay_123456","merchant_id":"m","app_id":"a","occurred_at":"2026-11-22T12:15:00Z"}`,
	`{"amount":1e400}`, `{"amount":1990.0}`, `{"amount":-1}`, `[]`, `null`, `""`, `{`, strings.Repeat("[", 20000),
}

// Whatever arrives and however it is signed, a stranger gets nothing, and what the holder of
// the key sends is either read whole or refused.
func FuzzParseNotice(f *testing.F) {
	for _, s := range seeds {
		f.Add("t=1795349700,v1=00", []byte(s))
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		g := fuzzGateway(t)
		if n, err := g.ParseNotice(http.Header{signatureHeader: {header}}, body); err == nil || n != (paygate.Notice{}) {
			t.Fatalf("a stranger's notice is accepted: %+v", n)
		} else if k := fault.KindOf(err); k != fault.Unauthenticated && k != fault.TooLarge {
			t.Fatalf("a stranger is told %v", err)
		}
		unix := strconv.FormatInt(fuzzNow.Unix(), 10)
		signed := http.Header{signatureHeader: {"t=" + unix + ",v1=" + hex.EncodeToString(digest(fuzzSecret, unix, "NOTICE", body))}}
		n, err := g.ParseNotice(signed, body)
		if err != nil {
			if n != (paygate.Notice{}) {
				t.Fatalf("a refused notice says %+v", n)
			}
			return
		}
		if n.EventID == "" || len(n.MerchantNo) > paygate.MaxMerchantNo || n.MerchantNo == "" || n.Kind == "" || strings.Count(n.Account, "/") != 1 {
			t.Fatalf("%+v", n)
		}
		if n.Kind == paygate.NoticePaid && (n.ProviderState != "PAID" || n.TxnID == "" || n.Amount.Minor <= 0 || len(n.Amount.Currency) != 3) {
			t.Fatalf("%+v counts as paid", n)
		}
		if n.Kind == paygate.NoticeRefund && (n.Refund.Amount.Minor <= 0 || n.Refund.RefundNo == "") {
			t.Fatalf("%+v counts as a refund", n)
		}
	})
}

// F21, F22: a bill is read whole or not at all.
func FuzzReadBill(f *testing.F) {
	head := strings.Join(billHead, ",") + "\n"
	f.Add([]byte(head + "payment,m,a,pay_123456,sb1,,,1990,CNY,12,PAID,2026-11-22T20:15:00+08:00\ntotal,m,a,,,,,1,,,,\n"))
	f.Add([]byte(head + "refund,m,a,pay_123456,sb1,refund_1,rf1,990,CNY,-6,DONE,2026-11-22T20:15:00+08:00\ntotal,m,a,,,,,1,,,,\n"))
	f.Add([]byte(head + "total,m,a,,,,,0,,,,\n"))
	f.Add([]byte(head + "payment,m,a,pay_123456\n\"\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := readBill(body)
		if err != nil {
			if lines != nil {
				t.Fatal("lines of a refused bill")
			}
			return
		}
		if len(lines) > strings.Count(string(body), "\n") {
			t.Fatal("more lines than lines")
		}
		for _, l := range lines {
			if l.Amount.Minor <= 0 || l.MerchantNo == "" || (l.Kind == paygate.BillRefund) != (l.RefundNo != "") {
				t.Fatalf("%+v", l)
			}
		}
	})
}

// A signed body is one JSON value and nothing else.
func TestWhatFollowsANoticeIsRefused(t *testing.T) {
	for _, tail := range []string{"{}", "x", "]", ",", "\x00", seeds[0]} {
		if _, err := readNotice([]byte(seeds[0] + tail)); err == nil {
			t.Errorf("%q may follow", tail)
		}
	}
	if _, err := readNotice([]byte(seeds[0] + " \n")); err != nil {
		t.Error(err)
	}
}

func TestChargesThatCannotBe(t *testing.T) {
	g := fuzzGateway(t)
	good := paygate.Charge{MerchantNo: "pay_123456", Amount: amount(1, "CNY"), Subject: "x", NotifyURL: "https://x/n", ReturnURL: "https://x/r", ExpiresAt: fuzzNow}
	good.Device = paygate.Desktop
	if c, err := g.Cashier(t.Context(), good); err != nil || c.QRText != c.RedirectURL {
		t.Fatal(c, err)
	}
	for field, change := range map[string]func(*paygate.Charge){
		"merchant_no": func(c *paygate.Charge) { c.MerchantNo = strings.Repeat("x", 33) },
		"amount":      func(c *paygate.Charge) { c.Amount.Minor = 0 },
		"subject":     func(c *paygate.Charge) { c.Subject = "x\nsign=" },
		"notify_url":  func(c *paygate.Charge) { c.NotifyURL = "https://x/n?a=1" },
		"return_url":  func(c *paygate.Charge) { c.ReturnURL = "javascript:alert(1)" },
		"expires_at":  func(c *paygate.Charge) { c.ExpiresAt = time.Time{} },
	} {
		c := good
		change(&c)
		_, err := g.Cashier(t.Context(), c)
		if fault.CodeOf(err) != "paygate.charge_malformed" || fault.From(err).Params["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, c := range []Config{
		{BaseURL: "ftp://x", MerchantID: "m", AppID: "a"}, {BaseURL: "http://u:p@x", MerchantID: "m", AppID: "a"}, {BaseURL: "http://x?q", MerchantID: "m", AppID: "a"},
		{BaseURL: "http://x", MerchantID: "m/x", AppID: "a"}, {BaseURL: "http://x", MerchantID: "m"}, {BaseURL: "http://x", CashierURL: "x", MerchantID: "m", AppID: "a"},
	} {
		c.Secrets = []string{fuzzSecret}
		if _, err := New(c); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if r := g.Refund(t.Context(), paygate.RefundRequest{RefundNo: "x", MerchantNo: "pay_123456", Amount: amount(1, "CNY")}); r.State != paygate.RefundRefused {
		t.Errorf("%+v", r)
	}
}

func TestWhatTheChannelIsAnswered(t *testing.T) {
	g := fuzzGateway(t)
	if a := g.Taken(); a.Status != 200 || a.Body != "success" {
		t.Errorf("%+v", a)
	}
	if a := g.Refused(); a.Status/100 == 2 || a.Body == "success" {
		t.Errorf("%+v", a)
	}
}

func BenchmarkParseNotice(b *testing.B) {
	g := fuzzGateway(b)
	body := []byte(seeds[0])
	unix := strconv.FormatInt(fuzzNow.Unix(), 10)
	h := http.Header{signatureHeader: {"t=" + unix + ",v1=" + hex.EncodeToString(digest(fuzzSecret, unix, "NOTICE", body))}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.ParseNotice(h, body); err != nil {
			b.Fatal(err)
		}
	}
}
