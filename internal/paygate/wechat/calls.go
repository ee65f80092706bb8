package wechat

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// reply is an answer of WeChat Pay's.
type reply struct{ wire.Answer }

// refusal is the body of an answer that isn't a success.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r reply) refusal() refusal {
	var e refusal
	if json.Unmarshal(r.Body, &e) != nil || e.Code == "" {
		e.Code = "HTTP " + strconv.Itoa(r.Status)
	}
	return e
}

func (r reply) ok() bool { return r.Status >= 200 && r.Status < 300 }

// read takes the body of a success.
func (r reply) read(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
	}
	return nil
}

// send makes a signed call and gives the answer unverified.
func (g *Gateway) send(ctx context.Context, method, target string, body []byte) (reply, error) {
	req, err := g.request(method, target, body)
	if err != nil {
		return reply{}, err
	}
	a, err := g.client.Do(ctx, req, wire.DefaultLimit)
	if err != nil {
		return reply{}, err
	}
	// It may be anybody who says so; for an operator it is the likeliest cause.
	if a.Status == http.StatusUnauthorized {
		return reply{}, fault.New(fault.Unavailable, "paygate.answer_rejected")
	}
	return reply{a}, nil
}

func (g *Gateway) request(method, target string, body []byte) (*http.Request, error) {
	req, err := http.NewRequest(method, g.base+target, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "internal")
	}
	auth, err := g.authorize(method, target, string(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", auth)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "hufu")
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if g.publicKeyID != "" { // asks for answers signed with it
		req.Header.Set("Wechatpay-Serial", g.publicKeyID)
	}
	return req, nil
}

// ask makes a call and gives the verified answer, whatever its status. One that can't be
// verified is worth nothing.
func (g *Gateway) ask(ctx context.Context, method, target string, in any) (reply, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return reply{}, fault.Wrap(err, fault.Internal, "internal")
		}
	}
	a, err := g.send(ctx, method, target, body)
	if err != nil {
		return reply{}, err
	}
	err = g.verify(a.Header, a.Body)
	var unknown *unknownKey
	if errors.As(err, &unknown) {
		if err := g.learn(ctx, unknown.id); err != nil {
			return reply{}, err
		}
		err = g.verify(a.Header, a.Body)
	}
	if err != nil {
		return reply{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_unsigned")
	}
	return a, nil
}

// amount is money on the wire, in fen.
type amount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

// prepay is the body of the calls that make a charge.
type prepay struct {
	AppID       string `json:"appid"`
	MerchantID  string `json:"mchid"`
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	TimeExpire  string `json:"time_expire"`
	NotifyURL   string `json:"notify_url"`
	Amount      amount `json:"amount"`
	Payer       *payer `json:"payer,omitempty"`
	Scene       *scene `json:"scene_info,omitempty"`
}

type payer struct {
	OpenID string `json:"openid"`
}

type scene struct {
	ClientIP string   `json:"payer_client_ip"`
	H5       *h5Scene `json:"h5_info,omitempty"`
}

type h5Scene struct {
	Type string `json:"type"`
}

// maxDescription is in characters (统一下单: description).
const maxDescription = 127

