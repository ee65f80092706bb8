package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/db/dbtest"
	"hufu/internal/paygate/sandbox/gateway"
)

// pending is a request whose head the server has read and whose body it waits for.
type pending struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

// begin sends the head of a request and returns when a handler asks for the body: from then
// on the request is under way.
func begin(t *testing.T, addr, path string, header map[string]string, body []byte) *pending {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	p := &pending{conn: conn, in: bufio.NewReader(conn), body: body}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n", path, addr, len(body))
	for name, v := range header {
		head += name + ": " + v + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := p.in.ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server did not ask for the body: %q, %v", line, err)
	}
	if _, err := p.in.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return p
}

// finish sends the body and gives the answer.
func (p *pending) finish() (status int, body string, err error) {
	if _, err := p.conn.Write(p.body); err != nil {
		return 0, "", err
	}
	res, err := http.ReadResponse(p.in, nil)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// TestTermFinishesWhatIsUnderWay is the first half of F3: a server that is asked to end
// takes nothing new, answers what it has begun, and ends with status 0.
func TestTermFinishesWhatIsUnderWay(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			ctx := t.Context()
			s := openShop(t, dbtest.Store(t, kind), offering{100})
			server := s.serve()
			h := newHTTP()
			var notices, orders []*pending
			for i := range 8 {
				key := fmt.Sprintf("before-the-end-%d", i)
				a, err := place(ctx, h, server.addr, key, s.offers[0])
				if err != nil || a.status != 201 {
					t.Fatalf("%v, %v", err, a)
				}
				signature, body := paidNotice(a.Payment.Intent, key, a.Total.Minor)
				notices = append(notices, begin(t, server.addr, "/api/v1/gateways/sandbox/notices", map[string]string{gateway.SignatureHeader: signature}, body))
				orders = append(orders, begin(t, server.addr, "/api/v1/orders", map[string]string{"Idempotency-Key": fmt.Sprintf("during-the-end-%d", i)}, orderBody(s.offers[0], 1)))
			}
			h.CloseIdleConnections()
			server.term()
			until(t, "the server takes nothing new", func() bool {
				conn, err := net.DialTimeout("tcp", server.addr, time.Second)
				if err == nil {
					conn.Close()
				}
				return err != nil
			})
			for i := range notices {
				if status, body, err := notices[i].finish(); err != nil || status != 200 || body != "success" {
					t.Errorf("notice %d: %d %q, %v", i, status, body, err)
				}
				if status, body, err := orders[i].finish(); err != nil || status != 201 {
					t.Errorf("order %d: %d %q, %v", i, status, body, err)
				}
			}
			server.ended()
			s.verify()
		})
	}
}

// balancer sends each request to a server in rotation, and knows how many are on their way
// to each.
type balancer struct {
	mu   sync.Mutex
	in   []*server
	next int
	busy map[string]int // by address
}

func (b *balancer) where(ctx context.Context) (string, func(), error) {
	if err := ctx.Err(); err != nil {
		return "", nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	addr := b.in[b.next%len(b.in)].addr
	b.busy[addr]++
	return addr, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.busy[addr]--
	}, nil
}

// swap puts a server into rotation in place of another, and waits until what the balancer
// has sent to that one is answered, as balancers do.
func (b *balancer) swap(t *testing.T, old, fresh *server) {
	t.Helper()
	b.mu.Lock()
	b.in[slices.Index(b.in, old)] = fresh
	b.mu.Unlock()
	until(t, "the server is drained", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.busy[old.addr] == 0
	})
}

// TestRollingRestart is the second half of F3: two servers on one database are replaced one
// after the other under load, each taken out of rotation first. No request fails.
func TestRollingRestart(t *testing.T) {
	rng := seeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := openShop(t, dbtest.Store(t, "postgres"), offering{20000})
	m := newMarket(t, s)
	b := &balancer{in: []*server{s.serve(), s.serve()}, busy: map[string]int{}}
	m.where = b.where
	failed := make(chan string, 1)
	m.http.Transport = failing{m.http.Transport, failed}
	stop := make(chan struct{})
	all := m.work(ctx, rng, 12, stop)
	for i := range 2 {
		m.heard(ctx, 200)
		old := b.in[i]
		b.swap(t, old, s.serve())
		old.term()
		old.ended()
	}
	m.heard(ctx, 100)
	close(stop)
	all.Wait()
	select {
	case why := <-failed:
		t.Errorf("a request failed: %s", why)
	default:
	}
	m.settle(ctx)
	s.verify()
	m.check()
}

// failing notes the first request that got no answer, or an answer of failure.
type failing struct {
	http.RoundTripper
	first chan string
}

// RoundTrip implements http.RoundTripper.
func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := f.RoundTripper.RoundTrip(r)
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case res.StatusCode >= 500:
		why = r.URL.Path + " was answered " + res.Status
	}
	if why != "" {
		select {
		case f.first <- why:
		default:
		}
	}
	return res, err
}
