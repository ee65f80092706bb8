package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"hufu/internal/clock"
	"hufu/internal/fault"
)

// exchange is one message and its answer, kept for whoever looks into what happened.
type exchange struct {
	At         time.Time `json:"at"`
	MerchantID string    `json:"merchant_id"`
	OutTradeNo string    `json:"out_trade_no,omitempty"`
	Sent       bool      `json:"sent,omitempty"` // by the gateway; else received
	Name       string    `json:"name"`           // "query", "notice paid"
	Where      string    `json:"where,omitempty"`
	Body       string    `json:"body,omitempty"`
	Status     int       `json:"status,omitempty"` // zero when there was no answer
	Answer     string    `json:"answer,omitempty"`
	Fault      string    `json:"fault,omitempty"` // what was switched on for it
	Problem    string    `json:"problem,omitempty"`
}

const (
	keptExchanges = 60      // per trade
	keptBytes     = 2 << 10 // of a body in an exchange
	maxRequest    = 64 << 10
)

// Server is the gateway. Make one with New, serve Handler, call Step whenever something is
// due (Run does both), and Close it.
type Server struct {
	merchants map[string]Merchant
	clock     clock.Clock
	speed     float64
	password  string
	log       *slog.Logger
	client    *http.Client
	handler   http.Handler

	quit chan struct{} // closed by Close: lets go of calls that hang on purpose
	wake chan struct{} // something may be due

	step  sync.Mutex    // one Step at a time
	slots chan struct{} // tries under way at once

	mu        sync.Mutex
	file      *file
	closed    bool
	trades    map[tradeKey]*trade
	list      []tradeKey // in the order of their Seq
	open      map[tradeKey]bool
	pending   map[string]*delivery // by event id
	done      map[string]*delivery
	flying    map[string]bool       // tries under way
	perTrade  map[tradeKey][]string // event ids
	exchanges map[tradeKey][]exchange
	faults    map[string]Faults
	calls     map[string]int // per merchant and call, for the die
	byPrepay  map[string]tradeKey
	byPayment map[tradeKey]tradeKey // by merchant and payment
	byRefund  map[tradeKey]tradeKey // by merchant and refund number
	files     map[string]madeFile   // bills to be fetched, by a name nobody can guess

	introductions map[string]introduction // by code
}

