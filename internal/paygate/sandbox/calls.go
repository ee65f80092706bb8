package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"hufu/internal/fault"
	"hufu/internal/paygate"
	"hufu/internal/paygate/wire"
)

// call is the body of every request; a call fills what it needs.
type call struct {
	MerchantID  string `json:"merchant_id"`
	AppID       string `json:"app_id"`
	Nonce       string `json:"nonce"`
	OutTradeNo  string `json:"out_trade_no,omitempty"`
	Transaction string `json:"transaction_id,omitempty"`
	RefundNo    string `json:"refund_no,omitempty"`
	Amount      int64  `json:"amount,omitempty"`
	Currency    string `json:"currency,omitempty"`
	Reason      string `json:"reason,omitempty"`
	NotifyURL   string `json:"notify_url,omitempty"`
	Day         string `json:"day,omitempty"`
}

// answer is the body of every answer.
type answer struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	MerchantID  string `json:"merchant_id"`
	AppID       string `json:"app_id"`
	Nonce       string `json:"nonce"`
	OutTradeNo  string `json:"out_trade_no"`
	Transaction string `json:"transaction_id"`
	State       string `json:"state"`
	Amount      int64  `json:"amount"`
	Currency    string `json:"currency"`
	PaidAt      string `json:"paid_at"`
	PayerID     string `json:"payer_id"`
	Refunded    int64  `json:"refunded"`
	RefundNo    string `json:"refund_no"`
	RefundID    string `json:"refund_id"`
	DoneAt      string `json:"done_at"`
}

