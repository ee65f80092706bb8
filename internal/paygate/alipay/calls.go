package alipay

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// stampForm is how Alipay writes a moment, in paygate.Zone.
const stampForm = "2006-01-02 15:04:05"

// outcome is what every answer begins with.
type outcome struct {
	Code    string `json:"code"`
	SubCode string `json:"sub_code"`
	Message string `json:"sub_msg"`
}

// The codes of an answer.
const (
	codeOK      = "10000"
	codeRefused = "40004" // a sub_code says why
)

func (o outcome) unclear() error {
	if o.SubCode != "" {
		return paygate.Unclear(o.Code + " " + o.SubCode)
	}
	return paygate.Unclear(o.Code)
}

// params are those of a signed request.
func (g *Gateway) params(method string, in any, notifyURL, returnURL string) (map[string]string, error) {
	biz, err := json.Marshal(in)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "internal")
	}
	p := map[string]string{"app_id": g.app, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0",
		"timestamp": g.clock.Now().In(paygate.Zone).Format(stampForm), "biz_content": string(biz)}
	if notifyURL != "" {
		p["notify_url"] = notifyURL
	}
	if returnURL != "" {
		p["return_url"] = returnURL
	}
	p["sign"], err = g.sign(p)
	return p, err
}

func values(params map[string]string) url.Values {
	out := make(url.Values, len(params))
	for name, v := range params {
		out.Set(name, v)
	}
	return out
}

