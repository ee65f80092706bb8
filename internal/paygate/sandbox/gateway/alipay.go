package gateway

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Alipay are the keys of a merchant who speaks Alipay's protocol.
type Alipay struct {
	ShopKey string `json:"shop_key"` // the app's public key, PEM
	Private string `json:"private"`  // the gateway's, PEM

	shop *rsa.PublicKey
	key  *rsa.PrivateKey
}

func (a *Alipay) parse() (err error) {
	if a.shop, err = publicPEM(a.ShopKey); err != nil {
		return err
	}
	a.key, err = privatePEM(a.Private)
	return err
}

// NewAlipay draws all keys of a merchant: the gateway's half, and the shop's as the JSON that an
// adapter to Alipay is set up with.
func NewAlipay(seller, app string) (a Alipay, shop map[string]string, err error) {
	mine, shopKey, err := newPair()
	if err != nil {
		return a, nil, err
	}
	private, public, err := newPair()
	if err != nil {
		return a, nil, err
	}
	return Alipay{ShopKey: shopKey, Private: private}, map[string]string{"app_id": app, "seller_id": seller, "private_key": mine, "public_key": public}, nil
}

// alipay is Alipay's gateway v1 as its public documentation describes it, over the gateway's
// trades: one address, whose parameter "method" says what is asked.
type alipay struct{}

// alipayStamp is how Alipay writes a moment, in billZone.
const alipayStamp = "2006-01-02 15:04:05"

func (s *Server) alipayRoutes(mux *http.ServeMux) {
	d := alipay{}
	methods := map[string]http.HandlerFunc{
		"alipay.trade.precreate":                         s.call(d, "prepay", s.prepay),
		"alipay.trade.query":                             s.call(d, "query", s.queryPayment),
		"alipay.trade.close":                             s.call(d, "close", s.closeKnown),
		"alipay.trade.refund":                            s.call(d, "refund", s.alipayRefund),
		"alipay.trade.fastpay.refund.query":              s.call(d, "refund_query", s.alipayRefundQuery),
		"alipay.trade.page.pay":                          s.alipayPage,
		"alipay.trade.wap.pay":                           s.alipayPage,
		"alipay.data.dataservice.bill.downloadurl.query": s.call(d, "bill", s.alipayBill),
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "the body can't be read or is too large", http.StatusBadRequest)
			return
		}
		params, _ := alipayParams(r, body)
		do, ok := methods[params["method"]]
		if !ok {
			d.turnAway(w)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		do(w, r)
	}
	mux.HandleFunc("GET /gateway.do", serve)
	mux.HandleFunc("POST /gateway.do", serve)
	mux.HandleFunc("GET /alipay/bill", s.alipayFile)
}

// alipayParams are the parameters of a call, wherever they stand; ok is false when one stands
// twice.
func alipayParams(r *http.Request, body []byte) (params map[string]string, ok bool) {
	params, ok = map[string]string{}, true
	form, err := url.ParseQuery(string(body))
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form = nil
	}
	for _, all := range []url.Values{r.URL.Query(), form} {
		for name, values := range all {
			if _, twice := params[name]; twice || len(values) != 1 {
				ok = false
			}
			params[name] = values[0]
		}
	}
	return params, ok
}

// alipayText is what is signed of parameters. Those of a call count when they have a value, those
// of a notice in any case.
func alipayText(params map[string]string, empty bool, without ...string) []byte {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if (empty || params[name] != "") && !slices.Contains(without, name) {
			parts = append(parts, name+"="+params[name])
		}
	}
	return []byte(strings.Join(parts, "&"))
}

