// Package bench measures the product as its users meet it: a server in a process of its
// own, load over HTTP from this one, and in the same run the limits of the machine.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"hufu/internal/app"
	"hufu/internal/paygate/sandbox/gateway"
)

// Purchase says what to measure.
type Purchase struct {
	Store    string
	KeyFile  string
	Clients  []int
	Duration time.Duration
	Orders   int64             // how many orders the store is to hold before it is measured
	Progress func(text string) // told what is going on
	Each     func(PurchaseRun) // told of each run as it ends
}

// PurchaseRun is the figures of one run.
type PurchaseRun struct {
	Store   string `json:"store"`
	Offers  int    `json:"offers"`
	Clients int    `json:"clients"`
	// OrdersBefore is how many orders the store held when the run began.
	OrdersBefore int64       `json:"orders_before"`
	PerS         float64     `json:"purchases_per_s"`
	NoticeToMs   Percentiles `json:"notice_to_code_ms"`
	PurchaseMs   Percentiles `json:"purchase_ms"`
	CPU          float64     `json:"cpu_s_per_purchase"`
	PeakMB       float64     `json:"peak_mb"`
	EchoPerS     float64     `json:"echo_per_s"`
	RowsPerS     float64     `json:"rows_per_s"`
	RatioHTTP    float64     `json:"ratio_http"`
	RatioRows    float64     `json:"ratio_rows"`
	Errors       int64       `json:"errors"`
	FirstError   string      `json:"first_error,omitempty"`
	Violations   int         `json:"violations"`
	// AtEnd says that the invariants were verified once, after the last run, and not after
	// this one: Violations is what held then.
	AtEnd bool `json:"verified_at_end,omitempty"`
	// FirstProblem is the first invariant that didn't hold, and a row that breaks it.
	FirstProblem string `json:"first_problem,omitempty"`
}

const secret = "bench-secret-9f31c7d2a4e85b60c1d7f2a39e4b8c5d"

// coolOffers is how many offers share the load where none is hot.
const coolOffers = 100

// LargeStore is from how many orders on a store is verified once, after all runs, and not
// after each: to verify takes as long as the store is large.
const LargeStore = 100_000

// RunPurchase measures whole purchases (place, pay notice from the gateway, read the code),
// for one hot offer and for a hundred cool ones, at each number of clients.
func RunPurchase(ctx context.Context, p Purchase) ([]PurchaseRun, error) {
	held, err := fillPast(ctx, p.Store, p.KeyFile, p.Orders, p.Progress)
	if err != nil {
		return nil, err
	}
	atEnd := held >= LargeStore
	p.Progress("limits: echo")
	echo := map[int]float64{}
	for _, n := range p.Clients {
		r, err := echoRate(ctx, n, min(p.Duration, 3*time.Second))
		if err != nil {
			return nil, err
		}
		echo[n] = r
	}
	p.Progress("limits: rows")
	rows, err := rowRate(ctx, p.Store, min(p.Duration, 3*time.Second))
	if err != nil {
		return nil, err
	}
	var out []PurchaseRun
	for _, offers := range []int{1, coolOffers} {
		for _, n := range p.Clients {
			p.Progress(fmt.Sprintf("purchases: %d offers, %d clients", offers, n))
			run, err := p.run(ctx, offers, n, atEnd)
			if err != nil {
				return out, err
			}
			run.EchoPerS, run.RowsPerS = echo[n], rows
			run.RatioHTTP = run.PerS * 3 / echo[n] // a purchase is three requests
			run.RatioRows = run.PerS * RowsPerPurchase / rows
			out = append(out, run)
			p.Each(run)
		}
	}
	if !atEnd {
		return out, nil
	}
	p.Progress("verify")
	n, first, err := violations(ctx, p.Store, p.KeyFile)
	for i := range out {
		out[i].Violations, out[i].FirstProblem = n, first
	}
	return out, err
}

// RowsPerPurchase is how many rows one purchase inserts or changes, its share of a batch's
// own rows (stock, seal) apart: 4 inserted when it is placed (order, line, reservation,
// intent), 12 when it is paid (notice, capture, right, step, transfer and job inserted;
// order, line, reservation, intent and code changed; the sweep of its job), 2 when its code
// is read (step inserted, right changed).
const RowsPerPurchase = 18