// New opens the gateway's file and makes the gateway.
func New(c Config) (*Server, error) {
	merchants, err := checkMerchants(c.Merchants)
	if err != nil {
		return nil, err
	}
	s := &Server{
		merchants: merchants, clock: c.Clock, speed: c.Speed, password: c.Password, log: c.Log,
		quit: make(chan struct{}), wake: make(chan struct{}, 1),
		trades: map[tradeKey]*trade{}, open: map[tradeKey]bool{},
		pending: map[string]*delivery{}, done: map[string]*delivery{}, perTrade: map[tradeKey][]string{}, flying: map[string]bool{}, slots: make(chan struct{}, 64),
		exchanges: map[tradeKey][]exchange{}, faults: map[string]Faults{}, calls: map[string]int{},
		byPrepay: map[string]tradeKey{}, byPayment: map[tradeKey]tradeKey{}, byRefund: map[tradeKey]tradeKey{}, files: map[string]madeFile{}, introductions: map[string]introduction{},
	}
	if s.clock == nil {
		s.clock = clock.System{}
	}
	if s.speed <= 0 {
		s.speed = 1
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	// The channels wait 5 s for an answer to a notice and follow no redirect.
	s.client = &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.handler = s.routes()
	f, lines, err := openFile(c.File, s.install)
	if err != nil {
		return nil, err
	}
	s.file = f
	if live := s.snapshot(); lines > 1000+2*len(live) {
		if err := f.rewrite(live); err != nil {
			f.close()
			return nil, err
		}
	}
	return s, nil
}

// snapshot is everything as records.
func (s *Server) snapshot() []record {
	var all []record
	for m, f := range s.faults {
		all = append(all, record{Merchant: m, Faults: &f})
	}
	for _, k := range s.list {
		r := record{Trade: s.trades[k]}
		for _, id := range s.perTrade[k] {
			r.Deliveries = append(r.Deliveries, s.delivery(id))
		}
		all = append(all, r)
		for _, e := range s.exchanges[k] {
			all = append(all, record{Exchange: &e})
		}
	}
	return all
}

func (s *Server) delivery(id string) *delivery {
	if d := s.pending[id]; d != nil {
		return d
	}
	return s.done[id]
}

// install puts a record into memory.
func (s *Server) install(r record) {
	if t := r.Trade; t != nil {
		k := t.key()
		if s.trades[k] == nil {
			s.list = append(s.list, k)
		}
		s.trades[k] = t
		if t.Prepay != "" {
			s.byPrepay[t.Prepay] = k
		}
		for _, p := range t.Payments {
			s.byPayment[tradeKey{k.merchant, p.ID}] = k
		}
		for _, r := range t.Refunds {
			s.byRefund[tradeKey{k.merchant, r.No}] = k
		}
		delete(s.open, k)
		if t.State == stateOpen || t.State == statePayError || slices.ContainsFunc(t.Refunds, func(r refund) bool { return r.State == stateProcessing }) {
			s.open[k] = true
		}
	}
	for _, d := range r.Deliveries {
		k := tradeKey{d.Notice.MerchantID, d.Notice.OutTradeNo}
		if s.delivery(d.Notice.ID) == nil {
			s.perTrade[k] = append(s.perTrade[k], d.Notice.ID)
		}
		delete(s.pending, d.Notice.ID)
		delete(s.done, d.Notice.ID)
		if d.End == "" {
			s.pending[d.Notice.ID] = d
		} else {
			s.done[d.Notice.ID] = d
		}
	}
	if e := r.Exchange; e != nil {
		k := tradeKey{e.MerchantID, e.OutTradeNo}
		list := append(s.exchanges[k], *e)
		if len(list) > keptExchanges {
			list = slices.Delete(list, 0, len(list)-keptExchanges)
		}
		s.exchanges[k] = list
	}
	if r.Faults != nil {
		s.faults[r.Merchant] = *r.Faults
	}
}

// save makes a record durable, then true. The caller holds mu.
func (s *Server) save(r record) error {
	if err := s.file.add(r, true); err != nil {
		s.log.Error("the sandbox gateway can't write", "err", err)
		return err
	}
	s.install(r)
	return nil
}

// note keeps an exchange. Losing one in a crash harms nobody, so it isn't forced to disk.
func (s *Server) note(e exchange) {
	e.At, e.Body, e.Answer = s.clock.Now(), clipped(e.Body), clipped(e.Answer)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.trades[tradeKey{e.MerchantID, e.OutTradeNo}] == nil {
		e.OutTradeNo = ""
	}
	if err := s.file.add(record{Exchange: &e}, false); err == nil {
		s.install(record{Exchange: &e})
	}
}

func clipped(s string) string {
	if len(s) > keptBytes {
		return s[:keptBytes] + "…"
	}
	return s
}

// Faults gives a merchant's switches.
func (s *Server) Faults(merchant string) Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[merchant]
}

// SetFaults changes a merchant's switches from now on.
func (s *Server) SetFaults(merchant string, f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	if _, ok := s.merchants[merchant]; !ok {
		return errors.New("no such merchant")
	}
	s.mu.Lock()
	err := s.save(record{Merchant: merchant, Faults: &f})
	s.mu.Unlock()
	s.stir()
	return err
}

// stir tells Run to look what is due.
func (s *Server) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Handler serves everything the gateway answers.
func (s *Server) Handler() http.Handler { return s.handler }

// Close lets go of hanging calls and of the file. Calls after it are answered 503.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.quit)
	s.file.bad = fault.New(fault.Unavailable, "sandbox.file_unusable")
	err := s.file.close()
	s.mu.Unlock()
	s.client.CloseIdleConnections()
	return err
}

// Run serves the gateway until ctx ends. It returns nil after an orderly end.
func Run(ctx context.Context, c Config) error {
	s, err := New(c)
	if err != nil {
		return err
	}
	defer s.Close()
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "sandbox.listen", "address", c.Listen)
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && c.Password == "" {
		s.log.Warn("anybody who can reach the sandbox gateway can pay and switch faults: give it a password", "listen", ln.Addr().String())
	}
	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	delivered := make(chan struct{})
	inner, stop := context.WithCancel(ctx)
	go func() { defer close(delivered); s.deliverLoop(inner) }()
	if c.Ready != nil {
		c.Ready(ln.Addr().String())
	}
	select {
	case <-ctx.Done():
	case err = <-served:
	}
	stop()
	<-delivered
	s.Close()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if shut := srv.Shutdown(grace); shut != nil {
		srv.Close()
	}
	return err
}

// deliverLoop sends what is due until ctx ends, then waits for the tries under way.
func (s *Server) deliverLoop(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	for ctx.Err() == nil {
		s.launch(ctx, &group, map[string]bool{})
		wait := time.Hour
		if next, some := s.nextDue(); some {
			wait = max(next.Sub(s.clock.Now()), time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func token(prefix string) string {
	var b [14]byte
	rand.Read(b[:])
	return prefix + hex.EncodeToString(b[:])
}