func (alipay) hear(s *Server, name string, r *http.Request, body []byte) (c heard, ok bool) {
	p, ok := alipayParams(r, body)
	if !ok || p["sign_type"] != "RSA2" || p["version"] != "1.0" || p["charset"] != "utf-8" {
		return c, false
	}
	for _, m := range s.merchants {
		if m.Protocol == "alipay" && m.AppID == p["app_id"] {
			c.m = m
		}
	}
	at, err := time.ParseInLocation(alipayStamp, p["timestamp"], billZone)
	if c.m.ID == "" || err != nil || s.clock.Now().Sub(at).Abs() > drift*time.Second || !rsaSigned(c.m.Alipay.shop, alipayText(p, false, "sign"), p["sign"]) {
		return c, false
	}
	var in struct {
		OutTradeNo   string `json:"out_trade_no"`
		TradeNo      string `json:"trade_no"`
		TotalAmount  string `json:"total_amount"`
		Subject      string `json:"subject"`
		ProductCode  string `json:"product_code"`
		TimeExpire   string `json:"time_expire"`
		RefundAmount string `json:"refund_amount"`
		OutRequestNo string `json:"out_request_no"`
		RefundReason string `json:"refund_reason"`
		BillType     string `json:"bill_type"`
		BillDate     string `json:"bill_date"`
	}
	if json.Unmarshal([]byte(p["biz_content"]), &in) != nil {
		return c, false
	}
	expires, _ := time.ParseInLocation(alipayStamp, in.TimeExpire, billZone)
	c.receipt = strings.ReplaceAll(p["method"], ".", "_") + "_response"
	c.q = request{MerchantID: c.m.ID, AppID: c.m.AppID, OutTradeNo: in.OutTradeNo, TransactionID: in.TradeNo, RefundNo: in.OutRequestNo, Reason: in.RefundReason, Currency: "CNY",
		NotifyURL: p["notify_url"], Day: in.BillDate,
		Prepay: prepay{Subject: in.Subject, NotifyURL: p["notify_url"], ReturnURL: p["return_url"], ExpiresAt: expires, Product: "precreate"}}
	if name == "refund" {
		c.q.Amount = fen(in.RefundAmount)
	} else {
		c.q.Amount = fen(in.TotalAmount)
	}
	if name == "page" {
		c.q.Prepay.Product = map[string]string{"FAST_INSTANT_TRADE_PAY": "page", "QUICK_WAP_WAY": "wap"}[in.ProductCode]
	}
	if c.q.Prepay.Product == "" || strings.ContainsAny(in.Subject, "/=&") || name == "bill" && in.BillType != "trade" {
		c.q.Amount, c.q.Day = 0, ""
	}
	return c, true
}

