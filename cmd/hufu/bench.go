package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hufu/internal/bench"
)

type benchFlags struct {
	store, keys, clients string
	duration             time.Duration
	json                 bool
}

func (b *benchFlags) bind(e *env, f *flag.FlagSet) {
	e.values = b
	f.StringVar(&b.store, "store", "sqlite:bench.db", "database to measure on; it is filled with orders")
	f.StringVar(&b.keys, "key-file", "bench.keys", "file with the master keys; made when missing")
	f.StringVar(&b.clients, "clients", "1,16,64,256", "numbers of clients side by side")
	f.DurationVar(&b.duration, "duration", 10*time.Second, "how long each run takes")
	f.BoolVar(&b.json, "json", false, "print an array of objects instead of a table")
}

func (b *benchFlags) counts() ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(b.clients, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > 4096 {
			return nil, errUsage
		}
		out = append(out, n)
	}
	return out, nil
}

var _ = register(command{name: "bench purchase", summary: "bench_purchase", flags: func(e *env, f *flag.FlagSet) { new(benchFlags).bind(e, f) },
	run: func(ctx context.Context, e *env, args []string) error {
		b := e.values.(*benchFlags)
		clients, err := b.counts()
		if err != nil || len(args) > 0 {
			return errUsage
		}
		if !b.json {
			fmt.Fprintf(e.out, "%-9s %6s %7s %11s %24s %24s %9s %8s %10s %9s %7s %7s %6s %4s\n", "store", "offers", "clients", "purchases/s",
				"notice→code ms 50/95/99", "purchase ms 50/95/99", "cpu ms", "peak MB", "echo/s", "rows/s", "·http", "·rows", "errors", "viol")
		}
		runs, err := bench.RunPurchase(ctx, bench.Purchase{Store: b.store, KeyFile: b.keys, Clients: clients, Duration: b.duration,
			Progress: func(text string) { fmt.Fprintln(e.err, text) },
			Each: func(r bench.PurchaseRun) {
				if b.json {
					return
				}
				p := func(p bench.Percentiles) string { return fmt.Sprintf("%.1f/%.1f/%.1f", p.P50, p.P95, p.P99) }
				fmt.Fprintf(e.out, "%-9s %6d %7d %11.0f %24s %24s %9.3f %8.0f %10.0f %9.0f %7.2f %7.2f %6d %4d %s\n", r.Store, r.Offers, r.Clients, r.PerS,
					p(r.NoticeToMs), p(r.PurchaseMs), r.CPU*1000, r.PeakMB, r.EchoPerS, r.RowsPerS, r.RatioHTTP, r.RatioRows, r.Errors, r.Violations, r.FirstError)
			}})
		if err != nil {
			return err
		}
		if b.json {
			enc := json.NewEncoder(e.out)
			enc.SetIndent("", "  ")
			return enc.Encode(runs)
		}
		return nil
	}})

var _ = register(command{name: "bench echo", summary: "bench_echo", run: func(ctx context.Context, e *env, _ []string) error {
	return bench.Echo(ctx, e.out)
}})
