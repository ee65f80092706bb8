package sandbox

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"hufu/internal/fault"
	"hufu/internal/paygate"
)

// notice is a notice's body on the wire.
type notice struct {
	ID           string `json:"id"`
	Type         string `json:"type"`
	MerchantID   string `json:"merchant_id"`
	AppID        string `json:"app_id"`
	OutTradeNo   string `json:"out_trade_no"`
	Transaction  string `json:"transaction_id"`
	State        string `json:"state"`
	Amount       int64  `json:"amount"`
	Currency     string `json:"currency"`
	OccurredAt   string `json:"occurred_at"`
	PayerID      string `json:"payer_id"`
	RefundNo     string `json:"refund_no"`
	RefundID     string `json:"refund_id"`
	RefundState  string `json:"refund_state"`
	RefundAmount int64  `json:"refund_amount"`
	Refunded     int64  `json:"refunded"`
}

// ParseNotice implements paygate.Gateway.
func (g *Gateway) ParseNotice(h paygate.Header, body []byte) (paygate.Notice, error) {
	if len(body) > paygate.MaxNotice {
		return paygate.Notice{}, fault.New(fault.TooLarge, "paygate.notice_too_large", "limit", strconv.Itoa(paygate.MaxNotice))
	}
	if err := g.verify(h, "NOTICE", body); err != nil {
		return paygate.Notice{}, err
	}
	n, err := readNotice(body)
	if err != nil {
		return paygate.Notice{}, fault.Wrap(err, fault.Invalid, "paygate.notice_malformed")
	}
	return n, nil
}

// readNotice turns signed bytes into a notice. Amount, currency and account are taken as they
// come: whoever compares them with the intent must see what the gateway really said (P4).
func readNotice(body []byte) (paygate.Notice, error) {
	var w notice
	if err := json.Unmarshal(body, &w); err != nil {
		return paygate.Notice{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, w.OccurredAt)
	if err != nil {
		return paygate.Notice{}, errors.New("occurred_at is not a time")
	}
	switch {
	case !paygate.ValidID(w.ID):
		return paygate.Notice{}, errors.New("id is malformed")
	case !paygate.ValidNo(w.OutTradeNo):
		return paygate.Notice{}, errors.New("out_trade_no is malformed")
	case !paygate.ValidID(w.MerchantID) || !paygate.ValidID(w.AppID):
		return paygate.Notice{}, errors.New("merchant_id or app_id is malformed")
	case w.PayerID != "" && !paygate.ValidID(w.PayerID):
		return paygate.Notice{}, errors.New("payer_id is malformed")
	}
	n := paygate.Notice{
		EventID: w.ID, Kind: paygate.NoticeOther, MerchantNo: w.OutTradeNo, TxnID: w.Transaction,
		Account: account(w.MerchantID, w.AppID), ProviderState: w.State,
		Amount: amount(w.Amount, w.Currency), OccurredAt: at.UTC(), PayerID: w.PayerID,
	}
	switch w.Type {
	case "trade":
		switch w.State {
		case "PAID":
			n.Kind = paygate.NoticePaid
		case "CLOSED":
			n.Kind = paygate.NoticeClosed
		default: // P7: a state that isn't named as a success is none, whatever it is called.
			n.Kind = paygate.NoticeUnpaid
		}
	case "refund":
		n.Kind = paygate.NoticeRefund
		n.ProviderState = w.RefundState
		n.Refund = paygate.RefundNews{
			RefundNo: w.RefundNo, RefundID: w.RefundID, State: refundState(w.RefundState),
			Amount: amount(w.RefundAmount, w.Currency), Total: amount(w.Refunded, w.Currency),
		}
	case "dispute":
		n.Kind = paygate.NoticeDispute
	default:
		return n, nil
	}
	switch {
	case n.Kind == paygate.NoticePaid || n.Kind == paygate.NoticeRefund || n.Kind == paygate.NoticeDispute:
		if !paygate.ValidID(w.Transaction) || w.Amount <= 0 || !paygate.IsCurrency(w.Currency) {
			return paygate.Notice{}, errors.New("transaction_id, amount or currency is malformed")
		}
		if n.Kind == paygate.NoticeRefund && (!paygate.ValidNo(w.RefundNo) || w.RefundAmount <= 0 || w.Refunded < 0) {
			return paygate.Notice{}, errors.New("refund_no, refund_amount or refunded is malformed")
		}
	case w.Amount < 0 || (w.Currency != "" && !paygate.IsCurrency(w.Currency)):
		return paygate.Notice{}, errors.New("amount or currency is malformed")
	}
	return n, nil
}

func refundState(s string) paygate.RefundState {
	switch s {
	case "DONE":
		return paygate.RefundDone
	case "FAILED":
		return paygate.RefundFailed
	case "PROCESSING":
		return paygate.RefundPending
	}
	return paygate.RefundUnknown
}
