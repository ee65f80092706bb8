package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hufu/internal/app"
	"hufu/internal/app/demo"
	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// Codes says what to measure of the code vault.
type Codes struct {
	Store    string
	KeyFile  string
	Count    int // codes to generate, and rows to import
	Progress func(text string)
}

// CodesRun is the figures.
type CodesRun struct {
	Store        string      `json:"store"`
	Count        int         `json:"count"`
	GeneratedS   float64     `json:"generated_per_s"`
	ImportS      float64     `json:"import_s"` // the dry run and the taking in, together
	ImportedS    float64     `json:"imported_per_s"`
	LookUpMs     Percentiles `json:"look_up_ms"`
	PeakMB       float64     `json:"peak_mb"` // of the process that does it all
	RowsPerS     float64     `json:"rows_per_s"`
	RatioRows    float64     `json:"ratio_rows"` // of generating, to a bare loop of rows
	Violations   int         `json:"violations"`
	FirstProblem string      `json:"first_problem,omitempty"`
}

// RunCodes generates codes, imports a supplier's file of as many, and looks codes up.
func RunCodes(ctx context.Context, c Codes) (CodesRun, error) {
	run := CodesRun{Store: kind(c.Store), Count: c.Count}
	c.Progress("limits: rows")
	var err error
	if run.RowsPerS, err = rowRate(ctx, c.Store, 3*time.Second); err != nil {
		return run, err
	}
	a, err := open(ctx, c.Store, c.KeyFile)
	if err != nil {
		return run, err
	}
	defer a.Close()
	stocks, err := c.stocks(ctx, a)
	if err != nil {
		return run, err
	}

	c.Progress(fmt.Sprintf("generate %d codes", c.Count))
	began := time.Now()
	if _, err := a.Flows.GenerateCodes(ctx, flow.Generate{Stock: stocks[0], Format: vault.DefaultFormat, Count: int64(c.Count), Issuer: "bench", Name: "generated", By: "system"}, nil); err != nil {
		return run, err
	}
	run.GeneratedS = float64(c.Count) / time.Since(began).Seconds()
	run.RatioRows = run.GeneratedS / run.RowsPerS

	c.Progress(fmt.Sprintf("import a file of %d rows", c.Count))
	known, took, err := c.importFile(ctx, a, stocks[1])
	if err != nil {
		return run, err
	}
	run.ImportS, run.ImportedS = took.Seconds(), float64(c.Count)/took.Seconds()

	c.Progress("look codes up")
	var looks []time.Duration
	for _, text := range known {
		began := time.Now()
		found, err := a.Flows.FindCode(ctx, text)
		if err != nil {
			return run, err
		}
		if len(found) != 1 {
			return run, fmt.Errorf("bench: a code that was imported is found %d times", len(found))
		}
		looks = append(looks, time.Since(began))
	}
	run.LookUpMs = percentiles(looks)
	run.PeakMB = peakOf(os.Getpid())
	c.Progress("verify")
	run.Violations, run.FirstProblem, err = violations(ctx, c.Store, c.KeyFile)
	return run, err
}

func (c *Codes) stocks(ctx context.Context, a *app.App) (out [2]id.Stock, err error) {
	err = a.DB.Do(ctx, func(tx *db.Tx) error {
		for i := range out {
			s, err := a.Flows.Inventory.Create(ctx, tx, fmt.Sprintf("bench-codes-%d-%d", time.Now().UnixNano(), i), inventory.Codes, 0, a.Clock.Now())
			if err != nil {
				return err
			}
			out[i] = s.ID
		}
		return nil
	})
	return out, err
}

// importFile writes a supplier's file and takes it in as an operator would: dry run first.
// It returns some of its codes and how long dry run and taking in took.
func (c *Codes) importFile(ctx context.Context, a *app.App, stock id.Stock) ([]string, time.Duration, error) {
	dir, err := os.MkdirTemp("", "hufu-bench-codes-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "codes.csv")
	file, err := os.Create(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	if err := demo.WriteCodes(file, c.Count, time.Now().AddDate(1, 0, 0)); err != nil {
		return nil, 0, err
	}
	known, err := sample(file, 2000)
	if err != nil {
		return nil, 0, err
	}
	who := flow.Act{By: "system"}
	began := time.Now()
	run, err := a.Flows.ReceiveImport(ctx, flow.NewImport{Stock: stock, File: file, FileName: "codes.csv", By: who.By, Options: vault.ImportOptions{Name: "bench", Issuer: "bench"}})
	if err != nil {
		return nil, 0, err
	}
	for _, step := range []func() error{
		func() error { _, err := a.Flows.CheckImport(ctx, run.ID, run.Options, who); return err },
		func() error { return a.Flows.RunImports(ctx) },
		func() error { _, err := a.Flows.StartImport(ctx, run.ID, who); return err },
		func() error { return a.Flows.RunImports(ctx) },
	} {
		if err := step(); err != nil {
			return nil, 0, err
		}
	}
	took := time.Since(began)
	if run, err = a.Flows.Import(ctx, run.ID); err != nil {
		return nil, 0, err
	}
	if run.Added != int64(c.Count) {
		return nil, 0, fmt.Errorf("bench: %d of %d rows were taken in, state %s", run.Added, c.Count, run.State)
	}
	return known, took, nil
}
