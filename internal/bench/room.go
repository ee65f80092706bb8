package bench

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
)

// Room says what to measure of a waiting room.
type Room struct {
	Store    string
	KeyFile  string
	Tickets  int
	Clients  []int
	Duration time.Duration
	Progress func(text string)
}

// RoomRun is the figures of one run. Joining is measured once for all runs.
type RoomRun struct {
	Store     string      `json:"store"`
	Tickets   int         `json:"tickets"`
	Clients   int         `json:"clients"`
	JoinsPerS float64     `json:"joins_per_s"`
	PollsPerS float64     `json:"polls_per_s"` // of the API
	PollMs    Percentiles `json:"poll_ms"`
	PagesPerS float64     `json:"page_polls_per_s"` // of the shop's page, which is the larger answer
	PageMs    Percentiles `json:"page_poll_ms"`
	CPU       float64     `json:"cpu_us_per_poll"` // of the server, a poll of the API
	Bytes     float64     `json:"bytes_per_waiter"`
	PeakMB    float64     `json:"peak_mb"`
	EchoPerS  float64     `json:"echo_per_s"`
	RatioHTTP float64     `json:"ratio_http"`
	Errors    int64       `json:"errors"`
	First     string      `json:"first_error,omitempty"`
}

// RunRoom has so many wait for one offer, and measures how fast they are told how they stand.
// The clients share the machine with the server.
func RunRoom(ctx context.Context, m Room) ([]RoomRun, error) {
	slug := fmt.Sprintf("room-%d", time.Now().UnixNano())
	o, err := waited(ctx, m, slug)
	if err != nil {
		return nil, err
	}
	// Each who waits comes from an address of their own: one that asks for thousands of
	// places is refused.
	server, err := start(ctx, "serve", "--store", m.Store, "--key-file", m.KeyFile, "--listen", "127.0.0.1:0", "--rate-limit", "0", "--log-level", "error",
		"--sandbox-url", "http://127.0.0.1:9", "--sandbox-secret", secret, "--trust-proxy", "127.0.0.1")
	if err != nil {
		return nil, err
	}
	defer server.stop()
	conns, err := dialAll(server.addr, 16)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	base := RoomRun{Store: kind(m.Store), Tickets: m.Tickets}
	m.Progress(fmt.Sprintf("%d line up", m.Tickets))
	// What is measured is a warm server.
	if _, err := lineUp(ctx, conns, slug, m.Tickets, min(m.Tickets, 20_000)); err != nil {
		return nil, err
	}
	held, began := server.held(), time.Now()
	tickets, err := lineUp(ctx, conns, slug, 0, m.Tickets)
	if err != nil {
		return nil, err
	}
	base.JoinsPerS = float64(m.Tickets) / time.Since(began).Seconds()
	base.Bytes = (server.held() - held) * (1 << 20) / float64(m.Tickets)
	var out []RoomRun
	for _, n := range m.Clients {
		run := base
		run.Clients = n
		m.Progress(fmt.Sprintf("limits: echo, %d clients", n))
		if run.EchoPerS, err = echoRate(ctx, n, min(m.Duration, 3*time.Second)); err != nil {
			return out, err
		}
		m.Progress(fmt.Sprintf("polls, %d clients", n))
		conns, err := dialAll(server.addr, n)
		if err != nil {
			return out, err
		}
		cpu, done := server.cpu(), int64(0)
		run.PollsPerS, run.PollMs, done, err = polls(ctx, conns, m.Duration, tickets, &run, func(c *client, ticket string) error {
			status, body, err := c.do("GET", "/api/v1/offers/"+slug+"/ticket?ticket="+ticket, "", nil)
			if state := member(body, "state"); err == nil && (status != 200 || state != "waiting" && state != "let_in") {
				err = fmt.Errorf("a poll was answered %d %.300s", status, body)
			}
			return err
		})
		if err != nil {
			closeAll(conns)
			return out, err
		}
		run.CPU = (server.cpu() - cpu) * 1e6 / float64(done)
		m.Progress(fmt.Sprintf("polls of the page, %d clients", n))
		run.PagesPerS, run.PageMs, _, err = polls(ctx, conns, m.Duration, tickets, &run, func(c *client, ticket string) error {
			status, body, err := c.do("GET", "/offers/"+slug+"/queue/state", "Hufu-Fragment: 1\r\nCookie: hufu_queue_"+string(o)+"="+ticket+"\r\n", nil)
			if err == nil && (status != 200 || !bytes.Contains(body, []byte("room-number"))) {
				err = fmt.Errorf("a poll of the page was answered %d %.300s", status, body)
			}
			return err
		})
		closeAll(conns)
		if err != nil {
			return out, err
		}
		run.RatioHTTP, run.PeakMB = run.PollsPerS/run.EchoPerS, server.peak()
		out = append(out, run)
	}
	return out, nil
}

