package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hufu/internal/clock"
	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// A day's bill in the form Alipay documents: words of its own after #, tabs after values, fees
// below zero where they are taken, refunds below zero. One name holds a comma.
const sampleBill = "#支付宝业务明细查询\r\n#账号：[20881021479480600156]\r\n#起始日期：[2026年11月21日 00:00:00]   终止日期：[2026年11月22日 00:00:00]\r\n" +
	"#-----------------------------------------业务明细列表----------------------------------------\r\n" +
	"支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n" +
	"2026112122001400060500000001\t,pay_00000000000000000000000001\t,交易,双平台年卡,腾讯+爱奇艺\t,2026-11-21 09:13:41,2026-11-21 09:13:55,,,,\t,张三(z***@example.com)\t,120.00,120.00,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,\t,-0.72,0.00,\t\r\n" +
	"2026112122001400060500000001\t,pay_00000000000000000000000001\t,退款,双平台年卡\t,2026-11-21 09:13:41,2026-11-21 23:59:59,,,,\t,张三(z***@example.com)\t,-12.01,-12.01,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,refund_00000000000001\t,0.07,0.00,\t\r\n" +
	"#-----------------------------------------业务明细列表结束------------------------------------\r\n" +
	"#交易合计：1笔，商家实收共120.00元，商家优惠共0.00元\r\n#退款合计：1笔，商家实收退款共-12.01元，商家优惠退款共0.00元\r\n#导出时间：[2026年11月22日 09:10:11]\r\n"

var key = func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}()

// inside is an adapter whose platform key is the test's own; its keys are as Alipay's tool
// writes them, without PEM.
func inside(t testing.TB) *Gateway {
	mine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{BaseURL: "http://127.0.0.1:1", AppID: "2021000117650001", SellerID: "2088102147948060", PrivateKey: base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(mine)),
		PublicKey: base64.StdEncoding.EncodeToString(public), Clock: clock.NewFake(time.Unix(1795349700, 0))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	return g
}

func gbk(t testing.TB, text string) string {
	out, err := simplifiedchinese.GBK.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(g *Gateway, raw string) (lines []paygate.BillLine, err error) {
	err = g.readBill(strings.NewReader(raw), func(l paygate.BillLine) error { lines = append(lines, l); return nil })
	return lines, err
}

// D4, P20: what Alipay writes is read to the fen.
func TestABillAsItReallyComes(t *testing.T) {
	lines, err := read(inside(t), gbk(t, sampleBill))
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	want := []paygate.BillLine{
		{Row: 6, Kind: paygate.BillPayment, MerchantNo: "pay_00000000000000000000000001", TxnID: "2026112122001400060500000001", Account: "2088102147948060",
			Amount: money.Of(12000, money.CNY), Fee: money.Of(72, money.CNY), ProviderState: "交易", At: time.Date(2026, 11, 21, 1, 13, 55, 0, time.UTC)},
		{Row: 7, Kind: paygate.BillRefund, MerchantNo: "pay_00000000000000000000000001", TxnID: "2026112122001400060500000001", Account: "2088102147948060",
			RefundNo: "refund_00000000000001", Amount: money.Of(1201, money.CNY), Fee: money.Of(-7, money.CNY), ProviderState: "退款", At: time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)},
	}
	for i, l := range lines {
		if l != want[i] {
			t.Errorf("%+v\nwant %+v", l, want[i])
		}
	}
}

