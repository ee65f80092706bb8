package wechat

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
	"hufu/internal/paygate"
)

// envelope is a notice's body.
type envelope struct {
	ID        string `json:"id"`
	EventType string `json:"event_type"`
	Resource  sealed `json:"resource"`
}

// refundNews is what the notice of a refund holds.
type refundNews struct {
	MerchantID    string       `json:"mchid"`
	OutTradeNo    string       `json:"out_trade_no"`
	TransactionID string       `json:"transaction_id"`
	OutRefundNo   string       `json:"out_refund_no"`
	RefundID      string       `json:"refund_id"`
	Status        string       `json:"refund_status"`
	SuccessTime   string       `json:"success_time"`
	Amount        refundAmount `json:"amount"`
}

// ParseNotice implements paygate.Gateway. A notice signed with a key that isn't known is refused
// as Unavailable while the key is fetched: it will come again.
func (g *Gateway) ParseNotice(h paygate.Header, body []byte) (paygate.Notice, error) {
	if len(body) > paygate.MaxNotice {
		return paygate.Notice{}, fault.New(fault.TooLarge, "paygate.notice_too_large", "limit", strconv.Itoa(paygate.MaxNotice))
	}
	err := g.verify(h, body)
	var unknown *unknownKey
	if errors.As(err, &unknown) {
		g.learnLater(unknown.id)
		return paygate.Notice{}, fault.Wrap(err, fault.Unavailable, "paygate.key_unknown")
	}
	if err != nil {
		return paygate.Notice{}, err
	}
	n, err := g.readNotice(body)
	if err != nil {
		return paygate.Notice{}, fault.Wrap(err, fault.Invalid, "paygate.notice_malformed")
	}
	return n, nil
}

// readNotice turns signed bytes into a notice. Amount, currency and account are taken as they
// come: whoever compares them with the intent must see what WeChat Pay really said (P4).
func (g *Gateway) readNotice(body []byte) (paygate.Notice, error) {
	var w envelope
	if err := json.Unmarshal(body, &w); err != nil {
		return paygate.Notice{}, err
	}
	if !paygate.ValidID(w.ID) {
		return paygate.Notice{}, errors.New("id is malformed")
	}
	refund := strings.HasPrefix(w.EventType, "REFUND.")
	if !refund && !strings.HasPrefix(w.EventType, "TRANSACTION.") {
		return paygate.Notice{EventID: w.ID, Kind: paygate.NoticeOther, ProviderState: paygate.Clip(w.EventType)}, nil
	}
	plain, err := g.open(w.Resource)
	if err != nil {
		return paygate.Notice{}, err
	}
	if refund {
		return g.readRefundNews(w.ID, plain)
	}
	var t transaction
	if err := json.Unmarshal(plain, &t); err != nil {
		return paygate.Notice{}, err
	}
	if !paygate.ValidNo(t.OutTradeNo) || t.MerchantID == "" {
		return paygate.Notice{}, errors.New("out_trade_no or mchid is malformed")
	}
	n := paygate.Notice{EventID: w.ID, MerchantNo: t.OutTradeNo, TxnID: t.TransactionID, Account: g.account(t.MerchantID, t.AppID),
		ProviderState: t.TradeState, Amount: t.Amount.money(), PayerID: t.Payer.OpenID}
	// P7: a state that isn't named as a success is none, whatever the event is called. A notice
	// of a payment never says REFUND; were it to, the money did arrive, which Query tells.
	if t.TradeState != "SUCCESS" || w.EventType != "TRANSACTION.SUCCESS" {
		if n.Kind = paygate.NoticeUnpaid; t.state() == paygate.PaymentClosed {
			n.Kind = paygate.NoticeClosed
		}
		if t.Amount.Total < 0 || t.Amount.Currency != "" && !paygate.IsCurrency(t.Amount.Currency) {
			return paygate.Notice{}, errors.New("amount is malformed")
		}
		return n, nil
	}
	n.Kind = paygate.NoticePaid
	n.OccurredAt, err = t.paid()
	if err != nil {
		return paygate.Notice{}, err
	}
	return n, nil
}

func (g *Gateway) readRefundNews(event string, plain []byte) (paygate.Notice, error) {
	var r refundNews
	if err := json.Unmarshal(plain, &r); err != nil {
		return paygate.Notice{}, err
	}
	switch {
	case r.MerchantID == "" || !paygate.ValidNo(r.OutTradeNo):
		return paygate.Notice{}, errors.New("mchid or out_trade_no is malformed")
	case !paygate.ValidNo(r.OutRefundNo) || !paygate.ValidID(r.RefundID) || !paygate.ValidID(r.TransactionID):
		return paygate.Notice{}, errors.New("out_refund_no, refund_id or transaction_id is malformed")
	case r.Amount.Refund <= 0 || r.Amount.Total < r.Amount.Refund:
		return paygate.Notice{}, errors.New("amount is malformed")
	}
	n := paygate.Notice{EventID: event, Kind: paygate.NoticeRefund, MerchantNo: r.OutTradeNo, TxnID: r.TransactionID, Account: r.MerchantID, ProviderState: r.Status,
		Amount: money.Of(r.Amount.Total, money.CNY), // 境内 alone: the notice names no currency
		Refund: paygate.RefundNews{RefundNo: r.OutRefundNo, RefundID: r.RefundID, State: refundState(r.Status), Amount: money.Of(r.Amount.Refund, money.CNY)}}
	if n.Refund.State == paygate.RefundDone {
		at, err := time.Parse(time.RFC3339, r.SuccessTime)
		if err != nil {
			return paygate.Notice{}, errors.New("success_time is not a time")
		}
		n.OccurredAt = at.UTC()
	}
	return n, nil
}
