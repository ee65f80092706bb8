package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// SoldOut says what to measure of sold-out answers.
type SoldOut struct {
	Store    string
	KeyFile  string
	Clients  []int
	Duration time.Duration
	Progress func(text string)
}

// SoldOutRun is the figures of one run.
type SoldOutRun struct {
	Store     string      `json:"store"`
	Clients   int         `json:"clients"`
	PerS      float64     `json:"answers_per_s"`
	AnswerMs  Percentiles `json:"answer_ms"`
	EchoPerS  float64     `json:"echo_per_s"`
	RatioHTTP float64     `json:"ratio_http"`
	Errors    int64       `json:"errors"`
}

// RunSoldOut measures how fast an offer that has run out is refused.
func RunSoldOut(ctx context.Context, s SoldOut) ([]SoldOutRun, error) {
	var out []SoldOutRun
	for _, n := range s.Clients {
		s.Progress(fmt.Sprintf("limits: echo, %d clients", n))
		echo, err := echoRate(ctx, n, min(s.Duration, 3*time.Second))
		if err != nil {
			return out, err
		}
		s.Progress(fmt.Sprintf("sold out, %d clients", n))
		run, err := s.run(ctx, n)
		if err != nil {
			return out, err
		}
		run.EchoPerS, run.RatioHTTP = echo, run.PerS/echo
		out = append(out, run)
	}
	return out, nil
}

func (s *SoldOut) run(ctx context.Context, clients int) (SoldOutRun, error) {
	run := SoldOutRun{Store: kind(s.Store), Clients: clients}
	offers, _, err := seed(ctx, s.Store, s.KeyFile, 1, 1)
	if err != nil {
		return run, err
	}
	server, err := serve(ctx, s.Store, s.KeyFile)
	if err != nil {
		return run, err
	}
	defer server.stop()
	buyer, err := dial(server.addr)
	if err != nil {
		return run, err
	}
	defer buyer.close()
	offered, err := read(buyer, offers[0])
	if err != nil {
		return run, err
	}
	order := orderBody(offered[0], "13800001234")
	place := func(c *client, key string) (int, []byte, error) {
		return c.do("POST", "/api/v1/orders", "Idempotency-Key: "+key+"\r\n", order)
	}
	for n := 0; ; n++ { // until what there is has been reserved
		status, body, err := place(buyer, "soldout-"+strconv.Itoa(n)+"-"+strconv.FormatInt(time.Now().UnixNano(), 36))
		if err != nil {
			return run, err
		}
		if status == 409 {
			break
		}
		if status != 201 {
			return run, fmt.Errorf("place: %d %.300s", status, body)
		}
	}
	conns, times := make([]*client, clients), make([][]time.Duration, clients)
	for i := range conns {
		if conns[i], err = dial(server.addr); err != nil {
			return run, err
		}
		defer conns[i].close()
	}
	done, failed, took, first := load(ctx, clients, s.Duration, func(_ context.Context, i int) error {
		began := time.Now()
		status, body, err := place(conns[i], strconv.FormatInt(began.UnixNano(), 36)+"-"+strconv.Itoa(i))
		if err == nil && (status != 409 || member(body, "code") != "order.sold_out") {
			err = fmt.Errorf("sold out was answered %d %.300s", status, body)
		}
		times[i] = append(times[i], time.Since(began))
		return err
	})
	if done == 0 {
		return run, first
	}
	var all []time.Duration
	for _, t := range times {
		all = append(all, t...)
	}
	run.PerS, run.AnswerMs, run.Errors = float64(done)/took.Seconds(), percentiles(all), failed
	return run, nil
}
