package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"hufu/internal/app"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/vault"
)

var _ = register(command{name: "keys create", summary: "keys_create", flags: storeFlags(keyFlags), run: func(_ context.Context, e *env, _ []string) error {
	path := e.config().KeyFile
	if _, err := vault.CreateKeyFile(path, time.Now()); err != nil {
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.keys_created", "path", path))
	return nil
}})

// keyFlags are those of a command that needs the key file alone.
func keyFlags(c *app.Config, f *flag.FlagSet) {
	f.StringVar(&c.File, "config", "", "flag.config")
	c.BindKeyFile(f)
}

var rotating struct {
	only         string
	master, drop bool
}

var _ = register(command{name: "keys rotate", summary: "keys_rotate",
	flags: storeFlags((*app.Config).BindOpen, func(f *flag.FlagSet) {
		f.StringVar(&rotating.only, "only", "data", "flag.only")
		f.BoolVar(&rotating.master, "master", false, "flag.master")
		f.BoolVar(&rotating.drop, "drop-old-masters", false, "flag.drop-old-masters")
	}),
	run: func(ctx context.Context, e *env, _ []string) error {
		a, err := app.Open(ctx, e.patient(), e.log())
		if err != nil {
			return err
		}
		defer a.Close()
		if rotating.master {
			if err := rotateMaster(ctx, e, a); err != nil {
				return err
			}
		}
		if rotating.only != "" {
			if err := rotateKeys(ctx, e, a); err != nil {
				return err
			}
		}
		if rotating.drop {
			return dropMasters(ctx, e, a)
		}
		return nil
	}})

// settle is how long other processes are waited for; a test that is alone needs no wait.
var settle = flow.Settle

func rotateKeys(ctx context.Context, e *env, a *app.App) error {
	m, err := a.Master()
	if err != nil {
		return err
	}
	c := flow.Rotation{Master: m, Settle: settle, By: atTerminal}
	for _, p := range strings.Split(rotating.only, ",") {
		c.Purposes = append(c.Purposes, vault.Purpose(strings.TrimSpace(p)))
	}
	c.Others = append(c.Others, a.Identity.Reseal)
	b := newBar(e, "cli.keys_rotating")
	err = a.Flows.RotateKeys(ctx, c, b.at)
	b.end()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			fmt.Fprintln(e.err, e.lang.T("cli.keys_stopped"))
		}
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.keys_rotated", "only", rotating.only))
	return nil
}

// rotateMaster makes a new master key and wraps all keys under it. Stopped between the two,
// everything still opens, as the key before stays in the file.
func rotateMaster(ctx context.Context, e *env, a *app.App) error {
	m, err := vault.OpenKeyFile(a.Config.KeyFile)
	if err != nil {
		return err
	}
	if m, err = m.Rotate(time.Now()); err != nil {
		return err
	}
	if err := a.Flows.RewrapKeys(ctx, m, atTerminal); err != nil {
		return err
	}
	fmt.Fprintln(e.out, e.lang.T("cli.master_rotated", "key", string(m.ID()), "path", a.Config.KeyFile))
	return nil
}

func dropMasters(ctx context.Context, e *env, a *app.App) error {
	m, err := vault.OpenKeyFile(a.Config.KeyFile)
	if err != nil {
		return err
	}
	used, err := a.Flows.MastersInUse(ctx)
	if err != nil {
		return err
	}
	for _, key := range m.Masters() {
		if key == m.ID() {
			continue
		}
		if used[key] {
			return fault.New(fault.Conflict, "vault.keys_in_use", "key", string(key))
		}
		if m, err = m.Drop(key); err != nil {
			return err
		}
		fmt.Fprintln(e.out, e.lang.T("cli.master_dropped", "key", string(key)))
	}
	return nil
}
