package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/paygate/sandbox/gateway"
	"hufu/internal/vault"
)

// needles are pieces of secrets that must be found nowhere: each is long enough not to be
// there by chance, and short enough to be found where something was cut off.
type needles map[string]string

// plant adds a secret, in clear and as hexadecimal digits.
func (n needles) plant(what, secret string) {
	half := len(secret) / 2
	for _, piece := range []string{secret[:half], secret[half-2 : len(secret)-4]} { // the last four may be shown
		n[piece] = what
		n[hex.EncodeToString([]byte(piece))] = what + " in hexadecimal"
	}
}

func (n needles) seek(t *testing.T, where string, haystack []byte) {
	t.Helper()
	lower := bytes.ToLower(haystack)
	for piece, what := range n {
		if bytes.Contains(lower, bytes.ToLower([]byte(piece))) {
			t.Errorf("%s holds %s in clear", where, what)
		}
	}
}

// importCodes takes a supplier's file into a stock, as an operator does.
func importCodes(t *testing.T, a *app.App, stock id.Stock, file string) {
	t.Helper()
	ctx, who := t.Context(), flow.Act{By: "system"}
	run, err := a.Flows.ReceiveImport(ctx, flow.NewImport{Stock: stock, File: strings.NewReader(file), FileName: "codes.csv", By: who.By,
		Options: vault.ImportOptions{Name: "canaries", Issuer: "e2e", Supplier: "e2e"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Flows.CheckImport(ctx, run.ID, run.Options, who); err != nil {
		t.Fatal(err)
	}
	if err := a.Flows.RunImports(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Flows.StartImport(ctx, run.ID, who); err != nil {
		t.Fatal(err)
	}
	if err := a.Flows.RunImports(ctx); err != nil {
		t.Fatal(err)
	}
	if run, err = a.Flows.Import(ctx, run.ID); err != nil || run.State != vault.ImportDone {
		t.Fatalf("the import is %+v, %v", run, err)
	}
}

// TestCanaries plants codes and passwords, sells some, shows some and provokes every kind of
// error with them, and then seeks them wherever something is kept or told: database file and
// log, dump, backup, server log, problems and error pages (I26, S11, S14).
func TestCanaries(t *testing.T) {
	for _, kind := range dbtest.Stores {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			hidden, told := needles{}, needles{} // told must not be in what we tell: logs and errors
			var file strings.Builder
			file.WriteString("卡密,密码\n")
			var planted []string
			for range 40 {
				code, password := "C"+rand.Text()[:23], "P"+rand.Text()[:19]
				hidden.plant("a code", code)
				hidden.plant("a password", password)
				planted = append(planted, code)
				fmt.Fprintf(&file, "%s,%s\n", code, password)
			}
			planted = append(planted, "C"+rand.Text()[:23]) // one that was never ours
			hidden.plant("a code somebody typed", planted[40])

			store := dbtest.Store(t, kind)
			s := openShop(t, store, offering{20})
			var log safeBuffer
			a, err := app.Open(ctx, app.Config{Store: store, KeyFile: s.keys, PublicURL: "http://127.0.0.1"}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			if err != nil {
				t.Fatal(err)
			}
			offer, stock := putOnSale(t, a, "canaries")
			importCodes(t, a, stock, file.String())
			a.Close()
			s.offers = append(s.offers, offer)

			server := s.serve("--log-level", "debug", "--log-format", "json")
			h := newHTTP()
			for i, offer := range []id.Offer{s.offers[0], s.offers[1], s.offers[1], s.offers[1]} {
				key := fmt.Sprintf("canary-%d-of-us", i)
				o, err := place(ctx, h, server.addr, key, offer)
				if err != nil || o.status != 201 {
					t.Fatalf("%v, %v", err, o)
				}
				told.plant("an order's secret", o.Token)
				if n, err := paid(ctx, h, server.addr, o.Payment.Intent, key, o.Total.Minor); err != nil || !n.taken() {
					t.Fatalf("%v, %v", err, n)
				}
				if i == 3 {
					continue // delivered and never shown
				}
				r, err := reveal(ctx, h, server.addr, o.ID, o.Token, key)
				if err != nil || r.status != 200 || len(r.Rights) != 1 {
					t.Fatalf("%v, %v", err, r)
				}
				hidden.plant("a code that was shown", strings.ReplaceAll(r.Rights[0].Code, "-", ""))
				hidden.plant("a code that was shown", r.Rights[0].Code)
				if i > 0 && !strings.Contains(file.String(), r.Rights[0].Code) {
					t.Errorf("the code %q is not of the file", r.Rights[0].Code)
				}
			}
			told["13800001234"] = "a phone number"
			told.plant("the gateway's secret", gatewaySecret)
			for _, code := range []string{planted[0], planted[40]} {
				provoke(t, h, server, code, hidden)
			}
			until(t, "the shoppers are told", func() bool {
				waiting := 0
				s.look(func(ctx context.Context, tx *db.Tx) error {
					return tx.Query(ctx, jobsOpen, func(scan func(...any) error) error { return scan(&waiting) })
				})
				return waiting == 0
			})
			if kind == "sqlite" {
				s.seekFiles(t, hidden)
			}
			s.seekDump(t, hidden)
			server.term()
			server.ended()
			for name, text := range map[string]string{"the server's log": server.log.String(), "the importing process' log": log.String()} {
				hidden.seek(t, name, []byte(text))
				told.seek(t, name, []byte(text))
			}
			if len(server.log.String()) < 100 {
				t.Error("the server logged nothing")
			}
		})
	}
}

var jobsOpen = db.SQL("e2e.jobs_open", `SELECT COUNT(*) FROM jobs WHERE state IN ('ready','running')`)

// provoke sends a code wherever somebody might type or paste one by mistake, and looks for
// it in each answer that is an error.
func provoke(t *testing.T, h *http.Client, server *server, code string, hidden needles) {
	t.Helper()
	q := url.QueryEscape(code)
	failed := 0
	for _, r := range []struct {
		method, path string
		header       map[string]string
		body         string
	}{
		{"GET", "/" + code, nil, ""},
		{"GET", "/offers/" + code, nil, ""},
		{"GET", "/orders/" + code, nil, ""},
		{"GET", "/orders/" + code + "/events", nil, ""},
		{"GET", "/search?q=" + q, nil, ""},
		{"GET", "/api/v1/" + code, nil, ""},
		{"GET", "/api/v1/orders/" + code, map[string]string{"Authorization": "Bearer " + code}, ""},
		{"GET", "/api/v1/orders/" + code + "?code=" + q, nil, ""},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-1"}, `{"lines":[{"offer":"` + code + `","quantity":1,"terms":"` + accepted + `"}],"gateway":"sandbox"}`},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-7"}, `{"lines":[{"offer":"ofr_01jd8x3vx8f8ps6v4p2h4k7q9e","quantity":1,"terms":"` + code + `"}],"gateway":"sandbox"}`},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-2"}, `{"` + code + `":1}`},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-3"}, `{"lines":"` + code + `"}`},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-4"}, `{"phone":"` + code + code + `","lines":[],"gateway":"` + code + `"}`},
		{"POST", "/api/v1/orders", map[string]string{"Idempotency-Key": "canary-key-5"}, `{"lines": ` + code},
		{"POST", "/api/v1/orders/" + code + "/reveal", map[string]string{"Authorization": "Bearer " + code, "Idempotency-Key": "canary-key-6"}, `{"confirm":true}`},
		{"POST", "/api/v1/gateways/sandbox/notices", map[string]string{gateway.SignatureHeader: "t=1,v1=" + code}, `{"id":"` + code + `"}`},
		{"POST", "/api/v1/gateways/" + code + "/notices", nil, code},
		{"BREW", "/api/v1/orders/" + code, nil, ""},
	} {
		a, err := call(t.Context(), h, r.method, "http://"+server.addr+r.path, r.header, []byte(r.body))
		if err != nil {
			t.Fatalf("%s %s: %v", r.method, r.path, err)
		}
		if a.status >= 500 {
			t.Errorf("%s %s is answered %v", r.method, r.path, a)
		}
		if a.status >= 400 {
			failed++
		}
		// A page may have its own address in a form, and a problem names a member that it
		// doesn't know; neither repeats anything else.
		if unknown := strings.HasPrefix(r.body, `{"`+code); a.status >= 400 && !unknown && (!strings.Contains(r.path, code) || bytes.HasPrefix(a.raw, []byte("{"))) {
			hidden.seek(t, "the answer to "+r.method+" "+strings.ReplaceAll(r.path, code, "CODE"), a.raw)
		}
	}
	if failed < 12 {
		t.Errorf("only %d requests failed", failed)
	}
}

