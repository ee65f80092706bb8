package gateway

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// wechat is WeChat Pay's API v3 as its public documentation describes it, over the gateway's
// trades. What has no counterpart there (a notice that a charge was closed, a chargeback) is
// never told.
type wechat struct{}

func (s *Server) wechatRoutes(mux *http.ServeMux) {
	d := wechat{}
	for _, product := range []string{"native", "h5", "jsapi"} {
		mux.HandleFunc("POST /v3/pay/transactions/"+product, s.call(d, "prepay", s.prepay))
	}
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", s.call(d, "query", s.query))
	mux.HandleFunc("GET /v3/pay/transactions/id/{id}", s.call(d, "query", s.queryPayment))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", s.call(d, "close", s.closeKnown))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", s.call(d, "refund", s.refundPayment))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{refund}", s.call(d, "refund_query", s.queryRefundNo))
	mux.HandleFunc("GET /v3/bill/tradebill", s.call(d, "bill", s.wechatBill))
	mux.HandleFunc("GET /v3/billdownload/file", s.call(d, "file", s.fetchFile))
	mux.HandleFunc("GET /connect/oauth2/authorize", s.introduce)
	mux.HandleFunc("GET /sns/oauth2/access_token", s.introduced)
	mux.HandleFunc("GET /v3/certificates", s.call(d, "certificates", certificates))
}

const authorizationScheme = "WECHATPAY2-SHA256-RSA2048 "

var authorizationField = regexp.MustCompile(`^([a-z_]+)="([^"]*)"$`)

// authorization takes the header of a call apart; its fields come in any order.
func authorization(header string) map[string]string {
	rest, ok := strings.CutPrefix(header, authorizationScheme)
	if !ok {
		return nil
	}
	all := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		field := authorizationField.FindStringSubmatch(part)
		if field == nil {
			return nil
		}
		all[field[1]] = field[2]
	}
	return all
}

func (wechat) hear(s *Server, name string, r *http.Request, body []byte) (c heard, ok bool) {
	auth := authorization(r.Header.Get("Authorization"))
	if auth == nil || r.Header.Get("Accept") == "" || r.Header.Get("User-Agent") == "" {
		return c, false
	}
	m, known := s.merchants[auth["mchid"]]
	if !known || m.Protocol != "wechat" || auth["serial_no"] != m.WeChat.ShopSerial {
		return c, false
	}
	unix, err := strconv.ParseInt(auth["timestamp"], 10, 64)
	if now := s.clock.Now().Unix(); err != nil || now-unix > drift || unix-now > drift {
		return c, false
	}
	text := r.Method + "\n" + r.URL.RequestURI() + "\n" + auth["timestamp"] + "\n" + auth["nonce_str"] + "\n" + string(body) + "\n"
	if !rsaSigned(m.WeChat.shop, []byte(text), auth["signature"]) {
		return c, false
	}
	c.m, c.receipt = m, r.Header.Get("Wechatpay-Serial")
	c.q = request{MerchantID: m.ID, AppID: m.AppID, OutTradeNo: r.PathValue("no"), TransactionID: r.PathValue("id"), RefundNo: r.PathValue("refund"), Currency: "CNY",
		Day: r.URL.Query().Get("bill_date"), File: r.URL.Query().Get("token")}
	if name == "query" && r.URL.Query().Get("mchid") != m.ID {
		return c, false
	}
	switch name {
	case "prepay":
		return c, c.q.readPrepay(m, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], body)
	case "refund":
		return c, c.q.readRefund(body)
	}
	return c, true
}

