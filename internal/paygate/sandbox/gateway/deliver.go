package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// delivery is a notice on its way to the shop.
type delivery struct {
	Notice Notice    `json:"notice"`
	Label  string    `json:"label"` // "paid", "paid 2", "closed", "refund NO"
	URL    string    `json:"url"`
	Tries  int       `json:"tries"`
	Due    time.Time `json:"due"`
	Held   bool      `json:"held,omitempty"` // by the fault "reorder"
	End    string    `json:"end,omitempty"`  // "taken" or "given_up"
}

const (
	endTaken   = "taken"
	endGivenUp = "given_up"
)

// scaled is a pause of the timetables at this gateway's speed.
func (s *Server) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) / s.speed) }

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }

// tell makes the delivery of a notice about a trade. The caller holds mu and saves it.
func (s *Server) tell(t *trade, label, url string, n Notice) *delivery {
	now := s.clock.Now()
	f := s.faults[t.MerchantID].rolled(fmt.Sprintf("%d/%s", t.Seq, label))
	n.ID, n.MerchantID, n.AppID, n.OutTradeNo = token("ev_"), t.MerchantID, s.merchants[t.MerchantID].AppID, t.OutTradeNo
	n.Currency, n.OccurredAt, n.Product = t.Currency, now, t.Product
	return &delivery{
		Notice: n, Label: label, URL: url, Due: now.Add(s.scaled(seconds(f.DelaySeconds))),
		Held: f.Reorder && n.Type == "trade" && n.State == statePaid,
	}
}

func (s *Server) tellPaid(t *trade, p payment) *delivery {
	label := "paid"
	if i := slices.IndexFunc(t.Payments, func(x payment) bool { return x.ID == p.ID }); i > 0 {
		label = fmt.Sprintf("paid %d", i+1)
	}
	return s.tell(t, label, t.NotifyURL, Notice{Type: "trade", TransactionID: p.ID, State: statePaid, Amount: p.Amount, PayerID: p.Payer})
}

func (s *Server) tellClosed(t *trade) []*delivery {
	if t.NotifyURL == "" || !s.merchants[t.MerchantID].dialect().knows("trade", stateClosed) {
		return nil
	}
	return []*delivery{s.tell(t, "closed", t.NotifyURL, Notice{Type: "trade", State: stateClosed, Amount: t.Amount})}
}

// Dispute tells the shop that the payer's bank takes a payment back (a chargeback, F20). It
// says whether there is such a payment.
func (s *Server) Dispute(merchant, number string) bool {
	s.mu.Lock()
	t := s.trades[tradeKey{merchant, number}]
	ok := false
	if t != nil && len(t.Payments) > 0 && s.merchants[merchant].dialect().knows("dispute", t.State) {
		p := t.Payments[0]
		d := s.tell(t, "dispute", t.NotifyURL, Notice{Type: "dispute", TransactionID: p.ID, State: t.State, Amount: p.Amount})
		ok = s.save(record{Deliveries: []*delivery{d}}) == nil
	}
	s.mu.Unlock()
	s.stir()
	return ok
}

func (s *Server) tellRefund(t *trade, r *refund) *delivery {
	p := t.payment(r.PaymentID)
	return s.tell(t, "refund "+r.No, r.NotifyURL, Notice{
		Type: "refund", TransactionID: r.PaymentID, State: t.State, Amount: p.Amount,
		RefundNo: r.No, RefundID: r.ID, RefundState: r.State, RefundAmount: r.Amount, Refunded: t.refunded(r.PaymentID, false),
	})
}

// Step does everything that is due, and waits for it: closes trades whose time is over, ends
// refunds, sends notices once each. It gives the time of what is due next, if anything is.
func (s *Server) Step(ctx context.Context) (next time.Time, some bool) {
	s.step.Lock()
	defer s.step.Unlock()
	sent := map[string]bool{}
	for ctx.Err() == nil {
		var group sync.WaitGroup
		if s.launch(ctx, &group, sent) == 0 {
			break
		}
		group.Wait()
	}
	return s.nextDue()
}

// launch starts a try of every notice that is due and neither under way nor in sent, to which
// it adds them. A shop that hangs on one notice holds up no other.
func (s *Server) launch(ctx context.Context, group *sync.WaitGroup, sent map[string]bool) int {
	due := s.due(sent)
	for _, d := range due {
		s.slots <- struct{}{}
		group.Go(func() {
			defer s.stir()
			defer func() { <-s.slots }()
			s.attempt(ctx, d)
			s.mu.Lock()
			delete(s.flying, d.Notice.ID)
			s.mu.Unlock()
		})
	}
	return len(due)
}

// due settles trades and takes the deliveries to be tried now, in the order of their times.
func (s *Server) due(sent map[string]bool) []*delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	now := s.clock.Now()
	s.settle(now)
	var list []*delivery
	for id, d := range s.pending {
		if d.Held && !s.faults[d.Notice.MerchantID].Reorder {
			free := *d
			free.Held = false
			if s.save(record{Deliveries: []*delivery{&free}}) == nil {
				d = &free
			}
		}
		if !sent[id] && !s.flying[id] && !d.Held && !d.Due.After(now) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *delivery) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		return strings.Compare(a.Notice.ID, b.Notice.ID)
	})
	for _, d := range list {
		s.flying[d.Notice.ID], sent[d.Notice.ID] = true, true
	}
	return list
}