// post sends a signed call and gives the verified bytes of an answer with status 200. An
// answer that can't be verified is worth nothing, whatever its status says.
func (g *Gateway) post(ctx context.Context, path string, c call, limit int64) (wire.Answer, error) {
	c.MerchantID, c.AppID = g.merchant, g.appID
	if c.Nonce == "" {
		c.Nonce = rand.Text()
	}
	body, err := json.Marshal(c)
	if err != nil {
		return wire.Answer{}, fault.Wrap(err, fault.Internal, "internal")
	}
	req, err := http.NewRequest(http.MethodPost, g.base+path, bytes.NewReader(body))
	if err != nil {
		return wire.Answer{}, fault.Wrap(err, fault.Internal, "internal")
	}
	// What is signed is the path the gateway documents, so a proxy in front may add a prefix.
	header, signature := g.sign("POST "+path, body)
	req.Header.Set(signatureHeader, header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hufu")
	a, err := g.client.Do(ctx, req, limit)
	if err != nil {
		return wire.Answer{}, err
	}
	// It may be anybody who says so; for an operator it is the likeliest cause.
	if a.Status == http.StatusUnauthorized {
		return wire.Answer{}, fault.New(fault.Unavailable, "paygate.answer_rejected")
	}
	// A signed status other than 200 is still no answer to the question.
	if a.Status != http.StatusOK {
		return wire.Answer{}, fault.New(fault.Unavailable, "paygate.answer_status", "status", strconv.Itoa(a.Status))
	}
	if err := g.verify(a.Header, "RESPONSE 200 "+signature, a.Body); err != nil {
		return wire.Answer{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_unsigned")
	}
	return a, nil
}

// ask is post for calls answered in JSON. It refuses an answer for another account.
func (g *Gateway) ask(ctx context.Context, path string, c call) (answer, error) {
	a, err := g.post(ctx, path, c, wire.DefaultLimit)
	if err != nil {
		return answer{}, err
	}
	var w answer
	if err := json.Unmarshal(a.Body, &w); err != nil {
		return answer{}, fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
	}
	if w.MerchantID != g.merchant || w.AppID != g.appID || w.OutTradeNo != c.OutTradeNo || w.RefundNo != c.RefundNo ||
		(c.Transaction != "" && w.Transaction != "" && w.Transaction != c.Transaction) {
		return answer{}, fault.New(fault.Unavailable, "paygate.answer_mismatch")
	}
	return w, nil
}

// Query implements paygate.Gateway.
func (g *Gateway) Query(ctx context.Context, r paygate.Ref) paygate.Payment {
	p := paygate.Payment{MerchantNo: r.MerchantNo}
	w, err := g.ask(ctx, "/v1/query", call{OutTradeNo: r.MerchantNo, Transaction: r.TxnID})
	switch {
	case err != nil:
		p.Why = err
		return p
	case w.Code == "NOT_FOUND":
		p.State = paygate.PaymentAbsent
		return p
	case w.Code != "OK":
		p.Why = paygate.Unclear(w.Code)
		return p
	}
	p.Account, p.ProviderState = account(w.MerchantID, w.AppID), w.State
	switch w.State {
	case "PAID":
		at, err := time.Parse(time.RFC3339Nano, w.PaidAt)
		if err != nil || !paygate.ValidID(w.Transaction) || w.Amount <= 0 || !paygate.IsCurrency(w.Currency) || w.Refunded < 0 || (w.PayerID != "" && !paygate.ValidID(w.PayerID)) {
			p.Why = fault.New(fault.Unavailable, "paygate.answer_malformed")
			return p
		}
		p.State, p.TxnID, p.PaidAt = paygate.PaymentPaid, w.Transaction, at.UTC()
		p.Amount, p.Refunded, p.PayerID = amount(w.Amount, w.Currency), amount(w.Refunded, w.Currency), w.PayerID
	case "UNPAID", "PAYERROR":
		p.State = paygate.PaymentUnpaid
	case "CLOSED":
		p.State = paygate.PaymentClosed
	default:
		p.Why = paygate.Unclear(w.State)
	}
	return p
}

// Close implements paygate.Gateway. The gateway remembers the number of a charge it has never
// seen, so that its link can't be paid later either.
func (g *Gateway) Close(ctx context.Context, r paygate.Ref) paygate.Closing {
	w, err := g.ask(ctx, "/v1/close", call{OutTradeNo: r.MerchantNo})
	switch {
	case err != nil:
		return paygate.Closing{Why: err}
	case w.Code == "OK" && w.State == "CLOSED":
		return paygate.Closing{State: paygate.CloseDone}
	case w.Code == "ALREADY_PAID":
		return paygate.Closing{State: paygate.ClosePaid}
	case w.Code == "NOT_FOUND":
		return paygate.Closing{State: paygate.CloseAbsent}
	}
	return paygate.Closing{Why: paygate.Unclear(w.Code)}
}

// Refund implements paygate.Gateway.
func (g *Gateway) Refund(ctx context.Context, r paygate.RefundRequest) paygate.RefundResult {
	if !paygate.ValidNo(r.RefundNo) || r.Amount.Minor <= 0 {
		return paygate.RefundResult{State: paygate.RefundRefused, RefundNo: r.RefundNo,
			Why: fault.New(fault.Invalid, "paygate.refund_malformed")}
	}
	return g.refund(ctx, "/v1/refund", call{
		OutTradeNo: r.MerchantNo, Transaction: r.TxnID, RefundNo: r.RefundNo,
		Amount: r.Amount.Minor, Currency: string(r.Amount.Currency), Reason: r.Reason, NotifyURL: r.NotifyURL,
	})
}

// QueryRefund implements paygate.Gateway.
func (g *Gateway) QueryRefund(ctx context.Context, r paygate.RefundRef) paygate.RefundResult {
	return g.refund(ctx, "/v1/refund/query", call{OutTradeNo: r.MerchantNo, RefundNo: r.RefundNo})
}

func (g *Gateway) refund(ctx context.Context, path string, c call) paygate.RefundResult {
	res := paygate.RefundResult{RefundNo: c.RefundNo}
	w, err := g.ask(ctx, path, c)
	if err != nil {
		res.Why = err
		return res
	}
	refused := func(kind fault.Kind, code string) paygate.RefundResult {
		res.State, res.ProviderState, res.Why = paygate.RefundRefused, w.Code, fault.New(kind, code)
		return res
	}
	switch w.Code {
	case "OK":
	case "NOT_FOUND":
		if c.Amount == 0 {
			res.State = paygate.RefundAbsent
			return res
		}
		return refused(fault.Conflict, "paygate.refund_no_payment")
	case "NOT_ENOUGH":
		return refused(fault.Conflict, "paygate.refund_too_much")
	case "REFUND_NO_USED":
		return refused(fault.Conflict, "paygate.refund_no_used")
	case "INVALID":
		return refused(fault.Invalid, "paygate.refund_malformed")
	default:
		res.Why = paygate.Unclear(w.Code)
		return res
	}
	if w.Amount <= 0 || !paygate.IsCurrency(w.Currency) ||
		(c.Amount != 0 && (w.Amount != c.Amount || w.Currency != c.Currency)) {
		res.Why = fault.New(fault.Unavailable, "paygate.answer_mismatch")
		return res
	}
	res.RefundID, res.ProviderState, res.Amount = w.RefundID, w.State, amount(w.Amount, w.Currency)
	switch res.State = refundState(w.State); res.State {
	case paygate.RefundUnknown:
		res.Why = paygate.Unclear(w.State)
	case paygate.RefundFailed:
		res.Why = fault.New(fault.Conflict, "paygate.refund_failed")
	case paygate.RefundDone:
		at, err := time.Parse(time.RFC3339Nano, w.DoneAt)
		if err != nil {
			return paygate.RefundResult{RefundNo: c.RefundNo, Why: fault.New(fault.Unavailable, "paygate.answer_malformed")}
		}
		res.DoneAt = at.UTC()
	}
	return res
}

// SelfTest implements paygate.Gateway: the gateway must accept a signed nonce of ours and send
// it back signed.
func (g *Gateway) SelfTest(ctx context.Context) error {
	for _, s := range g.secrets {
		if err := paygate.CheckSecret(s, MinSecret); err != nil {
			return err
		}
	}
	nonce := rand.Text()
	w, err := g.ask(ctx, "/v1/ping", call{Nonce: nonce})
	if err != nil {
		return err
	}
	if w.Code != "OK" || w.Nonce != nonce {
		return paygate.Unclear(w.Code)
	}
	return nil
}