// ask makes a call, reads the node of its answer into out, and gives the code of it. An answer
// that Alipay didn't sign is worth nothing, whatever it says.
func (g *Gateway) ask(ctx context.Context, method string, in, out any, notifyURL string) (outcome, error) {
	params, err := g.params(method, in, notifyURL, "")
	if err != nil {
		return outcome{}, err
	}
	req, err := http.NewRequest(http.MethodPost, g.base+path, strings.NewReader(values(params).Encode()))
	if err != nil {
		return outcome{}, fault.Wrap(err, fault.Internal, "internal")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	req.Header.Set("User-Agent", "hufu")
	a, err := g.client.Do(ctx, req, wire.DefaultLimit)
	if err != nil {
		return outcome{}, err
	}
	if a.Status != http.StatusOK {
		return outcome{}, fault.New(fault.Unavailable, "paygate.answer_status", "status", strconv.Itoa(a.Status))
	}
	return g.read(method, a.Body, out)
}

// read takes an answer apart. The signature covers the node's bytes as they were sent, which is
// why they are kept raw until it is checked.
func (g *Gateway) read(method string, body []byte, out any) (outcome, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return outcome{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_unsigned")
	}
	node, ok := all[strings.ReplaceAll(method, ".", "_")+"_response"]
	if !ok {
		node, ok = all["error_response"]
	}
	if !ok {
		return outcome{}, fault.New(fault.Unavailable, "paygate.answer_malformed")
	}
	var o outcome
	if err := json.Unmarshal(node, &o); err != nil {
		return outcome{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
	}
	// It may be anybody who says so; for an operator it is the likeliest cause.
	switch o.SubCode {
	case "isv.invalid-signature", "isv.invalid-app-id", "isv.missing-signature", "isv.invalid-timestamp":
		return outcome{}, fault.New(fault.Unavailable, "paygate.answer_rejected")
	}
	var signature string
	if raw, ok := all["sign"]; ok {
		if err := json.Unmarshal(raw, &signature); err != nil {
			return outcome{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
		}
	}
	if err := g.check(string(node), signature); err != nil {
		return outcome{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_unsigned")
	}
	if o.Code == codeOK {
		if err := json.Unmarshal(node, out); err != nil {
			return outcome{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
		}
	}
	return o, nil
}

// yuan writes an amount as Alipay reads it, and readYuan reads one strictly.
func yuan(a money.Amount) string { return a.Decimal() }

func readYuan(s string) (money.Amount, error) { return money.Parse(s, money.CNY) }

func readStamp(s string) (time.Time, error) {
	at, err := time.ParseInLocation(stampForm, s, paygate.Zone)
	return at.UTC(), err
}

// trade is what a charge is made with.
type trade struct {
	OutTradeNo  string `json:"out_trade_no"`
	TotalAmount string `json:"total_amount"`
	Subject     string `json:"subject"`
	ProductCode string `json:"product_code,omitempty"`
	TimeExpire  string `json:"time_expire"`
	QuitURL     string `json:"quit_url,omitempty"` // where somebody goes who gives up
}

// plainSubject replaces what a subject may not hold.
var plainSubject = strings.NewReplacer("/", "／", "=", "＝", "&", "＆")

// Cashier implements paygate.Gateway. The way to Alipay's page is signed here; Alipay learns of
// the charge when somebody comes that way.
func (g *Gateway) Cashier(ctx context.Context, c paygate.Charge) (paygate.Cashier, error) {
	if err := c.Check(); err != nil {
		return paygate.Cashier{}, err
	}
	if c.Amount.Currency != money.CNY {
		return paygate.Cashier{}, paygate.Malformed("amount")
	}
	t := trade{OutTradeNo: c.MerchantNo, TotalAmount: yuan(c.Amount), Subject: plainSubject.Replace(c.Subject), TimeExpire: c.ExpiresAt.In(paygate.Zone).Format(stampForm)}
	method := "alipay.trade.wap.pay"
	switch {
	case c.Device == paygate.Desktop && g.scan:
		return g.code(ctx, t, c.NotifyURL)
	case c.Device == paygate.Desktop:
		method, t.ProductCode = "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"
	default:
		t.ProductCode, t.QuitURL = "QUICK_WAP_WAY", c.ReturnURL
	}
	params, err := g.params(method, t, c.NotifyURL, c.ReturnURL)
	if err != nil {
		return paygate.Cashier{}, err
	}
	return paygate.Cashier{RedirectURL: g.base + path + "?" + values(params).Encode()}, nil
}

// code has Alipay make a charge and gives the code to be scanned.
func (g *Gateway) code(ctx context.Context, t trade, notifyURL string) (paygate.Cashier, error) {
	var w struct {
		OutTradeNo string `json:"out_trade_no"`
		QRCode     string `json:"qr_code"`
	}
	o, err := g.ask(ctx, "alipay.trade.precreate", t, &w, notifyURL)
	switch {
	case err != nil:
		return paygate.Cashier{}, err
	case o.Code == codeOK && w.OutTradeNo == t.OutTradeNo && w.QRCode != "":
		return paygate.Cashier{QRText: w.QRCode}, nil
	case o.Code == codeOK:
		return paygate.Cashier{}, fault.New(fault.Unavailable, "paygate.answer_mismatch")
	case o.SubCode == "ACQ.TRADE_HAS_SUCCESS":
		return paygate.Cashier{}, fault.New(fault.Conflict, "paygate.charge_paid")
	case o.SubCode == "ACQ.TRADE_HAS_CLOSE":
		return paygate.Cashier{}, fault.New(fault.Conflict, "paygate.charge_closed")
	case o.SubCode == "ACQ.CONTEXT_INCONSISTENT":
		return paygate.Cashier{}, fault.New(fault.Conflict, "paygate.charge_other_way")
	case o.Code == codeRefused && o.SubCode != "ACQ.SYSTEM_ERROR":
		return paygate.Cashier{}, fault.New(fault.Unavailable, "paygate.charge_refused", "code", paygate.Clip(o.SubCode), "message", paygate.Clip(o.Message))
	}
	return paygate.Cashier{}, o.unclear()
}

// named names a charge, by Alipay's number where that is known.
type named struct {
	OutTradeNo string `json:"out_trade_no,omitempty"`
	TradeNo    string `json:"trade_no,omitempty"`
}

func name(number, txn string) named {
	if txn != "" {
		return named{TradeNo: txn}
	}
	return named{OutTradeNo: number}
}

// Query implements paygate.Gateway.
func (g *Gateway) Query(ctx context.Context, r paygate.Ref) paygate.Payment {
	p := paygate.Payment{MerchantNo: r.MerchantNo}
	var w struct {
		OutTradeNo  string `json:"out_trade_no"`
		TradeNo     string `json:"trade_no"`
		Status      string `json:"trade_status"`
		TotalAmount string `json:"total_amount"`
		PaidAt      string `json:"send_pay_date"`
		BuyerID     string `json:"buyer_user_id"`
		OpenID      string `json:"buyer_open_id"`
	}
	o, err := g.ask(ctx, "alipay.trade.query", name(r.MerchantNo, r.TxnID), &w, "")
	switch {
	case err != nil:
		p.Why = err
		return p
	case o.Code == codeRefused && o.SubCode == "ACQ.TRADE_NOT_EXIST":
		p.State = paygate.PaymentAbsent
		return p
	case o.Code != codeOK:
		p.Why = o.unclear()
		return p
	case w.OutTradeNo != r.MerchantNo || r.TxnID != "" && w.TradeNo != r.TxnID:
		p.Why = fault.New(fault.Unavailable, "paygate.answer_mismatch")
		return p
	}
	p.Account, p.ProviderState = g.seller, w.Status // a query is answered to the account that asks
	switch {
	case w.Status == "WAIT_BUYER_PAY":
		p.State = paygate.PaymentUnpaid
		return p
	case w.Status == "TRADE_CLOSED" && w.PaidAt == "":
		p.State = paygate.PaymentClosed
		return p
	case w.Status == "TRADE_SUCCESS", w.Status == "TRADE_FINISHED", w.Status == "TRADE_CLOSED": // the last, paid once, is refunded whole
	default:
		p.Why = paygate.Unclear(w.Status)
		return p
	}
	at, err := readStamp(w.PaidAt)
	amount, bad := readYuan(w.TotalAmount)
	who := payerOf(w.BuyerID, w.OpenID)
	if err = errors.Join(err, bad); err != nil || amount.Minor <= 0 || !paygate.ValidID(w.TradeNo) || who != "" && !payerForm(who) {
		p.Why = fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
		return p
	}
	p.State, p.TxnID, p.Amount, p.PaidAt, p.PayerID = paygate.PaymentPaid, w.TradeNo, amount, at, who
	return p
}

func payerOf(user, open string) string {
	if user != "" {
		return user
	}
	return open
}

func payerForm(s string) bool { return len(s) <= 128 && paygate.Plain(s) }

// Close implements paygate.Gateway. Where Alipay doesn't say plainly why a charge can't be
// closed, its state is asked for.
func (g *Gateway) Close(ctx context.Context, r paygate.Ref) paygate.Closing {
	var w named
	o, err := g.ask(ctx, "alipay.trade.close", named{OutTradeNo: r.MerchantNo}, &w, "")
	switch {
	case err != nil:
		return paygate.Closing{Why: err}
	case o.Code == codeOK && w.OutTradeNo == r.MerchantNo:
		return paygate.Closing{State: paygate.CloseDone}
	case o.Code == codeOK:
		return paygate.Closing{Why: fault.New(fault.Unavailable, "paygate.answer_mismatch")}
	case o.Code == codeRefused && o.SubCode == "ACQ.TRADE_NOT_EXIST":
		return paygate.Closing{State: paygate.CloseAbsent}
	case o.Code != codeRefused || o.SubCode == "ACQ.SYSTEM_ERROR":
		return paygate.Closing{Why: o.unclear()}
	}
	switch p := g.Query(ctx, r); p.State {
	case paygate.PaymentPaid:
		return paygate.Closing{State: paygate.ClosePaid}
	case paygate.PaymentClosed:
		return paygate.Closing{State: paygate.CloseDone}
	}
	return paygate.Closing{Why: o.unclear()}
}

// SelfTest implements paygate.Gateway: Alipay must believe our signature and answer, with one
// of its own that we believe, that there is no trade with a number nobody gave.
func (g *Gateway) SelfTest(ctx context.Context) error {
	switch p := g.Query(ctx, paygate.Ref{MerchantNo: "probe_" + rand.Text()}); {
	case p.Why != nil:
		return p.Why
	case p.State != paygate.PaymentAbsent:
		return paygate.Unclear(p.ProviderState)
	}
	return nil
}
