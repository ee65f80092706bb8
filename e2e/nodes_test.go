package e2e

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// nodes opens a shop on PostgreSQL served by three processes.
func nodes(t *testing.T, sells ...offering) (*shop, []*server) {
	t.Helper()
	s := openShop(t, dbtest.Store(t, "postgres"), sells...)
	return s, []*server{s.serve(), s.serve(), s.serve()}
}

// TestThreeNodesSellEachUnitOnce: 600 buyers on three nodes want one of 200 units. Exactly
// 200 get one; the others are told so, without a database once it is known; units that come
// in by another process are on sale at every node.
func TestThreeNodesSellEachUnitOnce(t *testing.T) {
	const units, buyers = 200, 600
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, all := nodes(t, offering{units})
	h := newHTTP()
	var mu sync.Mutex
	codes := map[string]id.Order{}
	sold, soldOut := 0, 0
	gate := make(chan struct{})
	var wait sync.WaitGroup
	for i := range buyers {
		wait.Go(func() {
			<-gate
			key := fmt.Sprintf("crowd-of-three-%d", i)
			a, err := place(ctx, h, all[i%3].addr, key, s.offers[0])
			if err != nil {
				t.Errorf("buyer %d: %v", i, err)
				return
			}
			if a.status == 409 && a.Code == "order.sold_out" {
				mu.Lock()
				soldOut++
				mu.Unlock()
				return
			}
			if a.status != 201 {
				t.Errorf("buyer %d: %d %s", i, a.status, a.raw)
				return
			}
			// The notice comes to another node, and the code is read at the third.
			n, err := paid(ctx, h, all[(i+1)%3].addr, a.Payment.Intent, key, a.Total.Minor)
			if err != nil || !n.taken() {
				t.Errorf("notice of %d: %v, %v", i, err, n)
				return
			}
			r, err := reveal(ctx, h, all[(i+2)%3].addr, a.ID, a.Token, "reveal-"+key)
			if err != nil || r.status != 200 || len(r.Rights) != 1 {
				t.Errorf("codes of %d: %v, %v", i, err, r)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sold++
			if other, twice := codes[r.Rights[0].Code]; twice {
				t.Errorf("%s and %s got the same code", other, a.ID)
			}
			codes[r.Rights[0].Code] = a.ID
		})
	}
	close(gate)
	wait.Wait()
	if sold != units || soldOut != buyers-units || len(codes) != units {
		t.Errorf("%d sold, %d told that it is sold out, %d codes", sold, soldOut, len(codes))
	}
	for i, n := range all { // from here on every node knows
		if a, err := place(ctx, h, n.addr, fmt.Sprintf("known-of-three-%d", i), s.offers[0]); err != nil || a.Code != "order.sold_out" {
			t.Fatalf("node %d: %v, %v", i, err, a)
		}
	}
	// A node says so from memory once it has read, after it knew, which requests have orders.
	until(t, "sold out is said without a database", func() bool {
		said := 0
		withoutDatabase(t, s.store, func() {
			for i, n := range all {
				if a, err := place(ctx, h, n.addr, fmt.Sprintf("without-a-database-%d", i), s.offers[0]); err == nil && a.Code == "order.sold_out" {
					said++
				}
			}
		})
		return said == len(all)
	})
	s.addCodes(3)
	for i, n := range all {
		until(t, "node sells again", func() bool {
			a, err := place(ctx, h, n.addr, fmt.Sprintf("again-of-three-%d", i), s.offers[0])
			return err == nil && a.status/100 == 2
		})
	}
	s.verify()
}

// addCodes puts codes into the shop's first stock from a process of its own.
func (s *shop) addCodes(n int64) {
	s.t.Helper()
	a, err := app.Open(s.t.Context(), app.Config{Store: s.store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	var stock *inventory.Stock
	if err := a.DB.View(s.t.Context(), func(tx *db.Tx) error {
		all, err := a.Flows.Inventory.All(s.t.Context(), tx)
		if err == nil {
			stock = all[0]
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := a.Flows.GenerateCodes(s.t.Context(), flow.Generate{Stock: stock.ID, Format: vault.DefaultFormat, Count: n, Issuer: "e2e", Name: "more", By: "system"}, nil); err != nil {
		s.t.Fatal(err)
	}
}

var cutOthers = db.SQL("e2e.cut_named", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`)

// allowed tells the statements of withoutDatabase apart.
var allowed atomic.Int64

// withoutDatabase calls fn while nobody can connect to a store.
func withoutDatabase(t *testing.T, store string, fn func()) {
	t.Helper()
	u, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	d, err := db.Open(t.Context(), db.Config{Store: u.String(), Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	allow := func(word string) {
		t.Helper()
		stmt := db.SQL(fmt.Sprintf("e2e.allow_%s_%s_%d", name, word, allowed.Add(1)), `ALTER DATABASE `+name+` ALLOW_CONNECTIONS `+word)
		if err := d.Do(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), stmt); err != nil {
				return err
			}
			return tx.Query(t.Context(), cutOthers, func(scan func(...any) error) error { var done bool; return scan(&done) }, name)
		}); err != nil {
			t.Fatal(err)
		}
	}
	allow("false")
	defer allow("true")
	fn()
}

// TestAPageLearnsOfAnotherNode: a page that waits at one node learns of a payment that was
// confirmed at another, by push.
func TestAPageLearnsOfAnotherNode(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, all := nodes(t, offering{10})
	h := newHTTP()
	a, err := place(ctx, h, all[0].addr, "a-waiting-page", s.offers[0])
	if err != nil || a.status != 201 {
		t.Fatalf("%v, %v", err, a)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(path string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, "GET", "http://"+all[0].addr+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 200 {
			t.Fatalf("%s is answered %s", path, res.Status)
		}
		return res
	}
	page := "/orders/" + string(a.ID)
	discard(get(page + "?k=" + a.Token).Body)
	res := get(page + "/events")
	defer res.Body.Close()
	in := bufio.NewScanner(res.Body)
	if !in.Scan() { // the stream is open before anybody pays
		t.Fatal(in.Err())
	}
	if n, err := paid(ctx, h, all[1].addr, a.Payment.Intent, "a-waiting-page", a.Total.Minor); err != nil || !n.taken() {
		t.Fatalf("%v, %v", err, n)
	}
	for in.Scan() {
		if in.Text() == "event: done" {
			return
		}
	}
	t.Fatalf("the page was never told: %v", in.Err())
}

var told = db.SQL("e2e.told", `SELECT o.id, (SELECT COUNT(*) FROM notifications n WHERE n.order_id = o.id), (SELECT COUNT(*) FROM jobs j WHERE j.subject = o.id AND j.state = 'done') FROM orders o`)

// TestAJobIsDoneOnce: three servers and two workers look for the same work; each shopper is
// told once.
func TestAJobIsDoneOnce(t *testing.T) {
	const orders = 300
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, all := nodes(t, offering{orders})
	for range 2 {
		s.worker()
	}
	h := newHTTP()
	var wait sync.WaitGroup
	next := make(chan int, orders)
	for i := range orders {
		next <- i
	}
	close(next)
	for range 16 {
		wait.Go(func() {
			for i := range next {
				key := fmt.Sprintf("told-exactly-once-%d", i)
				a, err := place(ctx, h, all[i%3].addr, key, s.offers[0])
				if err != nil || a.status != 201 {
					t.Errorf("%v, %v", err, a)
					return
				}
				if n, err := paid(ctx, h, all[(i+1)%3].addr, a.Payment.Intent, key, a.Total.Minor); err != nil || !n.taken() {
					t.Errorf("%v, %v", err, n)
				}
			}
		})
	}
	wait.Wait()
	d := s.open()
	until(t, "every job is done", func() bool {
		n, done := 0, true
		s.ask(d, told, func(scan func(...any) error) error {
			var o id.Order
			var messages, jobs int
			err := scan(&o, &messages, &jobs)
			n++
			done = done && jobs == 1
			if messages > 1 {
				t.Fatalf("%s was told %d times", o, messages)
			}
			return err
		})
		return done && n == orders
	})
	s.verify()
}

// open opens the shop's database until the test ends.
func (s *shop) open() *db.DB {
	s.t.Helper()
	d, err := db.Open(s.t.Context(), db.Config{Store: s.store, Connections: 2})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { d.Close() })
	return d
}

func (s *shop) ask(d *db.DB, stmt *db.Stmt, each func(scan func(...any) error) error) {
	s.t.Helper()
	if err := d.View(s.t.Context(), func(tx *db.Tx) error { return tx.Query(s.t.Context(), stmt, each) }); err != nil {
		s.t.Fatal(err)
	}
}

// worker starts a `hufu worker` process, which is killed with the test.
func (s *shop) worker() {
	s.t.Helper()
	hufu, err := buildHufu()
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(hufu, "worker", "--store", s.store, "--key-file", s.keys, "--sandbox-url", "http://127.0.0.1:9", "--sandbox-secret", gatewaySecret)
	c.Env = append(os.Environ(), "HUFU_LANG=en")
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	})
}

var (
	ageOrders       = db.SQL("e2e.age_orders", `UPDATE orders SET expires_at = expires_at - 3600000000`)
	ageIntents      = db.SQL("e2e.age_intents", `UPDATE payment_intents SET expires_at = expires_at - 3600000000`)
	ageReservations = db.SQL("e2e.age_reservations", `UPDATE reservations SET expires_at = expires_at - 3600000000`)
	stocksNow       = db.SQL("e2e.stocks", `SELECT available, reserved, delivered FROM stocks`)
	histories       = db.SQL("e2e.histories", `SELECT id, state, history FROM orders`)
)

// TestTwoNodesExpireOnce: three nodes find the same orders over; each order ends once and
// its unit comes back once.
func TestTwoNodesExpireOnce(t *testing.T) {
	const orders = 120
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := openShop(t, dbtest.Store(t, "postgres"), offering{orders})
	h := newHTTP()
	first := s.serve("--worker=false")
	for i := range orders {
		if a, err := place(ctx, h, first.addr, fmt.Sprintf("left-to-expire-%d", i), s.offers[0]); err != nil || a.status != 201 {
			t.Fatalf("%v, %v", err, a)
		}
	}
	d := s.open()
	if err := d.Do(ctx, func(tx *db.Tx) error { // an hour goes by
		for _, stmt := range []*db.Stmt{ageOrders, ageIntents, ageReservations} {
			if _, err := tx.Exec(ctx, stmt); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.serve()
	}
	until(t, "every unit is back", func() bool {
		var available, reserved, delivered int64
		s.ask(d, stocksNow, func(scan func(...any) error) error { return scan(&available, &reserved, &delivered) })
		if available > orders {
			t.Fatalf("%d units are available of %d", available, orders)
		}
		return available == orders && reserved == 0 && delivered == 0
	})
	s.ask(d, histories, func(scan func(...any) error) error {
		var o id.Order
		var state, history string
		err := scan(&o, &state, &history)
		if state != "expired" || strings.Count(history, "expired") != 1 {
			t.Errorf("%s is %s with the history %s", o, state, history)
		}
		return err
	})
	s.verify()
}
