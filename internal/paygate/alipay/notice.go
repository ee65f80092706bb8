package alipay

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

// ParseNotice implements paygate.Gateway. A notice carries no time that is checked: Alipay
// repeats the very same one for 25 hours, and its id makes it one event.
func (g *Gateway) ParseNotice(_ paygate.Header, body []byte) (paygate.Notice, error) {
	if len(body) > paygate.MaxNotice {
		return paygate.Notice{}, fault.New(fault.TooLarge, "paygate.notice_too_large", "limit", strconv.Itoa(paygate.MaxNotice))
	}
	form, ok := flat(body)
	if !ok {
		return paygate.Notice{}, errWrong
	}
	if err := g.check(content(form, "sign", "sign_type", "alipay_cert_sn"), form["sign"]); err != nil {
		return paygate.Notice{}, err
	}
	n, err := g.readNotice(form)
	if err != nil {
		return paygate.Notice{}, fault.Wrap(err, fault.Invalid, "paygate.notice_malformed")
	}
	return n, nil
}

// readNotice turns signed parameters into a notice. Amount and account are taken as they come:
// whoever compares them with the intent must see what Alipay really said (P4).
func (g *Gateway) readNotice(form map[string]string) (paygate.Notice, error) {
	if !paygate.ValidID(form["notify_id"]) {
		return paygate.Notice{}, errors.New("notify_id is malformed")
	}
	n := paygate.Notice{EventID: form["notify_id"], Kind: paygate.NoticeOther, ProviderState: form["trade_status"]}
	if form["notify_type"] != "trade_status_sync" {
		return n, nil
	}
	if !paygate.ValidNo(form["out_trade_no"]) || form["seller_id"] == "" || form["app_id"] == "" {
		return paygate.Notice{}, errors.New("out_trade_no, seller_id or app_id is malformed")
	}
	n.MerchantNo, n.TxnID, n.Account, n.PayerID = form["out_trade_no"], form["trade_no"], g.account(form["seller_id"], form["app_id"]), payerOf(form["buyer_id"], form["buyer_open_id"])
	var err error
	if n.Amount, err = readYuan(form["total_amount"]); err != nil || n.Amount.Minor < 0 {
		return paygate.Notice{}, errors.New("total_amount is malformed")
	}
	if n.PayerID != "" && !payerForm(n.PayerID) {
		return paygate.Notice{}, errors.New("buyer_id is malformed")
	}
	stamp := "gmt_payment"
	switch status, refunded := form["trade_status"], form["refund_fee"] != "" || form["gmt_refund"] != ""; {
	case refunded: // it tells of a refund, whatever the state: not of a second payment
		n.Kind, stamp, n.PayerID = paygate.NoticeRefund, "gmt_refund", ""
		n.Refund = paygate.RefundNews{RefundNo: form["out_biz_no"], State: paygate.RefundDone}
		n.Refund.Total, err = readYuan(form["refund_fee"])
		if err != nil || n.Refund.Total.Minor <= 0 || n.Refund.Total.Minor > n.Amount.Minor || !paygate.ValidNo(n.Refund.RefundNo) {
			return paygate.Notice{}, errors.New("refund_fee or out_biz_no is malformed")
		}
	case status == "TRADE_SUCCESS" || status == "TRADE_FINISHED":
		n.Kind = paygate.NoticePaid
	case status == "TRADE_CLOSED":
		n.Kind, stamp = paygate.NoticeClosed, "gmt_close"
	default: // P7: a state that isn't named as a success is none, whatever it is called.
		n.Kind, stamp = paygate.NoticeUnpaid, ""
	}
	if n.Kind == paygate.NoticePaid || n.Kind == paygate.NoticeRefund {
		if n.Amount.Minor <= 0 || !paygate.ValidID(n.TxnID) {
			return paygate.Notice{}, errors.New("total_amount or trade_no is malformed")
		}
	}
	if stamp != "" {
		text, _, _ := strings.Cut(form[stamp], ".") // refunds are told to the millisecond
		var at time.Time
		if at, err = readStamp(text); err != nil && n.Kind == paygate.NoticePaid {
			return paygate.Notice{}, errors.New(stamp + " is not a time")
		}
		if err == nil {
			n.OccurredAt = at
		}
	}
	return n, nil
}