// seekFiles seeks in the database's files as they lie there while it is served, and in a
// backup made meanwhile.
func (s *shop) seekFiles(t *testing.T, hidden needles) {
	t.Helper()
	path := strings.TrimPrefix(s.store, "sqlite:")
	hufu, err := buildHufu()
	if err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	c := exec.CommandContext(t.Context(), hufu, "backup", "--store", s.store, backup)
	c.Env = append(os.Environ(), "HUFU_LANG=en")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	hidden.seek(t, "what hufu backup says", out)
	for _, name := range []string{path, path + "-wal", backup} {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) < 4096 {
			t.Errorf("%s has %d bytes only", name, len(raw))
		}
		hidden.seek(t, filepath.Base(name), raw)
	}
}

var (
	tablesOfPostgres = db.SQL("e2e.tables_postgres", `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`)
	tablesOfSQLite   = db.SQL("e2e.tables_sqlite", `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
)

// seekDump seeks in every row of every table, job and outbox rows among them.
func (s *shop) seekDump(t *testing.T, hidden needles) {
	t.Helper()
	d := s.open()
	list := tablesOfSQLite
	if d.Dialect() == db.Postgres {
		list = tablesOfPostgres
	}
	var tables []string
	s.ask(d, list, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		tables = append(tables, name)
		return err
	})
	if len(tables) < 20 {
		t.Fatalf("only %d tables", len(tables))
	}
	for _, table := range tables {
		var all bytes.Buffer
		if d.Dialect() == db.SQLite { // rows as they are: the columns follow one another
			s.ask(d, columnsOf(table), func(scan func(...any) error) error {
				var column string
				if err := scan(&column); err != nil {
					return err
				}
				s.ask(d, dumpStmt("e2e.dump_"+table+"_"+column, `SELECT CAST(`+column+` AS TEXT) || ' ' || HEX(`+column+`) FROM `+table), into(&all))
				return nil
			})
		} else {
			s.ask(d, dumpStmt("e2e.dump_"+table, `SELECT CAST(x AS TEXT) FROM `+table+` x`), into(&all))
		}
		hidden.seek(t, "the table "+table, all.Bytes())
	}
}

func into(b *bytes.Buffer) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var text string
		err := scan(&text)
		b.WriteString(text + "\n")
		return err
	}
}

func columnsOf(table string) *db.Stmt {
	return dumpStmt("e2e.columns_"+table, `SELECT name FROM pragma_table_info('`+table+`')`)
}

var dumpStmts = map[string]*db.Stmt{}

// dumpStmt makes a statement the first time it is asked for: their names are unique.
func dumpStmt(name, text string) *db.Stmt {
	if dumpStmts[name] == nil {
		dumpStmts[name] = db.SQL(name, text)
	}
	return dumpStmts[name]
}
