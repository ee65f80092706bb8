package e2e

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hufu/internal/db"
	"hufu/internal/db/dbtest"
)

var (
	cutAll   = db.SQL("e2e.cut", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	dataHome = db.SQL("e2e.data_directory", `SELECT setting FROM pg_settings WHERE name = 'data_directory'`)
)

// TestConnectionsCut is F2 in its mild form: every connection to PostgreSQL is ended from the
// other side, again and again under load. The server answers 503 at worst and goes on by
// itself.
func TestConnectionsCut(t *testing.T) {
	rng := seeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := openShop(t, dbtest.Store(t, "postgres"), offering{20000}, offering{2000})
	m := newMarket(t, s)
	h := newHome()
	m.where = h.where
	server := s.serve("--log-level", "error")
	h.set(server.addr)
	d, err := db.Open(ctx, db.Config{Store: s.store, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	stop := make(chan struct{})
	all := m.work(ctx, rng, 12, stop)
	for range 6 {
		m.heard(ctx, 1+rng.IntN(200))
		for cut := 0; cut == 0; { // those cut before may not be back yet
			if err := d.View(ctx, func(tx *db.Tx) error {
				return tx.Query(ctx, cutAll, func(scan func(...any) error) error {
					var done bool
					cut++
					return scan(&done)
				})
			}); err != nil {
				t.Fatalf("no connection was cut: %v", err)
			}
		}
	}
	m.heard(ctx, 50)
	close(stop)
	all.Wait()
	m.settle(ctx)
	s.verify()
	m.check()
}

// postmaster is a PostgreSQL server found by its data folder, so that it can be killed and
// started again as it was.
type postmaster struct {
	pid  int
	exe  string
	args []string
	dir  string
	uid  uint32
	gid  uint32
	ours *exec.Cmd // once started again
}

func findPostmaster(t *testing.T, store string) *postmaster {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{Store: store, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p := new(postmaster)
	if err := d.View(t.Context(), func(tx *db.Tx) error {
		_, err := tx.One(t.Context(), dataHome, []any{&p.dir})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(p.dir, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	if p.pid, err = strconv.Atoi(first); err != nil {
		t.Fatal(err)
	}
	proc := filepath.Join("/proc", first)
	if p.exe, err = os.Readlink(filepath.Join(proc, "exe")); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil {
		t.Fatal(err)
	}
	p.args = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")[1:]
	info, err := os.Stat(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	p.uid, p.gid = info.Sys().(*syscall.Stat_t).Uid, info.Sys().(*syscall.Stat_t).Gid
	return p
}

// kill ends the server as kill -9 of all of it does. Killing the postmaster alone would
// leave its backends serving those who are connected until they notice.
func (p *postmaster) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(p.pid, syscall.SIGSTOP); err != nil { // so that it makes no more of them
		t.Fatal(err)
	}
	backends := childrenOf(t, p.pid)
	for _, pid := range append(backends, p.pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	if p.ours != nil {
		_ = p.ours.Wait() // it was killed
	}
	for _, pid := range backends {
		until(t, "a backend of the killed server is gone", func() bool {
			state, _ := processState(pid)
			return state == "" || state == "Z"
		})
	}
}

// childrenOf lists the processes that a process has started and that are still there.
func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if _, of := processState(pid); of == parent {
			out = append(out, pid)
		}
	}
	return out
}

// processState gives a process's state letter and its parent, "" when it is gone.
func processState(pid int) (state string, parent int) {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", 0
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	f := strings.Fields(rest)
	if len(f) < 2 {
		return "", 0
	}
	parent, _ = strconv.Atoi(f[1])
	return f[0], parent
}

// start starts the server again; it goes on from what is on the disk. While processes of the
// killed one are ending it refuses, and is started once more.
func (p *postmaster) start(t *testing.T, store string) {
	t.Helper()
	until(t, "PostgreSQL is up again", func() bool {
		p.ours = exec.Command(p.exe, p.args...)
		p.ours.Dir = filepath.Dir(p.dir)
		if os.Getuid() == 0 {
			p.ours.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.uid, Gid: p.gid}}
		}
		if err := p.ours.Start(); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func(c *exec.Cmd) { _ = c.Wait(); close(gone) }(p.ours)
		for {
			if d, err := db.Open(t.Context(), db.Config{Store: store, Connections: 1}); err == nil {
				d.Close()
				p.pid = p.ours.Process.Pid
				p.ours = nil
				return true
			}
			select {
			case <-gone:
				return false
			case <-t.Context().Done():
				return false
			default:
			}
		}
	})
}

// TestDatabaseKilled is F2: PostgreSQL itself is killed under load and started again. While
// it is gone the server says so with 503 and Retry-After, and afterwards goes on by itself,
// with all that was acknowledged.
func TestDatabaseKilled(t *testing.T) {
	rng := seeded(t)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	store, stopCluster, err := dbtest.StartCluster(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer stopCluster()
	s := openShop(t, store, offering{20000}, offering{2000})
	pg := findPostmaster(t, store)
	defer func() { _ = syscall.Kill(pg.pid, syscall.SIGINT) }()
	m := newMarket(t, s)
	h := newHome()
	m.where = h.where
	server := s.serve("--log-level", "error")
	h.set(server.addr)
	stop := make(chan struct{})
	all := m.work(ctx, rng, 12, stop)
	for range 2 {
		m.heard(ctx, 100+rng.IntN(200))
		pg.kill(t)
		refused := func(path string, body []byte) {
			t.Helper()
			r, err := http.NewRequestWithContext(ctx, "POST", "http://"+server.addr+path, strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "while-it-is-gone")
			res, err := m.http.Do(r)
			if err != nil {
				t.Fatalf("without a database %s isn't answered: %v", path, err)
			}
			defer discard(res.Body)
			if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
				t.Errorf("without a database %s is answered %d, Retry-After %q", path, res.StatusCode, res.Header.Get("Retry-After"))
			}
		}
		refused("/api/v1/orders", orderBody(s.offers[0], 1))
		pg.start(t, store)
	}
	m.heard(ctx, 50)
	close(stop)
	all.Wait()
	m.settle(ctx)
	s.verify()
	server.term()
	server.ended()
	m.check()
}
