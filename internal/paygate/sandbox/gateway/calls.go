package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
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

	csv []byte // the bill, in place of JSON
}

// refusal is an answer that is not OK.
func refusal(code, format string, args ...any) reply {
	return reply{Code: code, Message: fmt.Sprintf(format, args...)}
}

var errWrite = refusal("UNKNOWN", "the gateway can't write its file")

// call answers a signed call. do runs under mu, after everything due by time was settled.
func (s *Server) call(name string, do func(m Merchant, q request, now time.Time, f Faults) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			http.Error(w, "the body can't be read or is too large", http.StatusBadRequest)
			return
		}
		var q request
		err = json.Unmarshal(body, &q)
		m, known := s.merchants[q.MerchantID]
		now := s.clock.Now()
		signature, ok := "", false
		if headers := r.Header.Values(SignatureHeader); err == nil && known && q.AppID == m.AppID && len(headers) == 1 {
			signature, ok = admits(m.Secrets, headers[0], now, r.Method+" "+r.URL.Path, body)
		}
		if !ok {
			s.log.Info("a call was refused", "call", name, "merchant", q.MerchantID)
			http.Error(w, "the signature is missing or wrong", http.StatusUnauthorized)
			return
		}

		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			http.Error(w, "closing", http.StatusServiceUnavailable)
			return
		}
		s.calls[q.MerchantID+" "+name]++
		f := s.faults[q.MerchantID].rolled(fmt.Sprintf("%s/%d", name, s.calls[q.MerchantID+" "+name]))
		how := f.answer(name)
		var a reply
		if how == "" || AnswerFaults[how] {
			s.settle(now)
			a = do(m, q, now, f)
		}
		s.mu.Unlock()
		s.stir()

		e := exchange{MerchantID: q.MerchantID, OutTradeNo: q.OutTradeNo, Name: name, Where: r.URL.Path, Body: string(body), Fault: how}
		defer func() { s.note(e) }()
		a.MerchantID, a.AppID, a.Nonce, a.OutTradeNo, a.RefundNo = m.ID, m.AppID, q.Nonce, q.OutTradeNo, q.RefundNo
		secrets := m.Secrets
		switch how {
		case "unavailable":
			e.Status = http.StatusServiceUnavailable
			http.Error(w, "try later", http.StatusServiceUnavailable)
			return
		case "error", "garbage":
			e.Status = map[string]int{"error": 500, "garbage": 200}[how]
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(e.Status)
			io.WriteString(w, "<html><body><h1>nginx</h1></body></html>")
			return
		case "redirect":
			e.Status = http.StatusFound
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		case "hang":
			s.pause(r, 365*24*time.Hour)
			panic(http.ErrAbortHandler)
		case "lost":
			panic(http.ErrAbortHandler)
		case "slow":
			s.pause(r, s.scaled(seconds(f.SlowSeconds)))
		case "huge":
			e.Status = http.StatusOK
			for line := []byte(strings.Repeat(" ", 1<<16)); err == nil && r.Context().Err() == nil; {
				_, err = w.Write(line)
			}
			return
		case "unknown", "unclear":
			a.Code, a.Message, a.csv = "UNKNOWN", "the gateway does not know yet", nil
		case "absent":
			a.Code, a.Message = "NOT_FOUND", "no such trade"
		case "mismatch":
			a.OutTradeNo = "another-order"
		case "missigned":
			secrets = []string{"another merchant's key, which is not this one's"}
		case "unsigned":
			secrets = nil
		}
		out, kind := a.csv, "text/csv; charset=utf-8"
		if out == nil {
			kind = "application/json"
			if out, err = json.Marshal(a); err != nil {
				panic(err) // every field is plain
			}
		}
		e.Status, e.Answer = http.StatusOK, string(out)
		w.Header().Set("Content-Type", kind)
		if secrets != nil {
			w.Header().Set(SignatureHeader, stamp(secrets, s.clock.Now(), "RESPONSE 200 "+signature, out))
		}
		w.Write(out)
	}
}

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
	a := reply{Code: "OK", State: t.State}
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
	a := reply{Code: "OK", State: r.State, TransactionID: r.PaymentID, RefundID: r.ID, Amount: r.Amount, Currency: t.Currency}
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
