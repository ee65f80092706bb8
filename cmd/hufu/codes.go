package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"hufu/internal/app"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// atTerminal is who acts when somebody runs a command on the machine.
const atTerminal = "system"

// stockFlags name the stock and what is said of a batch.
type stockFlags struct {
	stock, name, issuer, expires, cost, currency string
	create                                       bool
}

func (s *stockFlags) bind(f *flag.FlagSet) {
	f.StringVar(&s.stock, "stock", "", "flag.stock")
	f.BoolVar(&s.create, "create-stock", false, "flag.create-stock")
	f.StringVar(&s.name, "name", "", "flag.name")
	f.StringVar(&s.issuer, "issuer", "hufu", "flag.issuer")
	f.StringVar(&s.expires, "expires", "", "flag.expires")
	f.StringVar(&s.cost, "cost", "", "flag.cost")
	f.StringVar(&s.currency, "currency", string(money.CNY), "flag.currency")
}

// of is what the flags say of a batch: its end, in local time, and its cost.
func (s *stockFlags) of() (expires time.Time, cost money.Amount, err error) {
	if s.expires != "" {
		at, ok := vault.ParseExpiry(s.expires, time.Local)
		if !ok {
			return time.Time{}, money.Amount{}, fault.New(fault.Invalid, "vault.row_expiry")
		}
		expires = at
	}
	if s.cost != "" {
		if cost, err = money.Parse(s.cost, money.Currency(s.currency)); err != nil {
			return time.Time{}, money.Amount{}, fault.New(fault.Invalid, "vault.row_cost", "currency", s.currency)
		}
	}
	return expires, cost, nil
}

// find gives the stock that was named, and makes it if that was asked for.
func (s *stockFlags) find(ctx context.Context, a *app.App) (id.Stock, error) {
	var stock id.Stock
	err := a.DB.Do(ctx, func(tx *db.Tx) error {
		found, err := a.Flows.Inventory.ByName(ctx, tx, []string{s.stock})
		if err != nil {
			return err
		}
		st := found[s.stock]
		if st == nil && s.create {
			if st, err = a.Flows.Inventory.Create(ctx, tx, s.stock, inventory.Codes, 0, a.Clock.Now()); err != nil {
				return err
			}
		}
		if st == nil {
			return fault.New(fault.NotFound, "vault.stock_name", "name", s.stock)
		}
		stock = st.ID
		return nil
	})
	return stock, err
}

type generateFlags struct {
	stockFlags
	count        int64
	format       vault.Format
	resume, undo string
}

var generate generateFlags

var _ = register(command{name: "codes generate", summary: "codes_generate",
	flags: storeFlags((*app.Config).BindOpen, func(f *flag.FlagSet) {
		generate = generateFlags{}
		g := &generate
		g.bind(f)
		f.Int64Var(&g.count, "count", 0, "flag.count.codes")
		f.StringVar(&g.format.Prefix, "prefix", "", "flag.prefix")
		f.IntVar(&g.format.Group, "group", vault.DefaultFormat.Group, "flag.group")
		f.IntVar(&g.format.SecretBits, "bits", 0, "flag.bits")
		f.BoolVar(&g.format.Machine, "machine", false, "flag.machine")
		f.StringVar(&g.resume, "resume", "", "flag.resume.codes")
		f.StringVar(&g.undo, "undo", "", "flag.undo.codes")
	}),
	run: runGenerate})

// understood refuses a line that says neither what to make nor which batch is meant.
func (g generateFlags) understood() error {
	switch {
	case g.resume != "" && g.undo != "":
		return refuse("cli.generate_one")
	case g.resume != "" || g.undo != "":
		return nil
	case g.stock == "":
		return refuse("cli.stock_missing")
	case g.count < 1 || g.count > flow.MaxGenerate:
		return refuse("cli.count", "max", strconv.Itoa(flow.MaxGenerate))
	}
	return nil
}

func runGenerate(ctx context.Context, e *env, _ []string) error {
	g := generate
	if err := g.understood(); err != nil {
		return err
	}
	if g.format.SecretBits == 0 {
		g.format.SecretBits = vault.DefaultFormat.SecretBits
		if g.format.Machine {
			g.format.SecretBits = vault.MachineFormat.SecretBits
		}
	}
	expires, cost, err := g.of()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, e.patient(), e.log())
	if err != nil {
		return err
	}
	defer a.Close()
	if g.undo != "" {
		if err := a.Flows.UndoBatch(ctx, id.Batch(g.undo), atTerminal, ""); err != nil {
			return err
		}
		fmt.Fprintln(e.out, e.lang.T("cli.batch_undone", "batch", g.undo))
		return nil
	}
	b := newBar(e, "cli.generating")
	began := time.Now()
	var batch *vault.Batch
	if g.resume != "" {
		batch, err = a.Flows.ResumeGenerate(ctx, id.Batch(g.resume), b.at)
	} else {
		var stock id.Stock
		if stock, err = g.find(ctx, a); err != nil {
			return err
		}
		if g.name == "" {
			g.name = g.stock + " " + a.Clock.Now().Local().Format("2006-01-02 15:04")
		}
		batch, err = a.Flows.GenerateCodes(ctx, flow.Generate{Stock: stock, Name: g.name, Issuer: g.issuer, Format: g.format, Count: g.count,
			Cost: cost, Expires: expires, By: atTerminal}, b.at)
	}
	b.end()
	if err != nil {
		if batch != nil {
			fmt.Fprintln(e.err, e.lang.T("cli.generate_stopped", "done", strconv.FormatInt(batch.Counts.Stored, 10), "batch", string(batch.ID)))
		}
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.generated", "count", strconv.FormatInt(batch.Counts.Stored, 10), "batch", string(batch.ID),
		"rate", strconv.FormatInt(int64(float64(batch.Counts.Stored)/time.Since(began).Seconds()), 10)))
	return nil
}

// columnFlag is a column by its number from 1; 0 if it isn't there.
type columnFlag struct{ to *int }

func (c columnFlag) String() string { return "" }

func (c columnFlag) Set(text string) error {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1 {
		return errors.New("a column is a number from 1")
	}
	*c.to = n - 1
	return nil
}
