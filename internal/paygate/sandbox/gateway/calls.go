package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// request is the body of every call.
type request struct {
	MerchantID    string `json:"merchant_id"`
	AppID         string `json:"app_id"`
	Nonce         string `json:"nonce"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	RefundNo      string `json:"refund_no"`
	Amount        int64  `json:"amount"`
	Currency      string `json:"currency"`
	Reason        string `json:"reason"`
	NotifyURL     string `json:"notify_url"`
	Day           string `json:"day"`

	// What other protocols ask besides.
	Prepay   prepay `json:"-"`
	Captured int64  `json:"-"` // what the shop believes was paid
	File     string `json:"-"` // the name of a file to fetch
}

// reply is the body of every answer. Numbers that were asked about are said again.
type reply struct {
	Code          string     `json:"code"`
	Message       string     `json:"message,omitempty"`
	MerchantID    string     `json:"merchant_id"`
	AppID         string     `json:"app_id"`
	Nonce         string     `json:"nonce"`
	OutTradeNo    string     `json:"out_trade_no,omitempty"`
	TransactionID string     `json:"transaction_id,omitempty"`
	State         string     `json:"state,omitempty"`
	Amount        int64      `json:"amount,omitempty"`
	Currency      string     `json:"currency,omitempty"`
	PaidAt        *time.Time `json:"paid_at,omitempty"`
	PayerID       string     `json:"payer_id,omitempty"`
	Refunded      int64      `json:"refunded,omitempty"`
	RefundNo      string     `json:"refund_no,omitempty"`
	RefundID      string     `json:"refund_id,omitempty"`
	DoneAt        *time.Time `json:"done_at,omitempty"`

	csv    []byte // the bill, in place of JSON
	prepay string // the name of the charge
	trade  *trade // what it speaks of, for protocols that tell more
	refund *refund
	list   []any
}

// refusal is an answer that is not OK.
func refusal(code, format string, args ...any) reply {
	return reply{Code: code, Message: fmt.Sprintf(format, args...)}
}

var errWrite = refusal("UNKNOWN", "the gateway can't write its file")

// pause waits until the caller gives up, the gateway closes, or the time is over.
func (s *Server) pause(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-s.quit:
	case <-timer.C:
	}
}

func (s *Server) ping(Merchant, request, time.Time, Faults) reply { return reply{Code: "OK"} }

func (s *Server) query(m Merchant, q request, _ time.Time, _ Faults) reply {
	t := s.trades[tradeKey{m.ID, q.OutTradeNo}]
	if t == nil {
		return refusal("NOT_FOUND", "no trade has this number")
	}
	a := reply{Code: "OK", State: t.State, OutTradeNo: t.OutTradeNo, trade: t}
	switch t.State {
	case stateOpen:
		a.State = "UNPAID"
	case statePaid:
		p := t.payment(q.TransactionID)
		if p == nil {
			return refusal("NOT_FOUND", "the trade has no such transaction")
		}
		a.TransactionID, a.Amount, a.Currency, a.PaidAt, a.PayerID = p.ID, p.Amount, t.Currency, &p.At, p.Payer
		a.Refunded = t.refunded(p.ID, false)
	}
	return a
}

func (s *Server) closeTrade(m Merchant, q request, now time.Time, _ Faults) reply {
	if !orderForm.MatchString(q.OutTradeNo) {
		return refusal("INVALID", "out_trade_no is malformed")
	}
	t := s.trades[tradeKey{m.ID, q.OutTradeNo}]
	switch {
	case t == nil:
		t = &trade{Seq: len(s.list) + 1, MerchantID: m.ID, OutTradeNo: q.OutTradeNo, OpenedAt: now}
	case t.State == statePaid:
		return refusal("ALREADY_PAID", "the trade is paid and can't be closed")
	case t.State == stateClosed:
		return reply{Code: "OK", State: stateClosed}
	default:
		t = t.clone()
	}
	t.State, t.ClosedAt = stateClosed, now
	if s.save(record{Trade: t, Deliveries: s.tellClosed(t)}) != nil {
		return errWrite
	}
	return reply{Code: "OK", State: stateClosed}
}

func (s *Server) refund(m Merchant, q request, now time.Time, f Faults) reply {
	if !orderForm.MatchString(q.RefundNo) || q.Amount <= 0 || len(q.Reason) > 256 || (q.NotifyURL != "" && !isWeb(q.NotifyURL)) {
		return refusal("INVALID", "refund_no, amount, reason or notify_url is malformed")
	}
	t := s.trades[tradeKey{m.ID, q.OutTradeNo}]
	if t == nil || t.State != statePaid || t.payment(q.TransactionID) == nil {
		return refusal("NOT_FOUND", "nothing was paid under this number")
	}
	if q.Currency != t.Currency {
		return refusal("INVALID", "the payment was in %s", t.Currency)
	}
	p := t.payment(q.TransactionID)
	if r := t.refundNo(q.RefundNo); r != nil {
		if r.Amount != q.Amount || r.PaymentID != p.ID {
			return refusal("REFUND_NO_USED", "this refund number was used for another amount or payment")
		}
		return refundReply(t, r)
	}
	if q.Amount > p.Amount-t.refunded(p.ID, true) {
		return refusal("NOT_ENOUGH", "the refunds would be more than was paid")
	}
	t = t.clone()
	p = t.payment(p.ID)
	r := refund{
		No: q.RefundNo, ID: token("rf"), PaymentID: p.ID, Amount: q.Amount, State: stateDone, At: now,
		EndsAt: now, EndsAs: stateDone, NotifyURL: t.NotifyURL, Reason: q.Reason,
		Fee: fee(t.refunded(p.ID, true)+q.Amount, m.FeeBasis) - fee(t.refunded(p.ID, true), m.FeeBasis),
	}
	if q.NotifyURL != "" {
		r.NotifyURL = q.NotifyURL
	}
	if f.RefundFails {
		r.EndsAs = stateFailed
	}
	if f.RefundSeconds > 0 || f.RefundFails {
		r.State, r.EndsAt = stateProcessing, now.Add(s.scaled(seconds(f.RefundSeconds)))
	}
	t.Refunds = append(t.Refunds, r)
	var tell []*delivery
	if r.State == stateDone {
		tell = append(tell, s.tellRefund(t, &t.Refunds[len(t.Refunds)-1]))
	}
	if s.save(record{Trade: t, Deliveries: tell}) != nil {
		return errWrite
	}
	return refundReply(t, &r)
}

func refundReply(t *trade, r *refund) reply {
	a := reply{Code: "OK", State: r.State, OutTradeNo: t.OutTradeNo, RefundNo: r.No, trade: t, refund: r, TransactionID: r.PaymentID, RefundID: r.ID, Amount: r.Amount, Currency: t.Currency}
	if r.State == stateDone {
		a.DoneAt = &r.EndsAt
	}
	return a
}

func (s *Server) queryRefund(m Merchant, q request, _ time.Time, _ Faults) reply {
	if t := s.trades[tradeKey{m.ID, q.OutTradeNo}]; t != nil {
		if r := t.refundNo(q.RefundNo); r != nil {
			return refundReply(t, r)
		}
	}
	return refusal("NOT_FOUND", "no refund has this number")
}

// pay takes the money for a trade from an account, on the cashier page. It reports whether
// there was anything to pay.
func (s *Server) pay(k tradeKey, payer string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.stir()
	now := s.clock.Now()
	t := s.trades[k]
	if t == nil || s.closed {
		return errors.New("no such trade")
	}
	f := s.faults[k.merchant].rolled(fmt.Sprintf("%d/pay", t.Seq))
	if !t.payable(now, f.LatePay) {
		return errors.New("not payable")
	}
	t = t.clone()
	times := 1
	if f.PayTwice {
		times = 2
	}
	var tell []*delivery
	t.State = statePaid
	for range times {
		p := payment{ID: token("sb"), Amount: t.Amount, Fee: fee(t.Amount, s.merchants[k.merchant].FeeBasis), Payer: payer, At: now}
		t.Payments = append(t.Payments, p)
		tell = append(tell, s.tellPaid(t, p))
	}
	return s.save(record{Trade: t, Deliveries: tell})
}

// failPayment lets an attempt fail, on the cashier page.
func (s *Server) failPayment(k tradeKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.trades[k]
	if t == nil || !t.payable(s.clock.Now(), false) {
		return errors.New("not payable")
	}
	t = t.clone()
	t.State = statePayError
	return s.save(record{Trade: t})
}

// deliveriesOf lists the deliveries of a trade, oldest first. The caller holds mu.
func (s *Server) deliveriesOf(k tradeKey) []*delivery {
	var all []*delivery
	for _, id := range s.perTrade[k] {
		all = append(all, s.delivery(id))
	}
	slices.SortStableFunc(all, func(a, b *delivery) int { return a.Notice.OccurredAt.Compare(b.Notice.OccurredAt) })
	return all
}
