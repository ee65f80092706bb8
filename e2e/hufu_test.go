// Package e2e proves the product as it runs: real processes, real databases, and faults
// while customers are buying. The guards that the proofs rest on are listed in
// docs/GUARDS.md; each was taken out once to see a test go red.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// gatewaySecret signs the notices of the sandbox gateway, which these tests play.
const gatewaySecret = "e2e-secret-4b1f60d29c7e83a5f0d6b2c9817e3a54"

var binaries string // folder of what buildHufu built

func TestMain(m *testing.M) {
	code := m.Run()
	if binaries != "" {
		os.RemoveAll(binaries)
	}
	os.Exit(code)
}

// buildHufu builds the program once a run and gives its path.
var buildHufu = sync.OnceValues(func() (string, error) {
	var err error
	if binaries, err = os.MkdirTemp("", "hufu-e2e-"); err != nil {
		return "", err
	}
	path := filepath.Join(binaries, "hufu")
	if out, err := exec.Command("go", "build", "-o", path, "hufu/cmd/hufu").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// shop is a store with offers on sale, served by processes of the program.
type shop struct {
	t      *testing.T
	store  string
	keys   string
	offers []id.Offer
}

// offering is what a shop sells.
type offering struct{ codes int64 }

// openShop migrates an empty store and puts offers on sale, each with codes of its own.
func openShop(t *testing.T, store string, sells ...offering) *shop {
	t.Helper()
	ctx := t.Context()
	s := &shop{t: t, store: store, keys: filepath.Join(t.TempDir(), "keys")}
	c := app.Config{Store: store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}
	if _, err := app.Migrate(ctx, c); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateKeyFile(s.keys, time.Now()); err != nil {
		t.Fatal(err)
	}
	a, err := app.Open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for i, o := range sells {
		offer, stock := putOnSale(t, a, fmt.Sprintf("offer-%d", i))
		if o.codes > 0 {
			if _, err := a.Flows.GenerateCodes(ctx, flow.Generate{Stock: stock, Format: vault.DefaultFormat, Count: o.codes, Issuer: "e2e", Name: "batch", By: "system"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		s.offers = append(s.offers, offer)
	}
	return s
}

// price is what a unit of every offer costs, in fen.
const price = 1990

// benefitOf is what every offer gives, each from a stock of its own.
func benefitOf(slug string, stock id.Stock) catalogue.Benefit {
	return catalogue.Benefit{Slug: slug, Kind: "membership", Provider: catalogue.Provider{Key: "e2e", Name: inBoth("E2E")},
		Name: inBoth("VIP 30"), Attributes: map[string]string{"days": "30"}, ValidDays: 30, Stock: stock, Coded: true,
		Disclosure: catalogue.Disclosure{AccountType: inBoth("a"), Scope: inBoth("s"), Devices: inBoth("d"), Validity: inBoth("v"), HowToUse: inBoth("h"), Refund: inBoth("r")}}
}

func contentOf(b catalogue.Benefit) catalogue.Content {
	return catalogue.Content{Title: inBoth("VIP"), Summary: inBoth("s"), Price: money.Of(price, money.CNY), List: money.Of(3000, money.CNY), MaxPerOrder: 10,
		Parts: []catalogue.Part{{Benefit: b, Quantity: 1}}}
}

func inBoth(s string) catalogue.Text { return catalogue.Text{ZH: s, EN: s} }

func putOnSale(t *testing.T, a *app.App, slug string) (id.Offer, id.Stock) {
	t.Helper()
	ctx, now := t.Context(), a.Clock.Now()
	var offer id.Offer
	var stock id.Stock
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		s, err := a.Flows.Inventory.Create(ctx, tx, slug, inventory.Codes, 0, now)
		if err != nil {
			return err
		}
		b, err := a.Flows.Catalogue.PutBenefit(ctx, tx, benefitOf(slug, s.ID), "system", now)
		if err != nil {
			return err
		}
		o, err := a.Flows.Catalogue.Create(ctx, tx, catalogue.Offer{Slug: slug, Category: "video", Draft: contentOf(b)}, now)
		if err != nil {
			return err
		}
		if o, _, err = a.Flows.Catalogue.Publish(ctx, tx, o, "system", now); err != nil {
			return err
		}
		o, err = a.Flows.Catalogue.SetState(ctx, tx, o, catalogue.Live, now)
		offer, stock = o.ID, s.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return offer, stock
}

// look opens the shop's database for a question.
func (s *shop) look(fn func(ctx context.Context, tx *db.Tx) error) {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), db.Config{Store: s.store, Connections: 2})
	if err != nil {
		s.t.Fatal(err)
	}
	defer d.Close()
	if err := d.View(s.t.Context(), func(tx *db.Tx) error { return fn(s.t.Context(), tx) }); err != nil {
		s.t.Fatal(err)
	}
}

// verify runs `hufu verify` as a process and fails the test unless every invariant holds.
func (s *shop) verify() {
	s.t.Helper()
	hufu, err := buildHufu()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, hufu, "verify", "--store", s.store)
	c.Env = append(os.Environ(), "HUFU_LANG=en")
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Errorf("hufu verify: %v\n%s", err, out)
	}
}

// server is one `hufu serve` process.
type server struct {
	t    *testing.T
	addr string
	cmd  *exec.Cmd
	log  *safeBuffer
	gone chan struct{} // closed when the process has ended
	err  error         // of Wait, once gone
}

// safeBuffer keeps what a process writes.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// serve starts a process and waits until it accepts connections. It is killed with the test.
func (s *shop) serve(more ...string) *server {
	s.t.Helper()
	p, err := s.start(more...)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *shop) start(more ...string) (*server, error) {
	hufu, err := buildHufu()
	if err != nil {
		return nil, err
	}
	p := &server{t: s.t, log: new(safeBuffer), gone: make(chan struct{})}
	// The sandbox's address leads nowhere: these tests are the gateway, and it is silent when asked.
	p.cmd = exec.Command(hufu, append([]string{"serve", "--store", s.store, "--key-file", s.keys, "--listen", "127.0.0.1:0", "--rate-limit", "0",
		"--sandbox-url", "http://127.0.0.1:9", "--sandbox-secret", gatewaySecret}, more...)...)
	p.cmd.Env = append(os.Environ(), "HUFU_LANG=en")
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	s.t.Cleanup(func() { p.kill() })
	named := make(chan string, 1)
	go func() {
		defer close(p.gone)
		in := bufio.NewReader(out)
		for {
			line, err := in.ReadString('\n')
			p.log.Write([]byte(line))
			if _, addr, ok := strings.Cut(line, "http://"); ok {
				select {
				case named <- strings.TrimSpace(addr):
				default:
				}
			}
			if err != nil {
				break
			}
		}
		p.err = p.cmd.Wait()
	}()
	select {
	case p.addr = <-named:
		return p, nil
	case <-p.gone:
		return nil, fmt.Errorf("hufu serve did not come up: %v\n%s", p.err, p.log)
	case <-time.After(30 * time.Second):
		p.kill()
		return nil, fmt.Errorf("hufu serve did not come up in time\n%s", p.log)
	}
}

// kill ends the process as kill -9 does and waits until it is gone.
func (p *server) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.gone
}

// term asks the process to end, as an operator or a supervisor does.
func (p *server) term() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

// ended waits until the process has ended and fails the test unless its status is 0.
func (p *server) ended() {
	p.t.Helper()
	select {
	case <-p.gone:
	case <-time.After(30 * time.Second):
		p.t.Fatalf("the server did not end\n%s", p.log)
	}
	if p.err != nil {
		p.t.Errorf("the server ended with %v\n%s", p.err, p.log)
	}
}

// until asks again and again, up to half a minute, until what is asked for holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// seeded gives the random numbers of a test. HUFU_SEED repeats a run that failed.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("HUFU_SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("HUFU_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// discard reads what is left of a body, so that its connection can be used again.
func discard(r io.ReadCloser) {
	_, _ = io.Copy(io.Discard, r)
	r.Close()
}
