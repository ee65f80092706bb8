package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hufu/internal/app/demo"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/inventory"
	"hufu/internal/vault"
)

// DemoCodes is how many codes the demo shop opens with.
const DemoCodes = 100_000

// PrepareFolder makes what a shop in a folder of its own needs: the folder, a key file and
// a secret for the sandbox gateway. What is there already stays.
func PrepareFolder(dir string, now time.Time) (sandboxSecret string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "file.folder_unwritable", "folder", dir)
	}
	keys := filepath.Join(dir, "hufu.keys")
	if _, err := os.Stat(keys); errors.Is(err, fs.ErrNotExist) {
		if _, err := vault.CreateKeyFile(keys, now); err != nil {
			return "", err
		}
	}
	secret := filepath.Join(dir, "sandbox.secret")
	raw, err := os.ReadFile(secret)
	if errors.Is(err, fs.ErrNotExist) {
		raw = []byte(rand.Text() + rand.Text())
		err = os.WriteFile(secret, raw, 0o600)
	}
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "file.unwritable", "file", secret)
	}
	return strings.TrimSpace(string(raw)), nil
}

// OpenDemo fills an empty shop: its catalogue, and a supplier's file of codes for each
// stock that waits for one, taken in as an operator would. A shop that was opened before
// is left alone. say is told of each step.
func (a *App) OpenDemo(ctx context.Context, dir string, say func(step string, n int)) error {
	stocks, err := a.allStocks(ctx)
	if err != nil {
		return err
	}
	if len(stocks) == 0 { // a shop that was opened before is its operator's
		done, err := a.Flows.ImportCatalogue(ctx, demo.Catalogue, flow.ImportOptions{Source: "catalogue.json"})
		if err != nil {
			return err
		}
		say("catalogue", len(done.Rows))
		if stocks, err = a.allStocks(ctx); err != nil {
			return err
		}
	}
	var empty []*inventory.Stock
	for _, s := range stocks {
		if s.Kind == inventory.Codes && s.Received == 0 && demo.Codes[s.Name] > 0 {
			empty = append(empty, s)
		}
	}
	if len(empty) == 0 {
		return nil
	}
	folder := filepath.Join(dir, "codes")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, s := range empty {
		n := demo.Codes[s.Name]
		if err := a.importDemoCodes(ctx, filepath.Join(folder, s.Name+".csv"), s, n); err != nil {
			return err
		}
		say("codes", n)
	}
	return nil
}

func (a *App) allStocks(ctx context.Context) ([]*inventory.Stock, error) {
	var all []*inventory.Stock
	err := a.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		all, err = a.Flows.Inventory.All(ctx, tx)
		return err
	})
	return all, err
}

func (a *App) importDemoCodes(ctx context.Context, path string, s *inventory.Stock, n int) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := demo.WriteCodes(file, n, a.Clock.Now().AddDate(2, 0, 0)); err != nil {
		return err
	}
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	who := flow.Act{By: "system"}
	run, err := a.Flows.ReceiveImport(ctx, flow.NewImport{Stock: s.ID, File: file, FileName: filepath.Base(path), By: who.By,
		Options: vault.ImportOptions{Name: s.Name, Issuer: s.Name, Supplier: "demo", Zone: "Asia/Shanghai"}})
	if err != nil {
		return err
	}
	if _, err := a.Flows.CheckImport(ctx, run.ID, run.Options, who); err != nil {
		return err
	}
	if err := a.Flows.RunImports(ctx); err != nil {
		return err
	}
	if _, err := a.Flows.StartImport(ctx, run.ID, who); err != nil {
		return err
	}
	if err := a.Flows.RunImports(ctx); err != nil {
		return err
	}
	if run, err = a.Flows.Import(ctx, run.ID); err != nil {
		return err
	}
	if run.State != vault.ImportDone || run.Added != int64(n) {
		return fmt.Errorf("the demo's file %s ended %s with %d of %d codes: %w", path, run.State, run.Added, n, run.Why)
	}
	return nil
}