// F21: a bill that isn't whole, or isn't what it says, is refused whole.
func TestF21DamagedBills(t *testing.T) {
	g := inside(t)
	for what, change := range map[string][2]string{
		"no end":               {"业务明细列表结束", "业务明细列表"},
		"no count":             {"#交易合计：1笔", "#交易：1笔"},
		"another count":        {"#退款合计：1笔", "#退款合计：2笔"},
		"a payment below zero": {"120.00,120.00", "-120.00,120.00"},
		"a refund above zero":  {",-12.01,-12.01", ",12.01,-12.01"},
		"an amount in words":   {"120.00,120.00", "1e2,120.00"},
		"three decimals":       {"120.00,120.00", "120.001,120.00"},
		"a kind":               {",交易,", ",转账,"},
		"a time":               {"2026-11-21 09:13:55", "2026-02-30 09:13:55"},
		"another heading":      {"订单金额（元）", "金额（元）"},
		"values gone":          {",,,,\t,张三(z***@example.com)\t,-12.01", "-12.01"},
		"a row after the end":  {"#导出时间", "1,2,交易\r\n#导出时间"},
	} {
		bad := strings.Replace(sampleBill, change[0], change[1], 1)
		if bad == sampleBill {
			t.Fatalf("%s changes nothing", what)
		}
		if _, err := read(g, gbk(t, bad)); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	if _, err := read(g, sampleBill); err == nil {
		t.Error("UTF-8 is taken for GBK")
	}
	whole := gbk(t, sampleBill)
	for i := 1; i < strings.Index(whole, gbk(t, "#退款合计")); i += 5 {
		if _, err := read(g, whole[:i]); err == nil {
			t.Errorf("cut after %d bytes: accepted", i)
		}
	}
}

func FuzzReadBill(f *testing.F) {
	f.Add(gbk(f, sampleBill))
	f.Add(gbk(f, strings.ReplaceAll(sampleBill, "\t", "")))
	g := inside(f)
	f.Fuzz(func(t *testing.T, raw string) {
		lines, err := read(g, raw)
		for _, l := range lines {
			if l.Amount.Minor <= 0 || !paygate.BilledNo(l.MerchantNo) || l.TxnID == "" || l.At.IsZero() || (l.Kind == paygate.BillRefund) != (l.RefundNo != "") {
				t.Fatalf("%+v, %v", l, err)
			}
		}
	})
}

func signature(t testing.TB, text string) string {
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// Whatever arrives and however it is signed, a stranger gets nothing, and what the holder of the
// key sends is either read whole or refused.
func FuzzParseNotice(f *testing.F) {
	base := url.Values{"notify_id": {"ev1"}, "notify_type": {"trade_status_sync"}, "out_trade_no": {"pay_123456"}, "seller_id": {"2088102147948060"}, "app_id": {"2021000117650001"},
		"trade_no": {"42"}, "trade_status": {"TRADE_SUCCESS"}, "total_amount": {"19.90"}, "gmt_payment": {"2026-11-22 20:15:00"}, "buyer_id": {"b1"}}
	f.Add(base.Encode())
	base.Set("refund_fee", "9.90")
	base.Set("out_biz_no", "refund_1")
	base.Set("gmt_refund", "2026-11-22 20:15:00.123")
	f.Add(base.Encode())
	f.Add("notify_id=1&notify_id=2")
	f.Add("%zz=1;a&&&=")
	g := inside(f)
	f.Fuzz(func(t *testing.T, body string) {
		if n, err := g.ParseNotice(http.Header{}, []byte(body)); err == nil || n != (paygate.Notice{}) || fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("a stranger's notice: %+v, %v", n, err)
		}
		form, ok := flat([]byte(body))
		if !ok {
			return
		}
		delete(form, "sign")
		form["sign"] = signature(t, content(form, "sign", "sign_type", "alipay_cert_sn"))
		n, err := g.ParseNotice(nil, []byte(values(form).Encode()))
		if err != nil {
			if n != (paygate.Notice{}) {
				t.Fatalf("a refused notice says %+v", n)
			}
			return
		}
		if n.EventID == "" || n.Kind == "" || len(n.MerchantNo) > paygate.MaxMerchantNo || n.Kind != paygate.NoticeOther && (n.MerchantNo == "" || n.Account == "") {
			t.Fatalf("%+v", n)
		}
		if n.Kind == paygate.NoticePaid && (n.ProviderState != "TRADE_SUCCESS" && n.ProviderState != "TRADE_FINISHED" || form["refund_fee"] != "" || n.TxnID == "" || n.Amount.Minor <= 0 || n.OccurredAt.IsZero()) {
			t.Fatalf("%+v counts as paid", n)
		}
		if n.Kind == paygate.NoticeRefund && (n.Refund.Total.Minor <= 0 || n.Refund.RefundNo == "") {
			t.Fatalf("%+v counts as a refund", n)
		}
	})
}

// Whatever an answer holds, only what the key signed is read.
func FuzzReadAnswer(f *testing.F) {
	f.Add(`{"code":"10000","out_trade_no":"pay_1","trade_status":"TRADE_SUCCESS"}`)
	f.Add(`{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}`)
	f.Add(`[]`)
	g := inside(f)
	f.Fuzz(func(t *testing.T, node string) {
		var out map[string]any
		if o, err := g.read("alipay.trade.query", []byte(`{"alipay_trade_query_response":`+node+`,"sign":"aGVsbG8="}`), &out); err == nil {
			t.Fatalf("unsigned: %+v %v", o, out)
		}
		trimmed := strings.TrimSpace(node)
		_, _ = g.read("alipay.trade.query", []byte(`{"alipay_trade_query_response":`+node+`,"sign":"`+signature(t, trimmed)+`"}`), &out)
		_, _ = g.read("alipay.trade.query", []byte(node), &out)
	})
}