// Cashier implements paygate.Gateway: native for a desk, h5 for a phone's browser, jsapi inside
// WeChat. It fails with paygate.charge_other_way when the charge was begun in another of them,
// since a number can't change over.
func (g *Gateway) Cashier(ctx context.Context, c paygate.Charge) (paygate.Cashier, error) {
	if err := c.Check(); err != nil {
		return paygate.Cashier{}, err
	}
	if c.Amount.Currency != money.CNY {
		return paygate.Cashier{}, paygate.Malformed("amount")
	}
	p := prepay{AppID: g.appID, MerchantID: g.merchant, Description: c.Subject, OutTradeNo: c.MerchantNo, NotifyURL: c.NotifyURL,
		TimeExpire: c.ExpiresAt.In(paygate.Zone).Format(time.RFC3339), Amount: amount{c.Amount.Minor, string(c.Amount.Currency)}}
	if utf8.RuneCountInString(p.Description) > maxDescription {
		p.Description = string([]rune(p.Description)[:maxDescription-1]) + "…"
	}
	if c.ClientIP != "" {
		p.Scene = &scene{ClientIP: c.ClientIP}
	}
	product := "native"
	switch c.Device {
	case paygate.Desktop:
	case paygate.InApp:
		if product = "jsapi"; c.PayerID == "" {
			return paygate.Cashier{}, paygate.Malformed("payer_id")
		}
		p.Payer = &payer{c.PayerID}
	default:
		if product = "h5"; p.Scene == nil {
			return paygate.Cashier{}, paygate.Malformed("client_ip")
		}
		p.Scene.H5 = &h5Scene{"Wap"}
	}
	a, err := g.ask(ctx, http.MethodPost, "/v3/pay/transactions/"+product, p)
	if err != nil {
		return paygate.Cashier{}, err
	}
	if !a.ok() {
		return paygate.Cashier{}, refusedCharge(a)
	}
	var w struct {
		CodeURL  string `json:"code_url"`
		H5URL    string `json:"h5_url"`
		PrepayID string `json:"prepay_id"`
	}
	if err := a.read(&w); err != nil {
		return paygate.Cashier{}, err
	}
	switch {
	case product == "native" && w.CodeURL != "":
		return paygate.Cashier{QRText: w.CodeURL}, nil
	case product == "h5" && w.H5URL != "":
		u, err := url.Parse(w.H5URL)
		if err != nil {
			break
		}
		q := u.Query()
		q.Set("redirect_url", c.ReturnURL)
		u.RawQuery = q.Encode()
		return paygate.Cashier{RedirectURL: u.String()}, nil
	case product == "jsapi" && w.PrepayID != "":
		invoke, err := g.invoke(w.PrepayID)
		return paygate.Cashier{Invoke: invoke}, err
	}
	return paygate.Cashier{}, fault.New(fault.Unavailable, "paygate.answer_malformed")
}

func refusedCharge(a reply) error {
	e := a.refusal()
	switch {
	case e.Code == "OUT_TRADE_NO_USED", e.Code == "INVALID_REQUEST" && strings.Contains(e.Message, "订单号重复"):
		return fault.New(fault.Conflict, "paygate.charge_other_way")
	case e.Code == "ORDERPAID", e.Code == "ORDER_PAID":
		return fault.New(fault.Conflict, "paygate.charge_paid")
	case e.Code == "ORDER_CLOSED":
		return fault.New(fault.Conflict, "paygate.charge_closed")
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		return paygate.Unclear(e.Code)
	}
	return fault.New(fault.Unavailable, "paygate.charge_refused", "code", paygate.Clip(e.Code), "message", paygate.Clip(e.Message))
}

// invoke is what WeixinJSBridge's getBrandWCPayRequest is called with.
func (g *Gateway) invoke(prepayID string) (map[string]string, error) {
	nonce, unix, pack := rand.Text(), strconv.FormatInt(g.clock.Now().Unix(), 10), "prepay_id="+prepayID
	sig, err := g.sign(g.appID, unix, nonce, pack)
	if err != nil {
		return nil, err
	}
	return map[string]string{"appId": g.appID, "timeStamp": unix, "nonceStr": nonce, "package": pack, "signType": "RSA", "paySign": sig}, nil
}

// transaction is a charge as WeChat Pay tells it, in answers and notices.
type transaction struct {
	AppID         string `json:"appid"`
	MerchantID    string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	TradeState    string `json:"trade_state"`
	SuccessTime   string `json:"success_time"`
	Payer         payer  `json:"payer"`
	Amount        amount `json:"amount"`
}

// state is what a trade_state says. REFUND is a payment that was refunded, at least in part.
func (t transaction) state() paygate.PaymentState {
	switch t.TradeState {
	case "SUCCESS", "REFUND":
		return paygate.PaymentPaid
	case "NOTPAY", "USERPAYING", "PAYERROR", "ACCEPT":
		return paygate.PaymentUnpaid
	case "CLOSED", "REVOKED":
		return paygate.PaymentClosed
	}
	return paygate.PaymentUnknown
}

// paid checks what a payment must have.
func (t transaction) paid() (time.Time, error) {
	at, err := time.Parse(time.RFC3339, t.SuccessTime)
	switch {
	case err != nil:
		return at, errors.New("success_time is not a time")
	case !paygate.ValidID(t.TransactionID):
		return at, errors.New("transaction_id is malformed")
	case t.Amount.Total <= 0 || !paygate.IsCurrency(t.Amount.Currency):
		return at, errors.New("amount is malformed")
	case t.Payer.OpenID != "" && !openID(t.Payer.OpenID):
		return at, errors.New("payer is malformed")
	}
	return at.UTC(), nil
}

