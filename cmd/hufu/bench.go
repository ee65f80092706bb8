package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"hufu/internal/bench"
	"hufu/internal/flow"
)

type benchFlags struct {
	store, keys, clients string
	duration             time.Duration
	json                 bool
}

func (b *benchFlags) bind(e *env, f *flag.FlagSet) {
	e.values = b
	f.StringVar(&b.store, "store", "sqlite:bench.db", "flag.store.bench")
	f.StringVar(&b.keys, "key-file", "bench.keys", "flag.key-file.bench")
	f.StringVar(&b.clients, "clients", "1,16,64,256", "flag.clients")
	f.DurationVar(&b.duration, "duration", 10*time.Second, "flag.duration")
	f.BoolVar(&b.json, "json", false, "flag.json")
}

func (b *benchFlags) counts() ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(b.clients, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > 4096 {
			return nil, refuse("cli.clients", "clients", b.clients)
		}
		out = append(out, n)
	}
	if b.duration <= 0 {
		return nil, refuse("cli.duration")
	}
	return out, nil
}

var _ = register(command{name: "bench purchase", summary: "bench_purchase",
	flags: func(e *env, f *flag.FlagSet) {
		b := new(purchaseFlags)
		b.bind(e, f)
		e.values = b
		f.Int64Var(&b.orders, "orders", 0, "flag.orders")
		f.BoolVar(&b.composed, "composed", false, "flag.composed")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		b := e.values.(*purchaseFlags)
		clients, err := b.counts()
		if err == nil && (b.orders < 0 || b.orders > flow.MaxGenerate) {
			err = refuse("cli.orders", "max", strconv.Itoa(flow.MaxGenerate))
		}
		if err != nil {
			return err
		}
		if b.composed {
			return benchComposed(ctx, e, &b.benchFlags, clients)
		}
		if !b.json {
			fmt.Fprintf(e.out, "%-9s %9s %6s %7s %11s %24s %24s %9s %8s %10s %9s %7s %7s %6s %4s\n", "store", "orders", "offers", "clients", "purchases/s",
				"notice→code ms 50/95/99", "purchase ms 50/95/99", "cpu ms", "peak MB", "echo/s", "rows/s", "·http", "·rows", "errors", "viol")
		}
		runs, err := bench.RunPurchase(ctx, bench.Purchase{Store: b.store, KeyFile: b.keys, Clients: clients, Duration: b.duration, Orders: b.orders,
			Progress: func(text string) { fmt.Fprintln(e.err, text) },
			Each: func(r bench.PurchaseRun) {
				if b.json {
					return
				}
				p := func(p bench.Percentiles) string { return fmt.Sprintf("%.1f/%.1f/%.1f", p.P50, p.P95, p.P99) }
				violations := strconv.Itoa(r.Violations)
				if r.AtEnd {
					violations = "-"
				}
				fmt.Fprintf(e.out, "%-9s %9d %6d %7d %11.0f %24s %24s %9.3f %8.0f %10.0f %9.0f %7.2f %7.2f %6d %4s %s %s\n", r.Store, r.OrdersBefore, r.Offers, r.Clients, r.PerS,
					p(r.NoticeToMs), p(r.PurchaseMs), r.CPU*1000, r.PeakMB, r.EchoPerS, r.RowsPerS, r.RatioHTTP, r.RatioRows, r.Errors, violations, r.FirstError, r.FirstProblem)
			}})
		if err != nil {
			return err
		}
		if b.json {
			return writeJSON(e.out, runs)
		}
		if n := len(runs); n > 0 && runs[n-1].AtEnd {
			fmt.Fprintln(e.out, e.lang.T("cli.bench_verified_at_end", "count", strconv.Itoa(runs[n-1].Violations), "first", runs[n-1].FirstProblem))
		}
		return nil
	}})