func (p *Purchase) run(ctx context.Context, offers, clients int, atEnd bool) (PurchaseRun, error) {
	run := PurchaseRun{Store: kind(p.Store), Offers: offers, Clients: clients, AtEnd: atEnd}
	catalogue, held, err := seed(ctx, p.Store, p.KeyFile, offers, int(p.Duration.Seconds()*6000)+2000)
	run.OrdersBefore = held
	if err != nil {
		return run, err
	}
	server, err := serve(ctx, p.Store, p.KeyFile)
	if err != nil {
		return run, err
	}
	defer server.stop()

	shoppers := make([]*shopper, clients)
	for i := range shoppers {
		c, err := dial(server.addr)
		if err != nil {
			return run, err
		}
		defer c.close()
		shoppers[i] = &shopper{client: c, n: i}
	}
	offered, err := read(shoppers[0].client, catalogue...)
	if err != nil {
		return run, err
	}
	for _, s := range shoppers {
		s.offers = offered
	}
	for _, s := range shoppers[:min(4, clients)] { // what is measured is a warm server
		for range 5 {
			if err := s.buy(); err != nil {
				return run, err
			}
		}
		s.whole, s.notice = nil, nil
	}
	before := server.cpu()
	done, failed, took, first := load(ctx, clients, p.Duration, func(_ context.Context, i int) error { return shoppers[i].buy() })
	run.PerS = float64(done) / took.Seconds()
	run.Errors = failed
	if first != nil {
		run.FirstError = first.Error()
	}
	if done > 0 {
		run.CPU = (server.cpu() - before) / float64(done)
	}
	run.PeakMB = server.peak()
	var whole, notice []time.Duration
	for _, s := range shoppers {
		whole, notice = append(whole, s.whole...), append(notice, s.notice...)
	}
	run.PurchaseMs, run.NoticeToMs = percentiles(whole), percentiles(notice)
	server.stop()
	if atEnd {
		return run, nil
	}
	p.Progress("verify")
	run.Violations, run.FirstProblem, err = violations(ctx, p.Store, p.KeyFile)
	return run, err
}

func kind(store string) string {
	if len(store) > 8 && store[:8] == "postgres" {
		return "postgres"
	}
	return "sqlite"
}

// shopper buys, pays and reads, one purchase after the other. It plays the gateway too.
type shopper struct {
	*client
	offers []onSale
	member string // token of who is signed in, "" for a guest
	n      int
	count  int
	whole  []time.Duration
	notice []time.Duration
}

func (s *shopper) buy() error {
	start := time.Now()
	order, token, paid, err := s.paid()
	if err != nil {
		return err
	}
	key := strconv.FormatInt(paid.UnixNano(), 36) + "-" + strconv.Itoa(s.n)
	header := "Authorization: Bearer " + token + "\r\nIdempotency-Key: r-" + key + "\r\n"
	if s.member != "" {
		header = s.session() + "Idempotency-Key: r-" + key + "\r\n"
	}
	status, body, err := s.do("POST", "/api/v1/orders/"+order+"/reveal", header, []byte(`{"confirm":true}`))
	if err != nil || status != 200 || member(body, "code") == "" {
		return s.failed("reveal", status, body, err)
	}
	end := time.Now()
	s.whole, s.notice = append(s.whole, end.Sub(start)), append(s.notice, end.Sub(paid))
	return nil
}

// session is the header of who is signed in.
func (s *shopper) session() string {
	if s.member == "" {
		return ""
	}
	return "Authorization: Bearer " + s.member + "\r\n"
}

// payer is the account at the gateway of who is signed in.
func (s *shopper) payer() string {
	if s.member == "" {
		return ""
	}
	return "payer-" + s.member[:16]
}

// paid places an order and pays for it. It gives the order, what proves it to be the shopper's,
// and when they paid.
func (s *shopper) paid() (order, token string, paid time.Time, err error) {
	s.count++
	offer := s.offers[(s.n*7919+s.count)%len(s.offers)]
	start := time.Now()
	// Time-ordered, as the keys that the documents recommend and the numbers of real gateways are.
	key := strconv.FormatInt(start.UnixNano(), 36) + "-" + strconv.Itoa(s.n)
	status, body, err := s.do("POST", "/api/v1/orders", s.session()+"Idempotency-Key: "+key+"\r\n",
		orderBody(offer, s.phone()))
	if err != nil || status != 201 {
		return "", "", paid, s.failed("place", status, body, err)
	}
	order, token = member(body, "id"), member(body, "token")
	intent := member(body, "intent")
	total := body[indexAfter(body, `"minor":`):]
	minor, _ := strconv.ParseInt(string(total[:indexNot(total)]), 10, 64)

	paid = time.Now()
	signature, notice := gateway.SignNotice(secret, paid, gateway.Notice{ID: "evt-" + key, Type: "trade", MerchantID: app.SandboxMerchant, AppID: app.SandboxApp, OutTradeNo: intent,
		TransactionID: "txn-" + key, State: "PAID", Amount: minor, Currency: "CNY", OccurredAt: paid, PayerID: s.payer()})
	status, body, err = s.do("POST", "/api/v1/gateways/sandbox/notices", gateway.SignatureHeader+": "+signature+"\r\n", notice)
	if err != nil || status != 200 || string(body) != "success" {
		return "", "", paid, s.failed("notice", status, body, err)
	}
	return order, token, paid, nil
}

// phone is the number of some shopper. Each purchase has another, as in a shop: the index by
// number is the one of a purchase whose place isn't the end.
func (s *shopper) phone() string {
	if s.member != "" {
		return ""
	}
	return phone()
}

func phone() string { return "138" + strconv.Itoa(100_000_000 + rand.IntN(100_000_000))[1:] }

func (s *shopper) failed(step string, status int, body []byte, err error) error {
	if err != nil {
		if again := s.reopen(); again != nil {
			return again
		}
		return fmt.Errorf("%s: %w", step, err)
	}
	return fmt.Errorf("%s: %d %.300s", step, status, body)
}

func indexAfter(b []byte, s string) int {
	for i := 0; i+len(s) <= len(b); i++ {
		if string(b[i:i+len(s)]) == s {
			return i + len(s)
		}
	}
	return len(b)
}

func indexNot(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}