func openID(s string) bool { return len(s) <= 128 && paygate.Plain(s) }

func (a amount) money() money.Amount { return money.Of(a.Total, money.Currency(a.Currency)) }

// Query implements paygate.Gateway.
func (g *Gateway) Query(ctx context.Context, r paygate.Ref) paygate.Payment {
	p := paygate.Payment{MerchantNo: r.MerchantNo}
	target := "out-trade-no/" + url.PathEscape(r.MerchantNo)
	if r.TxnID != "" {
		target = "id/" + url.PathEscape(r.TxnID)
	}
	a, err := g.ask(ctx, http.MethodGet, "/v3/pay/transactions/"+target+"?mchid="+g.merchant, nil)
	switch {
	case err != nil:
		p.Why = err
		return p
	case absent(a):
		p.State = paygate.PaymentAbsent
		return p
	case !a.ok():
		p.Why = paygate.Unclear(a.refusal().Code)
		return p
	}
	var t transaction
	if p.Why = a.read(&t); p.Why != nil {
		return p
	}
	if t.MerchantID != g.merchant || t.OutTradeNo != r.MerchantNo || r.TxnID != "" && t.TransactionID != r.TxnID {
		p.Why = fault.New(fault.Unavailable, "paygate.answer_mismatch")
		return p
	}
	p.Account, p.ProviderState = g.account(t.MerchantID, t.AppID), t.TradeState
	switch t.state() {
	case paygate.PaymentUnknown:
		p.Why = paygate.Unclear(t.TradeState)
	case paygate.PaymentPaid:
		at, err := t.paid()
		if err != nil {
			p.Why = fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
			return p
		}
		p.State, p.TxnID, p.PaidAt, p.Amount, p.PayerID = paygate.PaymentPaid, t.TransactionID, at, t.Amount.money(), t.Payer.OpenID
	default:
		p.State = t.state()
	}
	return p
}

// absent tells whether an answer says that there is no such thing.
func absent(a reply) bool {
	if a.Status != http.StatusNotFound {
		return false
	}
	switch a.refusal().Code {
	case "ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS", "REFUND_NOT_EXIST":
		return true
	}
	return false
}

// Close implements paygate.Gateway. Where WeChat Pay doesn't say plainly why a charge can't be
// closed, its state is asked for.
func (g *Gateway) Close(ctx context.Context, r paygate.Ref) paygate.Closing {
	a, err := g.ask(ctx, http.MethodPost, "/v3/pay/transactions/out-trade-no/"+url.PathEscape(r.MerchantNo)+"/close", map[string]string{"mchid": g.merchant})
	switch {
	case err != nil:
		return paygate.Closing{Why: err}
	case a.Status == http.StatusNoContent:
		return paygate.Closing{State: paygate.CloseDone}
	case absent(a):
		return paygate.Closing{State: paygate.CloseAbsent}
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		return paygate.Closing{Why: paygate.Unclear(a.refusal().Code)}
	}
	switch p := g.Query(ctx, r); p.State {
	case paygate.PaymentPaid:
		return paygate.Closing{State: paygate.ClosePaid}
	case paygate.PaymentClosed:
		return paygate.Closing{State: paygate.CloseDone}
	case paygate.PaymentAbsent:
		return paygate.Closing{State: paygate.CloseAbsent}
	}
	return paygate.Closing{Why: paygate.Unclear(a.refusal().Code)}
}

// SelfTest implements paygate.Gateway: WeChat Pay must believe our signature and answer, with
// one of its own that we believe, that there is no order with a number nobody gave. Where
// platform certificates are in use, or can be had, they must open with the APIv3 key.
func (g *Gateway) SelfTest(ctx context.Context) error {
	if err := g.checkAPIKey(); err != nil {
		return err
	}
	switch p := g.Query(ctx, paygate.Ref{MerchantNo: "probe_" + rand.Text()}); {
	case p.Why != nil:
		return p.Why
	case p.State != paygate.PaymentAbsent:
		return paygate.Unclear(p.ProviderState)
	}
	err := g.fetchCertificates(ctx)
	if g.publicKeyID != "" && fault.CodeOf(err) == "paygate.key_unknown" {
		return nil // a merchant with a public key may have no certificates at all
	}
	return err
}