var _ = register(command{name: "bench soldout", summary: "bench_soldout", flags: func(e *env, f *flag.FlagSet) { new(benchFlags).bind(e, f) },
	run: func(ctx context.Context, e *env, _ []string) error {
		b := e.values.(*benchFlags)
		clients, err := b.counts()
		if err != nil {
			return err
		}
		runs, err := bench.RunSoldOut(ctx, bench.SoldOut{Store: b.store, KeyFile: b.keys, Clients: clients, Duration: b.duration, Progress: func(text string) { fmt.Fprintln(e.err, text) }})
		if err != nil {
			return err
		}
		if b.json {
			return writeJSON(e.out, runs)
		}
		fmt.Fprintf(e.out, "%-9s %7s %11s %22s %10s %7s %6s\n", "store", "clients", "answers/s", "answer ms 50/95/99", "echo/s", "·http", "errors")
		for _, r := range runs {
			fmt.Fprintf(e.out, "%-9s %7d %11.0f %22s %10.0f %7.2f %6d\n", r.Store, r.Clients, r.PerS, fmt.Sprintf("%.2f/%.2f/%.2f", r.AnswerMs.P50, r.AnswerMs.P95, r.AnswerMs.P99), r.EchoPerS, r.RatioHTTP, r.Errors)
		}
		return nil
	}})

// purchaseFlags are those of a benchmark, and how large the store is to be before.
type purchaseFlags struct {
	benchFlags
	orders   int64
	composed bool
}

// benchComposed is the benchmark of bundles with rules, limits and relations.
func benchComposed(ctx context.Context, e *env, b *benchFlags, clients []int) error {
	runs, err := bench.RunComposed(ctx, bench.Purchase{Store: b.store, KeyFile: b.keys, Clients: clients, Duration: b.duration, Progress: func(text string) { fmt.Fprintln(e.err, text) }})
	if err != nil {
		return err
	}
	if b.json {
		return writeJSON(e.out, runs)
	}
	fmt.Fprintf(e.out, "%-9s %7s %11s %14s %11s %16s %6s %6s\n", "store", "clients", "bare/s", "with rules/s", "bare cpu ms", "with rules cpu", "ratio", "errors")
	for _, r := range runs {
		fmt.Fprintf(e.out, "%-9s %7d %11.0f %14.0f %11.3f %16.3f %6.2f %6d %s\n", r.Store, r.Clients, r.BareS, r.ComposedS, r.BareCPU*1000, r.CPU*1000, r.Ratio, r.Errors, r.FirstError)
		if r.Violations > 0 {
			fmt.Fprintf(e.out, "  verify: %d, %s\n", r.Violations, r.FirstProblem)
		}
	}
	return nil
}

type codesFlags struct {
	store, keys string
	count       int
	json        bool
}

var _ = register(command{name: "bench codes", summary: "bench_codes",
	flags: func(e *env, f *flag.FlagSet) {
		c := new(codesFlags)
		e.values = c
		f.StringVar(&c.store, "store", "sqlite:bench.db", "flag.store.bench")
		f.StringVar(&c.keys, "key-file", "bench.keys", "flag.key-file.bench")
		f.IntVar(&c.count, "count", 1_000_000, "flag.count.bench")
		f.BoolVar(&c.json, "json", false, "flag.json")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		c := e.values.(*codesFlags)
		if c.count < 1 || c.count > flow.MaxGenerate {
			return refuse("cli.count", "max", strconv.Itoa(flow.MaxGenerate))
		}
		r, err := bench.RunCodes(ctx, bench.Codes{Store: c.store, KeyFile: c.keys, Count: c.count, Progress: func(text string) { fmt.Fprintln(e.err, text) }})
		if err != nil {
			return err
		}
		if c.json {
			return writeJSON(e.out, r)
		}
		fmt.Fprintf(e.out, "%s, %d codes: generated %.0f/s (%.2f of a bare loop's %.0f rows/s), imported in %.1f s (%.0f/s), look-up %.2f/%.2f/%.2f ms 50/95/99, peak %.0f MB, %d violations %s\n",
			r.Store, r.Count, r.GeneratedS, r.RatioRows, r.RowsPerS, r.ImportS, r.ImportedS, r.LookUpMs.P50, r.LookUpMs.P95, r.LookUpMs.P99, r.PeakMB, r.Violations, r.FirstProblem)
		return nil
	}})