// fen reads yuan with two decimals; what isn't that is zero, which every call refuses.
func fen(yuan string) int64 {
	whole, part, ok := strings.Cut(yuan, ".")
	if !ok || len(part) != 2 || whole == "" || len(whole) > 12 {
		return 0
	}
	var n int64
	for _, c := range whole + part {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// alipayPage opens a charge by its signed address and leads to its cashier.
func (s *Server) alipayPage(w http.ResponseWriter, r *http.Request) {
	c, ok := alipay{}.hear(s, "page", r, nil)
	if !ok {
		s.problem(w, r, http.StatusForbidden, "bad_link")
		return
	}
	s.mu.Lock()
	var a reply
	if !s.closed {
		now := s.clock.Now()
		s.settle(now)
		if t := s.trades[tradeKey{c.m.ID, c.q.OutTradeNo}]; t != nil && t.Amount == c.q.Amount && t.Subject == c.q.Prepay.Subject {
			a = reply{Code: "OK", prepay: t.Prepay} // also when it is paid or closed: the page says so
		} else {
			a = s.prepay(c.m, c.q, now, Faults{})
		}
	}
	s.mu.Unlock()
	s.stir()
	switch a.Code {
	case "OK":
		http.Redirect(w, r, "/pay?"+url.Values{"prepay_id": {a.prepay}}.Encode(), http.StatusFound)
	case "NUMBER_USED", "ALREADY_PAID", "CLOSED":
		s.problem(w, r, http.StatusConflict, "reused")
	default:
		s.problem(w, r, http.StatusForbidden, "bad_link")
	}
}

func (s *Server) alipayRefund(m Merchant, q request, now time.Time, f Faults) reply {
	s.byTransaction(m, &q)
	if f.NoFunds {
		return refusal("NO_FUNDS", "the seller's balance is too low")
	}
	f.RefundSeconds, f.RefundFails = 0, false // Alipay's refunds are done when they are taken
	return s.refund(m, q, now, f)
}

func (s *Server) alipayRefundQuery(m Merchant, q request, now time.Time, f Faults) reply {
	s.byTransaction(m, &q)
	return s.queryRefund(m, q, now, f)
}

func (alipay) turnAway(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Write(compactJSON(map[string]any{"error_response": map[string]string{"code": "40002", "msg": "Invalid Arguments", "sub_code": "isv.invalid-signature", "sub_msg": "验签出错"}}))
}

// alipayRefusals are Alipay's words for what the gateway refuses, by call or "".
var alipayRefusals = map[string][2]string{
	"INVALID":             {"ACQ.INVALID_PARAMETER", "参数无效"},
	"NOT_FOUND":           {"ACQ.TRADE_NOT_EXIST", "交易不存在"},
	"NOT_FOUND bill":      {"isp.bill_not_exist", "账单不存在"},
	"NOT_READY":           {"isp.bill_not_exist", "账单不存在"},
	"ALREADY_PAID":        {"ACQ.TRADE_STATUS_ERROR", "交易状态不合法"},
	"ALREADY_PAID prepay": {"ACQ.TRADE_HAS_SUCCESS", "交易已被支付"},
	"CLOSED":              {"ACQ.TRADE_HAS_CLOSE", "交易已经关闭"},
	"NUMBER_USED":         {"ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"},
	"NOT_ENOUGH":          {"ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"},
	"NO_FUNDS":            {"ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"},
	"REFUND_NO_USED":      {"ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求"},
}

// node is a success with its fields.
func node(fields map[string]any) []byte {
	fields["code"], fields["msg"] = "10000", "Success"
	return compactJSON(fields)
}

// say gives the node of an answer; seal puts it into its place and signs it.
func (alipay) say(c heard, a reply) said {
	const kind = "text/html;charset=utf-8" // as Alipay really says of its JSON
	no := alipayRefusals[a.Code]
	if own, ok := alipayRefusals[a.Code+" "+c.name]; ok {
		no = own
	}
	switch {
	case a.Code == "UNKNOWN":
		return said{http.StatusOK, kind, compactJSON(map[string]string{"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error", "sub_msg": "系统繁忙"})}
	case c.name == "refund_query" && a.Code == "NOT_FOUND":
		return said{http.StatusOK, kind, node(map[string]any{})} // "not received, or failed" has no words of its own
	case a.Code != "OK":
		return said{http.StatusOK, kind, compactJSON(map[string]string{"code": "40004", "msg": "Business Failed", "sub_code": no[0], "sub_msg": no[1]})}
	}
	out := map[string]any{"out_trade_no": a.OutTradeNo}
	switch c.name {
	case "prepay":
		out["qr_code"] = cashierURL(c.host, a.prepay)
	case "query":
		out["trade_no"], out["trade_status"], out["total_amount"] = a.TransactionID, a.alipayState(), yuan(a.trade.Amount)
		if a.State == statePaid {
			out["total_amount"], out["send_pay_date"], out["buyer_user_id"], out["buyer_pay_amount"] = yuan(a.Amount), a.PaidAt.In(billZone).Format(alipayStamp), a.PayerID, yuan(a.Amount)
		}
	case "refund":
		out["trade_no"], out["fund_change"], out["refund_fee"] = a.TransactionID, "Y", yuan(a.trade.refunded(a.TransactionID, false))
		out["buyer_user_id"] = a.trade.payment(a.TransactionID).Payer
	case "refund_query":
		out["trade_no"], out["out_request_no"], out["refund_status"], out["refund_amount"] = a.TransactionID, a.RefundNo, "REFUND_SUCCESS", yuan(a.Amount)
		out["total_amount"], out["gmt_refund_pay"] = yuan(a.trade.payment(a.TransactionID).Amount), a.refund.EndsAt.In(billZone).Format(alipayStamp)
	case "bill":
		out = map[string]any{"bill_download_url": "http://" + c.host + "/alipay/bill?" + url.Values{"token": {a.prepay}}.Encode()}
	}
	return said{http.StatusOK, kind, node(out)}
}

// alipayState is the word for the state of the trade that a query found.
func (a reply) alipayState() string {
	switch a.State {
	case statePaid:
		if a.trade.refunded(a.TransactionID, false) == a.Amount {
			return "TRADE_CLOSED"
		}
		return "TRADE_SUCCESS"
	case stateClosed:
		return "TRADE_CLOSED"
	}
	return "WAIT_BUYER_PAY"
}

func (alipay) seal(_ http.Header, c heard, out said, _ time.Time, how string) said {
	body := append([]byte(`{"`+c.receipt+`":`), out.body...)
	switch how {
	case "unsigned":
	case "missigned":
		body = append(body, `,"sign":"`+rsaSign(otherKey(), out.body)+`"`...)
	default:
		body = append(body, `,"sign":"`+rsaSign(c.m.Alipay.key, out.body)+`"`...)
	}
	out.body = append(body, '}')
	return out
}

func (alipay) tell(m Merchant, f Faults, n Notice, at time.Time) (http.Header, []byte) {
	stamp := func(t time.Time) string { return t.In(billZone).Format(alipayStamp) }
	p := map[string]string{"notify_time": stamp(at), "notify_type": "trade_status_sync", "notify_id": n.ID, "app_id": n.AppID, "auth_app_id": n.AppID, "charset": "utf-8", "version": "1.0",
		"sign_type": "RSA2", "trade_no": n.TransactionID, "out_trade_no": n.OutTradeNo, "seller_id": n.MerchantID, "total_amount": yuan(n.Amount), "subject": "虎符 & 会员", "body": "", "gmt_create": stamp(n.OccurredAt)}
	switch {
	case n.Type == "refund":
		p["trade_status"], p["out_biz_no"], p["refund_fee"], p["gmt_refund"] = "TRADE_SUCCESS", n.RefundNo, yuan(n.Refunded), stamp(n.OccurredAt)+".000"
		if n.Refunded == n.Amount {
			p["trade_status"] = "TRADE_CLOSED"
		}
	case n.State == statePaid:
		p["trade_status"], p["gmt_payment"] = "TRADE_SUCCESS", stamp(n.OccurredAt)
		p["buyer_id"], p["receipt_amount"], p["fund_bill_list"] = n.PayerID, yuan(n.Amount), `[{"amount":"`+yuan(n.Amount)+`","fundChannel":"ALIPAYACCOUNT"}]`
	case n.State == stateClosed:
		p["trade_status"], p["gmt_close"] = "TRADE_CLOSED", stamp(n.OccurredAt)
	default:
		p["trade_status"] = n.State
	}
	key := m.Alipay.key
	if f.Signature == "other_key" || f.Signature == "empty_key" {
		key = otherKey()
	}
	p["sign"] = rsaSign(key, alipayText(p, true, "sign", "sign_type"))
	switch f.Signature {
	case "absent":
		delete(p, "sign")
	case "forged", "probe":
		p["sign"] = "aGVsbG8="
	}
	form := make(url.Values, len(p))
	for name, v := range p {
		form.Set(name, v)
	}
	return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, []byte(form.Encode())
}

func (alipay) taken(status int, answer string) bool {
	return status == http.StatusOK && answer == "success"
}

func (alipay) knows(kind, _ string) bool { return kind != "dispute" }
