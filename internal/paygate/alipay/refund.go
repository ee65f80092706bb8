package alipay

import (
	"context"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// refundCall is what a refund is asked for with.
type refundCall struct {
	named
	Amount    string `json:"refund_amount"`
	RequestNo string `json:"out_request_no"`
	Reason    string `json:"refund_reason,omitempty"`
}

// Refund implements paygate.Gateway. A success of the call says that Alipay took it, not always
// that it did anything now (fund_change); what became of it is what the query says.
func (g *Gateway) Refund(ctx context.Context, r paygate.RefundRequest) paygate.RefundResult {
	if !paygate.ValidNo(r.RefundNo) || r.Amount.Minor <= 0 || r.Captured.Minor < r.Amount.Minor || r.Amount.Currency != money.CNY || r.Captured.Currency != money.CNY {
		return paygate.RefundResult{RefundNo: r.RefundNo, State: paygate.RefundRefused, Why: fault.New(fault.Invalid, "paygate.refund_malformed")}
	}
	var w struct {
		named
		FundChange string `json:"fund_change"`
	}
	o, err := g.ask(ctx, "alipay.trade.refund", refundCall{name(r.MerchantNo, r.TxnID), yuan(r.Amount), r.RefundNo, paygate.Clip(r.Reason)}, &w, r.NotifyURL)
	if err != nil {
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: err}
	}
	if o.Code != codeOK {
		return refused(o, r.RefundNo)
	}
	if w.OutTradeNo != r.MerchantNo {
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: fault.New(fault.Unavailable, "paygate.answer_mismatch")}
	}
	res := g.QueryRefund(ctx, r.Ref())
	switch {
	case res.State == paygate.RefundAbsent:
		return paygate.RefundResult{RefundNo: r.RefundNo, State: paygate.RefundPending, ProviderState: "fund_change " + paygate.Clip(w.FundChange), Amount: r.Amount}
	case res.State == paygate.RefundDone && res.Amount != r.Amount:
		return paygate.RefundResult{RefundNo: r.RefundNo, Why: fault.New(fault.Unavailable, "paygate.answer_mismatch")}
	}
	return res
}

// refused reads an answer that says no. Only what Alipay documents as a refusal is one:
// anything else may have been taken.
func refused(o outcome, no string) paygate.RefundResult {
	res := paygate.RefundResult{RefundNo: no, State: paygate.RefundRefused, ProviderState: paygate.Clip(o.SubCode)}
	why := func(kind fault.Kind, code string) paygate.RefundResult {
		res.Why = fault.New(kind, code, "code", paygate.Clip(o.SubCode), "message", paygate.Clip(o.Message))
		return res
	}
	if o.Code == codeRefused {
		switch o.SubCode {
		case "ACQ.SELLER_BALANCE_NOT_ENOUGH":
			return why(fault.Conflict, "paygate.refund_no_funds")
		case "ACQ.TRADE_NOT_EXIST":
			return why(fault.Conflict, "paygate.refund_no_payment")
		case "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "ACQ.REASON_TRADE_REFUND_FEE_ERR":
			return why(fault.Conflict, "paygate.refund_too_much")
		case "ACQ.DISCORDANT_REPEAT_REQUEST":
			return why(fault.Conflict, "paygate.refund_no_used")
		case "ACQ.INVALID_PARAMETER":
			return why(fault.Invalid, "paygate.refund_malformed")
		case "ACQ.TRADE_HAS_FINISHED", "ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.TRADE_NOT_ALLOW_REFUND", "ACQ.BUYER_NOT_EXIST", "ACQ.ENTERPRISE_PAY_BIZ_ERROR",
			"ACQ.USER_NOT_MATCH_ERR", "ACQ.BUYER_ERROR":
			return why(fault.Conflict, "paygate.refund_rejected")
		}
	}
	return paygate.RefundResult{RefundNo: no, Why: o.unclear()}
}

// QueryRefund implements paygate.Gateway. An answer without a status is documented as "not
// received, or failed": sending the same request again settles which.
func (g *Gateway) QueryRefund(ctx context.Context, r paygate.RefundRef) paygate.RefundResult {
	res := paygate.RefundResult{RefundNo: r.RefundNo}
	var w struct {
		OutTradeNo string `json:"out_trade_no"`
		RequestNo  string `json:"out_request_no"`
		Status     string `json:"refund_status"`
		Amount     string `json:"refund_amount"`
		PaidAt     string `json:"gmt_refund_pay"`
	}
	o, err := g.ask(ctx, "alipay.trade.fastpay.refund.query", struct {
		named
		RequestNo string   `json:"out_request_no"`
		Options   []string `json:"query_options"`
	}{name(r.MerchantNo, r.TxnID), r.RefundNo, []string{"gmt_refund_pay"}}, &w, "")
	switch {
	case err != nil:
		res.Why = err
		return res
	case o.Code == codeRefused && o.SubCode == "ACQ.TRADE_NOT_EXIST", o.Code == codeOK && w.Status == "" && w.Amount == "" && (w.RequestNo == "" || w.RequestNo == r.RefundNo):
		res.State = paygate.RefundAbsent
		return res
	case o.Code != codeOK:
		res.Why = o.unclear()
		return res
	case w.RequestNo != r.RefundNo || w.OutTradeNo != r.MerchantNo:
		res.Why = fault.New(fault.Unavailable, "paygate.answer_mismatch")
		return res
	case w.Status != "REFUND_SUCCESS":
		res.Why = paygate.Unclear(w.Status)
		return res
	}
	amount, err := readYuan(w.Amount)
	at, bad := readStamp(w.PaidAt)
	if err != nil || bad != nil || amount.Minor <= 0 {
		res.Why = fault.Wrap(err, fault.Unavailable, "paygate.answer_malformed")
		return res
	}
	res.State, res.ProviderState, res.Amount, res.DoneAt = paygate.RefundDone, w.Status, amount, at
	return res
}
