package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Echo serves a bare JSON echo: what HTTP and JSON cost on this machine with nothing
// behind them.
func Echo(ctx context.Context, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v map[string]any
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	})}
	go func() { <-ctx.Done(); s.Close() }()
	fmt.Fprintf(out, "echo at http://%s\n", l.Addr())
	if err := s.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// echoRate is requests a second that the echo answers to so many clients, with a body the
// size of an order's.
func echoRate(ctx context.Context, clients int, d time.Duration) (float64, error) {
	p, err := start(ctx, "bench", "echo")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	body := orderBody(onSale{"ofr_01jd8x3vx8f8ps6v4p2h4k7q9e", strings.Repeat("0", 64)}, "13800001234")
	conns := make([]*client, clients)
	for i := range conns {
		if conns[i], err = dial(p.addr); err != nil {
			return 0, err
		}
		defer conns[i].close()
	}
	done, failed, took, first := load(ctx, clients, d, func(_ context.Context, i int) error {
		status, _, err := conns[i].do("POST", "/", "", body)
		if err == nil && status != 200 {
			err = fmt.Errorf("echo answered %d", status)
		}
		return err
	})
	if failed > 0 {
		return 0, first
	}
	return float64(done) / took.Seconds(), nil
}

var bareRow = db.Rows("bench.row", `INSERT INTO bench_rows {{values id text, a text, b text, c bigint, d bigint, e text}}`)

// rowRate is rows a second that a bare loop writes in durable transactions of 500, into a
// store of the same kind, rows of the size a purchase writes.
func rowRate(ctx context.Context, store string, d time.Duration) (float64, error) {
	if strings.HasPrefix(store, "sqlite:") {
		dir, err := os.MkdirTemp(filepath.Dir(strings.TrimPrefix(store, "sqlite:")), "bench-rows-")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		store = "sqlite:" + filepath.Join(dir, "rows.db")
	}
	database, err := db.Open(ctx, db.Config{Store: store})
	if err != nil {
		return 0, err
	}
	defer database.Close()
	if err := database.Script(ctx, `CREATE TABLE IF NOT EXISTS bench_rows (id TEXT PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, c BIGINT NOT NULL, d BIGINT NOT NULL, e TEXT NOT NULL) {{clustered}};`); err != nil {
		return 0, err
	}
	rows, begin := 0, time.Now()
	for time.Since(begin) < d {
		err := database.Do(ctx, func(tx *db.Tx) error {
			return tx.WriteAll(ctx, bareRow, 500, func(i int, b *db.Binder) {
				k := string(id.New[id.Order]())
				b.Text(k).Text("pending").Text(k).Int(1990).Time(begin).Text(`{"order":"` + k + `","channel":"api","unit_price":1990}`)
			})
		})
		if err != nil {
			return 0, err
		}
		rows += 500
	}
	rate := float64(rows) / time.Since(begin).Seconds()
	return rate, database.Script(ctx, `DROP TABLE bench_rows;`)
}
