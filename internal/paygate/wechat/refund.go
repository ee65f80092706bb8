package wechat

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// refundCall is the body of a request for a refund.
type refundCall struct {
	TransactionID string       `json:"transaction_id,omitempty"`
	OutTradeNo    string       `json:"out_trade_no,omitempty"`
	OutRefundNo   string       `json:"out_refund_no"`
	Reason        string       `json:"reason,omitempty"`
	NotifyURL     string       `json:"notify_url,omitempty"`
	Amount        refundAmount `json:"amount"`
}

type refundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

// refunded is a refund as an answer tells it.
type refunded struct {
	RefundID    string       `json:"refund_id"`
	OutRefundNo string       `json:"out_refund_no"`
	OutTradeNo  string       `json:"out_trade_no"`
	Status      string       `json:"status"`
	SuccessTime string       `json:"success_time"`
	Amount      refundAmount `json:"amount"`
}

// maxReason is in bytes (退款申请: reason).
const maxReason = 80

// Refund implements paygate.Gateway.
func (g *Gateway) Refund(ctx context.Context, r paygate.RefundRequest) paygate.RefundResult {
	if !paygate.ValidNo(r.RefundNo) || r.Amount.Minor <= 0 || r.Captured.Minor < r.Amount.Minor || r.Amount.Currency != money.CNY || r.Captured.Currency != money.CNY {
		return paygate.RefundResult{RefundNo: r.RefundNo, State: paygate.RefundRefused, Why: fault.New(fault.Invalid, "paygate.refund_malformed")}
	}
	c := refundCall{TransactionID: r.TxnID, OutRefundNo: r.RefundNo, Reason: r.Reason, NotifyURL: r.NotifyURL,
		Amount: refundAmount{Refund: r.Amount.Minor, Total: r.Captured.Minor, Currency: string(r.Amount.Currency)}}
	if r.TxnID == "" {
		c.OutTradeNo = r.MerchantNo
	}
	if len(c.Reason) > maxReason {
		c.Reason = strings.ToValidUTF8(c.Reason[:maxReason-3], "") + "…"
	}
	a, err := g.ask(ctx, http.MethodPost, "/v3/refund/domestic/refunds", c)
	if err != nil {
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: err}
	}
	if !a.ok() {
		return refusedRefund(a, r.RefundNo)
	}
	return readRefund(a, r.Ref(), r.Amount)
}

// refusedRefund reads an answer that says no. Only what WeChat Pay documents as a refusal is
// one: anything else may have been taken.
func refusedRefund(a reply, no string) paygate.RefundResult {
	e := a.refusal()
	res := paygate.RefundResult{RefundNo: no, ProviderState: e.Code}
	refused := func(kind fault.Kind, code string) paygate.RefundResult {
		res.State, res.Why = paygate.RefundRefused, fault.New(kind, code, "code", paygate.Clip(e.Code), "message", paygate.Clip(e.Message))
		return res
	}
	switch e.Code {
	case "NOT_ENOUGH":
		return refused(fault.Conflict, "paygate.refund_no_funds")
	case "RESOURCE_NOT_EXISTS", "ORDER_NOT_EXIST":
		return refused(fault.Conflict, "paygate.refund_no_payment")
	case "PARAM_ERROR":
		return refused(fault.Invalid, "paygate.refund_malformed")
	case "INVALID_REQUEST", "USER_ACCOUNT_ABNORMAL", "TRADE_OVERDUE", "REFUND_FEE_MISMATCH", "NO_AUTH", "MCH_NOT_EXISTS":
		return refused(fault.Conflict, "paygate.refund_rejected")
	}
	res.ProviderState, res.Why = "", paygate.Unclear(e.Code)
	return res
}

// QueryRefund implements paygate.Gateway.
func (g *Gateway) QueryRefund(ctx context.Context, r paygate.RefundRef) paygate.RefundResult {
	a, err := g.ask(ctx, http.MethodGet, "/v3/refund/domestic/refunds/"+url.PathEscape(r.RefundNo), nil)
	switch {
	case err != nil:
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: err}
	case absent(a):
		return paygate.RefundResult{RefundNo: r.RefundNo, State: paygate.RefundAbsent}
	case !a.ok():
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: paygate.Unclear(a.refusal().Code)}
	}
	return readRefund(a, r, money.Amount{})
}

// readRefund reads a success; wanted is the amount asked for, zero when none was.
func readRefund(a reply, ref paygate.RefundRef, wanted money.Amount) paygate.RefundResult {
	none := func(err error) paygate.RefundResult { return paygate.RefundResult{RefundNo: ref.RefundNo, Why: err} }
	var w refunded
	if err := a.read(&w); err != nil {
		return none(err)
	}
	if w.OutRefundNo != ref.RefundNo || w.OutTradeNo != ref.MerchantNo || w.Amount.Refund <= 0 || !wanted.IsZero() && w.Amount.Refund != wanted.Minor ||
		w.Amount.Currency != "" && w.Amount.Currency != string(money.CNY) {
		return none(fault.New(fault.Unavailable, "paygate.answer_mismatch"))
	}
	res := paygate.RefundResult{State: refundState(w.Status), RefundNo: ref.RefundNo, RefundID: w.RefundID, ProviderState: w.Status, Amount: money.Of(w.Amount.Refund, money.CNY)}
	switch res.State {
	case paygate.RefundUnknown:
		res.Why = paygate.Unclear(w.Status)
	case paygate.RefundFailed:
		res.Why = fault.New(fault.Conflict, "paygate.refund_failed")
	case paygate.RefundDone:
		at, err := time.Parse(time.RFC3339, w.SuccessTime)
		if err != nil {
			return none(fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed"))
		}
		res.DoneAt = at.UTC()
	}
	return res
}

// refundState reads a status. A refund that is ABNORMAL couldn't reach the payer's account and
// stays with the merchant until a person sends it elsewhere.
func refundState(s string) paygate.RefundState {
	switch s {
	case "SUCCESS":
		return paygate.RefundDone
	case "PROCESSING":
		return paygate.RefundPending
	case "CLOSED", "ABNORMAL":
		return paygate.RefundFailed
	}
	return paygate.RefundUnknown
}