type roomFlags struct {
	benchFlags
	tickets int
}

var _ = register(command{name: "bench room", summary: "bench_room",
	flags: func(e *env, f *flag.FlagSet) {
		b := new(roomFlags)
		b.bind(e, f)
		e.values = b
		f.IntVar(&b.tickets, "tickets", 50_000, "flag.tickets")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		b := e.values.(*roomFlags)
		clients, err := b.counts()
		if err == nil && (b.tickets < 1 || b.tickets > flow.MaxGenerate) {
			err = refuse("cli.tickets", "max", strconv.Itoa(flow.MaxGenerate))
		}
		if err != nil {
			return err
		}
		runs, err := bench.RunRoom(ctx, bench.Room{Store: b.store, KeyFile: b.keys, Tickets: b.tickets, Clients: clients, Duration: b.duration, Progress: func(text string) { fmt.Fprintln(e.err, text) }})
		if err != nil {
			return err
		}
		if b.json {
			return writeJSON(e.out, runs)
		}
		fmt.Fprintf(e.out, "%-9s %8s %7s %9s %9s %22s %9s %22s %8s %9s %8s %9s %7s %6s\n", "store", "tickets", "clients", "joins/s", "polls/s", "poll ms 50/95/99", "pages/s", "page ms 50/95/99", "cpu µs", "B/waiter", "peak MB", "echo/s", "·http", "errors")
		p := func(p bench.Percentiles) string { return fmt.Sprintf("%.2f/%.2f/%.2f", p.P50, p.P95, p.P99) }
		for _, r := range runs {
			fmt.Fprintf(e.out, "%-9s %8d %7d %9.0f %9.0f %22s %9.0f %22s %8.0f %9.0f %8.0f %9.0f %7.2f %6d %s\n", r.Store, r.Tickets, r.Clients, r.JoinsPerS, r.PollsPerS, p(r.PollMs), r.PagesPerS, p(r.PageMs), r.CPU, r.Bytes, r.PeakMB, r.EchoPerS, r.RatioHTTP, r.Errors, r.First)
		}
		return nil
	}})

type audienceFlags struct {
	store, keys string
	customers   int
	json        bool
}

var _ = register(command{name: "bench audience", summary: "bench_audience",
	flags: func(e *env, f *flag.FlagSet) {
		c := new(audienceFlags)
		e.values = c
		f.StringVar(&c.store, "store", "sqlite:bench.db", "flag.store.bench")
		f.StringVar(&c.keys, "key-file", "bench.keys", "flag.key-file.bench")
		f.IntVar(&c.customers, "customers", 1_000_000, "flag.customers.bench")
		f.BoolVar(&c.json, "json", false, "flag.json")
	},
	run: func(ctx context.Context, e *env, _ []string) error {
		c := e.values.(*audienceFlags)
		if c.customers < 1 || c.customers > flow.MaxGenerate {
			return refuse("cli.customers", "max", strconv.Itoa(flow.MaxGenerate))
		}
		r, err := bench.RunAudience(ctx, bench.Audience{Store: c.store, KeyFile: c.keys, Customers: c.customers, Progress: func(text string) { fmt.Fprintln(e.err, text) }})
		if err != nil {
			return err
		}
		if c.json {
			return writeJSON(e.out, r)
		}
		fmt.Fprintf(e.out, "%s, %d customers: walked in %.1f s, four rules answered in %.0f ms (%.2f of the limit of %s; a bare count %.0f ms), one that calculates %.0f ms, %d qualify\n",
			r.Store, r.Customers, r.WalkS, r.Ms, r.Ratio, bench.AudienceLimit, r.FloorMs, r.StreamMs, r.Qualify)
		return nil
	}})

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

var _ = register(command{name: "bench echo", summary: "bench_echo", run: func(ctx context.Context, e *env, _ []string) error {
	return bench.Echo(ctx, e.out)
}})