// settle closes trades whose time is over and ends refunds. The caller holds mu.
func (s *Server) settle(now time.Time) {
	for k := range s.open {
		t := s.trades[k].clone()
		var tell []*delivery
		changed := false
		if (t.State == stateOpen || t.State == statePayError) && !now.Before(t.ExpiresAt) {
			t.State, t.ClosedAt, changed = stateClosed, now, true
			tell = append(tell, s.tellClosed(t)...)
		}
		for i := range t.Refunds {
			if r := &t.Refunds[i]; r.State == stateProcessing && !r.EndsAt.After(now) {
				r.State, changed = r.EndsAs, true
				tell = append(tell, s.tellRefund(t, r))
			}
		}
		if changed && s.save(record{Trade: t, Deliveries: tell}) != nil {
			return
		}
	}
}

func (s *Server) nextDue() (next time.Time, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.file.bad != nil {
		return time.Time{}, false
	}
	soonest := func(t time.Time) {
		if !some || t.Before(next) {
			next, some = t, true
		}
	}
	for id, d := range s.pending {
		if !d.Held && !s.flying[id] {
			soonest(d.Due)
		}
	}
	for k := range s.open {
		t := s.trades[k]
		if t.State == stateOpen || t.State == statePayError {
			soonest(t.ExpiresAt)
		}
		for _, r := range t.Refunds {
			if r.State == stateProcessing {
				soonest(r.EndsAt)
			}
		}
	}
	return next, some
}

// attempt sends a notice once, with the faults that are on now, and puts down what came of it.
func (s *Server) attempt(ctx context.Context, d *delivery) {
	key := tradeKey{d.Notice.MerchantID, d.Notice.OutTradeNo}
	m := s.merchants[key.merchant]
	s.mu.Lock()
	seq := 0
	if t := s.trades[key]; t != nil {
		seq = t.Seq
	}
	f := s.faults[key.merchant].rolled(fmt.Sprintf("%d/%s/%d", seq, d.Label, d.Tries))
	s.mu.Unlock()

	n, url := tampered(f, d)
	copies := 1 + f.Copies
	taken := false
	what := exchange{MerchantID: key.merchant, OutTradeNo: key.number, Sent: true, Name: "notice " + d.Label, Where: url, Fault: describe(f)}
	if f.Lose < 0 || d.Tries < f.Lose {
		what.Problem = "lost on the way"
		s.note(what)
	} else {
		var mu sync.Mutex
		one := func() {
			header, body := m.dialect().tell(m, f, n, s.clock.Now())
			status, answer, err := s.send(ctx, url, header, body)
			mu.Lock()
			defer mu.Unlock()
			e := what
			e.Body, e.Status, e.Answer = string(body), status, answer
			if err != nil {
				e.Problem = err.Error()
			}
			taken = taken || m.dialect().taken(status, answer)
			s.note(e)
		}
		if f.Concurrent {
			var group sync.WaitGroup
			limit := make(chan struct{}, 128) // sockets are finite
			for range copies {
				limit <- struct{}{}
				group.Go(func() { one(); <-limit })
			}
			group.Wait()
		} else {
			for range copies {
				one()
			}
		}
	}
	if ctx.Err() != nil && !taken {
		return // stopped in the middle: the try doesn't count
	}
	s.settleDelivery(d, taken)
}

func (s *Server) settleDelivery(d *delivery, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	next := *d
	next.Tries++
	table := Timetables[s.merchants[d.Notice.MerchantID].Timetable]
	switch {
	case taken:
		next.End = endTaken
	case next.Tries > len(table):
		next.End = endGivenUp
	default:
		next.Due = s.clock.Now().Add(s.scaled(table[next.Tries-1]))
	}
	all := []*delivery{&next}
	if d.Notice.Type == "refund" { // what "reorder" held back may go now
		for _, id := range s.perTrade[tradeKey{d.Notice.MerchantID, d.Notice.OutTradeNo}] {
			if p := s.pending[id]; p != nil && p.Held {
				free := *p
				free.Held, free.Due = false, s.clock.Now()
				all = append(all, &free)
			}
		}
	}
	s.save(record{Deliveries: all})
}

// tampered is the notice as the faults make it, and its address.
func tampered(f Faults, d *delivery) (n Notice, url string) {
	n, url = d.Notice, d.URL
	n.Amount += f.AmountDelta
	if f.Currency != "" {
		n.Currency = f.Currency
	}
	if f.MerchantID != "" {
		n.MerchantID = f.MerchantID
	}
	if f.AppID != "" {
		n.AppID = f.AppID
	}
	if f.OutTradeNo != "" {
		n.OutTradeNo = f.OutTradeNo
	}
	if f.State != "" && n.State == statePaid && n.Type == "trade" {
		n.State = f.State
	}
	if f.NotifyURL != "" {
		url = f.NotifyURL
	}
	return n, url
}

func (s *Server) send(ctx context.Context, url string, header http.Header, body []byte) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header = header
	req.Header.Set("User-Agent", "sandbox-gateway")
	res, err := s.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, keptBytes))
	return res.StatusCode, string(raw), err
}

// Resend makes a notice due now, also one that was taken or given up. It says whether there
// is such a notice.
func (s *Server) Resend(eventID string) bool {
	s.mu.Lock()
	d := s.delivery(eventID)
	ok := false
	if d != nil {
		next := *d
		next.Due, next.End, next.Held = s.clock.Now(), "", false
		ok = s.save(record{Deliveries: []*delivery{&next}}) == nil
	}
	s.mu.Unlock()
	s.stir()
	return ok
}

// Events are the ids of the notices about a trade, oldest first.
func (s *Server) Events(merchant, number string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, d := range s.deliveriesOf(tradeKey{merchant, number}) {
		all = append(all, d.Notice.ID)
	}
	return all
}