// readPrepay reads the body of a call that makes a charge. What is malformed is left empty, for
// the call itself to refuse.
func (q *request) readPrepay(m Merchant, product string, body []byte) bool {
	var in struct {
		AppID       string    `json:"appid"`
		MchID       string    `json:"mchid"`
		Description string    `json:"description"`
		OutTradeNo  string    `json:"out_trade_no"`
		TimeExpire  time.Time `json:"time_expire"`
		NotifyURL   string    `json:"notify_url"`
		Amount      struct {
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
		Payer struct {
			OpenID string `json:"openid"`
		} `json:"payer"`
		Scene struct {
			ClientIP string `json:"payer_client_ip"`
			H5       struct {
				Type string `json:"type"`
			} `json:"h5_info"`
		} `json:"scene_info"`
	}
	if json.Unmarshal(body, &in) != nil || in.AppID != m.AppID || in.MchID != m.ID {
		return false
	}
	q.OutTradeNo, q.Amount, q.Currency = in.OutTradeNo, in.Amount.Total, in.Amount.Currency
	q.Prepay = prepay{Subject: in.Description, NotifyURL: in.NotifyURL, ExpiresAt: in.TimeExpire, Product: product, Payer: in.Payer.OpenID}
	wrong := q.Currency != "CNY" || len([]rune(in.Description)) > 127 || strings.Contains(in.NotifyURL, "?") ||
		(product == "jsapi") != (in.Payer.OpenID != "") || product == "h5" && (in.Scene.ClientIP == "" || in.Scene.H5.Type == "")
	if wrong {
		q.Amount = 0
	}
	return true
}

func (q *request) readRefund(body []byte) bool {
	var in struct {
		TransactionID string `json:"transaction_id"`
		OutTradeNo    string `json:"out_trade_no"`
		OutRefundNo   string `json:"out_refund_no"`
		Reason        string `json:"reason"`
		NotifyURL     string `json:"notify_url"`
		Amount        struct {
			Refund   int64  `json:"refund"`
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}
	if json.Unmarshal(body, &in) != nil {
		return false
	}
	q.TransactionID, q.OutTradeNo, q.RefundNo, q.Reason, q.NotifyURL = in.TransactionID, in.OutTradeNo, in.OutRefundNo, in.Reason, in.NotifyURL
	if q.Amount, q.Captured, q.Currency = in.Amount.Refund, in.Amount.Total, in.Amount.Currency; len(in.Reason) > 80 {
		q.Amount = 0
	}
	return true
}

// byTransaction finds the number of the trade that a payment belongs to.
func (s *Server) byTransaction(m Merchant, q *request) {
	if q.TransactionID != "" {
		q.OutTradeNo = s.byPayment[tradeKey{m.ID, q.TransactionID}].number
	}
}

func (s *Server) queryPayment(m Merchant, q request, now time.Time, f Faults) reply {
	s.byTransaction(m, &q)
	return s.query(m, q, now, f)
}

func (s *Server) refundPayment(m Merchant, q request, now time.Time, f Faults) reply {
	s.byTransaction(m, &q)
	if f.NoFunds {
		return refusal("NO_FUNDS", "the balance is too low")
	}
	if t := s.trades[tradeKey{m.ID, q.OutTradeNo}]; t != nil && q.Captured != t.Amount {
		return refusal("FEE_MISMATCH", "the total is not what was paid")
	}
	return s.refund(m, q, now, f)
}

func (s *Server) queryRefundNo(m Merchant, q request, now time.Time, f Faults) reply {
	q.OutTradeNo = s.byRefund[tradeKey{m.ID, q.RefundNo}].number
	return s.queryRefund(m, q, now, f)
}

func (wechat) turnAway(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	w.Write(compactJSON(map[string]string{"code": "SIGN_ERROR", "message": "签名错误"}))
}

// wechatRefusals are WeChat Pay's words for what the gateway refuses, by call or "".
var wechatRefusals = map[string]struct {
	status int
	code   string
	text   string
}{
	"UNKNOWN":                {500, "SYSTEM_ERROR", "系统异常，请用相同参数重新调用"},
	"INVALID":                {400, "PARAM_ERROR", "参数错误"},
	"NOT_FOUND":              {404, "ORDER_NOT_EXIST", "订单不存在"},
	"NOT_FOUND refund":       {404, "RESOURCE_NOT_EXISTS", "订单不存在"},
	"NOT_FOUND refund_query": {404, "RESOURCE_NOT_EXISTS", "退款单不存在"},
	"NOT_FOUND bill":         {400, "NO_STATEMENT_EXIST", "请求的账单文件不存在"},
	"NOT_FOUND certificates": {404, "RESOURCE_NOT_EXISTS", "可用的平台证书不存在"},
	"NOT_FOUND file":         {404, "RESOURCE_NOT_EXISTS", "文件不存在"},
	"NOT_READY":              {400, "STATEMENT_CREATING", "账单生成中"},
	"ALREADY_PAID":           {400, "INVALID_REQUEST", "该订单已支付"},
	"ALREADY_PAID prepay":    {400, "ORDERPAID", "该订单已支付"},
	"CLOSED":                 {400, "ORDER_CLOSED", "该订单已关闭"},
	"NUMBER_USED":            {403, "OUT_TRADE_NO_USED", "商户订单号重复"},
	"NOT_ENOUGH":             {400, "INVALID_REQUEST", "累计退款金额超过支付金额"},
	"NO_FUNDS":               {403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"},
	"FEE_MISMATCH":           {400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试"},
	"REFUND_NO_USED":         {400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试"},
}

func (wechat) say(c heard, a reply) said {
	const kind = "application/json; charset=utf-8"
	if a.csv != nil {
		return said{http.StatusOK, "text/plain; charset=utf-8", a.csv}
	}
	if a.Code != "OK" {
		no, ok := wechatRefusals[a.Code+" "+c.name]
		if !ok {
			no = wechatRefusals[a.Code]
		}
		return said{no.status, kind, compactJSON(map[string]any{"code": no.code, "message": no.text, "detail": map[string]string{"issue": a.Message}})}
	}
	var out any
	switch c.name {
	case "close":
		return said{status: http.StatusNoContent}
	case "prepay":
		switch link := cashierURL(c.host, a.prepay); a.trade.Product {
		case "native":
			out = map[string]string{"code_url": link}
		case "h5":
			out = map[string]string{"h5_url": link}
		default:
			out = map[string]string{"prepay_id": a.prepay}
		}
	case "query":
		out = transactionOf(c.m.ID, c.m.AppID, a.OutTradeNo, a.TransactionID, a.tradeState(), a.trade.Product, a.PayerID, a.Amount, a.Currency, a.PaidAt)
	case "refund", "refund_query":
		one := map[string]any{"refund_id": a.RefundID, "out_refund_no": a.RefundNo, "transaction_id": a.TransactionID, "out_trade_no": a.OutTradeNo, "channel": "ORIGINAL",
			"user_received_account": "支付用户零钱", "create_time": beijing(a.refund.At), "status": wechatRefundStates[a.State], "funds_account": "AVAILABLE",
			"amount": map[string]any{"total": a.trade.Amount, "refund": a.Amount, "payer_total": a.trade.Amount, "payer_refund": a.Amount, "currency": a.Currency}}
		if a.DoneAt != nil {
			one["success_time"] = beijing(*a.DoneAt)
		}
		out = one
	case "certificates":
		out = map[string]any{"data": a.list}
	case "bill":
		out = map[string]string{"hash_type": "SHA1", "hash_value": a.TransactionID, "download_url": "http://" + c.host + "/v3/billdownload/file?token=" + a.prepay}
	}
	return said{http.StatusOK, kind, compactJSON(out)}
}

var wechatRefundStates = map[string]string{stateDone: "SUCCESS", stateProcessing: "PROCESSING", stateFailed: "ABNORMAL"}

// tradeState is the word for the state of the trade that a query found.
func (a reply) tradeState() string {
	switch a.State {
	case statePaid:
		if len(a.trade.Refunds) > 0 {
			return "REFUND"
		}
		return "SUCCESS"
	case "UNPAID":
		return "NOTPAY"
	}
	return a.State
}

var tradeTypes = map[string]string{"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}

// transactionOf is a trade as queries and notices tell it.
func transactionOf(merchant, app, no, id, state, product, payer string, amount int64, currency string, paid *time.Time) map[string]any {
	out := map[string]any{"appid": app, "mchid": merchant, "out_trade_no": no, "trade_state": state, "trade_state_desc": state, "attach": ""}
	if id != "" {
		out["transaction_id"], out["trade_type"], out["bank_type"] = id, tradeTypes[product], "OTHERS"
		out["payer"] = map[string]string{"openid": payer}
		out["amount"] = map[string]any{"total": amount, "payer_total": amount, "currency": currency, "payer_currency": currency}
	}
	if paid != nil {
		out["success_time"] = beijing(*paid)
	}
	return out
}

func beijing(t time.Time) string { return t.In(billZone).Format(time.RFC3339) }

// certificates hands out the gateway's certificates. A merchant with a public key has none.
func certificates(m Merchant, _ request, _ time.Time, _ Faults) reply {
	list := []any{}
	for _, p := range m.WeChat.Platform {
		if p.Certificate != "" {
			list = append(list, map[string]any{"serial_no": p.ID, "encrypt_certificate": wrapped(m.WeChat.APIv3Key, "certificate", "", []byte(p.Certificate))})
		}
	}
	if len(list) == 0 {
		return refusal("NOT_FOUND", "the merchant has a public key")
	}
	return reply{Code: "OK", list: list}
}

func (wechat) seal(h http.Header, c heard, out said, at time.Time, how string) said {
	if c.name == "file" || how == "unsigned" { // WeChat Pay signs no file: its hash was signed
		return out
	}
	p := c.m.WeChat.signer(c.receipt)
	if how == "missigned" {
		p.key = otherKey()
	}
	p.stamp(h, out.body, at)
	return out
}

func (p PlatformKey) stamp(h http.Header, body []byte, at time.Time) {
	unix, nonce := strconv.FormatInt(at.Unix(), 10), token("")
	h.Set("Wechatpay-Timestamp", unix)
	h.Set("Wechatpay-Nonce", nonce)
	h.Set("Wechatpay-Serial", p.ID)
	h.Set("Wechatpay-Signature", rsaSign(p.key, []byte(unix+"\n"+nonce+"\n"+string(body)+"\n")))
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
	h.Set("Request-Id", token(""))
}

func (wechat) tell(m Merchant, f Faults, n Notice, at time.Time) (http.Header, []byte) {
	event, original, summary := "TRANSACTION.SUCCESS", "transaction", "支付成功"
	var plain any
	if n.Type == "refund" {
		state := wechatRefundStates[n.RefundState]
		event, original, summary = "REFUND."+state, "refund", "退款"
		one := map[string]any{"mchid": n.MerchantID, "out_trade_no": n.OutTradeNo, "transaction_id": n.TransactionID, "out_refund_no": n.RefundNo, "refund_id": n.RefundID,
			"refund_status": state, "user_received_account": "支付用户零钱",
			"amount": map[string]int64{"total": n.Amount, "refund": n.RefundAmount, "payer_total": n.Amount, "payer_refund": n.RefundAmount}}
		if n.RefundState == stateDone {
			one["success_time"] = beijing(n.OccurredAt)
		}
		plain = one
	} else {
		state := n.State
		if state == statePaid {
			state = "SUCCESS"
		}
		plain = transactionOf(n.MerchantID, n.AppID, n.OutTradeNo, n.TransactionID, state, n.Product, n.PayerID, n.Amount, n.Currency, &n.OccurredAt)
	}
	apiKey := m.WeChat.APIv3Key
	if f.Signature == "empty_key" {
		apiKey = strings.Repeat("\x00", 32)
	}
	body := compactJSON(map[string]any{"id": n.ID, "create_time": beijing(n.OccurredAt), "resource_type": "encrypt-resource", "event_type": event, "summary": summary,
		"resource": wrapped(apiKey, original, original, compactJSON(plain))})

	h, p := http.Header{"Content-Type": {"application/json"}}, m.WeChat.Platform[0]
	switch f.Signature {
	case "absent":
		return h, body
	case "other_key":
		p.key = otherKey()
	case "stale":
		at = at.Add(-2 * drift * time.Second)
	}
	p.stamp(h, body, at)
	switch f.Signature {
	case "forged":
		h.Set("Wechatpay-Signature", "aGVsbG8=")
	case "probe":
		h.Set("Wechatpay-Signature", "WECHATPAY/SIGNTEST/"+h.Get("Wechatpay-Signature"))
	}
	return h, body
}

func (wechat) taken(status int, _ string) bool {
	return status == http.StatusOK || status == http.StatusNoContent
}

func (wechat) knows(kind, state string) bool {
	return kind == "refund" || kind == "trade" && state == statePaid
}
