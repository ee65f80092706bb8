package gateway

import (
	"net/http"
	"net/url"
	"time"
)

// prepay is what a charge is made with by a call.
type prepay struct {
	Subject   string
	NotifyURL string
	ReturnURL string
	ExpiresAt time.Time
	Product   string // by which call: a charge stays with it
	Payer     string // the only account that may pay, "" for any
}

// prepay makes a charge, or gives the one that was made with the same words before.
func (s *Server) prepay(m Merchant, q request, now time.Time, _ Faults) reply {
	p := q.Prepay
	switch {
	case !orderForm.MatchString(q.OutTradeNo) || p.Subject == "" || len(p.Subject) > 512:
		return refusal("INVALID", "out_trade_no or description is malformed")
	case q.Amount <= 0 || !isWeb(p.NotifyURL) || p.ReturnURL != "" && !isWeb(p.ReturnURL):
		return refusal("INVALID", "amount or an address is malformed")
	case !p.ExpiresAt.After(now):
		return refusal("INVALID", "time_expire is over")
	}
	t := &trade{MerchantID: m.ID, OutTradeNo: q.OutTradeNo, Subject: p.Subject, Amount: q.Amount, Currency: q.Currency, NotifyURL: p.NotifyURL,
		ReturnURL: p.ReturnURL, ExpiresAt: p.ExpiresAt.UTC(), State: stateOpen, OpenedAt: now, Product: p.Product, Payer: p.Payer, Prepay: token("wx")}
	if was := s.trades[t.key()]; was != nil {
		same := was.ReturnURL == t.ReturnURL && was.Subject == t.Subject && was.Amount == t.Amount && was.Currency == t.Currency && was.NotifyURL == t.NotifyURL &&
			was.ExpiresAt.Equal(t.ExpiresAt) && was.Product == t.Product && was.Payer == t.Payer
		switch {
		case was.State == statePaid:
			return refusal("ALREADY_PAID", "the trade is paid")
		case was.State == stateClosed:
			return refusal("CLOSED", "the trade is closed")
		case !same:
			return refusal("NUMBER_USED", "the number was used with other words")
		}
		return reply{Code: "OK", prepay: was.Prepay, trade: was}
	}
	t.Seq = len(s.list) + 1
	if s.save(record{Trade: t}) != nil {
		return errWrite
	}
	return reply{Code: "OK", prepay: t.Prepay, trade: t}
}

// closeKnown closes a charge that a call made. A number nobody used stays free.
func (s *Server) closeKnown(m Merchant, q request, now time.Time, f Faults) reply {
	if s.trades[tradeKey{m.ID, q.OutTradeNo}] == nil {
		return refusal("NOT_FOUND", "no trade has this number")
	}
	return s.closeTrade(m, q, now, f)
}

// prepaid is the cashier of a charge that a call made. Its name is the right to see it and to
// press its buttons.
func (s *Server) prepaid(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("prepay_id")
	s.mu.Lock()
	s.settle(s.clock.Now())
	t := s.trades[s.byPrepay[name]]
	s.mu.Unlock()
	if t == nil {
		s.problem(w, r, http.StatusNotFound, "bad_link")
		return
	}
	s.cashierOf(w, r, s.merchants[t.MerchantID], t, backTo(r, t))
}

// backTo is where the shop wants its shopper back, who may come without saying so.
func backTo(r *http.Request, t *trade) string {
	if back := r.URL.Query().Get("redirect_url"); isWeb(back) {
		return back
	}
	return t.ReturnURL
}

// cashierURL is where a charge is paid.
func cashierURL(host, prepay string) string {
	return "http://" + host + "/pay?" + url.Values{"prepay_id": {prepay}}.Encode()
}