func dialAll(addr string, n int) ([]*client, error) {
	all := make([]*client, 0, n)
	for range n {
		c, err := dial(addr)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func closeAll(all []*client) {
	for _, c := range all {
		c.close()
	}
}

// waited puts an offer with a waiting room on sale, in which most wait for longer than the
// measurement takes.
func waited(ctx context.Context, m Room, slug string) (id.Offer, error) {
	a, err := open(ctx, m.Store, m.KeyFile)
	if err != nil {
		return "", err
	}
	defer a.Close()
	o, err := offer(ctx, a, slug, 1000)
	if err != nil {
		return "", err
	}
	return o, withRoom(ctx, a, o, catalogue.Room{PerMinute: 60, Minutes: 60})
}

func withRoom(ctx context.Context, a *app.App, offer id.Offer, room catalogue.Room) error {
	return a.DB.Do(ctx, func(tx *db.Tx) error {
		o, err := a.Flows.Catalogue.Offer(ctx, tx, offer)
		if err != nil {
			return err
		}
		o.Draft.Room = room
		_, _, err = a.Flows.Catalogue.Publish(ctx, tx, o, "system", a.Clock.Now())
		return err
	})
}

func joinAs(c *client, slug string, n int) (string, error) {
	address := fmt.Sprintf("X-Forwarded-For: 10.%d.%d.%d\r\n", n>>16&255, n>>8&255, n&255)
	status, body, err := c.do("POST", "/api/v1/offers/"+slug+"/ticket", address, []byte(`{"device":"a secret of application `+strconv.Itoa(n)+`"}`))
	if err == nil && status != 200 {
		err = fmt.Errorf("join: %d %.300s", status, body)
	}
	return member(body, "ticket"), err
}

// lineUp has so many from a number on join, and returns their tickets.
func lineUp(ctx context.Context, conns []*client, slug string, from, n int) ([]string, error) {
	tickets := make([]string, n)
	var next atomic.Int64
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, _, _, err := load(ctx, len(conns), time.Hour, func(_ context.Context, i int) (err error) {
		at := int(next.Add(1)) - 1
		if at >= n {
			cancel()
			return nil
		}
		if tickets[at], err = joinAs(conns[i], slug, from+at); err != nil {
			cancel()
		}
		return err
	})
	return tickets, err
}

// polls has clients ask how tickets stand, each the next of all.
func polls(ctx context.Context, conns []*client, d time.Duration, tickets []string, run *RoomRun, once func(*client, string) error) (perS float64, ms Percentiles, done int64, err error) {
	times := make([][]time.Duration, len(conns))
	var next atomic.Int64
	done, failed, took, first := load(ctx, len(conns), d, func(_ context.Context, i int) error {
		began := time.Now()
		err := once(conns[i], tickets[int(next.Add(7919))%len(tickets)])
		times[i] = append(times[i], time.Since(began))
		return err
	})
	if done == 0 {
		return 0, ms, 0, first
	}
	if run.Errors += failed; first != nil && run.First == "" {
		run.First = first.Error()
	}
	var all []time.Duration
	for _, t := range times {
		all = append(all, t...)
	}
	return float64(done) / took.Seconds(), percentiles(all), done, nil
}

// held is the memory the process holds now, in MiB.
func (p *process) held() float64 { return memoryOf(p.cmd.Process.Pid, "VmRSS:") }
